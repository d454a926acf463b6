//! A ledger with very many leads in it, all of which wait: throughput then, memory, starts, and what
//! people look at.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use leadgate::ledger::reads::Filter;

use crate::bare;
use crate::client::Load;
use crate::figures::{Found, Limit, grouped, median, most, percentile};
use crate::leadgate::{Daemon, Shipped, UNDISTRIBUTED, look};
use crate::machine;
use crate::process;
use crate::requests::Maker;
use crate::table::{self, Row};
use crate::{Bench, fresh};

/// So many are made and posted at once.
const LOT: usize = 100_000;
const STARTS: usize = 3;
/// Taken in before each kill.
const BEFORE_KILL: usize = 20_000;
/// How often a command is called, and how often before.
const CALLS: usize = 100;
const WARM_UP: usize = 5;

/// The ledger as it grows.
struct Full<'a> {
    shipped: &'a Shipped,
    data: &'a Path,
    maker: Maker<'a>,
    stored: usize,
}

/// What it came to; times in seconds, memory in millions of bytes.
#[derive(Default)]
struct Measured {
    fill_per_second: f64,
    memory_over: f64,
    waiting: i64,
    stored: usize,
    memory_waiting: f64,
    stops: Vec<f64>,
    stopped: Vec<f64>,
    killed: Vec<f64>,
    list: [f64; 2],
    show: [f64; 2],
    bytes: u64,
}

/// Fills it by posting, then measures on it.
pub(crate) fn run(bench: &Bench, folder: &Path, found: &mut Found) -> anyhow::Result<String> {
    let options = &bench.options;
    // More are posted than wait then: one in five is not accepted, and who asks again is held.
    let leads = options.stored * 3 / 2 + (options.rounds + 1) * options.leads;
    machine::has_room(folder, leads)?;
    let data = folder.join("full");
    std::fs::create_dir_all(&data)?;
    let mut full = Full {
        shipped: &bench.shipped,
        data: &data,
        maker: Maker::new(&bench.shipped),
        stored: 0,
    };
    let mut measured = Measured::default();
    fill(&mut full, &mut measured, options.stored)?;
    start_after_stop(&full, &mut measured)?;
    let daemon = full.start()?;
    commands(&full, &mut measured)?;
    let rows = throughput(bench, &daemon, &mut full, folder)?;
    let peak = daemon.server.peak_mb()?;
    measured.memory_waiting = measured.memory_waiting.max(peak);
    kills(&mut full, daemon, &mut measured)?;
    let limit = rows[0].per_second();
    note(found, &measured, rows[1].per_second() / limit);
    Ok(format!(
        "{}\n{} leads a run on top of it, {}\n\n{}",
        text(&measured, options.stored),
        grouped(options.leads),
        options.medians(),
        table::rows(&rows, (limit, "÷ insert")),
    ))
}

impl<'a> Full<'a> {
    fn start(&self) -> anyhow::Result<Daemon<'a>> {
        Daemon::start(self.shipped, self.data, &[UNDISTRIBUTED])
    }

    fn make(&mut self, leads: usize) -> anyhow::Result<Load> {
        Ok(Load::of(self.maker.make(leads)?))
    }
}

/// Posts until so many leads wait for a rep; in between it is seen what so many leads cost.
fn fill(full: &mut Full, measured: &mut Measured, wanted: usize) -> anyhow::Result<()> {
    let daemon = full.start()?;
    let mut rates = Vec::new();
    loop {
        let left = wanted.saturating_sub(full.stored);
        let load = full.make(if left == 0 { LOT } else { left.min(LOT) })?;
        let (run, _) = daemon.post(&load, None, full.stored)?;
        full.stored += load.len();
        eprintln!(
            "  {} leads stored, {:.0} leads/s",
            full.stored, run.per_second
        );
        if full.stored <= wanted {
            rates.push(1.0 / run.per_second);
        }
        if full.stored < wanted {
            continue;
        }
        if full.stored == wanted {
            measured.memory_over = daemon.server.peak_mb()?;
            measured.fill_per_second = rates.len() as f64 / rates.iter().sum::<f64>();
        }
        let waiting = daemon.stages(full.stored)?.get("waiting").copied();
        measured.waiting = waiting.unwrap_or(0);
        if usize::try_from(measured.waiting)? >= wanted {
            break;
        }
        ensure!(
            full.stored < 2 * wanted + LOT,
            "of {} leads only {} wait",
            full.stored,
            measured.waiting
        );
    }
    measured.stored = full.stored;
    measured.memory_waiting = daemon.server.peak_mb()?;
    measured.stops.push(daemon.server.stop()?.as_secs_f64());
    measured.bytes = std::fs::metadata(leadgate::ledger::path_in(full.data))?.len();
    Ok(())
}

fn start_after_stop(full: &Full, measured: &mut Measured) -> anyhow::Result<()> {
    for _ in 0..STARTS {
        let daemon = full.start()?;
        measured.stopped.push(daemon.server.took.as_secs_f64());
        measured.memory_waiting = measured.memory_waiting.max(daemon.server.peak_mb()?);
        measured.stops.push(daemon.server.stop()?.as_secs_f64());
    }
    eprintln!("  started after a stop: {:.2?} s", measured.stopped);
    Ok(())
}

