//! What is asked of forms only.

use super::{NOW, committed, parse, refused, sample, source, status};

const URLENCODED: &str = "application/x-www-form-urlencoded";

#[test]
fn the_key_of_a_form_is_wanted_and_never_stored() {
    let multipart = "--B\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.example\r\n\
                     --B\r\nContent-Disposition: form-data; name=\"_key\"\r\n\r\nK3Y\r\n--B--\r\n";
    let cases = [
        (URLENCODED, "email=a%40b.example&%5Fkey=K3Y"),
        ("multipart/form-data; boundary=B", multipart),
        (
            "application/json",
            r#"{"email":"a@b.example","_key":"K\u0033Y"}"#,
        ),
    ];
    let source = source("keyed");
    for (kind, body) in cases {
        let (submission, names) = committed(&source, &sample(kind, body), NOW);
        let stored = String::from_utf8(submission.raw.clone()).unwrap();
        for text in [&stored, &names[0]] {
            let shown = text.contains("K3Y") || text.contains("_key");
            assert!(!shown, "{kind}: {text}");
        }
        let inquiries = source.adapter.parse(&source, &submission).unwrap();
        assert_eq!(
            inquiries[0].fields.get("email"),
            Some("a@b.example"),
            "{kind}"
        );
        for wrong in ["K3y", ""] {
            let body = body.replace("K3Y", wrong).replace("K\\u0033Y", wrong);
            assert_eq!(status("keyed", &sample(kind, &body)), Some(401), "{kind}");
        }
    }
}

#[test]
fn a_form_that_is_sent_again_is_the_same_lead_whatever_its_page_added() {
    let source = source("form");
    let name = |body: &str| committed(&source, &sample(URLENCODED, body), NOW).1;
    let first = name("email=a@b.example&i=1&i=2&_csrf=abc&_elapsed_ms=4000&_loaded_at=1");
    let again = name("i=1&i=2&_csrf=xyz&email=a@b.example&_elapsed_ms=9000");
    assert_eq!(first, again);
    assert_ne!(first, name("i=2&i=1&email=a@b.example"));
    let other = name("i=1&i=2&email=a@b.example&_replyto=c@d.example");
    assert_ne!(first, other);
    assert_eq!(name("_submission_id=7&a=1"), name("_submission_id=7&a=2"));
}

#[test]
fn a_form_tells_machines_from_people_and_where_they_came_from() {
    let source = source("form");
    let cases = [
        ("a=1&_gotcha=x", true, None, false),
        ("a=1&_gotcha=+", false, None, false),
        ("a=1&_elapsed_ms=300", false, Some(300), true),
        ("a=1&_elapsed_ms=-5", false, None, false),
        ("a=1&_elapsed_ms=9e99", false, None, false),
        ("a=1&_loaded_at=1789999991000", false, Some(9_000), false),
        ("a=1&_loaded_at=9999999999999", false, None, false),
    ];
    for (body, trapped, fill_ms, too_fast) in cases {
        let mut sample = sample(URLENCODED, body);
        sample.query = "utm_source=query&gcl_id=g".into();
        let page = "https://www.example.com/demo?utm_source=page&utm_campaign=spring#x";
        sample.headers.push(("referer".into(), page.into()));
        let inquiry = parse(&source, &sample);
        let signals = &inquiry.signals;
        let found = (signals.trapped, signals.fill_ms, signals.too_fast);
        assert_eq!(found, (trapped, fill_ms, too_fast), "{body}");
        let from = &inquiry.attribution.0;
        let from: Vec<_> = from.values().map(String::as_str).collect();
        assert_eq!(
            from,
            ["g", "https://www.example.com/demo", "spring", "query"]
        );
    }
}

#[test]
fn what_a_form_sends_as_json_is_taken_only_if_it_can_be_read_as_a_form() {
    // With a key in it, it is stored urlencoded.
    let source = source("form");
    for (length, status) in [(1_000, None), (1_025, Some(422))] {
        let name = "n".repeat(length);
        let body = format!(r#"{{"_key":"k","email":"a@b.example","{name}":"kept"}}"#);
        let sample = sample("application/json", &body);
        assert_eq!(refused(&source, &sample, NOW), status, "{length}");
        if status.is_none() {
            let inquiry = parse(&source, &sample);
            assert_eq!(inquiry.fields.get(&name), Some("kept"));
        }
    }
}
