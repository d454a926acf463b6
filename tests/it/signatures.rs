//! Forged, damaged, stale and repeated signatures over real HTTP: who cannot sign gets nothing in.

use leadgate::secret::{hex, hmac_sha256};
use standardwebhooks::Webhook;

use crate::house::{House, TUESDAY, plan};

const SOURCES: &str = r#"
[signed]
adapter = "webhook"
auth = "standard"
secrets = ["whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldw==", "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZA=="]
[hashed]
adapter = "webhook"
auth = "hmac"
header = "X-Hub-Signature-256"
prefix = "sha256="
secret = "plain-secret"
"#;
const NEW: &str = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldw==";
const OLD: &str = "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZA==";
const FOREIGN: &str = "whsec_Zm9yZWlnbi1mb3JlaWduLWZvcmVpZ24tZm9yZWlnbg==";
const BODY: &str = r#"{"name":"Mia","email":"mia@werk.example"}"#;
const NOW: i64 = TUESDAY / 1_000;

/// A Standard Webhooks request, signed by a library that is not ours.
struct Signed {
    id: String,
    at: String,
    signature: String,
    body: String,
}

fn signed(secret: &str, id: &str, at: i64) -> Signed {
    let library = Webhook::new(secret).unwrap();
    Signed {
        id: id.into(),
        at: at.to_string(),
        signature: library.sign(id, at, BODY.as_bytes()).unwrap(),
        body: BODY.into(),
    }
}

impl Signed {
    async fn post(&self, house: &House) -> u16 {
        let headers = [
            ("webhook-id", self.id.as_str()),
            ("webhook-timestamp", &self.at),
            ("webhook-signature", &self.signature),
        ];
        send(house, "signed", &headers, &self.body).await
    }
}

