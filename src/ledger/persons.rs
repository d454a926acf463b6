//! Who asked before: keys of persons (keyed hashes of e-mail address and phone number) to leads.
//! The table is written rarely and in key order, since an index on a random key in the commit path
//! costs half of the throughput; what is not yet there is in a bounded map, which is rebuilt at
//! start from the leads above the watermark.

mod noted;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;

use noted::Noted;

use super::sieve::{self, Hash, Short, Sieve, short};
use super::{Fault, Ledger, Reads, Tx};
use crate::clock::Millis;
use crate::lead::Seen;

/// A keyed hash of an address or number.
pub type PersonKey = Hash;

/// How many keys wait in memory before they are written: just fewer than would double their map.
const PENDING_MAX: usize = 458_000;
/// How many keys one step of the flush writes, and the pause after it, so that a lead never waits long
/// behind it.
const SLICE: usize = 250;
const PAUSE: Duration = Duration::from_millis(2);
/// The same for all rows: many leads may have one address, as a placeholder or a bot's.
const ROWS_MAX: usize = 2 * PENDING_MAX;
/// More earlier leads than this are not counted; the same number stands in the statement.
const COUNTED_MAX: usize = 20;

/// Person, lead and its arrival.
pub(super) type PersonRow = (Short, i64, Millis);

/// The index of persons: used by the one thread that decides.
#[derive(Default)]
pub struct Persons {
    pending: Noted,
    /// What is being written, in the table's order.
    flushing: Arc<Vec<PersonRow>>,
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
        self.pending.forget(leads);
        if self
            .flushing
            .iter()
            .any(|(_, lead, _)| leads.contains(lead))
        {
            Arc::make_mut(&mut self.flushing).retain(|(_, lead, _)| !leads.contains(lead));
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
            let pending = self.pending.of(key).filter(|(lead, _)| *lead < seq);
            found.extend(pending.take(COUNTED_MAX));
            let upto = self.flushing.partition_point(|row| *row < (key, seq, 0));
            let rows = self.flushing.get(..upto).unwrap_or_default().iter().rev();
            let rows = rows.take_while(|(of, ..)| *of == key).take(COUNTED_MAX);
            found.extend(rows.map(|(_, lead, at)| (*lead, *at)));
        }
        found.sort_unstable();
        found.dedup_by_key(|(lead, _)| *lead);
        let times = found.len().min(COUNTED_MAX);
        Ok(Seen {
            times: i64::try_from(times).unwrap_or_default(),
            last_at: found.last().map(|(_, at)| *at),
        })
    }

    /// Starts to write what is noted when it is much, without waiting for the disk.
    pub fn flush_if_full(&mut self, ledger: &Ledger) -> Result<(), Fault> {
        self.flush_from((PENDING_MAX, ROWS_MAX), ledger)
    }

    fn flush_from(&mut self, full: (usize, usize), ledger: &Ledger) -> Result<(), Fault> {
        if let Some(flushed) = &self.flushed {
            match flushed.try_recv() {
                Ok(result) => {
                    self.flushed = None;
                    let old = std::mem::take(&mut self.flushing);
                    if result.is_err() {
                        // Not written: they stay known, and are tried again with the next ones.
                        for (key, seq, at) in old.iter() {
                            self.pending.add(*key, (*seq, *at));
                        }
                    }
                }
                Err(std::sync::mpsc::TryRecvError::Empty) => return Ok(()),
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return Err(Fault::Stopped),
            }
        }
        if !self.pending.is_full(full.0, full.1) {
            return Ok(());
        }
        let rows = Arc::new(std::mem::take(&mut self.pending).into_rows());
        self.flushing = rows.clone();
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
    pub(super) fn insert_persons(&self, rows: &[PersonRow]) -> Result<(), Fault> {
        let leads = || rows.iter().map(|(_, seq, _)| *seq);
        let range = (leads().min().unwrap_or(0), leads().max().unwrap_or(0));
        let sql = "SELECT EXISTS (SELECT 1 FROM forgotten WHERE lead_id BETWEEN ?1 AND ?2)";
        let mut statement = self.conn.prepare_cached(sql)?;
        let some_erased: bool = statement.query_row(range, |row| row.get(0))?;
        // Who was erased while this was under way is not taken back.
        let sql = if some_erased {
            "INSERT INTO persons (key, seq, at) SELECT ?1, ?2, ?3
             WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE lead_id = ?2)
             ON CONFLICT DO NOTHING"
        } else {
            "INSERT INTO persons (key, seq, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"
        };
        let mut statement = self.conn.prepare_cached(sql)?;
        for (key, seq, at) in rows {
            statement.execute(params![key.to_be_bytes(), seq, at])?;
        }
        Ok(())
    }
}

