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

/// The secret part of an address, `?key=…`, for platforms that cannot send a header.
pub(super) const KEY: &str = "key";

/// POST, not encoded, with one content type in UTF-8. Gives the type without its parameters, lower
/// case.
pub(super) fn content_type(request: &Request<'_>) -> Result<String, Refusal> {
    let (kind, charset) = typed(request)?;
    if charset.is_some_and(|charset| charset != "utf-8" && charset != "utf8") {
        return Err(Refusal::Unsupported("only UTF-8 is taken".into()));
    }
    Ok(kind)
}

/// POST, not encoded, with one content type. Gives the type and its `charset`, both in lower case.
pub(super) fn typed(request: &Request<'_>) -> Result<(String, Option<String>), Refusal> {
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
    if header.len() > KEPT_BYTES_MAX {
        return Err(Refusal::Unsupported("the Content-Type is too long".into()));
    }
    let (kind, charset) = kind_of(header);
    let doubled = header.to_lowercase().matches("charset=").count() > 1;
    if doubled {
        return Err(Refusal::Unsupported("one charset is wanted".into()));
    }
    Ok((kind, charset))
}

/// The type and its `charset` in a `Content-Type`, both in lower case.
pub(super) fn kind_of(header: &str) -> (String, Option<String>) {
    let mut parts = header.split(';');
    let kind = parts.next().unwrap_or_default().trim().to_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"').to_lowercase();
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then_some(value)
    });
    (kind, charset)
}

/// The secret part of an address. Given twice, it is none that fits.
pub(super) fn query_key(query: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == KEY);
    let first = found.next()?.1.into_owned();
    Some(if found.next().is_none() {
        first
    } else {
        String::new()
    })
}

/// What is stored of a query: everything but the secret part.
pub(super) fn query_without_key(query: &str) -> String {
    let is_key = |part: &str| form_urlencoded::parse(part.as_bytes()).any(|(name, _)| name == KEY);
    let kept: Vec<_> = query.split('&').filter(|part| !is_key(part)).collect();
    kept.join("&")
}

/// Adds the secret part to the address of a request that we make ourselves.
pub(super) fn add_key(query: &mut String, key: &str) {
    let mut all = form_urlencoded::Serializer::new(std::mem::take(query));
    all.append_pair(KEY, key);
    *query = all.finish();
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
