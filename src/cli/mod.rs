//! The command line, one file a command. Prints for people, and with `--json` for programs. Exit
//! codes: 0 done, 1 failed, 2 wrong usage, 3 problems in the configuration, 4 no such thing or not
//! possible where it stands.

mod check;
mod dead;
mod demo;
mod endpoints;
mod erase;
mod export;
mod health;
mod json;
mod leads;
mod ledger;
mod manual;
mod person;
mod send;
mod serve;
mod show;
mod show_fields;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Config;
use crate::daemon::Unbuilt;
use crate::ledger::{Fault, Ledger};
use crate::problem::{self, Problem};

/// Catches every advertising response, decides by rules that a marketer can read, and tells the
/// right rep.
#[derive(Parser)]
#[command(name = "leadgate", version, about, disable_help_subcommand = true)]
struct Cli {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        env = "LEADGATE_CONFIG",
        default_value = "config/leadgate.toml"
    )]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve: take leads, decide, tell reps.
    Serve,
    /// Try it: a daemon of its own in ./leadgate-demo with a stream of made-up leads.
    Demo(demo::Args),
    /// Look whether configuration, rules, reps and sources are sound; runs the samples.
    Check(check::Args),
    /// Sign a payload as its platform would and post it to a running daemon.
    Send(send::Args),
    /// Look at leads and act on them.
    Leads(leads::Args),
    /// Notices that failed for good.
    Dead(dead::Args),
    /// Backups of the ledger, and whether it is sound.
    Ledger(ledger::Args),
    /// Ask the running daemon how it is.
    Health(health::Args),
    /// Print what completes commands in a shell.
    Completions(manual::Completions),
    /// Print the manual page of leadgate, or of one of its commands.
    Man(manual::Man),
    /// Systems that are told by webhook, and how they fare.
    Endpoints(endpoints::Args),
}

/// Why a command did not do what it was asked to.
pub(crate) enum Failed {
    /// Files to mend.
    Problems(Vec<Problem>),
    /// Nothing there, or not possible.
    Refused(String),
    /// Everything else.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<Vec<Problem>> for Failed {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}

impl From<Unbuilt> for Failed {
    fn from(unbuilt: Unbuilt) -> Self {
        match unbuilt {
            Unbuilt::Problems(problems) => Self::Problems(problems),
            Unbuilt::Other(error) => Self::Other(error),
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Missing(_) | Fault::Illegal { .. } | Fault::Stale | Fault::Refused(_) => {
                Self::Refused(fault.to_string())
            }
            Fault::Overloaded | Fault::Stopped | Fault::Store(_) | Fault::Locked(_) => {
                Self::Other(fault.into())
            }
        }
    }
}

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Serve => serve::run(&cli.config),
        Command::Demo(args) => demo::run(&cli.config, &args),
        Command::Check(args) => check::run(&cli.config, &args),
        Command::Send(args) => send::run(&cli.config, &args),
        Command::Leads(args) => leads::run(&cli.config, args.command),
        Command::Dead(args) => dead::run(&cli.config, args.command),
        Command::Ledger(args) => ledger::run(&cli.config, args.command),
        Command::Health(args) => health::run(&cli.config, &args),
        Command::Completions(args) => manual::completions(&args, Cli::command()),
        Command::Man(args) => manual::man(&args, Cli::command()),
        Command::Endpoints(args) => endpoints::run(&cli.config, &args.command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => explain(failed),
    }
}

fn explain(failed: Failed) -> ExitCode {
    let mut err = std::io::stderr().lock();
    let code = match failed {
        Failed::Problems(problems) => {
            let color = err.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let _ = writeln!(err, "{}", problem::render(&problems, color));
            3
        }
        Failed::Refused(text) => {
            let _ = writeln!(err, "leadgate: {text}");
            4
        }
        Failed::Other(error) => {
            let broken_pipe = error
                .downcast_ref::<std::io::Error>()
                .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
            if broken_pipe {
                return ExitCode::SUCCESS;
            }
            let _ = writeln!(err, "leadgate: {error:#}");
            1
        }
    };
    ExitCode::from(code)
}

/// The configuration, and the ledger beside the daemon that may be serving it.
fn open(config: &std::path::Path) -> Result<(Config, Ledger), Failed> {
    let config = Config::load(config)?;
    let ledger = Ledger::beside(&config.storage)?;
    Ok((config, ledger))
}

/// The key that signs links and hashes persons, where one was made.
fn key(config: &Config) -> Result<Option<Vec<u8>>, Failed> {
    if let Some(secret) = &config.secret_key {
        return Ok(Some(secret.expose().as_bytes().to_vec()));
    }
    Ok(crate::ledger::read_key(&config.storage.data_dir)?)
}

/// A runtime for commands that use the network.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// Prints a value for a program.
fn print_json(value: &serde_json::Value) -> Result<(), Failed> {
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(())
}
