//! `sources.toml`: each source with its own credential and limits. Knows no platform: adapters read
//! their own keys.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::mapping::Mapping;
use super::synonyms::fold_name;
use super::{ALL, Adapter, Admission, Refusal, Request, Secrets, country};
use crate::clock::Millis;
use crate::document::{self, Overrides, Table};
use crate::lead::{Fields, Inquiry, Submission};
use crate::problem::{Problem, nearest};
use crate::secret::Secret;

/// The longest that a sender may wait for the verdict.
const VERDICT_WAIT_MAX: i64 = 5_000;
const VERDICT_WAIT_MS: i64 = 800;

/// A source's own bounds, below those of `[intake]`.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// The longest body.
    pub body_bytes: Option<usize>,
    /// Submissions a second.
    pub per_second: Option<u32>,
    /// Submissions a minute and client.
    pub per_client_per_minute: Option<u32>,
}

/// What an adapter read of its own keys. It alone knows what is inside, so that a new platform is
/// named in its own file only.
#[derive(Clone)]
pub struct Settings(Arc<dyn Any + Send + Sync>);

impl Settings {
    pub(super) fn new(of_adapter: impl Any + Send + Sync) -> Self {
        Self(Arc::new(of_adapter))
    }
}

/// Where leads come from.
pub struct Source {
    /// In the address: `/in/{name}`.
    pub name: String,
    /// How it sends.
    pub adapter: &'static dyn Adapter,
    /// ISO code, assumed for phone numbers where the lead names no country.
    pub country: Option<String>,
    /// It is being connected: everything that it sends is a test.
    pub trial: bool,
    /// How long a sender waits for the verdict; `None` where it gets the receipt alone.
    pub verdict_wait_ms: Option<Millis>,
    /// Its own bounds.
    pub limits: Limits,
    /// The adapter's own.
    pub settings: Settings,
    pub(super) mapping: Mapping,
}

impl Source {
    /// What its adapter makes of a request.
    pub fn admit(&self, request: &Request<'_>, now: Millis) -> Result<Admission, Refusal> {
        let mut admission = self.adapter.admit(self, request, now)?;
        if let Admission::Leads(admitted) = &mut admission {
            self.mark(&mut admitted.read);
        }
        Ok(admission)
    }

    /// The leads of what was committed, as its adapter reads them.
    pub fn inquiries(&self, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let mut inquiries = self.adapter.parse(self, submission)?;
        self.mark(&mut inquiries);
        Ok(inquiries)
    }

    fn mark(&self, inquiries: &mut [Inquiry]) {
        for inquiry in inquiries {
            inquiry.is_test |= self.trial;
        }
    }

    /// A lead with what was fetched of it, as its adapter reads it.
    pub fn fetched(&self, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
        // Of the trial is what came while it lasted.
        let of_trial = self.trial || notice.is_test;
        let mut inquiry = self.adapter.read(self, notice, content)?;
        inquiry.is_test |= of_trial;
        Ok(inquiry)
    }

    /// What the adapter read, as its own type.
    pub(super) fn own<T: Any>(&self) -> Result<&T, Refusal> {
        let own = self.settings.0.downcast_ref();
        // A submission may wait while its source is given to another adapter.
        own.ok_or(Refusal::Unavailable { retry_after_s: 60 })
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({}, {})", self.name, self.adapter.name())
    }
}

/// Every source of a policy.
#[derive(Debug, Default)]
pub struct Sources {
    by_name: BTreeMap<String, Arc<Source>>,
}

impl Sources {
    /// Reads the file; every problem at once.
    pub fn parse(
        file: &str,
        text: &str,
        overrides: &Overrides,
        secrets: &dyn Fn(&str) -> Result<Secret, String>,
    ) -> Result<Self, Vec<Problem>> {
        document::read(file, text, overrides, |root| {
            let mut by_name = BTreeMap::new();
            for (name, table) in root.tables() {
                if let Some(source) = source(root, &name, &table, secrets) {
                    by_name.insert(name, Arc::new(source));
                }
            }
            root.done();
            Some(Self { by_name })
        })
    }

