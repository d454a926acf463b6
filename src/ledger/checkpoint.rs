//! Moves what is in the log into the file, on a thread of its own: inside a commit it would hold up
//! everybody for the time of some thousand page writes. The log starts anew only when nothing is
//! left in it, which under load only the writer can reach: it moves the last few pages itself. Only
//! with those would SQLite sync the file, all that was moved before included: so that the writer does
//! not wait for it, it is synced here first.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender};
use std::time::Duration;

use rusqlite::Connection;

use super::Fault;
use super::db::sqlite::{self, CHECKPOINT_PAGES};

/// How often the length of the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// So few pages the writer may move between two commits.
const REST_PAGES: i64 = 150;
/// Rounds after which the writer moves what is left, however much it is: the log must not grow for
/// ever.
const ROUNDS_MAX: usize = 8;

/// Asks the writer to move what is left.
#[derive(Clone, Default)]
pub(super) struct Rest(Arc<AtomicBool>);

impl Rest {
    /// Between two commits, on the writer's connection.
    pub(super) fn finish(&self, conn: &Connection) {
        if self.0.swap(false, Ordering::Relaxed) {
            let _ = run(conn, "PASSIVE");
        }
    }
}

/// The thread; it ends when this is dropped.
pub(super) struct Checkpoints {
    rest: Rest,
    stop: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Checkpoints {
    pub(super) fn rest(&self) -> Rest {
        self.rest.clone()
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts the thread beside the writer of the ledger at `path`.
pub(super) fn start(path: &Path) -> Result<Checkpoints, Fault> {
    let conn = sqlite::writer(path, false)?;
    let file = File::open(path).map_err(|e| Fault::Store(format!("the ledger's file: {e}")))?;
    // Never closed: that would take every lock of this process off the file, SQLite's own included.
    let file = ManuallyDrop::new(file);
    let (stop, stopped) = std::sync::mpsc::channel();
    let rest = Rest::default();
    let rest_there = rest.clone();
    let thread = std::thread::Builder::new()
        .name("checkpoint".into())
        .spawn(move || {
            let mut well = true;
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                let shortened = shorten((&conn, &file), &rest_there);
                if let (true, Err(error)) = (well, &shortened) {
                    tracing::warn!(%error, "the log could not be moved into the ledger's file");
                }
                well = shortened.is_ok();
            }
        })
        .map_err(|e| Fault::Store(format!("no thread: {e}")))?;
    Ok(Checkpoints {
        rest,
        stop: Some(stop),
        thread: Some(thread),
    })
}

fn shorten((conn, file): (&Connection, &File), rest: &Rest) -> Result<(), Fault> {
    let (mut pages, mut moved) = run(conn, "NOOP")?;
    if pages < CHECKPOINT_PAGES {
        return Ok(());
    }
    for _ in 0..ROUNDS_MAX {
        if pages - moved <= REST_PAGES {
            break;
        }
        (_, moved) = run(conn, "PASSIVE")?;
        let synced = file.sync_data();
        synced.map_err(|e| Fault::Store(format!("the ledger's file: {e}")))?;
        // While that went on, more came.
        (pages, _) = run(conn, "NOOP")?;
    }
    rest.0.store(true, Ordering::Relaxed);
    Ok(())
}

/// Pages in the log, and how many of them are in the file.
fn run(conn: &Connection, how: &str) -> rusqlite::Result<(i64, i64)> {
    let sql = format!("PRAGMA wal_checkpoint({how})");
    conn.query_row(&sql, [], |row| Ok((row.get(1)?, row.get(2)?)))
}
