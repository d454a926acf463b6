//! Redis against memory as the queue, in turns.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::ensure;

use crate::client::Load;
use crate::figures::{Found, Limit, grouped, median};
use crate::leadgate::{Daemon, PATIENT};
use crate::process::{self, Ready, Server};
use crate::requests;
use crate::table::{self, Row, Run};
use crate::{Bench, fresh};

const PROGRAM: &str = "redis-server";
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(50);
const LOOKS_MAX: usize = 200;

/// With routing and mail on; also how soon the last lead was offered.
pub(crate) fn run(bench: &Bench, folder: &Path, found: &mut Found) -> anyhow::Result<String> {
    let options = &bench.options;
    if !is_installed() {
        let why = format!("{PROGRAM} is not installed (Debian: apt-get install -y {PROGRAM})");
        eprintln!("  left out: {why}");
        return Ok(format!("Not measured: {why}.\n"));
    }
    let mut rows = [Row::new("queue in memory"), Row::new("queue in Redis")];
    let mut offered = [Vec::new(), Vec::new()];
    for _ in 0..options.rounds {
        for (at, row) in rows.iter_mut().enumerate() {
            let load = requests::load(&bench.shipped, options.leads)?;
            let (run, per_second) = fresh(folder, |data| match at {
                0 => measure(bench, data, &load, "memory"),
                _ => behind_redis(bench, data, &load),
            })?;
            row.add(run);
            offered[at].push(per_second);
        }
    }
    let memory = rows[0].per_second();
    found.note(Limit::Redis, rows[1].per_second() / memory);
    let [in_memory, in_redis] = offered.map(median);
    Ok(format!(
        "{} leads a run, routing and mail on, {}\n\n{}\n\
         From the first POST to the last offer: {in_memory:.0} leads/s with memory, {in_redis:.0} \
         with Redis ({:.2}).\n",
        grouped(options.leads),
        options.medians(),
        table::rows(&rows, (memory, "÷ memory")),
        in_redis / in_memory,
    ))
}

fn is_installed() -> bool {
    let mut command = Command::new(PROGRAM);
    let asked = command.arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// With a Redis of its own, as it comes, but that it writes nothing to disk: what is in it may be
/// lost at any time.
fn behind_redis(bench: &Bench, data: &Path, load: &Load) -> anyhow::Result<(Run, f64)> {
    let address = process::free_address()?;
    let mut command = Command::new(PROGRAM);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(["--port", &address.port().to_string(), "--dir"]);
    command.arg(data).stdout(Stdio::null());
    let _redis = Server::start(&mut command, address, Ready::Listens)?;
    measure(bench, data, load, &format!("redis://{address}/0"))
}

fn measure(bench: &Bench, data: &Path, load: &Load, url: &str) -> anyhow::Result<(Run, f64)> {
    let settings = [("LEADGATE_QUEUE__URL", url), PATIENT];
    let daemon = Daemon::start(&bench.shipped, data, &settings)?;
    uses_its_queue(&daemon.server)?;
    let (run, sent) = daemon.post(load, None, 0)?;
    let (_, _, last) = daemon.all_offered()?;
    let stages = daemon.stages(load.len())?;
    // Else it was memory that was measured.
    ensure!(
        trouble(&daemon.server)?.is_empty(),
        "the queue was lost on the way: {}",
        trouble(&daemon.server)?
    );
    let per_second = load.len() as f64 / last.duration_since(sent.start).as_secs_f64();
    Ok((run.with_stages(stages, daemon.mails()), per_second))
}

/// Waits until the daemon is connected.
fn uses_its_queue(server: &Server) -> anyhow::Result<()> {
    let mut found = String::new();
    for _ in 0..LOOKS_MAX {
        found = trouble(server)?;
        if found.is_empty() {
            return Ok(());
        }
        process::pause(LOOK_EVERY)?;
    }
    anyhow::bail!("the daemon does not use its queue: {found}")
}

/// What the daemon says of its queue; nothing where all is well.
fn trouble(server: &Server) -> anyhow::Result<String> {
    let answer = server.get("/readyz")?;
    let (_, said) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(said.trim().trim_start_matches("ready").to_owned())
}
