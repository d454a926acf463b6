//! What makes a repeat a repeat. A key is random, so that writing each into the index at once would
//! dirty a page a lead, which costs more than everything else of the first commit. So a key is
//! committed with its submission, in one row; the index follows in key order, a slice a commit, and
//! what it does not hold yet is in memory. At start that is rebuilt from the submissions above a
//! watermark. Belongs to the thread that writes.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::receive::unpack;
use super::sieve::{self, Hash, Parts, Sieve};
use super::{Fault, Reads, Standing, Tx};
use crate::clock::Millis;
use crate::lead::{Key, LeadId};

/// So many keys wait: the more, the closer are those of a slice to each other in the index, and the
/// fewer of its pages a slice writes; each takes memory, and time at the start after a crash.
const WAITING: usize = 64_000;
/// How many are written at once: the more, the fewer pages for each; so many hold nobody up.
const SLICE: usize = 512;
/// Where many more wait, as after a crash.
const SLICE_MAX: usize = 4_000;
/// How many submissions are read at once when the keys are rebuilt.
const PORTION: i64 = 1_000;
/// Bytes a key in a submission's row: key, hash of the content, until (0 for ever).
const ENTRY: usize = 40;

/// What a key points at.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) lead: i64,
    pub(super) id: LeadId,
    pub(super) body_hash: Hash,
    pub(super) until: Option<Millis>,
}

#[derive(Clone)]
struct Waiting {
    source: Arc<str>,
    known: Known,
}

/// The keys that the index does not hold yet.
#[derive(Default)]
pub(super) struct Keys {
    waiting: BTreeMap<Hash, Waiting>,
    /// What the index may hold.
    index: Sieve,
    /// Each source's name once.
    sources: HashSet<Arc<str>>,
    /// What the transaction under way changed, the latest last: undone when it fails.
    changed: Vec<(Hash, Option<Waiting>)>,
    /// Where the next slice begins.
    cursor: Hash,
    /// The last submission when the round under way began: when it ends, the index holds all keys up
    /// to there.
    round_upto: i64,
    /// What the watermark becomes with the commit under way.
    rounds: Option<(i64, Hash)>,
}

impl Keys {
    /// Notes what is committed and not in the index.
    pub(super) fn rebuild(reads: &Reads<'_>, path: &Path) -> Result<Self, Fault> {
        let mut last = (String::new(), Vec::new());
        let mut keys = Self {
            index: Sieve::of(path, move |conn, parts| indexed(conn, &mut last, parts))?,
            ..Self::default()
        };
        let mut after = reads.meta("keys_upto")?.unwrap_or(0);
        let sql =
            "SELECT id, source, leads, keys FROM submissions WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = reads.conn.prepare_cached(sql)?;
        loop {
            let before = after;
            let mut rows = statement.query(params![after, PORTION])?;
            while let Some(row) = rows.next()? {
                after = row.get(0)?;
                let (source, leads, packed): (String, Vec<u8>, Vec<u8>) =
                    (row.get(1)?, row.get(2)?, row.get(3)?);
                let source = keys.name(&source);
                let leads = unpack(&leads).into_iter().zip(packed.chunks_exact(ENTRY));
                for ((standing, lead, id), entry) in leads {
                    if standing == Standing::New
                        && let Some((key, body_hash, until)) = unpack_key(entry)
                    {
                        let known = Known {
                            lead,
                            id,
                            body_hash,
                            until,
                        };
                        let source = source.clone();
                        keys.index.add(&key);
                        keys.waiting.insert(key, Waiting { source, known });
                    }
                }
            }
            if after == before {
                break;
            }
        }
        keys.round_upto = after;
        Ok(keys)
    }

    /// Where the changes of a step begin.
    pub(super) fn mark(&self) -> usize {
        self.changed.len()
    }

    /// The step or the whole transaction is undone.
    pub(super) fn undo(&mut self, mark: usize) {
        for (key, before) in self.changed.drain(mark..).rev() {
            match before {
                Some(waiting) => self.waiting.insert(key, waiting),
                None => self.waiting.remove(&key),
            };
        }
        if mark == 0 {
            self.rounds = None;
        }
    }

    /// The transaction is on disk.
    pub(super) fn settle(&mut self) {
        self.changed.clear();
        if let Some((upto, cursor)) = self.rounds.take() {
            (self.round_upto, self.cursor) = (upto, cursor);
        }
    }

    /// Adds a key of the transaction under way.
    pub(super) fn add(&mut self, source: &str, key: Hash, known: Known) {
        let source = self.name(source);
        self.index.add(&key);
        let before = self.waiting.insert(key, Waiting { source, known });
        self.changed.push((key, before));
    }

    fn name(&mut self, source: &str) -> Arc<str> {
        if let Some(name) = self.sources.get(source) {
            return name.clone();
        }
        let name: Arc<str> = source.into();
        self.sources.insert(name.clone());
        name
    }

    fn get(&self, key: &Hash) -> Option<&Known> {
        self.waiting.get(key).map(|waiting| &waiting.known)
    }

