//! `leadgate leads`: looking at leads and acting on them.

use std::io::Write;
use std::path::Path;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};

use super::{Failed, erase, export, json, person, show};
use crate::clock::{Clock, Millis, iso};
use crate::config::Config;
use crate::daemon;
use crate::flow::Command as Act;
use crate::flow::command::{self, Context};
use crate::lead::{Actor, Lead, Outcome, Stage};
use crate::ledger::Ledger;
use crate::ledger::reads::Filter;

/// More leads at once are for `leads export`.
const LIST_MAX: i64 = 100_000;
/// The widest cell of the list; `leads show` has it whole.
const CELL_CHARS_MAX: usize = 60;

#[derive(ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Leads,
}

#[derive(Subcommand)]
pub(super) enum Leads {
    /// The latest leads.
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=LIST_MAX))]
        limit: i64,
        /// For a program.
        #[arg(long)]
        json: bool,
    },
    /// One lead with its whole history and the trace of the rules.
    Show {
        /// The lead's id, or the unique end of it.
        id: String,
        /// For a program.
        #[arg(long)]
        json: bool,
    },
    /// Leads with all their fields, for a spreadsheet or a program.
    Export {
        #[command(flatten)]
        which: Which,
        /// The form.
        #[arg(long, value_enum, default_value_t = Form::Csv)]
        format: Form,
        /// The same as `--format json`.
        #[arg(long, conflicts_with = "format")]
        json: bool,
        /// Everything that is held of one person (an e-mail address or a phone number), in one JSON
        /// document, for somebody who asks what is known of them.
        #[arg(long, conflicts_with_all = ["format", "stage", "source", "grade", "pool", "rep",
              "since", "until", "uncontacted", "tests"])]
        person: Option<String>,
    },
    /// Forget a person and all their leads; the figures stay. Final.
    Erase(erase::Args),
    /// Let a held lead go on, its hold overruled.
    Release {
        /// The lead.
        id: String,
        /// Who does it.
        #[arg(long)]
        by: String,
    },
    /// Screen a held lead out.
    Reject {
        /// The lead.
        id: String,
        /// Why.
        #[arg(long)]
        why: String,
        /// Who does it.
        #[arg(long)]
        by: String,
    },
    /// Run the rules again on a held or rejected lead.
    Rescreen {
        /// The lead.
        id: String,
        /// Who does it.
        #[arg(long)]
        by: String,
    },
    /// Give a lead to a rep.
    Assign {
        /// The lead.
        id: String,
        /// The rep's key in reps.toml.
        #[arg(long)]
        to: String,
        /// Who does it.
        #[arg(long)]
        by: String,
    },
    /// Close a lead.
    Close {
        /// The lead.
        id: String,
        /// How it ended.
        #[arg(long, value_enum)]
        outcome: End,
        /// The value, such as 1200.50; for `won`.
        #[arg(long)]
        value: Option<String>,
        /// The currency (ISO 4217) of the value.
        #[arg(long, default_value = "EUR")]
        currency: String,
        /// Why; for everything else.
        #[arg(long)]
        why: Option<String>,
        /// Who does it.
        #[arg(long)]
        by: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Form {
    /// Comma-separated values, safe to open in a spreadsheet.
    Csv,
    /// One JSON object a line.
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum End {
    Won,
    Lost,
    Invalid,
    #[value(name = "no_response")]
    NoResponse,
}

/// Filters; every one that is given must hold.
#[derive(ClapArgs)]
pub(super) struct Which {
    /// In this stage (repeatable): waiting, offered, held, rejected, won ...
    #[arg(long)]
    stage: Vec<String>,
    /// Of this source.
    #[arg(long)]
    source: Option<String>,
    /// Of this grade.
    #[arg(long)]
    grade: Option<String>,
    /// Of this pool.
    #[arg(long)]
    pool: Option<String>,
    /// With this rep.
    #[arg(long)]
    rep: Option<String>,
    /// Received since: a date (2026-11-24), a time, or a span such as 2h or 7d.
    #[arg(long)]
    since: Option<String>,
    /// Received before.
    #[arg(long)]
    until: Option<String>,
    /// Accepted, open, and nobody has reached the person yet.
    #[arg(long)]
    uncontacted: bool,
    /// Also platforms' test leads.
    #[arg(long)]
    tests: bool,
}

pub(super) fn run(path: &Path, command: Leads) -> Result<(), Failed> {
    match command {
        Leads::List { which, limit, json } => list(path, &which, limit, json),
        Leads::Show { id, json } => {
            let (_, ledger) = super::open(path)?;
            let lead = ledger.read(|r| r.lead_named(&id))?;
            show::run(&ledger, lead.seq, json)
        }
        Leads::Export {
            person: Some(who), ..
        } => {
            let (config, ledger) = super::open(path)?;
            person::run(&config, &ledger, &who)
        }
        Leads::Export {
            which,
            format,
            json,
            person: None,
        } => {
            let (_, ledger) = super::open(path)?;
            let format = if json { Form::Json } else { format };
            export::run(&ledger, filter(&which)?, format)
        }
        Leads::Erase(args) => erase::run(path, &args),
        Leads::Release { id, by } => act_on(path, &id, Act::Release, &by),
        Leads::Reject { id, why, by } => act_on(path, &id, Act::Reject { why }, &by),
        Leads::Rescreen { id, by } => act_on(path, &id, Act::Rescreen, &by),
        Leads::Assign { id, to, by } => act_on(path, &id, Act::Assign { rep: to }, &by),
        Leads::Close {
            id,
            outcome,
            value,
            currency,
            why,
            by,
        } => {
            let act = closing(outcome, value.as_deref(), &currency, why)?;
            act_on(path, &id, act, &by)
        }
    }
}

fn closing(
    outcome: End,
    value: Option<&str>,
    currency: &str,
    why: Option<String>,
) -> Result<Act, Failed> {
    let outcome = match outcome {
        End::Won => Outcome::Won,
        End::Lost => Outcome::Lost,
        End::Invalid => Outcome::Invalid,
        End::NoResponse => Outcome::NoResponse,
    };
    let value = value
        .map(crate::money::minor_units)
        .transpose()
        .map_err(Failed::Refused)?;
    let currency = crate::money::currency(currency).map_err(Failed::Refused)?;
    Ok(Act::Close {
        outcome,
        value,
        currency: value.map(|_| currency),
        why,
    })
}

fn act_on(path: &Path, id: &str, act: Act, by: &str) -> Result<(), Failed> {
    let (config, ledger) = super::open(path)?;
    let lead = ledger.read(|r| r.lead_named(id))?;
    self::act(&config, &ledger, lead.seq, act, by)
}

/// Gives a command in a person's name; a running daemon sees what is due within a second.
pub(super) fn act(
    config: &Config,
    ledger: &Ledger,
    lead: i64,
    act: Act,
    by: &str,
) -> Result<(), Failed> {
    is_name(by)?;
    let policy = daemon::assemble(config)?;
    let hash = policy.hash.clone();
    let phrases = policy.rulebook.phrases().to_vec();
    let now = Clock::system().now();
    let mut policy = policy;
    policy.id = ledger.write_blocking(move |tx| tx.keep_policy(&hash, &phrases, "{}", now))?;
    let context = Context::new(policy, now, &config.flow, &config.mail);
    let actor = Actor::Person(by.trim().to_owned());
    ledger.write_blocking(move |tx| command::apply(tx, &context, lead, &act, &actor))?;
    let after = ledger.read(|r| r.lead(lead))?;
    let history = ledger.read(|r| r.history(lead))?;
    let history: Vec<_> = history.into_iter().map(|(recorded, _)| recorded).collect();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} is {}", after.id, after.stage)?;
    writeln!(out, "{}", crate::lead::history_line(&history))?;
    Ok(())
}

/// Whether `--by` says who does it.
pub(super) fn is_name(by: &str) -> Result<(), Failed> {
    if by.trim().is_empty() || by.len() > 64 {
        let wanted = "--by takes the name of who does it, at most 64 characters";
        return Err(Failed::Refused(wanted.into()));
    }
    Ok(())
}

fn list(path: &Path, which: &Which, limit: i64, json: bool) -> Result<(), Failed> {
    let (_, ledger) = super::open(path)?;
    let filter = filter(which)?;
    let leads = ledger.read(|r| r.list(&filter, limit))?;
    if json {
        return super::print_json(&leads.iter().map(json::lead).collect());
    }
    let mut table = table(&[
        "id", "received", "source", "stage", "grade", "points", "rep", "who", "reason",
    ]);
    for lead in &leads {
        table.add_row(row(lead));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}")?;
    writeln!(
        out,
        "{} leads; one of them whole: leadgate leads show ID",
        leads.len()
    )?;
    Ok(())
}

fn row(lead: &Lead) -> [String; 9] {
    let fields = &lead.inquiry.fields;
    let who = [fields.name.as_deref(), fields.company.as_deref()];
    let who = who.into_iter().flatten().collect::<Vec<_>>().join(", ");
    [
        lead.id.to_string(),
        iso(lead.received_at),
        lead.source.clone(),
        lead.stage.to_string(),
        lead.grade.clone().unwrap_or_default(),
        lead.points.to_string(),
        lead.owner.clone().unwrap_or_default(),
        cell(&who),
        cell(lead.reason.as_deref().unwrap_or_default()),
    ]
}

/// What people wrote, fit for a table: where it goes to no terminal the longest cell is as wide as all.
fn cell(text: &str) -> String {
    let text = show::printable(text);
    match text.char_indices().nth(CELL_CHARS_MAX) {
        None => text,
        Some(_) => text.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect(),
    }
}

/// A table without lines, as wide as the terminal.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().map(|word| word.to_uppercase()));
    table
}

