//! What is asked of `HubSpot` only: its signatures by version, and how events are named.

use super::networks_own::with;
use super::{NOW, committed, refused, sample, signed, source, status};
use crate::document::Overrides;
use crate::secret::Secret;
use crate::source::Sources;

const JSON: &str = "application/json";

const HUBSPOT: &str = r#"
[v3]
adapter = "hubspot"
secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
address = "https://www.example.com/webhook_uri"

[old]
adapter = "hubspot"
secrets = ["other", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"]
address = "https://www.example.com/webhook_uri"
legacy = true
"#;

#[test]
fn hubspots_signatures_are_verified_by_their_version() {
    let secrets = |text: &str| Ok(Secret::new(text));
    let sources = Sources::parse("s.toml", HUBSPOT, &Overrides::new(), &secrets).unwrap();
    let body =
        r#"[{"eventId":7,"subscriptionType":"contact.creation","objectId":123,"occurredAt":1}]"#;
    let (v1, v2) = (
        "516a0ae94a15d9cae8a37ff3554242330bafc7cbec65bff0c622da1175b124c9",
        "8c9cd6f8090a941dd55d7b1fa9331691382dbdfd5bffcc10207f3a9ee5218e89",
    );
    let (v3, late) = (
        "BhgiX4LIsH0+Yp1mmyyHbn50c1OIYq/qHb9/XvGI4Qs=",
        "DJu3OC7ruTvrOedvXDcTRO0GCVJdKl3QwBRS6cWG5C0=",
    );
    let at = "1790000000000";
    let legacy = |version, value| {
        let name = "x-hubspot-signature-version";
        vec![("x-hubspot-signature", value), (name, version)]
    };
    let newest = |value, at| {
        let name = "x-hubspot-request-timestamp";
        vec![("x-hubspot-signature-v3", value), (name, at)]
    };
    let cases = [
        ("v3", newest(v3, at), "", None),
        ("old", newest(v3, at), "", None),
        ("v3", newest(v3, "1790000000001"), "", Some(401)),
        ("v3", newest(v3, "1790000000"), "", Some(401)),
        (
            "v3",
            newest("6KZ1X9VSY5+Gn059e7agV1l8uCdXUXHC/H6GYiFFaKQ=", at),
            "a=%3A%2f%20",
            None,
        ),
        ("v3", newest(v3, at), "a=1", Some(401)),
        ("v3", newest(late, "1789999600000"), "", Some(401)),
        ("v3", vec![("x-hubspot-signature-v3", v3)], "", Some(401)),
        ("v3", legacy("v1", v1), "", Some(401)),
        ("old", legacy("v1", v1), "", None),
        ("old", legacy("v2", v2), "", None),
        ("old", legacy("v2", v1), "", Some(401)),
        ("old", legacy("v4", v1), "", Some(401)),
        // Whoever leaves the newest out gains nothing by a broken one.
        (
            "old",
            [legacy("v1", v1), newest("x", at)].concat(),
            "",
            Some(401),
        ),
    ];
    for (name, headers, query, wanted) in cases {
        let source = sources.get(name).unwrap();
        let mut sample = with(sample(JSON, body), &headers);
        sample.query = query.into();
        assert_eq!(refused(source, &sample, NOW), wanted, "{name} {headers:?}");
    }
    let text = HUBSPOT.replace("www.example.com/webhook_uri", "");
    let problems = Sources::parse("s.toml", &text, &Overrides::new(), &secrets).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn hubspots_events_are_named_apart_and_a_repeat_is_not() {
    let source = source("hubspot");
    let event = |id: u32, attempt: u32, kind: &str| {
        format!(
            r#"{{"eventId":{id},"subscriptionType":"{kind}","objectId":12345678901234567,
                "occurredAt":1790000000000,"portalId":1,"attemptNumber":{attempt}}}"#
        )
    };
    let batch = |attempt| {
        let created = "contact.creation";
        let all = [
            event(1, attempt, created),
            event(2, attempt, "contact.propertyChange"),
            event(3, attempt, created),
        ];
        let body = format!("[{}]", all.join(","));
        let sample = signed(&source, JSON, body.as_bytes(), NOW);
        committed(&source, &sample, NOW)
    };
    let (submission, names) = batch(0);
    let wanted = ["1", "3"].map(|id| format!("event/{id}/1790000000000/12345678901234567"));
    assert_eq!(names, wanted);
    assert_eq!(names, batch(5).1);
    let inquiries = source.adapter.parse(&source, &submission).unwrap();
    let contacts: Vec<_> = inquiries
        .iter()
        .map(|i| &i.attribution.0["contact_id"])
        .collect();
    assert_eq!(contacts, ["12345678901234567"; 2]);
    for body in [
        r#"[{"subscriptionType":"contact.creation"}]"#,
        r#"[{"subscriptionType":"contact.creation","objectId":"../1"}]"#,
        r#"[{"objectId":1}]"#,
        "[1]",
        r#"{"vid":1}"#,
    ] {
        let sample = signed(&source, JSON, body.as_bytes(), NOW);
        assert_eq!(status("hubspot", &sample), Some(400), "{body}");
    }
}
