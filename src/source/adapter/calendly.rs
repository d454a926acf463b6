//! Calendly: a booked meeting is a lead.
//! <https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures>

use serde_json::json;

use crate::clock::{Millis, SECOND};
use crate::document::Table;
use crate::lead::{Identity, Inquiry, Receipt, Submission};
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
use crate::source::{Adapter, Admission, Admitted, Request, Sample, Secrets};

/// As Calendly's page says.
const TOLERANCE: Millis = 180 * SECOND;
const HEADER: &str = "calendly-webhook-signature";
const TAG: &str = "v1";
/// The event that is a lead. Calendly tells a rescheduled meeting as a cancellation and this.
const BOOKED: &str = "invitee.created";
/// The person's members of an invitee.
const PERSON: [(&str, &str); 5] = [
    ("name", "name"),
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("email", "email"),
    ("text_reminder_number", "phone"),
];
/// Members beside the payload that say nothing of the lead.
const TECHNICAL: [&str; 5] = ["event", "payload", "created_at", "created_by", "time"];

/// The row in `ALL`.
pub(in crate::source) struct Calendly;

struct CalendlySettings {
    secrets: Vec<Secret>,
}

impl Adapter for Calendly {
    fn name(&self) -> &'static str {
        "calendly"
    }

    fn docs(&self) -> &'static str {
        "https://developer.calendly.com/api-docs/overview/webhooks/webhook-signatures"
    }

    #[cfg(test)]
    fn fixtures(&self) -> &'static [Fixture] {
        FIXTURES
    }

    fn settings(&self, table: &Table<'_>, secrets: Secrets<'_>) -> Option<Settings> {
        let secrets = super::product::secret_or_secrets(table, secrets)?;
        Some(Settings::new(CalendlySettings { secrets }))
    }

    fn admit(
        &self,
        source: &Source,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Admission, Refusal> {
        let settings: &CalendlySettings = source.own()?;
        let kind = request::content_type(request)?;
        let given = request.headers.only(HEADER);
        let scheme = (TAG, TOLERANCE);
        signature::stamped(&settings.secrets, given, scheme, request.body, now)?;
        if !request::is_json(&kind) {
            return Err(Refusal::Unsupported("application/json is wanted".into()));
        }
        let json = Json::object(request.body)?;
        if json.text("event") != BOOKED {
            return Ok(Admission::Answered(Answer::ignored()));
        }
        let Some(payload) = json.get("payload").filter(|p| !p.entries().is_empty()) else {
            return Err(Refusal::Malformed("the payload is missing".into()));
        };
        bounds::lead(&json)?;
        // The second place is where it stood before version 2 of the interface.
        let invitee = payload.get("invitee");
        let uri = payload.text("uri");
        let uuid = invitee.map(|invitee| invitee.text("uuid"));
        let id = [Some(uri), uuid].into_iter().flatten();
        let mut id = id.filter(|id| !id.is_empty());
        let id = id.next().map(|id| format!("{id}/{BOOKED}"));
        let identity = Identity {
            platform_id: id,
            content: json.content(),
        };
        Ok(Admission::Leads(Admitted {
            read: vec![inquiry(source, &json)],
            ..Admitted::whole(request, vec![identity])
        }))
    }

    fn parse(&self, source: &Source, submission: &Submission) -> Result<Vec<Inquiry>, String> {
        let json = Json::object(&submission.raw).map_err(|refusal| refusal.to_string())?;
        Ok(vec![inquiry(source, &json)])
    }

    fn answer(&self, _: &Source, receipt: &Receipt, _: &Reply) -> Answer {
        Answer::receipt(receipt)
    }

    fn shape(&self, _: &Source, person: &Person) -> Sample {
        let answer = |question: &str, answer: &str| json!({ "question": question, "answer": answer, "position": 0 });
        let employees = person.employees.to_string();
        let asked = [
            ("Company", person.company.as_str()),
            ("Country", &person.country),
            ("Job title", &person.job_title),
            ("Message", &person.message),
            ("employees", &employees),
        ];
        let asked = asked.iter().filter(|(_, text)| !text.is_empty());
        let meeting = format!(
            "https://api.calendly.com/scheduled_events/{:016x}",
            person.seed
        );
        let tracking: serde_json::Map<_, _> = person
            .utm
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect();
        let body = json!({
            "event": BOOKED,
            "created_at": "2026-09-21T13:33:20.000000Z",
            "created_by": "https://api.calendly.com/users/AAAAAAAAAAAAAAAA",
            "payload": {
                "uri": format!("{meeting}/invitees/{:016x}", person.seed),
                "event": meeting,
                "name": person.name(),
                "email": person.email,
                "text_reminder_number": person.phone,
                "timezone": "Europe/Berlin",
                "status": "active",
                "rescheduled": false,
                "questions_and_answers": asked.map(|(q, a)| answer(q, a)).collect::<Vec<_>>(),
                "tracking": tracking,
                "scheduled_event": { "name": "Demo", "uri": meeting },
            },
        });
        Sample::post("application/json", body.to_string())
    }

    fn sign(&self, source: &Source, mut sample: Sample, now: Millis) -> Sample {
        if let Ok(settings) = source.own::<CalendlySettings>()
            && let Some(secret) = settings.secrets.first()
        {
            let at = (now / SECOND).to_string();
            let signature = signature::stamped_signature(secret, &at, &sample.body);
            let value = format!("t={at},{TAG}={signature}");
            sample.headers.push((HEADER.into(), value));
        }
        sample
    }
}

