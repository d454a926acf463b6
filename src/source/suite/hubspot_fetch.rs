//! What is asked of `HubSpot` for the contacts of events, what each answer means, and what is read.

use super::{NOW, committed, signed};
use crate::document::Overrides;
use crate::lead::Inquiry;
use crate::secret::Secret;
use crate::source::{Answered, Source, Sources, Step, Trouble};

const SOURCES: &str = r#"
[with]
adapter = "hubspot"
secret = "s"
address = "https://leads.example.com/in/with"
token = "t0ken"
properties = ["company_size"]
api_url = "http://127.0.0.1:9/"

[without]
adapter = "hubspot"
secret = "s"
address = "https://leads.example.com/in/without"
"#;
const EVENT: &str = r#"[{"eventId":7,"subscriptionType":"contact.creation","objectId":138017612137,
    "occurredAt":1752613920733,"portalId":48807704,"changeSource":"FORM"}]"#;

fn noticed(name: &str) -> (std::sync::Arc<Source>, Inquiry) {
    let secrets = |text: &str| Ok(Secret::new(text));
    let sources = Sources::parse("s.toml", SOURCES, &Overrides::new(), &secrets).unwrap();
    let source = sources.get(name).unwrap().clone();
    let sample = signed(&source, "application/json", EVENT.as_bytes(), NOW);
    let (submission, _) = committed(&source, &sample, NOW);
    let notice = source
        .adapter
        .parse(&source, &submission)
        .unwrap()
        .remove(0);
    (source, notice)
}

fn answered(status: u16, body: &str) -> Answered {
    Answered {
        status,
        headers: vec![("retry-after".into(), "10".into())],
        body: body.as_bytes().to_vec(),
        cut: false,
    }
}

#[test]
fn a_contact_is_asked_for_by_its_id_with_the_properties_that_are_wanted() {
    let (source, notice) = noticed("with");
    let Step::Ask(ask) = source.adapter.fetch(&source, &notice, &[]) else {
        panic!("nothing is asked")
    };
    let start = "http://127.0.0.1:9/crm/v3/objects/contacts/138017612137?properties=firstname%2C";
    assert!(ask.url.starts_with(start), "{}", ask.url);
    assert!(ask.url.ends_with("%2Ccompany_size"), "{}", ask.url);
    let header = ("authorization".to_owned(), "Bearer t0ken".to_owned());
    assert!(ask.headers.contains(&header));
    let (source, notice) = noticed("without");
    let step = source.adapter.fetch(&source, &notice, &[]);
    assert!(
        matches!(step, Step::Trouble(Trouble::Halt { .. })),
        "{step:?}"
    );
}

#[test]
fn every_answer_of_the_crm_has_its_meaning() {
    let (source, notice) = noticed("with");
    let whole = r#"{"id":"138017612137","properties":{"email":"a@b.example"}}"#;
    let cases = [
        (200, whole, "content"),
        (
            200,
            r#"{"id":"1","properties":{"email":"a@b.example"}}"#,
            "again",
        ),
        (200, r#"{"id":"138017612137","properties":{}}"#, "again"),
        (200, "<html>", "again"),
        (401, "{}", "halt"),
        (403, "{}", "halt"),
        (404, "{}", "gone"),
        (429, "{}", "later"),
        (302, "", "again"),
        (503, "", "again"),
    ];
    for (status, body, wanted) in cases {
        let answers = [answered(status, body)];
        let found = match source.adapter.fetch(&source, &notice, &answers) {
            Step::Content(content) if content == body.as_bytes() => "content",
            Step::Trouble(Trouble::TryAgain { .. }) => "again",
            Step::Trouble(Trouble::Halt { .. } | Trouble::Barred { .. }) => "halt",
            Step::Trouble(Trouble::Gone { .. }) => "gone",
            Step::Trouble(Trouble::Later {
                after_ms: Some(10_000),
                ..
            }) => "later",
            step @ (Step::Whole | Step::Ask(_) | Step::Content(_) | Step::Trouble(_)) => {
                panic!("{step:?}")
            }
        };
        assert_eq!(found, wanted, "{status} {body}");
    }
    let mut cut = answered(200, whole);
    cut.cut = true;
    let step = source.adapter.fetch(&source, &notice, &[cut]);
    assert!(matches!(step, Step::Trouble(Trouble::TryAgain { .. })));
}

#[test]
fn a_fetched_contact_is_read_with_what_its_event_told() {
    let (source, notice) = noticed("with");
    let body = r#"{"id":"138017612137","archived":false,"properties":{"firstname":"Mia",
        "lastname":"Groß","email":"mia@werk.example","phone":"+49 30 901820","company_size":"80",
        "hs_analytics_source":"ORGANIC_SEARCH","jobtitle":null}}"#;
    let inquiry = source
        .adapter
        .read(&source, notice.clone(), body.as_bytes())
        .unwrap();
    let fields = [
        ("name", "Mia Groß"),
        ("email", "mia@werk.example"),
        ("phone", "+49 30 901820"),
        ("company_size", "80"),
        ("changeSource", "FORM"),
    ];
    for (name, value) in fields {
        assert_eq!(inquiry.fields.get(name), Some(value), "{name}");
    }
    let from = &inquiry.attribution.0;
    assert_eq!(from["contact_id"], "138017612137");
    assert_eq!(from["lead_source"], "ORGANIC_SEARCH");
    for content in ["", "[]", "{}"] {
        assert!(
            source
                .adapter
                .read(&source, notice.clone(), content.as_bytes())
                .is_err()
        );
    }
}
