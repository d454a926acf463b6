//! Answers and refusals, as values. Knows no HTTP server.

use std::fmt;

use serde_json::{Value, json};

use crate::lead::{HoldCause, Receipt, Verdict};

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Content type included.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What an answer needs to know of its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The origin that may read the answer.
    pub origin: Option<String>,
    /// An allowed page to go to.
    pub redirect: Option<String>,
    /// A program asks, not a browser.
    pub wants_json: bool,
    /// Two letters, lower case.
    pub language: String,
}

/// Why a request is not taken. The words are for people and hold no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody we know: 401.
    Unauthorized(String),
    /// Known and not allowed: 403.
    Forbidden(String),
    /// Cannot be read: 400.
    Malformed(String),
    /// No form that is taken: 415.
    Unsupported(String),
    /// Too many bytes: 413.
    TooLarge(String),
    /// Read, but beyond the bounds: 422.
    Unprocessable(String),
    /// Too often: 429.
    TooMany {
        /// Seconds.
        retry_after_s: u32,
    },
    /// Not now: 503.
    Unavailable {
        /// Seconds.
        retry_after_s: u32,
    },
    /// Another method is wanted: 405.
    NotAllowed,
    /// The body came too slowly: 408.
    Timeout,
}

impl Refusal {
    /// What [`Refusal::reason`] may say.
    pub const REASONS: [&str; 10] = [
        "unauthorized",
        "forbidden",
        "malformed",
        "unsupported",
        "too_large",
        "unprocessable",
        "too_many",
        "unavailable",
        "not_allowed",
        "timeout",
    ];

    /// One word, for counting.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::Malformed(_) => "malformed",
            Self::Unsupported(_) => "unsupported",
            Self::TooLarge(_) => "too_large",
            Self::Unprocessable(_) => "unprocessable",
            Self::TooMany { .. } => "too_many",
            Self::Unavailable { .. } => "unavailable",
            Self::NotAllowed => "not_allowed",
            Self::Timeout => "timeout",
        }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthorized(_) => 401,
            Self::Forbidden(_) => 403,
            Self::Malformed(_) => 400,
            Self::Unsupported(_) => 415,
            Self::TooLarge(_) => 413,
            Self::Unprocessable(_) => 422,
            Self::TooMany { .. } => 429,
            Self::Unavailable { .. } => 503,
            Self::NotAllowed => 405,
            Self::Timeout => 408,
        }
    }

    /// After how many seconds it may be tried again.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooMany { retry_after_s } | Self::Unavailable { retry_after_s } => {
                Some(*retry_after_s)
            }
            Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::Malformed(_)
            | Self::Unsupported(_)
            | Self::TooLarge(_)
            | Self::Unprocessable(_)
            | Self::NotAllowed
            | Self::Timeout => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(why)
            | Self::Forbidden(why)
            | Self::Malformed(why)
            | Self::Unsupported(why)
            | Self::TooLarge(why)
            | Self::Unprocessable(why) => f.write_str(why),
            Self::TooMany { .. } => f.write_str("too many requests; try again later"),
            Self::Unavailable { .. } => f.write_str("not available just now; try again"),
            Self::NotAllowed => f.write_str("this method is not taken here; POST is"),
            Self::Timeout => f.write_str("the body took too long to arrive"),
        }
    }
}

impl Answer {
    /// A JSON body.
    pub fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".into())],
            body: value.to_string().into_bytes(),
        }
    }

    /// `{"error": …}` with what the status asks for.
    pub fn error(refusal: &Refusal) -> Self {
        Self::json(refusal.status(), &json!({ "error": refusal.to_string() })).told(refusal)
    }

    /// Adds the headers that the refusal's status asks for.
    #[must_use]
    pub fn told(mut self, refusal: &Refusal) -> Self {
        if let Some(seconds) = refusal.retry_after_s() {
            self.headers.push(("retry-after", seconds.to_string()));
        }
        if *refusal == Refusal::NotAllowed {
            self.headers.push(("allow", "POST".into()));
        }
        self
    }

    /// `{"receipt": …}`, with the verdict where there is one.
    pub fn receipt(receipt: &Receipt) -> Self {
        match receipt.leads.as_slice() {
            [one] => Self::told_of(receipt, json!({ "receipt": one })),
            _ => Self::receipts(receipt),
        }
    }

    /// `{"receipts": […]}`, also where the batch holds one lead.
    pub fn receipts(receipt: &Receipt) -> Self {
        Self::told_of(receipt, json!({ "receipts": receipt.leads }))
    }

    fn told_of(receipt: &Receipt, mut value: Value) -> Self {
        if let (Some(verdict), Some(object)) = (&receipt.verdict, value.as_object_mut()) {
            object.extend(verdict_json(verdict));
        }
        Self::json(202, &value)
    }
}

fn verdict_json(verdict: &Verdict) -> serde_json::Map<String, Value> {
    let value = match verdict {
        Verdict::Accepted {
            grade,
            points,
            pool,
        } => {
            json!({ "verdict": "accepted", "grade": grade, "points": points, "pool": pool })
        }
        Verdict::Rejected { why } => json!({ "verdict": "rejected", "reason": why }),
        // Where a line of the rules failed is for us and not for the sender.
        Verdict::Held { why, cause } => match cause {
            HoldCause::Rule => json!({ "verdict": "held", "reason": why }),
            HoldCause::RuleError
            | HoldCause::Unreadable
            | HoldCause::PoolGone
            | HoldCause::NobodyLeft
            | HoldCause::Unfetched => json!({ "verdict": "held", "reason": "to be looked at" }),
        },
    };
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            serde_json::Map::new()
        }
    }
}
