//! What senders are told, and what is stored of it.

use leadgate::clock::MINUTE;
use leadgate::lead::Stage;

use crate::house::plan;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_copies_at_once_are_one_lead_with_one_receipt() {
    let house = plan().build().await;
    let body = r#"{"name":"Ana","email":"ana@werk.example"}"#;
    let copies = (0..50).map(|_| house.post("form", body));
    let answers = futures_util::future::join_all(copies).await;
    let first = &answers[0];
    assert!(
        answers
            .iter()
            .all(|answer| answer == first && answer.0 == 202),
        "{answers:?}"
    );
    house.work().await;
    assert_eq!(house.leads().len(), 1);
    house.clock.advance(11 * MINUTE);
    let later = house.post("form", body).await;
    assert_ne!(&later, first, "after ten minutes it is a new inquiry");
    house.work().await;
    assert_eq!(house.leads().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_with_other_content_is_the_same_lead_and_a_conflict() {
    let house = plan().build().await;
    let send = async |body: &'static str| {
        let request = house.client.post(house.url("/in/hook"));
        let request = request
            .header("authorization", "Bearer k3y")
            .header("idempotency-key", "k1");
        let answer = request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await;
        let text = answer.unwrap().text().await.unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let first = send(r#"{"email":"a@b.example"}"#).await;
    assert_eq!(first["verdict"], "accepted");
    let again = send(r#"{"email":"a@b.example"}"#).await;
    assert_eq!(again, first, "a repeat gets the same receipt and verdict");
    let other = send(r#"{"email":"c@d.example"}"#).await;
    assert_eq!(other["receipt"], first["receipt"]);
    house.work().await;
    assert_eq!(house.leads().len(), 1);
    let line = house.line(first["receipt"].as_str().unwrap());
    assert!(line.contains("conflict"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_holds_a_lead_and_its_conflict_is_decided_like_any_other() {
    let batch = "[batch]\nadapter = \"webhook\"\nauth = \"bearer\"\nkey = \"k3y\"\nid = \"$.id\"\nitems = \"$.leads\"\n[hook]";
    let sources = crate::house::SOURCES.replace("[hook]", batch);
    let house = plan().file("config/sources.toml", &sources).build().await;
    let body = r#"{"leads":[{"id":"1","email":"a@b.example"},{"id":"1","email":"c@d.example"},{"id":"2","email":"e@f.example"}]}"#;
    let (status, answer) = house.post("batch", body).await;
    assert_eq!(status, 202);
    house.work().await;
    let receipts: Vec<_> = answer["receipts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|r| r.as_str())
        .collect();
    assert_eq!((receipts.len(), receipts[0] == receipts[1]), (3, true));
    assert_eq!(house.leads().len(), 2);
    assert!(
        house.line(receipts[0]).contains("conflict"),
        "{}",
        house.line(receipts[0])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_asks_gets_the_verdict_and_a_test_lead_counts_nowhere() {
    let sources = crate::house::SOURCES.replace(
        "[hook]",
        "[google]\nadapter = \"google\"\nkey = \"gk\"\n[hook]",
    );
    let house = plan().file("config/sources.toml", &sources).build().await;
    let (status, answer) = house.post("hook", r#"{"name":"No contact"}"#).await;
    assert_eq!(
        (status, answer["verdict"].as_str()),
        (202, Some("rejected"))
    );
    assert_eq!(answer["reason"], "no contact");
    let test = r#"{"lead_id":"1","google_key":"gk","is_test":true,"user_column_data":[{"column_id":"EMAIL","string_value":"test@example.com"}]}"#;
    for _ in 0..2 {
        let (status, answer) = house.post("google", test).await;
        assert_eq!((status, answer), (200, serde_json::json!({})));
    }
    house.work().await;
    let tests: Vec<_> = house
        .leads()
        .into_iter()
        .filter(|lead| lead.inquiry.is_test)
        .collect();
    assert_eq!(tests.len(), 1);
    assert_eq!(
        house.line(&tests[0].id.to_string()),
        "received, accepted, graded B, tested for ana"
    );
    assert!(house.mailbox.mails().is_empty());
    let real = house.lead(1).await;
    house.work().await;
    assert_eq!(
        house.find(&real).owner.as_deref(),
        Some("ana"),
        "the test took nobody's turn"
    );
    assert_eq!(house.find(&real).stage, Stage::Offered);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_from_one_client_are_told_when_to_come_again() {
    let sources = crate::house::SOURCES.replace(
        "country = \"DE\"",
        "country = \"DE\"\n[form.limits]\nper_client_per_minute = 3",
    );
    let house = plan().file("config/sources.toml", &sources).build().await;
    let mut statuses = Vec::new();
    for n in 0..5 {
        statuses.push(
            house
                .post("form", &format!(r#"{{"email":"a{n}@b.example"}}"#))
                .await
                .0,
        );
    }
    assert_eq!(statuses, [202, 202, 202, 429, 429]);
}
