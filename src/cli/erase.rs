//! `leadgate leads erase`: forgetting a person and all their leads.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use super::Failed;
use crate::clock::{Clock, Millis, iso};
use crate::config::Config;
use crate::daemon;
use crate::deliver::outbox;
use crate::deliver::settings::Transport;
use crate::flow::Command as Act;
use crate::flow::command::{self, Context};
use crate::flow::erase::{self, Found, Person};
use crate::flow::person_keys;
use crate::lead::{Actor, DeliveryState, Lead, LeadId, Stage};
use crate::ledger::{Ledger, Reads, upkeep};
use crate::secret::HashKey;

/// How long submissions that are just being decided are waited for.
const PATIENCE_MS: Millis = 10_000;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Who is to be forgotten.
#[derive(ClapArgs)]
pub(super) struct Args {
    /// A lead of the person: their address and number are taken from it.
    #[arg(required_unless_present_any = ["email", "phone"])]
    id: Option<String>,
    /// The person's e-mail address.
    #[arg(long, conflicts_with = "id")]
    email: Option<String>,
    /// The person's phone number, in international form.
    #[arg(long, conflicts_with = "id")]
    phone: Option<String>,
    /// Who does it.
    #[arg(long)]
    by: String,
    /// Only say what would be erased.
    #[arg(long)]
    dry_run: bool,
    /// For a program.
    #[arg(long)]
    json: bool,
}

/// What was erased, or would be.
struct Erased {
    leads: Vec<LeadId>,
    others: Vec<LeadId>,
    mailed: usize,
    files: usize,
    /// Leads whose content is still with its platform.
    fetching: i64,
    log_is_empty: bool,
}

pub(super) fn run(path: &Path, args: &Args) -> Result<(), Failed> {
    super::leads::is_name(&args.by)?;
    let (config, ledger) = super::open(path)?;
    let key = super::key(&config)?.ok_or_else(|| {
        let dir = config.storage.data_dir.display();
        Failed::Refused(format!(
            "there is no secret.key in {dir}, by which persons are known"
        ))
    })?;
    let key = HashKey::new(&key);
    wait_until_decided(&ledger)?;
    let (person, named) = person_of(&ledger, args)?;
    let mut found = if person.is_nobody() {
        Found::default()
    } else {
        erase::find(&ledger, &person)?
    };
    if let Some(lead) = &named
        && !found.theirs.contains(&lead.seq)
    {
        found.theirs.push(lead.seq);
        found.others.retain(|other| *other != lead.id);
    }
    if found.theirs.is_empty() {
        return Err(nothing(&ledger, &person.keys(&key), &found)?);
    }
    let erased = if args.dry_run {
        look(&config, &ledger, &found)?
    } else {
        let erased = erase(&config, &ledger, &key, &found, &args.by)?;
        ledger.close();
        let log_is_empty = upkeep::empty_log(&config.storage.data_dir)?;
        Erased {
            log_is_empty,
            ..erased
        }
    };
    tell(&config, args, &erased)
}

