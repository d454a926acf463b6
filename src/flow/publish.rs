//! A policy: rules, reps, sources' mappings and templates, assembled, linted and swapped in
//! together. One that fails leaves the old one at work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::{Flow, Settings};
use crate::clock::Millis;
use crate::deliver::{Endpoints, Outside, Templates};
use crate::document::Overrides;
use crate::lead::{PhraseKind, PolicyHash, Trace};
use crate::ledger::{Fault, Ledger};
use crate::problem::Problem;
use crate::route::Roster;
use crate::rules::{Known, Rulebook};
use crate::secret;
use crate::source::Refusal;
use crate::source::Sources;
use crate::telemetry::metrics::Metrics;

/// The texts that make a policy, by name as a person knows the file.
#[derive(Clone, Debug, Default)]
pub struct PolicyFiles {
    /// `screen.rhai`, `lib/…`, `lists/…`, `samples/…`.
    pub rules: BTreeMap<String, String>,
    /// Name and text of `sources.toml`.
    pub sources: (String, String),
    /// Stands above `sources.toml`.
    pub sources_above: Overrides,
    /// Name and text of `reps.toml`.
    pub reps: (String, String),
    /// The templates of mails and webhooks.
    pub templates: BTreeMap<String, String>,
    /// Name and text of `endpoints.toml`; empty where there is none.
    pub endpoints: (String, String),
}

/// Everything that decides about leads, as one version.
pub struct Policy {
    /// The ledger's key; 0 before it is stored.
    pub id: i64,
    /// Names the version.
    pub hash: PolicyHash,
    /// The rules.
    pub rulebook: Rulebook,
    /// Reps and pools.
    pub roster: Roster,
    /// Where leads come from.
    pub sources: Sources,
    /// The words of mails and webhooks.
    pub templates: Templates,
    /// Systems that are told.
    pub endpoints: Endpoints,
    text: String,
    /// Names the version of the sources and of their secrets.
    sources_hash: Vec<u8>,
}

impl Policy {
    /// Reads, lints and tries out; every problem of every file at once.
    pub fn assemble(
        files: &PolicyFiles,
        settings: &Settings,
        outside: &Outside<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let none = Overrides::new();
        let mut problems = Vec::new();
        let mut keep = |found: Vec<Problem>| problems.extend(found);
        let (name, text) = &files.reps;
        let roster = Roster::parse(name, text, &none).map_err(&mut keep).ok();
        let (name, text) = &files.sources;
        // A secret that was changed where a reference leads makes another version, too.
        let resolved = std::cell::RefCell::new(Sha256::new());
        let noted = |reference: &str| {
            let secret = (outside.secret)(reference)?;
            resolved.borrow_mut().update(secret.expose().as_bytes());
            Ok(secret)
        };
        let sources = Sources::parse(name, text, &files.sources_above, &noted)
            .map_err(&mut keep)
            .ok();
        let mut sources_hash = resolved.borrow().clone();
        sources_hash.update(text.as_bytes());
        sources_hash.update(format!("{:?}", files.sources_above).as_bytes());
        let (name, text) = &files.endpoints;
        let noted = Outside {
            secret: &noted,
            url: outside.url,
        };
        let endpoints = Endpoints::parse(name, text, &none, &noted)
            .map_err(&mut keep)
            .ok();
        // A template that only a broken endpoint names would be reported as used by nobody.
        let templates = endpoints.as_ref().and_then(|endpoints| {
            Templates::load(&files.templates, endpoints)
                .map_err(&mut keep)
                .ok()
        });
        if let (Some(roster), Some(endpoints)) = (&roster, &endpoints) {
            keep(unknown_endpoints(&files.reps, roster, endpoints));
        }
        // Without a roster every pool would be reported as unknown: one mistake, many messages.
        let pools = match &roster {
            Some(roster) => roster.pools(),
            None => pools_named(&files.rules),
        };
        let known = Known {
            pools: &pools,
            default_grade: &settings.default_grade,
            default_pool: &settings.default_pool,
        };
        let rulebook = Rulebook::load(&files.rules, &known).map_err(&mut keep).ok();
        let (Some(rulebook), Some(roster), Some(sources), Some(templates), Some(endpoints), true) = (
            rulebook,
            roster,
            sources,
            templates,
            endpoints,
            problems.is_empty(),
        ) else {
            return Err(problems);
        };
        let (hash, text) = digest(files, resolved.into_inner());
        Ok(Self {
            id: 0,
            hash,
            rulebook,
            roster,
            sources,
            templates,
            endpoints,
            text,
            sources_hash: sources_hash.finalize().to_vec(),
        })
    }

