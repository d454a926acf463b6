//! Tally: a response as JSON, its choices as ids of options. It marks no test and signs no time, so
//! that a copied request stays good: its event id makes it a repeat.
//! <https://tally.so/help/webhooks>

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
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Request, Sample, Secrets};

/// The row in `ALL`.
pub(in crate::source) struct Tally;

const SIGNATURE: &str = "tally-signature";
const BARE: (&str, Encoding) = ("", Encoding::Base64);
/// Members of `data` that are read, or that only Tally needs.
const KNOWN: [&str; 7] = [
    "responseId",
    "submissionId",
    "respondentId",
    "formId",
    "formName",
    "createdAt",
    "fields",
];

impl Adapter for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn docs(&self) -> &'static str {
        "https://tally.so/help/webhooks"
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
            signature::plain(secrets, given, BARE, request.body)
        })?;
        if json.text_at("eventType").as_deref() != Some("FORM_RESPONSE") {
            return Ok(product::ignored("only FORM_RESPONSE is a lead"));
        }
        let Some(data @ Json::Map(_)) = json.get("data") else {
            return Err(Refusal::Malformed("data is missing".into()));
        };
        bounds::counted(fields(data).count(), json.size().1)?;
        let mut content = Vec::new();
        if let Some(fields) = data.get("fields") {
            fields.canonical(&mut content);
        }
        let id = json
            .text_at("eventId")
            .or_else(|| data.text_at("responseId"));
        Ok(product::one(
            request,
            (id.as_deref(), content),
            inquiry(source, data),
        ))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::parse(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let data = json.get("data").ok_or("data is missing")?;
        Ok(vec![inquiry(source, data)])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        product::taken(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let field = |key: &str, label: &str, kind: &str, value: &str| json!({ "key": format!("question_{key}"), "label": label, "type": kind, "value": value });
        let mut fields = Vec::new();
        for question in product::questions(person) {
            let kind = match question.key {
                "email" => "INPUT_EMAIL",
                "phone" => "INPUT_PHONE_NUMBER",
                "message" => "TEXTAREA",
                _ => "INPUT_TEXT",
            };
            fields.push(field(question.key, question.label, kind, &question.value));
        }
        for (name, value) in &person.utm {
            fields.push(field(name, name, "HIDDEN_FIELDS", value));
        }
        let id = product::id_of(person);
        product::json_sample(&json!({
            "eventId": id,
            "eventType": "FORM_RESPONSE",
            "data": {
                "responseId": id,
                "submissionId": id,
                "formId": "VwbNEw",
                "formName": "Contact",
                "fields": fields,
            },
        }))
    }

    fn sign(&self, source: &Source, mut sample: Sample, _: Millis) -> Sample {
        match source.own() {
            Ok(Credential::Secrets(secrets)) => {
                if let Some(secret) = secrets.first() {
                    let signature = signature::plain_signature(secret, BARE.1, &sample.body);
                    sample.headers.push((SIGNATURE.into(), signature));
                }
                sample
            }
            Ok(Credential::Key(key)) => product::with_key(sample, key),
            Err(_) => sample,
        }
    }
}

/// What a response tells.
fn inquiry(source: &Source, data: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    for field in fields(data) {
        read(field, &mut draft);
    }
    draft.told("form_id", &data.text("formId"));
    if let Some(name) = data.text_at("formName") {
        draft.keep("form_name", &name);
    }
    draft.keep_others(data, &KNOWN);
    draft.inquiry()
}

/// The fields, without those that say yes or no to a single option of a list which stands there too.
fn fields<'j, 'a>(data: &'j Json<'a>) -> impl Iterator<Item = &'j Json<'a>> {
    let fields = data.items_at("fields");
    let is_option = |field: &&Json<'_>| {
        let yes_or_no = matches!(field.get("value"), Some(Json::Bool(_)));
        yes_or_no && field.text_at("type").as_deref() == Some("CHECKBOXES")
    };
    fields.iter().filter(move |field| !is_option(field))
}

