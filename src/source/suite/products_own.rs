//! What is asked of form products only.

use super::fixture::{Fixture, KEPT, Proof};
use super::{NOW, admit, committed, parse, refused, sample, signed, source};
use crate::document::Overrides;
use crate::lead::{Inquiry, LeadId, Receipt};
use crate::secret::Secret;
use crate::source::{ALL, Admission, Reply, Sources};

const JSON: &str = "application/json";

const PRODUCTS: [&str; 8] = [
    "typeform",
    "webflow",
    "tally",
    "jotform",
    "elementor",
    "contact_form_7",
    "unbounce",
    "formbricks",
];

fn own() -> impl Iterator<Item = &'static Fixture> {
    let products = ALL.iter().filter(|a| PRODUCTS.contains(&a.name()));
    products.flat_map(|adapter| adapter.fixtures())
}

fn read(name: &str, body: &str) -> Inquiry {
    let source = source(name);
    let kind = own().find(|f| f.name == name).expect(name).kind;
    parse(&source, &signed(&source, kind, body.as_bytes(), NOW))
}

#[test]
fn an_agreement_is_told_from_an_answer() {
    let cases = [
        ("typeform", "Do you agree?", "true"),
        ("webflow", "newsletter", "on"),
        ("tally", "Datenschutz", "Ich bin einverstanden"),
        ("jotform", "privacy", "I agree to all of it"),
        ("elementor", "AGB ok", "on"),
        ("contact_form_7", "acceptance-consent", "1"),
        ("formbricks", "newsletter_consent", "accepted"),
    ];
    for (name, key, value) in cases {
        let fixture = own().find(|f| f.name == name).unwrap();
        let consent = read(name, fixture.body).consent;
        let [consent] = consent.as_slice() else {
            panic!("{name}: {consent:?}")
        };
        let found = (consent.key.as_str(), consent.value.as_str(), consent.given);
        assert_eq!(found, (key, value, true), "{name}");
    }
    let fixture = own().find(|f| f.name == "typeform").unwrap();
    let refused = fixture
        .body
        .replace("\"boolean\":true", "\"boolean\":false");
    assert!(!read("typeform", &refused).consent[0].given);
}

#[test]
fn what_is_sent_again_is_the_same_lead_also_where_the_product_gives_no_id() {
    let cases = [
        ("typeform", "tok1", None),
        ("webflow", "66a1", None),
        ("webflow_v1", "58bf1", None),
        ("tally", "a4cb", None),
        ("jotform", "629576", None),
        ("formbricks", "r1", None),
        // Times differ, and the lead is the same.
        ("elementor", "", Some(("m%C3%A4rz+30", "april+1"))),
        (
            "elementor_plain",
            "",
            Some(("Time=13%3A53", "Time=13%3A54")),
        ),
        ("unbounce", "", Some(("10%3A57", "10%3A58"))),
    ];
    for (name, id, changed) in cases {
        let source = source(name);
        let fixture = own().find(|f| f.name == name).unwrap();
        let names = |body: &str| {
            let sample = signed(&source, fixture.kind, body.as_bytes(), NOW);
            committed(&source, &sample, NOW).1
        };
        let first = names(fixture.body);
        assert_eq!(first, names(fixture.body), "{name}");
        match changed {
            None => assert_eq!(first, [id], "{name}"),
            Some((from, to)) => {
                assert_eq!(fixture.body.matches(from).count(), 1, "{name}");
                assert_eq!(first, names(&fixture.body.replace(from, to)), "{name}");
                assert_ne!(first, names(&fixture.body.replace(KEPT, "other")), "{name}");
            }
        }
    }
}

