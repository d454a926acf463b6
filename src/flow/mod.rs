//! The way a lead goes, one file a step:
//!
//! ```text
//! receive ─► first commit ─► 2xx          decide ─► second commit: lead, facts, events, work
//! fetch   ─► content, then as above        (platforms that send an id only)
//! assign  ─► offer and notice             notify ─► attempts      expire, alarm: upkeep
//! command ─► what people and reps do      publish ─► a new policy sweep: what is due again
//! erase   ─► a person is forgotten        retain ─► what is old is forgotten
//! ```
//!
//! Knows neither HTTP, nor SQL text, nor Redis commands, nor rhai.

mod alarm;
mod arrivals;
mod assign;
pub mod command;
mod decide;
mod desk;
pub mod erase;
mod fetch;
mod forget;
mod gauges;
mod keyed;
mod notify;
mod park;
mod pauses;
pub mod publish;
mod ready;
mod receive;
pub mod report;
mod retain;
pub mod settings;
mod settle;
mod sweep;
mod unfetched;
mod upkeep;
mod verdict;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::clock::{Clock, Millis};
use crate::deliver::{Deliverer, Gates};
use crate::ledger::{Fault, Ledger};
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::secret::HashKey;
use crate::telemetry::metrics::{Metrics, Words};

pub use command::Command;
pub use desk::Desk;
pub use keyed::person_keys;
pub use publish::{Policy, PolicyFiles};
pub use receive::Incoming;
pub use settings::{Retention, Settings};

use arrivals::{Arrival, Arrivals};
use decide::Decider;

/// The most submissions that may be on disk and undecided in memory; more wait before the commit.
const BACKLOG: usize = 8_192;

/// Everything that the steps share.
pub struct Flow {
    /// The truth.
    pub ledger: Ledger,
    /// What is due.
    pub queue: Queue,
    /// Business time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    policy: ArcSwap<Policy>,
    settings: Settings,
    mail: crate::deliver::Settings,
    deliverer: Deliverer,
    outbound: Outbound,
    pauses: pauses::Pauses,
    gates: Gates,
    key: Vec<u8>,
    hash_key: HashKey,
    public_url: String,
    backlog: Arc<Semaphore>,
    arrivals: Arc<Arrivals>,
    decider: Mutex<Option<std::thread::JoinHandle<()>>>,
    alarms: Mutex<HashMap<String, Millis>>,
    unsent: alarm::UnsentAlarms,
    /// How far the list of forgotten leads was followed.
    forgotten: AtomicI64,
    /// How far this round of taking away what is old has come.
    round: Mutex<retain::Round>,
    /// Whether there may be leads that were not held against the policy at work.
    unsettled: AtomicBool,
    runtime: tokio::runtime::Handle,
}

/// What a flow is made of.
pub struct Parts {
    /// The truth, served by this process.
    pub ledger: Ledger,
    /// What is due.
    pub queue: Queue,
    /// Business time.
    pub clock: Clock,
    /// Section `[flow]`.
    pub settings: Settings,
    /// Section `[mail]`.
    pub mail: crate::deliver::Settings,
    /// Sends notices.
    pub deliverer: Deliverer,
    /// Reaches the platforms that leads are fetched from.
    pub outbound: Outbound,
    /// Signs links and hashes keys.
    pub key: Vec<u8>,
    /// Where reps reach this daemon.
    pub public_url: String,
}

impl Flow {
    /// Starts the thread that decides, with a policy that was assembled.
    pub fn start(parts: Parts, policy: Policy) -> Result<Arc<Self>, Fault> {
        let (arrivals, arrived) = Arrivals::new();
        let arrivals = Arc::new(arrivals);
        let told = arrivals.clone();
        parts.ledger.after_each_commit(move || told.hand_over());
        let (policy, is_settled) = publish::store(&parts.ledger, policy, parts.clock.now())?;
        let forgotten = parts.ledger.read(erase::follow_from)?;
        let metrics = counted(&parts.ledger, &policy, parts.clock.now());
        let flow = Arc::new(Self {
            metrics,
            ledger: parts.ledger,
            queue: parts.queue,
            clock: parts.clock,
            policy: ArcSwap::from_pointee(policy),
            settings: parts.settings,
            mail: parts.mail,
            deliverer: parts.deliverer,
            outbound: parts.outbound,
            pauses: pauses::Pauses::default(),
            gates: Gates::default(),
            hash_key: HashKey::new(&parts.key),
            key: parts.key,
            public_url: parts.public_url,
            backlog: Arc::new(Semaphore::new(BACKLOG)),
            arrivals,
            decider: Mutex::default(),
            alarms: Mutex::default(),
            unsent: alarm::UnsentAlarms::default(),
            forgotten: AtomicI64::new(forgotten),
            round: Mutex::default(),
            unsettled: AtomicBool::new(!is_settled),
            runtime: tokio::runtime::Handle::current(),
        });
        let decider = Decider::new(flow.clone())?;
        let thread = std::thread::Builder::new()
            .name("decide".into())
            .spawn(move || decider.run(&arrived))
            .map_err(|e| Fault::Store(format!("no thread: {e}")))?;
        if let Ok(mut slot) = flow.decider.lock() {
            *slot = Some(thread);
        }
        if flow.is_unsettled() {
            flow.fetch_anew()?;
        }
        flow.settle();
        let now = flow.clock.now();
        flow.ledger.write_blocking(move |tx| tx.void_leases(now))?;
        Ok(flow)
    }

    /// The policy at work.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// How many submissions are on disk and not yet decided.
    pub fn undecided(&self) -> usize {
        BACKLOG - self.backlog.available_permits()
    }

    /// Whether the threads that write and decide are there; without them nothing may be taken.
    pub fn is_alive(&self) -> bool {
        let decider = self.decider.lock().ok();
        let deciding = decider.is_some_and(|slot| slot.as_ref().is_some_and(|t| !t.is_finished()));
        deciding && self.ledger.is_alive()
    }

    /// Decides what has arrived, then stops deciding. Blocks.
    pub fn stop_deciding(&self) {
        self.arrivals.send(Arrival::Stop);
        let thread = self.decider.lock().ok().and_then(|mut slot| slot.take());
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn counted(ledger: &Ledger, policy: &Policy, now: Millis) -> Metrics {
    let channels = crate::deliver::ALL.map(crate::deliver::Channel::name);
    let words = Words {
        channels: &channels,
        alarms: &alarm::CAUSES,
    };
    let metrics = Metrics::new(&ledger.health().commits, words, now);
    policy.make_known(&metrics, now);
    metrics
}
