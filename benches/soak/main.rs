//! An hour in bad company: the real daemon takes leads at an even pace while its mail server
//! misbehaves, its Redis dies every few minutes, and it is killed itself now and then. Afterwards the
//! ledger must tell of everything that was promised, and nothing may have grown. See
//! `docs/soak.md`.
//!
//! `tests/soak [--minutes N] [--per-second N] [--redis-fault-every-s N] [--freeze-s N] [--down-s N]
//! [--kills N] [--sample-every-s N] [--drain-max-min N] [--keep]`

#![expect(
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::wildcard_enum_match_arm,
    reason = "a program for a terminal: the table goes to stdout, progress to stderr; what a match \
              does not name is no case of its own here"
)]

mod check;
mod load;
mod options;
mod redis_server;
mod site;
mod smtp;
mod watch;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use leadgate::clock::Clock;
use tokio::sync::{Mutex, watch as signal_of};

use check::Broken;
use load::{Book, Senders};
use options::{Faults, Options};
use redis_server::RedisServer;
use site::{Daemon, Site};
use smtp::Smtp;
use watch::Sample;

fn main() -> ExitCode {
    let (out, broken) = (&mut std::io::stdout(), &mut Broken::default());
    let done = run(out, broken);
    if let Err(error) = &done {
        broken.note("the soak itself goes to its end", format!("{error:#}"));
    }
    let mut say = |line: String| drop(writeln!(out, "{line}"));
    broken
        .lines()
        .for_each(|line| say(format!("FAILED {line}")));
    if broken.is_empty() {
        say("soak: ok".into());
        ExitCode::SUCCESS
    } else {
        say("soak: failed".into());
        ExitCode::FAILURE
    }
}

fn run(out: &mut impl Write, broken: &mut Broken) -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = options::read(&args)?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    // On the disk of the target folder: /tmp may be memory, where an fsync costs nothing.
    let mut dir = tempfile::Builder::new()
        .prefix("soak-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .context("no folder to work in")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let done = runtime.block_on(soak(&options, dir.path(), out, broken));
    if options.keep || done.is_err() || !broken.is_empty() {
        dir.disable_cleanup(true);
        eprintln!("ledger and log are kept in {}", dir.path().display());
    }
    done
}

/// What the parts of a run share.
struct Shared {
    site: Arc<Site>,
    daemon: Mutex<Daemon>,
    redis: Mutex<RedisServer>,
    samples: Mutex<Vec<Sample>>,
    start: Instant,
}

async fn soak(
    options: &Options,
    dir: &std::path::Path,
    out: &mut impl Write,
    broken: &mut Broken,
) -> anyhow::Result<()> {
    let smtp = Smtp::start().await?;
    let redis = RedisServer::start(dir).await?;
    let site = Arc::new(Site::copy_to(dir, smtp.port, redis.port)?);
    let daemon = Daemon::start(&site).await?;
    let book = Arc::new(Book::default());
    let senders = Senders {
        site: site.clone(),
        book: book.clone(),
        client: reqwest::Client::builder().no_proxy().build()?,
    };
    let shared = Shared {
        site: site.clone(),
        daemon: Mutex::new(daemon),
        redis: Mutex::new(redis),
        samples: Mutex::default(),
        start: Instant::now(),
    };
    let (stop, stopped) = signal_of::channel(false);
    let end = shared.start + options.run;
    let load = async {
        senders.run(options.per_second, end, stopped.clone()).await;
        let _ = stop.send(true);
        Ok(())
    };
    let ended = tokio::try_join!(
        load,
        stop_early(&stop, stopped.clone()),
        until_stopped(stopped.clone(), torment_redis(&shared, &options.faults)),
        until_stopped(stopped.clone(), kill_daemon(&shared, options)),
        until_stopped(stopped.clone(), look(&shared, options.sample_every)),
    );
    let ran = shared.start.elapsed().min(options.run);
    ended?;
    shared.redis.lock().await.recover().await?;
    smtp.behave();
    eprintln!("the load has ended; waiting until everything is delivered");
    let drained_in = drain(&shared, options.drain_max).await?;
    let status = shared.daemon.lock().await.stop().await?;
    if !status.success() {
        broken.note("the daemon stops with 0", status.to_string());
    }
    let samples = shared.samples.lock().await.clone();
    watch::judge(out, &samples, ran, broken)?;
    eprintln!("the daemon has stopped; looking at every lead");
    let found = check::everything(&site, &book, &smtp, broken)?;
    tell(out, &book, &smtp, &found, drained_in)?;
    verify(out, &site, broken)?;
    log(&site, broken)
}

async fn until_stopped(
    mut stopped: signal_of::Receiver<bool>,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tokio::select! {
        done = work => done,
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
    }
}

/// Ctrl-C ends the load, and what was sent is looked at all the same.
async fn stop_early(
    stop: &signal_of::Sender<bool>,
    stopped: signal_of::Receiver<bool>,
) -> anyhow::Result<()> {
    until_stopped(stopped, async {
        tokio::signal::ctrl_c().await?;
        let _ = stop.send(true);
        Ok(())
    })
    .await
}

async fn torment_redis(shared: &Shared, faults: &Faults) -> anyhow::Result<()> {
    for turn in 0.. {
        Clock::pause(faults.every).await;
        let what = shared.redis.lock().await.suffer(turn, faults).await?;
        eprintln!("{:>6.0?}  {what}", shared.start.elapsed());
    }
    Ok(())
}

