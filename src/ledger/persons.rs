//! Who asked before: keys of persons (keyed hashes of e-mail address and phone number) to leads.
//! The table is written rarely and in key order, since an index on a random key in the commit path
//! costs half of the throughput; what is not yet there is in a bounded map, which is rebuilt at
//! start from the leads above the watermark.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use rusqlite::params;

use super::sieve::{self, Hash, Short, Sieve, short};
use super::{Fault, Ledger, Reads, Tx};
use crate::clock::Millis;
use crate::lead::Seen;

/// A keyed hash of an address or number.
pub type PersonKey = Hash;

/// How many keys wait in memory before they are written.
const PENDING_MAX: usize = 400_000;
/// How many keys one step of the flush writes, and the pause after it, so that a lead never waits long
/// behind it.
const SLICE: usize = 250;
const PAUSE: Duration = Duration::from_millis(2);
/// More earlier leads than this are not counted; the same number stands in the statement.
const COUNTED_MAX: i64 = 20;

/// The keys are hashes already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 ^= key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Map<T> = HashMap<Short, T, BuildHasherDefault<AsIs>>;

/// Leads by person. Most persons have one, and a list for each would take most of the memory.
#[derive(Default)]
struct Noted {
    first: Map<(i64, Millis)>,
    more: Map<Vec<(i64, Millis)>>,
}

impl Noted {
    fn add(&mut self, key: Short, lead: (i64, Millis)) {
        match self.first.entry(key) {
            Entry::Vacant(place) => drop(place.insert(lead)),
            Entry::Occupied(_) => self.more.entry(key).or_default().push(lead),
        }
    }

    fn of(&self, key: Short) -> impl Iterator<Item = (i64, Millis)> {
        let more = self.more.get(&key).into_iter().flatten();
        self.first.get(&key).into_iter().chain(more).copied()
    }

    fn all(&self) -> impl Iterator<Item = (Short, (i64, Millis))> {
        let first = self.first.iter().map(|(key, lead)| (*key, *lead));
        let more = self.more.iter();
        first.chain(more.flat_map(|(key, leads)| leads.iter().map(|lead| (*key, *lead))))
    }

    fn forget(&mut self, leads: &HashSet<i64>) {
        self.first.retain(|_, (lead, _)| !leads.contains(lead));
        self.more.retain(|_, noted| {
            noted.retain(|(lead, _)| !leads.contains(lead));
            !noted.is_empty()
        });
    }
}

/// The index of persons: used by the one thread that decides.
#[derive(Default)]
pub struct Persons {
    pending: Noted,
    flushing: Noted,
    /// The last lead noted.
    upto: i64,
    /// What the table may hold.
    table: Sieve,
    flushed: Option<std::sync::mpsc::Receiver<Result<(), Fault>>>,
}

impl Persons {
    /// Notes the leads above the watermark again; `keys_of` names the persons of an address and a
    /// number. A start waits for this, so no more is read of a lead than that.
    pub fn rebuild(
        ledger: &Ledger,
        keys_of: impl Fn(Option<&str>, Option<&str>) -> Vec<PersonKey>,
    ) -> Result<Self, Fault> {
        let mut after = ledger.read(|r| Ok(r.meta("persons_upto")?.unwrap_or(0)))?;
        let sql = "SELECT DISTINCT key FROM persons WHERE key > ?1 ORDER BY key LIMIT ?2";
        let mut persons = Self {
            table: Sieve::of(&ledger.inner.path, sieve::portions(sql))?,
            upto: after,
            ..Self::default()
        };
        loop {
            let last = ledger.read(|r| {
                r.contacts_after(after, 1_000, |seq, at, email, phone| {
                    persons.note(seq, at, &keys_of(email, phone));
                })
            })?;
            let Some(last) = last else { break };
            after = last;
            persons.upto = after;
            persons.flush_if_full(ledger)?;
        }
        Ok(persons)
    }

    /// Notes a lead that later ones are to be held against.
    pub fn note(&mut self, seq: i64, at: Millis, keys: &[PersonKey]) {
        self.upto = self.upto.max(seq);
        for key in keys.iter().map(short) {
            self.table.add(key);
            self.pending.add(key, (seq, at));
        }
    }

    /// Forgets leads whose personal data was taken away.
    pub fn forget(&mut self, leads: &HashSet<i64>) {
        for map in [&mut self.pending, &mut self.flushing] {
            map.forget(leads);
        }
    }

    /// What is known of these persons from leads below `seq`.
    pub fn seen(&self, reads: &Reads<'_>, seq: i64, keys: &[PersonKey]) -> Result<Seen, Fault> {
        let mut found: Vec<(i64, Millis)> = Vec::new();
        for key in keys.iter().map(short) {
            if !self.table.may_hold(key) {
                continue;
            }
            reads.person(key, seq, &mut found)?;
            for map in [&self.pending, &self.flushing] {
                found.extend(map.of(key).filter(|(lead, _)| *lead < seq));
            }
        }
        found.sort_unstable();
        found.dedup_by_key(|(lead, _)| *lead);
        Ok(Seen {
            times: i64::try_from(found.len())
                .unwrap_or(COUNTED_MAX)
                .min(COUNTED_MAX),
            last_at: found.last().map(|(_, at)| *at),
        })
    }

