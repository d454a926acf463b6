//! Runs, their medians, and the table.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Instant;

use crate::breakdown::Breakdown;
use crate::client::{Load, Sent};

/// What one run came to.
pub(crate) struct Run {
    /// Leads a second, until the last was done.
    pub(crate) per_second: f64,
    /// Microseconds to the answer, for the median and the slowest in a hundred.
    p50: f64,
    p99: f64,
    /// Microseconds of the server's CPU, a lead.
    cpu: f64,
    memory_mib: f64,
    /// Seconds from the last answer to the last verdict.
    behind: f64,
    stages: BTreeMap<String, i64>,
    mails: usize,
}

impl Run {
    pub(crate) fn new(load: &Load, sent: &Sent, done: Instant, cpu_seconds: f64) -> Self {
        let leads = load.len() as f64;
        let percentile = |percent: usize| {
            let at = (sent.latencies.len() * percent / 100).min(sent.latencies.len() - 1);
            f64::from(sent.latencies[at])
        };
        Self {
            per_second: leads / done.duration_since(sent.start).as_secs_f64(),
            p50: percentile(50),
            p99: percentile(99),
            cpu: cpu_seconds * 1e6 / leads,
            memory_mib: 0.0,
            behind: done.duration_since(sent.end).as_secs_f64(),
            stages: BTreeMap::new(),
            mails: 0,
        }
    }

    pub(crate) fn with_memory(mut self, mib: f64) -> Self {
        self.memory_mib = mib;
        self
    }

    pub(crate) fn with_stages(mut self, stages: BTreeMap<String, i64>, mails: usize) -> Self {
        self.stages = stages;
        self.mails = mails;
        self
    }
}

/// The runs of one server.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) runs: Vec<Run>,
}

impl Row {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            runs: Vec::new(),
        }
    }

    fn median(&self, of: impl Fn(&Run) -> f64) -> f64 {
        let mut values: Vec<f64> = self.runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn spread(&self) -> (f64, f64) {
        let values = self.runs.iter().map(|run| run.per_second);
        values.fold((f64::MAX, 0.0), |(low, high), v| (low.min(v), high.max(v)))
    }
}

/// Prints everything to the standard output, as Markdown.
pub(crate) fn print(title: &str, rows: &[Row; 4], steps: &Breakdown) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let [bare, stored, decided, distributed] = rows;
    let limit = stored.median(|run| run.per_second);
    writeln!(out, "\n{title}\n")?;
    let head =
        "| server | leads/s | min–max | ÷ insert | p50 ms | p99 ms | CPU µs/lead | peak MiB |";
    writeln!(out, "{head}\n|---|--:|--:|--:|--:|--:|--:|--:|")?;
    for row in rows {
        let ((low, high), median) = (row.spread(), row.median(|run| run.per_second));
        writeln!(
            out,
            "| {} | {median:.0} | {low:.0}–{high:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {:.0} |",
            row.name,
            median / limit,
            row.median(|run| run.p50) / 1e3,
            row.median(|run| run.p99) / 1e3,
            row.median(|run| run.cpu),
            row.median(|run| run.memory_mib),
        )?;
    }
    writeln!(out)?;
    for row in [decided, distributed] {
        let Some(run) = row.runs.last() else { continue };
        let stages = run.stages.iter().map(|(stage, n)| format!("{n} {stage}"));
        let stages: Vec<String> = stages.collect();
        writeln!(
            out,
            "{}: the last verdict {:.0} ms after the last answer; then {}; {} mails written.",
            row.name,
            row.median(|run| run.behind) * 1e3,
            stages.join(", "),
            run.mails,
        )?;
    }
    let (http, insert) = (bare.median(|run| run.cpu), stored.median(|run| run.cpu));
    let whole = decided.median(|run| run.cpu);
    let known = http + steps.admit + steps.parse + steps.rules;
    writeln!(
        out,
        "\nWhere the CPU time goes ({} leads for each step on one core)\n",
        steps.leads
    )?;
    writeln!(out, "| step | µs/lead |\n|---|--:|")?;
    let rules = format!("rules with trace ({:.1} lines passed)", steps.lines);
    let lines = [
        ("HTTP: bare actix", http),
        ("verify the signature, name the lead", steps.admit),
        ("parse and normalise", steps.parse),
        (rules.as_str(), steps.rules),
        (
            "the rest: both commits, keys, history, hand-over",
            whole - known,
        ),
        ("leadgate, decided", whole),
        (
            "for comparison: one bare insert and its hand-over",
            insert - http,
        ),
    ];
    for (step, micros) in lines {
        writeln!(out, "| {step} | {micros:.1} |")?;
    }
    Ok(())
}
