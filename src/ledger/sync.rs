//! Tells who waits that it is on disk. The writer commits without waiting for the disk, and a thread of
//! its own brings the log there: while one group of steps is on its way, the next is written, and what
//! comes meanwhile gathers behind it. Knows nothing of what was written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender};
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

/// The thread; dropping this waits until everybody was told.
pub(super) struct Syncs {
    groups: Option<SyncSender<Group>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Syncs {
    /// Starts it for the ledger at `path`, which is open, so that its log is there.
    pub(super) fn start(
        path: &Path,
        health: Arc<Health>,
        told: Arc<OnceLock<Told>>,
    ) -> Result<Self, Fault> {
        let failed = |e: std::io::Error| Fault::Store(format!("the ledger's log: {e}"));
        let log = File::open(log_of(path)).map_err(failed)?;
        // The log's own name in its folder is on disk before anybody is told that anything is.
        if let Some(folder) = path.parent() {
            File::open(folder)
                .and_then(|f| f.sync_all())
                .map_err(failed)?;
        }
        // Nothing is kept between: a group is taken over only when the one before is on disk.
        let (groups, taken) = std::sync::mpsc::sync_channel(0);
        let thread = std::thread::Builder::new()
            .name("sync".into())
            .spawn(move || run(&log, &taken, &health, &told))
            .map_err(failed)?;
        Ok(Self {
            groups: Some(groups),
            thread: Some(thread),
        })
    }

    /// Hands a group over, once the one before is on disk; `false` when the thread has died.
    pub(super) fn take(&self, group: Group) -> bool {
        self.groups
            .as_ref()
            .is_some_and(|groups| groups.send(group).is_ok())
    }
}

impl Drop for Syncs {
    fn drop(&mut self) {
        self.groups = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(log: &File, groups: &Receiver<Group>, health: &Health, told: &OnceLock<Told>) {
    while let Ok(group) = groups.recv() {
        let n = group.steps.len();
        let synced = match log.sync_data() {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::error!(%error, steps = n, "the log could not be brought to the disk");
                // Nobody knows what is on disk until the file was opened anew.
                health.fail();
                Err(Fault::Store(format!("the disk failed: {error}")))
            }
        };
        if synced.is_ok() {
            health.commits.done(n, group.begun.elapsed());
        }
        for (step, result) in group.steps {
            step.done(synced.clone().and(result));
        }
        if let Some(told) = told.get() {
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
