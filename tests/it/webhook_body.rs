//! What an endpoint is told, whatever the lead wrote, and how it can know who says so.

use std::collections::BTreeMap;

use leadgate::clock::{Clock, MINUTE};
use leadgate::deliver::{Notice, SendResult, Templates};
use standardwebhooks::Webhook;

use crate::channels::{endpoint, endpoints};
use crate::deliver::{by_port, notice};
use crate::far_end::{FarEnd, Seen};
use crate::letter::hostile;

const NEW: &str = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3";
const OLD: &str = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk";
const HOSTILE: [&str; 9] = [
    "\"}, \"x\": {\"y\": \"",
    "a\\",
    "line\r\nline\u{2028}line",
    "]]> <!ENTITY x SYSTEM \"file:///etc/passwd\"> &x;",
    "<script>alert('1')</script> & more",
    "<!channel> <https://evil.example|click> <@U1>",
    "{{ 7*7 }} {% include \"/etc/passwd\" %}",
    "abc\u{202e}gpj.exe\u{0}\u{1}\u{b}\u{1b}[2J\u{fffe}\u{ffff}",
    "😀 Ünï ₿",
];

async fn tell(line: &str, notice: &Notice) -> Seen {
    let far = FarEnd::start().await;
    let mut notice = notice.clone();
    notice.endpoint = Some(endpoint(&far.url("/hook?a=b"), line));
    let templates = Templates::load(&BTreeMap::new(), &endpoints(""));
    let templates = templates.unwrap_or_else(|problems| panic!("{problems:?}"));
    let result = by_port(9).send("webhook", &notice, &templates).await;
    assert_eq!(result, SendResult::Delivered);
    far.seen().remove(0)
}

fn signed_by(seen: &Seen, secret: &str) -> bool {
    let mut headers = reqwest::header::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, seen.header(name).unwrap().parse().unwrap());
    }
    let library = Webhook::new(secret).unwrap();
    library.verify(&seen.body, &headers).is_ok()
}

#[tokio::test]
async fn another_library_verifies_the_signature_with_the_new_secret_and_the_old() {
    let mut notice = notice();
    notice.now = Clock::system().now();
    let both = format!("secret = \"{NEW}\"\nsecret_old = \"{OLD}\"");
    let seen = tell(&both, &notice).await;
    assert!(signed_by(&seen, NEW) && signed_by(&seen, OLD));
    let signature = seen.header("webhook-signature").unwrap();
    assert_eq!(signature.split(' ').count(), 2, "{signature}");
    let seen = tell(&format!("secret = \"{NEW}\""), &notice).await;
    assert!(signed_by(&seen, NEW) && !signed_by(&seen, OLD));
    let mut forged = seen.clone();
    forged.body.push(b' ');
    assert!(!signed_by(&forged, NEW), "every byte counts");
    let seen = tell("template = \"slack\"", &notice).await;
    assert_eq!(
        seen.header("webhook-signature"),
        None,
        "without a secret nothing signs"
    );
}

#[tokio::test]
async fn the_standard_body_is_what_the_documentation_shows() {
    let line = format!("secret = \"{NEW}\"\n[crm.headers]\nAuthorization = \"Bearer t0ken\"");
    let mut notice = notice();
    notice.deadline = Some(notice.now + 30 * MINUTE);
    notice
        .fields
        .other
        .insert("employees".into(), vec!["12".into()]);
    notice
        .attribution
        .0
        .insert("utm_campaign".into(), "spring".into());
    let seen = tell(&line, &notice).await;
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("POST", "/hook?a=b")
    );
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("authorization"), Some("Bearer t0ken"));
    let id = format!("lg_{}_7", notice.lead_id);
    assert_eq!(seen.header("webhook-id"), Some(id.as_str()));
    let docs = include_str!("../../docs/webhooks.md");
    let example = docs
        .split("```json")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let mut wanted: serde_json::Value = serde_json::from_str(example).unwrap();
    let mut found = seen.json();
    for body in [&mut wanted, &mut found] {
        body["data"]["lead"]["id"] = "differs".into();
    }
    assert_eq!(found, wanted, "{found:#}");
}

