//! Typeform: a response as JSON, its answers joined with the questions of the form's definition. It
//! marks no test and signs no time, so that a copied request stays good: its token makes it a repeat.
//! <https://www.typeform.com/developers/webhooks/>

use std::borrow::Cow;

use serde_json::json;

use super::product::{self, Credential};
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::json::Json;
use crate::source::signature::{self, Encoding};
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, Proof};
use crate::source::{Adapter, Admission, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct Typeform;

const SIGNATURE: &str = "typeform-signature";
/// Base64 behind it, where others write hex.
const PREFIX: (&str, Encoding) = ("sha256=", Encoding::Base64);
/// Members of a response that are read, or that only its sender needs.
const KNOWN: [&str; 7] = [
    "form_id",
    "token",
    "landed_at",
    "submitted_at",
    "definition",
    "answers",
    "hidden",
];

impl Adapter for Typeform {
    fn name(&self) -> &'static str {
        "typeform"
    }

    fn docs(&self) -> &'static str {
        "https://www.typeform.com/developers/webhooks/"
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
        _: Millis,
    ) -> Result<Admission, Refusal> {
        let json = product::proven(source, request, |secrets| {
            let given = request.headers.only(SIGNATURE);
            signature::plain(secrets, given, PREFIX, request.body)
        })?;
        if json.text_at("event_type").as_deref() != Some("form_response") {
            return Ok(product::ignored("only form_response is a lead"));
        }
        let response = response(&json)?;
        let answers = response.items_at("answers");
        let hidden = response.get("hidden");
        let others = hidden.map_or(0, |hidden| hidden.size().0);
        bounds::counted(answers.len() + others, json.size().1)?;
        let mut content = Vec::new();
        for part in [response.get("answers"), hidden].into_iter().flatten() {
            part.canonical(&mut content);
        }
        let id = response
            .text_at("token")
            .or_else(|| json.text_at("event_id"));
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
        let (mut fields, mut answers) = (Vec::new(), Vec::new());
        for (at, question) in product::questions(person).iter().enumerate() {
            let (asked, answered) = match question.key {
                "email" => ("email", "email"),
                "phone" => ("phone_number", "phone_number"),
                "message" => ("long_text", "text"),
                _ => ("short_text", "text"),
            };
            let id = format!("DlXFaes{at:05}");
            fields.push(
                json!({ "id": id, "ref": question.key, "type": asked, "title": question.label }),
            );
            answers.push(json!({
                "type": answered, answered: question.value,
                "field": { "id": id, "ref": question.key, "type": asked },
            }));
        }
        let utm = product::utm(person);
        let id = product::id_of(person);
        product::json_sample(&json!({
            "event_id": format!("01{id}"),
            "event_type": "form_response",
            "form_response": {
                "form_id": "lT4Z3j",
                "token": id,
                "hidden": utm,
                "definition": { "id": "lT4Z3j", "title": "Contact", "fields": fields },
                "answers": answers,
            },
        }))
    }

    fn sign(&self, source: &Source, mut sample: Sample, _: Millis) -> Sample {
        match source.own() {
            Ok(Credential::Secrets(secrets)) => {
                if let Some(secret) = secrets.first() {
                    let signature = signature::plain_signature(secret, PREFIX.1, &sample.body);
                    let value = format!("{}{signature}", PREFIX.0);
                    sample.headers.push((SIGNATURE.into(), value));
                }
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
    let definition = response.get("definition");
    let questions = definition.map_or(&[][..], |d| d.items_at("fields"));
    for answer in response.items_at("answers") {
        read(answer, questions, &mut draft);
    }
    for (name, value) in response.get("hidden").map_or(&[][..], Json::entries) {
        draft.add_json(&[name], None, value);
    }
    draft.told("form_id", &response.text("form_id"));
    if let Some(title) = definition.and_then(|d| d.text_at("title")) {
        draft.keep("form_name", &title);
    }
    draft.keep_others(response, &KNOWN);
    draft.inquiry()
}

fn response<'j, 'a>(json: &'j Json<'a>) -> Result<&'j Json<'a>, Refusal> {
    let response = json.get("form_response");
    let response = response.filter(|response| matches!(response, Json::Map(_)));
    response.ok_or_else(|| Refusal::Malformed("form_response is missing".into()))
}

/// The question of a field id, also inside a group.
fn question<'j, 'a>(questions: &'j [Json<'a>], id: &str) -> Option<&'j Json<'a>> {
    questions.iter().find_map(|question| {
        if question.text_at("id").as_deref() == Some(id) {
            return Some(question);
        }
        let inside = question.get("properties").map(|p| p.items_at("fields"));
        let mut inside = inside.unwrap_or_default().iter();
        inside.find(|question| question.text_at("id").as_deref() == Some(id))
    })
}

/// An answer, whose type is the key of its value.
fn read(answer: &Json<'_>, questions: &[Json<'_>], draft: &mut Draft<'_>) {
    let kind = answer.text_at("type").unwrap_or_default();
    let Some(value) = answer.get(&kind) else {
        return;
    };
    let of_field = |key: &str| answer.get("field").and_then(|field| field.text_at(key));
    let id = of_field("id").unwrap_or_default();
    let question = question(questions, &id);
    let of_question = |key: &str| question.and_then(|question| question.text_at(key));
    let title = of_question("title").unwrap_or_default();
    let reference = of_field("ref")
        .or_else(|| of_question("ref"))
        .unwrap_or_default();
    let names = [title.trim(), &reference, &id];
    let asked = of_field("type").unwrap_or_default();
    if asked == "legal" {
        let name = names.into_iter().find(|name| !name.is_empty());
        return draft.consent(
            name.unwrap_or("legal"),
            &value.as_text().unwrap_or_default(),
        );
    }
    let ours = match (kind.as_ref(), asked.as_ref()) {
        ("email", _) => Some("email"),
        ("phone_number", _) => Some("phone"),
        (_, "long_text") => Some("message"),
        _ => None,
    };
    match kind.as_ref() {
        "choice" | "choices" => {
            let mut chosen: Vec<Cow<'_, str>> = Vec::new();
            chosen.extend(value.text_at("label"));
            chosen.extend(value.items_at("labels").iter().filter_map(Json::as_text));
            chosen.extend(value.text_at("other"));
            draft.add(&names, ours, &chosen);
        }
        _ => draft.add_json(&names, ours, value),
    }
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "typeform",
    settings: "secret = \"s3cret\"\ncountry = \"DE\"",
    proof: Proof::Signature,
    kind: "application/json",
    body: r#"{"event_id":"01HX","event_type":"form_response","form_response":{"form_id":"lT4Z3j","token":"tok1",
            "landed_at":"2026-09-21T10:00:00Z","submitted_at":"2026-09-21T10:01:00Z","hidden":{"utm_source":"meta","plan":"pro"},
            "calculated":{"score":9},
            "definition":{"id":"lT4Z3j","title":"Demo","fields":[
              {"id":"a","ref":"r-a","type":"short_text","title":"What is your first name?"},
              {"id":"b","ref":"r-b","type":"email","title":"Where may we write to?"},
              {"id":"c","ref":"r-c","type":"multiple_choice","title":"Which products?"},
              {"id":"g","ref":"r-g","type":"contact_info","title":"You","properties":{"fields":[
                {"id":"d","ref":"r-d","type":"phone_number","title":"A number"}]}},
              {"id":"e","ref":"r-e","type":"legal","title":"Do you agree?"},
              {"id":"f","ref":"company","type":"short_text","title":"And where is that?"},
              {"id":"h","ref":"r-h","type":"long_text","title":"Anything else?"}]},
            "answers":[
              {"type":"text","text":"Mia","field":{"id":"a","ref":"r-a","type":"short_text"}},
              {"type":"email","email":"mia@werk.example","field":{"id":"b","ref":"r-b","type":"email"}},
              {"type":"choices","choices":{"labels":["Pumps","Fans"],"other":"kept"},"field":{"id":"c","type":"multiple_choice"}},
              {"type":"phone_number","phone_number":"030 901820","field":{"id":"d","type":"phone_number"}},
              {"type":"boolean","boolean":true,"field":{"id":"e","type":"legal"}},
              {"type":"text","text":"Werk AG","field":{"id":"f","ref":"company","type":"short_text"}},
              {"type":"number","number":12345678901234567890,"field":{"id":"zz","ref":"r-z","type":"number"}},
              {"type":"text","text":"Call me","field":{"id":"h","type":"long_text"}}]}}"#,
    fields: &[
        ("name", "Mia"),
        ("email", "mia@werk.example"),
        ("phone", "030 901820"),
        ("company", "Werk AG"),
        ("message", "Call me"),
        ("Which products?", "Pumps"),
        ("r-z", "12345678901234567890"),
        ("plan", "pro"),
        ("calculated.score", "9"),
        ("form_name", "Demo"),
    ],
    attribution: &[("utm_source", "meta"), ("form_id", "lT4Z3j")],
    batch: None,
    fetched: &[],
}];
