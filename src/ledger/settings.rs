//! Where the truth is kept and how it is written.

use std::path::PathBuf;

/// Section `[storage]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of ledger, secret key and outbox.
    pub data_dir: PathBuf,
    /// The most that one commit takes together.
    pub batch: usize,
    /// The most that may wait for a commit; beyond it intake answers 503.
    pub backlog: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: "leadgate-data".into(),
            batch: 512,
            backlog: 4_096,
        }
    }
}
