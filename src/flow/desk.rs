//! What requests of one worker thread wait to be told. What a commit brings is laid there and the thread
//! is rung for once: to wake each request from another thread costs a system call, and mostly two changes
//! of threads, for every lead.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::lead::LeadId;
use crate::ledger::Fault;

/// The leads of a submission, and whether one of them is new.
pub(super) type Told = Result<(Vec<LeadId>, bool), Fault>;

/// One of a worker thread; who waits at it waits on that thread.
pub struct Desk {
    tray: Arc<Tray>,
    clerk: tokio::task::JoinHandle<()>,
}

/// Where it is laid.
#[derive(Default)]
pub(super) struct Tray {
    laid: Mutex<Vec<(oneshot::Sender<Told>, Told)>>,
    bell: Notify,
}

impl Desk {
    /// Of the runtime that this is called on.
    pub fn open() -> Self {
        let tray = Arc::new(Tray::default());
        let there = tray.clone();
        let clerk = tokio::spawn(async move {
            loop {
                there.bell.notified().await;
                let laid = std::mem::take(&mut *there.laid());
                for (tell, told) in laid {
                    // The sender may have gone away; the commit stands all the same.
                    let _ = tell.send(told);
                }
            }
        });
        Self { tray, clerk }
    }

    pub(super) fn tray(&self) -> Arc<Tray> {
        self.tray.clone()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.clerk.abort();
    }
}

impl Tray {
    /// Whether it is the first thing there, so that somebody must ring.
    pub(super) fn lay(&self, tell: oneshot::Sender<Told>, told: Told) -> bool {
        let mut laid = self.laid();
        laid.push((tell, told));
        laid.len() == 1
    }

    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    fn laid(&self) -> MutexGuard<'_, Vec<(oneshot::Sender<Told>, Told)>> {
        self.laid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
