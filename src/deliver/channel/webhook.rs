//! A webhook to a rep's system or a CRM, signed as [Standard Webhooks 1.0.0] asks for. What the far
//! end answers decides by its status alone; its body is not looked at.
//!
//! [Standard Webhooks 1.0.0]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

use super::{Channel, Sending, Ways};
use crate::clock::{Millis, SECOND};
use crate::deliver::endpoints::{Body, Endpoint};
use crate::deliver::templates::Templates;
use crate::deliver::words::Words;
use crate::deliver::{Notice, SendResult, payload};
use crate::lead::WorkKind;
use crate::outbound::{Call, Reply, Trouble};

/// More of an answer is not read.
const REPLY_BYTES_MAX: usize = 4_096;
/// Far ends that ask for patience with one of these are given it.
const PATIENCE: [u16; 4] = [429, 502, 503, 504];

/// The row in `ALL`.
pub(super) struct Webhook;

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn work(&self) -> WorkKind {
        WorkKind::Hook
    }

    fn send<'a>(
        &self,
        ways: &'a Ways,
        notice: &'a Notice,
        templates: &'a Templates,
    ) -> Sending<'a> {
        Box::pin(send(ways, notice, templates))
    }
}

async fn send(ways: &Ways, notice: &Notice, templates: &Templates) -> SendResult {
    let Some(endpoint) = &notice.endpoint else {
        return SendResult::never("the rep has no webhook any more");
    };
    let (kind, body) = match body(endpoint, notice, templates) {
        Ok(body) => body,
        Err(error) => return SendResult::again(format!("template: {}", error.kind())),
    };
    let call = Call {
        method: "POST",
        url: endpoint.url.expose(),
        headers: headers(endpoint, notice, kind, &body),
        body,
        timeout_ms: endpoint.timeout_ms,
        reply_max_bytes: REPLY_BYTES_MAX,
    };
    match ways.outbound.send(call).await {
        Ok(reply) => read(&reply, notice.now),
        Err(Trouble::Failed(why)) => SendResult::again(why),
        Err(Trouble::Refused(why)) => SendResult::never(why),
    }
}

/// Content type and bytes.
fn body(
    endpoint: &Endpoint,
    notice: &Notice,
    templates: &Templates,
) -> Result<(&'static str, Vec<u8>), minijinja::Error> {
    let Body::Template(file) = &endpoint.body else {
        return Ok(("application/json", payload::offered(notice)));
    };
    let kind = match file.rsplit('.').next() {
        Some("json") => "application/json",
        Some("xml") => "application/xml; charset=utf-8",
        Some(_) | None => "text/plain; charset=utf-8",
    };
    let text = templates.one(file, &Words::of(notice))?;
    Ok((kind, text.into_bytes()))
}

fn headers(endpoint: &Endpoint, notice: &Notice, kind: &str, body: &[u8]) -> Vec<(String, String)> {
    let mut headers = vec![("content-type".to_owned(), kind.to_owned())];
    for (name, value) in &endpoint.headers {
        headers.push((name.clone(), value.expose().to_owned()));
    }
    // The same over attempts and redrives, so that the far end knows a repeat.
    let id = format!("lg_{}_{}", notice.lead_id, notice.delivery);
    let at = (notice.now / SECOND).to_string();
    let signatures: Vec<_> = endpoint
        .keys
        .iter()
        .map(|key| key.sign(&id, &at, body))
        .collect();
    if !signatures.is_empty() {
        headers.push(("webhook-signature".to_owned(), signatures.join(" ")));
    }
    headers.push(("webhook-id".to_owned(), id));
    headers.push(("webhook-timestamp".to_owned(), at));
    headers
}

fn read(reply: &Reply, now: Millis) -> SendResult {
    match reply.status {
        200..=299 => SendResult::Delivered,
        410 => SendResult::Gone {
            why: "410 gone".into(),
        },
        status @ 300..=399 => SendResult::again(format!("{status}, a redirect is not followed")),
        status => {
            let asks = PATIENCE.contains(&status);
            let after = reply.header("retry-after").filter(|_| asks);
            SendResult::TryAgain {
                why: status.to_string(),
                after_ms: after.and_then(|text| retry_after(text, now)),
            }
        }
    }
}

/// Seconds or an HTTP date. What is no time, or lies behind us, asks for nothing; how much is
/// granted is the retry policy's matter.
fn retry_after(text: &str, now: Millis) -> Option<Millis> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Too many digits are a very long time.
        let seconds = text.parse::<i64>().unwrap_or(i64::MAX);
        return Some(seconds.saturating_mul(SECOND));
    }
    let since_epoch = httpdate::parse_http_date(text).ok()?;
    let since_epoch = since_epoch.duration_since(std::time::UNIX_EPOCH).ok()?;
    // The year 9999 is a date as well, and a very long time.
    let at = Millis::try_from(since_epoch.as_millis()).unwrap_or(Millis::MAX);
    Some(at.saturating_sub(now)).filter(|after| *after > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_read_as_seconds_or_as_a_date_and_nonsense_is_none() {
        let now = 784_111_777_000;
        let cases = [
            ("120", Some(120_000)),
            (" 5 ", Some(5_000)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(i64::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
            ("Sun Nov  6 08:50:37 1994", Some(60_000)),
            (
                "Fri, 31 Dec 9999 23:59:59 GMT",
                Some(253_402_300_799_000 - now),
            ),
            ("Sun, 06 Nov 1994 08:48:37 GMT", None),
            ("Fri, 31 Dec 1969 23:59:59 GMT", None),
            ("Sun, 99 Nov 1994 08:50:37 GMT", None),
            ("-1", None),
            ("1e9", None),
            ("soon", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(retry_after(text, now), wanted, "{text:?}");
        }
    }

    #[test]
    fn the_status_alone_decides() {
        let reply = |status, after: Option<&str>| Reply {
            status,
            headers: after
                .map(|text| ("retry-after".to_owned(), text.to_owned()))
                .into_iter()
                .collect(),
            body: b"ok".to_vec(),
            cut: false,
        };
        let word = |status| match read(&reply(status, Some("7")), 0) {
            SendResult::Delivered => "delivered".to_owned(),
            SendResult::Gone { .. } => "gone".into(),
            SendResult::GiveUp { .. } => "never".into(),
            SendResult::TryAgain { after_ms, .. } => format!("{after_ms:?}"),
        };
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(word(status), "delivered", "{status}");
        }
        for status in [
            101, 300, 301, 302, 307, 308, 400, 401, 403, 404, 409, 422, 500, 501, 599,
        ] {
            assert_eq!(word(status), "None", "{status}");
        }
        for status in PATIENCE {
            assert_eq!(word(status), "Some(7000)", "{status}");
        }
        assert_eq!(word(410), "gone");
    }
}
