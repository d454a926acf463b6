//! The task that waits for what other processes push, on a connection of its own: a read that
//! blocks would hold up every other command on its connection.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::watch;

use super::hub::Hub;
use super::link::{Link, plain};
use crate::clock::Clock;

/// After trouble.
const REST: Duration = Duration::from_millis(250);

/// Until a stop is told; a read that waits then is ended by who stops (`engine`).
pub(super) async fn run(hub: Arc<Hub>, link: Arc<Link>, stopped: watch::Receiver<bool>) {
    let mut connection = None;
    while !*stopped.borrow() {
        let watch = hub.watch.notified();
        let kinds = hub.watched();
        if kinds.is_empty() {
            watch.await;
            continue;
        }
        let done = read(&hub, &link, &mut connection, &kinds, &stopped).await;
        hub.set_reading(None);
        if let Err(error) = done {
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
    open: &mut Option<(MultiplexedConnection, Option<i64>)>,
    kinds: &[usize],
    stopped: &watch::Receiver<bool>,
) -> Result<(), redis::RedisError> {
    let (connection, id) = if let Some(open) = open {
        open
    } else {
        let mut connection = link.connect(link.block()).await?;
        // Where it may not be asked, who stops can only cut the connection.
        let id = link.id_of(&mut connection).await.ok();
        open.insert((connection, id))
    };
    // First this, then the look at the stop: whoever stops looks the other way round.
    hub.set_reading(*id);
    if *stopped.borrow() {
        return Ok(());
    }
    let entries = link.read(connection, kinds).await?;
    if !entries.is_empty() {
        hub.heard(entries);
        // There may be more than was read.
        hub.exchange.notify_one();
    }
    Ok(())
}