/// A submission that is not decided yet may be the person's; what comes in from now on is not waited
/// for.
fn wait_until_decided(ledger: &Ledger) -> Result<(), Failed> {
    let clock = Clock::system();
    let begun = clock.now();
    let runtime = super::runtime()?;
    let received = ledger.read(|r: &Reads<'_>| r.received_upto())?;
    loop {
        let undecided = received - ledger.read(|r: &Reads<'_>| r.decided_upto())?;
        if undecided <= 0 {
            return Ok(());
        }
        if clock.now() - begun > PATIENCE_MS {
            return Err(Failed::Refused(format!(
                "{undecided} submissions are not decided yet and may be the person's; let the daemon \
                 run until they are, and try again"
            )));
        }
        runtime.block_on(Clock::pause(LOOK_EVERY));
    }
}

fn person_of(ledger: &Ledger, args: &Args) -> Result<(Person, Option<Lead>), Failed> {
    if let Some(id) = &args.id {
        let lead = ledger.read(|r| r.lead_named(id))?;
        return Ok((Person::of(&lead.inquiry.fields), Some(lead)));
    }
    let mut person = Person::default();
    if let Some(text) = &args.email {
        let found = Person::by_email(text);
        let wanted = "--email takes an address like ana@example.com";
        person.emails = found.ok_or_else(|| Failed::Refused(wanted.into()))?.emails;
    }
    if let Some(text) = &args.phone {
        let found = Person::by_phone(text);
        let wanted = "--phone takes a number in international form, like +4930901820";
        person.phones = found.ok_or_else(|| Failed::Refused(wanted.into()))?.phones;
    }
    Ok((person, None))
}

fn nothing(
    ledger: &Ledger,
    keys: &[crate::ledger::PersonKey],
    found: &Found,
) -> Result<Failed, Failed> {
    let since = ledger.read(|r| r.suppressed_since(keys))?;
    let mut text = match since {
        Some(since) => format!(
            "nothing is held of this person; they were erased on {}",
            iso(since)
        ),
        None => "nothing is held of this person".to_owned(),
    };
    if !found.others.is_empty() {
        let names: Vec<_> = found.others.iter().map(LeadId::to_string).collect();
        text = format!("{text}; other leads name them: {}", names.join(", "));
    }
    Ok(Failed::Refused(text))
}

fn look(config: &Config, ledger: &Ledger, found: &Found) -> Result<Erased, Failed> {
    let (mut leads, mut mailed, mut files) = (Vec::new(), 0, 0);
    for seq in &found.theirs {
        let (lead, notices) = ledger.read(|r| Ok((r.lead(*seq)?, r.deliveries(*seq)?)))?;
        let names: Vec<_> = notices.iter().map(|(d, _)| (d.id, d.lead_id)).collect();
        for folder in outboxes(config) {
            files += outbox::count(&folder, &names);
        }
        let sent = |(d, _): &&(crate::lead::Delivery, _)| d.state == DeliveryState::Sent;
        mailed += notices.iter().filter(sent).count();
        leads.push(lead.id);
    }
    Ok(Erased {
        leads,
        others: found.others.clone(),
        mailed,
        files,
        fetching: ledger.read(|r| r.how_many_stand_in(Stage::Fetching))?,
        log_is_empty: true,
    })
}

fn erase(
    config: &Config,
    ledger: &Ledger,
    key: &HashKey,
    found: &Found,
    by: &str,
) -> Result<Erased, Failed> {
    let mut erased = look(config, ledger, found)?;
    let now = Clock::system().now();
    let context = Context::new(daemon::assemble(config)?, now, &config.flow, &config.mail);
    let context = std::sync::Arc::new(context);
    let actor = Actor::Person(by.trim().to_owned());
    for seq in found.theirs.iter().copied() {
        let (lead, notices) = ledger.read(|r| Ok((r.lead(seq)?, r.notices_of(&[seq])?)))?;
        // Files first: if this is cut off between the two, the lead can still be found.
        remove_files(config, &notices)?;
        let act = Act::Erase {
            persons: person_keys(key, &lead.inquiry),
        };
        let (context, actor) = (context.clone(), actor.clone());
        ledger.write_blocking(move |tx| command::apply(tx, &context, seq, &act, &actor))?;
        // A notice that was on its way meanwhile; the daemon looks once more.
        let notices = ledger.read(|r| r.notices_of(&[seq]))?;
        remove_files(config, &notices)?;
    }
    erased.others.clone_from(&found.others);
    Ok(erased)
}

fn remove_files(config: &Config, notices: &[(i64, LeadId)]) -> Result<(), Failed> {
    for folder in outboxes(config) {
        outbox::remove(&folder, notices)?;
    }
    Ok(())
}

/// The outbox that is set, and the one that may have been used before there was a server.
fn outboxes(config: &Config) -> Vec<PathBuf> {
    let mut folders = vec![config.storage.data_dir.join("outbox")];
    if let Transport::Outbox(folder) = &config.mail.transport
        && !folders.contains(folder)
    {
        folders.push(folder.clone());
    }
    folders
}

fn tell(config: &Config, args: &Args, erased: &Erased) -> Result<(), Failed> {
    let out_of_reach = out_of_reach(config, erased);
    if args.json {
        super::print_json(&as_json(args.dry_run, erased, &out_of_reach))?;
    } else {
        let mut out = std::io::stdout().lock();
        let what = if args.dry_run {
            "would be erased"
        } else {
            "erased"
        };
        for lead in &erased.leads {
            writeln!(out, "{lead} {what}")?;
        }
        writeln!(
            out,
            "{} leads, {} files of the outbox",
            erased.leads.len(),
            erased.files
        )?;
        for other in &erased.others {
            writeln!(
                out,
                "{other} shares an address or number with them, or names them: look, and erase it by its \
                 id if it is theirs"
            )?;
        }
        for text in &out_of_reach {
            writeln!(out, "not reached: {text}")?;
        }
    }
    if erased.log_is_empty {
        return Ok(());
    }
    let text = "the data is erased, but the ledger's log still has old pages: somebody reads the ledger \
                for long; run the command again later, or stop the daemon";
    Err(anyhow::anyhow!(text).into())
}

fn out_of_reach(config: &Config, erased: &Erased) -> Vec<String> {
    let mut out = vec!["backups and exports that were made before".to_owned()];
    let aside = std::fs::read_dir(&config.storage.data_dir)
        .into_iter()
        .flatten()
        .flatten();
    let aside = aside.filter(|entry| entry.file_name().to_string_lossy().starts_with("replaced-"));
    out.extend(aside.map(|entry| {
        let path = entry.path();
        format!("{}, which a restore kept aside; delete it", path.display())
    }));
    if erased.fetching > 0 {
        let n = erased.fetching;
        out.push(format!(
            "{n} leads that are still to be fetched: look again afterwards"
        ));
    }
    if erased.mailed > 0 {
        let where_to = match &config.mail.transport {
            Transport::Outbox(_) => "copies that were taken from the outbox",
            Transport::Smtp(_) => "mails at the reps and on mail servers",
        };
        out.push(format!(
            "{where_to}: {} notices were delivered",
            erased.mailed
        ));
    }
    out
}

fn as_json(dry_run: bool, erased: &Erased, out_of_reach: &[String]) -> Value {
    json!({
        "dry_run": dry_run,
        "leads": erased.leads,
        "outbox_files": erased.files,
        "perhaps_theirs": erased.others,
        "not_reached": out_of_reach,
    })
}