fn filter(which: &Which) -> Result<Filter, Failed> {
    let now = Clock::system().now();
    let mut stages = Vec::new();
    for word in &which.stage {
        stages.push(Stage::parse(word).ok_or_else(|| {
            let known: Vec<_> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
            Failed::Refused(format!("no stage `{word}`; there are {}", known.join(", ")))
        })?);
    }
    let time = |text: &Option<String>| text.as_deref().map(|t| time_of(t, now)).transpose();
    Ok(Filter {
        stages,
        source: which.source.clone(),
        grade: which.grade.clone(),
        pool: which.pool.clone(),
        owner: which.rep.clone(),
        since: time(&which.since)?,
        until: time(&which.until)?,
        uncontacted: which.uncontacted,
        tests: which.tests,
        before: None,
    })
}

/// `2026-11-24`, `2026-11-24T09:00:00Z`, `2h`, `7d`.
fn time_of(text: &str, now: Millis) -> Result<Millis, Failed> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.as_millisecond());
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        let zoned = date
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_err(anyhow::Error::from)?;
        return Ok(zoned.timestamp().as_millisecond());
    }
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let unit = match unit {
        "m" => crate::clock::MINUTE,
        "h" => crate::clock::HOUR,
        "d" => crate::clock::DAY,
        _ => 0,
    };
    match number.parse::<i64>() {
        Ok(n) if unit > 0 && (0..100_000).contains(&n) => Ok(now - n * unit),
        Ok(_) | Err(_) => {
            let wanted =
                "wanted is a date (2026-11-24), a time (2026-11-24T09:00:00Z) or 30m, 2h, 7d";
            Err(Failed::Refused(format!("`{text}` is no time; {wanted}")))
        }
    }
}
