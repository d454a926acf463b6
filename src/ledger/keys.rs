//! What makes a repeat a repeat. A key is random, so that writing each into the index at once would
//! dirty a page a lead, which costs more than everything else of the first commit. So a key is
//! committed with its submission, in one row; the index follows in key order, a slice a commit, and
//! what it does not hold yet is in memory. At start that is rebuilt from the submissions above a
//! watermark. Index and memory hold half of a key and where it leads; the rest is read from there.
//! Belongs to the thread that writes.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::Path;

use rusqlite::{OptionalExtension, params};

use super::receive::{LEADS_MAX, Stored, unpack};
use super::sieve::{self, Hash, Short, Sieve, short};
use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Key, LeadId, Submission};

/// So many keys wait: the more, the closer are those of a slice to each other in the index, and the
/// fewer of its pages a slice writes; each takes memory, and time at the start after a crash.
const WAITING: usize = 128_000;
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

/// Half of a key and the lead that it points at. The same key may point at a later lead too, when the
/// earlier one's time is over.
type Pointer = (Short, i64);

/// A change of the transaction under way.
enum Changed {
    Added(Pointer),
    Indexed(Pointer),
}

/// The keys that the index does not hold yet.
#[derive(Default)]
pub(super) struct Keys {
    waiting: BTreeSet<Pointer>,
    /// What the index may hold, and what waits.
    all: Sieve,
    /// What the transaction under way changed, the latest last: undone when it fails.
    changed: Vec<Changed>,
    /// Where the next slice begins.
    cursor: Pointer,
    /// The last submission when the round under way began: when it ends, the index holds all keys up
    /// to there.
    round_upto: i64,
    /// What the watermark becomes with the commit under way.
    rounds: Option<(i64, Pointer)>,
}

impl Keys {
    /// Notes what is committed and not in the index.
    pub(super) fn rebuild(reads: &Reads<'_>, path: &Path) -> Result<Self, Fault> {
        let sql = "SELECT key FROM keys WHERE key > ?1 ORDER BY key LIMIT ?2";
        let mut keys = Self {
            all: Sieve::of(path, sieve::portions(sql))?,
            ..Self::default()
        };
        let mut after = reads.meta("keys_upto")?.unwrap_or(0);
        let sql = "SELECT id, leads, keys FROM submissions WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = reads.conn.prepare_cached(sql)?;
        loop {
            let before = after;
            let mut rows = statement.query(params![after, PORTION])?;
            while let Some(row) = rows.next()? {
                after = row.get(0)?;
                let bytes = |at: usize| row.get_ref(at)?.as_bytes().map_err(rusqlite::Error::from);
                for (known, key) in entries(after, bytes(1)?, bytes(2)?) {
                    let key = short(&key);
                    keys.all.add(key);
                    keys.waiting.insert((key, known.lead));
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
        for changed in self.changed.drain(mark..).rev() {
            match changed {
                Changed::Added(pointer) => self.waiting.remove(&pointer),
                Changed::Indexed(pointer) => self.waiting.insert(pointer),
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
    pub(super) fn add(&mut self, key: &Hash, lead: i64) {
        let pointer = (short(key), lead);
        self.all.add(pointer.0);
        self.waiting.insert(pointer);
        self.changed.push(Changed::Added(pointer));
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
        let slice: Vec<Pointer> = self
            .waiting
            .range((from, Bound::Unbounded))
            .take(wanted)
            .copied()
            .collect();
        for pointer in &slice {
            tx.index_key(*pointer)?;
            self.waiting.remove(pointer);
            self.changed.push(Changed::Indexed(*pointer));
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
        self.rounds = Some((last, Pointer::default()));
        Ok(())
    }
}

impl Tx<'_> {
    /// What a key points at, also among those leads of the submission `under_way` that have their names.
    pub(super) fn known_key(
        &self,
        key: &Hash,
        under_way: Option<(&Submission, &Stored)>,
    ) -> Result<Option<Known>, Fault> {
        let half = short(key);
        let keys = self.keys.borrow();
        if !keys.all.may_hold(half) {
            return Ok(None);
        }
        // What waits came later than what the index holds of the same key.
        let waiting = keys.waiting.range((half, i64::MIN)..=(half, i64::MAX));
        let mut leads: Vec<i64> = waiting.rev().map(|(_, lead)| *lead).collect();
        let sql = "SELECT lead_id FROM keys WHERE key = ?1 ORDER BY lead_id DESC";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([half.to_be_bytes()])?;
        while let Some(row) = rows.next()? {
            leads.push(row.get(0)?);
        }
        for lead in leads {
            let found = match under_way {
                Some((submission, named)) if lead / LEADS_MAX == named.submission => {
                    just_named(lead, submission, named)
                }
                Some(_) | None => self.pointed_at(lead)?,
            };
            if let Some((known, whole)) = found
                && whole == *key
            {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    /// A lead by its key, and the key.
    fn pointed_at(&self, lead: i64) -> Result<Option<(Known, Hash)>, Fault> {
        let sql = "SELECT leads, keys FROM submissions WHERE id = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let submission = lead / LEADS_MAX;
        let found = statement.query_row([submission], read).optional()?;
        let (leads, keys): (Vec<u8>, Vec<u8>) = found.unwrap_or_default();
        Ok(entries(submission, &leads, &keys).find(|(known, _)| known.lead == lead))
    }

    fn index_key(&self, (key, lead): Pointer) -> Result<(), Fault> {
        let sql = "INSERT INTO keys (key, lead_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.run(sql, params![key.to_be_bytes(), lead])?;
        Ok(())
    }
}

/// A lead of the submission that is being named, which is in no row yet.
fn just_named(lead: i64, submission: &Submission, named: &Stored) -> Option<(Known, Hash)> {
    let at = usize::try_from(lead % LEADS_MAX).ok()?;
    let key = submission.keys.get(at)?;
    let (_, _, id) = named.leads.get(at)?;
    let known = Known {
        lead,
        id: *id,
        body_hash: key.body_hash,
        until: key.until,
    };
    Some((known, key.key))
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

/// What the keys of a submission's own leads point at, and the keys.
pub(super) fn entries(
    submission: i64,
    leads: &[u8],
    keys: &[u8],
) -> impl Iterator<Item = (Known, Hash)> {
    let leads = unpack(leads).into_iter().zip(keys.chunks_exact(ENTRY));
    // Others are leads that were there already. Standing does not tell: who is erased is no longer new.
    let own = (submission * LEADS_MAX..)
        .zip(leads)
        .filter(|(seq, ((_, lead, _), _))| lead == seq);
    own.filter_map(|(_, ((_, lead, id), entry))| {
        let (key, body_hash, until) = unpack_key(entry)?;
        let known = Known {
            lead,
            id,
            body_hash,
            until,
        };
        Some((known, key))
    })
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
    use crate::lead::Headers;
    use crate::ledger::{Ledger, Settings, Standing};

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
            Ok((stored.leads[0].0, tx.keys.borrow().all.is_read()))
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
