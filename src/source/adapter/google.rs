//! Google Ads lead form webhook.
//! <https://developers.google.com/google-ads/webhook/docs/implementation>

use std::borrow::Cow;

use serde_json::json;

use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::json::Json;
use crate::source::mapping::{self, Chosen, PAIRS_MAX, VALUE_BYTES_MAX};
use crate::source::request;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct Google;

/// Keys of a source with `adapter = "google"`.
#[derive(Clone, Debug)]
struct GoogleSettings {
    key: Secret,
}

/// `column_id` of the documented user columns, to our fields.
const COLUMNS: &[(&str, &str)] = &[
    ("FULL_NAME", "name"),
    ("FIRST_NAME", "first_name"),
    ("LAST_NAME", "last_name"),
    ("EMAIL", "email"),
    ("WORK_EMAIL", "email"),
    ("PHONE_NUMBER", "phone"),
    ("WORK_PHONE", "phone"),
    ("POSTAL_CODE", "postcode"),
    ("STREET_ADDRESS", "street"),
    ("CITY", "city"),
    ("REGION", "region"),
    ("COUNTRY", "country"),
    ("COMPANY_NAME", "company"),
    ("JOB_TITLE", "job_title"),
];
/// `column_name` of senders that give no id.
const LEGACY: &[(&str, &str)] = &[
    ("Full Name", "name"),
    ("First Name", "first_name"),
    ("Last Name", "last_name"),
    ("User Email", "email"),
    ("User Phone", "phone"),
    ("Postal Code", "postcode"),
    ("Company Name", "company"),
    ("Job Title", "job_title"),
];
/// Members of the body that say where the lead came from.
const ATTRIBUTION: [(&str, &str); 8] = [
    ("gcl_id", "gclid"),
    ("gclid", "gclid"),
    ("campaign_id", "campaign_id"),
    ("adgroup_id", "adgroup_id"),
    ("creative_id", "creative_id"),
    ("form_id", "form_id"),
    ("asset_group_id", "asset_group_id"),
    ("lead_source", "lead_source"),
];
/// Members that are not kept among the further fields.
const TECHNICAL: [&str; 6] = [
    "lead_id",
    "user_column_data",
    "api_version",
    "google_key",
    "Google_key",
    "is_test",
];

