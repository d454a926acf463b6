//! What the rules were told, what they said, and which line said it. A trace holds indexes only;
//! the texts come from the policy version that decided.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Grade, PoolId};
use crate::clock::Millis;

/// What is known from outside the lead when it is screened; recorded with the verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Earlier leads of the same person.
    #[serde(default)]
    pub seen: Seen,
}

/// Earlier leads with the same e-mail address or phone number, test leads aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How many, at most 20 are counted.
    pub times: i64,
    /// When the latest arrived; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Millis>,
}

/// What a phrase does when it fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhraseKind {
    /// Screens the lead out.
    Reject,
    /// Stops it for a person to look at.
    Hold,
    /// Adds points.
    Score,
    /// Gives the grade.
    Grade,
    /// Gives the pool.
    Route,
}

/// One line of the rules, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phrase {
    /// What it does.
    pub kind: PhraseKind,
    /// `screen.rhai`, `grade.rhai` or `route.rhai`.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// The reason, the grade or the pool.
    pub label: String,
    /// The note of a `route` line; empty elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The points of a `score` line.
    #[serde(default)]
    pub points: i64,
}

/// A phrase that was passed, and whether it fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Index into the policy's phrases.
    pub phrase: u16,
    /// Whether its condition held.
    pub fired: bool,
}

/// The phrases passed, in order. Stored as text: `0 1 2+ 5+` (a plus for those that fired).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(pub Vec<Passed>);

impl std::fmt::Display for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, passed) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            let plus = if passed.fired { "+" } else { "" };
            write!(f, "{gap}{}{plus}", passed.phrase)?;
        }
        Ok(())
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Trace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let passed = text.split_ascii_whitespace().map(|word| {
            let fired = word.ends_with('+');
            let phrase = word
                .trim_end_matches('+')
                .parse()
                .map_err(serde::de::Error::custom)?;
            Ok(Passed { phrase, fired })
        });
        passed.collect::<Result<_, _>>().map(Self)
    }
}

/// What the rules say of a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Screened out by a line.
    Rejected {
        /// The line's words.
        why: String,
    },
    /// Stopped by a line, or by an error in one.
    Held {
        /// The line's words, or file, line and message of the error.
        why: String,
        /// Which of the two.
        cause: HoldCause,
    },
    /// To be routed.
    Accepted {
        /// The grade given.
        grade: Grade,
        /// The sum of the fired score lines.
        points: i64,
        /// The pool that takes it.
        pool: PoolId,
    },
}

/// What kind of trouble holds a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldCause {
    /// A `hold` line.
    Rule,
    /// A line that failed while it ran; goes on by itself once the rules are mended.
    RuleError,
    /// The adapter could not read what was committed.
    Unreadable,
    /// Its pool is gone from `reps.toml`.
    PoolGone,
    /// Everybody declined or could not be told, and there is no fallback.
    NobodyLeft,
    /// Its content could not be had from its platform; fetched anew once the policy changes.
    Unfetched,
}

impl HoldCause {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::RuleError => "rule_error",
            Self::Unreadable => "unreadable",
            Self::PoolGone => "pool_gone",
            Self::NobodyLeft => "nobody_left",
            Self::Unfetched => "unfetched",
        }
    }

    /// The cause of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Rule,
            Self::RuleError,
            Self::Unreadable,
            Self::PoolGone,
            Self::NobodyLeft,
            Self::Unfetched,
        ]
        .into_iter()
        .find(|cause| cause.as_str() == word)
    }
}

/// A verdict with the lines that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What is to happen.
    pub verdict: Verdict,
    /// Every phrase passed.
    pub trace: Trace,
}
