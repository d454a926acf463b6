//! What stands above the file: the environment, and the secrets that a text refers to. The one
//! reader of the process's environment. Knows no section.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::document::Overrides;
use crate::document::Table;
use crate::document::variable;
use crate::problem::Problem;
use crate::problem::nearest;
use crate::secret::Secret;

const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
const SECRET_BYTES_MAX: u64 = 64 * 1024;
const PREFIX: &str = "LEADGATE_";
/// The shipped file names every key, so it tells which variables mean something.
const SHIPPED: &str = include_str!("../../config/leadgate.toml");

/// Where references lead to.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    /// The folder of the configuration file.
    pub(super) base: &'a Path,
    /// The environment.
    pub(super) env: &'a BTreeMap<String, String>,
}

impl Layers<'_> {
    /// A secret under `key`; what is wrong with its reference is noted.
    pub(super) fn secret(&self, table: &Table<'_>, key: &str) -> Option<Secret> {
        let text = table.text(key)?;
        match secret(&text, self.base, self.env) {
            Ok(secret) => Some(secret),
            Err(why) => {
                table.problem(key, format!("{}: {why}", table.name(key)));
                None
            }
        }
    }
}

/// Where references of the policy's files lead to; `Debug` shows nothing of it.
#[derive(Clone, Default)]
pub struct References {
    base: std::path::PathBuf,
    env: BTreeMap<String, String>,
}

impl References {
    pub(super) fn new(base: &Path, env: &BTreeMap<String, String>) -> Self {
        Self {
            base: base.to_owned(),
            env: env.clone(),
        }
    }

    /// The secret of a reference, or what is wrong with it.
    pub fn secret(&self, reference: &str) -> Result<Secret, String> {
        secret(reference, &self.base, &self.env)
    }
}

impl std::fmt::Debug for References {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("References(***)")
    }
}

/// The environment of the process, as far as it is text.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What a configured text stands for: `env:NAME` is that variable, `file:PATH` that file's text
/// without the line's end (relative to `base`), anything else is the secret itself.
pub fn secret(
    reference: &str,
    base: &Path,
    env: &BTreeMap<String, String>,
) -> Result<Secret, String> {
    if let Some(name) = reference.strip_prefix("env:") {
        return match env.get(name).map(String::as_str) {
            None => Err(format!("the environment variable {name} is not set")),
            Some("") => Err(format!("the environment variable {name} is empty")),
            Some(text) => Ok(Secret::new(text)),
        };
    }
    let Some(path) = reference.strip_prefix("file:") else {
        return Ok(Secret::new(reference));
    };
    let text = read_text(&base.join(path), SECRET_BYTES_MAX)
        .map_err(|why| format!("the secret's file {path}: {why}"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(format!("the secret's file {path} is empty"));
    }
    Ok(Secret::new(text))
}

/// The text of the configuration file.
pub(super) fn read_config(path: &Path) -> Result<String, Vec<Problem>> {
    read_text(path, CONFIG_BYTES_MAX).map_err(|why| {
        let problem = Problem::in_file(path.display().to_string(), why);
        vec![problem.hint("name the configuration with --config FILE")]
    })
}

/// The whole text of a file that has at most `bytes_max`.
pub(super) fn read_text(path: &Path, bytes_max: u64) -> Result<String, String> {
    let cannot = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return "there is no such file".to_owned();
        }
        format!("cannot be read: {error}")
    };
    let file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > bytes_max) {
        return Err(format!("is longer than {} KiB", bytes_max / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "is no UTF-8 text".to_owned())
}

/// The variables that name a key, and a problem for each that only seems to.
pub(super) fn overrides(env: &BTreeMap<String, String>) -> (Overrides, Vec<Problem>) {
    let mut overrides = Overrides::new();
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        // Other variables of this prefix belong to the command line.
        if rest.contains("__") || rest == "SECRET_KEY" {
            overrides.insert(rest.to_lowercase().replace("__", "."), value.clone());
        }
    }
    if overrides.is_empty() {
        return (overrides, Vec::new());
    }
    let known = known_paths();
    let unknown = overrides.keys().filter(|path| !known.contains(*path));
    let problems = unknown.map(|path| {
        let name = variable(path);
        let problem = Problem::in_file("environment", format!("{name} names no key"));
        match nearest(path, known.iter().map(String::as_str)) {
            Some(near) => problem.hint(format!("did you mean {}?", variable(near))),
            None => problem,
        }
    });
    let problems = problems.collect();
    (overrides, problems)
}

/// The dotted path of every key in the shipped file.
pub(super) fn known_paths() -> BTreeSet<String> {
    let shipped: toml::Table = SHIPPED.parse().unwrap_or_default();
    let mut open = vec![(String::new(), shipped)];
    let mut paths = BTreeSet::new();
    while let Some((above, table)) = open.pop() {
        for (key, value) in table {
            let path = if above.is_empty() {
                key
            } else {
                format!("{above}.{key}")
            };
            match value {
                toml::Value::Table(table) => open.push((path, table)),
                toml::Value::String(_)
                | toml::Value::Integer(_)
                | toml::Value::Float(_)
                | toml::Value::Boolean(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_) => {
                    paths.insert(path);
                }
            }
        }
    }
    paths
}
