//! The first commit: the submission as it came and the keys of its leads, before the answer.

use rusqlite::params;

use super::keys::{Known, pack_keys};
use super::{Fault, Tx};
use crate::lead::Key;
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
        let last = self.last.get();
        let id = last.map_or_else(|| self.last_submission(), Ok)? + 1;
        let mut stored = Stored {
            submission: id,
            leads: Vec::with_capacity(submission.keys.len()),
        };
        for (at, key) in (0..LEADS_MAX).zip(&submission.keys) {
            let named = self.name_lead((submission, &stored), key, id * LEADS_MAX + at)?;
            stored.leads.push(named);
        }
        let mut standings = stored.leads.iter().map(|(standing, ..)| *standing);
        if standings.all(|standing| standing == Standing::Repeat) {
            stored.submission = 0;
            return Ok(stored);
        }
        let headers = serde_json::to_string(&submission.headers)?;
        let sql =
            "INSERT INTO submissions (id, source, received_at, headers, query, raw, leads, keys)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let args = params![
            id,
            submission.source,
            submission.received_at,
            headers,
            submission.query,
            submission.raw,
            pack(&stored.leads),
            pack_keys(&submission.keys),
        ];
        self.run(sql, args)?;
        self.last.set(Some(id));
        Ok(stored)
    }

    fn name_lead(
        &self,
        (submission, stored): (&Submission, &Stored),
        key: &Key,
        seq: i64,
    ) -> Result<(Standing, i64, LeadId), Fault> {
        let known = self.known_key(&key.key, Some((submission, stored)))?;
        let lasts = |known: &Known| {
            known
                .until
                .is_none_or(|until| until >= submission.received_at)
        };
        if let Some(known) = known.filter(lasts) {
            // Whatever comes under the key of somebody who was erased is not kept: they asked for that.
            let same = known.body_hash == key.body_hash || self.is_erased(known.lead)?;
            let standing = if same {
                Standing::Repeat
            } else {
                Standing::Conflict
            };
            return Ok((standing, known.lead, known.id));
        }
        self.keys.borrow_mut().add(&key.key, seq);
        Ok((Standing::New, seq, key.lead))
    }

    pub(super) fn last_submission(&self) -> Result<i64, Fault> {
        let sql = "SELECT coalesce(max(id), 0) FROM submissions";
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
