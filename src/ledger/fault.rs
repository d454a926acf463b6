//! What can go wrong with the truth; each variant says what the caller must do.

use crate::lead::Stage;

/// Our own trouble, never a far end's.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// Too much waits for a commit: answer 503 and let the sender come again.
    #[error("too many submissions wait to be written; try again shortly")]
    Overloaded,
    /// The ledger is shutting down: answer 503.
    #[error("the ledger is closed")]
    Stopped,
    /// The store refused; nothing of the step was written.
    #[error("the ledger could not be written or read: {0}")]
    Store(String),
    /// The step is not legal where the lead stands; tell the one who asked.
    #[error("a lead that is {from} cannot become {to}")]
    Illegal {
        /// Where it stands.
        from: Stage,
        /// Where it was to go.
        to: Stage,
    },
    /// There is no such thing; tell the one who asked.
    #[error("there is no {0}")]
    Missing(String),
    /// Somebody else changed it meanwhile; read it again.
    #[error("it was changed meanwhile; look again")]
    Stale,
    /// What was asked for would do harm; tell the one who asked why.
    #[error("{0}")]
    Refused(String),
    /// Another process serves this ledger.
    #[error("{0} is already served by another leadgate; stop that one or use another data_dir")]
    Locked(String),
}

impl Fault {
    /// Whether there is no room left, so that nothing can be written, whatever it is.
    pub fn is_no_room(&self) -> bool {
        self.says("database or disk is full")
    }

    /// Whether it is the store's trouble and not that of what was to be written.
    pub fn is_of_the_store(&self) -> bool {
        let others = ["disk I/O error", "the disk failed", "database is locked"];
        matches!(self, Self::Overloaded | Self::Stopped)
            || self.is_no_room()
            || others.iter().any(|words| self.says(words))
    }

    /// After a failed fsync nobody knows what is on disk: the file must not be trusted until it was
    /// opened anew. A full disk is no such case.
    pub(super) fn is_disk_failure(&self) -> bool {
        self.says("disk I/O error")
    }

    fn says(&self, words: &str) -> bool {
        matches!(self, Self::Store(text) if text.contains(words))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Store(format!("a stored value cannot be read: {error}"))
    }
}
