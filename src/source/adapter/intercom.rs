//! Intercom: a new lead or user of the messenger is a lead.
//! <https://developers.intercom.com/docs/webhooks/setting-up-webhooks>

use serde_json::json;

use crate::clock::Millis;
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission};
use crate::sample::Person;
use crate::secret::{self, Secret};
use crate::source::answer::{Answer, Refusal, Reply};
use crate::source::bounds;
use crate::source::draft::Draft;
use crate::source::json::Json;
use crate::source::request;
use crate::source::sources::{Settings, Source};
#[cfg(test)]
use crate::source::suite::fixture::{Fixture, KEPT, Proof};
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

const HEADER: &str = "x-hub-signature";
const PREFIX: &str = "sha1=";
/// Topics that are leads, where the source names none.
const TOPICS: [&str; 3] = [
    "contact.lead.created",
    "contact.user.created",
    "contact.created",
];
/// The person's members of a contact.
const PERSON: [(&str, &str); 5] = [
    ("name", "name"),
    ("email", "email"),
    ("phone", "phone"),
    ("language_override", "language"),
    ("browser_language", "language"),
];
/// Members of a contact's `location`.
const PLACE: [(&str, &str); 4] = [
    ("country_code", "country"),
    ("country", "country"),
    ("region", "region"),
    ("city", "city"),
];

/// The row in `ALL`.
pub(in crate::source) struct Intercom;

struct IntercomSettings {
    secrets: Vec<Secret>,
    topics: Vec<String>,
}