/// A field; what it chose from stands in its options, or the rows and columns of a matrix.
fn read(field: &Json<'_>, draft: &mut Draft<'_>) {
    let label = field.text_at("label").unwrap_or_default();
    let key = field.text_at("key").unwrap_or_default();
    let names = [label.trim(), &key];
    let kind = field.text_at("type").unwrap_or_default();
    let ours = match kind.as_ref() {
        "INPUT_EMAIL" => Some("email"),
        "INPUT_PHONE_NUMBER" => Some("phone"),
        "TEXTAREA" => Some("message"),
        _ => None,
    };
    match field.get("value") {
        Some(Json::List(items)) if items.iter().all(|item| item.as_text().is_some()) => {
            let chosen = chosen(field, items);
            if kind == "CHECKBOXES" {
                draft.ticked(&names, &chosen);
            } else {
                draft.add(&names, ours, &chosen);
            }
        }
        Some(Json::Map(rows)) if kind == "MATRIX" => {
            for (row, columns) in rows {
                let row = shown(field, row.clone());
                let columns = match columns {
                    Json::List(items) => chosen(field, items),
                    Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Map(_) => {
                        columns.as_text().into_iter().collect()
                    }
                };
                draft.add(&[&format!("{label}: {row}")], None, &columns);
            }
        }
        Some(Json::Text(id)) if !field.items_at("options").is_empty() => {
            draft.add(&names, ours, &[shown(field, id.clone())]);
        }
        Some(value) => draft.add_json(&names, ours, value),
        None => {}
    }
}

fn chosen<'j>(field: &'j Json<'_>, ids: &'j [Json<'_>]) -> Vec<Cow<'j, str>> {
    let ids = ids.iter().filter_map(Json::as_text);
    ids.map(|id| shown(field, id)).collect()
}

/// The text of an option, or the id itself where there is none.
fn shown<'j>(field: &'j Json<'_>, id: Cow<'j, str>) -> Cow<'j, str> {
    let lists = ["options", "rows", "columns"];
    let mut options = lists.into_iter().flat_map(|list| field.items_at(list));
    let option = options.find(|option| option.text_at("id").as_ref() == Some(&id));
    option
        .and_then(|option| option.text_at("text"))
        .unwrap_or(id)
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "tally",
    settings: "secret = \"s3cret\"",
    proof: Proof::Signature,
    kind: "application/json",
    body: r#"{"eventId":"a4cb","eventType":"FORM_RESPONSE","createdAt":"2026-09-21T10:00:00.000Z","data":{
            "responseId":"2wgx","submissionId":"2wgx","respondentId":"dw","formId":"VwbNEw","formName":"Demo",
            "createdAt":"2026-09-21T10:00:00.000Z","fields":[
            {"key":"question_a","label":"Full name","type":"INPUT_TEXT","value":"Mia Groß"},
            {"key":"question_b","label":"Where to?","type":"INPUT_EMAIL","value":"mia@werk.example"},
            {"key":"question_c","label":"Ring me","type":"INPUT_PHONE_NUMBER","value":"+49 30 901820"},
            {"key":"question_d","label":"Land","type":"DROPDOWN","value":["o1"],"options":[{"id":"o1","text":"Österreich"},{"id":"o2","text":"Schweiz"}]},
            {"key":"question_e","label":"Topics","type":"CHECKBOXES","value":["t1","t9"],"options":[{"id":"t1","text":"Pumps"},{"id":"t2","text":"Fans"}]},
            {"key":"question_e_t1","label":"Topics (Pumps)","type":"CHECKBOXES","value":true},
            {"key":"question_f","label":"Datenschutz","type":"CHECKBOXES","value":["d1"],"options":[{"id":"d1","text":"Ich bin einverstanden"}]},
            {"key":"question_g","label":"Ratings","type":"MATRIX","value":{"r1":["c2"]},"rows":[{"id":"r1","text":"Price"}],"columns":[{"id":"c1","text":"bad"},{"id":"c2","text":"good"}]},
            {"key":"question_h","label":"Plan","type":"FILE_UPLOAD","value":[{"id":"x","name":"p.pdf","url":"https://files.example/p.pdf","mimeType":"application/pdf","size":9}]},
            {"key":"question_i","label":"utm_campaign","type":"HIDDEN_FIELDS","value":"spring"},
            {"key":"question_j","label":"Colour","type":"INPUT_TEXT","value":"kept"},
            {"key":"question_k","label":"Nothing","type":"INPUT_TEXT","value":null}]}}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "+49 30 901820"),
        ("country", "AT"),
        ("Topics", "Pumps"),
        ("Ratings: Price", "good"),
        ("Plan.url", "https://files.example/p.pdf"),
        ("Colour", KEPT),
        ("form_name", "Demo"),
    ],
    attribution: &[("utm_campaign", "spring"), ("form_id", "VwbNEw")],
    batch: None,
    fetched: &[],
}];
