//! What every adapter asks of a request before it reads the body, and what is stored of it.

use super::{Refusal, Request};
use crate::lead::Headers;

/// Stored with a submission: they say where it came from and help to read it, and hold no secret.
const KEPT: [&str; 9] = [
    "content-type",
    "user-agent",
    "referer",
    "origin",
    "accept-language",
    "webhook-id",
    "webhook-timestamp",
    "idempotency-key",
    "x-request-id",
];
/// The longest header value that is stored; browsers cut a `Referer` here.
const KEPT_BYTES_MAX: usize = 4_096;

/// POST, not encoded, with one content type in UTF-8. Gives the type without its parameters, lower
/// case.
pub(super) fn content_type(request: &Request<'_>) -> Result<String, Refusal> {
    if request.method != "POST" {
        return Err(Refusal::NotAllowed);
    }
    let encoded = request.headers.0.iter().any(|(name, value)| {
        name == "content-encoding" && !value.trim().eq_ignore_ascii_case("identity")
    });
    if encoded {
        return Err(Refusal::Unsupported("encoded bodies are not taken".into()));
    }
    let header = request.headers.only("content-type");
    let header = header.ok_or_else(|| Refusal::Unsupported("one Content-Type is wanted".into()))?;
    let mut parts = header.split(';');
    let kind = parts.next().unwrap_or_default().trim().to_lowercase();
    for part in parts {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches('"').to_lowercase();
        if name.trim().eq_ignore_ascii_case("charset") && value != "utf-8" && value != "utf8" {
            return Err(Refusal::Unsupported("only UTF-8 is taken".into()));
        }
    }
    Ok(kind)
}

/// Whether a content type is JSON, in one of its names.
pub(super) fn is_json(kind: &str) -> bool {
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The headers that are stored.
pub(super) fn kept(headers: &Headers) -> Headers {
    let pairs = headers
        .0
        .iter()
        .filter(|(name, value)| KEPT.contains(&name.as_str()) && value.len() <= KEPT_BYTES_MAX);
    Headers(pairs.cloned().collect())
}

/// The language that the sender prefers, two letters.
pub(super) fn language(headers: &Headers) -> Option<String> {
    let first = headers
        .only("accept-language")?
        .split([',', ';'])
        .next()?
        .trim();
    let two: String = first.chars().take(2).collect();
    let letters = two.len() == 2 && two.chars().all(|c| c.is_ascii_alphabetic());
    letters.then(|| two.to_lowercase())
}
