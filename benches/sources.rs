//! How long it takes to verify, read and normalise one lead of about 2 KiB on one core, for every
//! shipped source. Prints the median over made-up leads.

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

const LEADS: u64 = 4_000;
const BODY_BYTES: usize = 2_048;
const NOW: i64 = 1_772_539_200_000;
const SENTENCE: &str = "We would like to see it. ";

fn main() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/sources.toml");
    let text = std::fs::read_to_string(file).expect("config/sources.toml");
    let secrets = |_: &str| Ok(Secret::new("a secret of the benchmark"));
    let sources = Sources::parse("sources.toml", &text, &Overrides::new(), &secrets);
    let sources = sources.unwrap_or_else(|problems| panic!("{problems:#?}"));
    println!("source             body  verify and name     read      sum, medians");
    for source in sources.iter() {
        report(source);
    }
}

fn report(source: &Source) {
    let people = (0..LEADS).map(Person::from_seed);
    let people = people.filter(|person| person.kind == Kind::Good);
    let (mut admitted, mut read, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    let mut body_bytes = Vec::new();
    for mut person in people {
        let short = source.adapter.shape(source, &person).body.len();
        let sentences = BODY_BYTES.saturating_sub(short) / SENTENCE.len();
        person.message.push_str(&SENTENCE.repeat(sentences));
        let sample = source.adapter.shape(source, &person);
        let sample = source.adapter.sign(source, sample, NOW);
        let (admit, parse) = once(source, &sample);
        admitted.push(admit);
        read.push(parse);
        sums.push(admit + parse);
        body_bytes.push(sample.body.len());
    }
    println!(
        "{:<16} {:>6}  {:>15.1?} {:>8.1?} {:>9.1?}",
        source.name,
        median(body_bytes),
        median(admitted),
        median(read),
        median(sums)
    );
}

fn once(source: &Source, sample: &Sample) -> (Duration, Duration) {
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
    let admission = source.adapter.admit(source, &request, NOW);
    let admit = start.elapsed();
    let Ok(Admission::Leads(admitted)) = admission else {
        panic!("{} does not take its own sample", source.name)
    };
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
    let parse = start.elapsed();
    assert!(black_box(inquiries).is_ok(), "{}", source.name);
    (admit, parse)
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    *values.get(values.len() / 2).expect("made-up people")
}