impl Adapter for Intercom {
    fn name(&self) -> &'static str {
        "intercom"
    }

    fn docs(&self) -> &'static str {
        "https://developers.intercom.com/docs/webhooks/setting-up-webhooks"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let topics = table.texts("topics");
        let secrets = super::product::secret_or_secrets(table, secrets)?;
        Some(Settings::new(IntercomSettings {
            secrets,
            topics: topics.unwrap_or_else(|| TOPICS.map(str::to_owned).to_vec()),
        }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        _now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &IntercomSettings = source.own()?;
        // Intercom asks so whether the address is there, before it takes it.
        if request.method == "HEAD" {
            return Ok(Admission::Answered(Answer::ignored()));
        }
        let kind = request::content_type(request)?;
        verify(settings, request)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::object(request.body)?;
        if json.text("type") != "notification_event" {
            let wanted = "a notification_event is wanted";
            return Err(Refusal::Malformed(wanted.into()));
        }
        // `ping` comes when the address is set up.
        let topic = json.text("topic");
        if !settings.topics.iter().any(|known| *known == topic) {
            return Ok(Admission::Answered(Answer::ignored()));
        }
        let Some(contact) = contact(&json) else {
            return Err(Refusal::Malformed("data.item is missing".into()));
        };
        bounds::lead(contact)?;
        let id = json.text("id");
        let identity = Identity {
            platform_id: (!id.is_empty()).then(|| id.into_owned()),
            // What is around it counts the attempts and differs each time.
            content: contact.content(),
        };
        Ok(Admission::Leads(Admitted {
            read: vec![inquiry(source, (&topic, contact))],
            ..Admitted::whole(request, vec![identity])
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::object(&submission.raw).map_err(|refusal| refusal.to_string())?;
        let contact = contact(&json).ok_or("data.item is missing")?;
        Ok(vec![inquiry(source, (&json.text("topic"), contact))])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        Answer::receipt(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let mut item = json!({
            "type": "contact",
            "id": format!("{:024x}", person.seed),
            "role": "lead",
            "name": person.name(),
            "email": person.email,
            "phone": person.phone,
            "browser_language": person.language,
            "location": {
                "type": "location",
                "country_code": person.country,
                "city": person.city,
            },
            "custom_attributes": {
                "company": person.company,
                "job_title": person.job_title,
                "message": person.message,
                "employees": person.employees,
            },
            "sms_consent": false,
        });
        if let Some(item) = item.as_object_mut() {
            let utm = person.utm.iter();
            item.extend(utm.map(|(key, value)| (key.clone(), value.clone().into())));
        }
        let body = json!({
            "type": "notification_event",
            "app_id": "sample",
            "data": { "type": "notification_event_data", "item": item },
            "id": format!("notif_{:016x}", person.seed),
            "topic": TOPICS[0],
            "delivery_attempts": 1,
        });
        Sample::post("application/json", body.to_string())
    }

    fn sign(&self, source: &Source, mut sample: Sample, _now: Millis) -> Sample {
        if let Ok(settings) = source.own::<IntercomSettings>()
            && let Some(secret) = settings.secrets.first()
        {
            let value = format!("{PREFIX}{}", signature(secret, &sample.body));
            sample.headers.push((HEADER.into(), value));
        }
        sample
    }
}

/// What a contact tells.
fn inquiry(source: &Source, (topic, contact): (&str, &Json<'_>)) -> Inquiry {
    let mut draft = Draft::of(source);
    draft.keep("topic", topic);
    for (key, value) in contact.entries() {
        member(key, value, &mut draft);
    }
    draft.inquiry()
}

/// SHA-1 is what Intercom has. As a keyed hash it is not broken by its collisions; there is no time
/// in it, so that a copied request is recognised by its id alone.
fn verify(settings: &IntercomSettings, request: &Request<'_>) -> Result<(), Refusal> {
    let given = request.headers.only(HEADER);
    let given = given.and_then(|given| given.strip_prefix(PREFIX));
    let Some(given) = given else {
        let wanted = "one X-Hub-Signature: sha1=… is wanted";
        return Err(Refusal::Unauthorized(wanted.into()));
    };
    let secrets = settings.secrets.iter().filter(|secret| !secret.is_empty());
    for secret in secrets {
        let wanted = signature(secret, request.body);
        if secret::same(given.as_bytes(), wanted.as_bytes()) {
            return Ok(());
        }
    }
    Err(Refusal::Unauthorized("the signature does not fit".into()))
}

fn signature(secret: &Secret, body: &[u8]) -> String {
    secret::hex(&secret::hmac_sha1(secret.expose().as_bytes(), body))
}

fn contact<'j, 'a>(json: &'j Json<'a>) -> Option<&'j Json<'a>> {
    let item = json.get("data")?.get("item")?;
    (!item.entries().is_empty()).then_some(item)
}

fn member(key: &str, value: &Json<'_>, draft: &mut Draft<'_>) {
    let text = || value.as_text().unwrap_or_default();
    match key {
        "type" => {}
        "location" => {
            for (key, value) in value.entries() {
                let name = format!("location.{key}");
                match PLACE.iter().find(|(known, _)| known == key) {
                    Some((_, field)) => {
                        draft.field(field, &name, &value.as_text().unwrap_or_default());
                    }
                    None => draft.keep_json(&name, value),
                }
            }
        }
        "custom_attributes" => {
            let mut leaves = Vec::new();
            value.leaves("", &mut leaves);
            for (name, value) in leaves {
                draft.asked(&name, &value);
            }
        }
        "companies" => {
            let first = value.get("data").and_then(|list| list.items().first());
            if let Some(company) = first {
                draft.field("company", "companies.data.0.name", &company.text("name"));
            }
            draft.keep_json(key, value);
        }
        // The usual names of these are understood.
        "referrer" => draft.asked(key, &text()),
        key if key.starts_with("utm_") => draft.asked(key, &text()),
        key => match PERSON.iter().find(|(known, _)| *known == key) {
            Some((_, field)) => draft.field(field, key, &text()),
            None => draft.keep_json(key, value),
        },
    }
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "intercom",
    settings: "secret = \"client-secret\"",
    proof: Proof::Signature,
    kind: "application/json",
    body: r#"{"type":"notification_event","app_id":"x","data":{"type":"notification_event_data",
                 "item":{"type":"contact","id":"6961d897","role":"lead","email":"mia@werk.example",
                 "phone":"+49 30 901820","name":"Mia Groß","browser_language":"de-DE",
                 "location":{"type":"location","country":"Germany","region":"Berlin","city":"Berlin"},
                 "custom_attributes":{"job_title":"Head","plan":"kept"},"sms_consent":false,
                 "companies":{"type":"list","data":[{"name":"Werk AG"}]},
                 "utm_campaign":"spring","referrer":"https://www.example.com/"}},
                 "id":"notif_1","topic":"contact.lead.created","delivery_attempts":1}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "+49 30 901820"),
        ("country", "DE"),
        ("city", "Berlin"),
        ("language", "de"),
        ("company", "Werk AG"),
        ("job_title", "Head"),
        ("plan", KEPT),
        ("role", "lead"),
        ("sms_consent", "false"),
    ],
    attribution: &[
        ("utm_campaign", "spring"),
        ("referrer", "https://www.example.com/"),
    ],
    batch: None,
    fetched: &[],
}];
