//! What is asked of Meta's notifications only: handshake, signature, batches.

use super::{NOW, admit, committed, parse, sample, signed, source, status};
use crate::lead::Inquiry;
use crate::source::{Admission, Sample, Source, Step, Trouble};

pub(super) fn notice(value: &str) -> String {
    format!(
        r#"{{"object":"page","entry":[{{"id":"9","time":1,"changes":[{{"field":"leadgen","value":{value}}}]}}]}}"#
    )
}

pub(super) fn read_notice(body: &str) -> (std::sync::Arc<Source>, Inquiry) {
    let source = source("meta");
    let sample = signed(&source, "application/json", body.as_bytes(), NOW);
    let inquiry = parse(&source, &sample);
    (source, inquiry)
}

/// Query and answer; `TOKEN` stands for the parameter with the right token.
const HANDSHAKES: &str = "
hub.mode=subscribe&hub.challenge=1158201444&TOKEN | 200 1158201444
TOKEN&hub%2Echallenge=7&hub.mode=subscribe | 200 7
hub.mode=subscribe&hub.challenge=1&hub.verify_token=other | 403
hub.mode=subscribe&hub.challenge=1&hub.verify_token= | 403
hub.mode=subscribe&hub.challenge=1 | 403
hub.mode=unsubscribe&hub.challenge=1&TOKEN | 403
hub.mode=subscribe&hub.challenge=1&TOKEN&TOKEN | 403
hub.mode=subscribe&hub.challenge=1&hub.challenge=2&TOKEN | 400
hub.mode=subscribe&hub.challenge=%3Cb%3E&TOKEN | 400
hub.mode=subscribe&hub.challenge=LONG&TOKEN | 400
hub.mode=subscribe&TOKEN | 400
hub_mode=subscribe&hub_challenge=1&hub_verify_token=leadAdsRockPlayer | 405
a=1 | 405
";

