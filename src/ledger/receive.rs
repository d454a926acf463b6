//! The first commit: the submission as it came and the keys of its leads, before the answer.

use rusqlite::{OptionalExtension, params};

use super::{Fault, Tx};
use crate::lead::LeadId;
use crate::lead::Submission;

/// How a lead of a submission stands to what was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not seen before: it is to be decided.
    New,
    /// The same again.
    Repeat,
    /// The same key with other content: an event on the lead that is there.
    Conflict,
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its key; 0 where every lead was a repeat, which stores nothing.
    pub submission: i64,
    /// Standing, inner key and name of each lead, in the submission's order.
    pub leads: Vec<(Standing, i64, LeadId)>,
}

/// The inner keys of a submission's leads follow from its own, so that no counter is written.
pub(super) const LEADS_MAX: i64 = 1 << 10;
const ENTRY: usize = 25;

impl Tx<'_> {
    /// Stores a submission, unless all its leads are there already.
    pub fn receive(&self, submission: &Submission) -> Result<Stored, Fault> {
        let id = self.next_submission()?;
        let mut leads = Vec::with_capacity(submission.keys.len());
        for (at, key) in (0..LEADS_MAX).zip(&submission.keys) {
            leads.push(self.name_lead(submission, key, id * LEADS_MAX + at)?);
        }
        if leads
            .iter()
            .all(|(standing, ..)| *standing == Standing::Repeat)
        {
            return Ok(Stored {
                submission: 0,
                leads,
            });
        }
        let headers = serde_json::to_string(&submission.headers)?;
        let sql = "INSERT INTO submissions (id, source, received_at, headers, query, raw, leads)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.conn.prepare_cached(sql)?.execute(params![
            id,
            submission.source,
            submission.received_at,
            headers,
            submission.query,
            submission.raw,
            pack(&leads),
        ])?;
        Ok(Stored {
            submission: id,
            leads,
        })
    }

    fn name_lead(
        &self,
        submission: &Submission,
        key: &crate::lead::Key,
        seq: i64,
    ) -> Result<(Standing, i64, LeadId), Fault> {
        let sql = "INSERT INTO keys (source, key, lead_id, lead_uuid, body_hash, until)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
        let uuid = key.lead.0.into_bytes();
        let inserted = self.conn.prepare_cached(sql)?.execute(params![
            submission.source,
            key.key,
            seq,
            uuid,
            key.body_hash,
            key.until,
        ])?;
        if inserted == 1 {
            return Ok((Standing::New, seq, key.lead));
        }
        let sql = "SELECT lead_id, lead_uuid, body_hash, until FROM keys
                   WHERE source = ?1 AND key = ?2";
        let known =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let (lead, uuid_there, hash, until): (i64, [u8; 16], [u8; 16], Option<i64>) = self
            .conn
            .prepare_cached(sql)?
            .query_row(params![submission.source, key.key], known)
            .optional()?
            .ok_or(Fault::Stale)?;
        if until.is_some_and(|until| until < submission.received_at) {
            let sql = "UPDATE keys SET lead_id = ?3, lead_uuid = ?4, body_hash = ?5, until = ?6
                       WHERE source = ?1 AND key = ?2";
            self.conn.prepare_cached(sql)?.execute(params![
                submission.source,
                key.key,
                seq,
                uuid,
                key.body_hash,
                key.until,
            ])?;
            return Ok((Standing::New, seq, key.lead));
        }
        // Whatever comes under the key of somebody who was erased is not kept: they asked for that.
        let same = hash == key.body_hash || self.is_erased(lead)?;
        let standing = if same {
            Standing::Repeat
        } else {
            Standing::Conflict
        };
        Ok((standing, lead, LeadId(uuid::Uuid::from_bytes(uuid_there))))
    }

    fn next_submission(&self) -> Result<i64, Fault> {
        let sql = "SELECT coalesce(max(id), 0) + 1 FROM submissions";
        Ok(self
            .conn
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))?)
    }

    pub(super) fn set_meta(&self, key: &str, value: i64) -> Result<(), Fault> {
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.conn
            .prepare_cached(sql)?
            .execute(params![key, value])?;
        Ok(())
    }
}

/// What `submissions.leads` holds.
pub(super) fn pack(leads: &[(Standing, i64, LeadId)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(leads.len() * ENTRY);
    for (standing, seq, id) in leads {
        bytes.push(match standing {
            Standing::New => 0,
            Standing::Repeat => 1,
            Standing::Conflict => 2,
        });
        bytes.extend_from_slice(&seq.to_be_bytes());
        bytes.extend_from_slice(id.0.as_bytes());
    }
    bytes
}

/// The leads of a stored submission, in its order.
pub(super) fn unpack(bytes: &[u8]) -> Vec<(Standing, i64, LeadId)> {
    let mut leads = Vec::with_capacity(bytes.len() / ENTRY);
    for entry in bytes.chunks_exact(ENTRY) {
        let (Some((&standing, rest)), true) = (entry.split_first(), entry.len() == ENTRY) else {
            continue;
        };
        let (seq, uuid) = rest.split_at(8);
        let (Ok(seq), Ok(uuid)) = (seq.try_into(), uuid.try_into()) else {
            continue;
        };
        let standing = match standing {
            0 => Standing::New,
            1 => Standing::Repeat,
            _ => Standing::Conflict,
        };
        let id = LeadId(uuid::Uuid::from_bytes(uuid));
        leads.push((standing, i64::from_be_bytes(seq), id));
    }
    leads
}