#[test]
fn what_is_no_lead_is_answered_and_not_stored() {
    let cases = [
        ("typeform", r#"{"event_type":"form_response_partial"}"#, 200),
        (
            "webflow",
            r#"{"triggerType":"site_publish","payload":{}}"#,
            200,
        ),
        ("tally", r#"{"eventType":"OTHER"}"#, 200),
        ("formbricks", r#"{"event":"testEndpoint"}"#, 200),
        (
            "formbricks",
            r#"{"event":"responseCreated","data":{"id":"r1"}}"#,
            200,
        ),
        (
            "formbricks",
            r#"{"event":"responseUpdated","data":{"id":"r1"}}"#,
            200,
        ),
        ("formbricks", "{}", 400),
        (
            "typeform",
            r#"{"event_type":"form_response","form_response":7}"#,
            400,
        ),
        (
            "webflow",
            r#"{"triggerType":"form_submission","payload":{"data":[]}}"#,
            400,
        ),
        ("tally", r#"{"eventType":"FORM_RESPONSE","data":null}"#, 400),
        ("contact_form_7", "{}", 400),
        ("contact_form_7", "[]", 400),
        ("unbounce", "page_url=x", 400),
        ("unbounce", "data.json=7", 400),
        (
            "unbounce",
            "data.json=%7B%22page_url%22%3A%5B%22x%22%5D%7D",
            400,
        ),
        (
            "elementor",
            "form%5Bid%5D=c1d&fields%5Bx%5D%5Bvalue%5D=",
            400,
        ),
        ("elementor", "fields%5B=1&fields%5Bx%5D=1", 200), // odd, and kept
    ];
    for (name, body, status) in cases {
        let source = source(name);
        let kind = own().find(|f| f.name == name).unwrap().kind;
        let sample = signed(&source, kind, body.as_bytes(), NOW);
        let found = match admit(&source, &sample, NOW) {
            Ok(Admission::Answered(answer)) => answer.status,
            Ok(Admission::Leads(_) | Admission::Forget(_)) => 200,
            Err(refusal) => refusal.status(),
        };
        assert_eq!(found, status, "{name}: {body}");
        // A stranger learns nothing of it.
        let stranger = super::sample(kind, body);
        assert_eq!(refused(&source, &stranger, NOW), Some(401), "{name}");
    }
}

#[test]
fn every_product_is_answered_200_with_the_receipt() {
    let receipt = Receipt {
        leads: vec![LeadId::new(NOW)],
        verdict: None,
        seen: None,
    };
    for fixture in own() {
        let source = source(fixture.name);
        let answer = source.adapter.answer(&source, &receipt, &Reply::default());
        assert_eq!(answer.status, 200, "{}", fixture.name);
        assert!(answer.body.starts_with(b"{\"receipt\":\""));
    }
}

#[test]
fn a_key_may_stand_in_the_address_or_a_header_and_is_never_stored() {
    for fixture in own().filter(|f| f.proof == Proof::Key) {
        let name = fixture.name;
        let source = source(name);
        let cases = [
            ("key=k3y&x=1", None, None),
            ("", Some(("x-api-key", "k3y")), None),
            ("", Some(("authorization", "Bearer k3y")), None),
            ("key=K3y", None, Some(401)),
            ("key=", None, Some(401)),
            ("key=k3y&key=k3y", None, Some(401)),
            ("key=other", Some(("x-api-key", "k3y")), Some(401)),
        ];
        for (query, header, wanted) in cases {
            let mut sample = sample(fixture.kind, fixture.body);
            sample.query = query.into();
            let header = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
            sample.headers.extend(header);
            assert_eq!(refused(&source, &sample, NOW), wanted, "{name} {query}");
            if wanted.is_none() {
                let stored = committed(&source, &sample, NOW).0;
                let headers = format!("{:?}{}", stored.headers, stored.query);
                assert!(!headers.contains("k3y"), "{name}: {headers}");
            }
        }
    }
}

#[test]
fn what_a_source_on_trial_sends_is_a_test() {
    let fixture = own().find(|f| f.name == "typeform").unwrap();
    for (trial, is_test) in [("", false), ("trial = true", true)] {
        let text = format!("[x]\nadapter = \"typeform\"\nkey = \"k3y\"\n{trial}\n");
        let secrets = |text: &str| Ok(Secret::new(text));
        let sources = Sources::parse("s.toml", &text, &Overrides::new(), &secrets).unwrap();
        let source = sources.get("x").unwrap();
        let sample = signed(source, JSON, fixture.body.as_bytes(), NOW);
        let (submission, _) = committed(source, &sample, NOW);
        let inquiries = source.inquiries(&submission).unwrap();
        assert!(inquiries.iter().all(|inquiry| inquiry.is_test == is_test));
    }
}

#[test]
fn a_password_that_somebody_typed_is_not_stored() {
    let fixture = own().find(|f| f.name == "jotform").unwrap();
    let with = fixture.body.replace(
        "\"q8_colour\"",
        "\"q12_yourPassword\":\"geheim\",\"q8_colour\"",
    );
    let source = source("jotform");
    let sample = signed(&source, fixture.kind, with.as_bytes(), NOW);
    let (stored, names) = committed(&source, &sample, NOW);
    assert!(!String::from_utf8_lossy(&stored.raw).contains("geheim"));
    assert_eq!(names, ["629576"]);
    let inquiry = source.adapter.parse(&source, &stored).unwrap().remove(0);
    assert_eq!(inquiry.fields.get("colour"), Some(KEPT));
    assert_eq!(inquiry.fields.get("email"), Some("mia@werk.example"));
    assert_eq!(inquiry.signals.fill_ms, Some(10_000));
    let others = read(
        "elementor",
        own().find(|f| f.name == "elementor").unwrap().body,
    );
    assert!(
        !others
            .fields
            .other
            .values()
            .flatten()
            .any(|value| value == "geheim")
    );
}

#[test]
fn long_forms_are_taken_up_to_the_bound_of_fields_and_not_beyond() {
    let field = |n: usize| {
        let parts = ["id", "type", "title", "value", "raw_value", "required"];
        let pairs = parts.map(|part| format!("fields%5Bf{n}%5D%5B{part}%5D=v{n}"));
        pairs.join("&")
    };
    let elementor = |n: usize| (0..n).map(field).collect::<Vec<_>>().join("&");
    let answer = |n: usize| {
        format!(r#"{{"type":"text","text":"v","field":{{"id":"f{n}","type":"short_text"}}}}"#)
    };
    let typeform = |n: usize| {
        let answers = (0..n).map(answer).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"event_type":"form_response","form_response":{{"token":"t","answers":[{answers}]}}}}"#
        )
    };
    let cases = [
        ("elementor", elementor(200), None),
        ("elementor", elementor(201), Some(422)),
        ("typeform", typeform(200), None),
        ("typeform", typeform(201), Some(422)),
    ];
    for (name, body, wanted) in cases {
        let source = source(name);
        let kind = own().find(|f| f.name == name).unwrap().kind;
        let sample = signed(&source, kind, body.as_bytes(), NOW);
        assert_eq!(refused(&source, &sample, NOW), wanted, "{name}");
    }
}
