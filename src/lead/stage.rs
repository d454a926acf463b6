//! How far a lead has come, and the moves that are legal. One match without a wildcard: a new stage
//! does not compile until its moves are decided.

use serde::{Deserialize, Serialize};

/// How a lead's life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Sold.
    Won,
    /// Not sold, with a reason.
    Lost,
    /// Not a lead at all.
    Invalid,
    /// Never reached.
    NoResponse,
    /// A platform's test.
    Test,
    /// The person asked to be forgotten; final.
    Erased,
}

/// Where a lead stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The platform sent an id only; the content is being fetched.
    Fetching,
    /// To be screened.
    Received,
    /// Screened out, with a reason.
    Rejected,
    /// Stopped with a reason and an alarm time, until a person or a mended rule lets it go on.
    Held,
    /// Accepted; to be offered to a rep when due.
    Waiting,
    /// With a rep who has not answered yet.
    Offered,
    /// The rep took it.
    Claimed,
    /// The rep reached the person.
    Contacted,
    /// Done.
    Closed(Outcome),
}

impl Stage {
    /// Every stage, in the order of a lead's life.
    pub const ALL: [Self; 14] = [
        Self::Fetching,
        Self::Received,
        Self::Rejected,
        Self::Held,
        Self::Waiting,
        Self::Offered,
        Self::Claimed,
        Self::Contacted,
        Self::Closed(Outcome::Won),
        Self::Closed(Outcome::Lost),
        Self::Closed(Outcome::Invalid),
        Self::Closed(Outcome::NoResponse),
        Self::Closed(Outcome::Test),
        Self::Closed(Outcome::Erased),
    ];

    /// Whether a lead may go from here to `to`.
    pub fn may_become(self, to: Self) -> bool {
        use Outcome::{Erased, Invalid, Lost, NoResponse, Test, Won};
        use Stage::{
            Claimed, Closed, Contacted, Fetching, Held, Offered, Received, Rejected, Waiting,
        };
        if to == Closed(Erased) {
            return self != Closed(Erased);
        }
        match self {
            Fetching => matches!(to, Received | Held | Closed(_)),
            Received => matches!(to, Rejected | Held | Waiting | Closed(Test)),
            Held => matches!(to, Fetching | Received | Rejected | Waiting | Closed(_)),
            Rejected => matches!(to, Fetching | Received),
            Waiting => matches!(to, Offered | Held | Closed(_)),
            Offered => matches!(to, Claimed | Waiting | Held | Closed(_)),
            Claimed => matches!(to, Contacted | Waiting | Closed(_)),
            Contacted => matches!(to, Waiting | Closed(_)),
            Closed(Won | Lost | Invalid | NoResponse | Test) => matches!(to, Waiting),
            Closed(Erased) => false,
        }
    }

    /// The word in the ledger, the history and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetching => "fetching",
            Self::Received => "received",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Claimed => "claimed",
            Self::Contacted => "contacted",
            Self::Closed(outcome) => outcome.as_str(),
        }
    }

    /// The stage of a word; `None` for a word that is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

impl Outcome {
    /// The word in the ledger, the history and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Invalid => "invalid",
            Self::NoResponse => "no_response",
            Self::Test => "test",
            Self::Erased => "erased",
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_stage_and_nothing_leaves_erased() {
        for stage in Stage::ALL {
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
            assert!(
                !Stage::Closed(Outcome::Erased).may_become(stage),
                "erased to {stage}"
            );
            assert_eq!(
                stage.may_become(Stage::Closed(Outcome::Erased)),
                stage != Stage::Closed(Outcome::Erased)
            );
        }
    }

    #[test]
    fn a_lead_is_never_offered_before_it_was_accepted() {
        for stage in Stage::ALL {
            assert_eq!(
                stage.may_become(Stage::Offered),
                stage == Stage::Waiting,
                "{stage}"
            );
        }
    }
}
