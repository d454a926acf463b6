//! The queue in Redis Streams: a stream for each kind and priority, read in one group by every
//! process that shares the partition.
//!
//! A process keeps a small window of claimed tickets in memory, from which its lanes take them; one
//! background task exchanges with Redis what was pushed, acknowledged and put back for what is to
//! be claimed, in one script a round trip (`exchange.lua`). A second connection does nothing but
//! wait for what others push (`reader`). So nobody who pushes, claims or acknowledges ever waits
//! for the network.
//!
//! While Redis does not answer, the window in memory is the queue, filled from the ledger by the
//! sweep: a lost Redis costs the time until it is noticed and no more. That is safe because no
//! ticket gives a right to anything: whoever holds one must claim the row of `work` by its version,
//! and of two who try, one finds nothing. For the same reason a ticket may come twice, late, or out
//! of a Redis that was flushed, stopped or restored, without harm.
//!
//! A plain connection and not a `ConnectionManager`: the task must know when it is connected anew,
//! since then settings are checked and what was claimed in a lost answer is asked for again.
//!
//! Must never know what a lead is, nor what the work is.

mod check;
mod engine;
mod hub;
mod keys;
mod link;
mod order;
mod reader;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

use super::settings::RedisSettings;
use crate::lead::{Ticket, WorkKind};
use hub::Hub;
use link::Link;

/// Why there can be no queue in Redis with these settings, whatever Redis says.
#[derive(Debug, thiserror::Error)]
#[error("the queue at {place} cannot be used: {why}")]
pub struct Unusable {
    place: String,
    why: String,
}

/// A queue in Redis, as one process sees it; its tasks end with it.
pub struct Redis {
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    engine: Mutex<Option<JoinHandle<()>>>,
    tasks: [AbortHandle; 2],
}

impl Redis {
    /// Starts the tasks; does not wait for Redis. The window is that of the memory behind it.
    pub(super) fn start(settings: &RedisSettings, window: usize) -> Result<Self, Unusable> {
        let link = Link::new(settings).map_err(|why| Unusable {
            place: settings.place(),
            why,
        })?;
        let link = Arc::new(link);
        let hub = Arc::new(Hub::new(window, settings.place()));
        let (stop, stopped) = watch::channel(false);
        let reader = tokio::spawn(reader::run(hub.clone(), link.clone(), stopped.clone()));
        let reader = reader.abort_handle();
        let engine = tokio::spawn(engine::run(hub.clone(), link, reader.clone(), stopped));
        Ok(Self {
            hub,
            stop,
            tasks: [engine.abort_handle(), reader],
            engine: Mutex::new(Some(engine)),
        })
    }

    pub(super) fn push(&self, tickets: &[Ticket]) {
        self.hub.push(tickets);
    }

    pub(super) async fn claim(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        let tickets = self.hub.memory.claim(kinds, n).await;
        self.hub.claimed(kinds);
        tickets
    }

    pub(super) fn claim_now(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        let tickets = self.hub.memory.claim_now(kinds, n);
        self.hub.claimed(kinds);
        tickets
    }

    pub(super) fn ack(&self, tickets: &[Ticket]) {
        self.hub.ack(tickets);
    }

    pub(super) fn put_back(&self, tickets: &[Ticket], delay: Duration) {
        self.hub.put_back(tickets, delay);
    }

    pub(super) fn depth(&self) -> (usize, usize) {
        self.hub.depth()
    }

    pub(super) fn room(&self, kind: WorkKind) -> usize {
        self.hub.room(kind)
    }

    pub(super) fn oldest_age(&self) -> Option<Duration> {
        self.hub.oldest_age()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.hub.is_up()
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.hub.trouble()
    }

    /// Gives the tickets that were claimed and not begun to the others.
    pub(super) async fn stop(&self) {
        let _ = self.stop.send(true);
        let engine = self.engine.lock();
        let engine = engine.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(engine) = engine {
            let _ = engine.await;
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
