//! What a queue in Redis promises when an answer, a connection or its data is lost.

use std::collections::HashMap;
use std::time::Duration;

use crate::process::until;
use crate::queue::{KINDS, comes_to, process, settings, soon_dead, sorted, take, tickets};
use crate::server::RedisServer;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_claimed_in_an_answer_that_got_lost_is_claimed_again() {
    let server = RedisServer::start().await;
    let short = soon_dead(&server);
    let queue = process(short).await;
    // As if the process had pushed and claimed and heard nothing of it.
    let unheard = "
        local stream, known = KEYS[1], KEYS[2]
        local me = redis.call('XINFO', 'CONSUMERS', stream, 'leadgate')[1][2]
        local id = redis.call('XADD', stream, '*', 't', '7:7:1')
        redis.call('HSET', known, '7:7:1', id)
        redis.call('XREADGROUP', 'GROUP', 'leadgate', me, 'STREAMS', stream, '>')
        return me";
    let keys = ["2", "lg1:{suite}:assign:normal", "lg1:{suite}:known"];
    let me: String = server
        .ask(&["EVAL", unheard, keys[0], keys[1], keys[2]])
        .unwrap();
    assert!(me.starts_with(&std::process::id().to_string()), "{me}");
    // Nor does what leadgate has not written stay.
    let foreign = ["XADD", keys[1], "*", "x", "not a ticket"];
    server.ask::<String>(&foreign).unwrap();
    let foreign = ["ZADD", "lg1:{suite}:due", "1", "junk"];
    server.ask::<usize>(&foreign).unwrap();
    queue.push(&tickets(7..8));
    let taken = take(&queue, 1).await;
    assert_eq!(taken, tickets(7..8));
    queue.ack(&taken);
    until(|| async { server.is_empty("suite") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deleted_in_redis_is_there_again_when_it_is_pushed_again() {
    let server = RedisServer::start().await;
    let one = process(settings(&server)).await;
    one.push(&tickets(0..300));
    one.put_back(&take(&one, 5).await, Duration::from_hours(1));
    let [stream, due] = ["lg1:{suite}:assign:normal", "lg1:{suite}:due"];
    until(|| async {
        let there: usize = server.ask(&["XLEN", stream]).unwrap();
        let later: usize = server.ask(&["ZCARD", due]).unwrap();
        (there, later) == (295, 5)
    })
    .await;
    drop(one);
    server.ask::<usize>(&["DEL", stream, due]).unwrap();
    let two = process(settings(&server)).await;
    two.push(&tickets(0..300));
    let taken = take(&two, 300).await;
    two.ack(&taken);
    assert_eq!(sorted(taken), (0..300).collect::<Vec<_>>());
    until(|| async { server.is_empty("suite") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_and_flushed_data_lose_no_ticket_and_leave_none_over() {
    let server = RedisServer::start().await;
    let short = soon_dead(&server);
    let queue = process(short).await;
    let mut seen = HashMap::<i64, usize>::new();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let consumer = tokio::spawn({
        let queue = queue.clone();
        async move {
            loop {
                let tickets = queue.claim(KINDS, 7).await;
                queue.ack(&tickets);
                let _ = tell.send(tickets);
            }
        }
    });
    for round in 0..20 {
        let due = tickets(round * 50..(round + 1) * 50);
        queue.push(&due);
        match round % 4 {
            0 => drop(server.ask::<usize>(&["CLIENT", "KILL", "TYPE", "normal"])),
            2 => server.ask(&["FLUSHALL"]).unwrap(),
            _ => {}
        }
        // The sweep goes on until the ledger says that it is done.
        let done = async {
            let mut sweeps = tokio::time::interval(Duration::from_millis(50));
            while due.iter().any(|ticket| !seen.contains_key(&ticket.work)) {
                tokio::select! {
                    _ = sweeps.tick() => {
                        let left = due.iter().filter(|t| !seen.contains_key(&t.work));
                        queue.push(&left.copied().collect::<Vec<_>>());
                    }
                    tickets = told.recv() => for ticket in tickets.unwrap() {
                        *seen.entry(ticket.work).or_default() += 1;
                    }
                }
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(30), done).await;
        assert!(came.is_ok(), "round {round}: {} came", seen.len());
    }
    comes_to(&queue, (0, 0)).await;
    until(|| async { server.is_empty("suite") }).await;
    consumer.abort();
}
