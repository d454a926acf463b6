//! What the steps of one lead cost, measured one by one on one core.

use std::hint::black_box;
use std::time::Instant;

use leadgate::clock::Clock;
use leadgate::lead::{Facts, Headers, Inquiry};
use leadgate::rules::Asked;
use leadgate::source::{Admission, Admitted, Request};

use crate::leadgate::{SOURCE, Shipped};
use crate::requests::Maker;

/// Microseconds a lead.
pub(crate) struct Breakdown {
    /// Over so many.
    pub(crate) leads: usize,
    /// The signature, the inquiry read and normalised, and what names the lead.
    pub(crate) admit: f64,
    /// The rules, with the trace.
    pub(crate) rules: f64,
    /// Lines passed, on average.
    pub(crate) lines: f64,
}

/// Does each step for all leads before the next one.
pub(crate) fn measure(shipped: &Shipped, leads: usize) -> anyhow::Result<Breakdown> {
    let source = shipped.source()?;
    let now = Clock::system().now();
    let sent: Vec<(Headers, Vec<u8>)> = Maker::new(shipped)
        .samples(leads)?
        .map(|sample| (Headers(sample.headers), sample.body))
        .collect();

    let start = Instant::now();
    let mut admitted: Vec<Admitted> = Vec::with_capacity(leads);
    for (headers, body) in &sent {
        let request = Request {
            method: "POST",
            query: "",
            headers,
            body,
        };
        match source.admit(&request, now) {
            Ok(Admission::Leads(leads)) => admitted.push(leads),
            Ok(Admission::Answered(_) | Admission::Forget(_)) => {
                anyhow::bail!("a lead was not taken for one")
            }
            Err(refusal) => anyhow::bail!("a lead was refused: {refusal}"),
        }
    }
    let admit = micros(start, leads);

    let inquiries = admitted.into_iter().flat_map(|admitted| admitted.read);
    let inquiries: Vec<Inquiry> = inquiries.collect();
    anyhow::ensure!(inquiries.len() == leads, "a lead was not read on the way");

    let facts = Facts::default();
    let mut passed = 0;
    let start = Instant::now();
    for inquiry in &inquiries {
        let decided = shipped.policy.rulebook.decide(&Asked {
            inquiry,
            source: SOURCE,
            received_at: now,
            facts: &facts,
            overruled: None,
        });
        passed += black_box(decided).trace.0.len();
    }
    let rules = micros(start, leads);
    Ok(Breakdown {
        leads,
        admit,
        rules,
        lines: f64::from(u32::try_from(passed / leads.max(1)).unwrap_or(0)),
    })
}

fn micros(start: Instant, leads: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / leads as f64
}
