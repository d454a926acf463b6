//! `leadgate endpoints`: the systems that are told by webhook, and how they fare.

use std::io::Write;
use std::path::Path;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::{Failed, leads};
use crate::clock::{Clock, iso};
use crate::daemon;
use crate::ledger::EndpointState;

#[derive(ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Endpoints,
}

#[derive(Subcommand)]
pub(super) enum Endpoints {
    /// Every endpoint, whether it is paused or failing, and how many notices wait for it.
    List {
        /// For a program.
        #[arg(long)]
        json: bool,
    },
    /// Send to a paused one again; what waits for it is due at once.
    Resume {
        /// Its key in `endpoints.toml`.
        name: String,
    },
}

pub(super) fn run(config: &Path, command: &Endpoints) -> Result<(), Failed> {
    match command {
        Endpoints::List { json } => list(config, *json),
        Endpoints::Resume { name } => resume(config, name),
    }
}

/// Those of the configuration, and those of which the ledger knows trouble.
fn list(config: &Path, as_json: bool) -> Result<(), Failed> {
    let (config, ledger) = super::open(config)?;
    let policy = daemon::assemble(&config)?;
    let states = ledger.read(|r| {
        let mut states = r.endpoints()?;
        for endpoint in policy.endpoints.iter() {
            if states.iter().any(|state| state.name == endpoint.name) {
                continue;
            }
            states.push(EndpointState {
                name: endpoint.name.clone(),
                waiting: r.waiting_for(&endpoint.name)?,
                ..EndpointState::default()
            });
        }
        Ok(states)
    })?;
    if as_json {
        let row = |state: &EndpointState| {
            json!({
                "name": state.name,
                "paused_at": state.paused_at.map(iso),
                "why": state.why,
                "failing_since": state.failing_since.map(iso),
                "waiting": state.waiting,
            })
        };
        return super::print_json(&states.iter().map(row).collect());
    }
    let mut out = std::io::stdout().lock();
    if states.is_empty() {
        writeln!(out, "no endpoint is configured")?;
        return Ok(());
    }
    let mut table = leads::table(&["endpoint", "state", "waiting"]);
    for state in &states {
        table.add_row([state.name.clone(), words(state), state.waiting.to_string()]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

fn words(state: &EndpointState) -> String {
    match (state.paused_at, state.failing_since) {
        (Some(at), _) => {
            let why = state.why.as_deref().unwrap_or_default();
            format!("paused since {}: {why}", iso(at))
        }
        (None, Some(since)) => format!("failing since {}", iso(since)),
        (None, None) => "well".to_owned(),
    }
}

fn resume(config: &Path, name: &str) -> Result<(), Failed> {
    let (_, ledger) = super::open(config)?;
    let now = Clock::system().now();
    let (named, waiting) = (name.to_owned(), ledger.read(|r| r.waiting_for(name))?);
    let was_paused = ledger.write_blocking(move |tx| tx.resume_endpoint(&named, now))?;
    ledger.close();
    if !was_paused {
        return Err(Failed::Refused(format!(
            "the endpoint `{name}` is not paused; see `endpoints list`"
        )));
    }
    writeln!(
        std::io::stdout().lock(),
        "`{name}` is sent to again; {waiting} notices are due"
    )?;
    Ok(())
}
