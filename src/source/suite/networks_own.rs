//! What is asked of one network or meeting tool only.

use super::{NOW, admit, committed, parse, sample, signed, source, status};
use crate::lead::{LeadId, Receipt, Verdict};
use crate::source::{Admission, Refusal, Reply, Sample};

const JSON: &str = "application/json";

pub(super) fn with(mut sample: Sample, headers: &[(&str, &str)]) -> Sample {
    let pairs = headers.iter().map(|(n, v)| ((*n).into(), (*v).into()));
    sample.headers.extend(pairs);
    sample
}

fn keyed(kind: &str, body: &str) -> Sample {
    let mut sample = sample(kind, body);
    sample.query = "key=t0ken".into();
    sample
}

fn is_ignored(source_name: &str, sample: &Sample) -> bool {
    let Ok(Admission::Answered(answer)) = admit(&source(source_name), sample, NOW) else {
        return false;
    };
    answer.status == 200
}

#[test]
fn a_key_in_the_address_is_wanted_and_never_stored() {
    let body = "email=a%40b.example";
    let kind = "application/x-www-form-urlencoded";
    let cases = [
        ("key=t0ken", None),
        ("utm_source=x&key=t0ken", None),
        ("k%65y=t0ken", None),
        ("", Some(401)),
        ("key=", Some(401)),
        ("key=T0ken", Some(401)),
        ("key=t0ken&key=t0ken", Some(401)),
        ("key=t0ken&key=x", Some(401)),
        ("KEY=t0ken", Some(401)),
    ];
    for (query, wanted) in cases {
        let mut sample = sample(kind, body);
        sample.query = query.into();
        assert_eq!(status("leadconduit", &sample), wanted, "{query}");
        if wanted.is_none() {
            let (submission, _) = committed(&source("leadconduit"), &sample, NOW);
            assert!(!submission.query.contains("t0ken"), "{query}");
        }
        if query == "key=x" {
            let both = with(sample, &[("x-api-key", "t0ken")]);
            assert_eq!(status("leadconduit", &both), Some(401));
        }
    }
    let by_header = with(sample(kind, body), &[("authorization", "Bearer t0ken")]);
    assert_eq!(status("leadconduit", &by_header), None);
}

