//! leadgate's own body of a webhook, `docs/webhooks.md`: a version, a type, and everything that is
//! known. Fields are added without a new version; none changes its meaning or goes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Notice;
use super::words::clean;
use crate::clock::{Millis, iso};
use crate::lead::Fields;

/// Grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

/// What an endpoint is told of a lead that was offered.
pub(super) fn offered(notice: &Notice) -> Vec<u8> {
    let fields = &notice.fields;
    let known: BTreeMap<&str, String> = Fields::NAMES
        .into_iter()
        .filter_map(|name| Some((name, clean(fields.get(name)?))))
        .collect();
    let other: BTreeMap<String, Vec<String>> = fields
        .other
        .iter()
        .map(|(name, values)| (clean(name), values.iter().map(|v| clean(v)).collect()))
        .collect();
    let attribution: BTreeMap<String, String> = notice
        .attribution
        .0
        .iter()
        .map(|(name, value)| (clean(name), clean(value)))
        .collect();
    let email = fields.email.as_ref().and_then(|e| e.address.clone());
    let phone = fields.phone.as_ref().and_then(|p| p.e164.clone());
    let why: Vec<Value> = notice
        .why
        .iter()
        .map(|(points, text)| json!({ "points": points, "text": clean(text) }))
        .collect();
    let body = json!({
        "type": "lead.offered",
        "version": VERSION,
        "timestamp": iso(notice.offered_at),
        "data": {
            "lead": {
                "id": notice.lead_id.to_string(),
                "received_at": iso(notice.received_at),
                "source": notice.source,
                "grade": notice.grade,
                "points": notice.points,
                "pool": notice.pool,
                "fields": known,
                "other": other,
                "email_normal": email,
                "phone_e164": phone,
                "attribution": attribution,
                "seen_times": notice.seen_times,
            },
            "why": why,
            "route": clean(&notice.route),
            "rep": {
                "id": notice.rep,
                "name": notice.rep_name,
                "email": none_if_empty(&notice.rep_email),
            },
            "assignment": notice.assignment,
            "claim_by": notice.deadline.map(|at: Millis| iso(at)),
            "link": notice.link,
        },
    });
    body.to_string().into_bytes()
}

fn none_if_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
