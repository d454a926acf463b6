//! What every queue promises, asked of the queue in memory and of the one in Redis; then what only
//! a queue promises that several processes share.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use leadgate::lead::{Priority, Ticket, WorkKind};
use leadgate::queue::settings::RedisSettings;
use leadgate::queue::{Queue, Settings};
use leadgate::secret::Secret;

use crate::process::until;
use crate::server::RedisServer;

pub(crate) const KINDS: &[WorkKind] = &[WorkKind::Assign];
const WINDOW: usize = 1_000;

fn ticket(work: i64, priority: Priority) -> Ticket {
    Ticket {
        work,
        lead: work,
        kind: WorkKind::Assign,
        priority,
        version: 1,
    }
}

pub(crate) fn tickets(range: std::ops::Range<i64>) -> Vec<Ticket> {
    range.map(|n| ticket(n, Priority::Normal)).collect()
}

pub(crate) fn settings(server: &RedisServer) -> RedisSettings {
    RedisSettings {
        url: Secret::new(server.url()),
        partition: "suite".into(),
        dead_after_ms: 60_000,
        alone: false,
        ..RedisSettings::default()
    }
}

/// Where who is silent for two seconds is taken for dead.
pub(crate) fn soon_dead(server: &RedisServer) -> RedisSettings {
    RedisSettings {
        dead_after_ms: 2_000,
        ..settings(server)
    }
}

pub(crate) async fn process(settings: RedisSettings) -> Queue {
    let queue = Queue::start(&Settings::Redis(settings), WINDOW, b"").unwrap();
    until(|| async { queue.is_connected() }).await;
    queue
}

async fn each() -> [(Queue, Option<RedisServer>); 2] {
    let server = RedisServer::start().await;
    let redis = process(settings(&server)).await;
    [(Queue::memory(WINDOW), None), (redis, Some(server))]
}

/// Exactly so many, in the order in which they come.
pub(crate) async fn take(queue: &Queue, n: usize) -> Vec<Ticket> {
    let mut taken = Vec::new();
    let wait = async {
        while taken.len() < n {
            taken.extend(queue.claim(KINDS, n - taken.len()).await);
        }
    };
    let bound = Duration::from_secs(30);
    let came = tokio::time::timeout(bound, wait).await;
    came.unwrap_or_else(|_| panic!("{n} tickets"));
    taken
}

pub(crate) async fn comes_to(queue: &Queue, depth: (usize, usize)) {
    let wait = until(|| async { queue.depth() == depth });
    let bound = Duration::from_secs(30);
    let came = tokio::time::timeout(bound, wait).await;
    assert!(came.is_ok(), "{:?} instead of {depth:?}", queue.depth());
}

