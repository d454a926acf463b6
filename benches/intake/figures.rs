//! What the figures are made of: medians, percentiles, and the limits that they are held against.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The middle one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The largest one.
pub(crate) fn most(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::NAN, f64::max)
}

/// The smallest value that so many percent do not exceed; of values in ascending order.
pub(crate) fn percentile<T: Copy + Into<f64>>(ascending: &[T], percent: usize) -> f64 {
    let rank = (ascending.len() * percent).div_ceil(100).max(1);
    ascending
        .get(rank - 1)
        .map_or(f64::NAN, |value| (*value).into())
}

/// What is promised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    RatioEmpty,
    RatioFull,
    Saturated,
    HalfLoad,
    Redis,
    Smtp,
    MemoryOver,
    MemoryWaiting,
    StartStopped,
    StartKilled,
    List,
    Show,
    Assign,
}

enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

use Wanted::{AtLeast, AtMost};

impl Limit {
    const ALL: [Self; 13] = [
        Self::RatioEmpty,
        Self::RatioFull,
        Self::Saturated,
        Self::HalfLoad,
        Self::Redis,
        Self::Smtp,
        Self::MemoryOver,
        Self::MemoryWaiting,
        Self::StartStopped,
        Self::StartKilled,
        Self::List,
        Self::Show,
        Self::Assign,
    ];

    /// What is measured, what is wanted, and the unit; N stands for the leads in the ledger.
    fn row(self) -> (&'static str, Wanted, &'static str) {
        match self {
            Self::RatioEmpty => ("leads/s ÷ bare insert, ledger empty", AtLeast(0.4), ""),
            Self::RatioFull => ("leads/s ÷ bare insert, N leads stored", AtLeast(0.4), ""),
            Self::Saturated => ("answer at saturation, p99", AtMost(60.0), "ms"),
            Self::HalfLoad => ("answer at half load, open loop, p99", AtMost(20.0), "ms"),
            Self::Redis => (
                "leads/s with Redis ÷ with memory as queue",
                AtLeast(0.9),
                "",
            ),
            Self::Smtp => ("POST to SMTP 250 at 200 leads/s, p99", AtMost(500.0), "ms"),
            Self::MemoryOver => ("peak RSS over N leads", AtMost(200.0), "MB"),
            Self::MemoryWaiting => ("peak RSS with N waiting", AtMost(200.0), "MB"),
            Self::StartStopped => ("start on N leads after a clean stop", AtMost(3.0), "s"),
            Self::StartKilled => ("start on N leads after kill -9", AtMost(3.0), "s"),
            Self::List => ("`leads list`, N leads, p99 of 100", AtMost(100.0), "ms"),
            Self::Show => ("`leads show`, N leads, p99 of 100", AtMost(100.0), "ms"),
            Self::Assign => (
                "assigned, delivery recorded, 500 reps",
                AtLeast(2_000.0),
                "leads/s",
            ),
        }
    }
}

/// What was found, as far as it was measured.
#[derive(Default)]
pub(crate) struct Found {
    values: BTreeMap<Limit, f64>,
    /// Leads a second, decided, on an empty ledger: half of it is half load.
    pub(crate) per_second: Option<f64>,
}

impl Found {
    pub(crate) fn note(&mut self, limit: Limit, value: f64) {
        self.values.insert(limit, value);
    }

    /// Every limit with what was found, as Markdown.
    pub(crate) fn table(&self, stored: usize) -> String {
        let mut text = String::from("| limit | wanted | found | |\n|---|--:|--:|---|\n");
        for limit in Limit::ALL {
            let (what, wanted, unit) = limit.row();
            let what = what.replace("N ", &format!("{} ", grouped(stored)));
            let (sign, bound) = match wanted {
                AtLeast(bound) => ("≥", bound),
                AtMost(bound) => ("≤", bound),
            };
            let found = self.values.get(&limit);
            let (shown, verdict) = match found {
                Some(found) => (with_unit(*found, unit), verdict(&wanted, *found)),
                None => ("not measured".to_owned(), ""),
            };
            let bound = format!("{bound} {unit}");
            let bound = bound.trim();
            let _ = writeln!(text, "| {what} | {sign} {bound} | {shown} | {verdict} |");
        }
        text
    }
}

fn verdict(wanted: &Wanted, found: f64) -> &'static str {
    let reached = match *wanted {
        AtLeast(bound) => found >= bound,
        AtMost(bound) => found <= bound,
    };
    if reached { "reached" } else { "**missed**" }
}

fn with_unit(value: f64, unit: &str) -> String {
    let number = match unit {
        "" => format!("{value:.3}"),
        "s" => format!("{value:.2}"),
        "ms" => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    if unit.is_empty() {
        number
    } else {
        format!("{number} {unit}")
    }
}

/// 1000000 as 1,000,000.
pub(crate) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
