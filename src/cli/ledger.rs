//! `leadgate ledger`: copies of the file that holds the truth, and putting one back.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::flow::erase;
use crate::ledger::upkeep::{self, Counts, Key, Report};
use crate::ledger::{Ledger, Settings};
use crate::secret::HashKey;

#[derive(ClapArgs)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Upkeep,
}

#[derive(Subcommand)]
pub(super) enum Upkeep {
    /// Copy the ledger into a new folder, while the daemon runs or not.
    Backup {
        /// The folder to make; it must not be there.
        to: PathBuf,
        /// Take secret.key along, so that links in mails and known repeats go on after a restore.
        /// Whoever has the key can make links.
        #[arg(long)]
        with_secret: bool,
        /// For a program.
        #[arg(long)]
        json: bool,
    },
    /// Look whether a backup is whole, or whether the ledger at work is sound.
    Verify {
        /// A backup, a data folder or a ledger file; the configured data folder where none is given.
        path: Option<PathBuf>,
        /// For a program.
        #[arg(long)]
        json: bool,
    },
    /// Make a backup the ledger of a data folder that no daemon serves.
    Restore {
        /// The backup.
        backup: PathBuf,
        /// The data folder.
        #[arg(long)]
        to: PathBuf,
        /// Keep a ledger that is there aside, and put the backup in its place.
        #[arg(long)]
        replace: bool,
        /// For a program.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(config: &Path, command: Upkeep) -> Result<(), Failed> {
    match command {
        Upkeep::Backup {
            to,
            with_secret,
            json,
        } => backup(config, &to, with_secret, json),
        Upkeep::Verify { path, json } => {
            let path = match path {
                Some(path) => path,
                None => Config::load(config)?.storage.data_dir,
            };
            verify(&path, json)
        }
        Upkeep::Restore {
            backup,
            to,
            replace,
            json,
        } => restore(&backup, &to, replace, json),
    }
}

fn backup(config: &Path, to: &Path, with_secret: bool, json: bool) -> Result<(), Failed> {
    let config = Config::load(config)?;
    let data_dir = &config.storage.data_dir;
    let configured = config.secret_key.is_some();
    let key = super::key(&config)?;
    if with_secret && (configured || key.is_none()) {
        let why = if configured {
            "the secret key comes from the configuration: keep it where that is kept, and leave out --with-secret"
        } else {
            "there is no secret.key yet; start the daemon once"
        };
        return Err(Failed::Refused(why.into()));
    }
    let key = key.map(|bytes| Key::new(bytes, with_secret));
    let manifest = upkeep::backup(data_dir, to, key.as_ref(), &Clock::system())?;
    if json {
        let value = serde_json::to_value(&manifest).map_err(anyhow::Error::from)?;
        super::print_json(&value)?;
    } else {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{} holds {}", to.display(), words(&manifest.counts))?;
        let until = &manifest.complete_until;
        writeln!(
            out,
            "everything that was acknowledged before {until} is in it"
        )?;
    }
    let mut err = std::io::stderr().lock();
    if !with_secret && !configured {
        writeln!(
            err,
            "leadgate: warning: secret.key is not in it; without that key the links in mails stop \
             working after a restore and repeats are taken for new leads. Keep a copy of {} apart from \
             the backups, or use --with-secret",
            data_dir.join("secret.key").display()
        )?;
    }
    Ok(())
}

fn words(counts: &Counts) -> String {
    let Counts {
        submissions,
        undecided,
        leads,
        events,
        ..
    } = counts;
    format!("{submissions} submissions ({undecided} undecided), {leads} leads, {events} events")
}

fn verify(path: &Path, json: bool) -> Result<(), Failed> {
    let report = upkeep::verify(path)?;
    if json {
        super::print_json(&as_json(&report))?;
    } else {
        let mut out = std::io::stdout().lock();
        let ledger = report.ledger.display();
        writeln!(out, "{ledger} holds {}", words(&report.counts))?;
        if let Some(manifest) = &report.manifest {
            let (until, by) = (&manifest.complete_until, &manifest.leadgate);
            writeln!(out, "a backup by leadgate {by}, complete until {until}")?;
        }
        for problem in &report.problems {
            writeln!(out, "problem: {problem}")?;
        }
        if report.problems.is_empty() {
            writeln!(out, "it is sound")?;
        }
    }
    match report.problems.len() {
        0 => Ok(()),
        n => Err(anyhow::anyhow!("{} has {n} problems", report.ledger.display()).into()),
    }
}

fn as_json(report: &Report) -> serde_json::Value {
    json!({
        "ledger": report.ledger,
        "schema": report.schema,
        "counts": report.counts,
        "problems": report.problems,
        "manifest": report.manifest,
    })
}

fn restore(backup: &Path, to: &Path, replace: bool, json: bool) -> Result<(), Failed> {
    let now = Clock::system().now();
    let restored = upkeep::restore(backup, to, replace, now)?;
    let mut again = restored.erased_since.len();
    let mut left = Vec::new();
    if again > 0 {
        // The daemon is not running, so its schema may have to be brought up to date first.
        let settings = Settings {
            data_dir: to.to_owned(),
            ..Settings::default()
        };
        let ledger = Ledger::serve(&settings)?;
        let key = crate::ledger::read_key(to)?.map(|key| HashKey::new(&key));
        let erased = erase::again(&ledger, &restored.erased_since, key.as_ref(), now);
        ledger.close();
        left = erased?;
        again -= left.len();
    }
    let counts = &restored.report.counts;
    if json {
        super::print_json(&json!({
            "ledger": to,
            "counts": counts,
            "aside": restored.aside,
            "key_fits": restored.key_fits,
            "erased_again": again,
            "to_be_erased_again": left,
        }))?;
    } else {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{} holds {} again", to.display(), words(counts))?;
        if let Some(aside) = &restored.aside {
            writeln!(out, "what was there before is in {}", aside.display())?;
        }
        if again > 0 {
            writeln!(
                out,
                "{again} leads that were erased after the backup were erased again"
            )?;
        }
    }
    let mut err = std::io::stderr().lock();
    for lead in left {
        writeln!(
            err,
            "leadgate: warning: lead {lead} was erased and is not decided in the backup, in one \
             submission with others; once the daemon has decided it: leadgate leads erase {lead} --by NAME"
        )?;
    }
    if restored.key_fits == Some(false) {
        writeln!(
            err,
            "leadgate: warning: the secret.key that this backup was made with is not in {}; put it \
             there (or into the configuration) before the daemon starts. Otherwise it makes a new one: \
             the links in mails stop working and repeats are taken for new leads",
            to.display()
        )?;
    }
    Ok(())
}
