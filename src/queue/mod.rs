//! Which work is due now: tickets by kind and priority. It only hints: whatever is lost here is
//! pushed again from the ledger. Knows ids, never what a lead is.

mod memory;

use crate::lead::{Ticket, WorkKind};
pub use memory::Memory;

/// The queue, in one of its forms.
#[derive(Clone)]
pub enum Queue {
    /// A bounded window in this process.
    Memory(std::sync::Arc<Memory>),
}

impl Queue {
    /// A bounded window in memory for each kind of work.
    pub fn memory(window: usize) -> Self {
        Self::Memory(std::sync::Arc::new(Memory::new(window)))
    }

    /// Adds tickets; what has no room is dropped, since the ledger holds it.
    pub fn push(&self, tickets: &[Ticket]) {
        match self {
            Self::Memory(memory) => memory.push(tickets),
        }
    }

    /// Up to `n` tickets of these kinds, the hot first without starving the rest; waits until there
    /// is one.
    pub async fn claim(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        match self {
            Self::Memory(memory) => memory.claim(kinds, n).await,
        }
    }

    /// The same without waiting.
    pub fn claim_now(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        match self {
            Self::Memory(memory) => memory.claim_now(kinds, n),
        }
    }

    /// The tickets were dealt with.
    pub fn ack(&self, tickets: &[Ticket]) {
        match self {
            Self::Memory(memory) => memory.ack(tickets),
        }
    }

    /// How many tickets wait, and how many were claimed and are not acknowledged.
    pub fn depth(&self) -> (usize, usize) {
        match self {
            Self::Memory(memory) => memory.depth(),
        }
    }

    /// How many more tickets of a kind have room: no kind takes the place of another.
    pub fn room(&self, kind: WorkKind) -> usize {
        match self {
            Self::Memory(memory) => memory.room(kind),
        }
    }
}
