//! How a rep is told: channels, templates, retry policy. Knows neither queue nor ledger.

mod bodies;
mod channel;
mod endpoints;
mod gate;
mod letter;
pub mod outbox;
mod payload;
mod retry;
pub mod settings;
mod smtp;
mod templates;
mod words;

use std::sync::Arc;

use crate::clock::Millis;
use crate::lead::{Attribution, Fields, LeadId, WorkKind};
use crate::outbound::Outbound;

pub use channel::{ALL, Channel, Post, Sending, Ways};
pub use endpoints::{Endpoint, Endpoints, Outside, TIMEOUT_MAX};
pub use gate::{Gates, Permit, Turn};
pub use retry::retry_after_ms;
pub use settings::Settings;
pub use templates::Templates;

/// What the far end said, or that it said nothing. `why` is a code and a few words, without
/// personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendResult {
    /// It took the notice.
    Delivered,
    /// Worth another try.
    TryAgain {
        /// What happened.
        why: String,
        /// When the far end asked to be tried again.
        after_ms: Option<Millis>,
    },
    /// Never worth another try.
    GiveUp {
        /// What happened.
        why: String,
    },
    /// Never worth another try, and nothing else should be sent there either.
    Gone {
        /// What happened.
        why: String,
    },
}

impl SendResult {
    /// To be tried again, at the time that the policy says.
    pub fn again(why: impl Into<String>) -> Self {
        Self::TryAgain {
            why: why.into(),
            after_ms: None,
        }
    }

    /// Not to be tried again.
    pub fn never(why: impl Into<String>) -> Self {
        Self::GiveUp { why: why.into() }
    }
}

/// What a rep is told of a lead.
#[derive(Clone)]
pub struct Notice {
    /// The delivery's number: the Message-ID is made of it.
    pub delivery: i64,
    /// The lead.
    pub lead_id: LeadId,
    /// The lead's assignment that this tells of.
    pub assignment: i64,
    /// Counts the delivery's attempts from 1.
    pub attempt: i64,
    /// The rep's key.
    pub rep: String,
    /// The rep's name.
    pub rep_name: String,
    /// The rep's address; empty where they are told in other ways only.
    pub rep_email: String,
    /// The rep's system, where they have one.
    pub endpoint: Option<Arc<Endpoint>>,
    /// When the lead came in.
    pub received_at: Millis,
    /// When the rep got it.
    pub offered_at: Millis,
    /// The rep's time zone.
    pub zone: String,
    /// The present.
    pub now: Millis,
    /// Where it came from.
    pub source: String,
    /// The rules' grade.
    pub grade: String,
    /// The rules' points.
    pub points: i64,
    /// The pool that took it.
    pub pool: String,
    /// Who asks for what.
    pub fields: Fields,
    /// Campaign and click ids.
    pub attribution: Attribution,
    /// Points and words of the score lines that fired.
    pub why: Vec<(i64, String)>,
    /// Why this pool and this rep.
    pub route: String,
    /// Earlier leads of the same person.
    pub seen_times: i64,
    /// Until when it must be claimed.
    pub deadline: Option<Millis>,
    /// The rep's page, signed.
    pub link: String,
}

/// What an operator is told of trouble, one mail for each of them.
pub struct AlarmMail {
    /// The Message-ID is made of it, and the file's name in an outbox.
    name: String,
    to: String,
    subject: String,
    text: String,
    at: Millis,
}

impl AlarmMail {
    /// A mail with a name of its own, which it keeps over attempts.
    pub fn new(to: &str, (subject, text): (&str, &str), at: Millis) -> Self {
        // Several alarms may be raised in a millisecond, and by several daemons.
        let random = crate::secret::random_bytes::<8>();
        Self {
            name: format!("alarm.{at}.{:016x}", u64::from_be_bytes(random)),
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
            at,
        }
    }
}

/// The kind of work that a notice by this channel is.
pub fn work_of(channel: &str) -> WorkKind {
    let known = ALL.iter().find(|known| known.name() == channel);
    known.map_or(WorkKind::Mail, |channel| channel.work())
}

/// Sends notices by every channel that is set up. Clones share it.
#[derive(Clone)]
pub struct Deliverer {
    ways: Arc<Ways>,
}

impl Deliverer {
    /// Sets the channels up; `domain` stands in Message-IDs.
    pub fn new(settings: &Settings, domain: &str, outbound: Outbound) -> anyhow::Result<Self> {
        let post = channel::Post::new(settings, domain)?;
        Ok(Self {
            ways: Arc::new(Ways { post, outbound }),
        })
    }

    /// One attempt.
    pub async fn send(&self, channel: &str, notice: &Notice, templates: &Templates) -> SendResult {
        let Some(channel) = ALL.iter().find(|known| known.name() == channel) else {
            return SendResult::never(format!("no channel `{channel}`"));
        };
        channel.send(&self.ways, notice, templates).await
    }

    /// Takes notices of forgotten leads out of the outbox, where there is one.
    pub async fn forget(&self, notices: Vec<(i64, LeadId)>) -> std::io::Result<()> {
        self.ways.post.forget(notices).await
    }

    /// One attempt to tell an operator of trouble.
    pub async fn alarm(&self, alarm: &AlarmMail) -> SendResult {
        self.ways.post.alarm(alarm).await
    }
}