impl Reads<'_> {
    fn person(&self, key: Short, below: i64, found: &mut Vec<(i64, Millis)>) -> Result<(), Fault> {
        let sql = "SELECT seq, at FROM persons WHERE key = ?1 AND seq < ?2
                   ORDER BY seq DESC LIMIT 20";
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

    fn serve(dir: &std::path::Path) -> Ledger {
        let data_dir = dir.to_owned();
        let defaults = Settings::default();
        Ledger::serve(&Settings {
            data_dir,
            ..defaults
        })
        .unwrap()
    }

    #[test]
    fn who_asked_before_a_start_is_known_when_the_table_alone_knows_it() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = serve(dir.path());
        let rows: Vec<_> = (0..100)
            .map(|n| (short(&[n; 16]), i64::from(n), 7))
            .collect();
        let written = ledger.write_blocking(move |tx| tx.insert_persons(&rows));
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

    #[test]
    fn who_asked_before_is_known_while_it_is_written_and_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = serve(dir.path());
        let mut persons = Persons::rebuild(&ledger, |_, _| Vec::new()).unwrap();
        let key = |n: u64| {
            let hash = crate::secret::hmac_sha256(b"persons", &[&n.to_le_bytes()]);
            <[u8; 16]>::try_from(&hash[..16]).unwrap()
        };
        // Each person asks twice, by leads n and n + 1,000.
        for n in 0..1_000 {
            let seq = i64::try_from(n).unwrap();
            persons.note(seq, seq, &[key(n)]);
            persons.note(seq + 1_000, 7, &[key(n)]);
        }
        let all_seen = |persons: &Persons, forgotten: u64| {
            for n in 0..1_000 {
                let seen = |below| ledger.read(|r| persons.seen(r, below, &[key(n)]));
                let times = if n < forgotten { 1 } else { 2 };
                assert_eq!(seen(2_000).unwrap().times, times, "{n}");
                assert_eq!(seen(1_000).unwrap().times, times - 1, "{n}");
            }
        };
        persons.flush_from((1_000, usize::MAX), &ledger).unwrap();
        assert_eq!(persons.flushing.len(), 2_000);
        persons.forget(&(0..10).collect());
        all_seen(&persons, 10);
        while !persons.flushing.is_empty() {
            persons.flush_from((1_000, usize::MAX), &ledger).unwrap();
            std::thread::yield_now();
        }
        // The table is told by who erases, not here.
        all_seen(&persons, 0);
        let again = Persons::rebuild(&ledger, |_, _| Vec::new()).unwrap();
        all_seen(&again, 0);
        ledger.close();
    }

    #[test]
    fn an_address_that_all_share_is_written_in_time_and_its_latest_leads_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = serve(dir.path());
        let mut persons = Persons::rebuild(&ledger, |_, _| Vec::new()).unwrap();
        let all_share = [[7; 16]];
        let latest = |persons: &Persons| {
            let seen = ledger.read(|r| persons.seen(r, 500, &all_share)).unwrap();
            assert_eq!((seen.times, seen.last_at), (20, Some(499)));
        };
        for seq in 0..1_000 {
            persons.note(seq, seq, &all_share);
            persons.note(seq, seq, &all_share);
        }
        latest(&persons);
        persons.flush_from((2, 1_001), &ledger).unwrap();
        assert_eq!(persons.flushing.len(), 0, "not full: none counts twice");
        persons.flush_from((2, 1_000), &ledger).unwrap();
        assert_eq!(persons.flushing.len(), 1_000);
        latest(&persons);
        while !persons.flushing.is_empty() {
            persons.flush_from((2, 1_000), &ledger).unwrap();
            std::thread::yield_now();
        }
        latest(&persons);
        ledger.close();
    }
}
