//! The task that waits for what other processes push, on a connection of its own: a read that
//! blocks would hold up every other command on its connection.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;

use super::hub::Hub;
use super::link::{Link, plain};
use crate::clock::Clock;

/// After trouble.
const REST: Duration = Duration::from_millis(250);

pub(super) async fn run(hub: Arc<Hub>, link: Arc<Link>) {
    let mut connection = None;
    loop {
        let watch = hub.watch.notified();
        let kinds = hub.watched();
        if kinds.is_empty() {
            watch.await;
            continue;
        }
        if let Err(error) = read(&hub, &link, &mut connection, &kinds).await {
            tracing::debug!(why = %plain(&error), "a waiting read failed");
            connection = None;
            // It may have claimed something whose answer was lost, or a group is missing.
            hub.resume();
            hub.exchange.notify_one();
            Clock::pause(REST).await;
        }
    }
}

async fn read(
    hub: &Hub,
    link: &Link,
    connection: &mut Option<MultiplexedConnection>,
    kinds: &[usize],
) -> Result<(), redis::RedisError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(link.connect(link.block()).await?),
    };
    let entries = link.read(connection, kinds).await?;
    if !entries.is_empty() {
        hub.heard(entries);
        // There may be more than was read.
        hub.exchange.notify_one();
    }
    Ok(())
}
