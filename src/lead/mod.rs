//! Every noun that is recorded: what came in, who asked, what was decided and why, who got it, and
//! what became of it. Knows no other room; everything else speaks in these words.

pub mod assignment;
pub mod codes;
pub mod email;
pub mod event;
pub mod inquiry;
pub mod phone;
pub mod stage;
pub mod submission;
pub mod verdict;
pub mod work;

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

pub use assignment::{Assignment, Attempt, AttemptResult, Candidate, Delivery, DeliveryState};
pub use email::Email;
pub use event::{Actor, Event, REMOVED, Recorded, history_line};
pub use inquiry::{Attribution, Consent, Fields, Inquiry, Signals};
pub use phone::{Phone, PhoneKind};
pub use stage::{Outcome, Stage};
pub use submission::{Headers, Identity, Key, Receipt, Submission};
pub use verdict::{Decided, Facts, HoldCause, Passed, Phrase, PhraseKind, Seen, Trace, Verdict};
pub use work::{Priority, Ticket, Work, WorkKind};

use crate::clock::Millis;

/// The name of a lead outside: UUID version 7, ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeadId(pub uuid::Uuid);

impl LeadId {
    /// A new name for a lead received at `at`.
    pub fn new(at: Millis) -> Self {
        let millis = u64::try_from(at).unwrap_or_default();
        let random = random();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// The system is asked for many at once: each question is a call into the kernel.
fn random() -> [u8; 10] {
    thread_local! {
        static POOL: RefCell<Vec<[u8; 10]>> = const { RefCell::new(Vec::new()) };
    }
    POOL.with_borrow_mut(|pool| {
        if pool.is_empty() {
            let fresh = crate::secret::random_bytes::<640>();
            pool.extend(fresh.as_chunks().0);
        }
        pool.pop().unwrap_or_else(crate::secret::random_bytes)
    })
}

impl std::fmt::Display for LeadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for LeadId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A letter or word given by `grade` in the rules; `A` is the best by custom.
pub type Grade = String;
/// The key of a rep in `reps.toml`.
pub type RepId = String;
/// The key of a pool in `reps.toml`.
pub type PoolId = String;
/// The hash of a policy: rules, reps and sources' mappings as one version.
pub type PolicyHash = String;

/// One person's inquiry and how far it has come.
#[derive(Clone, Debug)]
pub struct Lead {
    /// The name outside.
    pub id: LeadId,
    /// The key inside, in the order of arrival.
    pub seq: i64,
    /// The submission that it came in.
    pub submission: i64,
    /// The source's name in `sources.toml`.
    pub source: String,
    /// How far it has come.
    pub stage: Stage,
    /// Why it is rejected, held or waiting.
    pub reason: Option<String>,
    /// What kind of trouble holds it; only while held.
    pub hold_cause: Option<HoldCause>,
    /// Grows with every change; late workers carry an old one and change nothing.
    pub version: i64,
    /// When the submission arrived.
    pub received_at: Millis,
    /// Who asks for what.
    pub inquiry: Inquiry,
    /// Given by the rules.
    pub grade: Option<Grade>,
    /// The sum of the fired score lines.
    pub points: i64,
    /// The pool that takes it.
    pub pool: Option<PoolId>,
    /// The rep who holds it now.
    pub owner: Option<RepId>,
    /// The policy that decided it.
    pub policy: Option<PolicyHash>,
}
