//! Jotform: multipart fields, of which `rawRequest` holds the answers as JSON. It signs nothing, so a
//! key stands in the address; its submission id makes a repeat. It marks no test.
//! <https://www.jotform.com/help/245-how-to-setup-a-webhook-with-jotform/>

use std::borrow::Cow;

use serde_json::json;

use super::form_fields::{self as fields, URLENCODED};
use super::product;
use crate::clock::{Millis, SECOND};
use crate::document::Table;
use crate::lead::{Headers, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::form_body::{Bounds, Pairs};
use crate::source::json::Json;
use crate::source::mapping::PAIRS_MAX;
use crate::source::mapping::clean;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct Jotform;

/// The whole form stands in one part, and once more in `pretty`.
const BOUNDS: Bounds = Bounds {
    pairs: PAIRS_MAX,
    value_bytes: 256 * 1024,
};
const ANSWERS: &str = "rawRequest";
/// The answers once more, for people to read.
const PRETTY: &str = "pretty";
/// Parts that are read, or that only Jotform needs.
const KNOWN_PARTS: [&str; 22] = [
    "action",
    "webhookURL",
    "username",
    "formID",
    "type",
    "customParams",
    "product",
    "formTitle",
    "customTitle",
    "submissionID",
    "event",
    "documentID",
    "teamID",
    "subject",
    "isSilent",
    "customBody",
    ANSWERS,
    "fromTable",
    "appID",
    PRETTY,
    "unread",
    "parent",
];
/// Members of `rawRequest` that are read, or that only Jotform needs.
const KNOWN: [&str; 14] = [
    "slug",
    "jsExecutionTracker",
    "submitSource",
    "submitDate",
    "buildDate",
    "uploadServerUrl",
    "eventObserver",
    "event_id",
    "timeToSubmit",
    "temp_upload",
    "file_server",
    "validatedNewRequiredFieldIDs",
    "path",
    "preview",
];
/// Parts of a question that has several, to our fields.
const PARTS: [(&str, &str); 8] = [
    ("first", "first_name"),
    ("last", "last_name"),
    ("addr_line1", "street"),
    ("city", "city"),
    ("state", "region"),
    ("postal", "postcode"),
    ("country", "country"),
    ("full", "phone"),
];

impl Adapter for Jotform {
    fn name(&self) -> &'static str {
        "jotform"
    }

    fn docs(&self) -> &'static str {
        "https://www.jotform.com/help/245-how-to-setup-a-webhook-with-jotform/"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        product::key(table, secrets).map(Settings::new)
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _: Millis,
    ) -> Result<Admission, Refusal> {
        let kind = request::content_type(request)?;
        signature::token(source.own::<Secret>()?, request)?;
        if request::is_json(&kind) {
            return Err(Refusal::Unsupported("multipart/form-data is wanted".into()));
        }
        let pairs = fields::pairs_within(&kind, request.headers, request.body, BOUNDS)?;
        let json = answers(&pairs)?;
        let asked = || json.entries().iter().filter(|(key, _)| !is_known(key));
        let count = asked().map(|(_, value)| value.size().0.max(1)).sum();
        let longest = asked().map(|(key, value)| value.size().1.max(key.len()));
        let parts = pairs
            .iter()
            .filter(|(name, _)| !KNOWN_PARTS.contains(&name.as_str()));
        let parts = parts.map(|(_, value)| value.len());
        bounds::counted(count, longest.chain(parts).max().unwrap_or_default())?;
        let content = Json::Map(asked().cloned().collect());
        let bytes = content.content();
        let id = fields::field(&pairs, "submissionID").map(Cow::Borrowed);
        let id = id
            .filter(|id| !id.is_empty())
            .or_else(|| json.text_at("event_id"));
        let read = inquiry(source, &pairs, &json);
        let mut admission = product::one(request, (id.as_deref(), bytes), read);
        if json.entries().iter().any(|(key, _)| is_password(key))
            && let Admission::Leads(admitted) = &mut admission
        {
            admitted.raw = without_passwords(&pairs, &json);
            admitted.read.clear(); // it is read as it is stored
            let headers = &mut admitted.headers.0;
            headers.retain(|(name, _)| name != "content-type");
            headers.push(("content-type".into(), URLENCODED.into()));
        }
        Ok(admission)
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let pairs =
            stored(&submission.headers, &submission.raw).map_err(|refusal| refusal.to_string())?;
        let json = answers(&pairs).map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &pairs, &json)])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        product::taken(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut raw = serde_json::Map::new();
        let mut name = serde_json::Map::new();
        for (at, question) in product::questions(person).into_iter().enumerate() {
            match question.key {
                "first_name" => drop(name.insert("first".into(), question.value.into())),
                "last_name" => drop(name.insert("last".into(), question.value.into())),
                key => drop(raw.insert(format!("q{}_{key}", at + 3), question.value.into())),
            }
        }
        raw.insert("q3_name".into(), name.into());
        for (at, (name, value)) in person.utm.iter().enumerate() {
            raw.insert(format!("q{}_{name}", at + 30), value.clone().into());
        }
        let (id, raw) = (person.seed.to_string(), json!(raw).to_string());
        let parts = [
            ("formID", "5555"),
            ("formTitle", "Contact"),
            ("submissionID", &id),
            (ANSWERS, &raw),
        ];
        let mut body = String::new();
        for (name, value) in parts {
            body.push_str("--leadgate\r\nContent-Disposition: form-data; name=\"");
            body.extend([name, "\"\r\n\r\n", value, "\r\n"]);
        }
        body.push_str("--leadgate--\r\n");
        let kind = "multipart/form-data; boundary=leadgate";
        product::sample(kind, body.into_bytes())
    }

    fn sign(&self, source: &Source, sample: Sample, _: Millis) -> Sample {
        match source.own::<Secret>() {
            Ok(key) => product::with_key(sample, key),
            Err(_) => sample,
        }
    }
}

