//! What is counted and timed, for Prometheus. Handles are made once and then only counted on, so
//! that a hot path pays for an addition and not for a search. Labels are words of the configuration
//! and of this program; nothing of a lead, and no rep, ever becomes one. Knows no stage.

mod house;
mod process;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::clock::Millis;
use crate::lead::{AttemptResult, HoldCause, Verdict};

pub use house::{Commits, OPEN_STAGES, Standing};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a commit of an idle disk to a mail server that lets one wait.
const SHORT_S: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];
/// From at once to the next working day.
const LONG_S: [f64; 14] = [
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0,
];

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Histograms = Family<Labels<1>, Histogram, fn() -> Histogram>;
type Seconds = Gauge<f64, AtomicU64>;

/// Everything that this process counts.
pub struct Metrics {
    registry: Registry,
    intake: Intake,
    verdicts: Verdicts,
    grades: Counters<1>,
    known_grades: ArcSwap<Vec<(String, Counter)>>,
    decide_seconds: Histogram,
    offer_seconds: Histogram,
    speed_to_rep_seconds: Histogram,
    attempts: Counters<2>,
    attempt_seconds: Histograms,
    alarms: Counters<1>,
    house: house::House,
}

struct Intake {
    answers: Counters<2>,
    refusals: Counters<2>,
    unknown_source: Counter,
    seconds: Histogram,
}

struct Verdicts {
    accepted: Counter,
    rejected: Counter,
    held: Counter,
    test: Counter,
    holds: Counters<1>,
}

/// What one source is answered.
#[derive(Clone, Debug)]
pub struct OfSource {
    by_class: [Counter; 4],
    refusals: Vec<(&'static str, Counter)>,
    seconds: Histogram,
}

impl OfSource {
    /// An answer with this status went out, so long after the request's head.
    pub fn answered(&self, status: u16, took: Duration) {
        let [good, elsewhere, theirs, ours] = &self.by_class;
        match status {
            ..=299 => good.inc(),
            300..=399 => elsewhere.inc(),
            400..=499 => theirs.inc(),
            500.. => ours.inc(),
        };
        self.seconds.observe(took.as_secs_f64());
    }

    /// A request was refused, for one of the reasons that the source was made known with.
    pub fn refused(&self, reason: &str) {
        if let Some((_, counter)) = self.refusals.iter().find(|(known, _)| *known == reason) {
            counter.inc();
        }
    }
}

/// The words that labels take, as far as they are known beforehand: a rate sees the first of each.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// Ways to tell somebody.
    pub channels: &'a [&'static str],
    /// What alarms are raised for.
    pub alarms: &'a [&'static str],
}

impl Metrics {
    /// Everything at zero.
    pub fn new(commits: &Commits, words: Words<'_>, now: Millis) -> Self {
        let mut registry = Registry::default();
        let to = &mut registry;
        let metrics = Self {
            intake: Intake::new(to),
            verdicts: Verdicts::new(to),
            grades: made(
                to,
                "leadgate_grades",
                "Leads that the rules accepted, by grade",
            ),
            known_grades: ArcSwap::default(),
            decide_seconds: timed(
                to,
                "leadgate_decide_seconds",
                "From a lead's receipt until its verdict is on disk",
                short,
            ),
            offer_seconds: timed(
                to,
                "leadgate_offer_seconds",
                "From the moment a lead is due to be offered (decided, or a rep is at work again) until it is",
                long,
            ),
            speed_to_rep_seconds: timed(
                to,
                "leadgate_speed_to_rep_seconds",
                "From a lead's receipt until the first rep was told, nights and weekends included",
                long,
            ),
            attempts: made(
                to,
                "leadgate_delivery_attempts",
                "Attempts to tell somebody, by channel and result",
            ),
            attempt_seconds: timed_by(
                to,
                "leadgate_delivery_attempt_seconds",
                "How long an attempt took",
            ),
            alarms: made(
                to,
                "leadgate_alarms",
                "Alarms that were raised, mailed or not, by cause",
            ),
            house: house::House::new(to, commits, now),
            registry: Registry::default(),
        };
        metrics.know(words);
        Self {
            registry,
            ..metrics
        }
    }

    fn know(&self, words: Words<'_>) {
        for channel in words.channels {
            for result in ["delivered", "try_again", "give_up"] {
                let labels = [("channel", channel.to_string()), ("result", result.into())];
                let _ = self.attempts.get_or_create_owned(&labels);
            }
            let _ = self
                .attempt_seconds
                .get_or_create_owned(&one("channel", channel));
        }
        for cause in words.alarms {
            let _ = self.alarms.get_or_create_owned(&one("cause", cause));
        }
    }

    /// The handles of a source; for one that is known they are the same ones again.
    pub fn source(&self, name: &str, reasons: &[&'static str]) -> OfSource {
        let answer = |class: &str| {
            let labels = [("source", name.to_owned()), ("answer", class.to_owned())];
            self.intake.answers.get_or_create_owned(&labels)
        };
        let refusal = |reason: &&'static str| {
            let labels = [("source", name.to_owned()), ("reason", reason.to_string())];
            (*reason, self.intake.refusals.get_or_create_owned(&labels))
        };
        OfSource {
            by_class: ["2xx", "3xx", "4xx", "5xx"].map(answer),
            refusals: reasons.iter().map(refusal).collect(),
            seconds: self.intake.seconds.clone(),
        }
    }

