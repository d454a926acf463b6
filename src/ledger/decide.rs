//! The second commit: what the rules said of a lead, inserted once, in the order of arrival. A
//! watermark tells how far that has come, so that an undecided submission needs no row of its own.

use rusqlite::{OptionalExtension, params};

use super::history::Opening;
use super::receive::unpack;
use super::{Fault, Reads, Standing, Tx};
use crate::clock::Millis;
use crate::lead::{Facts, Headers, HoldCause, Inquiry, LeadId, Stage, Submission};

/// A submission whose leads are still to be decided.
#[derive(Clone, Debug)]
pub struct Undecided {
    /// Its key.
    pub id: i64,
    /// As it came; without keys.
    pub submission: Submission,
    /// Standing, inner key and name of each lead.
    pub leads: Vec<(Standing, i64, LeadId)>,
}

/// A lead as it enters the ledger.
pub struct NewLead<'a> {
    /// The key inside.
    pub seq: i64,
    /// The name outside.
    pub id: LeadId,
    /// The submission that it came in.
    pub submission: i64,
    /// The source's name.
    pub source: &'a str,
    /// When the submission arrived.
    pub received_at: Millis,
    /// Where it stands after the rules.
    pub stage: Stage,
    /// Why, where it was rejected or held.
    pub reason: Option<&'a str>,
    /// What holds it.
    pub hold_cause: Option<HoldCause>,
    /// Who asks for what.
    pub text: &'a InquiryText,
    /// Whether the platform calls it a test.
    pub is_test: bool,
    /// The rules' grade.
    pub grade: Option<&'a str>,
    /// The rules' points.
    pub points: i64,
    /// The rules' pool.
    pub pool: Option<&'a str>,
    /// The policy that decided.
    pub policy: i64,
    /// What the rules were told.
    pub facts: &'a Facts,
    /// Its history so far.
    pub opening: &'a Opening,
}

/// An inquiry as it stands in the columns of `leads`: made by who decides, so that the thread that
/// writes only writes.
pub struct InquiryText {
    fields: String,
    attribution: String,
    consent: String,
    signals: String,
}

impl InquiryText {
    /// Writes it out.
    pub fn of(inquiry: &Inquiry) -> Result<Self, Fault> {
        Ok(Self {
            fields: serde_json::to_string(&inquiry.fields)?,
            attribution: serde_json::to_string(&inquiry.attribution)?,
            consent: serde_json::to_string(&inquiry.consent)?,
            signals: serde_json::to_string(&inquiry.signals)?,
        })
    }
}

impl Tx<'_> {
    /// Moves the watermark; `Stale` where another step moved it, or an earlier one failed.
    pub fn decided(&self, from: i64, to: i64) -> Result<(), Fault> {
        let sql = "UPDATE meta SET value = ?2 WHERE key = 'decided_upto' AND value = ?1";
        let moved = self.conn.prepare_cached(sql)?.execute(params![from, to])?;
        if moved == 1 {
            Ok(())
        } else {
            Err(Fault::Stale)
        }
    }

    /// Inserts a lead with its history.
    pub fn insert_lead(&self, lead: &NewLead<'_>) -> Result<(), Fault> {
        let sql = "INSERT INTO leads (seq, id, submission_id, source, stage, reason, hold_cause,
                       version, is_test, received_at, fields, attribution, consent, signals,
                       grade, points, pool, policy)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                       ?16, ?17)";
        let args = params![
            lead.seq,
            lead.id.0.into_bytes(),
            lead.submission,
            lead.source,
            lead.stage.as_str(),
            lead.reason,
            lead.hold_cause.map(HoldCause::as_str),
            lead.is_test,
            lead.received_at,
            lead.text.fields,
            lead.text.attribution,
            lead.text.consent,
            lead.text.signals,
            lead.grade,
            lead.points,
            lead.pool,
            lead.policy,
        ];
        self.run(sql, args)?;
        let last = self.open(lead.seq, lead.opening, lead.policy)?;
        self.insert_facts(lead.seq, last, lead.facts)
    }

    /// Records what the rules were told for the verdict of event `seq`; nothing known is no row.
    pub fn insert_facts(&self, lead: i64, seq: i64, facts: &Facts) -> Result<(), Fault> {
        if *facts == Facts::default() {
            return Ok(());
        }
        let sql = "INSERT INTO facts (lead_id, seq, data) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO NOTHING";
        let data = serde_json::to_string(facts)?;
        self.run(sql, params![lead, seq, data])?;
        Ok(())
    }
}

impl Reads<'_> {
    /// How far deciding has come: the key of the last decided submission.
    pub fn decided_upto(&self) -> Result<i64, Fault> {
        Ok(self.meta("decided_upto")?.unwrap_or(0))
    }

    /// Submissions behind `after`, in the order of arrival.
    pub fn undecided(&self, after: i64, limit: i64) -> Result<Vec<Undecided>, Fault> {
        let sql = "SELECT id, source, received_at, headers, query, raw, leads FROM submissions
                   WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![after, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let headers: String = row.get(3)?;
            let leads: Vec<u8> = row.get(6)?;
            found.push(Undecided {
                id: row.get(0)?,
                submission: Submission {
                    source: row.get(1)?,
                    received_at: row.get(2)?,
                    headers: serde_json::from_str::<Headers>(&headers)?,
                    query: row.get(4)?,
                    raw: row.get(5)?,
                    keys: Vec::new(),
                },
                leads: unpack(&leads),
            });
        }
        Ok(found)
    }

    /// What the rules were told for the lead's latest verdict.
    pub fn facts(&self, lead: i64) -> Result<Facts, Fault> {
        let sql = "SELECT data FROM facts WHERE lead_id = ?1 ORDER BY seq DESC LIMIT 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let data: Option<String> = statement.query_row([lead], |row| row.get(0)).optional()?;
        Ok(data
            .map(|text| serde_json::from_str(&text))
            .transpose()?
            .unwrap_or_default())
    }

    /// The submission of a lead, as it came.
    pub fn submission(&self, id: i64) -> Result<Option<Undecided>, Fault> {
        let found = self.undecided(id - 1, 1)?.into_iter().next();
        Ok(found.filter(|s| s.id == id))
    }
}
