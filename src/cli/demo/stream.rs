//! The demo's stream: made-up people through every source, correctly signed, over real HTTP; some
//! send twice, some forge.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::cli::send;
use crate::flow::Flow;
use crate::sample::Person;
use crate::source::Sample;

/// Of so many leads one is sent a second time.
const REPEAT_EVERY: u64 = 12;
/// Of so many leads one comes with a broken signature.
const FORGE_EVERY: u64 = 50;
/// Requests at once.
const AT_ONCE: usize = 32;

/// What the stream has done so far.
#[derive(Default)]
pub(super) struct Done {
    pub(super) sent: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) repeats: AtomicU64,
}

/// A stream under way.
pub(super) struct Stream {
    pub(super) done: Arc<Done>,
    pub(super) leads: u64,
    task: tokio::task::JoinHandle<()>,
}

impl Stream {
    /// Sends `leads` leads, `rate` a second.
    pub(super) fn start(
        leads: u64,
        rate: u64,
        flow: &Arc<Flow>,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let done = Arc::new(Done::default());
        let (client, flow, mine) = (send::client()?, flow.clone(), done.clone());
        // Every run has people of its own, or all of them would be repeats.
        let first = u64::try_from(flow.clock.now()).unwrap_or(0) / 1_000 * 10_000;
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / rate));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let room = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
            for n in 0..leads {
                ticks.tick().await;
                let Ok(permit) = room.clone().acquire_owned().await else {
                    return;
                };
                let (client, flow, done) = (client.clone(), flow.clone(), mine.clone());
                tokio::spawn(async move {
                    one(&client, &flow, (address, first, n), &done).await;
                    drop(permit);
                });
            }
            let all = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
            let _ = room.acquire_many(all).await;
        });
        Ok(Self { done, leads, task })
    }

    /// Whether everything was sent and answered.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

async fn one(
    client: &reqwest::Client,
    flow: &Arc<Flow>,
    (address, first, n): (SocketAddr, u64, u64),
    done: &Done,
) {
    let policy = flow.policy();
    let sources: Vec<_> = policy.sources.iter().collect();
    let Some(source) = usize::try_from(n)
        .ok()
        .and_then(|n| sources.get(n % sources.len().max(1)))
    else {
        return;
    };
    let person = Person::from_seed(first + n);
    let mut sample = source.adapter.shape(source, &person);
    sample = source.adapter.sign(source, sample, flow.clock.now());
    let url = format!("http://{address}/in/{}", source.name);
    if n % FORGE_EVERY == FORGE_EVERY - 1 {
        forge(&mut sample);
    }
    count(client, &url, &sample, done).await;
    if n % REPEAT_EVERY == REPEAT_EVERY - 1 {
        done.repeats.fetch_add(1, Ordering::Relaxed);
        count(client, &url, &sample, done).await;
    }
}

async fn count(client: &reqwest::Client, url: &str, sample: &Sample, done: &Done) {
    done.sent.fetch_add(1, Ordering::Relaxed);
    match send::post(client, url, sample).await {
        Ok((status, _)) if status < 400 => done.accepted.fetch_add(1, Ordering::Relaxed),
        Ok(_) | Err(_) => done.refused.fetch_add(1, Ordering::Relaxed),
    };
}

/// As somebody would who does not have the secret.
fn forge(sample: &mut Sample) {
    for (name, value) in &mut sample.headers {
        if matches!(
            name.as_str(),
            "webhook-signature" | "authorization" | "x-hub-signature-256"
        ) {
            value.push('x');
        }
    }
    let body =
        String::from_utf8_lossy(&sample.body).replace("\"google_key\":\"", "\"google_key\":\"x");
    sample.body = body.into_bytes();
}
