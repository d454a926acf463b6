//! What is shown of the house as a whole: commits, the policy, what stands still, the process.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Labels, Seconds, made, one, process, seconds, short};
use crate::clock::Millis;
use crate::lead::{Stage, WorkKind};

/// Stages in which a lead stands still until something moves it.
pub const OPEN_STAGES: [Stage; 4] = [Stage::Fetching, Stage::Held, Stage::Waiting, Stage::Offered];

const STEPS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// How the thread that writes fares: it counts, [`super::Metrics`] shows.
#[derive(Clone, Debug)]
pub struct Commits {
    steps: Histogram,
    seconds: Histogram,
    failures: Counter,
}

impl Default for Commits {
    fn default() -> Self {
        Self {
            steps: Histogram::new(STEPS),
            seconds: short(),
            failures: Counter::default(),
        }
    }
}

impl Commits {
    /// A group of so many steps is on disk.
    pub fn done(&self, steps: usize, took: Duration) {
        self.steps
            .observe(u32::try_from(steps).map_or(f64::MAX, f64::from));
        self.seconds.observe(took.as_secs_f64());
    }

    /// A group was undone.
    pub fn failed(&self) {
        self.failures.inc();
    }

    fn register(&self, to: &mut Registry) {
        let help = "Steps that one commit took together";
        to.register("leadgate_commit_steps", help, self.steps.clone());
        let help = "How long a commit took, its sync included";
        to.register("leadgate_commit_seconds", help, self.seconds.clone());
        let help = "Commits that failed and were undone";
        to.register("leadgate_commit_failures", help, self.failures.clone());
    }
}

/// The state of the house at one moment.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// On disk and not yet decided.
    pub undecided: usize,
    /// Tickets that wait in the queue, and those that are being dealt with.
    pub tickets: (usize, usize),
    /// Kind, how much is due, and since when the oldest is.
    pub due: Vec<(WorkKind, i64, Option<Millis>)>,
    /// Stage and how many leads stand there.
    pub leads: Vec<(Stage, i64)>,
}

pub(super) struct House {
    policy: Family<Labels<1>, Gauge>,
    policy_at: Seconds,
    policy_failed: Gauge,
    undecided: Gauge,
    tickets: Family<Labels<1>, Gauge>,
    due: Family<Labels<1>, Gauge>,
    overdue: Family<Labels<1>, Seconds>,
    leads: Family<Labels<1>, Gauge>,
    at: Seconds,
    process: process::Gauges,
}

impl House {
    pub(super) fn new(to: &mut Registry, commits: &Commits, now: Millis) -> Self {
        commits.register(to);
        let house = Self {
            policy: made(
                to,
                "leadgate_policy_info",
                "The version of the policy at work",
            ),
            policy_at: made(
                to,
                "leadgate_policy_loaded_timestamp_seconds",
                "When the policy at work was taken over",
            ),
            policy_failed: made(
                to,
                "leadgate_policy_load_failed",
                "1 while the policy's files hold a mistake and an older version is at work",
            ),
            undecided: made(
                to,
                "leadgate_undecided",
                "Submissions in memory that are on disk and not yet decided",
            ),
            tickets: made(
                to,
                "leadgate_queue_tickets",
                "Tickets in the queue, by whether they wait or are being dealt with",
            ),
            due: made(
                to,
                "leadgate_work_due",
                "Work whose time has come, by kind; 100000 stands for that many or more",
            ),
            overdue: made(
                to,
                "leadgate_work_overdue_seconds",
                "How long the oldest work whose time has come has been due, by kind",
            ),
            leads: made(
                to,
                "leadgate_leads",
                "Leads that stand still, by stage; 100000 stands for that many or more",
            ),
            at: made(
                to,
                "leadgate_refreshed_timestamp_seconds",
                "When the gauges were last read from the ledger",
            ),
            process: process::Gauges::new(to, now),
        };
        house.stand(&Standing::default(), now);
        house
    }

    pub(super) fn policy(&self, hash: &str, now: Millis) {
        self.policy.clear();
        self.policy.get_or_create(&one("hash", hash)).set(1);
        self.policy_at.set(seconds(now));
    }

    pub(super) fn policy_loaded(&self, well: bool) {
        self.policy_failed.set(i64::from(!well));
    }

    pub(super) fn stand(&self, standing: &Standing, now: Millis) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.undecided.set(count(standing.undecided));
        let (waiting, claimed) = standing.tickets;
        for (state, n) in [("waiting", waiting), ("claimed", claimed)] {
            let labels = one("state", state);
            self.tickets.get_or_create(&labels).set(count(n));
        }
        for kind in WorkKind::ALL {
            let found = standing.due.iter().find(|(k, ..)| *k == kind);
            let (due, since) = found.map_or((0, None), |(_, due, since)| (*due, *since));
            let labels = one("kind", kind.as_str());
            self.due.get_or_create(&labels).set(due);
            let overdue = since.map_or(0, |since| now - since);
            self.overdue.get_or_create(&labels).set(seconds(overdue));
        }
        for stage in OPEN_STAGES {
            let found = standing.leads.iter().find(|(s, _)| *s == stage);
            let labels = one("stage", stage.as_str());
            let leads = found.map_or(0, |(_, n)| *n);
            self.leads.get_or_create(&labels).set(leads);
        }
        self.at.set(seconds(now));
        self.process.refresh();
    }
}