    /// Shows it as the policy at work, and its sources and grades before any lead comes.
    pub(super) fn make_known(&self, metrics: &Metrics, now: Millis) {
        for source in self.sources.iter() {
            let _ = metrics.source(&source.name, &Refusal::REASONS);
        }
        let mut grades: Vec<&str> = self
            .rulebook
            .phrases()
            .iter()
            .filter(|phrase| phrase.kind == PhraseKind::Grade)
            .map(|phrase| phrase.label.as_str())
            .collect();
        grades.sort_unstable();
        grades.dedup();
        metrics.policy(&self.hash, &grades, now);
    }

    /// A trace in two: what screened, and what graded and routed.
    pub(super) fn split(&self, trace: Trace) -> (Trace, Trace) {
        let phrases = self.rulebook.phrases();
        let screens = |at: u16| {
            let kind = phrases.get(usize::from(at)).map(|phrase| phrase.kind);
            matches!(kind, Some(PhraseKind::Reject | PhraseKind::Hold))
        };
        let (screened, judged) = trace.0.into_iter().partition(|p| screens(p.phrase));
        (Trace(screened), Trace(judged))
    }
}

/// Reps who are told by an endpoint that nobody knows.
fn unknown_endpoints(
    (file, text): &(String, String),
    roster: &Roster,
    endpoints: &Endpoints,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rep in roster.reps() {
        let Some(name) = rep
            .webhook
            .as_ref()
            .filter(|name| endpoints.get(name).is_none())
        else {
            continue;
        };
        let message = format!(
            "reps.{}.webhook is \"{name}\", which no endpoint is",
            rep.id
        );
        let known = endpoints.iter().map(|endpoint| endpoint.name.as_str());
        let hint = match crate::problem::nearest(name, known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("add [{name}] to endpoints.toml, or take the line out"),
        };
        let line = line_of(text, &rep.id);
        problems.push(Problem::at(file, text, (line, 1), message).hint(hint));
    }
    problems
}

/// The line of a rep's table, from 1; 1 where it is written otherwise.
fn line_of(text: &str, rep: &str) -> usize {
    let head = format!("[reps.{rep}]");
    let found = text.lines().position(|line| line.trim() == head);
    found.map_or(1, |at| at + 1)
}

/// Words in quotes after `route`, so that rules can be linted beside a broken roster.
fn pools_named(rules: &BTreeMap<String, String>) -> BTreeSet<String> {
    let routes = rules
        .get("route.rhai")
        .map(String::as_str)
        .unwrap_or_default();
    let lines = routes
        .lines()
        .map(str::trim_start)
        .filter_map(|line| line.strip_prefix("route"));
    lines
        .filter_map(|rest| rest.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

/// The version's name, and what is kept of it: rules and reps, never sources and endpoints, which
/// may hold keys.
fn digest(files: &PolicyFiles, mut hash: Sha256) -> (PolicyHash, String) {
    let fixed = [&files.sources, &files.reps, &files.endpoints];
    let named = fixed.iter().map(|(name, text)| (name, text));
    for (name, text) in files.rules.iter().chain(&files.templates).chain(named) {
        for part in [name, text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    let mut kept = files.rules.clone();
    kept.insert(files.reps.0.clone(), files.reps.1.clone());
    let text = serde_json::to_string(&kept).unwrap_or_default();
    let hash = secret::hex(&hash.finalize());
    (hash.chars().take(12).collect(), text)
}

/// Stores a policy; also says whether all that is there was held against it already.
pub(super) fn store(
    ledger: &Ledger,
    mut policy: Policy,
    now: Millis,
) -> Result<(Policy, bool), Fault> {
    let (hash, text) = (policy.hash.clone(), policy.text.clone());
    let phrases = policy.rulebook.phrases().to_vec();
    let (id, is_settled) =
        ledger.write_blocking(move |tx| tx.publish(&hash, &phrases, &text, now))?;
    policy.id = id;
    Ok((policy, is_settled))
}

impl Flow {
    /// Puts a policy to work; `false` where it is the one at work already. Blocks.
    pub fn publish(&self, policy: Policy) -> Result<bool, Fault> {
        if policy.hash == self.policy().hash {
            // Somebody asks for a new try, as after mending what a platform refused.
            self.fetch_anew()?;
            self.settle();
            return Ok(false);
        }
        let (policy, is_settled) = store(&self.ledger, policy, self.clock.now())?;
        tracing::info!(policy = %policy.hash, "a new policy is at work");
        policy.make_known(&self.metrics, self.clock.now());
        let has_other_sources = policy.sources_hash != self.policy().sources_hash;
        self.policy.store(Arc::new(policy));
        self.unsettled.store(!is_settled, Ordering::SeqCst);
        if has_other_sources && let Err(fault) = self.fetch_anew() {
            tracing::warn!(%fault, "waiting fetches could not be made due; they come at their own times");
        }
        self.settle();
        Ok(true)
    }
}
