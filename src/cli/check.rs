//! `leadgate check`: whether a daemon would start with these files, and what the samples say.

use std::io::Write;
use std::path::Path;

use clap::Args as ClapArgs;

use super::Failed;
use crate::config::Config;
use crate::daemon;

#[derive(ClapArgs)]
pub(super) struct Args {
    /// For a program.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(path: &Path, args: &Args) -> Result<(), Failed> {
    let assembled = Config::load(path).and_then(|config| daemon::assemble(&config));
    if args.json {
        let problems = assembled.as_ref().err();
        super::print_json(&serde_json::json!({
            "ok": problems.is_none(),
            "policy": assembled.as_ref().ok().map(|policy| policy.hash.clone()),
            "problems": problems.map_or(&[][..], Vec::as_slice),
        }))?;
        return assembled
            .map(|_| ())
            .map_err(|_| Failed::Problems(Vec::new()));
    }
    let policy = assembled?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "sound: policy {}, {} rule lines, {} samples as expected, {} reps in {} pools, {} sources",
        policy.hash,
        policy.rulebook.phrases().len(),
        policy.rulebook.samples(),
        policy.roster.reps().count(),
        policy.roster.pools().len(),
        policy.sources.iter().count(),
    )?;
    Ok(())
}
