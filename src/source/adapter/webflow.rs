//! Webflow: a form's submission as JSON, in the shapes of API v2 (`payload`) and v1 (flat), signed
//! with its time. It marks no test.
//! <https://developers.webflow.com/data/docs/working-with-webhooks>

use serde_json::json;

use super::product::{self, Credential};
use crate::clock::{MINUTE, Millis};
use crate::document::Table;
use crate::lead::{Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::{self, Secret};
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
pub(in crate::source) struct Webflow;

const SIGNATURE: &str = "x-webflow-signature";
/// Epoch milliseconds.
const TIMESTAMP: &str = "x-webflow-timestamp";
/// How long a signature is good, either way.
const TOLERANCE: Millis = 5 * MINUTE;
/// Members that are read, or that only Webflow needs: of v2, then of v1.
const KNOWN: [&str; 9] = [
    "name",
    "data",
    "schema",
    "submittedAt",
    "id",
    "formId",
    "formElementId",
    "d",
    "_id",
];

impl Adapter for Webflow {
    fn name(&self) -> &'static str {
        "webflow"
    }

    fn docs(&self) -> &'static str {
        "https://developers.webflow.com/data/docs/working-with-webhooks"
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
        let json = product::proven(source, request, |secrets| verify(secrets, request, now))?;
        let trigger = json.text_at("triggerType");
        if trigger.is_some_and(|trigger| trigger != "form_submission") {
            return Ok(product::ignored("only form_submission is a lead"));
        }
        let form = form(&json);
        let Some(data @ Json::Map(_)) = form.get("data") else {
            return Err(Refusal::Malformed("the form's data is missing".into()));
        };
        bounds::counted(data.size().0, json.size().1)?;
        let content = data.content();
        let id = form.text_at("id").or_else(|| form.text_at("_id"));
        Ok(product::one(
            request,
            (id.as_deref(), content),
            inquiry(source, form),
        ))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::parse(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let form = form(&json);
        Ok(vec![inquiry(source, form)])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        product::taken(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut data = serde_json::Map::new();
        let mut schema = Vec::new();
        for question in product::questions(person) {
            let kind = match question.key {
                "message" => "FormTextarea",
                _ => "FormTextInput",
            };
            schema.push(json!({ "fieldName": question.label, "fieldType": kind }));
            data.insert(question.label.into(), question.value.into());
        }
        data.extend(
            person
                .utm
                .iter()
                .map(|(k, v)| (k.clone(), v.clone().into())),
        );
        product::json_sample(&json!({
            "triggerType": "form_submission",
            "payload": {
                "name": "Contact",
                "siteId": "65427cf400e02b306eaa049c",
                "data": data,
                "schema": schema,
                "id": product::id_of(person),
                "formId": "65429eadebe8a9f3a30f62d0",
            },
        }))
    }

    fn sign(&self, source: &Source, mut sample: Sample, now: Millis) -> Sample {
        match source.own() {
            Ok(Credential::Secrets(secrets)) => {
                if let Some(secret) = secrets.first() {
                    let at = now.to_string();
                    let signature = signed(secret, &at, &sample.body);
                    sample.headers.push((TIMESTAMP.into(), at));
                    sample.headers.push((SIGNATURE.into(), signature));
                }
                sample
            }
            Ok(Credential::Key(key)) => product::with_key(sample, key),
            Err(_) => sample,
        }
    }
}

/// What a form tells.
fn inquiry(source: &Source, form: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    let schema = form.items_at("schema");
    for (label, value) in form.get("data").map_or(&[][..], Json::entries) {
        let field = schema
            .iter()
            .find(|f| f.text_at("fieldName").as_ref() == Some(label));
        let kind = field.and_then(|field| field.text_at("fieldType"));
        let ours = (kind.as_deref() == Some("FormTextarea")).then_some("message");
        draft.add_json(&[label], ours, value);
    }
    draft.told("form_id", &form.text("formId"));
    if let Some(name) = form.text_at("name") {
        draft.keep("form_name", &name);
    }
    draft.keep_others(form, &KNOWN);
    draft.inquiry()
}

/// Of v2 what stands in `payload`, of v1 all of it.
fn form<'j, 'a>(json: &'j Json<'a>) -> &'j Json<'a> {
    json.get("payload").unwrap_or(json)
}

fn signed(secret: &Secret, at: &str, body: &[u8]) -> String {
    let parts = [at.as_bytes(), b":", body];
    secret::hex(&secret::hmac_sha256(secret.expose().as_bytes(), &parts))
}

fn verify(secrets: &[Secret], request: &Request<'_>, now: Millis) -> Result<(), Refusal> {
    let no = |why: &str| Refusal::Unauthorized(why.to_owned());
    let header = |name: &str| {
        let header = request.headers.only(name);
        header.ok_or_else(|| no(&format!("{name} is missing or stands twice")))
    };
    let (at, given) = (header(TIMESTAMP)?, header(SIGNATURE)?);
    signature::recent(at, 1, TOLERANCE, now)?;
    let fits = |secret: &Secret| {
        let wanted = signed(secret, at, request.body);
        !secret.is_empty() && secret::same(given.as_bytes(), wanted.as_bytes())
    };
    if !secrets.iter().any(fits) {
        return Err(no("the signature does not fit"));
    }
    Ok(())
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "webflow",
        settings: "secret = \"s3cret\"",
        proof: Proof::Timed(300),
        kind: "application/json",
        body: r#"{"triggerType":"form_submission","payload":{"name":"Contact","siteId":"65427cf4","data":{
            "First Name":"Mia","Last Name":"Groß","Email 2":"mia@werk.example","Phone Number":49309018200,
            "Project":"A new hall","Colour":"kept","newsletter":"on","gclid":"g1"},
            "schema":[{"fieldName":"First Name","fieldType":"FormTextInput","fieldElementId":"x"},
              {"fieldName":"Project","fieldType":"FormTextarea","fieldElementId":"y"}],
            "submittedAt":"2026-09-21T10:00:00.000Z","id":"66a1","formId":"f1","formElementId":"e1","localeId":"de"}}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "49309018200"),
            ("message", "A new hall"),
            ("Colour", KEPT),
            ("form_name", "Contact"),
            ("siteId", "65427cf4"),
            ("localeId", "de"),
        ],
        attribution: &[("gclid", "g1"), ("form_id", "f1")],
        batch: None,
        fetched: &[],
    },
    Fixture {
        name: "webflow_v1",
        settings: "key = \"k3y\"",
        proof: Proof::Key,
        kind: "application/json",
        body: r#"{"name":"Contact","site":"580e63e9","data":{"name":"Mia Groß","email":"mia@werk.example","More":"kept"},
            "d":"2026-09-21T10:00:00.000Z","_id":"58bf1"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("form_name", "Contact"),
            ("site", "580e63e9"),
        ],
        attribution: &[],
        batch: None,
        fetched: &[],
    },
];
