//! A submission as it came in, and what names the leads in it. The raw bytes stay as received, but
//! for the secret spans that the adapter blanked.

use serde::{Deserialize, Serialize};

use super::{LeadId, Seen, Verdict};
use crate::clock::Millis;

/// HTTP headers with lower-case names, in the order received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The value of a header that must stand alone; `None` if it is absent or given twice, since
    /// two readers of a doubled header may disagree.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(n, _)| n == name);
        let first = values.next()?;
        values.next().is_none().then_some(first.1.as_str())
    }
}

/// What makes a lead the same lead when it is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The platform's id; without one the content names the lead, for ten minutes.
    pub platform_id: Option<String>,
    /// The lead's part of the body, in a form that does not depend on the order of keys.
    pub content: Vec<u8>,
}

/// A key of a lead as stored: keyed hashes, so that they outlive the erasure of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Hash of source and identity.
    pub key: [u8; 16],
    /// Hash of the content; another one under the same key is a conflict.
    pub body_hash: [u8; 16],
    /// Until when a repeat is the same lead; `None` for ever.
    pub until: Option<Millis>,
    /// The name that the lead gets if the key is new.
    pub lead: LeadId,
}

/// What is committed before the answer.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The source's name.
    pub source: String,
    /// When the last byte was read.
    pub received_at: Millis,
    /// By allow-list.
    pub headers: Headers,
    /// The query string of the request.
    pub query: String,
    /// The body, secret spans blanked.
    pub raw: Vec<u8>,
    /// One a lead.
    pub keys: Vec<Key>,
}

/// What the sender is told; the same for a repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The leads of the submission, in its order.
    pub leads: Vec<LeadId>,
    /// The verdict on the first lead, where the source asks for it and it came in time.
    pub verdict: Option<Verdict>,
    /// What was known of the person, when a verdict is given.
    pub seen: Option<Seen>,
}
