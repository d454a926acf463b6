//! The reps and pools as they are used. Does not know how they are written down.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::hours::{Absence, Hours};
use super::roster_file;
use crate::clock::{DAY, Millis};
use crate::document::Overrides;
use crate::lead::PoolId;
use crate::lead::RepId;
use crate::problem::Problem;

/// The reps and pools of `reps.toml`.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    reps: Vec<Rep>,
    by_id: BTreeMap<RepId, usize>,
    pools: BTreeMap<PoolId, Pool>,
}

impl Roster {
    /// Reads `reps.toml`; `file` is its name in problems.
    pub fn parse(file: &str, text: &str, overrides: &Overrides) -> Result<Self, Vec<Problem>> {
        roster_file::parse(file, text, overrides)
    }

    pub(super) fn new(reps: Vec<Rep>, pools: Vec<Pool>) -> Self {
        let by_id = reps.iter().enumerate().map(|(at, r)| (r.id.clone(), at));
        Self {
            by_id: by_id.collect(),
            pools: pools.into_iter().map(|p| (p.id.clone(), p)).collect(),
            reps,
        }
    }

    /// The names of all pools.
    pub fn pools(&self) -> BTreeSet<String> {
        self.pools.keys().cloned().collect()
    }

    /// The pool of that name.
    pub fn pool(&self, id: &str) -> Option<&Pool> {
        self.pools.get(id)
    }

    /// The rep of that name.
    pub fn rep(&self, id: &str) -> Option<&Rep> {
        self.by_id.get(id).and_then(|at| self.reps.get(*at))
    }

    /// All reps in the order of the file.
    pub fn reps(&self) -> impl Iterator<Item = &Rep> {
        self.reps.iter()
    }
}

/// Somebody who takes leads.
#[derive(Clone, Debug)]
pub struct Rep {
    /// The key in `reps.toml`.
    pub id: RepId,
    /// As colleagues say it.
    pub name: String,
    /// Where mails go; checked, lower case.
    pub email: Option<String>,
    /// The endpoint that is told, by its key in `endpoints.toml`.
    pub webhook: Option<String>,
    /// Hours, days and absences are in this zone.
    pub zone: TimeZone,
    /// The zone's name in the IANA database.
    pub zone_name: String,
    /// When they work.
    pub hours: Hours,
    /// Days away, in order and apart from each other.
    pub absences: Vec<Absence>,
    /// Two-letter codes, lower case.
    pub languages: Vec<String>,
    /// The territory: two-letter codes, upper case; empty for everywhere.
    pub countries: Vec<String>,
    /// What a pool may ask for.
    pub skills: Vec<String>,
    /// The most leads a day.
    pub per_day: Option<i64>,
    /// The most leads held and not closed.
    pub open_max: Option<i64>,
    /// Takes nothing for the present.
    pub paused: bool,
}

impl Rep {
    /// Days since 1970-01-01 in the rep's zone.
    pub fn day(&self, now: Millis) -> i64 {
        let now_utc = Timestamp::from_millisecond(now).unwrap_or_default();
        let offset_s = self.zone.to_offset(now_utc).seconds();
        (now + i64::from(offset_s) * 1_000).div_euclid(DAY)
    }

    /// When they work next: `now` itself if they are at work. Minds absences, not `paused`.
    pub fn at_work_from(&self, now: Millis) -> Option<Millis> {
        self.hours.next(&self.zone, &self.absences, now)
    }
}

/// A group of reps who take each other's turns.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The key in `reps.toml`; what `route` lines name.
    pub id: PoolId,
    /// In the order of the file.
    pub members: Vec<Member>,
    /// How long a rep has to claim an offer; `None` for ever.
    pub claim_within_ms: Option<Millis>,
    /// Who gets what nobody else takes.
    pub fallback: Option<RepId>,
    /// Only who speaks the lead's language gets it.
    pub match_language: bool,
    /// Only who has all of these gets a lead.
    pub skills: Vec<String>,
}

/// A rep in a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub rep: RepId,
    /// How many turns, set against the others'.
    pub weight: i64,
}
