//! Lanes, one for each kind of work with its own pace: claim from the queue, let `flow` do it,
//! acknowledge. What fails here is due again in the ledger. Knows nothing of what a step does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::clock::Clock;
use crate::flow::Flow;
use crate::lead::{Ticket, WorkKind};
use crate::ledger::Fault;

/// How many leads one transaction assigns at most.
const ASSIGN_BATCH: usize = 64;
/// How often what is due in the ledger is pushed again.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// The pause between two portions of what is old, and between two rounds over everything.
const RETAIN_EVERY: Duration = Duration::from_millis(200);
const ROUND_EVERY: Duration = Duration::from_hours(1);
/// After trouble with the ledger a lane rests so long.
const REST: Duration = Duration::from_millis(500);

/// What the lanes work on.
const LANES: [(Lane, &[WorkKind]); 6] = [
    (Lane::Assign, &[WorkKind::Assign]),
    (Lane::Mail, &[WorkKind::Mail]),
    (Lane::Hook, &[WorkKind::Hook]),
    (Lane::Fetch, &[WorkKind::Fetch]),
    (Lane::Decide, &[WorkKind::Decide]),
    (Lane::Upkeep, &[WorkKind::Expire, WorkKind::Alarm]),
];

#[derive(Clone, Copy)]
enum Lane {
    Assign,
    Mail,
    Hook,
    Fetch,
    Decide,
    Upkeep,
}

/// The background tasks; they end when `stop` is told.
pub struct Workers {
    tasks: Vec<tokio::task::JoinHandle<()>>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Workers {
    /// Starts the lanes and the sweep; so many mails and webhooks go out at once. Without
    /// `distribute` nobody is given a lead.
    pub fn start(flow: &Arc<Flow>, (mails, hooks): (usize, usize), distribute: bool) -> Self {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut tasks = Vec::new();
        for (lane, kinds) in LANES {
            if matches!(lane, Lane::Assign) && !distribute {
                continue;
            }
            let copies = match lane {
                Lane::Mail => mails.max(1),
                Lane::Hook => hooks.max(1),
                Lane::Fetch => flow.fetches_at_once(),
                Lane::Assign | Lane::Decide | Lane::Upkeep => 1,
            };
            for _ in 0..copies {
                let flow = flow.clone();
                let mut stopped = stopped.clone();
                tasks.push(tokio::spawn(async move {
                    loop {
                        let claimed = flow.queue.claim(kinds, batch(lane));
                        let tickets = tokio::select! {
                            tickets = claimed => tickets,
                            _ = stopped.changed() => return,
                        };
                        if !work(&flow, lane, tickets).await {
                            Clock::pause(REST).await;
                        }
                        if *stopped.borrow() {
                            return;
                        }
                    }
                }));
            }
        }
        tasks.push(tokio::spawn(retain(flow.clone(), stopped.clone())));
        let (flow, mut stopped) = (flow.clone(), stopped);
        tasks.push(tokio::spawn(async move {
            loop {
                if let Err(fault) = flow.sweep().await {
                    tracing::warn!(%fault, "what is due could not be read");
                }
                tokio::select! {
                    () = Clock::pause(SWEEP_EVERY) => {}
                    _ = stopped.changed() => return,
                }
            }
        }));
        Self { tasks, stop }
    }

    /// Lets every lane finish what it claimed, for at most `patience`.
    pub async fn stop(self, patience: Duration) {
        let _ = self.stop.send(true);
        if tokio::time::timeout(patience, join_all(self.tasks))
            .await
            .is_err()
        {
            tracing::warn!("some notices were still being sent; they are sent again at the start");
        }
    }
}

/// Takes away what is old, slowly, so that leads never wait for it.
async fn retain(flow: Arc<Flow>, mut stopped: tokio::sync::watch::Receiver<bool>) {
    loop {
        let pause = match flow.retain().await {
            Ok(true) => RETAIN_EVERY,
            Ok(false) => ROUND_EVERY,
            Err(fault) => {
                tracing::warn!(%fault, "what is old could not be taken away; later");
                ROUND_EVERY
            }
        };
        tokio::select! {
            () = Clock::pause(pause) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Does everything that is due now and what follows from it, without the background tasks.
pub async fn work_until_idle(flow: &Arc<Flow>) -> Result<(), Fault> {
    loop {
        while flow.undecided() > 0 {
            tokio::task::yield_now().await;
        }
        flow.sweep().await?;
        let mut idle = true;
        for (lane, kinds) in LANES {
            let at_once = match lane {
                Lane::Fetch => flow.fetches_at_once(),
                Lane::Assign | Lane::Mail | Lane::Hook | Lane::Decide | Lane::Upkeep => batch(lane),
            };
            let tickets = flow.queue.claim_now(kinds, at_once);
            if !tickets.is_empty() {
                idle = false;
                work(flow, lane, tickets).await;
            }
        }
        let (waiting, claimed) = flow.queue.depth();
        if idle && waiting + claimed + flow.undecided() == 0 {
            return Ok(());
        }
        // What waits is with another task or on its way through a queue outside.
        if idle {
            Clock::pause(Duration::from_millis(1)).await;
        }
    }
}

fn batch(lane: Lane) -> usize {
    match lane {
        Lane::Assign | Lane::Upkeep => ASSIGN_BATCH,
        Lane::Mail | Lane::Hook | Lane::Fetch => 1,
        Lane::Decide => 16,
    }
}

/// Whether it went well; what did not is still due in the ledger.
async fn work(flow: &Arc<Flow>, lane: Lane, tickets: Vec<Ticket>) -> bool {
    let mine = tickets.clone();
    let result = match lane {
        Lane::Assign | Lane::Upkeep => together(flow, lane, tickets).await,
        Lane::Mail | Lane::Hook => {
            let sends = tickets.into_iter().map(|ticket| flow.notify(ticket));
            join_all(sends).await.into_iter().collect()
        }
        Lane::Fetch => {
            let fetches = tickets.into_iter().map(|ticket| flow.fetch(ticket));
            join_all(fetches).await.into_iter().collect()
        }
        Lane::Decide => {
            // Acknowledged by the thread that decides.
            for ticket in tickets {
                flow.screen_again(ticket);
            }
            return true;
        }
    };
    match &result {
        Ok(()) => flow.queue.ack(&mine),
        Err(fault) => {
            tracing::warn!(%fault, "a step failed; it is due again");
            flow.queue.put_back(&mine, REST);
        }
    }
    result.is_ok()
}

/// In one transaction; where that fails one by one, so that one lead's trouble is not the others'.
async fn together(flow: &Flow, lane: Lane, tickets: Vec<Ticket>) -> Result<(), Fault> {
    let step = async |tickets: Vec<Ticket>| match lane {
        Lane::Assign => flow.assign(tickets).await,
        Lane::Upkeep | Lane::Mail | Lane::Hook | Lane::Fetch | Lane::Decide => {
            flow.look_after(tickets).await
        }
    };
    let all = step(tickets.clone()).await;
    if all.is_ok() || tickets.len() == 1 {
        return all;
    }
    let mut result = Ok(());
    for ticket in tickets {
        if let Err(fault) = step(vec![ticket]).await {
            result = Err(fault);
        }
    }
    result
}
