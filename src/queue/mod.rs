//! Which work is due now: tickets by kind and priority. It only hints: whatever is lost here is
//! pushed again from the ledger. Knows ids, never what a lead is.

mod memory;
mod redis;
pub mod settings;

use std::sync::Arc;
use std::time::Duration;

use crate::lead::{Ticket, WorkKind};
pub use memory::Memory;
pub use redis::{Redis, Unusable};
pub use settings::Settings;

/// The queue, in one of its forms.
#[derive(Clone)]
pub enum Queue {
    /// A bounded window in this process.
    Memory(Arc<Memory>),
    /// Streams in Redis, which processes may share.
    Redis(Arc<Redis>),
}

impl Queue {
    /// A bounded window in memory for each kind of work.
    pub fn memory(window: usize) -> Self {
        Self::Memory(Arc::new(Memory::new(window)))
    }

    /// The queue of these settings, with a window for each kind of work. Does not wait for Redis;
    /// needs a runtime. A partition that is not set is taken from `key`, which all who share a
    /// ledger share.
    pub fn start(settings: &Settings, window: usize, key: &[u8]) -> Result<Self, Unusable> {
        match settings {
            Settings::Memory => Ok(Self::memory(window)),
            Settings::Redis(redis) => {
                let redis = Redis::start(&redis.with_partition_of(key), window)?;
                Ok(Self::Redis(Arc::new(redis)))
            }
        }
    }

    /// Adds tickets; what has no room is dropped, since the ledger holds it.
    pub fn push(&self, tickets: &[Ticket]) {
        match self {
            Self::Memory(memory) => memory.push(tickets),
            Self::Redis(redis) => redis.push(tickets),
        }
    }

    /// Up to `n` tickets of these kinds, the hot first without starving the rest; waits until there
    /// is one.
    pub async fn claim(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        match self {
            Self::Memory(memory) => memory.claim(kinds, n).await,
            Self::Redis(redis) => redis.claim(kinds, n).await,
        }
    }

    /// The same without waiting.
    pub fn claim_now(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        match self {
            Self::Memory(memory) => memory.claim_now(kinds, n),
            Self::Redis(redis) => redis.claim_now(kinds, n),
        }
    }

    /// The tickets were dealt with.
    pub fn ack(&self, tickets: &[Ticket]) {
        match self {
            Self::Memory(memory) => memory.ack(tickets),
            Self::Redis(redis) => redis.ack(tickets),
        }
    }

    /// The tickets could not be dealt with; they are due again after `delay`.
    pub fn put_back(&self, tickets: &[Ticket], delay: Duration) {
        match self {
            Self::Memory(memory) => memory.put_back(tickets, delay),
            Self::Redis(redis) => redis.put_back(tickets, delay),
        }
    }

    /// How many tickets wait, and how many were claimed and are not acknowledged.
    pub fn depth(&self) -> (usize, usize) {
        match self {
            Self::Memory(memory) => memory.depth(),
            Self::Redis(redis) => redis.depth(),
        }
    }

    /// How many more tickets of a kind have room: no kind takes the place of another.
    pub fn room(&self, kind: WorkKind) -> usize {
        match self {
            Self::Memory(memory) => memory.room(kind),
            Self::Redis(redis) => redis.room(kind),
        }
    }

    /// How long the oldest ticket has been there, as far as is known; `None` if there is none.
    pub fn oldest_age(&self) -> Option<Duration> {
        match self {
            Self::Memory(memory) => memory.oldest_age(),
            Self::Redis(redis) => redis.oldest_age(),
        }
    }

    /// Whether the queue itself serves, and not the memory in its place.
    pub fn is_connected(&self) -> bool {
        match self {
            Self::Memory(_) => true,
            Self::Redis(redis) => redis.is_connected(),
        }
    }

    /// What an operator should mend, in words and without secrets.
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Memory(_) => None,
            Self::Redis(redis) => redis.trouble(),
        }
    }

    /// Hands what was claimed and not begun to other processes; nothing is claimed after it.
    pub async fn stop(&self) {
        match self {
            Self::Memory(_) => {}
            Self::Redis(redis) => redis.stop().await,
        }
    }
}