    /// By the name in the address.
    pub fn get(&self, name: &str) -> Option<&Arc<Source>> {
        self.by_name.get(name)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.by_name.values()
    }
}

fn source(root: &Table<'_>, name: &str, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Source> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        let wanted = "a source's name stands in its address: a-z, 0-9, _ and -, at most 64";
        root.problem(name, format!("`{name}`: {wanted}"));
    }
    let word = table.required_text("adapter");
    let adapter = word.as_deref().and_then(|word| {
        let found = ALL.iter().find(|adapter| adapter.name() == word);
        if found.is_none() {
            let known = ALL.iter().map(|adapter| adapter.name());
            let near = nearest(word, known.clone());
            let hint = near.map(|near| format!("did you mean \"{near}\"?"));
            let known: Vec<_> = known.collect();
            let message = format!("no adapter \"{word}\"; there are {}", known.join(", "));
            table.problem_hint("adapter", message, hint);
        }
        found.copied()
    });
    let enabled = table
        .choice("enabled", &["yes", "no", "if_set"])
        .unwrap_or("yes");
    let skipped = std::cell::Cell::new(enabled == "no");
    // A source that is off, or whose secret is allowed to be absent, is left out without a problem.
    let lenient = |reference: &str| match secrets(reference) {
        Err(_) if enabled != "yes" => {
            skipped.set(true);
            Ok(Secret::new("-"))
        }
        result => result,
    };
    let settings = adapter.and_then(|adapter| adapter.settings(table, &lenient));
    let verdict = table.choice("answer", &["receipt", "verdict"]) == Some("verdict");
    let wait = table
        .int("verdict_wait_ms", 1..=VERDICT_WAIT_MAX)
        .unwrap_or(VERDICT_WAIT_MS);
    let limits = table.table("limits");
    let number = |key: &str| {
        limits
            .int(key, 1..=1_000_000)
            .and_then(|n| u32::try_from(n).ok())
    };
    let bytes = limits.int("body_bytes", 1..=16 * 1024 * 1024);
    let source = Source {
        name: name.to_owned(),
        country: country_of(table),
        trial: table.bool("trial").unwrap_or_default(),
        verdict_wait_ms: verdict.then_some(wait),
        limits: Limits {
            body_bytes: bytes
                .and_then(|n| usize::try_from(n).ok())
                .or_else(|| adapter.and_then(Adapter::body_bytes)),
            per_second: number("per_second"),
            per_client_per_minute: number("per_client_per_minute"),
        },
        mapping: mapping(table),
        settings: settings.clone().unwrap_or_else(|| Settings::new(())),
        adapter: adapter.unwrap_or(ALL[0]),
    };
    limits.done();
    if adapter.is_some() {
        table.done();
    }
    (settings.is_some() && !skipped.get()).then_some(source)
}

fn country_of(table: &Table<'_>) -> Option<String> {
    let text = table.text("country")?;
    let code = country::code(&text);
    if code.is_none() {
        table.problem(
            "country",
            format!("`{text}` is no country; wanted is a code such as DE"),
        );
    }
    code
}

/// `[name.map]`: ours by the source's name. Paths of a webhook are read by its adapter.
fn mapping(table: &Table<'_>) -> Mapping {
    let map = table.table("map");
    let mut names = std::collections::HashMap::new();
    for key in map.keys() {
        let Some(field) = map.text(&key) else {
            continue;
        };
        if field.starts_with('$') {
            continue;
        }
        if !Fields::NAMES.contains(&field.as_str()) {
            let near = nearest(&field, Fields::NAMES);
            let hint = near.map(|near| format!("did you mean \"{near}\"?"));
            let message = format!(
                "no field \"{field}\"; there are {}",
                Fields::NAMES.join(", ")
            );
            map.problem_hint(&key, message, hint);
            continue;
        }
        names.insert(fold_name(&key), field.clone());
        names.insert(key, field);
    }
    Mapping::new(names, table.texts("consent").unwrap_or_default())
}
