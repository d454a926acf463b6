//! What a commit brings, for the thread that decides, in order, and for the desks of those who wait. It is
//! gathered until all of it is told: everybody is woken once for a commit, and not for each lead in it.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::desk::{Told, Tray};
use super::publish::Policy;
use super::receive::read_inquiries;
use super::verdict::Outcome;
use crate::lead::{Inquiry, Seen, Ticket, Verdict};
use crate::ledger::Undecided;
use crate::source::Source;

/// What reaches the thread.
pub(super) enum Arrival {
    /// Just committed.
    Submission(Box<Arrived>),
    /// A lead that is to be screened again.
    Rescreen(Ticket),
    /// Leads whose personal data was taken away.
    Forget(HashSet<i64>),
    /// These are on disk.
    Written(Vec<Outcome>),
    /// Verdicts could not be written: they are on disk undecided.
    Again,
    /// The policy has changed; dropped when nothing that the one before judged waits to be written.
    Settle(Sender<()>),
    /// The daemon stops.
    Stop,
}

/// A committed submission on its way.
pub(super) struct Arrived {
    pub(super) undecided: Undecided,
    /// What intake read of it already, and by which source as it was then.
    pub(super) read: Option<(Arc<Source>, Vec<Inquiry>)>,
    pub(super) tell: Option<oneshot::Sender<(Verdict, Seen)>>,
    pub(super) _permit: Option<OwnedSemaphorePermit>,
}

impl Arrived {
    pub(super) fn inquiries(&mut self, policy: &Policy) -> Result<Vec<Inquiry>, String> {
        let undecided = &self.undecided;
        let source = policy.sources.get(&undecided.submission.source);
        match self.read.take() {
            Some((by, read))
                if read.len() == undecided.leads.len()
                    && source.is_some_and(|source| Arc::ptr_eq(source, &by)) =>
            {
                Ok(read)
            }
            // Nothing was read, or `sources.toml` has changed since.
            Some(_) | None => read_inquiries(policy, undecided),
        }
    }
}

/// The way to the thread and to the desks.
pub(super) struct Arrivals {
    gathered: Mutex<Vec<Arrival>>,
    to_ring: Mutex<Vec<Arc<Tray>>>,
    thread: Sender<Vec<Arrival>>,
}

impl Arrivals {
    /// With what the thread takes from.
    pub(super) fn new() -> (Self, Receiver<Vec<Arrival>>) {
        let (thread, arrived) = channel();
        let arrivals = Self {
            gathered: Mutex::default(),
            to_ring: Mutex::default(),
            thread,
        };
        (arrivals, arrived)
    }

    /// Behind a commit, for somebody who waits.
    pub(super) fn tell(&self, tray: Arc<Tray>, tell: oneshot::Sender<Told>, told: Told) {
        if tray.lay(tell, told) {
            self.to_ring().push(tray);
        }
    }

    /// Behind a commit, in its order.
    pub(super) fn gather(&self, arrival: Arrival) {
        self.gathered().push(arrival);
    }

    /// At once.
    pub(super) fn send(&self, arrival: Arrival) {
        let mut gathered = self.gathered();
        gathered.push(arrival);
        self.pass_on(&mut gathered);
    }

    /// The commit is told.
    pub(super) fn hand_over(&self) {
        for tray in self.to_ring().drain(..) {
            tray.ring();
        }
        self.pass_on(&mut self.gathered());
    }

    fn pass_on(&self, gathered: &mut Vec<Arrival>) {
        if !gathered.is_empty() {
            // The thread is gone only when the daemon stops; what is on disk is decided at the next start.
            let _ = self.thread.send(std::mem::take(gathered));
        }
    }

    fn to_ring(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Tray>>> {
        self.to_ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gathered(&self) -> std::sync::MutexGuard<'_, Vec<Arrival>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
