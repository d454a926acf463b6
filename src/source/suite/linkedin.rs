//! What is asked of `LinkedIn` only: the challenge, deletions, and what its answers mean.

use super::{NOW, admit, committed, sample, signed, source, status};
use crate::lead::Inquiry;
use crate::source::{Admission, Answered, Sample, Step, Trouble};

const JSON: &str = "application/json";

fn action(action: &str) -> String {
    format!(
        r#"{{"type":"LEAD_ACTION","leadGenFormResponse":"urn:li:leadGenFormResponse:7-a",
            "leadGenForm":"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:31,2)","leadAction":"{action}"}}"#
    )
}

/// Signatures made by Python's hmac, not by us.
#[test]
fn a_challenge_is_answered_and_nothing_else_is_signed() {
    let ask = |query: &str| Sample {
        method: "GET",
        query: query.into(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let source = source("linkedin");
    let code = "890e4665-4dfe-4ab1-b689-ed553bceeed0";
    let good = ask(&format!("challengeCode={code}&applicationId=1"));
    let Ok(Admission::Answered(answer)) = admit(&source, &good, NOW) else {
        panic!("no answer to the challenge")
    };
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        (answer.status, body["challengeCode"].as_str()),
        (200, Some(code))
    );
    assert_eq!(
        body["challengeResponse"].as_str(),
        Some("8ab4bbad570533d66462deba280bde93c1cad8b543e7f526d3e962acaf6c391a")
    );
    let refused = [
        ("", 405),
        ("challengeCode=", 400),
        ("challengeCode=hmacsha256%3D%7B%7D", 400),
        ("challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeed0x", 400),
        ("challengeCode=890e4665-4dfe-4ab1-b689-ed553bceeedg", 400),
        ("challengeCode=1&challengeCode=2", 400),
    ];
    for (query, wanted) in refused {
        assert_eq!(status("linkedin", &ask(query)), Some(wanted), "{query}");
    }
    let ping = r#"{"type":"X"}"#;
    for (value, wanted) in [
        (
            "1c2556b94dec968d5fdffade16d4aa68fe0ebb0c620c7a92dd1de3481b0596b9",
            None,
        ),
        (
            "hmacsha256=1c2556b94dec968d5fdffade16d4aa68fe0ebb0c620c7a92dd1de3481b0596b9",
            None,
        ),
        (
            "f93c3766a15caf62a4d59a38c0396f72420cf6129173b1ccf0f33d3e006839eb",
            Some(401),
        ),
        ("", Some(401)),
    ] {
        let mut sample = sample(JSON, ping);
        sample.headers.push(("x-li-signature".into(), value.into()));
        assert_eq!(status("linkedin", &sample), wanted, "{value}");
    }
}

#[test]
fn a_deleted_lead_is_forgotten_under_the_name_that_it_came_by() {
    let source = source("linkedin");
    let sign = |body: &str| signed(&source, JSON, body.as_bytes(), NOW);
    let (_, names) = committed(&source, &sign(&action("CREATED")), NOW);
    let Ok(Admission::Forget(gone)) = admit(&source, &sign(&action("DELETED")), NOW) else {
        panic!("nothing is forgotten")
    };
    let gone: Vec<_> = gone
        .into_iter()
        .filter_map(|identity| identity.platform_id)
        .collect();
    assert_eq!(gone, names);
    let other = admit(&source, &sign(&action("UPDATED")), NOW);
    assert!(matches!(other, Ok(Admission::Answered(_))));
    for urn in [
        "",
        "urn:li:leadGenFormResponse:../x",
        "urn:li:leadGenFormResponse:",
    ] {
        let body = action("CREATED").replace("urn:li:leadGenFormResponse:7-a", urn);
        assert_eq!(status("linkedin", &sign(&body)), Some(400), "{urn}");
    }
}

fn notice() -> Inquiry {
    let source = source("linkedin");
    let sample = signed(&source, JSON, action("CREATED").as_bytes(), NOW);
    let (submission, _) = committed(&source, &sample, NOW);
    source
        .adapter
        .parse(&source, &submission)
        .unwrap()
        .remove(0)
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
fn the_response_is_asked_for_and_then_its_form() {
    let (source, notice) = (source("linkedin"), notice());
    let asked = |answers: &[Answered]| match source.adapter.fetch(&source, &notice, answers) {
        Step::Ask(ask) => {
            let header = ("linkedin-version".to_owned(), "202606".to_owned());
            assert!(ask.headers.contains(&header));
            ask.url
        }
        Step::Content(content) => String::from_utf8(content).unwrap(),
        Step::Trouble(Trouble::TryAgain { .. }) => "again".into(),
        Step::Trouble(Trouble::Halt { .. } | Trouble::Barred { .. }) => "halt".into(),
        Step::Trouble(Trouble::Gone { .. }) => "gone".into(),
        Step::Trouble(Trouble::Later { .. }) => "later".into(),
        Step::Whole => "whole".into(),
    };
    assert_eq!(
        asked(&[]),
        "https://api.linkedin.com/rest/leadFormResponses/7-a"
    );
    let cases = [
        (200, "<html>", "again"),
        (200, r#"{"id":"other","formResponse":{}}"#, "again"),
        (200, r#"{"id":"7-a"}"#, "again"),
        (401, "", "halt"),
        (403, "", "halt"),
        (404, "", "gone"),
        (426, "", "halt"),
        (429, "", "later"),
        (500, "", "again"),
    ];
    for (status, body, wanted) in cases {
        assert_eq!(asked(&[answered(status, body)]), wanted, "{status} {body}");
    }
    let whole = r#"{"id":"7-a","formResponse":{"answers":[{"questionId":5,
        "answerDetails":{"textQuestionAnswer":{"answer":"x"}}}]},"testLead":true}"#;
    let first = || answered(200, whole);
    assert_eq!(
        asked(&[first()]),
        "https://api.linkedin.com/rest/leadForms/31"
    );
    assert_eq!(asked(&[first(), answered(503, "")]), "again");
    let content = asked(&[first(), answered(404, "")]);
    let inquiry = source
        .adapter
        .read(&source, notice.clone(), content.as_bytes())
        .unwrap();
    assert_eq!(inquiry.fields.get("question 5"), Some("x"));
    assert!(inquiry.is_test);
    for content in ["", "{}", r#"{"response":{}}"#] {
        assert!(
            source
                .adapter
                .read(&source, notice.clone(), content.as_bytes())
                .is_err()
        );
    }
}