#[test]
fn leadconduit_posts_are_read_in_every_form() {
    let source = source("leadconduit");
    let xml = "<lead><email>a@b.example</email><phone_1>5125550123</phone_1><a><b>x</b></a></lead>";
    let broken = "{\"email\":\"a@b.example\",\"address_1\":\"1\n\tMain St\",\"a\":{\"b\":\"x\"}}";
    let mut samples = vec![
        keyed(JSON, r#"{"email":"a@b.example","a":{"b":"x"}}"#),
        keyed(JSON, broken),
        keyed("text/xml", xml),
        keyed("application/xml; charset=iso-8859-1", xml),
        keyed(
            "application/x-www-form-urlencoded",
            "email=a%40b.example&a.b=x",
        ),
    ];
    let mut by_address = keyed("application/x-www-form-urlencoded", "email=a%40b.example");
    by_address.query += "&a.b=x";
    // Some clients name a type of a body that they do not send.
    for headers in [vec![], vec![("content-type".into(), JSON.into())]] {
        samples.push(Sample {
            method: "GET",
            query: "email=a%40b.example&a.b=x&key=t0ken".into(),
            headers,
            body: Vec::new(),
        });
    }
    samples.push(by_address);
    for sample in &samples {
        let inquiry = parse(&source, sample);
        let found = (inquiry.fields.get("email"), inquiry.fields.get("a.b"));
        let shown = String::from_utf8_lossy(&sample.body);
        assert_eq!(found, (Some("a@b.example"), Some("x")), "{shown}");
    }
}

#[test]
fn leadconduit_is_answered_as_documented() {
    let source = source("leadconduit");
    let receipt = |verdict| Receipt {
        leads: vec![LeadId::new(NOW)],
        verdict,
        seen: None,
    };
    let why = "duplicate".to_owned();
    let answers = [
        (None, "success", None),
        (
            Some(Verdict::Rejected { why }),
            "failure",
            Some("duplicate"),
        ),
    ];
    for (verdict, outcome, reason) in answers {
        let answer = source
            .adapter
            .answer(&source, &receipt(verdict), &Reply::default());
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let found = (
            answer.status,
            body["outcome"].as_str(),
            body["reason"].as_str(),
        );
        assert_eq!(found, (201, Some(outcome), reason));
        assert!(body["lead"]["id"].is_string(), "{body}");
    }
    let unsupported = Refusal::Unsupported("x".into());
    let told = |headers: Vec<(String, String)>| {
        let headers = crate::lead::Headers(headers);
        let request = crate::source::Request {
            method: "POST",
            query: "",
            headers: &headers,
            body: b"",
        };
        source
            .adapter
            .refuse(&source, &unsupported, Some(&request))
            .status
    };
    assert_eq!(told(Vec::new()), 415);
    assert_eq!(told(vec![("content-type".into(), "image/png".into())]), 406);
    for (kind, body) in [
        (JSON, "[]"),
        (JSON, "{\"a\":\""),
        ("text/xml", "<lead>"),
        (JSON, "{}"),
    ] {
        let found = status("leadconduit", &keyed(kind, body));
        assert_eq!(found, Some(400), "{body}");
    }
}

#[test]
fn an_adf_prospect_is_named_by_its_id_only_where_that_is_one() {
    let names = |ids: &str| {
        let body = format!("<adf><prospect>{ids}<customer/></prospect></adf>");
        committed(&source("adf"), &keyed("text/xml", &body), NOW).1
    };
    let own = names("<id source=\"a\">7</id>");
    assert_eq!(own, ["a\u{1f}\u{1f}7\u{1f}"]);
    assert_ne!(own, names("<id source=\"b\">7</id>"));
    let chain = "<id sequence=\"1\" source=\"a\">7</id><id sequence=\"2\" source=\"b\">9</id>";
    assert_ne!(own, names(chain));
    // A promotion's name without a number is the same for all its leads.
    let content = names("<id sequence=\"1\" source=\"spring\"/>");
    assert!(
        content[0].contains("spring") && content[0].contains('\0'),
        "{content:?}"
    );
    for body in ["<adf/>", "<xml/>", "<adf><prospect>", "<!DOCTYPE a><adf/>"] {
        assert_eq!(status("adf", &keyed("text/xml", body)), Some(400), "{body}");
    }
    let latin =
        b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><adf><prospect><customer><contact>\
                  <name part=\"full\">Zo\xeb</name></contact></customer></prospect></adf>";
    let mut sample = keyed("text/xml", "");
    sample.body = latin.to_vec();
    let inquiry = parse(&source("adf"), &sample);
    assert_eq!(inquiry.fields.name.as_deref(), Some("Zoë"));
}

#[test]
fn the_address_of_a_dealer_is_never_that_of_the_lead() {
    let body = "<adf><prospect><customer><contact><name>Zoe</name></contact></customer><vendor>\
                <contact><email>desk@cars.example</email><phone>613-555-0123</phone></contact></vendor>\
                </prospect></adf>";
    let inquiry = parse(&source("adf"), &keyed("text/xml", body));
    assert_eq!(inquiry.fields.name.as_deref(), Some("Zoe"));
    assert_eq!(inquiry.fields.get("email"), None);
    assert_eq!(inquiry.fields.get("phone"), None);
    let body = r#"{"event":"invitee.created","payload":{"name":"Zoe","scheduled_event":
                  {"event_memberships":[{"user_email":"host@us.example"}],"location":
                  {"type":"inbound_call","location":"+1 613 555 0123"}}}}"#;
    let source = source("calendly");
    let inquiry = parse(&source, &signed(&source, JSON, body.as_bytes(), NOW));
    assert_eq!(inquiry.fields.get("email"), None);
    assert_eq!(inquiry.fields.get("phone"), None);
}

