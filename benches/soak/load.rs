//! The senders: signed webhooks, forms and batches at an even pace whatever the daemon does, as a
//! platform sends them: what gets no answer comes again, and some things come twice anyhow. Keeps the
//! book that the ledger is held against.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use leadgate::clock::Clock;
use leadgate::lead::LeadId;
use leadgate::sample::Person;
use leadgate::source::Sample;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::dice;
use crate::site::Site;

/// How long one request may take, and when it is sent again without an answer.
const ANSWER_MAX: Duration = Duration::from_secs(15);
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// After the last new request, for those that had no answer.
const LATE_MAX: Duration = Duration::from_secs(90);
/// Repeats are of one of so many last submissions.
const RECENT: usize = 5_000;
const PROBLEMS_MAX: usize = 1_000;

/// What was sent and what came back.
#[derive(Default)]
pub(crate) struct Book {
    answered: Mutex<HashMap<u64, Vec<LeadId>>>,
    /// Submissions given up without an answer, and how many leads are in each.
    unknown: Mutex<HashMap<u64, usize>>,
    recent: Mutex<VecDeque<u64>>,
    problems: Mutex<Vec<String>>,
    latencies_ms: Mutex<Vec<u32>>,
    pub(crate) requests: AtomicU64,
    pub(crate) repeats: AtomicU64,
    pub(crate) busy: AtomicU64,
    pub(crate) silent: AtomicU64,
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    /// Every submission that was answered with a 2xx, and the leads that it was told of.
    pub(crate) fn answered(&self) -> HashMap<u64, Vec<LeadId>> {
        lock(&self.answered).clone()
    }

    /// Submissions that nobody knows anything of, and how many leads are in them.
    pub(crate) fn unknown(&self) -> (usize, usize) {
        let answered = lock(&self.answered);
        let unknown = lock(&self.unknown);
        let still = unknown.iter().filter(|(n, _)| !answered.contains_key(*n));
        still.fold((0, 0), |(n, leads), (_, of)| (n + 1, leads + of))
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        lock(&self.problems).clone()
    }

    /// Milliseconds to the answer: median, 99th percentile, the longest.
    pub(crate) fn latencies(&self) -> [u32; 3] {
        let mut all = lock(&self.latencies_ms).clone();
        all.sort_unstable();
        let at = |percent: usize| {
            let at = (all.len() * percent / 100).min(all.len().saturating_sub(1));
            all.get(at).copied().unwrap_or_default()
        };
        [at(50), at(99), at(100)]
    }

    fn problem(&self, text: String) {
        let mut problems = lock(&self.problems);
        if problems.len() < PROBLEMS_MAX {
            problems.push(text);
        }
    }

    /// Notes an answer; a repeat must have got the same.
    fn answer(&self, what: &Submission, receipts: Vec<LeadId>) {
        let n = what.n;
        if receipts.len() != what.leads() {
            let (got, of) = (receipts.len(), what.leads());
            self.problem(format!("submission {n}: {got} receipts for {of} leads"));
        }
        let mut answered = lock(&self.answered);
        match answered.get(&n) {
            Some(before) if *before != receipts => {
                let text = format!("submission {n} got another receipt when it came again");
                self.problem(text);
            }
            Some(_) => {}
            None => {
                answered.insert(n, receipts);
                drop(answered);
                let mut recent = lock(&self.recent);
                recent.push_back(n);
                if recent.len() > RECENT {
                    recent.pop_front();
                }
            }
        }
    }

    fn some_recent(&self, roll: u64) -> Option<u64> {
        let recent = lock(&self.recent);
        let at = usize::try_from(roll).ok()?.checked_rem(recent.len())?;
        recent.get(at).copied()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Webhook,
    Form,
    /// Of so many leads.
    Batch(usize),
}

/// Everything about a submission follows from its number.
#[derive(Clone, Copy, Debug)]
struct Submission {
    n: u64,
    kind: Kind,
}

impl Submission {
    fn new(n: u64) -> Self {
        let roll = dice(n);
        let kind = match roll % 100 {
            0..55 => Kind::Webhook,
            55..95 => Kind::Form,
            _ => Kind::Batch(2 + usize::try_from((roll >> 32) % 7).unwrap_or(0)),
        };
        Self { n, kind }
    }

    fn leads(self) -> usize {
        match self.kind {
            Kind::Webhook | Kind::Form => 1,
            Kind::Batch(leads) => leads,
        }
    }

    /// One in twenty senders never tries again.
    fn gives_up(self) -> bool {
        dice(self.n ^ 0x61_7665).is_multiple_of(20)
    }

    /// One in fifty is sent twice at the same time.
    fn has_twin(self) -> bool {
        dice(self.n ^ 0x7477_696e).is_multiple_of(50)
    }

