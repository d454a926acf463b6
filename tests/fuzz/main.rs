//! Sends mutated requests through every parser and watches for panics, hangs and growing memory.
//!
//! A short pass is part of `cargo test`. A long one of one family:
//!
//! ```text
//! cargo test --release --test fuzz -- --family json --seconds 600
//! ```
//!
//! An input follows from the seed and its number alone, so a finding is repeated by
//! `--seed SEED --only NUMBER`; it is also written below `target/fuzz`. See docs/normalisation.md.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::exit,
    reason = "a test without a harness prints its result and ends with a code"
)]

mod families;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use families::Family;
use mutate::Dice;

/// No input may take longer; far above what the slowest machine needs for the largest.
const INPUT_MAX: Duration = Duration::from_secs(20);
/// How far the process may grow after its first inputs.
const GROWTH_MAX_KIB: u64 = 96 * 1024;
/// Inputs after which caches are full and the allocator has what it needs.
const WARM_UP: u64 = 2_000;

struct Options {
    family: Option<String>,
    seconds: u64,
    seed: u64,
    only: Option<u64>,
}

fn main() {
    let Some(options) = options() else {
        return; // `cargo test NAME` looks for another test
    };
    let families = families::all();
    let chosen = |family: &&Family| {
        options
            .family
            .as_deref()
            .is_none_or(|name| name == family.name)
    };
    let mut passed = 0;
    for family in families.iter().filter(chosen) {
        match run(family, &options) {
            Ok(report) => {
                passed += 1;
                println!("fuzz {}: {report}", family.name);
            }
            Err(finding) => {
                println!("fuzz {}: {finding}", family.name);
                println!("test result: FAILED. {passed} passed; 1 failed");
                std::process::exit(1);
            }
        }
    }
    println!("test result: ok. {passed} passed; 0 failed");
    if passed == 0 {
        println!("no family of this name; there are {}", families::names());
        std::process::exit(2);
    }
}

fn options() -> Option<Options> {
    let mut options = Options {
        family: None,
        seconds: 2,
        seed: 0,
        only: None,
    };
    let mut seed = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().unwrap_or_default();
            text.parse()
                .unwrap_or_else(|_| panic!("{argument} wants a number"))
        };
        match argument.as_str() {
            "--seconds" => options.seconds = number(),
            "--seed" => seed = Some(number()),
            "--only" => options.only = Some(number()),
            "--family" => options.family = arguments.next(),
            flag if flag.starts_with('-') => {}
            name if "fuzz".contains(name) => {}
            _ => return None,
        }
    }
    // The short pass is the same on every machine; a long one is another each time.
    options.seed = seed.unwrap_or_else(|| {
        let fresh = u64::from_le_bytes(leadgate::secret::random_bytes());
        if options.seconds > 2 { fresh } else { 1 }
    });
    Some(options)
}

/// What is at work now, for the watchman.
#[derive(Default)]
struct Current {
    number: AtomicU64,
    since: Mutex<Option<Instant>>,
}

fn run(family: &Family, options: &Options) -> Result<String, String> {
    let seed = options.seed;
    let current = Arc::new(Current::default());
    let done = watch(family.name, seed, &current);
    let started = Instant::now();
    let limit = Duration::from_secs(options.seconds);
    let (mut number, mut taken, mut slowest) = (options.only.unwrap_or(0), 0_u64, Duration::ZERO);
    let mut warm_kib = 0;
    loop {
        let input = family.input(&mut Dice::new(seed, number));
        current.number.store(number, Ordering::Relaxed);
        let start = Instant::now();
        *current.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(start);
        let result = catch_unwind(AssertUnwindSafe(|| family.check(&input)));
        slowest = slowest.max(start.elapsed());
        let finding = match result {
            Ok(Ok(was_taken)) => {
                taken += u64::from(was_taken);
                None
            }
            Ok(Err(broken)) => Some(broken),
            Err(_) => Some("a panic".to_owned()),
        };
        if let Some(what) = finding {
            return Err(told(family.name, seed, number, &what, Some(&input.shown())));
        }
        number += 1;
        if number == WARM_UP {
            warm_kib = resident_kib();
        }
        if number % 512 == 0 && number > WARM_UP && resident_kib() > warm_kib + GROWTH_MAX_KIB {
            let what = format!("memory grew from {warm_kib} to {} KiB", resident_kib());
            return Err(told(family.name, seed, number, &what, None));
        }
        if options.only.is_some() || started.elapsed() >= limit {
            break;
        }
    }
    drop(done);
    Ok(format!(
        "seed {seed}, {number} inputs, {taken} of them taken, slowest {} ms, {} KiB resident (after warming up {warm_kib})",
        slowest.as_millis(),
        resident_kib()
    ))
}

/// Ends the process when an input hangs: nothing else could stop it. Watches until the sender is
/// dropped.
fn watch(family: &'static str, seed: u64, current: &Arc<Current>) -> std::sync::mpsc::Sender<()> {
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let current = current.clone();
    std::thread::spawn(move || {
        use std::sync::mpsc::RecvTimeoutError::Timeout;
        while is_done.recv_timeout(Duration::from_secs(1)) == Err(Timeout) {
            let since = *current.since.lock().unwrap_or_else(PoisonError::into_inner);
            if since.is_some_and(|since| since.elapsed() > INPUT_MAX) {
                let number = current.number.load(Ordering::Relaxed);
                println!(
                    "fuzz {family}: {}",
                    told(family, seed, number, "a hang", None)
                );
                println!("test result: FAILED. 0 passed; 1 failed");
                std::process::exit(1);
            }
        }
    });
    done
}

/// The finding in words, its input in a file.
fn told(family: &str, seed: u64, number: u64, what: &str, input: Option<&str>) -> String {
    let again = format!("--family {family} --seed {seed} --only {number}");
    let mut words = format!("{what}; again with: cargo test --test fuzz -- {again}");
    if let Some(input) = input {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = dir.join(format!("fuzz-{family}-{seed}-{number}.txt"));
        std::fs::write(&path, input).expect("the finding is written");
        words = format!("{words}\nthe input is in {}\n{input:.2000}", path.display());
    }
    words
}

/// What the process holds in memory; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
