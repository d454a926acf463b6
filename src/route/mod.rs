//! Who gets a lead, and why nobody else: pure. Knows neither channels nor SQL, nor the time of day
//! other than what it is told.
//!
//! A pool's members are looked at one by one; each gets the first condition that rules them out, or
//! none. Among those left the turn goes by credit, so that every weight is honoured to within one
//! turn however the days mix. Only those who could have taken the lead move: absence neither costs
//! nor earns.

mod assign;
mod hours;
mod roster;
mod roster_file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use assign::{assign, members};
pub use hours::{Absence, Hours};
pub use roster::{Member, Pool, Rep, Roster};

use crate::clock::Millis;
use crate::lead::Candidate;
use crate::lead::RepId;

/// What is known of a lead that looks for a rep.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The pool that the rules chose.
    pub pool: &'a str,
    /// Two letters (ISO 3166); unknown rules nobody out.
    pub country: Option<&'a str>,
    /// A language tag; unknown rules nobody out.
    pub language: Option<&'a str>,
    /// Who had the lead before: they are passed over.
    pub previous: &'a [RepId],
    /// The lead's key. Nothing is drawn by lot: ties go by the order of the file.
    pub lead: i64,
}

/// How much one rep carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepLoad {
    /// The day on which `today` was counted: days since 1970-01-01 in the rep's zone.
    pub day: i64,
    /// Leads taken on that day.
    pub today: i64,
    /// Leads held and not closed.
    pub open: i64,
}

/// How much the reps of one pool carry, and whose turn it is.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// By rep; absent is nothing.
    pub reps: BTreeMap<RepId, RepLoad>,
    /// The turn credits of this pool; absent is 0.
    pub credits: BTreeMap<RepId, i64>,
}

/// Who gets the lead, or why nobody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This rep gets it.
    Offer {
        /// Who.
        rep: RepId,
        /// Why this one, for a person.
        why: String,
        /// Everybody who was looked at.
        candidates: Vec<Candidate>,
        /// The turn credits that changed, with their new values.
        credits: Vec<(RepId, i64)>,
        /// The day in the rep's zone that it counts on.
        day: i64,
        /// Until when it must be claimed; the fallback has no deadline, since nobody comes after.
        deadline: Option<Millis>,
    },
    /// Nobody now.
    Wait {
        /// The same words as long as the same thing is waited for.
        why: String,
        /// When somebody will be free; `None` where only a freed place or a person's hand helps.
        until: Option<Millis>,
        /// Everybody who was looked at.
        candidates: Vec<Candidate>,
    },
    /// Time will not bring anybody, and there is no fallback who can be asked.
    NobodyLeft {
        /// Why, for a person.
        why: String,
        /// Everybody who was looked at.
        candidates: Vec<Candidate>,
    },
    /// The roster has no such pool.
    PoolGone,
}
