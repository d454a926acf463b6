//! What is asked of one platform only, and hostile input.

use super::{NOW, committed, parse, sample, signed, source, status};
use crate::document::Overrides;
use crate::lead::{LeadId, Receipt};
use crate::secret::Secret;
use crate::source::{Refusal, Reply, Sources};

#[test]
fn more_than_a_thousand_leads_at_once_are_refused() {
    let many = format!("{{\"leads\":[{}]}}", vec!["{\"a\":1}"; 1_001].join(","));
    let sample = signed(&source("hmac"), "application/json", many.as_bytes(), NOW);
    assert_eq!(status("hmac", &sample), Some(422));
}

#[test]
fn a_batch_gets_a_list_of_receipts_whatever_its_size() {
    let answer = |name: &str, leads: usize| {
        let source = source(name);
        let receipt = Receipt {
            leads: vec![LeadId::new(NOW); leads],
            verdict: None,
            seen: None,
        };
        let reply = Reply::default();
        let answer = source.adapter.answer(&source, &receipt, &reply);
        String::from_utf8(answer.body).unwrap()
    };
    assert!(answer("hmac", 1).starts_with("{\"receipts\":[\""));
    assert!(answer("hmac", 2).starts_with("{\"receipts\":[\""));
    assert!(answer("bearer", 1).starts_with("{\"receipt\":\""));
}

