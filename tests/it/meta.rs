//! Meta Lead Ads: notifications over HTTP, and leads fetched from a scripted Graph API.

use std::time::Duration;

use leadgate::lead::Stage;
use leadgate::secret::{hex, hmac_sha256};

use crate::far_end::{Answer, FarEnd};
use crate::house::{House, plan};
use crate::process::{Home, client, until};

const SECRET: &str = "s3cret";
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) fn sources(graph: &str, token: &str) -> String {
    format!(
        "[meta]\nadapter = \"meta\"\napp_secret = \"{SECRET}\"\nverify_token = \"v3rify\"\n\
         access_token = \"{token}\"\napi_url = \"{graph}\"\n\
         [form]\nadapter = \"form\"\ncountry = \"DE\"\n"
    )
}

pub(crate) async fn house(graph: &FarEnd) -> House {
    plan()
        .file("config/sources.toml", &sources(&graph.url(""), "t0ken"))
        .env("LEADGATE_OUTBOUND__ALLOW_PRIVATE", "127.0.0.0/8")
        .env("LEADGATE_FLOW__FETCH_TIMEOUT_S", "1")
        .env("LEADGATE_MAIL__ALARM_TO", "ops@leads.example")
        .build()
        .await
}

pub(crate) fn notification(ids: &[u64]) -> String {
    let change = |id: &u64| {
        format!(
            r#"{{"field":"leadgen","value":{{"leadgen_id":"{id}","page_id":"9","form_id":"5","created_time":1630087926}}}}"#
        )
    };
    let changes: Vec<_> = ids.iter().map(change).collect();
    format!(
        r#"{{"object":"page","entry":[{{"id":"9","time":1630087927,"changes":[{}]}}]}}"#,
        changes.join(",")
    )
}

pub(crate) fn lead(id: u64, name: &str) -> Answer {
    let body = format!(
        r#"{{"id":"{id}","created_time":"2021-08-27T18:12:06+0000","platform":"ig","field_data":[
            {{"name":"full_name","values":["{name}"]}},{{"name":"email","values":["p{id}@werk.example"]}},
            {{"name":"company_name","values":["Werk"]}},{{"name":"which_colour?","values":["blue"]}}],
            "custom_disclaimer_responses":[{{"checkbox_key":"calls","is_checked":"1"}}]}}"#
    );
    Answer::json(200, &body)
}

pub(crate) fn signed(url: &str, body: &str, client: &reqwest::Client) -> reqwest::RequestBuilder {
    let signature = hex(&hmac_sha256(SECRET.as_bytes(), &[body.as_bytes()]));
    client
        .post(url)
        .header("content-type", "application/json")
        .header("x-hub-signature-256", format!("sha256={signature}"))
        .body(body.to_owned())
}

pub(crate) async fn notify(house: &House, ids: &[u64]) {
    let url = house.url("/in/meta");
    let answer = signed(&url, &notification(ids), &house.client).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.text().await.unwrap(), "{}");
}

