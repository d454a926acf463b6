//! What stands in a form's body: ours that steer, and the sender's. Knows no settings of a source.

use crate::clock::Millis;
use crate::lead::{Headers, Signals};
use crate::source::form_body::{self, Bounds, ONE_LEAD, Pairs};
use crate::source::json::Json;
use crate::source::mapping::clean;
use crate::source::synonyms;
use crate::source::{Refusal, request};

/// What a browser sends where nothing else is said.
pub(super) const URLENCODED: &str = "application/x-www-form-urlencoded";
/// The page to go to afterwards.
pub(super) const NEXT: &str = "_next";
/// When the page was shown, epoch milliseconds.
pub(super) const LOADED_AT: &str = "_loaded_at";
/// How long the page was open.
pub(super) const ELAPSED: &str = "_elapsed_ms";
/// What makes a repeat the same lead.
pub(super) const SUBMISSION_ID: &str = "_submission_id";
/// The source's key.
pub(super) const KEY: &str = "_key";
const TECHNICAL: [&str; 5] = [NEXT, LOADED_AT, ELAPSED, SUBMISSION_ID, KEY];
/// A form that was open longer tells nothing by it.
const FILL_MAX: Millis = 7 * crate::clock::DAY;

/// The pairs of a body, in its order; those of a JSON object are its leaves.
pub(super) fn pairs(kind: &str, headers: &Headers, body: &[u8]) -> Result<Pairs, Refusal> {
    pairs_within(kind, headers, body, ONE_LEAD)
}

/// The pairs of a body whose lead is not one pair a field.
pub(super) fn pairs_within(
    kind: &str,
    headers: &Headers,
    body: &[u8],
    bounds: Bounds,
) -> Result<Pairs, Refusal> {
    if body.is_empty() {
        return Err(Refusal::Malformed("the body is empty".into()));
    }
    match kind {
        URLENCODED => form_body::urlencoded_within(body, bounds),
        "multipart/form-data" => {
            let header = headers.only("content-type").unwrap_or_default();
            let boundary = form_body::boundary(header)
                .ok_or_else(|| Refusal::Malformed("the multipart boundary is not sound".into()))?;
            form_body::multipart(body, &boundary, bounds)
        }
        kind if request::is_json(kind) => {
            let json = Json::parse(body)?;
            if !matches!(json, Json::Map(_)) {
                return Err(Refusal::Malformed("a JSON object is wanted".into()));
            }
            let mut leaves = Vec::new();
            json.leaves("", &mut leaves);
            // As strict as a form is: with a key in it, it is stored as one.
            let mut pairs = Vec::with_capacity(leaves.len());
            for pair in leaves {
                form_body::add(&mut pairs, pair, bounds)?;
            }
            Ok(pairs)
        }
        _ => Err(Refusal::Unsupported("a form or JSON is wanted".into())),
    }
}

/// Whether a name steers us and is no content of a lead.
pub(super) fn is_technical(name: &str) -> bool {
    TECHNICAL.contains(&name)
}

/// The first value under exactly this name.
pub(super) fn field<'p>(pairs: &'p Pairs, name: &str) -> Option<&'p str> {
    pairs
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value.as_str())
}

/// What makes the same inquiry the same: its fields in the order of their names, without ours.
pub(super) fn content(pairs: &Pairs) -> Vec<u8> {
    // Tokens and times of the page differ each time that the same form is sent.
    let is_content = |name: &str| {
        !name.starts_with('_') || synonyms::field(&synonyms::fold_name(name)).is_some()
    };
    let mut sorted: Vec<_> = pairs.iter().filter(|(name, _)| is_content(name)).collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b)); // stable: a repeated name keeps its order
    let mut bytes = Vec::new();
    for (name, value) in sorted {
        for part in [name, value] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    bytes
}

/// What is stored of a form that carries a key: the same pairs without it, urlencoded.
pub(super) fn without_key(pairs: &Pairs) -> Vec<u8> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.iter().filter(|(name, _)| name != KEY) {
        body.append_pair(&clean(name), &clean(value));
    }
    body.finish().into_bytes()
}

/// What speaks for a machine.
pub(super) fn signals(
    (honeypot, min_fill_ms): (&[String], Millis),
    pairs: &Pairs,
    received_at: Millis,
) -> Signals {
    let filled = |trap: &String| {
        let mut values = pairs.iter().filter(|(name, _)| name == trap);
        values.any(|(_, value)| !value.trim().is_empty())
    };
    let number = |name: &str| field(pairs, name).and_then(|text| text.trim().parse::<i64>().ok());
    let since_loaded = number(LOADED_AT).and_then(|at| received_at.checked_sub(at));
    let fill_ms = number(ELAPSED)
        .or(since_loaded)
        .filter(|ms| (0..FILL_MAX).contains(ms));
    Signals {
        trapped: honeypot.iter().any(filled),
        fill_ms,
        too_fast: fill_ms.is_some_and(|ms| ms < min_fill_ms),
    }
}
