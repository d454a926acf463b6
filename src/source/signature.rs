//! Signatures over raw bytes, compared in constant time. Knows no platform.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Refusal, Request, request};
use crate::clock::{Millis, SECOND};
use crate::lead::Headers;
use crate::secret::{self, Secret};

/// How far a signed time may be from ours (Standard Webhooks 1.0.0, and the custom of the field).
const TOLERANCE: Millis = 5 * 60 * SECOND;
/// More signatures in one header are not looked at.
const SIGNATURES_MAX: usize = 5;
/// Longer ids are a mistake.
const ID_BYTES_MAX: usize = 256;

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

fn no(why: &str) -> Refusal {
    Refusal::Unauthorized(why.to_owned())
}

/// The key of a Standard Webhooks secret: base64 behind `whsec_`, or the text itself. `None` for
/// what would sign nothing: an empty key, or one that is cut off.
pub(super) fn standard_key(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret.expose();
    let key = match text.strip_prefix("whsec_") {
        Some(rest) => STANDARD.decode(rest).ok()?,
        None => text.as_bytes().to_vec(),
    };
    (!key.is_empty()).then_some(key)
}

/// Verifies a Standard Webhooks request and gives its id.
pub(super) fn standard(
    secrets: &[Secret],
    headers: &Headers,
    body: &[u8],
    now: Millis,
) -> Result<String, Refusal> {
    let header = |name: &str| {
        headers
            .only(name)
            .ok_or_else(|| no(&format!("{name} is missing")))
    };
    let (id, at, given) = (
        header("webhook-id")?,
        header("webhook-timestamp")?,
        header("webhook-signature")?,
    );
    if id.is_empty() || id.len() > ID_BYTES_MAX || id.contains('.') {
        return Err(no("webhook-id is not sound"));
    }
    let digits = at.len() <= 12 && at.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = at
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| no("webhook-timestamp"))?;
    if (now - seconds * SECOND).abs() > TOLERANCE {
        return Err(no("webhook-timestamp is too far from now"));
    }
    let given: Vec<&str> = given
        .split(' ')
        .filter_map(|entry| entry.strip_prefix("v1,"))
        .collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let Some(wanted) = standard_signature(secret, id, at, body) else {
            continue;
        };
        for given in given.iter().take(SIGNATURES_MAX) {
            if secret::same(given.as_bytes(), wanted.as_bytes()) {
                return Ok(id.to_owned());
            }
        }
    }
    Err(no("no signature fits"))
}

/// Base64, without the `v1,`.
pub(super) fn standard_signature(
    secret: &Secret,
    id: &str,
    at: &str,
    body: &[u8],
) -> Option<String> {
    let parts = [id.as_bytes(), b".", at.as_bytes(), b".", body];
    let key = standard_key(secret)?;
    Some(STANDARD.encode(secret::hmac_sha256(&key, &parts)))
}

/// Verifies a plain HMAC-SHA256 of the body.
pub(super) fn plain(
    secrets: &[Secret],
    given: Option<&str>,
    (prefix, encoding): (&str, Encoding),
    body: &[u8],
) -> Result<(), Refusal> {
    let given = given.ok_or_else(|| no("the signature's header is missing or stands twice"))?;
    let given = given
        .strip_prefix(prefix)
        .ok_or_else(|| no("the signature has no prefix"))?;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let wanted = plain_signature(secret, encoding, body);
        if secret::same(given.as_bytes(), wanted.as_bytes()) {
            return Ok(());
        }
    }
    Err(no("the signature does not fit"))
}

/// The HMAC-SHA256 of the body, as text.
pub(super) fn plain_signature(secret: &Secret, encoding: Encoding, body: &[u8]) -> String {
    let hash = secret::hmac_sha256(secret.expose().as_bytes(), &[body]);
    match encoding {
        Encoding::Hex => secret::hex(&hash),
        Encoding::Base64 => STANDARD.encode(hash),
    }
}

/// Verifies a signature over `{t}.{body}`, written `t=…,{tag}=…`, whose time is in seconds and no
/// further from now than `tolerance`.
pub(super) fn stamped(
    secrets: &[Secret],
    given: Option<&str>,
    (tag, tolerance): (&str, Millis),
    body: &[u8],
    now: Millis,
) -> Result<(), Refusal> {
    let given = given.ok_or_else(|| no("the signature's header is missing or stands twice"))?;
    let (mut at, mut signatures) = (None, Vec::new());
    for part in given.split(',').take(SIGNATURES_MAX + 1) {
        match part.trim().split_once('=') {
            Some(("t", _)) if at.is_some() => return Err(no("the signature has two times")),
            Some(("t", value)) => at = Some(value),
            Some((name, value)) if name == tag => signatures.push(value),
            Some(_) | None => {}
        }
    }
    let at = at.ok_or_else(|| no("the signature has no time"))?;
    recent(at, SECOND, tolerance, now)?;
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let wanted = stamped_signature(secret, at, body);
        let fits = |given: &&str| secret::same(given.as_bytes(), wanted.as_bytes());
        if signatures.iter().any(fits) {
            return Ok(());
        }
    }
    Err(no("the signature does not fit"))
}