/// One lead notified and worked on; its name.
pub(crate) async fn one(house: &House, id: u64) -> String {
    notify(house, &[id]).await;
    house.work().await;
    let leads = house.leads();
    let id = id.to_string();
    let lead = leads
        .iter()
        .find(|lead| lead.inquiry.attribution.0["leadgen_id"] == id);
    lead.unwrap().id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn metas_handshake_and_signature_are_asked_for_over_http() {
    let graph = FarEnd::start().await;
    let house = house(&graph).await;
    let url = house.url("/in/meta");
    let hub = |token: &str| {
        format!("{url}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}")
    };
    let answer = house.client.get(hub("v3rify")).send().await.unwrap();
    let kind = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(kind.starts_with("text/plain"), "{kind}");
    assert_eq!(answer.text().await.unwrap(), "1158201444");
    assert_eq!(house.get(&hub("other")).await.0, 403);
    let body = notification(&[1]);
    let forged = signed(&url, &body, &house.client).body(body.replace("\"1\"", "\"2\""));
    assert_eq!(forged.send().await.unwrap().status().as_u16(), 401);
    let other =
        r#"{"object":"user","entry":[{"id":"1","changes":[{"field":"photos","value":{}}]}]}"#;
    let answer = signed(&url, other, &house.client).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    house.work().await;
    assert!(house.leads().is_empty() && graph.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_fetched_read_and_given_to_a_rep() {
    let graph = FarEnd::start().await;
    graph.stand("/v25.0/7?", lead(7, "Mia Groß"));
    let house = house(&graph).await;
    let id = one(&house, 7).await;
    assert_eq!(
        house.line(&id),
        "received, fetched, accepted, graded A, offered ana, attempted delivered"
    );
    let found = house.find(&id).inquiry;
    assert_eq!(found.fields.name.as_deref(), Some("Mia Groß"));
    assert_eq!(found.fields.get("which_colour?"), Some("blue"));
    assert_eq!(found.attribution.0["platform"], "ig");
    assert_eq!(found.attribution.0["page_id"], "9");
    assert!(found.consent[0].given && found.consent[0].key == "calls");
    let asked = &graph.seen()[0];
    assert_eq!(asked.method, "GET");
    assert!(
        asked.target.contains("custom_disclaimer_responses"),
        "it is not given unasked"
    );
    assert!(
        asked.target.ends_with("access_token=t0ken"),
        "{}",
        asked.target
    );
    assert!(house.mailbox.mails()[0].raw.contains("Werk"));
    // The same person by another way, then again by Meta: whoever comes later is known.
    let form = r#"{"name":"Mia","email":"P7@werk.example","company":"Werk"}"#;
    house.post("form", form).await;
    graph.stand("/v25.0/8?", {
        let Answer::Say(_, _, body) = lead(8, "Mia") else {
            panic!()
        };
        Answer::json(200, &String::from_utf8(body).unwrap().replace("p8@", "p7@"))
    });
    let again = one(&house, 8).await;
    let (seq, flow) = (house.find(&again).seq, house.daemon.flow());
    let facts = flow.ledger.read(|r| r.facts(seq)).unwrap();
    assert_eq!(facts.seen.times, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_1000_with_3_repeats_is_997_leads_and_a_repeat_of_it_nothing() {
    let graph = FarEnd::start().await;
    let house = plan()
        .file("config/sources.toml", &sources(&graph.url(""), "t0ken"))
        .env("LEADGATE_OUTBOUND__ALLOW_PRIVATE", "127.0.0.0/8")
        // No mails, which are none of this test's.
        .file("rules/screen.rhai", "reject \"read\" when lead.has_email;\n")
        .build()
        .await;
    let mut ids: Vec<u64> = (0..997).map(|n| 12_021_000_000_000_000 + n).collect();
    for id in &ids {
        graph.stand(&format!("/v25.0/{id}?"), lead(*id, "Person"));
    }
    ids.extend([ids[0], ids[0], ids[500]]);
    for _ in 0..2 {
        notify(&house, &ids).await;
        house.work().await;
        let leads = house.leads();
        assert_eq!(leads.len(), 997);
        for lead in leads {
            assert_eq!(lead.stage, Stage::Rejected, "{:?}", lead.reason);
            let id = &lead.inquiry.attribution.0["leadgen_id"];
            let email = format!("p{id}@werk.example");
            assert_eq!(lead.inquiry.fields.get("email"), Some(email.as_str()));
        }
        assert_eq!(graph.seen().len(), 997, "each is fetched once");
    }
    assert!(
        graph.most_at_once() <= 8,
        "{} at once",
        graph.most_at_once()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_fetches_it_fetches_again_and_has_one_lead() {
    let graph = FarEnd::start().await;
    graph.stand("", Answer::Hang);
    let home = Home::new();
    let file = home.dir.path().join("sources.toml");
    std::fs::write(&file, sources(&graph.url(""), "t0ken")).unwrap();
    let home = home
        .env("LEADGATE_POLICY__SOURCES", file.to_str().unwrap())
        .env("LEADGATE_OUTBOUND__ALLOW_PRIVATE", "127.0.0.1");
    let daemon = home.start().await;
    let url = home.url("/in/meta");
    let send = || signed(&url, &notification(&[7, 8]), &client()).send();
    assert!(send().await.unwrap().status().is_success());
    graph.wait_for(2, DEADLINE).await;
    daemon.kill().await;
    for id in [7, 8] {
        graph.stand(&format!("/v25.0/{id}?"), lead(id, "Person"));
    }
    let _daemon = home.start().await;
    assert!(send().await.unwrap().status().is_success());
    until(|| async { home.leads().iter().all(|lead| lead.stage == Stage::Offered) }).await;
    assert_eq!(home.leads().len(), 2);
    assert_eq!(graph.seen().len(), 4);
    let log = home.log();
    assert!(!log.contains("t0ken") && !log.contains("Person"), "{log}");
}