/// Takes leads in, is killed right after the last answer, and is started again; what was
/// acknowledged must be there.
fn kills(full: &mut Full, daemon: Daemon, measured: &mut Measured) -> anyhow::Result<()> {
    let mut daemon = Some(daemon);
    for _ in 0..STARTS {
        let load = full.make(BEFORE_KILL)?;
        let running = match daemon.take() {
            Some(running) => running,
            None => full.start()?,
        };
        load.send(running.server.address)?;
        running.server.kill();
        full.stored += load.len();
        let again = full.start()?;
        measured.killed.push(again.server.took.as_secs_f64());
        again.all_decided(full.stored)?;
        daemon = Some(again);
    }
    eprintln!("  started after kill -9: {:.2?} s", measured.killed);
    if let Some(daemon) = daemon {
        daemon.stages(full.stored)?;
        measured.memory_waiting = measured.memory_waiting.max(daemon.server.peak_mb()?);
    }
    Ok(())
}

/// The bare insert and the daemon in turns, so that the ratio is of one time.
fn throughput(
    bench: &Bench,
    daemon: &Daemon,
    full: &mut Full,
    folder: &Path,
) -> anyhow::Result<[Row; 2]> {
    let name = format!("leadgate: decided, {} stored", grouped(full.stored));
    let mut rows = [
        Row::new("bare: actix + SQLite insert, FULL, empty"),
        Row::new(&name),
    ];
    for _ in 0..bench.options.rounds {
        let load = full.make(bench.options.leads)?;
        rows[0].add(fresh(folder, |data| {
            bare::measure(bare::STORE, data, &load)
        })?);
        let (run, _) = daemon.post(&load, None, full.stored)?;
        full.stored += load.len();
        rows[1].add(run);
    }
    daemon.stages(full.stored)?;
    Ok(rows)
}

/// Wall time of the commands, beside a daemon that is idle.
fn commands(full: &Full, measured: &mut Measured) -> anyhow::Result<()> {
    let ids = ids_all_over(full)?;
    let list = vec![vec!["leads", "list"]; CALLS + WARM_UP];
    let show = ids.iter().map(|id| vec!["leads", "show", id.as_str()]);
    let (list, show) = (times(full, list)?, times(full, show.collect())?);
    measured.list = [percentile(&list, 50), percentile(&list, 99)];
    measured.show = [percentile(&show, 50), percentile(&show, 99)];
    eprintln!(
        "  leads list: p99 {:.1} ms; leads show: p99 {:.1} ms",
        measured.list[1], measured.show[1]
    );
    Ok(())
}

/// Leads from the first to the last, the first ones for warming up.
fn ids_all_over(full: &Full) -> anyhow::Result<Vec<String>> {
    let calls = CALLS + WARM_UP;
    let step = full.stored / calls;
    ensure!(step > 0, "--stored must be at least {calls}");
    look(full.data, |ledger| {
        let mut ids = Vec::with_capacity(calls);
        for at in 0..calls {
            let before = i64::try_from((at + 1) * step)? + 1;
            let one = Filter {
                before: Some(before),
                ..Filter::default()
            };
            let found = ledger.read(|r| r.list(&one, 1))?;
            ids.push(found.first().context("a lead")?.id.to_string());
        }
        Ok(ids)
    })
}

/// Milliseconds of each call but the first few, ascending.
fn times(full: &Full, calls: Vec<Vec<&str>>) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::with_capacity(calls.len());
    for (at, words) in calls.into_iter().enumerate() {
        process::go_on()?;
        let mut command = full.shipped.program(full.data);
        command.args(&words).stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status()?;
        let took = start.elapsed();
        ensure!(status.success(), "leadgate {} failed", words.join(" "));
        if at >= WARM_UP {
            times.push(milliseconds(took));
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn note(found: &mut Found, measured: &Measured, ratio: f64) {
    found.note(Limit::RatioFull, ratio);
    found.note(Limit::MemoryOver, measured.memory_over);
    found.note(Limit::MemoryWaiting, measured.memory_waiting);
    found.note(Limit::StartStopped, most(measured.stopped.iter().copied()));
    found.note(Limit::StartKilled, most(measured.killed.iter().copied()));
    found.note(Limit::List, measured.list[1]);
    found.note(Limit::Show, measured.show[1]);
}

fn text(measured: &Measured, wanted: usize) -> String {
    let all = |times: &[f64]| {
        let times = times.iter().map(|time| format!("{time:.2}"));
        times.collect::<Vec<_>>().join(", ")
    };
    let wanted = grouped(wanted);
    format!(
        "{} leads posted, {} of them waiting; {:.1} GB on disk, {:.0} bytes a lead.\n\n\
         | on it | |\n|---|--:|\n\
         | posting the first {wanted}, leads/s | {:.0} |\n\
         | peak RSS over the first {wanted} leads, MB | {:.0} |\n\
         | peak RSS with {wanted} waiting, starts and more leads included, MB | {:.0} |\n\
         | start after a clean stop, s | {} |\n\
         | start after kill -9 under load, s | {} |\n\
         | stop, s | {} |\n\
         | `leads list` (50 rows), p50 and p99 of {CALLS}, ms | {:.1}, {:.1} |\n\
         | `leads show`, p50 and p99 of {CALLS}, ms | {:.1}, {:.1} |\n",
        grouped(measured.stored),
        measured.waiting,
        measured.bytes as f64 / 1e9,
        measured.bytes as f64 / measured.stored as f64,
        measured.fill_per_second,
        measured.memory_over,
        measured.memory_waiting,
        all(&measured.stopped),
        all(&measured.killed),
        all(&[median(measured.stops.iter().copied())]),
        measured.list[0],
        measured.list[1],
        measured.show[0],
        measured.show[1],
    )
}
