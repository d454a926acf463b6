//! Who was considered for a lead, who got it, and every attempt to tell them.

use serde::{Deserialize, Serialize};

use super::{LeadId, RepId};
use crate::clock::Millis;

/// A rep who was looked at for a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub rep: RepId,
    /// The first condition that ruled them out; `None` for those who could have taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruled_out: Option<String>,
    /// Leads taken today, in the rep's time zone.
    pub today: i64,
    /// Leads held and not closed.
    pub open: i64,
    /// The turn credit in the pool before this assignment.
    pub credit: i64,
}

/// A lead with a rep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The lead, inside.
    pub lead: i64,
    /// Counts the lead's assignments from 1.
    pub seq: i64,
    /// Who has it.
    pub rep: RepId,
    /// Since when.
    pub offered_at: Millis,
    /// Until when it must be claimed, where the pool says so.
    pub deadline: Option<Millis>,
    /// When it ended; one at most is open a lead.
    pub closed_at: Option<Millis>,
    /// Why it ended. Why it began stands in the event, with everybody who was looked at.
    pub why: Option<String>,
}

/// How far a notice has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not tried yet.
    Pending,
    /// An attempt is under way, or was when the daemon died.
    Sending,
    /// Accepted by the far end.
    Sent,
    /// Failed, to be tried again.
    Retry,
    /// Failed for good; listed, alarmed, can be redriven.
    Dead,
    /// Overtaken: the lead went elsewhere.
    Cancelled,
}

impl DeliveryState {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Retry => "retry",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Sending,
            Self::Sent,
            Self::Retry,
            Self::Dead,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }
}

/// One notice to one place: a chain of attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The key inside; also in the Message-ID, so it stays the same over attempts.
    pub id: i64,
    /// The lead, inside.
    pub lead: i64,
    /// The lead, outside.
    pub lead_id: LeadId,
    /// The assignment that it tells of.
    pub assignment: i64,
    /// The channel's name.
    pub channel: String,
    /// The rep who is told.
    pub rep: RepId,
    /// How far it has come.
    pub state: DeliveryState,
}

/// One try to reach the far end; recorded before the network is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Counts from 1.
    pub n: i64,
    /// When it began.
    pub started_at: Millis,
    /// How long it took; `None` while under way.
    pub took_ms: Option<i64>,
    /// How it ended; `None` while under way, or when the daemon died meanwhile.
    pub result: Option<AttemptResult>,
}

/// What the far end said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum AttemptResult {
    /// The far end took it.
    Delivered,
    /// Worth another try.
    TryAgain {
        /// A code or a few words, without personal data.
        why: String,
    },
    /// Never worth another try.
    GiveUp {
        /// A code or a few words, without personal data.
        why: String,
    },
}