    /// Moves a slice of what waits into the index; `all` of it at the end.
    pub(super) fn write_some(&mut self, tx: &Tx<'_>, all: bool) -> Result<(), Fault> {
        let over = self.waiting.len().saturating_sub(WAITING);
        let wanted = match over {
            _ if all => self.waiting.len(),
            0..SLICE => return Ok(()),
            _ => over.min(SLICE_MAX),
        };
        let from = if all {
            Bound::Unbounded
        } else {
            Bound::Included(self.cursor)
        };
        let slice: Vec<Hash> = self
            .waiting
            .range((from, Bound::Unbounded))
            .take(wanted)
            .map(|(key, _)| *key)
            .collect();
        for key in &slice {
            if let Some(waiting) = self.waiting.remove(key) {
                tx.index_key(&waiting.source, key, &waiting.known)?;
                self.changed.push((*key, Some(waiting)));
            }
        }
        if slice.len() == wanted && !self.waiting.is_empty() {
            let next = slice.last().copied().unwrap_or(self.cursor);
            self.rounds = Some((self.round_upto, next));
            return Ok(());
        }
        // The end of the round: all that was there when it began is in the index.
        let last = tx.last_submission()?;
        let upto = if self.waiting.is_empty() {
            last
        } else {
            self.round_upto
        };
        tx.set_meta("keys_upto", upto)?;
        self.rounds = Some((last, Hash::default()));
        Ok(())
    }
}

impl Tx<'_> {
    /// What a key points at.
    pub(super) fn known_key(&self, source: &str, key: &Hash) -> Result<Option<Known>, Fault> {
        let keys = self.keys.borrow();
        if let Some(known) = keys.get(key) {
            return Ok(Some(known.clone()));
        }
        if !keys.index.may_hold(key) {
            return Ok(None);
        }
        let sql = "SELECT lead_id, lead_uuid, body_hash, until FROM keys
                   WHERE source = ?1 AND key = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_row(params![source, key], |row| {
            Ok(Known {
                lead: row.get(0)?,
                id: LeadId(uuid::Uuid::from_bytes(row.get(1)?)),
                body_hash: row.get(2)?,
                until: row.get(3)?,
            })
        });
        Ok(found.optional()?)
    }

    fn index_key(&self, source: &str, key: &Hash, known: &Known) -> Result<(), Fault> {
        let sql = "INSERT INTO keys (source, key, lead_id, lead_uuid, body_hash, until)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (source, key) DO UPDATE SET lead_id = excluded.lead_id,
                       lead_uuid = excluded.lead_uuid, body_hash = excluded.body_hash,
                       until = excluded.until";
        self.conn.prepare_cached(sql)?.execute(params![
            source,
            key,
            known.lead,
            known.id.0.into_bytes(),
            known.body_hash,
            known.until,
        ])?;
        Ok(())
    }
}

/// The keys in the index behind `last`.
fn indexed(
    conn: &Connection,
    last: &mut (String, Vec<u8>),
    parts: &mut Parts,
) -> Result<bool, Fault> {
    let sql = "SELECT key, source FROM keys WHERE (source, key) > (?1, ?2)
               ORDER BY source, key LIMIT ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query(params![last.0, last.1, sieve::PORTION])?;
    parts.add_rows(rows, |row, key| {
        *last = (row.get(1)?, key.to_vec());
        Ok(())
    })
}

/// The keys of a submission as they stand in its row.
pub(super) fn pack_keys(keys: &[Key]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(keys.len() * ENTRY);
    for key in keys {
        bytes.extend_from_slice(&key.key);
        bytes.extend_from_slice(&key.body_hash);
        bytes.extend_from_slice(&key.until.unwrap_or(0).to_be_bytes());
    }
    bytes
}

fn unpack_key(entry: &[u8]) -> Option<(Hash, Hash, Option<Millis>)> {
    let (key, rest) = entry.split_at_checked(16)?;
    let (body_hash, until) = rest.split_at_checked(16)?;
    let until = Millis::from_be_bytes(until.try_into().ok()?);
    Some((
        key.try_into().ok()?,
        body_hash.try_into().ok()?,
        (until != 0).then_some(until),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{Headers, Submission};
    use crate::ledger::{Ledger, Settings};

    fn submission(n: u16) -> Submission {
        let hash = u128::from(n).to_be_bytes();
        Submission {
            source: format!("form{}", n % 2),
            received_at: 1,
            headers: Headers::default(),
            query: String::new(),
            raw: Vec::new(),
            keys: vec![Key {
                key: hash,
                body_hash: hash,
                until: None,
                lead: LeadId::new(1),
            }],
        }
    }

    fn standing(ledger: &Ledger, n: u16) -> (Standing, bool) {
        let told = ledger.write_blocking(move |tx| {
            let stored = tx.receive(&submission(n))?;
            Ok((stored.leads[0].0, tx.keys.borrow().index.is_read()))
        });
        told.unwrap()
    }

    #[test]
    fn a_repeat_from_before_a_start_is_one_when_the_index_alone_knows_it() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        let before = Ledger::serve(&settings).unwrap();
        (0..100).for_each(|n| assert_eq!(standing(&before, n).0, Standing::New));
        before.close();
        drop(before);
        let after = Ledger::serve(&settings).unwrap();
        let mut fresh = 100..u16::MAX;
        // Each new one is also a look at whether the index is read.
        let is_read = fresh.any(|n| {
            let (standing, is_read) = standing(&after, n);
            assert_eq!(standing, Standing::New);
            is_read
        });
        assert!(is_read);
        (0..100).for_each(|n| assert_eq!(standing(&after, n).0, Standing::Repeat));
        after.close();
    }
}
