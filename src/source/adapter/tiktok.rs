//! TikTok instant forms, beta: the vendor documents the subscription and the generic events, but
//! not the body of a lead and its signature, which are read here as one integrator's code has them.
//! So a lead is believed for the secret in its address, and any signature that comes must fit.
//! <https://developers.tiktok.com/doc/webhooks-overview>

use std::fmt::Write as _;

use serde_json::json;

use crate::clock::{MINUTE, Millis};
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::{self, Secret};
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::json::Json;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// The header of TikTok's generic events, and how far its time may be off: our choice.
const STAMPED: &str = "tiktok-signature";
const SCHEME: (&str, Millis) = ("s", 5 * MINUTE);
/// The header of leads, as far as known.
const OPEN: &str = "x-open-signature";
/// The most leads in one submission.
const LEADS_MAX: usize = 1_000;
const ID_BYTES_MAX: usize = 128;
/// Members of an entry that say where the lead came from.
const ATTRIBUTION: [(&str, &str); 5] = [
    ("campaign_id", "campaign_id"),
    ("adgroup_id", "adgroup_id"),
    ("ad_id", "ad_id"),
    ("page_id", "form_id"),
    ("lead_source", "lead_source"),
];

/// The row in `ALL`.
pub(in crate::source) struct TikTok;

struct TikTokSettings {
    key: Secret,
    secrets: Vec<Secret>,
}

impl Adapter for TikTok {
    fn name(&self) -> &'static str {
        "tiktok"
    }

    fn docs(&self) -> &'static str {
        "https://developers.tiktok.com/doc/webhooks-overview"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let key = super::product::secret(table, "key", secrets);
        let signed = table.has("secret") || table.has("secrets");
        let secrets = signed.then(|| super::product::secret_or_secrets(table, secrets));
        Some(Settings::new(TikTokSettings {
            key: key?,
            secrets: secrets.map_or(Some(Vec::new()), |found| found)?,
        }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &TikTokSettings = source.own()?;
        let kind = request::content_type(request)?;
        signature::token(&settings.key, request)?;
        verify(&settings.secrets, request, now)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::object(request.body)?;
        if json.get("entry").is_none() && json.get("event").is_some() {
            return Ok(Admission::Answered(Answer::ignored()));
        }
        let mut identities = Vec::new();
        for entry in entries(&json)? {
            bounds::lead(entry)?;
            let id = entry.text("id");
            let fits = !id.is_empty() && id.len() <= ID_BYTES_MAX;
            identities.push(Identity {
                platform_id: fits.then(|| id.into_owned()),
                content: entry.content(),
            });
        }
        let admitted = Admitted::whole(request, identities);
        Ok(Admission::Leads(admitted))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::object(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let entries = entries(&json).map_err(|refusal| refusal.to_string())?;
        Ok(entries.iter().map(|entry| inquiry(source, entry)).collect())
    }

    /// Anything but 200 makes TikTok send again, for up to 72 hours.
    fn answer(&self, _: &Source, _: &Receipt, _: &Reply) -> Answer {
        Answer::json(200, &json!({}))
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let employees = person.employees.to_string();
        let all = [
            ("name", person.name()),
            ("email", person.email.clone()),
            ("phone_number", person.phone.clone()),
            ("company_name", person.company.clone()),
            ("job_title", person.job_title.clone()),
            ("country", person.country.clone()),
            ("city", person.city.clone()),
            ("message", person.message.clone()),
            ("employees", employees),
        ];
        let changes = all.iter().filter(|(_, value)| !value.is_empty());
        let changes = changes.map(|(field, value)| json!({ "field": field, "value": value }));
        let body = json!({
            "object": 1,
            "time": 1_790_000_000,
            "entry": [{
                "id": 7_000_000_000_000_000_000_u64 + person.seed % 1_000_000_000,
                "page_id": 7_012_345_678_901_234_568_u64,
                "campaign_id": 1_800_000_000_000_001_u64,
                "adgroup_id": 1_800_000_000_000_002_u64,
                "ad_id": 1_800_000_000_000_003_u64,
                "create_time": 1_790_000_000,
                "lead_source": "INSTANT_FORM",
                "changes": changes.collect::<Vec<_>>(),
            }],
        });
        Sample::post("application/json", body.to_string())
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = source.own::<TikTokSettings>() {
            request::add_key(&mut sample.query, settings.key.expose());
            if let Some(secret) = settings.secrets.first() {
                let signed = escaped(&sample.body);
                let value = signature::plain_signature(secret, signature::Encoding::Hex, &signed);
                sample.headers.push((OPEN.into(), value));
            }
        }
        sample
    }
}

/// No signature at all is taken, since nobody has seen TikTok document one for leads.
fn verify(secrets: &[Secret], request: &Request<'_>, now: Millis) -> Result<(), Refusal> {
    let has = |name: &str| request.headers.0.iter().any(|(n, _)| n == name);
    if secrets.is_empty() {
        return Ok(());
    }
    if has(STAMPED) {
        let given = request.headers.only(STAMPED);
        signature::stamped(secrets, given, SCHEME, request.body, now)?;
    }
    if has(OPEN) {
        let given = request.headers.only(OPEN).unwrap_or_default();
        let fits = |body: &[u8]| {
            let wanted = |secret| {
                signature::plain_signature(secret, signature::Encoding::Hex, body).into_bytes()
            };
            secrets
                .iter()
                .any(|secret| secret::same(given.as_bytes(), &wanted(secret)))
        };
        if !fits(&escaped(request.body)) {
            return Err(Refusal::Unauthorized("the signature does not fit".into()));
        }
    }
    Ok(())
}

/// The body as it is signed: whatever is not ASCII as `\uxxxx`.
fn escaped(body: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(body) else {
        return body.to_vec();
    };
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, "\\u{unit:04x}"); // to a String: never fails
        }
    }
    escaped.into_bytes()
}