pub(crate) fn sorted(mut tickets: Vec<Ticket>) -> Vec<i64> {
    tickets.sort_by_key(|ticket| ticket.work);
    tickets.iter().map(|ticket| ticket.work).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twelve_the_hot_get_eight_the_normal_three_the_low_one_until_all_are_served() {
    let all = [Priority::Hot, Priority::Normal, Priority::Low];
    for (queue, _server) in each().await {
        let mixed: Vec<_> = (0..72)
            .map(|n: i64| ticket(n, all[usize::try_from(n % 3).unwrap()]))
            .collect();
        queue.push(&mixed);
        for shares in [[8, 3, 1], [8, 3, 1]] {
            let taken = take(&queue, 12).await;
            let share = |p| taken.iter().filter(|t| t.priority == p).count();
            assert_eq!(all.map(share), shares);
            queue.ack(&taken);
        }
        let rest = take(&queue, 48).await;
        assert_eq!(rest.len(), 48, "what is not hot is served as well");
        queue.ack(&rest);
        comes_to(&queue, (0, 0)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_there_once_until_it_is_acknowledged_and_each_version_is_another() {
    for (queue, server) in each().await {
        for _ in 0..3 {
            queue.push(&tickets(0..5));
        }
        let first = take(&queue, 5).await;
        assert_eq!(sorted(first.clone()), [0, 1, 2, 3, 4]);
        queue.push(&first);
        comes_to(&queue, (0, 5)).await;
        let newer: Vec<_> = first.iter().map(|t| Ticket { version: 2, ..*t }).collect();
        queue.push(&newer);
        queue.ack(&first);
        let second = take(&queue, 5).await;
        assert!(second.iter().all(|ticket| ticket.version == 2));
        queue.ack(&second);
        comes_to(&queue, (0, 0)).await;
        queue.push(&first);
        assert_eq!(take(&queue, 5).await.len(), 5, "acknowledged is forgotten");
        queue.ack(&first);
        comes_to(&queue, (0, 0)).await;
        assert!(server.is_none_or(|server| server.is_empty("suite")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_back_comes_again_after_its_delay_and_not_before() {
    for (queue, server) in each().await {
        queue.push(&tickets(0..2));
        let taken = take(&queue, 2).await;
        let begun = Instant::now();
        queue.put_back(&taken[..1], Duration::from_millis(400));
        queue.ack(&taken[1..]);
        queue.push(&taken[..1]);
        let again = take(&queue, 1).await;
        assert_eq!(again, taken[..1]);
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(400), "{took:?}");
        assert!(
            took < Duration::from_secs(4),
            "not only when it tends: {took:?}"
        );
        queue.ack(&again);
        comes_to(&queue, (0, 0)).await;
        assert!(server.is_none_or(|server| server.is_empty("suite")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_has_its_own_window_and_its_own_claims() {
    for (queue, _server) in each().await {
        let of = |range: std::ops::Range<i64>, kind| -> Vec<Ticket> {
            tickets(range)
                .into_iter()
                .map(|t| Ticket { kind, ..t })
                .collect()
        };
        queue.push(&of(0..500, WorkKind::Mail));
        queue.push(&of(500..2_000, WorkKind::Mail));
        until(|| async { queue.room(WorkKind::Mail) == 0 }).await;
        until(|| async { queue.room(WorkKind::Assign) == WINDOW }).await;
        queue.push(&of(5_000..5_003, WorkKind::Assign));
        assert_eq!(sorted(take(&queue, 3).await), [5_000, 5_001, 5_002]);
        let (waiting, claimed) = queue.depth();
        assert_eq!(claimed, 3);
        assert!(
            waiting <= WINDOW,
            "{waiting} wait, but the window is bounded"
        );
        until(|| async { queue.oldest_age().is_some() }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_consumers_in_two_processes_get_each_ticket_once() {
    let server = RedisServer::start().await;
    let (ours, theirs) = (
        process(settings(&server)).await,
        process(settings(&server)).await,
    );
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut consumers = Vec::new();
    for queue in [&ours, &ours, &theirs, &theirs] {
        let (queue, tell) = (queue.clone(), tell.clone());
        consumers.push(tokio::spawn(async move {
            loop {
                let tickets = queue.claim(KINDS, 3).await;
                queue.ack(&tickets);
                for ticket in tickets {
                    let _ = tell.send(ticket.work);
                }
            }
        }));
    }
    // Only one of them pushes what the other waits for; then both push the same, as two sweeps do.
    ours.push(&tickets(0..300));
    for queue in [&ours, &theirs] {
        queue.push(&tickets(300..700));
    }
    let mut seen = HashMap::<i64, usize>::new();
    while seen.len() < 700 {
        let next = tokio::time::timeout(Duration::from_secs(30), told.recv()).await;
        let work = next.unwrap_or_else(|_| panic!("{} of 700", seen.len()));
        *seen.entry(work.unwrap()).or_default() += 1;
    }
    until(|| async { server.is_empty("suite") }).await;
    while let Ok(work) = told.try_recv() {
        *seen.entry(work).or_default() += 1;
    }
    // A ticket that both sweeps push may come again once it is done: the ledger's version stops it.
    let twice: Vec<_> = seen
        .iter()
        .filter(|(work, n)| **work < 300 && **n > 1)
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
    for consumer in consumers {
        consumer.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_is_woken_by_what_another_pushes() {
    let server = RedisServer::start().await;
    let ours = process(settings(&server)).await;
    let theirs = process(settings(&server)).await;
    let begun = Instant::now();
    // Far more than one process holds ready; the rest is for the other.
    ours.push(&tickets(0..400));
    assert_eq!(take(&theirs, 60).await.len(), 60);
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(4),
        "not only when it tends: {took:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_held_goes_to_the_living_and_the_dead_is_removed() {
    let server = RedisServer::start().await;
    let short = RedisSettings {
        dead_after_ms: 800,
        ..settings(&server)
    };
    let dead = process(short.clone()).await;
    dead.push(&tickets(0..100));
    // Some are begun, some are ready, some wait in Redis.
    assert_eq!(take(&dead, 10).await.len(), 10);
    drop(dead);
    let living = process(short).await;
    let taken = take(&living, 100).await;
    assert_eq!(sorted(taken.clone()), (0..100).collect::<Vec<_>>());
    living.ack(&taken);
    until(|| async { server.is_empty("suite") }).await;
    until(|| async { consumers(&server) == 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_serves_a_ledger_alone_takes_over_at_the_start_and_who_stops_hands_over() {
    let server = RedisServer::start().await;
    let alone = RedisSettings {
        alone: true,
        ..settings(&server)
    };
    let killed = process(alone.clone()).await;
    killed.push(&tickets(0..50));
    assert_eq!(take(&killed, 20).await.len(), 20);
    drop(killed);
    // The kernel closes what a killed process had open; a dropped task does so in its own time.
    until(|| async { clients(&server, "connected_clients") == 1 }).await;
    let next = process(alone.clone()).await;
    assert_eq!(sorted(take(&next, 50).await), (0..50).collect::<Vec<_>>());
    next.stop().await;
    assert_eq!(consumers(&server), 0, "it leaves nothing of itself");
    let last = process(settings(&server)).await;
    assert_eq!(sorted(take(&last, 50).await), (0..50).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_while_its_read_waits_is_given_none_of_what_it_hands_over() {
    let server = RedisServer::start().await;
    for _ in 0..20 {
        let queue = process(settings(&server)).await;
        queue.push(&tickets(0..20));
        assert_eq!(take(&queue, 20).await.len(), 20);
        let hungry = queue.clone();
        let waiting = tokio::spawn(async move { hungry.claim(KINDS, 1).await });
        until(|| async { clients(&server, "blocked_clients") == 1 }).await;
        queue.stop().await;
        assert_eq!(consumers(&server), 0, "it leaves nothing of itself");
        waiting.abort();
    }
}

/// A figure of `INFO clients`; who asks is counted among the connected.
fn clients(server: &RedisServer, figure: &str) -> usize {
    let info: String = server.ask(&["INFO", "clients"]).unwrap();
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let (_, found) = lines.find(|(name, _)| *name == figure).unwrap();
    found.trim().parse().unwrap()
}

fn consumers(server: &RedisServer) -> usize {
    let key = "lg1:{suite}:assign:normal";
    let group: Vec<redis::Value> = server
        .ask(&["XINFO", "CONSUMERS", key, "leadgate"])
        .unwrap();
    group.len()
}