impl Adapter for Google {
    fn name(&self) -> &'static str {
        "google"
    }

    fn docs(&self) -> &'static str {
        "https://developers.google.com/google-ads/webhook/docs/implementation"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let key = super::product::secret(table, "key", secrets)?;
        Some(Settings::new(GoogleSettings { key }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &GoogleSettings = source.own()?;
        let kind = request::content_type(request)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::parse(request.body)?;
        let keys = [json.get("google_key"), json.get("Google_key")];
        let given: Vec<_> = keys
            .into_iter()
            .flatten()
            .filter_map(Json::as_text)
            .collect();
        let [given] = given.as_slice() else {
            return Err(Refusal::Unauthorized("one google_key is wanted".into()));
        };
        if !settings.key.matches(given) {
            return Err(Refusal::Unauthorized("the google_key does not fit".into()));
        }
        let lead_id = json
            .get("lead_id")
            .and_then(Json::as_text)
            .unwrap_or_default();
        if lead_id.is_empty() || lead_id.len() > 512 {
            return Err(Refusal::Malformed("lead_id is missing or too long".into()));
        }
        bounded(&json)?;
        let read = inquiry(source, &json, columns(&json)?);
        let mut content = Vec::new();
        if let Json::Map(entries) = &json {
            let kept = entries
                .iter()
                .filter(|(key, _)| !key.eq_ignore_ascii_case("google_key"));
            Json::Map(kept.cloned().collect()).canonical(&mut content);
        }
        Ok(Admission::Leads(Admitted {
            headers: request::kept(request.headers),
            query: String::new(),
            raw: blanked(request.body, &json),
            identities: vec![Identity {
                // Google's test button sends ids of real-looking leads: a test is never their repeat.
                platform_id: Some(if json.get("is_test").is_some_and(Json::is_true) {
                    format!("test/{lead_id}")
                } else {
                    lead_id.into_owned()
                }),
                content,
            }],
            read: vec![read],
            reply: Reply::default(),
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::parse(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let found = columns(&json).map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &json, found)])
    }

    /// 200 and nothing else lights the test button green.
    fn answer(&self, _: &Source, _: &Receipt, _: &Reply) -> Answer {
        Answer::json(200, &json!({}))
    }

    /// 4xx is for good: whatever may pass later is 503.
    fn refuse(&self, _: &Source, refusal: &Refusal, _: Option<&Request<'_>>) -> Answer {
        let status = match refusal {
            Refusal::TooMany { .. } | Refusal::Timeout => 503,
            Refusal::Unauthorized(_)
            | Refusal::Forbidden(_)
            | Refusal::Malformed(_)
            | Refusal::Unsupported(_)
            | Refusal::TooLarge(_)
            | Refusal::Unprocessable(_)
            | Refusal::Unavailable { .. }
            | Refusal::NotAllowed => refusal.status(),
        };
        Answer::json(status, &json!({ "message": refusal.to_string() })).told(refusal)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let column = |id: &str, value: &str| json!({ "column_id": id, "string_value": value });
        let mut columns = vec![column("FULL_NAME", &person.name())];
        let all = [
            ("EMAIL", &person.email),
            ("PHONE_NUMBER", &person.phone),
            ("COMPANY_NAME", &person.company),
            ("JOB_TITLE", &person.job_title),
            ("CITY", &person.city),
            ("POSTAL_CODE", &person.postcode),
            ("COUNTRY", &person.country),
            ("What do you need?", &person.message),
            ("employees", &person.employees.to_string()),
        ];
        let all = all.iter().filter(|(_, value)| !value.is_empty());
        columns.extend(all.map(|(id, value)| column(id, value)));
        let body = json!({
            "lead_id": format!("TeSter-{:016x}", person.seed),
            "user_column_data": columns,
            "api_version": "1.0",
            "form_id": 40_000_000_001_i64,
            "campaign_id": 20_000_000_001_i64,
            "gcl_id": format!("EAIaIQob{:x}", person.seed),
        });
        Sample {
            method: "POST",
            query: String::new(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = source.own::<GoogleSettings>()
            && let Ok(serde_json::Value::Object(mut object)) = serde_json::from_slice(&sample.body)
        {
            object.remove("Google_key");
            object.insert("google_key".into(), settings.key.expose().into());
            sample.body = serde_json::Value::Object(object).to_string().into_bytes();
        }
        sample
    }
}

/// What the columns and what is beside them tell.
fn inquiry(source: &Source, json: &Json<'_>, found: Vec<(String, String, String)>) -> Inquiry {
    let (mut chosen, mut late, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    for (id, column, value) in found {
        let known = match id.as_str() {
            "" => LEGACY.iter().find(|(known, _)| *known == column),
            id => COLUMNS.iter().find(|(known, _)| *known == id),
        };
        let at_work = id.starts_with("WORK_");
        let name = if id.is_empty() { column } else { id };
        let Some((_, field)) = known.filter(|_| !source.mapping.names.contains_key(&name)) else {
            pairs.push((name, value));
            continue;
        };
        // The private address goes before the one at work, whatever their order.
        let column = Chosen { field, name, value };
        if at_work {
            late.push(column);
        } else {
            chosen.push(column);
        }
    }
    chosen.extend(late);
    let country = source.country.as_deref();
    let mut inquiry = mapping::inquiry(chosen, pairs, &source.mapping, country);
    inquiry.is_test = json.get("is_test").is_some_and(Json::is_true);
    if let Json::Map(entries) = json {
        // In no spelling is the key part of a lead, as it is no part of what is stored.
        let told = entries
            .iter()
            .filter(|(key, _)| !key.eq_ignore_ascii_case("google_key"));
        for (key, value) in told {
            member(key, value, &mut inquiry);
        }
    }
    inquiry
}

/// A member of the body beside the columns: where the lead came from, or what we do not know.
fn member(key: &str, value: &Json<'_>, inquiry: &mut Inquiry) {
    if TECHNICAL.contains(&key) {
        return;
    }
    if let Some((_, name)) = ATTRIBUTION.iter().find(|(name, _)| *name == key) {
        let text = value.as_text().filter(|text| !text.is_empty());
        let attribution = &mut inquiry.attribution.0;
        attribution.extend(text.map(|text| ((*name).to_owned(), text.into_owned())));
        return;
    }
    let mut leaves = Vec::new();
    value.leaves(key, &mut leaves);
    for (name, text) in leaves {
        let text = mapping::clean(&text);
        if !text.is_empty() {
            inquiry.fields.other.entry(name).or_default().push(text);
        }
    }
}

/// Bounds what stands beside the columns.
fn bounded(json: &Json<'_>) -> Result<(), Refusal> {
    let Json::Map(entries) = json else {
        return Err(Refusal::Malformed("a JSON object is wanted".into()));
    };
    let mut leaves = Vec::new();
    for (key, value) in entries.iter().filter(|(key, _)| key != "user_column_data") {
        value.leaves(key, &mut leaves);
    }
    bounds::pairs(&leaves)
}

/// Id, name and value of every column.
fn columns(json: &Json<'_>) -> Result<Vec<(String, String, String)>, Refusal> {
    let Some(Json::List(items)) = json.get("user_column_data") else {
        return Err(Refusal::Malformed("user_column_data is missing".into()));
    };
    if items.len() > PAIRS_MAX {
        return Err(Refusal::Unprocessable(format!(
            "more than {PAIRS_MAX} columns"
        )));
    }
    let mut columns = Vec::with_capacity(items.len());
    for item in items {
        let text = |key: &str| {
            item.get(key)
                .and_then(Json::as_text)
                .unwrap_or_default()
                .into_owned()
        };
        let (id, name, value) = (text("column_id"), text("column_name"), text("string_value"));
        if value.len() > VALUE_BYTES_MAX || id.len() > VALUE_BYTES_MAX {
            let message = format!("a column is longer than {VALUE_BYTES_MAX} bytes");
            return Err(Refusal::Unprocessable(message));
        }
        if !(id.is_empty() && name.is_empty()) {
            columns.push((id, name, value));
        }
    }
    Ok(columns)
}

/// The body without the key's value; everything else stays byte for byte.
fn blanked(body: &[u8], json: &Json<'_>) -> Vec<u8> {
    let key = json.get("google_key").or_else(|| json.get("Google_key"));
    if let Some(Json::Text(Cow::Borrowed(key))) = key {
        // The reader gives slices of the body itself, so the difference of addresses is the place.
        let start = (key.as_ptr() as usize).wrapping_sub(body.as_ptr() as usize);
        let span = start..start.saturating_add(key.len());
        if body.get(span.clone()) == Some(key.as_bytes()) {
            let mut raw = body.to_vec();
            raw.splice(span, []);
            return raw;
        }
    }
    // Escaped, so its place is not known: what is stored is written anew without it.
    let Json::Map(entries) = json else {
        return b"{}".to_vec();
    };
    let kept = entries
        .iter()
        .filter(|(key, _)| !key.eq_ignore_ascii_case("google_key"));
    let mut text = String::with_capacity(body.len());
    Json::Map(kept.cloned().collect()).write(&mut text);
    text.into_bytes()
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "google",
    settings: "key = \"testkey\"",
    proof: Proof::Key,
    kind: "application/json",
    body: r#"{"lead_id":"TeSter-1","user_column_data":[
                 {"column_name":"Full Name","string_value":"Mia Groß","column_id":"FULL_NAME"},
                 {"string_value":"mia@work.example","column_id":"WORK_EMAIL"},
                 {"string_value":"mia@werk.example","column_id":"EMAIL"},
                 {"column_name":"User Phone","string_value":"1-650-253-0000"},
                 {"string_value":"USA","column_id":"COUNTRY"},
                 {"string_value":"blue","column_id":"Which colour?"}],
                 "api_version":"1.0","form_id":40000000001,"campaign_id":9007199254740993,
                 "google_key":"testkey","gcl_id":"xyz","adgroup_id":0,"new_member":"kept"}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "1-650-253-0000"),
        ("country", "US"),
        ("WORK_EMAIL", "mia@work.example"),
        ("Which colour?", "blue"),
        ("new_member", KEPT),
    ],
    attribution: &[
        ("gclid", "xyz"),
        ("campaign_id", "9007199254740993"),
        ("form_id", "40000000001"),
    ],
    batch: None,
    fetched: &[],
}];