    /// Starts to write what is noted when it is much, without waiting for the disk.
    pub fn flush_if_full(&mut self, ledger: &Ledger) -> Result<(), Fault> {
        if let Some(flushed) = &self.flushed {
            match flushed.try_recv() {
                Ok(result) => {
                    self.flushed = None;
                    let old = std::mem::take(&mut self.flushing);
                    if result.is_err() {
                        // Not written: they stay known, and are tried again with the next ones.
                        for (key, lead) in old.all() {
                            self.pending.add(key, lead);
                        }
                    }
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => return Ok(()),
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return Err(Fault::Stopped),
            }
        }
        if self.pending.first.len() < PENDING_MAX {
            return Ok(());
        }
        self.flushing = std::mem::take(&mut self.pending);
        let rows = self.flushing.all().map(|(key, (seq, _))| (key, seq));
        let mut rows: Vec<(Short, i64)> = rows.collect();
        rows.sort_unstable();
        let (tell, told) = std::sync::mpsc::channel();
        self.flushed = Some(told);
        let (ledger, upto) = (ledger.clone(), self.upto);
        std::thread::spawn(move || {
            let written = rows.chunks(SLICE).try_for_each(|slice| {
                let slice = slice.to_vec();
                ledger.write_unguarded(move |tx| tx.insert_persons(&slice))?;
                std::thread::park_timeout(PAUSE);
                Ok(())
            });
            let result = written
                .and_then(|()| ledger.write_blocking(move |tx| tx.set_meta("persons_upto", upto)));
            let _ = tell.send(result);
        });
        Ok(())
    }
}

impl Tx<'_> {
    pub(super) fn insert_persons(&self, rows: &[(Short, i64)]) -> Result<(), Fault> {
        // Who was erased while this was under way is not taken back.
        let sql = "INSERT INTO persons (key, seq) SELECT ?1, ?2
                   WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE lead_id = ?2)
                   ON CONFLICT DO NOTHING";
        let mut statement = self.conn.prepare_cached(sql)?;
        for (key, seq) in rows {
            statement.execute(params![key.to_be_bytes(), seq])?;
        }
        Ok(())
    }
}

impl Reads<'_> {
    fn person(&self, key: Short, below: i64, found: &mut Vec<(i64, Millis)>) -> Result<(), Fault> {
        let sql = "SELECT p.seq, l.received_at FROM persons p JOIN leads l ON l.seq = p.seq
                   WHERE p.key = ?1 AND p.seq < ?2 ORDER BY p.seq DESC LIMIT 20";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![key.to_be_bytes(), below])?;
        while let Some(row) = rows.next()? {
            found.push((row.get(0)?, row.get(1)?));
        }
        Ok(())
    }

    /// Tells key, arrival, address and number of the leads behind `after`, those aside that are tests;
    /// returns the last one looked at.
    fn contacts_after(
        &self,
        after: i64,
        limit: i64,
        mut tell: impl FnMut(i64, Millis, Option<&str>, Option<&str>),
    ) -> Result<Option<i64>, Fault> {
        let sql = "SELECT seq, received_at, is_test, fields FROM leads WHERE seq > ?1
                   ORDER BY seq LIMIT ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![after, limit])?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            last = Some(seq);
            let is_test: bool = row.get(2)?;
            if is_test {
                continue;
            }
            let fields = row.get_ref(3)?.as_bytes().map_err(rusqlite::Error::from)?;
            let Contacts { email, phone } = serde_json::from_slice(fields)?;
            let email = email.as_ref().and_then(|e| e.address.as_deref());
            let phone = phone.as_ref().and_then(|p| p.e164.as_deref());
            tell(seq, row.get(1)?, email, phone);
        }
        Ok(last)
    }
}

/// As much of [`crate::lead::Fields`] as names a person.
#[derive(serde::Deserialize)]
struct Contacts<'a> {
    #[serde(borrow, default)]
    email: Option<Address<'a>>,
    #[serde(borrow, default)]
    phone: Option<Number<'a>>,
}

#[derive(serde::Deserialize)]
struct Address<'a> {
    #[serde(borrow, default)]
    address: Option<Cow<'a, str>>,
}

#[derive(serde::Deserialize)]
struct Number<'a> {
    #[serde(borrow, default)]
    e164: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Settings;

    #[test]
    fn who_asked_before_a_start_is_known_when_the_table_alone_knows_it() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        let ledger = Ledger::serve(&settings).unwrap();
        let written = ledger.write_blocking(|tx| {
            tx.conn.execute_batch(
                "INSERT INTO leads (seq, id, submission_id, source, stage, version, is_test, received_at,
                     fields, attribution, consent, signals, points)
                 WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 99)
                 SELECT n, n, 0, 'form', 'waiting', 1, 0, 7, '{}', '{}', '[]', '{}', 0 FROM n",
            )?;
            let rows: Vec<_> = (0..100).map(|n| (short(&[n; 16]), i64::from(n))).collect();
            tx.insert_persons(&rows)
        });
        written.unwrap();
        let mut persons = Persons::rebuild(&ledger, |_, _| Vec::new()).unwrap();
        while !persons.table.is_read() {
            persons.note(1_000, 9, &[[200; 16]]);
            std::thread::yield_now();
        }
        for n in 0..100 {
            let seen = ledger.read(|r| persons.seen(r, 1_001, &[[n; 16]]));
            let wanted = Seen {
                times: 1,
                last_at: Some(7),
            };
            assert_eq!(seen.unwrap(), wanted, "{n}");
        }
        ledger.close();
    }
}
