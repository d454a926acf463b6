//! What goes to Redis in one exchange, and what comes back.

use std::time::Duration;

use super::keys::stream_of;
use crate::lead::Ticket;

/// A ticket that leaves the queue, with the entry that it was read from, empty for none.
#[derive(Clone, Debug)]
pub(super) struct Leaving {
    pub(super) ticket: Ticket,
    pub(super) entry: String,
}

/// What one exchange brings to Redis.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Whether what was claimed before is asked for again.
    pub(super) resume: bool,
    pub(super) acks: Vec<Leaving>,
    pub(super) puts: Vec<(Leaving, Duration)>,
    pub(super) pushes: Vec<Ticket>,
    /// Kind, and how many of hot, normal and low.
    pub(super) wants: Vec<(usize, [usize; 3])>,
}

/// A ticket that was read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) stream: usize,
    pub(super) id: String,
    pub(super) body: String,
}

/// What Redis answered to an exchange.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) pushed: usize,
    /// How many of the entries had been claimed before.
    pub(super) resumed: usize,
    pub(super) put: usize,
    /// Why not all was taken; empty if it was.
    pub(super) why: String,
    /// Whether a group was missing: what was there before is gone.
    pub(super) fresh: bool,
    pub(super) known: usize,
    /// When something that was put back comes due.
    pub(super) next_due: Option<Duration>,
    pub(super) lengths: Vec<usize>,
    pub(super) entries: Vec<Entry>,
}

impl Leaving {
    pub(super) fn stream(&self) -> usize {
        stream_of(&self.ticket)
    }
}
