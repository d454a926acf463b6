//! `leadgate leads export`

use std::collections::BTreeSet;
use std::io::Write;

use super::leads::Form;
use super::{Failed, json};
use crate::clock::iso;
use crate::lead::{Fields, Lead};
use crate::ledger::Ledger;
use crate::ledger::reads::Filter;

/// How many leads are read at once.
const PAGE: i64 = 1_000;

pub(super) fn run(ledger: &Ledger, mut filter: Filter, form: Form) -> Result<(), Failed> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let others = match form {
        Form::Csv => other_names(ledger, &filter)?,
        Form::Json => BTreeSet::new(),
    };
    let mut csv = csv::Writer::from_writer(Vec::new());
    if matches!(form, Form::Csv) {
        let own = [
            "id",
            "received_at",
            "source",
            "stage",
            "grade",
            "points",
            "pool",
            "rep",
            "reason",
        ];
        let names = own
            .into_iter()
            .chain(Fields::NAMES)
            .chain(others.iter().map(String::as_str));
        csv.write_record(names.map(safe))
            .map_err(anyhow::Error::from)?;
    }
    loop {
        let page = ledger.read(|r| r.list(&filter, PAGE))?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.seq);
        for lead in &page {
            match form {
                Form::Csv => {
                    let record = record(lead, &others);
                    csv.write_record(record.iter().map(|v| safe(v)))
                        .map_err(anyhow::Error::from)?;
                }
                Form::Json => writeln!(out, "{}", json::lead(lead))?,
            }
        }
        csv.flush()?;
        out.write_all(csv.get_ref())?;
        csv = csv::Writer::from_writer(Vec::new());
    }
    csv.flush()?;
    out.write_all(csv.get_ref())?;
    out.flush()?;
    Ok(())
}

fn record(lead: &Lead, others: &BTreeSet<String>) -> Vec<String> {
    let fields = &lead.inquiry.fields;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut record = vec![
        lead.id.to_string(),
        iso(lead.received_at),
        lead.source.clone(),
        lead.stage.to_string(),
        text(&lead.grade),
        lead.points.to_string(),
        text(&lead.pool),
        text(&lead.owner),
        text(&lead.reason),
    ];
    record.extend(Fields::NAMES.map(|name| fields.get(name).unwrap_or_default().to_owned()));
    let joined = |name: &String| {
        fields
            .other
            .get(name)
            .map(|v| v.join("; "))
            .unwrap_or_default()
    };
    record.extend(others.iter().map(joined));
    record
}

/// The names of every further field of these leads: the columns must stand before the first row.
fn other_names(ledger: &Ledger, filter: &Filter) -> Result<BTreeSet<String>, Failed> {
    let mut filter = filter.clone();
    let mut names = BTreeSet::new();
    loop {
        let page = ledger.read(|r| r.list(&filter, PAGE))?;
        let Some(last) = page.last() else {
            return Ok(names);
        };
        filter.before = Some(last.seq);
        for lead in page {
            names.extend(lead.inquiry.fields.other.into_keys());
        }
    }
}

/// A spreadsheet takes a cell that begins so for a formula.
fn safe(value: &str) -> String {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{value}");
    }
    value.to_owned()
}
