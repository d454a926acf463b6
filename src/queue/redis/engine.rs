//! The task that exchanges with Redis: connects, checks, exchanges while there is something, and
//! begins anew when it fails. Knows no ticket.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::check::check;
use super::hub::Hub;
use super::link::{Link, TEND_MAX, plain};
use super::order::Order;
use crate::clock::Clock;

/// Exchanges begin no closer together than this: what comes meanwhile rides together. The first after
/// a pause does not wait.
const EXCHANGE_EVERY: Duration = Duration::from_millis(10);
/// Between two tries to connect.
const REST: Duration = Duration::from_millis(250);
/// The longest time between two looks at who has died and what was missed.
const TEND_EVERY: Duration = Duration::from_secs(5);

/// The shortest time between two looks at what was put back.
const DUE_EVERY: Duration = Duration::from_millis(20);

/// Between two tries to end a waiting read: the first may come before it waits.
const END_EVERY: Duration = Duration::from_millis(2);

/// Why the connection was given up, and what was on its way.
struct Broken {
    why: String,
    lost: Order,
}

/// With what cuts the reader off.
pub(super) async fn run(
    hub: Arc<Hub>,
    link: Arc<Link>,
    reader: AbortHandle,
    mut stopped: watch::Receiver<bool>,
) {
    let mut first = true;
    loop {
        let served = tokio::select! {
            served = serve((&hub, &link), &reader, &mut first, stopped.clone()) => served,
            () = told_late(&hub, &link, stopped.clone()) => return,
        };
        let Err(broken) = served else { return };
        hub.down(&broken.why, broken.lost);
        tokio::select! {
            () = Clock::pause(REST) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// Resolves when a stop was told and Redis has had its time: then nothing is waited for.
async fn told_late(hub: &Hub, link: &Link, mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
    if hub.is_up() {
        Clock::pause(link.timeout * 2).await;
    }
}

/// Until it breaks or a stop is told.
async fn serve(
    (hub, link): (&Hub, &Link),
    reader: &AbortHandle,
    first: &mut bool,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let broken = |why: String| Broken {
        why,
        lost: Order::default(),
    };
    let connected = link.connect(Duration::ZERO).await;
    let mut connection = connected.map_err(|error| broken(plain(&error)))?;
    let notes = check(&mut connection).await.map_err(broken)?;
    if *first && link.alone {
        // Nobody else serves this ledger, so whoever holds tickets is dead.
        tend(hub, link, &mut connection, Duration::ZERO).await?;
    }
    // What was claimed over a connection that broke; makes the groups too.
    hub.resume();
    exchange(hub, link, &mut connection).await?;
    *first = false;
    hub.up(&notes);
    let every = TEND_EVERY.min(link.dead_after / 4);
    let mut tended = std::time::Instant::now();
    loop {
        let begun = std::time::Instant::now();
        let more = exchange(hub, link, &mut connection).await?;
        if tended.elapsed() >= every {
            // Whatever went unheard, for example because Redis answered too late.
            hub.resume();
            exchange(hub, link, &mut connection).await?;
            tend(hub, link, &mut connection, link.dead_after).await?;
            tended = std::time::Instant::now();
        }
        if more {
            continue;
        }
        // Not without a pause: what is due stays so while Redis takes no writes.
        let due = hub.due_in().map_or(every, |wait| wait.max(DUE_EVERY));
        let rest = every.saturating_sub(tended.elapsed()).min(due);
        tokio::select! {
            () = hub.exchange.notified() => {}
            () = Clock::pause(rest) => {}
            _ = stopped.wait_for(|stop| *stop) => break,
        }
        let pace = EXCHANGE_EVERY.saturating_sub(begun.elapsed());
        if !pace.is_zero() {
            Clock::pause(pace).await;
        }
    }
    while exchange(hub, link, &mut connection).await? {}
    end_reading(hub, link, &mut connection).await;
    // One that could not be ended is cut off; Redis sees that a moment later.
    reader.abort();
    while let Ok((TEND_MAX, _)) = link.tend(&mut connection, link.dead_after, true).await {}
    Ok(())
}

/// A read that still waits would be given what is about to be handed over.
async fn end_reading(hub: &Hub, link: &Link, connection: &mut MultiplexedConnection) {
    let begun = std::time::Instant::now();
    while let Some(reading) = hub.reading() {
        // The handing over has to come within the time for a stop.
        if begun.elapsed() > link.timeout / 2 {
            return;
        }
        if let Err(error) = link.unblock(connection, reading).await {
            tracing::debug!(why = %plain(&error), "a waiting read could not be ended");
            return;
        }
        Clock::pause(END_EVERY).await;
    }
}

async fn exchange(
    hub: &Hub,
    link: &Link,
    connection: &mut MultiplexedConnection,
) -> Result<bool, Broken> {
    let order = hub.order();
    match link.exchange(connection, &order).await {
        Ok(answer) => Ok(hub.answered(&order, answer)),
        Err(error) => Err(Broken {
            why: plain(&error),
            lost: order,
        }),
    }
}

async fn tend(
    hub: &Hub,
    link: &Link,
    connection: &mut MultiplexedConnection,
    dead_after: Duration,
) -> Result<(), Broken> {
    loop {
        let tended = link.tend(connection, dead_after, false).await;
        let (moved, oldest) = tended.map_err(|error| Broken {
            why: plain(&error),
            lost: Order::default(),
        })?;
        if moved > 0 {
            tracing::info!(tickets = moved, "taken over from a process that is gone");
        }
        hub.tended(oldest);
        if moved < TEND_MAX {
            return Ok(());
        }
    }
}
