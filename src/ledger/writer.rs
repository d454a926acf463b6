//! One thread that writes: it takes everything that waits and does it in one transaction. Who waits
//! is told by sync.rs, after the commit has reached the disk. Meanwhile the next group gathers: to write
//! that already would make groups smaller, and what a commit costs does not depend on how much is in it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;

use super::checkpoint::Rest;
use super::sync::{Group, Log};
use super::{Fault, Tx};
use crate::telemetry::metrics::Commits;

/// A step of a group commit.
pub(super) trait Step: Send {
    /// Whether an error undoes this step alone. A step that fails only when the store does may ride
    /// without that, which is cheaper: its error undoes the whole group.
    fn is_guarded(&self) -> bool;
    /// Writes.
    fn run(&mut self, tx: &Tx<'_>) -> Result<(), Fault>;
    /// Learns, after the commit, whether it is on disk.
    fn done(self: Box<Self>, committed: Result<(), Fault>);
}

/// A closure as a step.
pub(super) struct Task<F, T, D> {
    pub(super) work: Option<F>,
    pub(super) value: Option<T>,
    pub(super) done: D,
    pub(super) guarded: bool,
}

impl<F, T, D> Step for Task<F, T, D>
where
    F: FnOnce(&Tx<'_>) -> Result<T, Fault> + Send,
    T: Send,
    D: FnOnce(Result<T, Fault>) + Send,
{
    fn is_guarded(&self) -> bool {
        self.guarded
    }

    fn run(&mut self, tx: &Tx<'_>) -> Result<(), Fault> {
        let work = self.work.take().ok_or(Fault::Stopped)?;
        self.value = Some(work(tx)?);
        Ok(())
    }

    fn done(self: Box<Self>, committed: Result<(), Fault>) {
        let task = *self;
        let value = committed.and_then(|()| task.value.ok_or(Fault::Stopped));
        (task.done)(value);
    }
}

/// What others may look at while the writer works.
#[derive(Default)]
pub struct Health {
    broken: AtomicBool,
    /// A commit found no room, and none was found since.
    has_no_room: AtomicBool,
    /// How many steps went into each commit, and how long it took.
    pub commits: Commits,
}

impl Health {
    /// Whether the disk failed under a commit; only a restart reads what is really there.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Whether a commit found no room and nobody found some since.
    pub fn has_no_room(&self) -> bool {
        self.has_no_room.load(Ordering::Relaxed)
    }

    /// Something was written again.
    pub(super) fn has_room(&self) {
        self.has_no_room.store(false, Ordering::Relaxed);
    }

    /// The disk has failed.
    pub(super) fn fail(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

/// Runs until every sender is gone.
pub(super) fn run(
    tx: &Tx<'_>,
    jobs: &mut mpsc::Receiver<Box<dyn Step>>,
    (batch, rest): (usize, Option<&Rest>),
    (log, health): (&Log, &Health),
) {
    while let Some(first) = jobs.blocking_recv() {
        let mut group = vec![first];
        while group.len() < batch {
            let Ok(next) = jobs.try_recv() else { break };
            group.push(next);
        }
        log.bring(commit(tx, group, health));
        if let Some(rest) = rest {
            rest.finish(tx.conn);
        }
    }
    // All keys into their index, and what is in the log into the file, so that a copy of the file
    // alone is whole.
    if rest.is_some() && !health.is_broken() {
        if write(tx, &mut [], true).is_err() {
            let _ = tx.conn.execute_batch("ROLLBACK");
        }
        let _ = tx.conn.pragma_update(None, "wal_checkpoint", "TRUNCATE");
    }
}

fn commit(tx: &Tx<'_>, mut steps: Vec<Box<dyn Step>>, health: &Health) -> Group {
    let begun = Instant::now();
    let results = if health.is_broken() {
        Err(Fault::Store("the disk failed; a restart is needed".into()))
    } else {
        write(tx, &mut steps, false)
    };
    let results = match results {
        Ok(results) => {
            tx.keys.borrow_mut().settle();
            results
        }
        Err(fault) => {
            health.commits.failed();
            tracing::error!(%fault, steps = steps.len(), "a commit failed");
            tx.keys.borrow_mut().undo(0);
            let still_open = !tx.conn.is_autocommit();
            if still_open && tx.conn.execute_batch("ROLLBACK").is_err() || fault.is_disk_failure() {
                health.fail();
            }
            vec![Err(fault); steps.len()]
        }
    };
    let no_room = |result: &Result<(), Fault>| matches!(result, Err(fault) if fault.is_no_room());
    if results.iter().any(no_room) {
        health.has_no_room.store(true, Ordering::Relaxed);
    }
    Group {
        begun,
        steps: steps.into_iter().zip(results).collect(),
    }
}

fn write(
    tx: &Tx<'_>,
    group: &mut [Box<dyn Step>],
    is_last: bool,
) -> Result<Vec<Result<(), Fault>>, Fault> {
    let run = |sql: &str| tx.conn.prepare_cached(sql).and_then(|mut s| s.execute([]));
    run("BEGIN IMMEDIATE")?;
    tx.last.set(None);
    let mut results = Vec::with_capacity(group.len());
    for step in group.iter_mut() {
        if !step.is_guarded() {
            step.run(tx)?;
            results.push(Ok(()));
            continue;
        }
        run("SAVEPOINT step")?;
        let mark = tx.keys.borrow().mark();
        let result = step.run(tx);
        if result.is_err() {
            run("ROLLBACK TO step")?;
            tx.last.set(None);
            tx.keys.borrow_mut().undo(mark);
        }
        run("RELEASE step")?;
        results.push(result);
    }
    tx.keys.borrow_mut().write_some(tx, is_last)?;
    run("COMMIT")?;
    Ok(results)
}
