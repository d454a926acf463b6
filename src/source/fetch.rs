//! Platforms that send an id only: what is to be asked of them and what their answers mean, as
//! values. Knows neither the network, nor when it is tried again.

use std::fmt;

use crate::clock::Millis;

/// The most requests that one fetch may take.
pub const ASKS_MAX: usize = 4;

/// A request to a platform. It carries a credential, so `Debug` shows only whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// Upper case.
    pub method: &'static str,
    /// Whole, with its query.
    pub url: String,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// Empty for GET.
    pub body: Vec<u8>,
    /// Names the credential within the source: where it is refused or used up, everything that
    /// needs it waits, and nothing else.
    pub credential: String,
    /// What the credential may lack a right to without being bad, as a page; `None` where it is all
    /// or nothing.
    pub place: Option<String>,
}

/// An answer of a platform.
#[derive(Clone, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As far as it was read.
    pub body: Vec<u8>,
    /// It was longer than is read.
    pub cut: bool,
}

/// What comes next, given the answers so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The submission says it all.
    Whole,
    /// This is to be asked, and the answer added to the others.
    Ask(Ask),
    /// That is the lead, as it is to be stored; `read` makes an inquiry of it.
    Content(Vec<u8>),
    /// It cannot be had now.
    Trouble(Trouble),
}

/// Why a lead's content cannot be had. The words are for people and hold no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This request failed; a later one may not.
    TryAgain {
        /// A code or a few words.
        why: String,
    },
    /// The credential is used up for a while.
    Later {
        /// A code or a few words.
        why: String,
        /// When it may be used again, where the platform tells.
        after_ms: Option<Millis>,
    },
    /// The credential is refused until a person acts.
    Halt {
        /// What is wrong, and what to do.
        why: String,
    },
    /// The credential may not do this in the place that was asked of, until a person acts.
    Barred {
        /// What is wrong, and what to do.
        why: String,
    },
    /// There is no such lead for us.
    Gone {
        /// A code or a few words.
        why: String,
    },
}

impl Answered {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(n, _)| n == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// `Retry-After` in seconds, as milliseconds.
    pub fn retry_after_ms(&self) -> Option<Millis> {
        let seconds: i64 = self.header("retry-after")?.trim().parse().ok()?;
        (seconds >= 0).then(|| seconds.saturating_mul(crate::clock::SECOND))
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({} for {})", self.method, self.credential)
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, bytes) = (self.status, self.body.len());
        write!(f, "Answered({status}, {bytes} bytes)")
    }
}
