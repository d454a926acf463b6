//! `leadgate send`: a payload, signed as its platform would, to a running daemon.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args as ClapArgs;

use super::Failed;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon;
use crate::source::{Sample, Source};

#[derive(ClapArgs)]
pub(super) struct Args {
    /// The source's name in sources.toml.
    source: String,
    /// The file with the body; without one a made-up lead is sent.
    file: Option<PathBuf>,
    /// The content type; by the file's ending where it is not given.
    #[arg(long)]
    content_type: Option<String>,
    /// Whom to make up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the daemon listens; from the configuration where it is not given.
    #[arg(long)]
    url: Option<String>,
}

pub(super) fn run(path: &Path, args: &Args) -> Result<(), Failed> {
    let config = Config::load(path)?;
    let policy = daemon::assemble(&config)?;
    let Some(source) = policy.sources.get(&args.source) else {
        let known: Vec<_> = policy
            .sources
            .iter()
            .map(|source| source.name.as_str())
            .collect();
        let text = format!(
            "no source `{}`; there are {}",
            args.source,
            known.join(", ")
        );
        return Err(Failed::Refused(text));
    };
    let sample = sample(source, args)?;
    let sample = source.adapter.sign(source, sample, Clock::system().now());
    let base = args
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.server.listen));
    let url = format!("{}/in/{}", base.trim_end_matches('/'), source.name);
    super::runtime()?.block_on(async {
        let answer = post(&client()?, &url, &sample).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{} {}", answer.0, answer.1)?;
        if answer.0 < 400 {
            return Ok(());
        }
        Err(Failed::Refused(format!("{url} refused it")))
    })
}

fn sample(source: &Source, args: &Args) -> Result<Sample, Failed> {
    let Some(file) = &args.file else {
        let person = crate::sample::Person::from_seed(args.seed);
        return Ok(source.adapter.shape(source, &person));
    };
    let body = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let by_ending = match file.extension().and_then(|e| e.to_str()) {
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some(_) | None => "application/x-www-form-urlencoded",
    };
    let kind = args
        .content_type
        .clone()
        .unwrap_or_else(|| by_ending.to_owned());
    Ok(Sample {
        method: "POST",
        query: String::new(),
        headers: vec![
            ("content-type".into(), kind),
            ("accept".into(), "application/json".into()),
        ],
        body,
    })
}

/// A client for our own daemon.
pub(super) fn client() -> anyhow::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(30));
    Ok(client.build()?)
}

/// An address without its query, which may hold a key.
fn url_without_key(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// Status and body of the answer.
pub(super) async fn post(
    client: &reqwest::Client,
    url: &str,
    sample: &Sample,
) -> anyhow::Result<(u16, String)> {
    let url = match sample.query.as_str() {
        "" => url.to_owned(),
        query => format!("{url}?{query}"),
    };
    let mut request = client.post(&url).body(sample.body.clone());
    for (name, value) in &sample.headers {
        request = request.header(name, value);
    }
    let answer = request
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("{} does not answer", url_without_key(&url)))?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await?))
}