async fn send(house: &House, source: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let mut request = house
        .client
        .post(house.url(&format!("/in/{source}")))
        .header("content-type", "application/json")
        .body(body.to_owned());
    for (name, value) in headers.iter().filter(|(_, value)| *value != "(none)") {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_signature_that_is_forged_damaged_or_stale_gets_nothing_in() {
    let house = plan().file("config/sources.toml", SOURCES).build().await;
    let good = || signed(NEW, "msg_1", NOW);
    let with = |change: &dyn Fn(&mut Signed)| {
        let mut signed = good();
        change(&mut signed);
        signed
    };
    let bare = good().signature.replace("v1,", "");
    let cases: Vec<(&str, Signed)> = vec![
        ("none", with(&|s| s.signature = "(none)".into())),
        ("empty", with(&|s| s.signature = String::new())),
        ("only its name", with(&|s| s.signature = "v1,".into())),
        ("cut off", with(&|s| s.signature.truncate(20))),
        ("too long", with(&|s| s.signature.push_str("AAAA"))),
        ("no base64", with(&|s| s.signature = "v1,!!!!".into())),
        (
            "in hexadecimal",
            with(&|s| s.signature = format!("v1,{}", hex(bare.as_bytes()))),
        ),
        (
            "in capitals",
            with(&|s| s.signature = format!("v1,{}", bare.to_uppercase())),
        ),
        ("by a stranger", signed(FOREIGN, "msg_1", NOW)),
        (
            "of another body",
            with(&|s| s.body = BODY.replace("Mia", "Eve")),
        ),
        (
            "of the body before it was formatted",
            with(&|s| s.body = BODY.replace(':', ": ")),
        ),
        (
            "behind fifty others",
            with(&|s| s.signature = format!("{} {}", ["v1,AAAA"; 50].join(" "), s.signature)),
        ),
        ("of another id", with(&|s| s.id = "msg_2".into())),
        ("without an id", with(&|s| s.id = "(none)".into())),
        ("of an id with a dot", signed(NEW, "msg.1", NOW)),
        ("of another time", with(&|s| s.at = (NOW + 1).to_string())),
        ("without a time", with(&|s| s.at = "(none)".into())),
        ("six minutes old", signed(NEW, "msg_1", NOW - 360)),
        ("six minutes ahead", signed(NEW, "msg_1", NOW + 360)),
        ("of no number", with(&|s| s.at = "noon".into())),
        ("of half a second", with(&|s| s.at = format!("{NOW}.5"))),
        (
            "of an absurd number",
            with(&|s| s.at = format!("1{}", "0".repeat(30))),
        ),
        (
            "of an older scheme",
            with(&|s| s.signature = format!("v0,{bare}")),
        ),
        (
            "of an older scheme, as others write it",
            with(&|s| s.signature = format!("v0={bare}")),
        ),
        ("without a scheme", with(&|s| s.signature.clone_from(&bare))),
        (
            "of no algorithm",
            with(&|s| s.signature = "alg:none".into()),
        ),
    ];
    for (what, signed) in &cases {
        assert_eq!(signed.post(&house).await, 401, "a signature {what}");
    }
    house.work().await;
    assert!(house.leads().is_empty(), "nothing of it became a lead");
    assert_eq!(good().post(&house).await, 202, "the good one still fits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_signature_fits_by_its_own_hash_spelling_and_bytes_only() {
    let house = plan().file("config/sources.toml", SOURCES).build().await;
    let hash = hex(&hmac_sha256(b"plain-secret", &[BODY.as_bytes()]));
    let name = "x-hub-signature-256";
    let good = format!("sha256={hash}");
    let cases: Vec<(&str, Vec<(&str, String)>)> = vec![
        ("none", vec![]),
        ("empty", vec![(name, String::new())]),
        ("only its name", vec![(name, "sha256=".into())]),
        ("without its name", vec![(name, hash.clone())]),
        ("cut off", vec![(name, good[..40].into())]),
        ("too long", vec![(name, format!("{good}00"))]),
        (
            "no hexadecimal",
            vec![(name, format!("sha256={}", "z".repeat(64)))],
        ),
        (
            "in capitals",
            vec![(name, format!("sha256={}", hash.to_uppercase()))],
        ),
        (
            "by a weaker hash",
            vec![("x-hub-signature", format!("sha1={}", &hash[..40]))],
        ),
        ("under a weaker name", vec![(name, format!("sha1={hash}"))]),
        ("twice", vec![(name, good.clone()), (name, good.clone())]),
    ];
    for (what, headers) in &cases {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let status = send(&house, "hashed", &headers, BODY).await;
        assert_eq!(status, 401, "a signature {what}");
    }
    let spaced = BODY.replace(':', ": ");
    let status = send(&house, "hashed", &[(name, &good)], &spaced).await;
    assert_eq!(status, 401, "the body was formatted anew");
    house.work().await;
    assert!(house.leads().is_empty(), "nothing of it became a lead");
    assert_eq!(send(&house, "hashed", &[(name, &good)], BODY).await, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_no_second_lead_and_an_old_secret_ends_with_its_rotation() {
    let house = plan().file("config/sources.toml", SOURCES).build().await;
    let (first, replay) = (signed(OLD, "msg_1", NOW), signed(OLD, "msg_1", NOW));
    assert_eq!(first.post(&house).await, 202, "both secrets hold");
    assert_eq!(replay.post(&house).await, 202, "in time it is answered");
    assert_eq!(signed(NEW, "msg_2", NOW).post(&house).await, 202);
    house.work().await;
    assert_eq!(house.leads().len(), 2, "and is no second lead");

    house.write(
        "config/sources.toml",
        &SOURCES.replace(&format!(", \"{OLD}\""), ""),
    );
    assert!(house.daemon.reload().await.unwrap());
    assert_eq!(signed(OLD, "msg_3", NOW).post(&house).await, 401);
    assert_eq!(signed(NEW, "msg_3", NOW).post(&house).await, 202);

    house.pass(6 * 60 * 1_000).await;
    let late = signed(NEW, "msg_3", NOW);
    assert_eq!(late.post(&house).await, 401, "later it is too old");
    house.work().await;
    assert_eq!(house.leads().len(), 3);
}