/// What a booking tells.
fn inquiry(source: &Source, json: &Json<'_>) -> Inquiry {
    let mut draft = Draft::of(source);
    for (key, value) in json.entries() {
        match key.as_ref() {
            "payload" => {
                let members = value.entries().iter();
                members.for_each(|(key, value)| member(key, value, &mut draft));
            }
            key if TECHNICAL.contains(&key) => {}
            key => draft.keep_json(key, value),
        }
    }
    draft.inquiry()
}

/// A member of the payload, or of the invitee in it.
fn member(key: &str, value: &Json<'_>, draft: &mut Draft<'_>) {
    let known = PERSON.iter().find(|(name, _)| *name == key);
    match (key, known) {
        (_, Some((name, field))) => {
            draft.field(field, name, &value.as_text().unwrap_or_default());
        }
        ("invitee", None) => {
            let members = value.entries().iter();
            members.for_each(|(key, value)| member(key, value, draft));
        }
        ("questions_and_answers", None) => {
            for answer in value.items() {
                draft.asked(&answer.text("question"), &answer.text("answer"));
            }
        }
        ("tracking", None) => {
            for (key, value) in value.entries() {
                draft.asked(key, &value.as_text().unwrap_or_default());
            }
        }
        ("scheduled_event", None) => {
            let place = value.get("location");
            // The host calls: the place of the meeting is the invitee's number.
            if let Some(place) = place.filter(|place| place.text("type") == "outbound_call") {
                let number = place.text("location");
                draft.field("phone", "scheduled_event.location.location", &number);
            }
            draft.keep_json(key, value);
        }
        (_, None) => draft.keep_json(key, value),
    }
}

#[cfg(test)]
const FIXTURES: &[Fixture] = &[Fixture {
    name: "calendly",
    settings: "secret = \"signing-key\"\ncountry = \"DE\"",
    proof: Proof::Timed(180),
    kind: "application/json",
    body: r#"{"event":"invitee.created","created_at":"2026-09-21T13:33:20.000000Z",
                 "created_by":"https://api.calendly.com/users/A","payload":{
                 "uri":"https://api.calendly.com/scheduled_events/E/invitees/I","email":"mia@werk.example",
                 "name":"Mia Groß","first_name":null,"last_name":null,"status":"active",
                 "text_reminder_number":null,"timezone":"Europe/Berlin","rescheduled":false,
                 "questions_and_answers":[{"question":"Company","answer":"Werk AG","position":0},
                 {"question":"What is your job title?","answer":"Head","position":2},
                 {"question":"What do you need?","answer":"kept","position":1}],
                 "scheduled_event":{"name":"Demo","start_time":"2026-09-24T09:00:00.000000Z",
                 "event_memberships":[{"user_email":"host@us.example"}],
                 "location":{"type":"outbound_call","location":"030 901820"}},
                 "tracking":{"utm_source":"newsletter","utm_medium":null,"salesforce_uuid":"s-1"}}}"#,
    fields: &[
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "030 901820"),
        ("company", "Werk AG"),
        ("job_title", "Head"),
        ("country", "DE"),
        ("What do you need?", KEPT),
        ("timezone", "Europe/Berlin"),
        ("scheduled_event.start_time", "2026-09-24T09:00:00.000000Z"),
        ("salesforce_uuid", "s-1"),
    ],
    attribution: &[("utm_source", "newsletter")],
    batch: None,
    fetched: &[],
}];
