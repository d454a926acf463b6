//! Rows of `leads` and their moves: every move is checked, versioned and written down.

use rusqlite::{OptionalExtension, Row, params};

use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Actor, Event, Grade, HoldCause, Inquiry, Lead, LeadId, PoolId, RepId, Stage};

pub(super) const COLUMNS: &str = "l.seq, l.id, l.submission_id, l.source, l.stage, l.reason,
    l.hold_cause, l.version, l.is_test, l.received_at, l.fields, l.attribution, l.consent,
    l.signals, l.grade, l.points, l.pool, l.owner,
    (SELECT hash FROM policies p WHERE p.id = l.policy)";

/// What a move changes besides the stage; `None` leaves a column as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Why it is rejected, held or waiting; always written, so that an old reason does not stay.
    pub reason: Option<String>,
    /// What holds it; always written.
    pub hold_cause: Option<HoldCause>,
    /// Who holds it.
    pub owner: Option<Option<RepId>>,
    /// Grade, points, pool and the policy that gave them.
    pub graded: Option<(Grade, i64, PoolId, i64)>,
}

pub(super) fn lead_of(row: &Row<'_>) -> Result<Lead, Fault> {
    let stage: String = row.get(4)?;
    let hold_cause: Option<String> = row.get(6)?;
    let json = |at: usize| row.get::<_, String>(at);
    Ok(Lead {
        seq: row.get(0)?,
        id: LeadId(uuid::Uuid::from_bytes(row.get(1)?)),
        submission: row.get(2)?,
        source: row.get(3)?,
        stage: Stage::parse(&stage).ok_or_else(|| Fault::Store(format!("no stage {stage}")))?,
        reason: row.get(5)?,
        hold_cause: hold_cause.as_deref().and_then(HoldCause::parse),
        version: row.get(7)?,
        received_at: row.get(9)?,
        inquiry: Inquiry {
            fields: serde_json::from_str(&json(10)?)?,
            attribution: serde_json::from_str(&json(11)?)?,
            consent: serde_json::from_str(&json(12)?)?,
            signals: serde_json::from_str(&json(13)?)?,
            is_test: row.get(8)?,
        },
        grade: row.get(14)?,
        points: row.get(15)?,
        pool: row.get(16)?,
        owner: row.get(17)?,
        policy: row.get(18)?,
    })
}

/// Where a lead stands, beside its stage.
pub struct Place {
    /// What holds it.
    pub hold_cause: Option<HoldCause>,
    /// The pool that it was routed to.
    pub pool: Option<String>,
    /// The rep who has it.
    pub owner: Option<String>,
}

