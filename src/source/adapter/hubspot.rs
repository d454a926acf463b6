//! `HubSpot`: a contact that a workflow sends whole, or events of an app that name contacts by their
//! ids, which are then fetched.
//! <https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation>

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::Url;

use super::hubspot_contact::{contact, contact_events, contact_identity, event_identity, notice};
use super::hubspot_fetch;

use crate::clock::{MINUTE, Millis};
use crate::document::Table;
use crate::lead::{Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::{self, Secret};
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::fetch::{Answered, Step};
use crate::source::json::Json;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

const V3: &str = "x-hubspot-signature-v3";
const TIME: &str = "x-hubspot-request-timestamp";
const API_URL: &str = "https://api.hubapi.com";
const LEGACY: &str = "x-hubspot-signature";
const LEGACY_VERSION: &str = "x-hubspot-signature-version";
/// As HubSpot's page says.
const TOLERANCE: Millis = 5 * MINUTE;
/// Escapes that HubSpot signs as the characters themselves. The list is a third party's reading of
/// the vendor's page.
const DECODED: [(&str, char); 14] = [
    ("3A", ':'),
    ("2F", '/'),
    ("40", '@'),
    ("3D", '='),
    ("2B", '+'),
    ("26", '&'),
    ("24", '$'),
    ("60", '`'),
    ("22", '"'),
    ("2C", ','),
    ("3B", ';'),
    ("3E", '>'),
    ("3C", '<'),
    ("3F", '?'),
];

/// The row in `ALL`.
pub(in crate::source) struct HubSpot;

pub(super) struct HubSpotSettings {
    secrets: Vec<Secret>,
    /// As HubSpot calls it: part of what is signed.
    address: String,
    /// Whether signatures without a time are taken where no other comes.
    legacy: bool,
    /// For contacts that events name.
    pub(super) token: Option<Secret>,
    /// Of a contact, besides those that are known.
    pub(super) properties: Vec<String>,
    /// Without the slash at its end.
    pub(super) api_url: String,
}

impl Adapter for HubSpot {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn docs(&self) -> &'static str {
        "https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let address = table.required_text("address");
        if let Some(text) = &address
            && !Url::parse(text).is_ok_and(|url| url.has_host() && url.query().is_none())
        {
            let wanted = "wanted is the address that you gave HubSpot, without a query, such as \
                          https://leads.example.com/in/hubspot";
            table.problem("address", format!("`{text}` is no address; {wanted}"));
        }
        let legacy = table.bool("legacy").unwrap_or(false);
        let token = table
            .has("token")
            .then(|| super::product::secret(table, "token", secrets));
        let properties = table.texts("properties").unwrap_or_default();
        for name in &properties {
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                let wanted = "wanted is the internal name, such as company_size";
                table.problem("properties", format!("`{name}` is no property; {wanted}"));
            }
        }
        let api_url = table.text("api_url").unwrap_or_else(|| API_URL.into());
        if !Url::parse(&api_url).is_ok_and(|url| url.has_host() && url.query().is_none()) {
            let message = format!("`{api_url}` is no address; wanted is such as {API_URL}");
            table.problem("api_url", message);
        }
        let secrets = super::product::secret_or_secrets(table, secrets)?;
        Some(Settings::new(HubSpotSettings {
            secrets,
            address: address?,
            legacy,
            token: token.flatten(),
            properties,
            api_url: api_url.trim_end_matches('/').to_owned(),
        }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &HubSpotSettings = source.own()?;
        let kind = request::content_type(request)?;
        verify(settings, request, now)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::parse(request.body)?;
        let identities = if matches!(json, Json::List(_)) {
            let events = contact_events(&json)?;
            events.into_iter().map(event_identity).collect()
        } else {
            vec![contact_identity(&json)?]
        };
        if identities.is_empty() {
            return Ok(Admission::Answered(Answer::ignored()));
        }
        let admitted = Admitted::whole(request, identities);
        Ok(Admission::Leads(admitted))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let told = |refusal: Refusal| refusal.to_string();
        let json = Json::parse(&submission.raw).map_err(told)?;
        if !matches!(json, Json::List(_)) {
            return Ok(vec![contact(source, &json)]);
        }
        let events = contact_events(&json).map_err(told)?;
        let notices = events.into_iter().map(|event| notice(source, event));
        Ok(notices.collect())
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        Answer::receipt(receipt)
    }

    fn fetch(&self, source: &Source, notice: &Inquiry, answers: &[Answered]) -> Step {
        hubspot_fetch::fetch(source, notice, answers)
    }

    fn read(&self, source: &Source, notice: Inquiry, content: &[u8]) -> Result<Inquiry, String> {
        hubspot_fetch::read(source, notice, content)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let employees = person.employees.to_string();
        let all = [
            ("firstname", person.first_name.as_str()),
            ("lastname", &person.last_name),
            ("email", &person.email),
            ("phone", &person.phone),
            ("company", &person.company),
            ("jobtitle", &person.job_title),
            ("website", &person.website),
            ("city", &person.city),
            ("zip", &person.postcode),
            ("country", &person.country),
            ("hs_language", &person.language),
            ("message", &person.message),
            ("employees", &employees),
            ("lastmodifieddate", "1790000000000"),
        ];
        let all = all.iter().filter(|(_, value)| !value.is_empty());
        let properties = all.map(|(name, value)| ((*name).to_owned(), json!({ "value": value })));
        let body = json!({
            "vid": person.seed,
            "portal-id": 1,
            "is-contact": true,
            "properties": properties.collect::<serde_json::Map<_, _>>(),
        });
        Sample::post("application/json", body.to_string())
    }

    fn sign(&self, source: &Source, mut sample: Sample, now: Millis) -> Sample {
        if let Ok(settings) = source.own::<HubSpotSettings>()
            && let Some(secret) = settings.secrets.first()
        {
            let at = now.to_string();
            let uri = uri(&settings.address, &sample.query);
            let signature = v3(secret, sample.method, &uri, &sample.body, &at);
            sample.headers.push((TIME.into(), at));
            sample.headers.push((V3.into(), signature));
        }
        sample
    }
}

/// The newest signature that comes: HubSpot sends the older ones along with it.
fn verify(settings: &HubSpotSettings, request: &Request<'_>, now: Millis) -> Result<(), Refusal> {
    let no = |why: &str| Refusal::Unauthorized(why.to_owned());
    let uri = uri(&settings.address, request.query);
    let (method, body) = (request.method, request.body);
    if request.headers.0.iter().any(|(name, _)| name == V3) {
        let headers = request.headers.only(V3).zip(request.headers.only(TIME));
        let (given, at) =
            headers.ok_or_else(|| no("a signature's header is missing or stands twice"))?;
        signature::recent(at, 1, TOLERANCE, now)?;
        return fits(settings, given, |secret| v3(secret, method, &uri, body, at));
    }
    if !settings.legacy {
        return Err(no("X-HubSpot-Signature-v3 is wanted"));
    }
    let version = request.headers.only(LEGACY_VERSION);
    let given = request.headers.only(LEGACY);
    let given = given.ok_or_else(|| no("the signature's header is missing or stands twice"))?;
    match version {
        Some("v2") => fits(settings, given, |secret| {
            let parts = [
                secret.expose().as_bytes(),
                method.as_bytes(),
                uri.as_bytes(),
                body,
            ];
            secret::hex(&secret::sha256(&parts))
        }),
        Some("v1") => fits(settings, given, |secret| {
            secret::hex(&secret::sha256(&[secret.expose().as_bytes(), body]))
        }),
        Some(_) | None => Err(no("the signature's version is none that we know")),
    }
}

fn fits(
    settings: &HubSpotSettings,
    given: &str,
    wanted: impl Fn(&Secret) -> String,
) -> Result<(), Refusal> {
    let mut secrets = settings.secrets.iter().filter(|secret| !secret.is_empty());
    if secrets.any(|secret| secret::same(given.as_bytes(), wanted(secret).as_bytes())) {
        return Ok(());
    }
    let why = "the signature does not fit; check `secret`, and that `address` is the one that HubSpot calls";
    Err(Refusal::Unauthorized(why.into()))
}

fn v3(secret: &Secret, method: &str, uri: &str, body: &[u8], at: &str) -> String {
    let parts = [method.as_bytes(), uri.as_bytes(), body, at.as_bytes()];
    STANDARD.encode(secret::hmac_sha256(secret.expose().as_bytes(), &parts))
}

/// The address as it is signed.
fn uri<'u>(address: &'u str, query: &str) -> Cow<'u, str> {
    let whole = match query {
        "" => Cow::Borrowed(address),
        query => Cow::Owned(format!("{address}?{query}")),
    };
    if !whole.contains('%') {
        return whole;
    }
    let mut decoded = String::with_capacity(whole.len());
    let mut parts = whole.split('%');
    decoded.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let escape = part.get(..2).unwrap_or_default();
        let known = DECODED
            .iter()
            .find(|(hex, _)| hex.eq_ignore_ascii_case(escape));
        if let Some((_, c)) = known {
            decoded.push(*c);
            decoded.push_str(part.get(2..).unwrap_or_default());
        } else {
            decoded.push('%');
            decoded.push_str(part);
        }
    }
    Cow::Owned(decoded)
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "hubspot",
    settings: "secret = \"client-secret\"\naddress = \"https://leads.example.com/in/hubspot\"",
    proof: Proof::Timed(300),
    kind: "application/json",
    body: r#"{"vid":251,"portal-id":27145807,"is-contact":true,"properties":{
                 "firstname":{"value":"Mia","versions":[{"value":"Mia","timestamp":1}]},
                 "lastname":{"value":"Groß"},"email":{"value":"mia@werk.example"},
                 "mobilephone":{"value":"+49 30 901820"},"jobtitle":{"value":"Head"},
                 "country":{"value":"Germany"},"hs_language":{"value":"de"},
                 "hs_analytics_source":{"value":"PAID_SOCIAL"},"budget":{"value":"kept"},
                 "lastmodifieddate":{"value":"1789999999000"}},
                 "associated-company":{"properties":{"name":{"value":"Werk AG"}}},
                 "associated-owner":{"email":"owner@us.example"}}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "+49 30 901820"),
        ("company", "Werk AG"),
        ("job_title", "Head"),
        ("country", "DE"),
        ("language", "de"),
        ("budget", KEPT),
        ("vid", "251"),
    ],
    attribution: &[("lead_source", "PAID_SOCIAL")],
    batch: None,
    fetched: &[],
}];