    /// A request named no source.
    pub fn no_such_source(&self) {
        self.intake.unknown_source.inc();
    }

    /// A lead was decided so long after it was received, for the first time.
    pub fn decided(&self, verdict: &Verdict, is_test: bool, after: Millis) {
        self.decide_seconds.observe(seconds(after));
        if is_test {
            self.verdicts.test.inc();
            return;
        }
        match verdict {
            Verdict::Rejected { .. } => self.verdicts.rejected.inc(),
            Verdict::Held { cause, .. } => self.verdicts.held(*cause),
            Verdict::Accepted { grade, .. } => {
                let known = self.known_grades.load();
                if let Some((_, counter)) = known.iter().find(|(known, _)| known == grade) {
                    counter.inc();
                }
                self.verdicts.accepted.inc()
            }
        };
    }

    /// A lead was offered so long after it was due to be.
    pub fn offered(&self, after: Millis) {
        self.offer_seconds.observe(seconds(after));
    }

    /// A rep was told of a lead so long after it was received, and nobody had been before.
    pub fn told(&self, after: Millis) {
        self.speed_to_rep_seconds.observe(seconds(after));
    }

    /// An attempt to tell somebody ended.
    pub fn attempted(&self, channel: &str, result: &AttemptResult, took: Millis) {
        let result = match result {
            AttemptResult::Delivered => "delivered",
            AttemptResult::TryAgain { .. } => "try_again",
            AttemptResult::GiveUp { .. } => "give_up",
        };
        let labels = [
            ("channel", channel.to_owned()),
            ("result", result.to_owned()),
        ];
        self.attempts.get_or_create(&labels).inc();
        let histogram = self.attempt_seconds.get_or_create(&one("channel", channel));
        histogram.observe(seconds(took));
    }

    /// An alarm was raised; `cause` is one of this program's words.
    pub fn alarmed(&self, cause: &str) {
        self.alarms.get_or_create(&one("cause", cause)).inc();
    }

    /// A policy with these grades is at work.
    pub fn policy(&self, hash: &str, grades: &[&str], now: Millis) {
        self.house.policy(hash, now);
        let handle = |grade: &&str| {
            let counter = self.grades.get_or_create_owned(&one("grade", grade));
            ((*grade).to_owned(), counter)
        };
        self.known_grades
            .store(Arc::new(grades.iter().map(handle).collect()));
    }

    /// Whether the policy's files, as they are now, could be taken over.
    pub fn policy_loaded(&self, well: bool) {
        self.house.policy_loaded(well);
    }

    /// Shows how the house stands at `now`.
    pub fn stand(&self, standing: &Standing, now: Millis) {
        self.house.stand(standing, now);
    }

    /// What `/metrics` answers.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

impl Intake {
    fn new(to: &mut Registry) -> Self {
        Self {
            answers: made(
                to,
                "leadgate_intake_answers",
                "Answers to requests, by source and class of the status",
            ),
            refusals: made(
                to,
                "leadgate_intake_refusals",
                "Requests that were refused, by source and reason",
            ),
            unknown_source: made(
                to,
                "leadgate_intake_unknown_source",
                "Requests that named no source",
            ),
            seconds: timed(
                to,
                "leadgate_intake_seconds",
                "From a request's head to its answer",
                short,
            ),
        }
    }
}

impl Verdicts {
    fn new(to: &mut Registry) -> Self {
        let help = "First verdicts on leads; platforms' test leads are counted apart";
        let verdicts: Counters<1> = made(to, "leadgate_verdicts", help);
        let help = "Leads held by their first verdict, by what holds them";
        let holds: Counters<1> = made(to, "leadgate_verdict_holds", help);
        for cause in [HoldCause::Rule, HoldCause::RuleError, HoldCause::Unreadable] {
            let _ = holds.get_or_create_owned(&one("cause", cause.as_str()));
        }
        let [accepted, rejected, held, test] = ["accepted", "rejected", "held", "test"]
            .map(|verdict| verdicts.get_or_create_owned(&one("verdict", verdict)));
        Self {
            accepted,
            rejected,
            held,
            test,
            holds,
        }
    }

    fn held(&self, cause: HoldCause) -> u64 {
        self.holds
            .get_or_create(&one("cause", cause.as_str()))
            .inc();
        self.held.inc()
    }
}

fn made<M: Metric + Clone + Default>(to: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    to.register(name, help, metric.clone());
    metric
}

fn timed(to: &mut Registry, name: &str, help: &str, buckets: fn() -> Histogram) -> Histogram {
    let metric = buckets();
    to.register(name, help, metric.clone());
    metric
}

fn timed_by(to: &mut Registry, name: &str, help: &str) -> Histograms {
    let metric = Histograms::new_with_constructor(short);
    to.register(name, help, metric.clone());
    metric
}

fn short() -> Histogram {
    Histogram::new(SHORT_S)
}

fn long() -> Histogram {
    Histogram::new(LONG_S)
}

fn one(name: &'static str, value: &str) -> Labels<1> {
    [(name, value.to_owned())]
}

/// A time that runs backwards counts as none.
fn seconds(ms: Millis) -> f64 {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}