/// The HMAC-SHA256 of `{t}.{body}` in hex.
pub(super) fn stamped_signature(secret: &Secret, at: &str, body: &[u8]) -> String {
    let parts = [at.as_bytes(), b".", body];
    secret::hex(&secret::hmac_sha256(secret.expose().as_bytes(), &parts))
}

/// Whether a signed time, digits in `unit`s since 1970, is no further from now than `tolerance`.
pub(super) fn recent(
    at: &str,
    unit: Millis,
    tolerance: Millis,
    now: Millis,
) -> Result<(), Refusal> {
    let digits = at.len() <= 15 && at.bytes().all(|b| b.is_ascii_digit());
    let at: Option<Millis> = at.parse().ok().filter(|_| digits);
    let at = at.and_then(|at| at.checked_mul(unit));
    match at {
        None => Err(no("the signature's time is no time")),
        Some(at) if (now - at).abs() > tolerance => {
            Err(no("the signature's time is too far from now"))
        }
        Some(_) => Ok(()),
    }
}

/// The key in the address (`?key=…`), `Authorization: Bearer …` or `X-Api-Key`, for platforms that
/// sign nothing.
pub(super) fn token(key: &Secret, request: &Request<'_>) -> Result<(), Refusal> {
    let in_address = request::query_key(request.query);
    let verified = self::key(key, in_address.as_deref(), request.headers);
    if let (Err(Refusal::Unauthorized(why)), None) = (&verified, &in_address) {
        return Err(no(&format!("{why}, or ?key=… in the address")));
    }
    verified
}

/// The key in `Authorization: Bearer …` or `X-Api-Key`.
pub(super) fn bearer(key: &Secret, headers: &Headers) -> Result<(), Refusal> {
    self::key(key, None, headers)
}

/// The key in a field, `Authorization: Bearer …` or `X-Api-Key`; wherever it stands, it must fit.
pub(super) fn key(key: &Secret, field: Option<&str>, headers: &Headers) -> Result<(), Refusal> {
    let doubled = |name: &str| headers.0.iter().filter(|(n, _)| n == name).count() > 1;
    if doubled("authorization") || doubled("x-api-key") {
        return Err(no("the key's header stands twice"));
    }
    let bearer = headers.only("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let given = [field, bearer, headers.only("x-api-key")];
    let mut given = given.into_iter().flatten().peekable();
    if given.peek().is_none() {
        let wanted = "a key is wanted: Authorization: Bearer …, or X-Api-Key";
        return Err(no(wanted));
    }
    if !given.all(|given| key.matches(given)) {
        return Err(no("the key does not fit"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const GOOD: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verify(id: &str, at: &str, given: &str, body: &[u8], now: i64) -> Result<String, Refusal> {
        let secrets = [
            Secret::new(""),
            Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ];
        let pairs = [
            ("webhook-id", id),
            ("webhook-timestamp", at),
            ("webhook-signature", given),
        ];
        let headers = Headers(pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec());
        standard(&secrets, &headers, body, now * SECOND)
    }

    #[test]
    fn the_published_vector_passes_and_every_change_of_it_fails() {
        let at = AT.to_string();
        assert_eq!(verify(ID, &at, GOOD, BODY, AT).as_deref(), Ok(ID));
        let rotated = format!("v1,AAAA v1a,xx {GOOD}");
        assert!(verify(ID, &at, &rotated, BODY, AT + 299).is_ok());
        let fifty = format!("{} {GOOD}", ["v1,AAAA"; 50].join(" "));
        let cases = [
            (ID, at.as_str(), GOOD, &b"{\"test\":2432232314}"[..], AT),
            (ID, &at, GOOD, BODY, AT + 301),
            (ID, &at, GOOD, BODY, AT - 301),
            ("msg.x", &at, GOOD, BODY, AT),
            (ID, "1e9", GOOD, BODY, AT),
            (ID, "99999999999999999999", GOOD, BODY, AT),
            (ID, "-5", GOOD, BODY, AT),
            (ID, &at, "", BODY, AT),
            (
                ID,
                &at,
                "v0,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                BODY,
                AT,
            ),
            (ID, &at, &GOOD.to_uppercase(), BODY, AT),
            (ID, &at, &GOOD[..20], BODY, AT),
            (ID, &at, &fifty, BODY, AT),
        ];
        for (id, at, given, body, now) in cases {
            let refusal = verify(id, at, given, body, now).unwrap_err();
            assert_eq!(refusal.status(), 401, "{id} {at} {given:.60}");
        }
    }

    #[test]
    fn doubled_headers_and_empty_secrets_authenticate_nobody() {
        let secret = [Secret::new("")];
        let given = plain_signature(&Secret::new(""), Encoding::Hex, b"x");
        assert!(plain(&secret, Some(&given), ("", Encoding::Hex), b"x").is_err());
        let twice = Headers(vec![("x-api-key".into(), "k".into()); 2]);
        assert!(bearer(&Secret::new("k"), &twice).is_err());
        let once = Headers(vec![("authorization".into(), "bearer k".into())]);
        assert!(bearer(&Secret::new("k"), &once).is_ok());
        assert!(key(&Secret::new("k"), Some("other"), &once).is_err());
        for secret in ["", "whsec_", "whsec_not base64"] {
            assert_eq!(standard_key(&Secret::new(secret)), None, "{secret}");
        }
    }
}
