//! `leadgate health`: asks the daemon of the configuration, for health checks where no other HTTP
//! client is.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Args as ClapArgs;

use super::Failed;
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(ClapArgs)]
pub(super) struct Args {
    /// Only ask whether the process answers (/healthz), not whether it can take leads (/readyz).
    #[arg(long)]
    live: bool,
    /// Where the daemon listens; from the configuration where it is not given.
    #[arg(long)]
    url: Option<String>,
}

pub(super) fn run(path: &Path, args: &Args) -> Result<(), Failed> {
    let base = match &args.url {
        Some(url) => url.clone(),
        None => Config::load(path)?.server.url_here(),
    };
    let path = if args.live { "/healthz" } else { "/readyz" };
    let url = format!("{}{path}", base.trim_end_matches('/'));
    let (status, said) = super::runtime()?.block_on(ask(&url))?;
    let said = said.trim();
    if !(200..300).contains(&status) {
        return Err(anyhow::anyhow!("{url} answers {status}: {said}").into());
    }
    let said = if said.is_empty() { "alive" } else { said };
    writeln!(std::io::stdout().lock(), "{said}")?;
    Ok(())
}

async fn ask(url: &str) -> anyhow::Result<(u16, String)> {
    let cannot = || format!("{url} does not answer");
    let request = super::send::client()?.get(url).timeout(PATIENCE);
    let answer = request.send().await.with_context(cannot)?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.with_context(cannot)?))
}
