//! The numbers that leadgate promises, measured on the real binary over loopback with signed,
//! distinct leads and the shipped rules, beside bare servers that show what the machine could do at
//! best. Prints Markdown, ready for `docs/benchmark.md`, which says how to read it.
//!
//! `cargo bench --bench intake -- [--quick] [--only PART,…] [--leads N] [--rounds N] [--stored N]`

#![expect(
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::redundant_closure_for_method_calls,
    reason = "a program for a terminal: the tables go to stdout, progress to stderr"
)]

mod assign;
mod bare;
mod breakdown;
mod client;
mod empty;
mod figures;
mod leadgate;
mod machine;
mod mailbox;
mod million;
mod options;
mod process;
mod redis;
mod requests;
mod smtp;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use figures::Found;
use options::{Options, Part};

// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What every part needs.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) shipped: leadgate::Shipped,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, kind, dir] = args.as_slice()
        && serve == bare::SERVE
    {
        return bare::serve(kind, Path::new(dir));
    }
    let options = Options::read(&args)?;
    process::end_children_on_signal()?;
    // On the disk of the target folder: /tmp may be memory, where an fsync costs nothing.
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("no folder to work in")?;
    let shipped = leadgate::Shipped::copy_to(dir.path())?;
    let bench = Bench { options, shipped };
    say(&machine::describe(dir.path()))?;
    measure(&bench, dir.path())
}

/// Every part that is asked for; one that fails does not cost the others' figures.
fn measure(bench: &Bench, dir: &Path) -> anyhow::Result<()> {
    let mut found = Found::default();
    let mut failed = Vec::new();
    for part in Part::ALL {
        if !bench.options.parts.contains(&part) {
            continue;
        }
        eprintln!("{}: {}", part.name(), part.title());
        let folder = dir.join(part.name());
        std::fs::create_dir_all(&folder)?;
        let result = machine::has_room(&folder, bench.options.leads)
            .and_then(|()| one(bench, part, &folder, &mut found));
        std::fs::remove_dir_all(&folder)?;
        process::go_on()?;
        match result {
            Ok(text) => say(&format!("## {}\n\n{text}", part.title()))?,
            Err(error) => {
                eprintln!("  failed: {error:#}");
                failed.push(part.name());
            }
        }
    }
    say(&format!(
        "## Limits\n\n{}",
        found.table(bench.options.stored)
    ))?;
    anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn one(bench: &Bench, part: Part, folder: &Path, found: &mut Found) -> anyhow::Result<String> {
    match part {
        Part::Empty => empty::run(bench, folder, found),
        Part::Half => empty::half(bench, folder, found),
        Part::Smtp => smtp::run(bench, folder, found),
        Part::Million => million::run(bench, folder, found),
        Part::Redis => redis::run(bench, folder, found),
        Part::Assign => assign::run(bench, folder, found),
    }
}

/// One run in a folder that is gone afterwards.
pub(crate) fn fresh<T>(
    folder: &Path,
    run: impl FnOnce(&Path) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let data = tempfile::tempdir_in(folder)?;
    run(data.path())
}

/// To the standard output, at once: it may be minutes until the next.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// The repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