#[test]
fn what_is_no_lead_is_acknowledged_and_not_taken() {
    let cases = [
        (
            "calendly",
            r#"{"event":"invitee.canceled","payload":{"uri":"x"}}"#,
        ),
        (
            "calendly",
            r#"{"event":"invitee_no_show.created","payload":{"uri":"x"}}"#,
        ),
        (
            "intercom",
            r#"{"type":"notification_event","topic":"ping","data":{"item":{}}}"#,
        ),
        (
            "intercom",
            r#"{"type":"notification_event","topic":"contact.user.updated"}"#,
        ),
        (
            "tiktok",
            r#"{"client_key":"k","event":"post.publish.complete","content":"{}"}"#,
        ),
        (
            "hubspot",
            r#"[{"subscriptionType":"contact.deletion","objectId":1}]"#,
        ),
        ("hubspot", "[]"),
    ];
    for (name, body) in cases {
        let sample = signed(&source(name), JSON, body.as_bytes(), NOW);
        assert!(is_ignored(name, &sample), "{name} {body}");
        assert!(!is_ignored(name, &sample_of(body)), "{name} unsigned");
    }
    let head = Sample {
        method: "HEAD",
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    assert!(is_ignored("intercom", &head));
    let bare = signed(
        &source("intercom"),
        JSON,
        br#"{"type":"contact","id":"1"}"#,
        NOW,
    );
    assert_eq!(status("intercom", &bare), Some(400));
}

fn sample_of(body: &str) -> Sample {
    sample(JSON, body)
}

/// Signatures made by Python's hmac, not by us.
#[test]
fn signatures_of_others_fit_and_changed_ones_do_not() {
    let body = r#"{"event":"invitee.canceled"}"#;
    let at = "1790000000";
    let good = "db6fa75bdd92dffbd8af6d24062df0594361c52eb5c9f8eace0c9eb8955aee0a";
    let cases = [
        (format!("t={at},v1={good}"), None),
        (format!("v1=00, v1={good},t={at}"), None),
        (format!("t={at},v0={good}"), Some(401)),
        (format!("t=1790000001,v1={good}"), Some(401)),
        (format!("t={at},t={at},v1={good}"), Some(401)),
        (format!("t=-1,v1={good}"), Some(401)),
        (format!("t=99999999999999999999,v1={good}"), Some(401)),
        (format!("t=999999999999999,v1={good}"), Some(401)),
        (format!("v1={good}"), Some(401)),
        (format!("t={at},v1={}", good.to_uppercase()), Some(401)),
        (String::new(), Some(401)),
    ];
    for (value, wanted) in cases {
        let sample = with(
            sample(JSON, body),
            &[("calendly-webhook-signature", &value)],
        );
        assert_eq!(status("calendly", &sample), wanted, "{value}");
    }
    let body = r#"{"type":"notification_event","topic":"ping"}"#;
    for (value, wanted) in [
        ("sha1=afd46c2e2b3cd345f03cef349d0d10c6ebe3542a", None),
        ("afd46c2e2b3cd345f03cef349d0d10c6ebe3542a", Some(401)),
        ("sha1=", Some(401)),
    ] {
        let sample = with(sample(JSON, body), &[("x-hub-signature", value)]);
        assert_eq!(status("intercom", &sample), wanted, "{value}");
    }
    let body = r#"{"entry":[{"id":1,"changes":[{"field":"name","value":"Å 😀"}]}]}"#;
    let open = "861e7a92218e9e2d42de47fdb4b356e40f02c0f1b704587ff5ea5e958eec8796";
    let stamped = "t=1790000000,s=59757ed348f4cb03b626d4b3f12e1c6188e8ae02caa695df7edf27c9a2994cbd";
    for (headers, wanted) in [
        (vec![], None),
        (vec![("x-open-signature", open)], None),
        (vec![("tiktok-signature", stamped)], None),
        (
            vec![("tiktok-signature", stamped), ("x-open-signature", open)],
            None,
        ),
        (vec![("x-open-signature", "00")], Some(401)),
        (
            vec![("x-open-signature", open), ("x-open-signature", open)],
            Some(401),
        ),
        (vec![("tiktok-signature", "t=1790000000,s=00")], Some(401)),
        (
            vec![("tiktok-signature", "00"), ("x-open-signature", open)],
            Some(401),
        ),
    ] {
        let sample = with(keyed(JSON, body), &headers);
        assert_eq!(status("tiktok", &sample), wanted, "{headers:?}");
    }
}