/// What a form and the parts around it tell.
fn inquiry(source: &Source, pairs: &Pairs, json: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    for (key, value) in json.entries().iter().filter(|(key, _)| !is_known(key)) {
        match name(key) {
            Some(name) => read(key, name, value, &mut draft),
            None => draft.keep_json(key, value),
        }
    }
    if let Some(seconds) = json
        .text_at("timeToSubmit")
        .and_then(|text| text.parse::<u32>().ok())
    {
        draft.filled_in(i64::from(seconds) * SECOND);
    }
    let part = |name: &str| fields::field(pairs, name).unwrap_or_default();
    draft.told("form_id", part("formID"));
    draft.keep("form_name", part("formTitle"));
    for (name, value) in pairs {
        if !KNOWN_PARTS.contains(&name.as_str()) {
            draft.keep(name, value);
        }
    }
    draft.inquiry()
}

fn stored(headers: &Headers, raw: &[u8]) -> Result<Pairs, Refusal> {
    let kind = headers.only("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    fields::pairs_within(&kind.to_lowercase(), headers, raw, BOUNDS)
}

fn answers(pairs: &Pairs) -> Result<Json<'_>, Refusal> {
    let raw = fields::field(pairs, ANSWERS);
    let raw = raw.ok_or_else(|| Refusal::Malformed("rawRequest is missing".into()))?;
    let json = Json::parse(raw.as_bytes())?;
    if !matches!(json, Json::Map(_)) {
        return Err(Refusal::Malformed("rawRequest is no JSON object".into()));
    }
    Ok(json)
}

fn is_known(key: &str) -> bool {
    KNOWN.contains(&key) || is_password(key)
}

/// A password is no part of a lead, and Jotform sends it in clear.
fn is_password(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "passwort", "passwd"]
        .iter()
        .any(|word| key.contains(word))
}

/// The pairs as a form, passwords blanked and `pretty`, which repeats them, left out.
fn without_passwords(pairs: &Pairs, json: &Json<'_>) -> Vec<u8> {
    let kept = json.entries().iter().filter(|(key, _)| !is_password(key));
    let mut raw = String::new();
    Json::Map(kept.cloned().collect()).write(&mut raw);
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.iter().filter(|(name, _)| name != PRETTY) {
        let value = if name == ANSWERS { &raw } else { value };
        body.append_pair(&clean(name), &clean(value));
    }
    body.finish().into_bytes()
}

