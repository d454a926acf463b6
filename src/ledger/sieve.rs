//! Says of most keys, without looking, that an index does not hold them: almost every lead is new, and
//! to look for its keys costs pages. Knows neither what a key names nor which index it is.

use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use fastbloom::BloomFilter;
use rusqlite::{Connection, params};

use super::{Fault, db};

/// A keyed hash, so that any of its bits are as good as a hash of it.
pub(super) type Hash = [u8; 16];
/// As much of a hash as an index holds, in the index's order: two that share it are told apart by where
/// it leads to.
pub(super) type Short = u64;

/// The first half of a hash.
pub(super) fn short(hash: &Hash) -> Short {
    let (first, _) = hash.split_first_chunk().unwrap_or((&[0; 8], &[]));
    Short::from_be_bytes(*first)
}

/// How many keys are to be read of an index at once, and the pause after it, so that nobody waits long
/// for that.
const PORTION: i64 = 4_096;
const PAUSE: Duration = Duration::from_millis(2);
/// How many keys the first part takes; each further one takes twice as many as the one before.
const FIRST: usize = 1 << 19;
/// Bits a key: of those that are not there about three in a thousand are looked for all the same, for each
/// part.
const BITS: usize = 12;

/// Keys that were added.
#[derive(Default)]
pub(super) struct Parts {
    parts: Vec<BloomFilter>,
    /// How many more the last part takes.
    room: usize,
}

impl Parts {
    pub(super) fn add(&mut self, key: Short) {
        if self.room == 0 {
            self.room = FIRST << self.parts.len();
            let bits = BloomFilter::with_num_bits(self.room * BITS);
            self.parts.push(bits.expected_items(self.room));
        }
        self.room -= 1;
        if let Some(part) = self.parts.last_mut() {
            part.insert_hash(key);
        }
    }

    fn may_hold(&self, key: Short) -> bool {
        self.parts.iter().any(|part| part.contains_hash(key))
    }
}

/// What an index may hold. Its owner adds every key before the index has it; what was there before is
/// read beside that, and until it is read everything may be held.
#[derive(Default)]
pub(super) struct Sieve {
    added: Parts,
    before: Option<Parts>,
    reading: Option<(Receiver<Parts>, Arc<()>)>,
}

impl Sieve {
    /// `portion` reads the next keys of the index and says whether there may be more.
    pub(super) fn of(
        path: &Path,
        portion: impl FnMut(&Connection, &mut Parts) -> Result<bool, Fault> + Send + 'static,
    ) -> Result<Self, Fault> {
        let conn = db::sqlite::reader(path)?;
        let (tell, told) = channel();
        let owner = Arc::new(());
        let owned = Arc::downgrade(&owner);
        let read = move || match read(&conn, portion, &owned) {
            Ok(parts) => drop(tell.send(parts)),
            Err(fault) => {
                tracing::warn!(%fault, "an index was not read: every lead is looked for in it");
            }
        };
        let thread = std::thread::Builder::new().name("sieve".into());
        let started = thread.spawn(read);
        started.map_err(|e| Fault::Store(format!("no thread: {e}")))?;
        Ok(Self {
            reading: Some((told, owner)),
            ..Self::default()
        })
    }

    /// To be told before the index holds it.
    pub(super) fn add(&mut self, key: Short) {
        self.added.add(key);
        self.look();
    }

    /// `false` where the index cannot hold it.
    pub(super) fn may_hold(&self, key: Short) -> bool {
        let before = self.before.as_ref();
        before.is_none_or(|before| before.may_hold(key)) || self.added.may_hold(key)
    }

    /// Whether nothing more is read.
    #[cfg(test)]
    pub(super) fn is_read(&self) -> bool {
        self.reading.is_none()
    }

    /// Takes what was there before, once it is read.
    fn look(&mut self) {
        let Some((reading, _)) = &self.reading else {
            return;
        };
        match reading.try_recv() {
            Ok(before) => (self.before, self.reading) = (Some(before), None),
            Err(TryRecvError::Disconnected) => self.reading = None,
            Err(TryRecvError::Empty) => {}
        }
    }
}

/// Reads portions by a statement that tells the next so many keys behind one.
pub(super) fn portions(
    sql: &'static str,
) -> impl FnMut(&Connection, &mut Parts) -> Result<bool, Fault> + Send {
    let mut last = Vec::new();
    move |conn, parts| {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![last, PORTION])?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            let key: [u8; 8] = row.get(0)?;
            parts.add(Short::from_be_bytes(key));
            last = key.to_vec();
            found += 1;
        }
        Ok(found == PORTION)
    }
}

/// Until the end, or until nobody wants to know.
fn read(
    conn: &Connection,
    mut portion: impl FnMut(&Connection, &mut Parts) -> Result<bool, Fault>,
    owned: &Weak<()>,
) -> Result<Parts, Fault> {
    let mut parts = Parts::default();
    while owned.strong_count() > 0 && portion(conn, &mut parts)? {
        std::thread::park_timeout(PAUSE);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> Short {
        let hash = crate::secret::hmac_sha256(b"sieve", &[&n.to_le_bytes()]);
        short(hash[..16].try_into().unwrap())
    }

    #[test]
    fn what_was_added_may_be_held_and_most_else_not_however_much_it_becomes() {
        let mut parts = Parts::default();
        let added = 2 * u64::try_from(FIRST).unwrap();
        (0..added).for_each(|n| parts.add(key(n)));
        assert_eq!(parts.parts.len(), 2);
        assert!((0..added).all(|n| parts.may_hold(key(n))));
        let wrong = (added..added + 10_000).filter(|n| parts.may_hold(key(*n)));
        assert!(wrong.count() < 150);
    }

    #[test]
    fn until_an_index_is_read_everything_may_be_held_and_then_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        drop(db::sqlite::writer(&path, true).unwrap());
        let (go, gone) = channel();
        let mut left = 3;
        let mut sieve = Sieve::of(&path, move |_, parts| {
            gone.recv().unwrap();
            left -= 1;
            parts.add(key(left));
            Ok(left > 0)
        });
        let sieve = sieve.as_mut().unwrap();
        sieve.add(key(100));
        for _ in 0..3 {
            assert!(sieve.may_hold(key(7)));
            go.send(()).unwrap();
        }
        while !sieve.is_read() {
            std::thread::yield_now();
            sieve.look();
        }
        let held = |n: &u64| sieve.may_hold(key(*n));
        assert_eq!((0..200).filter(held).collect::<Vec<_>>(), [0, 1, 2, 100]);
    }
}
