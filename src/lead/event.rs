//! The history of a lead: append-only, ids and reasons, never personal data. Each event is also one
//! or two words of the line that people and tests read: `received, accepted, graded B, offered ana`.

use serde::{Deserialize, Serialize};

use super::{AttemptResult, Candidate, Grade, HoldCause, Outcome, PoolId, RepId, Trace};
use crate::clock::Millis;

/// Stands where words were taken away with a person's data.
pub const REMOVED: &str = "(removed)";

/// Who made something happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The daemon, by the rules and the clock.
    Leadgate,
    /// A rep, by the link in the mail.
    Rep(RepId),
    /// A person, by name, at the command line or the console.
    Person(String),
    /// A platform, by the name of its source.
    Source(String),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Leadgate => f.write_str("leadgate"),
            Self::Rep(rep) => write!(f, "rep:{rep}"),
            Self::Person(name) => write!(f, "person:{name}"),
            Self::Source(name) => write!(f, "source:{name}"),
        }
    }
}

impl Actor {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some(("rep", rep)) => Self::Rep(rep.to_owned()),
            Some(("person", name)) => Self::Person(name.to_owned()),
            Some(("source", name)) => Self::Source(name.to_owned()),
            _ => Self::Leadgate,
        }
    }
}

/// What happened to a lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The submission was committed.
    Received,
    /// A try to get the content from its platform ended.
    Fetched {
        /// How long it took.
        took_ms: i64,
        /// How it ended; `Delivered` is that the content is here.
        #[serde(flatten)]
        result: AttemptResult,
    },
    /// The same key came again with other content.
    Conflict {
        /// The later submission.
        submission: i64,
    },
    /// Every screening line was passed.
    Accepted {
        /// The screening lines passed.
        trace: Trace,
    },
    /// A screening line fired.
    Rejected {
        /// Its words, or the person's.
        why: String,
        /// The lines passed.
        trace: Trace,
    },
    /// Stopped.
    Held {
        /// For people.
        why: String,
        /// For the daemon.
        cause: HoldCause,
        /// When somebody is alarmed.
        alarm_at: Millis,
        /// The lines passed.
        trace: Trace,
    },
    /// The rules gave grade and pool.
    Graded {
        /// The grade.
        grade: Grade,
        /// The sum of the fired score lines.
        points: i64,
        /// The pool.
        pool: PoolId,
        /// The grading and routing lines passed.
        trace: Trace,
    },
    /// A test lead went the whole way as a dry run.
    Tested {
        /// What would have happened.
        verdict: String,
        /// Who would have got it.
        rep: Option<RepId>,
        /// Everybody who was looked at.
        candidates: Vec<Candidate>,
    },
    /// Nobody can take it now.
    Waiting {
        /// Why nobody.
        why: String,
        /// When somebody will, where that is known.
        until: Option<Millis>,
        /// Everybody who was looked at.
        candidates: Vec<Candidate>,
    },
    /// A rep got it.
    Offered {
        /// Who.
        rep: RepId,
        /// Counts the lead's assignments from 1.
        assignment: i64,
        /// Why this one.
        why: String,
        /// Everybody who was looked at.
        candidates: Vec<Candidate>,
    },
    /// A try to tell the rep ended.
    Attempted {
        /// Which delivery.
        delivery: i64,
        /// Which try, from 1.
        n: i64,
        /// How it ended.
        #[serde(flatten)]
        result: AttemptResult,
    },
    /// The rep could not be told in time.
    Undelivered {
        /// Who.
        rep: RepId,
    },
    /// The rep did not answer in time.
    Expired {
        /// Who.
        rep: RepId,
    },
    /// The rep gave it back.
    Declined {
        /// Who.
        rep: RepId,
        /// Why.
        why: String,
    },
    /// Taken back from a rep by hand or by a new policy.
    Withdrawn {
        /// Who had it.
        rep: RepId,
        /// Why.
        why: String,
    },
    /// The rep took it.
    Claimed {
        /// Who.
        rep: RepId,
    },
    /// The rep reached the person.
    Contacted {
        /// Who.
        rep: RepId,
    },
    /// Done.
    Closed {
        /// How it ended.
        outcome: Outcome,
        /// Minor units.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<i64>,
        /// ISO 4217.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<String>,
        /// Why, where it was not won.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A person let a held lead go on.
    Released,
    /// To be screened again.
    Rescreened {
        /// Why.
        why: String,
    },
    /// Somebody was alarmed.
    Alarmed {
        /// What about.
        why: String,
    },
}