#[tokio::test]
async fn nothing_that_a_lead_writes_breaks_out_of_a_json_body() {
    for text in HOSTILE {
        let seen = tell(&format!("secret = \"{NEW}\""), &hostile(text)).await;
        let name = seen.json()["data"]["lead"]["fields"]["name"]
            .as_str()
            .unwrap()
            .to_owned();
        let first = text.split(['\r', '\u{202e}']).next().unwrap();
        assert!(name.starts_with(first), "{text:?}: {name:?}");
        let seen = tell("template = \"slack\"", &hostile(text)).await;
        let body = seen.json();
        let keys: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["blocks", "text"], "{text:?}");
        let all = body.to_string();
        for mention in ["<!channel", "<@U1", "<https://evil", "<script"] {
            assert!(!all.contains(mention), "{text:?}: {all}");
        }
        assert!(
            all.contains("<https://leads.example/r/token|Open the lead>"),
            "{all}"
        );
        for block in body["blocks"].as_array().unwrap() {
            let length = block["text"]["text"]
                .as_str()
                .unwrap_or_default()
                .chars()
                .count();
            assert!(length <= 3_000, "Slack takes no more: {length}");
        }
    }
    let seen = tell("template = \"slack\"", &hostile(&"&".repeat(5_000))).await;
    let long = seen.json()["blocks"][0]["text"]["text"].to_string();
    assert!(long.len() <= 3_000, "{}", long.len());
}

#[tokio::test]
async fn an_adf_body_is_xml_whose_texts_are_what_the_lead_wrote() {
    for text in HOSTILE {
        let seen = tell("template = \"adf\"", &hostile(text)).await;
        assert_eq!(
            seen.header("content-type"),
            Some("application/xml; charset=utf-8")
        );
        let body = String::from_utf8(seen.body).unwrap();
        let (name, comments) = (within(&body, "name"), within(&body, "comments"));
        let first = text.split(['\r', '\u{202e}']).next().unwrap();
        assert!(
            name.starts_with(first) && comments.starts_with(first),
            "{text:?}: {body}"
        );
        assert!(
            !body.contains("<!ENTITY") && !body.contains("<script"),
            "{body}"
        );
        assert!(
            !body.contains(['\0', '\u{1}', '\u{b}', '\u{1b}', '\u{fffe}']),
            "{body:?}"
        );
        assert_eq!(body.matches("<prospect").count(), 1);
    }
    let body = tell("template = \"adf\"", &notice()).await.body;
    let body = String::from_utf8(body).unwrap();
    assert!(
        body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?adf version=\"1.0\"?>")
    );
    assert_eq!(
        within(&body, "requestdate"),
        "2026-11-18T12:06:40+01:00",
        "{body}"
    );
    assert_eq!(within(&body, "email"), "ana@acme.example");
    assert_eq!(within(&body, "name"), "Ana Díaz");
    assert_eq!(within(&body, "url"), "https://leads.example/r/token");
}

/// The text of the first element of that name, as a reader of XML has it.
fn within(body: &str, wanted: &str) -> String {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(body);
    let (mut inside, mut text) = (false, String::new());
    loop {
        match reader.read_event().expect(body) {
            Event::Start(start) if start.name().as_ref() == wanted => inside = true,
            Event::End(_) if inside => return text,
            Event::Text(part) if inside => text += part.xml10_content().as_ref(),
            Event::GeneralRef(entity) if inside => {
                let known = [
                    ("amp", '&'),
                    ("lt", '<'),
                    ("gt", '>'),
                    ("quot", '"'),
                    ("#39", '\''),
                ];
                let name = entity.xml10_content().into_owned();
                text.push(known.iter().find(|(known, _)| *known == name).unwrap().1);
            }
            Event::Eof => panic!("no {wanted} in {body}"),
            _ => {}
        }
    }
}
