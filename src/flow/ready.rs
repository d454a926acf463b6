//! Verdicts that wait for the second commit. One that comes alone is written at once; while many
//! come they are written together, since the pages and the fsync of a commit cost the same for one
//! verdict as for hundreds. Knows nothing of rules.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Flow;
use super::arrivals::Arrival;
use super::decide::Decider;
use super::verdict::{Outcome, write_outcome};
use crate::lead::Ticket;
use crate::ledger::{Fault, Tx};

/// So many submissions are written without waiting for more.
const ENOUGH: usize = 32;
/// Second commits come no closer together than this, unless there is enough.
const GATHER: Duration = Duration::from_millis(5);
/// Nothing waits.
const FOREVER: Duration = Duration::MAX;

/// Judged submissions in their order, without a gap.
#[derive(Default)]
pub(super) struct Ready {
    outcomes: Vec<Outcome>,
    from: i64,
    to: i64,
    /// Whether somebody waits for one of them.
    is_awaited: bool,
    written: Option<Instant>,
}

impl Ready {
    /// Adds what was judged behind submission `from`, up to and with `to`.
    pub(super) fn add(&mut self, (from, to): (i64, i64), outcomes: Vec<Outcome>) {
        if self.outcomes.is_empty() {
            self.from = from;
        }
        self.to = to;
        self.is_awaited |= outcomes.iter().any(|o| o.arrived.tell.is_some());
        self.outcomes.extend(outcomes);
    }

    /// How long more may be added before it is to be written.
    pub(super) fn wait(&self) -> Duration {
        if self.outcomes.is_empty() {
            return FOREVER;
        }
        if self.is_awaited || self.outcomes.len() >= ENOUGH {
            return Duration::ZERO;
        }
        let since = self.written.map_or(GATHER, |written| written.elapsed());
        GATHER.saturating_sub(since)
    }

    /// The watermark before and behind it, and what is to be written.
    pub(super) fn take(&mut self) -> Option<((i64, i64), Vec<Outcome>)> {
        if self.outcomes.is_empty() {
            return None;
        }
        (self.is_awaited, self.written) = (false, Some(Instant::now()));
        Some(((self.from, self.to), std::mem::take(&mut self.outcomes)))
    }
}

impl Decider {
    /// Gives what is judged to the second commit.
    pub(super) fn write(&mut self, and_wait: bool) {
        let Some(((from, to), outcomes)) = self.ready.take() else {
            return;
        };
        let (flow, now) = (self.flow.clone(), self.flow.clock.now());
        let (failed, store_failed) = (self.failed.clone(), self.store_failed.clone());
        let held_alarm = flow.settings.held_alarm_after_ms;
        let work = move |tx: &Tx<'_>| {
            tx.decided(from, to)?;
            let mut tickets = Vec::new();
            for outcome in &outcomes {
                write_outcome(tx, outcome, now, held_alarm, &mut tickets)?;
            }
            Ok((tickets, outcomes))
        };
        let flow_after = flow.clone();
        let (tell_done, done) = std::sync::mpsc::channel::<()>();
        let after = move |committed: Result<(Vec<Ticket>, Vec<Outcome>), Fault>| {
            match committed {
                Ok((tickets, outcomes)) => {
                    flow_after.queue.push(&tickets);
                    // The thread that made them frees them too: that is cheaper than here, and the
                    // next commit need not wait for it.
                    flow_after.arrivals.gather(Arrival::Written(outcomes));
                }
                Err(fault) => {
                    tracing::error!(%fault, "verdicts could not be written; they are tried again");
                    store_failed.store(fault.is_of_the_store(), Ordering::SeqCst);
                    failed.store(true, Ordering::SeqCst);
                    flow_after.arrivals.gather(Arrival::Again);
                }
            }
            drop(tell_done);
        };
        // What failed once is tried again by itself, so that it takes nobody along.
        if flow.ledger.write_then(work, after, and_wait).is_err() {
            self.failed.store(true, Ordering::SeqCst);
            return;
        }
        if and_wait {
            let _ = done.recv();
        }
    }
}

/// Tells of verdicts that are on disk.
pub(super) fn tell(outcomes: Vec<Outcome>, flow: &Flow) {
    let now = flow.clock.now();
    for outcome in outcomes {
        let after = now - outcome.arrived.undecided.submission.received_at;
        for fresh in &outcome.fresh {
            let is_test = fresh.inquiry.is_test;
            flow.metrics.decided(&fresh.decided.verdict, is_test, after);
        }
        let first = outcome.fresh.into_iter().next();
        if let (Some(tell), Some(fresh)) = (outcome.arrived.tell, first) {
            let _ = tell.send((fresh.decided.verdict, fresh.facts.seen));
        }
    }
}