#[test]
fn the_handshake_gives_the_challenge_to_who_knows_the_token() {
    let source = source("meta");
    for line in HANDSHAKES.trim().lines() {
        let (query, wanted) = line.split_once(" | ").unwrap();
        let query = query.replace("TOKEN", "hub.verify_token=leadAdsRockPlayer");
        let sample = Sample {
            method: "GET",
            query: query.replace("LONG", &"1".repeat(65)),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let found = match admit(&source, &sample, NOW) {
            Ok(Admission::Answered(answer)) => {
                format!(
                    "{} {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                )
            }
            Ok(Admission::Leads(_)) => panic!("{line} is no lead"),
            Err(refusal) => refusal.status().to_string(),
        };
        assert_eq!(found, wanted, "{line}");
    }
}

/// GitHub's published vector, whose algorithm is the same: the body is believed, and is no JSON.
const PUBLISHED: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
/// Headers, body and answer.
const SIGNATURES: &str = "
X-Hub-Signature-256:sha256=GOOD | Hello, World! | 400
X-Hub-Signature-256:sha256=GOOD | Hello, World? | 401
X-Hub-Signature-256:SHA256=GOOD | Hello, World! | 401
X-Hub-Signature-256:GOOD | Hello, World! | 401
X-Hub-Signature-256:sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17 | Hello, World! | 401
X-Hub-Signature-256:sha256= | Hello, World! | 401
X-Hub-Signature:sha256=GOOD | Hello, World! | 401
X-Hub-Signature:sha1=d03207e4b030cf234e3447bac4d93add4c6643d8 | Hello, World! | 401
X-Hub-Signature-256:sha1=d03207e4b030cf234e3447bac4d93add4c6643d8 | Hello, World! | 401
X-Hub-Signature-256:sha256=GOOD X-Hub-Signature-256:sha256=GOOD | Hello, World! | 401
- | Hello, World! | 401
";

#[test]
fn only_the_sha256_signature_of_the_very_bytes_authenticates() {
    for line in SIGNATURES.trim().lines() {
        let [headers, body, wanted] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let mut sample = sample("application/json", body);
        for header in headers.split(' ').filter(|header| *header != "-") {
            let (name, value) = header.split_once(':').unwrap();
            let value = value.replace("GOOD", PUBLISHED);
            sample.headers.push((name.to_owned(), value));
        }
        assert_eq!(
            status("meta", &sample).unwrap().to_string(),
            wanted,
            "{line}"
        );
    }
    // Meta escapes what is not ASCII; the bytes are signed, not what they mean.
    let body = notice(r#"{"leadgen_id":"1","note":"\u00e4"}"#);
    let source = source("meta");
    let mut sample = signed(&source, "application/json", body.as_bytes(), NOW);
    assert!(admit(&source, &sample, NOW).is_ok());
    sample.body = body.replace(r"\u00e4", "ä").into_bytes();
    assert_eq!(status("meta", &sample), Some(401));
}

#[test]
fn other_objects_and_fields_are_acknowledged_and_ignored() {
    let source = source("meta");
    let bodies = [
        r#"{"entry":[{"time":1,"changes":[{"field":"photos","value":{"object_id":"1"}}],"id":"1","uid":"1"}],"object":"user"}"#,
        r#"{"object":"page","entry":[{"id":"1","time":1,"changes":[{"field":"feed","value":{"leadgen_id":"1"}}]}]}"#,
        r#"{"object":"page","entry":[{"id":"1","time":1,"changed_fields":["feed"]}]}"#,
        r#"{"object":"page","entry":[]}"#,
        r#"{"object":"instagram","entry":[{"id":"1","time":1,"changes":[{"field":"leadgen","value":{"leadgen_id":"1"}}]}]}"#,
        r"{}",
    ];
    for body in bodies {
        let sample = signed(&source, "application/json", body.as_bytes(), NOW);
        let Ok(Admission::Answered(answer)) = admit(&source, &sample, NOW) else {
            panic!("{body} is to be ignored")
        };
        assert_eq!(
            (answer.status, answer.body),
            (200, b"{}".to_vec()),
            "{body}"
        );
    }
    for (body, wanted) in [
        ("[]", 400),
        (r#"{"object":"page"}"#, 400),
        (r#"{"object":"page","object":"user"}"#, 400),
    ] {
        let sample = signed(&source, "application/json", body.as_bytes(), NOW);
        assert_eq!(status("meta", &sample), Some(wanted), "{body}");
    }
}

#[test]
fn a_batch_is_one_lead_each_with_the_id_as_it_came() {
    let change =
        |id: &str| format!(r#"{{"field":"leadgen","value":{{"leadgen_id":{id},"page_id":"9"}}}}"#);
    let of = |changes: &[String]| {
        format!(
            r#"{{"object":"page","entry":[{{"id":"9","changes":[{}]}},{{"id":"8","changes":[{}]}}]}}"#,
            changes.join(","),
            change("\"77\"")
        )
    };
    let source = source("meta");
    let body = of(&[change("12345678901234567890"), change("\"5\""), change("5")]);
    let sample = signed(&source, "application/json", body.as_bytes(), NOW);
    let (submission, names) = committed(&source, &sample, NOW);
    assert_eq!(names, ["12345678901234567890", "5", "5", "77"]);
    let inquiries = source.adapter.parse(&source, &submission).unwrap();
    assert_eq!(inquiries.len(), 4);
    assert_eq!(
        inquiries[3].attribution.0["page_id"], "9",
        "the value stands above the entry"
    );
    let many: Vec<_> = (0..999).map(|n| change(&n.to_string())).collect();
    let sample = signed(&source, "application/json", of(&many).as_bytes(), NOW);
    assert_eq!(committed(&source, &sample, NOW).1.len(), 1_000);
    let more: Vec<_> = (0..1_000).map(|n| change(&n.to_string())).collect();
    let sample = signed(&source, "application/json", of(&more).as_bytes(), NOW);
    assert_eq!(status("meta", &sample), Some(422));
}

#[test]
fn a_notification_that_names_no_lead_is_a_lead_that_says_so() {
    let bodies = [
        r#"{"object":"page","entry":[{"id":"9","time":1,"changed_fields":["feed","leadgen"]}]}"#,
        &notice("{}"),
        &notice(r#"{"leadgen_id":"../me"}"#),
        &notice(r#"{"leadgen_id":{"a":1}}"#),
    ];
    for body in bodies {
        let (source, inquiry) = read_notice(body);
        assert_eq!(inquiry.attribution.0["page_id"], "9");
        let Step::Trouble(Trouble::Gone { why }) = source.adapter.fetch(&source, &inquiry, &[])
        else {
            panic!("{body}")
        };
        assert!(why.contains("Include Values"), "{why}");
    }
}
