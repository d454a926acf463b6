//! What the kernel says of this process. Where it says nothing, the gauge stays as it is.

use std::fs;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::{Seconds, made, seconds};
use crate::clock::Millis;

pub(super) struct Gauges {
    resident: Gauge,
    open_fds: Gauge,
    max_fds: Gauge,
}

impl Gauges {
    pub(super) fn new(to: &mut Registry, now: Millis) -> Self {
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        to.register("leadgate_build", "The program that runs", build);
        let help = "When the process started";
        let started: Seconds = made(to, "process_start_time_seconds", help);
        started.set(seconds(now));
        Self {
            resident: made(
                to,
                "process_resident_memory_bytes",
                "Memory that the process holds",
            ),
            open_fds: made(
                to,
                "process_open_fds",
                "Files and connections that are open",
            ),
            max_fds: made(
                to,
                "process_max_fds",
                "The most files and connections that may be open",
            ),
        }
    }

    pub(super) fn refresh(&self) {
        if let Some(kib) = word_behind("/proc/self/status", "VmRSS:") {
            self.resident.set(kib * 1024);
        }
        if let Some(max) = word_behind("/proc/self/limits", "Max open files") {
            self.max_fds.set(max);
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            self.open_fds
                .set(i64::try_from(open.count()).unwrap_or(i64::MAX));
        }
    }
}

fn word_behind(path: &str, name: &str) -> Option<i64> {
    let text = fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}