fn entries<'j, 'a>(json: &'j Json<'a>) -> Result<&'j [Json<'a>], Refusal> {
    let entries = json.get("entry").map_or(&[][..], Json::items);
    if entries.is_empty() || !entries.iter().all(|entry| !entry.entries().is_empty()) {
        return Err(Refusal::Malformed("a list `entry` is wanted".into()));
    }
    if entries.len() > LEADS_MAX {
        let message = format!("more than {LEADS_MAX} leads");
        return Err(Refusal::Unprocessable(message));
    }
    Ok(entries)
}

fn inquiry(source: &Source, entry: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    for (key, value) in entry.entries() {
        if key == "id" {
            continue;
        }
        if let Some((_, name)) = ATTRIBUTION.iter().find(|(known, _)| known == key) {
            draft.told(name, &value.as_text().unwrap_or_default());
            continue;
        }
        if key != "changes" {
            draft.keep_json(key, value);
            continue;
        }
        for change in value.items() {
            let mut leaves = Vec::new();
            if let Some(value) = change.get("value") {
                value.leaves(&change.text("field"), &mut leaves);
            }
            for (name, value) in leaves {
                draft.asked(&name, &value);
            }
        }
    }
    draft.inquiry()
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "tiktok",
    settings: "key = \"t0ken\"\nsecret = \"app-secret\"\ncountry = \"SE\"",
    proof: Proof::Key,
    kind: "application/json",
    body: r#"{"object":1,"time":1790000000,"entry":[{"id":7312345678901234567,
                 "page_id":7312345678901234568,"advertiser_id":7312345678901234569,"campaign_id":18,
                 "adgroup_id":19,"ad_id":20,"create_time":1789999999,"lead_source":"INSTANT_FORM",
                 "changes":[{"field":"name","value":"Åsa Ek"},{"field":"email","value":"asa@ek.example"},
                 {"field":"phone_number","value":"+46 8 123 456 78"},
                 {"field":"How many employees?","value":"kept"},
                 {"field":"interests","value":["a","b"]}]}]}"#,
    fields: &[
        ("name", "Åsa Ek"),
        ("email", "asa@ek.example"),
        ("phone", "+46 8 123 456 78"),
        ("country", "SE"),
        ("How many employees?", KEPT),
        ("interests", "a"),
        ("advertiser_id", "7312345678901234569"),
    ],
    attribution: &[
        ("campaign_id", "18"),
        ("form_id", "7312345678901234568"),
        ("lead_source", "INSTANT_FORM"),
    ],
    batch: Some(
        r#"{"entry":[{"id":1,"changes":[{"field":"email","value":"a@b.example"}]},
               {"id":2,"changes":[{"field":"email","value":"c@d.example"}]}]}"#,
    ),
    fetched: &[],
}];