#[test]
fn an_address_is_found_where_it_stands_alone_and_never_taken_from_two() {
    let source = source("bearer");
    let cases = [
        (r#"{"author":{"email":"a@b.example"}}"#, Some("a@b.example")),
        (
            r#"{"owner":{"email":"a@b.example"},"email":"c@d.example"}"#,
            Some("c@d.example"),
        ),
        (
            r#"{"buyer":{"email":"a@b.example"},"owner":{"email":"c@d.example"}}"#,
            None,
        ),
    ];
    for (body, email) in cases {
        let sample = signed(&source, "application/json", body.as_bytes(), NOW);
        let inquiry = parse(&source, &sample);
        assert_eq!(inquiry.fields.get("email"), email, "{body}");
    }
}

#[test]
fn odd_characters_do_no_harm_and_hostile_ones_are_refused() {
    let source = source("bearer");
    let kept = [
        (r"Ann\u0000a", "Anna"),
        (r"  An\u0007na\r\n ", "Anna"),
        (r"\u202eannA", "annA"),
        (r"Zo\u00eb \ud83d\ude00", "Zoë 😀"),
        ("{{7*7}}<b>", "{{7*7}}<b>"),
        (r"A\u0301", "A\u{301}"),
    ];
    for (given, read) in kept {
        let body = format!("{{\"name\":\"{given}\",\"a\\u0000b\":1}}");
        let sample = signed(&source, "application/json", body.as_bytes(), NOW);
        let inquiry = parse(&source, &sample);
        assert_eq!(inquiry.fields.name.as_deref(), Some(read), "{given}");
        assert_eq!(inquiry.fields.get("ab"), Some("1"));
    }
    let marks = format!("{{\"name\":\"a{}\"}}", "\u{301}".repeat(10_000));
    let many: Vec<_> = (0..201).map(|n| format!("\"k{n}\":1")).collect();
    let many = format!("{{{}}}", many.join(","));
    let refused: [(&[u8], u16); 7] = [
        (b"{\"a\":\"\\ud800\"}", 400),
        (b"{\"a\":\"\xc0\xaf\"}", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"7", 400),
        (marks.as_bytes(), 422),
        (many.as_bytes(), 422),
    ];
    for (body, wanted) in refused {
        let sample = signed(&source, "application/json", body, NOW);
        assert_eq!(status("bearer", &sample), Some(wanted), "{body:.20?}");
    }
}

#[test]
fn headers_that_two_readers_may_read_differently_are_refused() {
    let source = source("bearer");
    let added = [
        ("content-encoding", "gzip", 415),
        ("content-type", "application/json", 415),
        ("authorization", "Bearer k3y", 401),
        ("x-api-key", "other", 401),
    ];
    for (name, value, wanted) in added {
        let mut sample = signed(&source, "application/json", b"{\"a\":1}", NOW);
        let plain = ("content-encoding".into(), "identity".into());
        sample.headers.push(plain);
        sample.headers.push((name.into(), value.into()));
        assert_eq!(status("bearer", &sample), Some(wanted), "{name}");
    }
}

#[test]
fn a_google_key_that_is_escaped_goes_and_long_numbers_stay() {
    let source = source("google");
    let body = r#"{"lead_id":"9","form_id":12345678901234567890123,"google_key":"test\u006bey","user_column_data":[]}"#;
    let (submission, _) = committed(&source, &sample("application/json", body), NOW);
    let wanted = r#"{"lead_id":"9","form_id":12345678901234567890123,"user_column_data":[]}"#;
    assert_eq!(String::from_utf8(submission.raw).unwrap(), wanted);
    let refused = [
        (r#""google_key":"testkey","Google_key":"other""#, 401),
        (r#""google_key":"testkey","google_key":"testkey""#, 400),
        (r#""google_key":{"a":"testkey"}"#, 401),
        (r#""google_key":"""#, 401),
        (r#""x":1"#, 401),
        (r#""google_key":"testkey","#, 400),
    ];
    for (keys, wanted) in refused {
        let body = format!(r#"{{"lead_id":"9","user_column_data":[],{keys}}}"#);
        let mut sample = sample("application/json", &body);
        sample.query = "google_key=testkey".into();
        assert_eq!(status("google", &sample), Some(wanted), "{keys}");
    }
}

#[test]
fn googles_key_is_never_stored_and_its_answers_are_the_documented_ones() {
    let source = source("google");
    for spelling in ["google_key", "Google_key"] {
        for key in ["testkey", "test\\u006bey"] {
            let body = format!(
                r#"{{"lead_id":"9","{spelling}" : "{key}","user_column_data":[],"is_test":true}}"#
            );
            let sample = sample("application/json", &body);
            let (submission, _) = committed(&source, &sample, NOW);
            let raw = String::from_utf8(submission.raw.clone()).unwrap();
            assert!(!raw.contains("testkey") && !raw.contains("u006b"), "{raw}");
            assert!(source.adapter.parse(&source, &submission).unwrap()[0].is_test);
        }
    }
    let refusals = [
        (Refusal::TooMany { retry_after_s: 1 }, 503),
        (Refusal::Unavailable { retry_after_s: 1 }, 503),
        (Refusal::Unauthorized(String::new()), 401),
        (Refusal::Malformed(String::new()), 400),
    ];
    for (refusal, status) in refusals {
        assert_eq!(
            source.adapter.refuse(&source, &refusal, None).status,
            status
        );
    }
}

#[test]
fn a_broken_file_of_sources_says_everything_at_once() {
    let text = "[a]\nadapter = \"gogle\"\n[b]\nadapter = \"webhook\"\nauth = \"bearer\"\nkey = \"env:NONE\"\n\
                [b.map]\nemial = \"$.x\"\n[C]\nadapter = \"form\"\norigns = []\n[d]\nadapter = \"google\"\n\
                enabled = \"if_set\"\nkey = \"env:NONE\"\n\
                [e]\nadapter = \"webhook\"\nauth = \"standard\"\nsecret = \"whsec_\"\n";
    let secrets = |text: &str| match text.strip_prefix("env:") {
        Some(name) => Err(format!("{name} is not set")),
        None => Ok(Secret::new(text)),
    };
    let problems = Sources::parse("s.toml", text, &Overrides::new(), &secrets).unwrap_err();
    let lines: Vec<_> = problems
        .iter()
        .map(|p| format!("{}|{}", p.one_line(), p.hint.as_deref().unwrap_or("")))
        .collect();
    let wanted = [
        "s.toml:2: no adapter \"gogle\"",
        "did you mean \"google\"?",
        "s.toml:6: b.key: NONE is not set",
        "did you mean \"email\"?",
        "`C`: a source's name stands in its address",
        "s.toml:19: e.secret is cut off",
        "unknown key `C.origns`",
        "did you mean `origins`?",
    ];
    for wanted in wanted {
        assert!(
            lines.iter().any(|line| line.contains(wanted)),
            "{wanted} in {lines:#?}"
        );
    }
    assert!(
        !lines.iter().any(|line| line.contains(": d")),
        "a source that is not set is left out"
    );
}
