//! Everything that is still to be done: one row of `work` a thing. Tickets only point at rows.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Get a lead's content from its platform.
    Fetch,
    /// Screen a lead again.
    Decide,
    /// Find a rep.
    Assign,
    /// Tell the rep by e-mail.
    Mail,
    /// Tell the rep's system.
    Hook,
    /// The rep has not been told, or has not answered, in time.
    Expire,
    /// A held lead has been held too long.
    Alarm,
}

impl WorkKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Fetch,
        Self::Decide,
        Self::Assign,
        Self::Mail,
        Self::Hook,
        Self::Expire,
        Self::Alarm,
    ];

    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Decide => "decide",
            Self::Assign => "assign",
            Self::Mail => "mail",
            Self::Hook => "hook",
            Self::Expire => "expire",
            Self::Alarm => "alarm",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Order of service; hot goes first without starving the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// The best grade.
    Hot,
    /// In between.
    Normal,
    /// Retries and the lowest grade.
    Low,
}

impl Priority {
    /// 0, 1, 2 in the ledger.
    pub fn rank(self) -> i64 {
        match self {
            Self::Hot => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }

    /// The priority of a rank; whatever is above 1 is low.
    pub fn of_rank(rank: i64) -> Self {
        match rank {
            0 => Self::Hot,
            1 => Self::Normal,
            _ => Self::Low,
        }
    }
}

/// One thing to do. A retry is the same row, later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The key.
    pub id: i64,
    /// The lead, inside.
    pub lead: i64,
    /// What is to be done.
    pub kind: WorkKind,
    /// The delivery or assignment that it is about; 0 for none.
    pub about: i64,
    /// Not before.
    pub due_at: Millis,
    /// Order of service.
    pub priority: Priority,
    /// How often it was begun.
    pub attempt: i64,
    /// Grows with every claim; an old ticket claims nothing.
    pub version: i64,
}

/// What the queue carries: ids, never people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The row of `work`.
    pub work: i64,
    /// The lead, inside.
    pub lead: i64,
    /// What is to be done.
    pub kind: WorkKind,
    /// Order of service.
    pub priority: Priority,
    /// The row's version when the ticket was made.
    pub version: i64,
}

impl From<&Work> for Ticket {
    fn from(work: &Work) -> Self {
        Self {
            work: work.id,
            lead: work.lead,
            kind: work.kind,
            priority: work.priority,
            version: work.version,
        }
    }
}