/// In the middle of the run, so that the last sixth shows a daemon as old as the second one does.
async fn kill_daemon(shared: &Shared, options: &Options) -> anyhow::Result<()> {
    for turn in 0..options.faults.kills {
        let gap = options.run.mul_f64(0.25 / f64::from(options.faults.kills));
        let at = options.run.mul_f64(0.35) + gap * turn;
        Clock::pause(at.saturating_sub(shared.start.elapsed())).await;
        let mut daemon = shared.daemon.lock().await;
        daemon.kill()?;
        *daemon = Daemon::start(&shared.site).await?;
        let took = daemon.started_in;
        let at = shared.start.elapsed();
        eprintln!("{at:>6.0?}  leadgate was killed, and was ready again after {took:.1?}");
    }
    // Whoever ends first must not end the others.
    std::future::pending().await
}

async fn look(shared: &Shared, every: Duration) -> anyhow::Result<()> {
    for turn in 1.. {
        Clock::pause((every * turn).saturating_sub(shared.start.elapsed())).await;
        // Waits for a restart that is under way.
        let mut daemon = shared.daemon.lock().await;
        if let Some(status) = daemon.ended()? {
            anyhow::bail!("the daemon ended by itself: {status}");
        }
        let data = shared.site.data();
        let counts = watch::counts(&data)?;
        // A Redis that something is being done to answers nobody.
        let redis = shared.redis.try_lock().ok();
        let redis = redis.and_then(|redis| redis.depth().ok());
        let sample = Sample {
            at: shared.start.elapsed(),
            memory_mib: daemon.memory_mib()?,
            files: daemon.files()? as f64,
            wal_mib: watch::wal_mib(&data),
            due: counts.due as f64,
            again: counts.again as f64,
            redis: redis.map(|n| n as f64),
            leads: counts.leads,
        };
        eprintln!(
            "{:>6.0?}  {} leads, {:.0} MiB, {} due, {} to try again",
            sample.at, sample.leads, sample.memory_mib, sample.due, sample.again
        );
        shared.samples.lock().await.push(sample);
    }
    Ok(())
}

/// Until everything is decided and nothing is due or to be delivered. Leads whose deadline passes go
/// on moving, so it is the first such moment.
async fn drain(shared: &Shared, most: Duration) -> anyhow::Result<Duration> {
    let start = Instant::now();
    loop {
        let counts = watch::counts(&shared.site.data())?;
        if counts.due + counts.undecided + counts.mails == 0 {
            return Ok(start.elapsed());
        }
        ensure!(
            start.elapsed() < most,
            "{} due, {} undecided, {} mails to send {most:?} after the end of the load",
            counts.due,
            counts.undecided,
            counts.mails,
        );
        Clock::pause(Duration::from_millis(250)).await;
    }
}

fn tell(
    out: &mut impl Write,
    book: &Book,
    smtp: &Smtp,
    found: &check::Found,
    drained_in: Duration,
) -> anyhow::Result<()> {
    let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let [p50, p99, longest] = book.latencies();
    let (unknown, leads) = book.unknown();
    writeln!(
        out,
        "\n{} requests: {} submissions answered, {} of them repeats or sent twice; {} times 503, {} \
         times no answer; {unknown} given up without one ({leads} leads). Answered within {p50} ms \
         (median), {p99} ms (99 %), {longest} ms (all).",
        of(&book.requests),
        book.answered().len(),
        of(&book.repeats),
        of(&book.busy),
        of(&book.silent),
    )?;
    let list = |counts: &std::collections::BTreeMap<&'static str, usize>| {
        let parts = counts.iter().map(|(word, n)| format!("{n} {word}"));
        parts.collect::<Vec<_>>().join(", ")
    };
    writeln!(
        out,
        "{} leads: {}. {} assignments; notices: {}; {} attempts; {} mails came more than once. The \
         mail server's connections: {}. Everything was delivered {drained_in:.0?} after the load.",
        found.leads,
        list(&found.stages),
        found.assignments,
        list(&found.deliveries),
        found.attempts,
        found.doubled,
        smtp.met(),
    )?;
    Ok(())
}

/// `leadgate ledger verify`, where this version has it.
fn verify(out: &mut impl Write, site: &Site, broken: &mut Broken) -> anyhow::Result<()> {
    if !site
        .command(&["ledger", "--help"])
        .output()?
        .status
        .success()
    {
        writeln!(out, "`leadgate ledger verify`: this version has none.")?;
        return Ok(());
    }
    let done = site.command(&["ledger", "verify"]).output()?;
    let told = [done.stdout, done.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    writeln!(out, "`leadgate ledger verify`: {}", told.trim())?;
    if !done.status.success() {
        broken.note(
            "`leadgate ledger verify` finds nothing",
            done.status.to_string(),
        );
    }
    Ok(())
}

/// Nothing panicked, and nobody is told of in the log.
fn log(site: &Site, broken: &mut Broken) -> anyhow::Result<()> {
    let log = site.log()?;
    for line in log.lines() {
        if line.contains("panicked") {
            broken.note("nothing panics", line.to_owned());
        }
        if line.contains('@') {
            broken.note("the log tells nobody's address", "see the log".to_owned());
        }
    }
    Ok(())
}

/// Splitmix64: what looks like chance, and is the same in every run.
pub(crate) fn dice(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