    /// Signed now: a signature is good for five minutes.
    fn request(self, site: &Site) -> anyhow::Result<(&'static str, Sample)> {
        let name = match self.kind {
            Kind::Webhook => "landing",
            Kind::Form => "website",
            Kind::Batch(_) => "batch",
        };
        let source = site.policy.sources.get(name).context("the source")?;
        let (adapter, now) = (source.adapter, Clock::system().now());
        // Room for the leads of a batch between two numbers.
        let person = |at: u64| Person::from_seed(self.n * 16 + at);
        let mut sample = adapter.shape(source, &person(0));
        let ticket = format!("s{}", self.n);
        match self.kind {
            Kind::Form => {
                // Two who left no address may have written the same.
                sample
                    .body
                    .extend_from_slice(format!("&ticket={ticket}").as_bytes());
                sample.headers.push(("idempotency-key".into(), ticket));
            }
            Kind::Webhook => sample.body = ticketed(&sample.body, "ticket", &ticket)?,
            Kind::Batch(leads) => {
                let mut items = Vec::new();
                for at in 0..u64::try_from(leads)? {
                    let body = adapter.shape(source, &person(at)).body;
                    let body = ticketed(&body, "id", &format!("{ticket}.{at}"))?;
                    items.push(serde_json::from_slice::<serde_json::Value>(&body)?);
                }
                sample.body = serde_json::json!({ "leads": items })
                    .to_string()
                    .into_bytes();
            }
        }
        Ok((name, adapter.sign(source, sample, now)))
    }
}

fn ticketed(body: &[u8], name: &str, ticket: &str) -> anyhow::Result<Vec<u8>> {
    let mut value: serde_json::Value = serde_json::from_slice(body)?;
    let object = value.as_object_mut().context("an object")?;
    object.insert(name.to_owned(), ticket.into());
    Ok(value.to_string().into_bytes())
}

enum Outcome {
    Told(Vec<LeadId>),
    Busy,
    Silence,
    /// What must not be.
    Wrong(String),
}

/// What every sender has.
#[derive(Clone)]
pub(crate) struct Senders {
    pub(crate) site: Arc<Site>,
    pub(crate) book: Arc<Book>,
    pub(crate) client: reqwest::Client,
}

impl Senders {
    /// Sends at `per_second` leads until `end`, or until `stop`, and then what had no answer.
    pub(crate) async fn run(&self, per_second: u64, end: Instant, mut stop: watch::Receiver<bool>) {
        let start = Instant::now();
        let mut senders = JoinSet::new();
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut n, mut sent) = (0, 0);
        let late = Arc::new(Mutex::new(end + LATE_MAX));
        while Instant::now() < end && !*stop.borrow_and_update() {
            tick.tick().await;
            let due = u128::from(per_second) * start.elapsed().as_millis() / 1_000;
            while u128::from(sent) < due {
                let submission = Submission::new(n);
                n += 1;
                sent += submission.leads() as u64;
                for _ in 0..=usize::from(submission.has_twin()) {
                    senders.spawn(self.clone().sender(submission, false, late.clone()));
                }
                let roll = dice(n ^ 0x6167);
                let again = roll
                    .is_multiple_of(12)
                    .then(|| self.book.some_recent(roll >> 8));
                if let Some(again) = again.flatten() {
                    let again = Submission::new(again);
                    senders.spawn(self.clone().sender(again, true, late.clone()));
                }
            }
            while senders.try_join_next().is_some() {}
        }
        *lock(&late) = Instant::now() + LATE_MAX;
        while senders.join_next().await.is_some() {}
    }

    /// Sends one submission until it is answered.
    async fn sender(self, what: Submission, is_repeat: bool, until: Arc<Mutex<Instant>>) {
        let book = &self.book;
        if is_repeat {
            book.repeats.fetch_add(1, Ordering::Relaxed);
        }
        loop {
            let begun = Instant::now();
            let outcome = self.send(what).await;
            book.requests.fetch_add(1, Ordering::Relaxed);
            match outcome {
                Ok(Outcome::Told(receipts)) => {
                    let took = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
                    lock(&book.latencies_ms).push(took);
                    book.answer(&what, receipts);
                    return;
                }
                Ok(Outcome::Busy) => {
                    book.busy.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Outcome::Silence) => {
                    book.silent.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Outcome::Wrong(text)) => return book.problem(text),
                Err(error) => return book.problem(format!("submission {}: {error:#}", what.n)),
            }
            if what.gives_up() || Instant::now() > *lock(&until) {
                lock(&book.unknown).insert(what.n, what.leads());
                return;
            }
            Clock::pause(AGAIN_AFTER).await;
        }
    }

    async fn send(&self, what: Submission) -> anyhow::Result<Outcome> {
        let (name, sample) = what.request(&self.site)?;
        let mut request = self.client.post(self.site.url(&format!("/in/{name}")));
        for (name, value) in &sample.headers {
            request = request.header(name, value);
        }
        let request = request.timeout(ANSWER_MAX).body(sample.body);
        let Ok(answer) = request.send().await else {
            return Ok(Outcome::Silence);
        };
        let status = answer.status().as_u16();
        let Ok(text) = answer.text().await else {
            return Ok(Outcome::Silence);
        };
        if status == 503 {
            return Ok(Outcome::Busy);
        }
        let n = what.n;
        if !(200..300).contains(&status) {
            return Ok(Outcome::Wrong(format!("submission {n}: {status} {text}")));
        }
        let value: serde_json::Value = serde_json::from_str(&text)?;
        let one = value.get("receipt").into_iter();
        let many = value.get("receipts").and_then(|list| list.as_array());
        let all = one.chain(many.into_iter().flatten());
        let receipts: Option<Vec<LeadId>> = all.map(|text| text.as_str()?.parse().ok()).collect();
        Ok(match receipts {
            Some(receipts) => Outcome::Told(receipts),
            None => Outcome::Wrong(format!("submission {n}: {status} {text}")),
        })
    }
}
