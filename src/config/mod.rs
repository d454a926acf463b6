//! The configuration: defaults, file, environment, secret references. Knows no running object.
//!
//! Paths under `[policy]` are relative to the folder of the configuration file, since they travel
//! with it; `data_dir` and the outbox are relative to the current directory, since they do not.

mod flow;
mod intake;
mod layers;
mod log;
mod mail;
mod outbound;
mod policy;
mod queue;
mod retention;
mod server;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

pub use layers::{References, environment, secret};
pub use log::{Format, Log};
pub use policy::{Policy, read_policy};
pub use server::Server;

use crate::deliver;
use crate::document;
use crate::document::Table;
use crate::problem::Problem;
use crate::secret::Secret;

/// Fewer characters of a configured key could be guessed.
const SECRET_KEY_CHARS_MIN: usize = 32;

/// Everything that `leadgate.toml` and the environment say.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens and what it is called outside.
    pub server: Server,
    /// What intake accepts.
    pub intake: crate::intake::Settings,
    /// Where the truth is kept.
    pub storage: crate::ledger::Settings,
    /// What may be reached over HTTP.
    pub outbound: crate::outbound::Settings,
    /// How mail leaves.
    pub mail: deliver::Settings,
    /// How long a lead may stand still.
    pub flow: crate::flow::Settings,
    /// What says which work is due now.
    pub queue: crate::queue::Settings,
    /// What is logged, and how.
    pub log: Log,
    /// Where rules, sources, reps and templates lie.
    pub policy: Policy,
    /// Signs links and keys; absent is generated in the data folder.
    pub secret_key: Option<Secret>,
    /// Where `env:` and `file:` lead to, for the sources' credentials.
    pub references: References,
}

impl Config {
    /// Reads the file and the process's environment above it.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        Self::load_with(path, &environment())
    }

    /// Reads the file and the given environment above it.
    pub fn load_with(path: &Path, env: &BTreeMap<String, String>) -> Result<Self, Vec<Problem>> {
        let file = path.display().to_string();
        let text = layers::read_config(path)?;
        let base = path.parent().unwrap_or(Path::new(""));
        let layers = layers::Layers { base, env };
        let (overrides, unknown) = layers::overrides(env);
        let result = document::read(&file, &text, &overrides, |root| read(root, &layers));
        match result {
            Ok(config) if unknown.is_empty() => Ok(config),
            Ok(_) => Err(unknown),
            Err(mut problems) => {
                problems.extend(unknown);
                Err(problems)
            }
        }
    }
}

/// Every section is read before any is given up, so that all problems come at once.
fn read(root: &Table<'_>, layers: &layers::Layers<'_>) -> Option<Config> {
    let secret_key = secret_key(root, layers);
    let server = server::read(&root.table("server"));
    let storage = storage::read(&root.table("storage"));
    let intake = intake::read(&root.table("intake"));
    let mail = mail::read(&root.table("mail"), layers, &storage.data_dir);
    let outbound = outbound::read(&root.table("outbound"));
    let mut flow = flow::read(&root.table("flow"));
    flow.retention = retention::read(&root.table("retention"));
    let queue = queue::read(&root.table("queue"), layers);
    let log = log::read(&root.table("log"));
    let policy = policy::read(&root.table("policy"), layers.base);
    root.done();
    Some(Config {
        server: server?,
        intake,
        storage,
        outbound,
        mail: mail?,
        flow,
        queue: queue?,
        log,
        policy,
        secret_key,
        references: References::new(layers.base, layers.env),
    })
}

fn secret_key(root: &Table<'_>, layers: &layers::Layers<'_>) -> Option<Secret> {
    let secret = layers
        .secret(root, "secret_key")
        .filter(|s| !s.is_empty())?;
    let chars = secret.expose().chars().count();
    if chars < SECRET_KEY_CHARS_MIN {
        let message = format!(
            "secret_key has {chars} characters; wanted are at least {SECRET_KEY_CHARS_MIN}"
        );
        let hint = "make one with `openssl rand -hex 32`, or leave it empty".to_owned();
        root.problem_hint("secret_key", message, Some(hint));
    }
    Some(secret)
}

/// A count or length that fits every platform's `usize`.
fn size(
    table: &Table<'_>,
    key: &str,
    range: std::ops::RangeInclusive<i64>,
    unless: usize,
) -> usize {
    let number = table.int(key, range);
    number
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(unless)
}

/// Address blocks, or single addresses.
fn networks(table: &Table<'_>, key: &str) -> Vec<ipnet::IpNet> {
    let mut blocks = Vec::new();
    for text in table.texts(key).unwrap_or_default() {
        let alone = || text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
        if let Ok(block) = text.parse().or_else(|_| alone()) {
            blocks.push(block);
            continue;
        }
        let name = table.name(key);
        let wanted = "wanted is an address block like \"10.0.0.0/8\"";
        table.problem(key, format!("{name} has \"{text}\"; {wanted}"));
    }
    blocks
}