impl Event {
    /// The word in the ledger: the event's name without what it tells.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Fetched { .. } => "fetched",
            Self::Conflict { .. } => "conflict",
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Held { .. } => "held",
            Self::Graded { .. } => "graded",
            Self::Tested { .. } => "tested",
            Self::Waiting { .. } => "waiting",
            Self::Offered { .. } => "offered",
            Self::Attempted { .. } => "attempted",
            Self::Undelivered { .. } => "undelivered",
            Self::Expired { .. } => "expired",
            Self::Declined { .. } => "declined",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Claimed { .. } => "claimed",
            Self::Contacted { .. } => "contacted",
            Self::Closed { .. } => "closed",
            Self::Released => "released",
            Self::Rescreened { .. } => "rescreened",
            Self::Alarmed { .. } => "alarmed",
        }
    }

    /// Without what a person, or an error, put into words: that may name somebody. What the rules
    /// and the program say stays.
    #[must_use]
    pub fn without_free_words(&self, actor: &Actor) -> Self {
        let mut event = self.clone();
        let removed = || REMOVED.to_owned();
        match &mut event {
            Self::Rejected { why, .. } if *actor != Actor::Leadgate => *why = removed(),
            Self::Held { why, cause, .. } => match cause {
                HoldCause::RuleError | HoldCause::Unreadable | HoldCause::Unfetched => {
                    *why = removed();
                }
                HoldCause::Rule | HoldCause::PoolGone | HoldCause::NobodyLeft => {}
            },
            Self::Tested { verdict, .. } if verdict.starts_with("held ") => *verdict = removed(),
            Self::Declined { why, .. } | Self::Alarmed { why } => *why = removed(),
            Self::Closed { why, .. } => *why = None,
            Self::Received
            | Self::Fetched { .. }
            | Self::Conflict { .. }
            | Self::Accepted { .. }
            | Self::Rejected { .. }
            | Self::Graded { .. }
            | Self::Tested { .. }
            | Self::Waiting { .. }
            | Self::Offered { .. }
            | Self::Attempted { .. }
            | Self::Undelivered { .. }
            | Self::Expired { .. }
            | Self::Withdrawn { .. }
            | Self::Claimed { .. }
            | Self::Contacted { .. }
            | Self::Released
            | Self::Rescreened { .. } => {}
        }
        event
    }

    /// The words of the history line.
    pub fn words(&self) -> String {
        match self {
            Self::Received => "received".into(),
            Self::Fetched { result, .. } => match result {
                AttemptResult::Delivered => "fetched".into(),
                AttemptResult::TryAgain { why } | AttemptResult::GiveUp { why } => {
                    format!("not fetched {why}")
                }
            },
            Self::Conflict { .. } => "conflict".into(),
            Self::Accepted { .. } => "accepted".into(),
            Self::Rejected { why, .. } => format!("rejected {why}"),
            Self::Held { why, .. } => format!("held {why}"),
            Self::Graded { grade, .. } => format!("graded {grade}"),
            Self::Tested { rep, .. } => match rep {
                Some(rep) => format!("tested for {rep}"),
                None => "tested".into(),
            },
            Self::Waiting { why, .. } => format!("waiting {why}"),
            Self::Offered { rep, .. } => format!("offered {rep}"),
            Self::Attempted { result, .. } => match result {
                AttemptResult::Delivered => "attempted delivered".into(),
                AttemptResult::TryAgain { why } | AttemptResult::GiveUp { why } => {
                    format!("attempted {why}")
                }
            },
            Self::Undelivered { rep } => format!("undelivered {rep}"),
            Self::Expired { rep } => format!("expired {rep}"),
            Self::Declined { rep, .. } => format!("declined {rep}"),
            Self::Withdrawn { rep, .. } => format!("withdrawn {rep}"),
            Self::Claimed { rep } => format!("claimed {rep}"),
            Self::Contacted { rep } => format!("contacted {rep}"),
            Self::Closed { outcome, .. } => outcome.as_str().into(),
            Self::Released => "released".into(),
            Self::Rescreened { .. } => "rescreened".into(),
            Self::Alarmed { .. } => "alarmed".into(),
        }
    }
}

/// An event with its place in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Counts the lead's events from 1.
    pub seq: i64,
    /// When.
    pub at: Millis,
    /// By whom.
    pub actor: Actor,
    /// What.
    pub event: Event,
}

/// The line that people and tests read.
pub fn history_line(history: &[Recorded]) -> String {
    history
        .iter()
        .map(|r| r.event.words())
        .collect::<Vec<_>>()
        .join(", ")
}
