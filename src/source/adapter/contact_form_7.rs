//! Contact Form 7 with the plugin "CF7 to Webhook": JSON of the form's tags, or a body of one's own.
//! It signs nothing, so a key stands in the address or in a header of the plugin's settings; it gives
//! no id, so the same content within ten minutes is a repeat. It marks no test.
//! <https://wordpress.org/plugins/cf7-to-zapier/>

use serde_json::Value;

use super::product;
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::json::Json;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct ContactForm7;

/// Contact Form 7 keeps these names for itself.
const OWN: &str = "_wpcf7";

impl Adapter for ContactForm7 {
    fn name(&self) -> &'static str {
        "contact_form_7"
    }

    fn docs(&self) -> &'static str {
        "https://wordpress.org/plugins/cf7-to-zapier/"
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
        let json = product::object(&kind, request.body)?;
        let (fields, longest) = json.size();
        if fields == 0 {
            return Err(Refusal::Malformed("the form is empty".into()));
        }
        bounds::counted(fields, longest)?;
        let content = json.content();
        Ok(product::one(
            request,
            (None, content),
            inquiry(source, &json),
        ))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::parse(&submission.raw).map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &json)])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        product::taken(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut tags = serde_json::Map::new();
        for question in product::questions(person) {
            let tag = match question.key {
                "email" | "message" => format!("your-{}", question.key),
                key => key.replace('_', "-"),
            };
            tags.insert(tag, question.value.into());
        }
        tags.extend(
            person
                .utm
                .iter()
                .map(|(k, v)| (k.clone(), v.clone().into())),
        );
        product::json_sample(&Value::Object(tags))
    }

    fn sign(&self, source: &Source, sample: Sample, _: Millis) -> Sample {
        match source.own::<Secret>() {
            Ok(key) => product::with_key(sample, key),
            Err(_) => sample,
        }
    }
}

/// What a form tells.
fn inquiry(source: &Source, json: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    for (tag, value) in json.entries() {
        if !tag.starts_with(OWN) {
            draft.add_json(&[tag], None, value);
        }
    }
    draft.inquiry()
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "contact_form_7",
    settings: "key = \"k3y\"",
    proof: Proof::Key,
    kind: "application/json; charset=UTF-8",
    body: r#"{"_wpcf7":"7","your-name":"Mia Groß","your-email":"mia@werk.example","tel-652":"+49 30 901820",
            "your-subject":"Demo","your-message":"Call me","menu-1":["a","b"],"acceptance-consent":"1","colour":"kept"}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "+49 30 901820"),
        ("message", "Call me"),
        ("your-subject", "Demo"),
        ("menu-1", "a"),
        ("colour", KEPT),
    ],
    attribution: &[],
    batch: None,
    fetched: &[],
}];
