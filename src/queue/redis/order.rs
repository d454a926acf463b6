//! What goes to Redis in one exchange, and what comes back.

use std::time::Duration;

use super::keys::stream_of;
use crate::lead::Ticket;

/// The most tickets or entries of a group: Lua's stack has to hold them.
const GROUP_MAX: usize = 500;

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
    /// Stream and entry of what is none of leadgate's, or was deleted before it was read.
    pub(super) strays: Vec<(usize, String)>,
    pub(super) puts: Vec<(Leaving, Duration)>,
    /// In the order in which they are sent, so that an answer can say how many were taken.
    pub(super) pushes: Vec<Ticket>,
    /// Kind, and how many of hot, normal and low.
    pub(super) wants: Vec<(usize, [usize; 3])>,
}

impl Order {
    /// Brings what goes to one stream together, as `acks` and `pushes` need it.
    pub(super) fn sort(&mut self) {
        self.acks.sort_by_cached_key(place);
        self.strays.sort_unstable();
        self.pushes.sort_by_cached_key(stream_of);
    }

    /// Acknowledgements for one stream, all with an entry or all without.
    pub(super) fn ack_groups(&self) -> Vec<&[Leaving]> {
        let chunks = self.acks.chunk_by(|one, next| place(one) == place(next));
        chunks.flat_map(|chunk| chunk.chunks(GROUP_MAX)).collect()
    }

    /// Strays of one stream.
    pub(super) fn stray_groups(&self) -> Vec<&[(usize, String)]> {
        let chunks = self.strays.chunk_by(|(one, _), (next, _)| one == next);
        chunks.flat_map(|chunk| chunk.chunks(GROUP_MAX)).collect()
    }

    /// Pushes for one stream.
    pub(super) fn push_groups(&self) -> Vec<&[Ticket]> {
        let of = stream_of;
        let chunks = self.pushes.chunk_by(|one, next| of(one) == of(next));
        chunks.flat_map(|chunk| chunk.chunks(GROUP_MAX)).collect()
    }
}

fn place(leaving: &Leaving) -> (usize, bool) {
    (leaving.stream(), leaving.entry.is_empty())
}

/// An entry that was read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) stream: usize,
    pub(super) id: String,
    /// `None` for what leadgate has not written.
    pub(super) ticket: Option<Ticket>,
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
