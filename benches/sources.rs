//! How long it takes to verify, read and normalise one lead of about 2 KiB on one core, for every
//! shipped source. Prints medians over made-up leads. `-- NAME…` measures these sources alone.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints its figures and ends where it cannot go on"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use leadgate::document::Overrides;
use leadgate::lead::{Headers, Submission};
use leadgate::sample::{Kind, Person};
use leadgate::secret::Secret;
use leadgate::source::{Admission, Request, Sample, Source, Sources};

// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LEADS: u64 = 1_000;
const ROUNDS: usize = 15;
const BODY_BYTES: usize = 2_048;
const NOW: i64 = 1_772_539_200_000;
const SENTENCE: &str = "We would like to see it. ";

fn main() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/sources.toml");
    let text = std::fs::read_to_string(file).expect("config/sources.toml");
    let secrets = |_: &str| Ok(Secret::new("a secret of the benchmark"));
    let sources = Sources::parse("sources.toml", &text, &Overrides::new(), &secrets);
    let sources = sources.unwrap_or_else(|problems| panic!("{problems:#?}"));
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let is_wanted =
        |source: &&std::sync::Arc<Source>| wanted.is_empty() || wanted.contains(&source.name);
    let mut rows: Vec<_> = sources
        .iter()
        .filter(is_wanted)
        .map(|source| Row::of(source))
        .collect();
    // In turns, so that a neighbour who takes the machine for a while spoils one round of each.
    for _ in 0..ROUNDS {
        rows.iter_mut().for_each(Row::run);
    }
    println!("source             body   median of the best round");
    for row in &rows {
        let (name, bytes) = (&row.source.name, row.body_bytes);
        println!("{name:<16} {bytes:>6}  {:>9.1?}", row.best);
    }
}

struct Row<'s> {
    source: &'s Source,
    samples: Vec<Sample>,
    body_bytes: usize,
    best: Duration,
}

impl<'s> Row<'s> {
    fn of(source: &'s Source) -> Self {
        let people = (0..LEADS).map(Person::from_seed);
        let people = people.filter(|person| person.kind == Kind::Good);
        let samples: Vec<_> = people.map(|person| signed(source, person)).collect();
        let lengths = samples.iter().map(|sample| sample.body.len());
        Self {
            source,
            body_bytes: median(lengths.collect()),
            samples,
            best: Duration::MAX,
        }
    }

    fn run(&mut self) {
        let times = self.samples.iter().map(|sample| once(self.source, sample));
        self.best = self.best.min(median(times.collect()));
    }
}

fn signed(source: &Source, mut person: Person) -> Sample {
    let short = source.adapter.shape(source, &person).body.len();
    let sentences = BODY_BYTES.saturating_sub(short) / SENTENCE.len();
    person.message.push_str(&SENTENCE.repeat(sentences));
    let sample = source.adapter.shape(source, &person);
    source.adapter.sign(source, sample, NOW)
}

/// What is read on the way is not read again; the rest is read from what is stored.
fn once(source: &Source, sample: &Sample) -> Duration {
    let headers = sample.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.clone()));
    let headers = Headers(headers.collect());
    let request = Request {
        method: sample.method,
        query: &sample.query,
        headers: &headers,
        body: &sample.body,
    };
    let start = Instant::now();
    let admission = source.admit(&request, NOW);
    let admit = start.elapsed();
    let Ok(Admission::Leads(admitted)) = admission else {
        panic!("{} does not take its own sample", source.name)
    };
    if !black_box(&admitted.read).is_empty() {
        return admit;
    }
    let submission = Submission {
        source: source.name.clone(),
        received_at: NOW,
        headers: admitted.headers,
        query: admitted.query,
        raw: admitted.raw,
        keys: Vec::new(),
    };
    let start = Instant::now();
    let inquiries = source.inquiries(&submission);
    let read = start.elapsed();
    assert!(black_box(inquiries).is_ok(), "{}", source.name);
    admit + read
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    *values.get(values.len() / 2).expect("made-up people")
}
