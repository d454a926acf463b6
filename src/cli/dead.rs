//! `leadgate dead`: notices that failed for good.

use std::io::Write;
use std::path::Path;

use clap::{Args as ClapArgs, Subcommand};

use super::{Failed, json, leads, show};
use crate::flow::Command as Act;

#[derive(ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Dead,
}

#[derive(Subcommand)]
pub(super) enum Dead {
    /// What could not be delivered, the latest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// For a program.
        #[arg(long)]
        json: bool,
    },
    /// Send one again.
    Redrive {
        /// The delivery's number, as `dead list` shows it.
        delivery: i64,
        /// Who does it.
        #[arg(long)]
        by: String,
    },
}

pub(super) fn run(config: &Path, command: Dead) -> Result<(), Failed> {
    match command {
        Dead::List { limit, json } => list(config, limit, json),
        Dead::Redrive { delivery, by } => {
            let (config, ledger) = super::open(config)?;
            let found = ledger.read(|r| r.dead(10_000))?;
            let lead = found
                .iter()
                .find(|(d, _)| d.id == delivery)
                .map(|(d, _)| d.lead);
            let lead = lead.ok_or_else(|| {
                Failed::Refused(format!(
                    "there is no dead delivery {delivery}; see `dead list`"
                ))
            })?;
            leads::act(&config, &ledger, lead, Act::Redrive { delivery }, &by)
        }
    }
}

fn list(config: &Path, limit: i64, json: bool) -> Result<(), Failed> {
    let (_, ledger) = super::open(config)?;
    let found = ledger.read(|r| r.dead(limit))?;
    if json {
        let rows = found
            .iter()
            .map(|(delivery, attempts)| json::delivery(delivery, attempts));
        return super::print_json(&rows.collect());
    }
    let mut out = std::io::stdout().lock();
    if found.is_empty() {
        writeln!(out, "nothing is dead")?;
        return Ok(());
    }
    let mut table = leads::table(&[
        "delivery",
        "lead",
        "channel",
        "rep",
        "attempts",
        "last answer",
    ]);
    for (delivery, attempts) in &found {
        let last = attempts.last().map(show::attempt_words).unwrap_or_default();
        table.add_row([
            delivery.id.to_string(),
            delivery.lead_id.to_string(),
            delivery.channel.clone(),
            delivery.rep.clone(),
            attempts.len().to_string(),
            last,
        ]);
    }
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "send one again: leadgate dead redrive DELIVERY --by NAME"
    )?;
    Ok(())
}
