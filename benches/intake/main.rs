//! How many leads a second the daemon takes, screens and grades, and where the time goes. Drives the
//! real binary over loopback with signed, distinct leads and the shipped rules, beside two bare
//! servers that show what the machine could do at best. See `docs/benchmark.md`.
//!
//! `cargo bench --bench intake -- [--leads N] [--rounds N] [--quick]`

#![expect(
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::needless_pass_by_value,
    clippy::redundant_closure_for_method_calls,
    reason = "a program for a terminal: the table goes to stdout, progress to stderr"
)]

mod bare;
mod breakdown;
mod client;
mod leadgate;
mod process;
mod requests;
mod table;

use std::path::{Path, PathBuf};

use anyhow::Context;

use client::Load;
use table::Row;

// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Leads for the measurement on one core.
const BREAKDOWN_LEADS: usize = 20_000;

/// What is asked for on the command line.
struct Options {
    leads: usize,
    rounds: usize,
    breakdown: usize,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, kind, dir] = args.as_slice()
        && serve == bare::SERVE
    {
        return bare::serve(kind, Path::new(dir));
    }
    let options = options(&args)?;
    // On the disk of the target folder: /tmp may be memory, where an fsync costs nothing.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("no folder to work in")?;
    let policy = leadgate::Shipped::copy_to(dir.path())?;
    let broken_down = breakdown::measure(&policy, options.breakdown)?;
    let mut rows = [
        Row::new("bare: actix reads the body, 202"),
        Row::new("bare: the same + SQLite insert, FULL"),
        Row::new("leadgate: decided"),
        Row::new("leadgate: decided, routing and mail on"),
    ];
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for (at, row) in rows.iter_mut().enumerate() {
            let folder = dir.path().join(format!("{round}-{at}"));
            std::fs::create_dir_all(&folder)?;
            let load = Load::of(requests::build(&policy, options.leads)?);
            let run = match at {
                0 => bare::measure(bare::ANSWER, &folder, &load),
                1 => bare::measure(bare::STORE, &folder, &load),
                _ => leadgate::measure(&policy, &folder, load, at == 3),
            };
            let run = run.with_context(|| row.name.to_owned())?;
            eprintln!("  {:<40} {:>9.0} leads/s", row.name, run.per_second);
            row.runs.push(run);
            std::fs::remove_dir_all(&folder)?;
        }
    }
    table::print(&options.title(), &rows, &broken_down)
}

impl Options {
    fn title(&self) -> String {
        format!(
            "{} leads a run, {} connections, median of {}",
            self.leads,
            client::CONNECTIONS,
            self.rounds
        )
    }
}

fn options(args: &[String]) -> anyhow::Result<Options> {
    let mut options = Options {
        leads: 200_000,
        rounds: 3,
        breakdown: BREAKDOWN_LEADS,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || -> anyhow::Result<usize> {
            let text = args
                .next()
                .with_context(|| format!("{arg} wants a number"))?;
            let n: usize = text.parse().with_context(|| format!("{arg} {text}"))?;
            anyhow::ensure!(n > 0, "{arg} wants at least 1");
            Ok(n)
        };
        match arg.as_str() {
            "--leads" => options.leads = number()?,
            "--rounds" => options.rounds = number()?,
            "--quick" => {
                options = Options {
                    leads: 20_000,
                    rounds: 1,
                    breakdown: 2_000,
                }
            }
            "--bench" => {} // from cargo
            other => anyhow::bail!("{other}: known are --leads N, --rounds N, --quick"),
        }
    }
    Ok(options)
}

/// The repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
