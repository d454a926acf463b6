//! What form products have in common: how they prove themselves, what is committed, what is
//! answered, and the questions of a made-up form. Knows no product.

use serde_json::json;

use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt};
use crate::sample::Person;
use crate::secret::Secret;
use crate::source::answer::{Answer, Refusal};
use crate::source::json::Json;
use crate::source::request;
use crate::source::signature;
use crate::source::sources::Source;
use crate::source::{Admission, Admitted, Request, Sample, Secrets};

/// The longest id of a submission.
const ID_BYTES_MAX: usize = 512;
/// Its name in `sources.toml`, and in the address: `/in/{source}?key=…`
const KEY: &str = request::KEY;

/// What a source of a product that signs is known by.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    /// It signs with one of these.
    Secrets(Vec<Secret>),
    /// Its signature is not set up; the address holds a key.
    Key(Secret),
}

/// `secret` or `secrets`, else `key`.
pub(super) fn credential(table: &Table<'_>, secrets: Secrets<'_>) -> Option<Credential> {
    let signs = table.has("secret") || table.has("secrets");
    match (signs, table.has(KEY)) {
        (true, true) => {
            let message = "a source has a secret (it signs) or a key (in its address), not both";
            table.problem(KEY, message);
            None
        }
        (false, true) => key(table, secrets).map(Credential::Key),
        (true | false, false) => secret_or_secrets(table, secrets).map(Credential::Secrets),
    }
}

/// The `key` of a product that signs nothing.
pub(super) fn key(table: &Table<'_>, secrets: Secrets<'_>) -> Option<Secret> {
    secret(table, KEY, secrets)
}

/// A credential under a key of a source's table; an unresolved reference is noted there.
pub(super) fn secret(table: &Table<'_>, key: &str, secrets: Secrets<'_>) -> Option<Secret> {
    let text = table.required_text(key)?;
    match secrets(&text) {
        Ok(secret) if !secret.is_empty() => Some(secret),
        Ok(_) => {
            table.problem(key, format!("{} is empty", table.name(key)));
            None
        }
        Err(why) => {
            let hint = "or set enabled = \"if_set\" to leave the source out until it is set";
            let message = format!("{}: {why}", table.name(key));
            table.problem_hint(key, message, Some(hint.into()));
            None
        }
    }
}

/// `secret`, or `secrets` while one is being replaced by another.
pub(super) fn secret_or_secrets(table: &Table<'_>, secrets: Secrets<'_>) -> Option<Vec<Secret>> {
    let Some(references) = table.texts("secrets") else {
        return secret(table, "secret", secrets).map(|secret| vec![secret]);
    };
    let _ = table.text("secret");
    let mut found = Vec::new();
    for reference in references {
        match secrets(&reference) {
            Ok(secret) if !secret.is_empty() => found.push(secret),
            Ok(_) => table.problem("secrets", "one of secrets is empty"),
            Err(why) => table.problem("secrets", why),
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The address's part that proves who sends.
pub(super) fn with_key(mut sample: Sample, key: &Secret) -> Sample {
    request::add_key(&mut sample.query, key.expose());
    sample
}

/// The JSON object of a request that proves itself by the source's [`Credential`]: `signed` verifies
/// with its secrets.
pub(super) fn proven<'b>(
    source: &Source,
    request: &Request<'b>,
    signed: impl FnOnce(&[Secret]) -> Result<(), Refusal>,
) -> Result<Json<'b>, Refusal> {
    let kind = request::content_type(request)?;
    match source.own()? {
        Credential::Secrets(secrets) => signed(secrets)?,
        Credential::Key(key) => signature::token(key, request)?,
    }
    object(&kind, request.body)
}

/// A body that must be a JSON object.
pub(super) fn object<'b>(kind: &str, body: &'b [u8]) -> Result<Json<'b>, Refusal> {
    if !request::is_json(kind) {
        return Err(Refusal::Unsupported("application/json is wanted".into()));
    }
    Json::object(body)
}

/// One lead. The address is not stored: it may hold the key.
pub(super) fn one(
    request: &Request<'_>,
    (id, content): (Option<&str>, Vec<u8>),
    read: Inquiry,
) -> Admission {
    let id = id.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX);
    let identity = Identity {
        platform_id: id.map(str::to_owned),
        content,
    };
    Admission::Leads(Admitted {
        read: vec![read],
        ..Admitted::whole(request, vec![identity])
    })
}

/// Something that is no lead: answered so that the product is content and sends it no more.
pub(super) fn ignored(why: &str) -> Admission {
    Admission::Answered(Answer::json(200, &json!({ "ignored": why })))
}

/// 200, which every product takes for success, also those that know no 202.
pub(super) fn taken(receipt: &Receipt) -> Answer {
    Answer {
        status: 200,
        ..Answer::receipt(receipt)
    }
}

/// A POST of JSON.
pub(super) fn json_sample(body: &serde_json::Value) -> Sample {
    sample("application/json", body.to_string().into_bytes())
}

/// A POST.
pub(super) fn sample(kind: &str, body: Vec<u8>) -> Sample {
    Sample {
        method: "POST",
        query: String::new(),
        headers: vec![("content-type".into(), kind.into())],
        body,
    }
}

/// A question of a made-up form, answered.
pub(super) struct Question {
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
}

/// What a person answers to a usual form.
pub(super) fn questions(person: &Person) -> Vec<Question> {
    let all = [
        ("first_name", "First name", person.first_name.clone()),
        ("last_name", "Last name", person.last_name.clone()),
        ("email", "Email", person.email.clone()),
        ("phone", "Phone", person.phone.clone()),
        ("company", "Company", person.company.clone()),
        ("job_title", "Job title", person.job_title.clone()),
        ("country", "Country", person.country.clone()),
        ("city", "City", person.city.clone()),
        ("postcode", "Postcode", person.postcode.clone()),
        ("language", "Language", person.language.clone()),
        ("website", "Website", person.website.clone()),
        ("message", "Message", person.message.clone()),
        ("employees", "employees", person.employees.to_string()),
    ];
    let answered = all.into_iter().filter(|(_, _, value)| !value.is_empty());
    let questions = answered.map(|(key, label, value)| Question { key, label, value });
    questions.collect()
}

/// Where a person came from, as members of a JSON object.
pub(super) fn utm(person: &Person) -> serde_json::Map<String, serde_json::Value> {
    let utm = person.utm.iter();
    utm.map(|(key, value)| (key.clone(), value.clone().into()))
        .collect()
}

/// An id that the same person gets again.
pub(super) fn id_of(person: &Person) -> String {
    format!("{:024x}", u128::from(person.seed) | 0x66a9_47f3 << 64)
}
