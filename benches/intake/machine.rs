//! What it is measured on, and whether that is fit for it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use leadgate::clock::{Clock, iso};

/// What a lead takes on disk, generously: both commits, their log, now and then a mail.
const BYTES_PER_LEAD: usize = 8 * 1024;
/// Above this something else runs beside.
const BUSY: f64 = 0.5;

/// The machine in one line, with how busy it was.
pub(crate) fn describe(folder: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = value_of(&cpus, "model name").unwrap_or("unknown CPU");
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = value_of(&memory, "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok());
    let gib = kib.unwrap_or(0.0) / 1_048_576.0;
    let disk = disk(folder).map_or_else(|_| "unknown disk".to_owned(), |(kind, _)| kind);
    let load = busy();
    if load > BUSY {
        eprintln!("this machine's load is {load:.2}: figures mean little while others run");
    }
    let now = iso(Clock::system().now());
    let day = now.get(..10).unwrap_or(&now);
    format!("{day}, {cores} cores ({cpu}), {gib:.0} GiB, {disk}, load before {load:.2}")
}

/// Runs over the last minute, on average.
fn busy() -> f64 {
    let loads = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = loads.split(' ').next().and_then(|text| text.parse().ok());
    load.unwrap_or(0.0)
}

/// The first value of a name in a file of `/proc`.
fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(found, _)| found.trim() == name);
    found.map(|(_, value)| value.trim())
}

/// An error if so many leads do not fit on the disk; a word where its fsync costs nothing.
pub(crate) fn has_room(folder: &Path, leads: usize) -> anyhow::Result<()> {
    let (kind, free) = disk(folder)?;
    if matches!(kind.as_str(), "tmpfs" | "ramfs") {
        eprintln!("the target folder is in memory ({kind}): an fsync costs nothing there");
    }
    let wanted = leads * BYTES_PER_LEAD;
    ensure!(
        free >= wanted,
        "{} MB are free on the disk of the target folder, {} MB may be needed; free some, or ask for \
         less with --stored and --leads",
        free / 1_000_000,
        wanted / 1_000_000
    );
    Ok(())
}

/// The kind of file system, and the bytes free on it.
fn disk(folder: &Path) -> anyhow::Result<(String, usize)> {
    let output = Command::new("df")
        .args(["--output=fstype,avail", "--block-size=1"])
        .arg(folder)
        .output()
        .context("`df` is needed to see how much disk is free")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().nth(1).context("`df` told nothing")?;
    let (kind, free) = line
        .trim()
        .split_once(' ')
        .context("`df` told too little")?;
    Ok((kind.to_owned(), free.trim().parse()?))
}
