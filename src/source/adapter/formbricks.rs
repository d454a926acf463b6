//! Formbricks: a response as JSON, signed as Standard Webhooks where the webhook has a secret. A
//! response is sent when it begins, changes and ends; only its end is a lead. Its test button sends
//! no response.
//! <https://formbricks.com/docs/xm-and-surveys/core-features/integrations/webhooks>

use serde_json::json;

use super::product::{self, Credential};
use crate::clock::{Millis, SECOND};
use crate::document::Table;
use crate::lead::{Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::json::Json;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct Formbricks;

/// Members of `data` that are read, or that only Formbricks needs.
const KNOWN: [&str; 17] = [
    "contact",
    "contactAttributes",
    "createdAt",
    "updatedAt",
    "data",
    "displayId",
    "endingId",
    "finished",
    "id",
    "language",
    "meta",
    "singleUseId",
    "survey",
    "surveyId",
    "ttc",
    "variables",
    "person",
];
/// What a question for contact details asks, in this order.
const CONTACT: [(&str, &str); 5] = [
    ("firstName", "first_name"),
    ("lastName", "last_name"),
    ("email", "email"),
    ("phone", "phone"),
    ("company", "company"),
];

impl Adapter for Formbricks {
    fn name(&self) -> &'static str {
        "formbricks"
    }

    fn docs(&self) -> &'static str {
        "https://formbricks.com/docs/xm-and-surveys/core-features/integrations/webhooks"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        product::credential(table, secrets).map(Settings::new)
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Admission, Refusal> {
        let json = product::proven(source, request, |secrets| {
            signature::standard(secrets, request.headers, request.body, now).map(drop)
        })?;
        match json.text_at("event").as_deref() {
            Some("responseFinished") => {}
            Some("testEndpoint") => return Ok(product::ignored("the test is well received")),
            Some(_) => return Ok(product::ignored("only responseFinished is a lead")),
            None => return Err(Refusal::Malformed("event is missing".into())),
        }
        let response = response(&json)?;
        let data = response.get("data");
        let fields = ["data", "contactAttributes", "variables"];
        let fields = fields.iter().filter_map(|key| response.get(key));
        bounds::counted(fields.map(|part| part.size().0).sum(), json.size().1)?;
        let mut content = Vec::new();
        if let Some(data) = data {
            data.canonical(&mut content);
        }
        let id = response.text_at("id");
        Ok(product::one(
            request,
            (id.as_deref(), content),
            inquiry(source, response),
        ))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::parse(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let response = response(&json).map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, response)])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        product::taken(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut data = serde_json::Map::new();
        for question in product::questions(person) {
            data.insert(question.key.into(), question.value.into());
        }
        data.extend(
            person
                .utm
                .iter()
                .map(|(k, v)| (k.clone(), v.clone().into())),
        );
        product::json_sample(&json!({
            "webhookId": "cm0webhook",
            "event": "responseFinished",
            "data": {
                "id": product::id_of(person),
                "surveyId": "cm0survey",
                "finished": true,
                "data": data,
                "survey": { "title": "Contact", "type": "link" },
            },
        }))
    }

    fn sign(&self, source: &Source, mut sample: Sample, now: Millis) -> Sample {
        match source.own() {
            Ok(Credential::Secrets(secrets)) => {
                let at = (now / SECOND).to_string();
                let hash = crate::secret::hmac_sha256(b"sample", &[&sample.body]);
                let id = crate::secret::hex(hash.get(..12).unwrap_or_default());
                let signature = secrets.first().and_then(|secret| {
                    signature::standard_signature(secret, &id, &at, &sample.body)
                });
                let signature = format!("v1,{}", signature.unwrap_or_default());
                let headers = [("id", id), ("timestamp", at), ("signature", signature)];
                let headers = headers.map(|(name, value)| (format!("webhook-{name}"), value));
                sample.headers.extend(headers);
                sample
            }
            Ok(Credential::Key(key)) => product::with_key(sample, key),
            Err(_) => sample,
        }
    }
}

/// What a response tells.
fn inquiry(source: &Source, response: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    for part in ["data", "contactAttributes", "variables"] {
        for (name, value) in response.get(part).map_or(&[][..], Json::entries) {
            read(name, value, &mut draft);
        }
    }
    let of = |part: &str, key: &str| response.get(part).and_then(|part| part.text_at(key));
    if let Some(language) = response.text_at("language").filter(|l| l != "default") {
        draft.add(&["language"], None, &[language]);
    }
    draft.told("form_id", &response.text("surveyId"));
    if let Some(title) = of("survey", "title") {
        draft.keep("form_name", &title);
    }
    for (name, value) in response.get("meta").map_or(&[][..], Json::entries) {
        match (name.as_ref(), value.as_text()) {
            ("url", Some(url)) => draft.page(&url),
            ("source", Some(text)) => draft.told("referrer", &text),
            (name, _) => draft.keep_json(&format!("meta.{name}"), value),
        }
    }
    draft.keep_others(response, &KNOWN);
    draft.inquiry()
}

fn response<'j, 'a>(json: &'j Json<'a>) -> Result<&'j Json<'a>, Refusal> {
    let response = json.get("data");
    let response = response.filter(|response| matches!(response, Json::Map(_)));
    response.ok_or_else(|| Refusal::Malformed("data is missing".into()))
}

/// An answer. The kind of its question is not sent: five texts of which the third is an address are
/// contact details.
fn read(name: &str, value: &Json<'_>, draft: &mut Draft<'_>) {
    if let Json::List(items) = value
        && items.len() == CONTACT.len()
        && let Some(address) = items.get(2).and_then(Json::as_text)
        && address.contains('@')
    {
        for ((part, ours), item) in CONTACT.iter().zip(items) {
            draft.add_json(&[&format!("{name}.{part}")], Some(ours), item);
        }
        return;
    }
    draft.add_json(&[name], None, value);
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "formbricks",
    settings: "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"",
    proof: Proof::Timed(300),
    kind: "application/json",
    body: r#"{"webhookId":"w1","event":"responseFinished","data":{"id":"r1","surveyId":"s1","finished":true,"language":"de",
            "data":{"q1":["Mia","Groß","mia@werk.example","+49 30 901820","Werk AG"],"newsletter_consent":"accepted",
              "colour":"kept","topics":["a","b"],"grid":{"Price":"good"},"utm_source":"meta"},
            "contactAttributes":{"userId":"u1","plan":"pro"},"variables":{"score":7},"endingId":"e1",
            "meta":{"url":"https://app.example/s/s1?utm_medium=mail","country":"DE","userAgent":{"os":"macOS"}},
            "survey":{"title":"Demo","type":"link","status":"inProgress"},"ttc":{"_total":4947.899},"tags":[],"future":{"x":1}}}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "+49 30 901820"),
        ("company", "Werk AG"),
        ("language", "de"),
        ("colour", KEPT),
        ("topics", "a"),
        ("grid.Price", "good"),
        ("plan", "pro"),
        ("score", "7"),
        ("meta.country", "DE"),
        ("future.x", "1"),
        ("form_name", "Demo"),
    ],
    attribution: &[
        ("utm_source", "meta"),
        ("utm_medium", "mail"),
        ("landing_page", "https://app.example/s/s1"),
        ("form_id", "s1"),
    ],
    batch: None,
    fetched: &[],
}];
