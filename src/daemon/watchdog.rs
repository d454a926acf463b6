//! Tells the service manager that the daemon is alive, where it asked to be told: alive means that the
//! threads are there and that the ledger commits, and not only that this task runs. Who falls silent
//! is restarted.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::flow::Flow;
use crate::telemetry::systemd;

/// Feeds the watchdog for as long as there is reason to.
pub(super) async fn feed(flow: Arc<Flow>) {
    let Some(silence) = systemd::watchdog() else {
        return;
    };
    let every = silence / 3;
    loop {
        if is_well(&flow, every).await {
            systemd::alive();
        } else {
            tracing::error!("the ledger does not commit; a watching service manager restarts it");
        }
        Clock::pause(every).await;
    }
}

/// Whether leads can be kept: an empty step goes through the writer and its commit in time.
async fn is_well(flow: &Flow, patience: Duration) -> bool {
    if !flow.is_alive() || flow.ledger.health().is_broken() {
        return false;
    }
    let step = flow.ledger.write(|_| Ok(()));
    tokio::time::timeout(patience, step)
        .await
        .is_ok_and(|written| written.is_ok())
}
