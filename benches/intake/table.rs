//! Runs, their medians, and the tables, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

use crate::breakdown::Breakdown;
use crate::client::{Load, Sent};
use crate::figures::{median, percentile};

/// What one run came to.
pub(crate) struct Run {
    /// Leads a second, until the last was done.
    pub(crate) per_second: f64,
    /// Milliseconds to the answer, for the median and the slowest in a hundred.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Microseconds of the server's CPU, a lead.
    cpu: f64,
    /// The most memory, in millions of bytes.
    pub(crate) memory_mb: f64,
    /// Seconds from the last answer to the last verdict.
    behind: f64,
    pub(crate) stages: BTreeMap<String, i64>,
    pub(crate) mails: usize,
}

impl Run {
    pub(crate) fn new(load: &Load, sent: &Sent, done: Instant, cpu_seconds: f64) -> Self {
        let leads = load.len() as f64;
        Self {
            per_second: leads / done.duration_since(sent.start).as_secs_f64(),
            p50: percentile(&sent.latencies, 50) / 1e3,
            p99: percentile(&sent.latencies, 99) / 1e3,
            cpu: cpu_seconds * 1e6 / leads,
            memory_mb: 0.0,
            behind: done.duration_since(sent.end).as_secs_f64(),
            stages: BTreeMap::new(),
            mails: 0,
        }
    }

    pub(crate) fn with_memory(mut self, mb: f64) -> Self {
        self.memory_mb = mb;
        self
    }

    pub(crate) fn with_stages(mut self, stages: BTreeMap<String, i64>, mails: usize) -> Self {
        self.stages = stages;
        self.mails = mails;
        self
    }

    /// How many leads stand where, in words.
    pub(crate) fn standing(&self) -> String {
        let stages = self.stages.iter().map(|(stage, n)| format!("{n} {stage}"));
        stages.collect::<Vec<_>>().join(", ")
    }
}

/// The runs of one kind.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) runs: Vec<Run>,
}

impl Row {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            runs: Vec::new(),
        }
    }

    /// Keeps a run, and says so to the person who waits.
    pub(crate) fn add(&mut self, run: Run) {
        eprintln!("  {:<40} {:>9.0} leads/s", self.name, run.per_second);
        self.runs.push(run);
    }

    pub(crate) fn median(&self, of: impl Fn(&Run) -> f64) -> f64 {
        median(self.runs.iter().map(of))
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.median(|run| run.per_second)
    }

    fn spread(&self) -> (f64, f64) {
        let values = self.runs.iter().map(|run| run.per_second);
        values.fold((f64::MAX, 0.0), |(low, high), v| (low.min(v), high.max(v)))
    }
}

/// One line a row; `share` is the row of which the others are a share, with its name.
pub(crate) fn rows(rows: &[Row], (share, name): (f64, &str)) -> String {
    let mut text = format!(
        "| server | leads/s | min–max | {name} | p50 ms | p99 ms | CPU µs/lead | peak MB |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for row in rows {
        let ((low, high), median) = (row.spread(), row.per_second());
        let _ = writeln!(
            text,
            "| {} | {median:.0} | {low:.0}–{high:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {:.0} |",
            row.name,
            median / share,
            row.median(|run| run.p50),
            row.median(|run| run.p99),
            row.median(|run| run.cpu),
            row.median(|run| run.memory_mb),
        );
    }
    text
}

/// What stood where after the last run of a row.
pub(crate) fn aftermath(row: &Row) -> String {
    let Some(run) = row.runs.last() else {
        return String::new();
    };
    format!(
        "{}: the last verdict {:.0} ms after the last answer; then {}; {} mails written.\n",
        row.name,
        row.median(|run| run.behind) * 1e3,
        run.standing(),
        run.mails,
    )
}

/// Where the CPU time of a lead goes: bare actix, bare insert, leadgate, and the steps.
pub(crate) fn steps([bare, stored, decided]: [&Row; 3], steps: &Breakdown) -> String {
    let (http, insert) = (bare.median(|run| run.cpu), stored.median(|run| run.cpu));
    let whole = decided.median(|run| run.cpu);
    let known = http + steps.admit + steps.rules;
    let mut text = format!(
        "Where the CPU time goes ({} leads for each step on one core)\n\n\
         | step | µs/lead |\n|---|--:|\n",
        steps.leads
    );
    let rules = format!("rules with trace ({:.1} lines passed)", steps.lines);
    let lines = [
        ("HTTP: bare actix", http),
        (
            "verify the signature, read, name and normalise the lead",
            steps.admit,
        ),
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
        let _ = writeln!(text, "| {step} | {micros:.1} |");
    }
    text
}