impl Tx<'_> {
    /// A lead by its inner key.
    pub fn lead(&self, seq: i64) -> Result<Lead, Fault> {
        Reads::new(self.conn).lead(seq)
    }

    /// Moves a lead and writes the event down. The version in `lead` is the fence: whoever comes
    /// late changes nothing.
    pub fn advance(
        &self,
        lead: &mut Lead,
        to: Stage,
        change: Change,
        event: (&Actor, &Event, Option<i64>),
        at: Millis,
    ) -> Result<(), Fault> {
        if !lead.stage.may_become(to) {
            return Err(Fault::Illegal {
                from: lead.stage,
                to,
            });
        }
        let owner = change.owner.unwrap_or_else(|| lead.owner.clone());
        let sql = "UPDATE leads SET stage = ?3, reason = ?4, hold_cause = ?5, owner = ?6,
                       version = version + 1 WHERE seq = ?1 AND version = ?2";
        let moved = self.conn.prepare_cached(sql)?.execute(params![
            lead.seq,
            lead.version,
            to.as_str(),
            change.reason,
            change.hold_cause.map(HoldCause::as_str),
            owner,
        ])?;
        if moved != 1 {
            return Err(Fault::Stale);
        }
        if let Some((grade, points, pool, policy)) = change.graded {
            let sql = "UPDATE leads SET grade = ?2, points = ?3, pool = ?4, policy = ?5
                       WHERE seq = ?1";
            self.conn
                .prepare_cached(sql)?
                .execute(params![lead.seq, grade, points, pool, policy])?;
            (lead.grade, lead.points, lead.pool) = (Some(grade), points, Some(pool));
        }
        lead.stage = to;
        lead.version += 1;
        lead.reason = change.reason;
        lead.hold_cause = change.hold_cause;
        lead.owner = owner;
        self.append(lead.seq, event, at)?;
        Ok(())
    }

    /// Writes a lead's content anew, after a submission could be read at last.
    pub fn set_inquiry(&self, lead: i64, inquiry: &Inquiry) -> Result<(), Fault> {
        let sql = "UPDATE leads SET fields = ?2, attribution = ?3, consent = ?4, signals = ?5,
                       is_test = ?6 WHERE seq = ?1";
        self.conn.prepare_cached(sql)?.execute(params![
            lead,
            serde_json::to_string(&inquiry.fields)?,
            serde_json::to_string(&inquiry.attribution)?,
            serde_json::to_string(&inquiry.consent)?,
            serde_json::to_string(&inquiry.signals)?,
            inquiry.is_test,
        ])?;
        Ok(())
    }

    /// Writes why a lead waits, without moving it.
    pub fn set_reason(&self, lead: i64, why: &str) -> Result<(), Fault> {
        let sql = "UPDATE leads SET reason = ?2 WHERE seq = ?1";
        self.conn.prepare_cached(sql)?.execute(params![lead, why])?;
        Ok(())
    }
}

impl Reads<'_> {
    /// Where leads of a stage stand whose key is above `after`.
    pub fn places(&self, stage: Stage, after: i64, limit: i64) -> Result<Vec<(i64, Place)>, Fault> {
        let sql = "SELECT seq, hold_cause, pool, owner FROM leads WHERE stage = ?1 AND seq > ?2
                   ORDER BY seq LIMIT ?3";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params![stage.as_str(), after, limit], |row| {
            let hold_cause: Option<String> = row.get(1)?;
            let place = Place {
                hold_cause: hold_cause.as_deref().and_then(HoldCause::parse),
                pool: row.get(2)?,
                owner: row.get(3)?,
            };
            Ok((row.get(0)?, place))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A lead by its inner key.
    pub fn lead(&self, seq: i64) -> Result<Lead, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM leads l WHERE l.seq = ?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([seq])?;
        let row = rows
            .next()?
            .ok_or_else(|| Fault::Missing(format!("lead {seq}")))?;
        lead_of(row)
    }

    /// A lead by its name outside, or by the unique end of it, as people copy it.
    pub fn lead_named(&self, name: &str) -> Result<Lead, Fault> {
        if let Ok(id) = name.parse::<LeadId>() {
            let sql = "SELECT seq FROM leads WHERE id = ?1";
            let mut statement = self.conn.prepare_cached(sql)?;
            let seq: Option<i64> = statement
                .query_row([id.0.into_bytes()], |row| row.get(0))
                .optional()?;
            return self.lead(seq.ok_or_else(|| Fault::Missing(format!("lead {name}")))?);
        }
        let end = name.to_uppercase().replace('-', "");
        let plausible = end.len() >= 4 && end.chars().all(|c| c.is_ascii_hexdigit());
        if !plausible {
            let wanted = "the id, or at least the last 4 characters of it";
            return Err(Fault::Missing(format!("lead `{name}`; wanted is {wanted}")));
        }
        let sql = "SELECT seq FROM leads WHERE hex(id) LIKE '%' || ?1 ORDER BY seq DESC LIMIT 2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found: Vec<i64> = statement
            .query_map([end], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        match found[..] {
            [seq] => self.lead(seq),
            [] => Err(Fault::Missing(format!("lead {name}"))),
            [..] => Err(Fault::Missing(format!(
                "single lead that ends in {name}; give more of it"
            ))),
        }
    }
}