/// The name in `q<number>_<name>`.
fn name(key: &str) -> Option<&str> {
    let (number, name) = key.strip_prefix('q')?.split_once('_')?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    (digits && !name.is_empty()).then_some(name)
}

/// `contactEmail`, as Jotform makes names of labels, is `contact Email`.
fn in_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_uppercase() && words.ends_with(char::is_lowercase) {
            words.push(' ');
        }
        words.push(c);
    }
    words
}

/// An answer: text, a list, or the parts of a name, an address, a number or a day.
fn read(key: &str, name: &str, value: &Json<'_>, draft: &mut Draft<'_>) {
    let words = in_words(name);
    let names = [name, &words, key];
    let part = |part: &str| value.text_at(part);
    match value {
        Json::List(items) if items.iter().all(|item| item.as_text().is_some()) => {
            let ticked: Vec<_> = items.iter().filter_map(Json::as_text).collect();
            draft.ticked(&names, &ticked);
        }
        Json::Map(entries) => {
            if let (Some(area), Some(number)) = (part("area"), part("phone")) {
                let country = part("country").unwrap_or_default();
                let number = format!("{country} {area} {number}");
                return draft.add(&names, Some("phone"), &[number.into()]);
            }
            if let (Some(year), Some(month), Some(day)) = (part("year"), part("month"), part("day"))
            {
                return draft.add(&names, None, &[format!("{year}-{month}-{day}").into()]);
            }
            for (part, value) in entries {
                let ours = PARTS.iter().find(|(theirs, _)| part == theirs);
                let name = format!("{name}.{part}");
                draft.add_json(&[&name], ours.map(|(_, ours)| *ours), value);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
            draft.add_json(&names, None, value);
        }
    }
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "jotform",
    settings: "key = \"k3y\"",
    proof: Proof::Key,
    kind: "multipart/form-data; boundary=------------------------b0",
    body: concat!(
        "--------------------------b0\r\nContent-Disposition: form-data; name=\"formID\"\r\n\r\n5555\r\n",
        "--------------------------b0\r\nContent-Disposition: form-data; name=\"formTitle\"\r\n\r\nDemo\r\n",
        "--------------------------b0\r\nContent-Disposition: form-data; name=\"submissionID\"\r\n\r\n629576\r\n",
        "--------------------------b0\r\nContent-Disposition: form-data; name=\"ip\"\r\n\r\n203.0.113.7\r\n",
        "--------------------------b0\r\nContent-Disposition: form-data; name=\"rawRequest\"\r\n\r\n",
        r#"{"slug":"submit\/5555","submitDate":"1790000000000","timeToSubmit":"10","q3_name":{"first":"Mia","last":"Groß"},"#,
        r#""q4_contactEmail":"mia@werk.example","q5_phoneNumber":{"area":"030","phone":"901820","country":"+49"},"#,
        r#""q6_address":{"addr_line1":"Hof 1","addr_line2":"","city":"Wien","state":"","postal":"1010","country":"Austria"},"#,
        r#""q7_date":{"month":"09","day":"21","year":"2026"},"q8_colour":"kept","q9_topics":["a","b"],"#,
        r#""q10_privacy":["I agree to all of it"],"q11_utm_source":"meta","event_id":"1_5555_x"}"#,
        "\r\n--------------------------b0--\r\n",
    ),
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "+49 030 901820"),
        ("street", "Hof 1"),
        ("city", "Wien"),
        ("postcode", "1010"),
        ("country", "AT"),
        ("date", "2026-09-21"),
        ("colour", KEPT),
        ("topics", "a"),
        ("form_name", "Demo"),
        ("ip", "203.0.113.7"),
    ],
    attribution: &[("utm_source", "meta"), ("form_id", "5555")],
    batch: None,
    fetched: &[],
}];
