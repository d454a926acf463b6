//! What is known of persons and not yet in the table, in little memory. Knows no ledger.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::PersonRow;
use crate::clock::Millis;
use crate::ledger::sieve::Short;

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
pub(super) struct Noted {
    first: Map<(i64, Millis)>,
    more: Map<Vec<(i64, Millis)>>,
    /// How many leads are in all lists.
    listed: usize,
}

impl Noted {
    pub(super) fn add(&mut self, key: Short, lead: (i64, Millis)) {
        match self.first.entry(key) {
            Entry::Vacant(place) => drop(place.insert(lead)),
            Entry::Occupied(first) => {
                let more = self.more.entry(key).or_default();
                // Judged again, after a commit that failed.
                if *first.get() != lead && more.last() != Some(&lead) {
                    more.push(lead);
                    self.listed += 1;
                }
            }
        }
    }

    /// The latest come first.
    pub(super) fn of(&self, key: Short) -> impl Iterator<Item = (i64, Millis)> {
        let more = self.more.get(&key).into_iter().flatten().rev();
        more.chain(self.first.get(&key)).copied()
    }

    /// Whether so many keys or rows are noted.
    pub(super) fn is_full(&self, keys: usize, rows: usize) -> bool {
        self.first.len() >= keys || self.first.len() + self.listed >= rows
    }

    /// In the table's order.
    pub(super) fn into_rows(self) -> Vec<PersonRow> {
        let mut rows = Vec::with_capacity(self.first.len() + self.more.len());
        let more = self.more.into_iter();
        rows.extend(more.flat_map(|(key, leads)| {
            let row = move |(seq, at)| (key, seq, at);
            leads.into_iter().map(row)
        }));
        rows.extend(
            self.first
                .into_iter()
                .map(|(key, (seq, at))| (key, seq, at)),
        );
        rows.sort_unstable();
        rows
    }

    pub(super) fn forget(&mut self, leads: &HashSet<i64>) {
        self.first.retain(|_, (lead, _)| !leads.contains(lead));
        self.more.retain(|_, noted| {
            noted.retain(|(lead, _)| !leads.contains(lead));
            !noted.is_empty()
        });
        self.listed = self.more.values().map(Vec::len).sum();
    }
}
