//! A program's JSON, from Zapier, Make, n8n or one's own: authenticated by a Standard Webhooks
//! signature, a plain HMAC header, or a key.
//! <https://www.standardwebhooks.com/>

use serde_json::json;

use super::product;
use super::webhook_auth::Auth;
use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Fields, Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::json::Json;
use crate::source::mapping::{self, Chosen};
use crate::source::path::Path;
use crate::source::request;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// The most leads in one submission, and the longest id.
const LEADS_MAX: usize = 1_000;
const ID_BYTES_MAX: usize = 512;

/// The row in `ALL`.
pub(in crate::source) struct Webhook;

/// Keys of a source with `adapter = "webhook"`.
#[derive(Clone, Debug)]
struct WebhookSettings {
    auth: Auth,
    items: Option<Path>,
    id: Option<Path>,
    is_test: Option<Path>,
    paths: Vec<(&'static str, Path)>,
}

impl Adapter for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn docs(&self) -> &'static str {
        "https://www.standardwebhooks.com/"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let auth = Auth::of(table, secrets);
        let path = |table: &Table<'_>, key: &str| {
            let text = table.text(key)?;
            let path = Path::parse(&text);
            if path.is_none() {
                let message = format!("`{text}` is no path; wanted is such as $.contact.email");
                table.problem(key, message);
            }
            path
        };
        let map = table.table("map");
        let mut paths = Vec::new();
        for key in map.keys() {
            if !map.text(&key).is_some_and(|text| text.starts_with('$')) {
                continue;
            }
            let Some(field) = Fields::NAMES.into_iter().find(|name| *name == key) else {
                let near = crate::problem::nearest(&key, Fields::NAMES);
                let hint = near.map(|near| format!("did you mean \"{near}\"?"));
                map.problem_hint(&key, format!("no field `{key}`"), hint);
                continue;
            };
            paths.extend(path(&map, &key).map(|path| (field, path)));
        }
        let (items, id, is_test) = (
            path(table, "items"),
            path(table, "id"),
            path(table, "is_test"),
        );
        Some(Settings::new(WebhookSettings {
            auth: auth?,
            items,
            id,
            is_test,
            paths,
        }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &WebhookSettings = source.own()?;
        let kind = request::content_type(request)?;
        let sent_id = settings.auth.verify(request, now)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::parse(request.body)?;
        let items = items(settings, &json)?;
        let sent_id = sent_id.or_else(|| {
            let key = request.headers.only("idempotency-key")?;
            (!key.is_empty() && key.len() <= ID_BYTES_MAX).then(|| key.to_owned())
        });
        let mut identities = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            bounds::lead(item)?;
            let own = settings
                .id
                .as_ref()
                .and_then(|path| path.find(item))
                .and_then(Json::as_text);
            let own = own.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX);
            let of_request = || {
                let id = sent_id.clone()?;
                Some(if items.len() == 1 {
                    id
                } else {
                    format!("{id}/{at}")
                })
            };
            let mut content = Vec::new();
            item.canonical(&mut content);
            identities.push(Identity {
                platform_id: own.map(std::borrow::Cow::into_owned).or_else(of_request),
                content,
            });
        }
        // A batch waits for its turn: who sent it waits for the answer.
        let read = match items.as_slice() {
            [item] => vec![inquiry(source, settings, item)],
            _ => Vec::new(),
        };
        Ok(Admission::Leads(Admitted {
            read,
            ..Admitted::whole(request, identities)
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let Ok(settings) = source.own::<WebhookSettings>() else {
            return Err("the source has another adapter now".into());
        };
        let json = Json::parse(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let items = items(settings, &json).map_err(|refusal| refusal.to_string())?;
        Ok(items
            .into_iter()
            .map(|item| inquiry(source, settings, item))
            .collect())
    }

    fn answer(&self, source: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        match source.own::<WebhookSettings>() {
            Ok(settings) if settings.items.is_some() => Answer::receipts(receipt),
            Ok(_) | Err(_) => Answer::receipt(receipt),
        }
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let utm = product::utm(person);
        let body = json!({
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
            "phone": person.phone,
            "company": person.company,
            "job_title": person.job_title,
            "country": person.country,
            "city": person.city,
            "postcode": person.postcode,
            "language": person.language,
            "message": person.message,
            "website": person.website,
            "employees": person.employees,
            "consent": person.consent,
            "attribution": utm,
        });
        Sample::post("application/json", body.to_string())
    }

    fn sign(&self, source: &Source, mut sample: Sample, now: Millis) -> Sample {
        let Ok(settings) = source.own::<WebhookSettings>() else {
            return sample;
        };
        settings.auth.sign(&mut sample, now);
        sample
    }
}

fn items<'j, 'a>(
    settings: &WebhookSettings,
    json: &'j Json<'a>,
) -> Result<Vec<&'j Json<'a>>, Refusal> {
    let at = match &settings.items {
        Some(path) => path.find(json).ok_or_else(|| {
            Refusal::Malformed("the list of leads is not where `items` says".into())
        })?,
        None => json,
    };
    let items: Vec<_> = match (at, &settings.items) {
        (Json::List(items), Some(_)) => items.iter().collect(),
        (one, _) => vec![one],
    };
    if items.is_empty() || !items.iter().all(|item| matches!(item, Json::Map(_))) {
        return Err(Refusal::Malformed(
            "a JSON object is wanted for each lead".into(),
        ));
    }
    if items.len() > LEADS_MAX {
        return Err(Refusal::Unprocessable(format!(
            "more than {LEADS_MAX} leads"
        )));
    }
    Ok(items)
}

fn inquiry(source: &Source, settings: &WebhookSettings, item: &Json<'_>) -> Inquiry {
    let mut chosen = Vec::new();
    for (field, path) in &settings.paths {
        let value = path.find(item).and_then(Json::as_text);
        chosen.extend(value.map(|value| Chosen {
            field,
            name: (*field).to_owned(),
            value: value.into_owned(),
        }));
    }
    let mut leaves = Vec::new();
    item.leaves("", &mut leaves);
    leaves.retain(|(name, _)| !settings.paths.iter().any(|(_, path)| path.is_dotted(name)));
    let country = source.country.as_deref();
    let mut inquiry = mapping::inquiry(chosen, leaves, &source.mapping, country);
    inquiry.is_test = settings
        .is_test
        .as_ref()
        .and_then(|path| path.find(item))
        .is_some_and(Json::is_true);
    inquiry
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "webhook",
        settings: r#"
auth = "standard"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
is_test = "$.test"
map = { email = "$.who[\"e-mail\"]" }
"#,
        proof: Proof::Timed(300),
        kind: "application/json; charset=utf-8",
        body: r#"{"who":{"e-mail":"mia@werk.example"},"campaign":{"name":"Spring"},"company":{"name":"Werk AG"},
                 "contact":{"name":"Mia Groß"},"language":"German","phone":"+49 30 901820",
                 "deal":{"amount":12345678901234567890,"tags":["kept","y"]},"test":false,"gclid":"abc"}"#,
        fields: &[
            ("name", "Mia Groß"),
            ("email", "mia@werk.example"),
            ("phone", "+49 30 901820"),
            ("company", "Werk AG"),
            ("campaign.name", "Spring"),
            ("language", "de"),
            ("deal.amount", "12345678901234567890"),
            ("deal.tags", KEPT),
        ],
        attribution: &[("gclid", "abc")],
        batch: None,
        fetched: &[],
    },
    Fixture {
        name: "hmac",
        settings: r#"
auth = "hmac"
header = "X-Signature"
prefix = "sha256="
secret = "s3cret"
id = "$.id"
items = "$.leads"
"#,
        proof: Proof::Signature,
        kind: "application/json",
        body: r#"{"leads":[{"id":"7","email":"a@b.example","more":"kept"}]}"#,
        fields: &[("email", "a@b.example")],
        attribution: &[],
        batch: Some(
            r#"{"leads":[{"id":"7","email":"a@b.example"},{"id":"8","email":"c@d.example"}]}"#,
        ),
        fetched: &[],
    },
    Fixture {
        name: "bearer",
        settings: "auth = \"bearer\"\nkey = \"k3y\"",
        proof: Proof::Key,
        kind: "application/json",
        body: r#"{"email":"a@b.example","more":"kept"}"#,
        fields: &[("email", "a@b.example")],
        attribution: &[],
        batch: None,
        fetched: &[],
    },
];
