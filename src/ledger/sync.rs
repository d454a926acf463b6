//! Brings the log to the disk behind a commit and tells who waits that it is there. The commit itself
//! does not wait for the disk, so that this is the only place that does. Knows nothing of what was
//! written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::Fault;
use super::writer::{Health, Step};

/// Called when all who waited for a group are told.
pub(super) type Told = Box<dyn Fn() + Send + Sync>;

/// Steps of one transaction that is committed, or was undone.
pub(super) struct Group {
    /// When it began.
    pub(super) begun: Instant,
    /// In the order in which they were given, each with what became of it.
    pub(super) steps: Vec<(Box<dyn Step>, Result<(), Fault>)>,
}

/// The log beside a ledger's file.
pub(super) struct Log {
    file: File,
    health: Arc<Health>,
    told: Arc<OnceLock<Told>>,
}

impl Log {
    /// Of the ledger at `path`, which is open, so that its log is there.
    pub(super) fn open(
        path: &Path,
        health: Arc<Health>,
        told: Arc<OnceLock<Told>>,
    ) -> Result<Self, Fault> {
        let failed = |e: std::io::Error| Fault::Store(format!("the ledger's log: {e}"));
        let file = File::open(log_of(path)).map_err(failed)?;
        // The log's own name in its folder is on disk before anybody is told that anything is.
        if let Some(folder) = path.parent() {
            File::open(folder)
                .and_then(|f| f.sync_all())
                .map_err(failed)?;
        }
        Ok(Self { file, health, told })
    }

    /// Returns when the group is on disk and all who waited for it are told.
    pub(super) fn bring(&self, group: Group) {
        let n = group.steps.len();
        let synced = match self.file.sync_data() {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::error!(%error, steps = n, "the log could not be brought to the disk");
                // Nobody knows what is on disk until the file was opened anew.
                self.health.fail();
                Err(Fault::Store(format!("the disk failed: {error}")))
            }
        };
        if synced.is_ok() {
            self.health.commits.done(n, group.begun.elapsed());
        }
        for (step, result) in group.steps {
            step.done(synced.clone().and(result));
        }
        if let Some(told) = self.told.get() {
            told();
        }
    }
}

/// Beside the ledger's file, as SQLite names it.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
