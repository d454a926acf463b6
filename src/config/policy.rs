//! Section `[policy]`, and the reading of its files into memory. Knows nothing of what they say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::layers::read_text;
use crate::document::Overrides;
use crate::document::Table;
use crate::flow::PolicyFiles;
use crate::problem::Problem;

const KIB: u64 = 1024;
const TEXT_BYTES_MAX: u64 = 64 * KIB;
const LIST_BYTES_MAX: u64 = 16 * KIB * KIB;
const NAMES_BYTES_MAX: u64 = 4 * KIB * KIB;
const FILES_MAX: usize = 4_096;

/// Section `[policy]`: resolved paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The folder of `screen.rhai`, `grade.rhai` and `route.rhai`.
    pub rules: PathBuf,
    /// `sources.toml`.
    pub sources: PathBuf,
    /// `reps.toml`.
    pub reps: PathBuf,
    /// The folder of the mails' and webhooks' templates.
    pub templates: PathBuf,
    /// Stands above `sources.toml`; the demo's far ends do.
    pub sources_above: Overrides,
    /// `endpoints.toml`, which may be absent.
    pub endpoints: PathBuf,
}

/// Reads `[policy]`; paths are relative to the folder of the configuration file.
pub(super) fn read(table: &Table<'_>, base: &Path) -> Policy {
    let path = |key: &str, unless: &str| {
        let text = table.text(key).filter(|text| !text.is_empty());
        base.join(text.as_deref().unwrap_or(unless))
    };
    let policy = Policy {
        rules: path("rules", "../rules"),
        sources: path("sources", "sources.toml"),
        reps: path("reps", "reps.toml"),
        templates: path("templates", "templates"),
        sources_above: Overrides::new(),
        endpoints: path("endpoints", "endpoints.toml"),
    };
    table.done();
    policy
}

/// Reads every file of the policy; each one that cannot be read is a problem.
pub fn read_policy(policy: &Policy) -> Result<PolicyFiles, Vec<Problem>> {
    let mut reading = Reading::default();
    let mut rules = BTreeMap::new();
    let kinds = [
        ("", &["rhai"][..], TEXT_BYTES_MAX),
        ("lib", &["rhai"], TEXT_BYTES_MAX),
        ("lists", &["txt"], LIST_BYTES_MAX),
        ("samples", &["toml"], TEXT_BYTES_MAX),
    ];
    for (below, endings, bytes_max) in kinds {
        let folder = policy.rules.join(below);
        // Only the rules themselves must be there.
        if below.is_empty() || folder.exists() {
            for (name, text) in reading.folder(&folder, endings, bytes_max) {
                let key = Path::new(below).join(name);
                rules.insert(key.to_string_lossy().into_owned(), text);
            }
        }
    }
    let templates = reading.folder(
        &policy.templates,
        &["html", "txt", "json", "xml"],
        TEXT_BYTES_MAX,
    );
    let files = PolicyFiles {
        rules,
        sources: reading.file(&policy.sources),
        sources_above: policy.sources_above.clone(),
        reps: reading.file(&policy.reps),
        templates: templates.into_iter().collect(),
        endpoints: if policy.endpoints.exists() {
            reading.file(&policy.endpoints)
        } else {
            (policy.endpoints.display().to_string(), String::new())
        },
    };
    if reading.problems.is_empty() {
        return Ok(files);
    }
    Err(reading.problems)
}

#[derive(Default)]
struct Reading {
    files: usize,
    problems: Vec<Problem>,
}

impl Reading {
    fn file(&mut self, path: &Path) -> (String, String) {
        let name = path.display().to_string();
        let text = self.text(path, NAMES_BYTES_MAX).unwrap_or_default();
        (name, text)
    }

    /// The files with these endings, by name and in order of name.
    fn folder(&mut self, folder: &Path, endings: &[&str], bytes_max: u64) -> Vec<(String, String)> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.problem(folder, format!("this folder cannot be read: {error}"));
                return Vec::new();
            }
        };
        let mut names: Vec<String> = Vec::new();
        for entry in entries {
            // What an editor leaves beside a file begins with a dot or ends otherwise.
            match entry.map(|e| e.file_name().into_string()) {
                Ok(Ok(name)) if !name.starts_with('.') => names.push(name),
                Ok(Ok(_) | Err(_)) => {}
                Err(error) => self.problem(folder, format!("cannot be listed: {error}")),
            }
            self.files += 1;
            if self.files > FILES_MAX {
                let message = format!("the policy has more than {FILES_MAX} files");
                self.problem(folder, message);
                return Vec::new();
            }
        }
        names.sort_unstable();
        let wanted = |name: &String| {
            let ending = Path::new(name).extension().and_then(|e| e.to_str());
            ending.is_some_and(|e| endings.contains(&e))
        };
        let names = names.into_iter().filter(wanted);
        names
            .filter_map(|name| {
                let text = self.text(&folder.join(&name), bytes_max)?;
                Some((name, text))
            })
            .collect()
    }

    fn text(&mut self, path: &Path, bytes_max: u64) -> Option<String> {
        match read_text(path, bytes_max) {
            Ok(text) => Some(text),
            Err(why) => {
                self.problem(path, why);
                None
            }
        }
    }

    fn problem(&mut self, path: &Path, message: String) {
        let file = path.display().to_string();
        self.problems.push(Problem::in_file(file, message));
    }
}
