//! A store that refuses rows.

use leadgate::clock::SECOND;
use leadgate::flow::Command;
use leadgate::lead::{Lead, Stage};

use crate::house::plan;
use crate::process::{Home, client, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_cannot_be_written_is_held_and_those_behind_it_go_on() {
    let house = plan().build().await;
    let store = rusqlite::Connection::open(house.dir.path().join("data/ledger.sqlite")).unwrap();
    store
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON leads WHEN NEW.fields LIKE '%Poison%'
             BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .unwrap();
    let before = house.lead(1).await;
    let body = r#"{"name":"Poison","email":"p@werk.example","company":"Werk"}"#;
    let (status, poison) = house.post("form", body).await;
    assert_eq!(status, 202);
    let poison = poison["receipt"].as_str().unwrap().to_owned();
    let mut behind = Vec::new();
    for n in 2..8 {
        let body = format!(r#"{{"name":"N {n}","email":"n{n}@werk.example","company":"Werk"}}"#);
        // Who rode in one commit with the refused verdict is told to come again.
        let (mut status, mut answer) = house.post("form", &body).await;
        while status == 503 {
            (status, answer) = house.post("form", &body).await;
        }
        assert_eq!(status, 202);
        behind.push(answer["receipt"].as_str().unwrap().to_owned());
    }
    until(|| async { house.leads().len() == 8 }).await;
    let held = house.find(&poison);
    assert_eq!(held.stage, Stage::Held);
    assert!(held.reason.unwrap().contains("could not be written"));
    house.work().await;
    for id in behind.iter().chain([&before]) {
        assert_eq!(house.find(id).stage, Stage::Offered);
    }
    store.execute_batch("DROP TRIGGER refuse").unwrap();
    house.command(&poison, Command::Rescreen).unwrap();
    house.pass(SECOND).await;
    assert_eq!(
        house.find(&poison).inquiry.fields.name.as_deref(),
        Some("Poison")
    );
    assert_eq!(house.find(&poison).stage, Stage::Offered);
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_that_a_mended_policy_did_not_reach_are_reached_later_or_at_the_next_start() {
    for is_killed in [false, true] {
        let home = Home::new();
        let rules = home.dir.path().join("rules");
        std::fs::create_dir(&rules).unwrap();
        let write = |name: &str, text: &str| std::fs::write(rules.join(name), text).unwrap();
        write("screen.rhai", "");
        write("route.rhai", "route \"inbound\";\n");
        write(
            "grade.rhai",
            "score 5 \"x\" when 10 / points > 1;\ngrade \"A\";\n",
        );
        let home = home.env("LEADGATE_POLICY__RULES", rules.to_str().unwrap());
        let mut daemon = home.start().await;
        let posting = client()
            .post(home.url("/in/website"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("name=Mia&email=mia@werk.example");
        assert!(posting.send().await.unwrap().status().is_success());
        let is_held = || home.leads().iter().any(|lead| lead.stage == Stage::Held);
        until(|| async { is_held() }).await;

        let store = rusqlite::Connection::open(home.data().join("ledger.sqlite")).unwrap();
        let refuse = "CREATE TRIGGER refuse BEFORE UPDATE OF stage ON leads
                      BEGIN SELECT RAISE(ABORT, 'no'); END";
        store.execute_batch(refuse).unwrap();
        write("grade.rhai", "grade \"A\";\n");
        until(|| async { home.log().contains("not all earlier leads were held") }).await;
        assert!(is_held());
        assert!(home.log().contains("a new policy is at work"));
        assert!(!home.log().contains("refused"), "{}", home.log());
        let drop_trigger = || store.execute_batch("DROP TRIGGER refuse").unwrap();
        if is_killed {
            daemon.kill().await;
            drop_trigger();
            daemon = home.start().await;
        } else {
            drop_trigger();
        }
        until(|| async { !is_held() }).await;
        assert_eq!(daemon.stop().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_rested_from_and_holds_no_lead() {
    let home = Home::new();
    let mut daemon = home.start().await;
    let client = client();
    let post = async |name: &str| {
        let posting = client
            .post(home.url("/in/website"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("name={name}&email={name}@werk.example"));
        posting.send().await.unwrap().status().as_u16()
    };
    let ready = async || {
        let asked = client.get(home.url("/readyz")).send().await.unwrap();
        (asked.status().as_u16(), asked.text().await.unwrap())
    };
    let store = rusqlite::Connection::open(home.data().join("ledger.sqlite")).unwrap();
    let fill = |table: &str, which: &str| {
        let sql = format!(
            "CREATE TRIGGER full_{table} BEFORE INSERT ON {table} {which}
             BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        );
        store.execute_batch(&sql).unwrap();
    };
    let began = std::time::Instant::now();
    fill("leads", "");
    assert_eq!(post("one").await, 200);
    let failures = || home.log().matches("they are tried again").count();
    until(|| async { failures() >= 6 }).await;
    assert!(
        began.elapsed() > std::time::Duration::from_secs(2),
        "no rest"
    );

    fill("submissions", "");
    fill("meta", "WHEN NEW.key = 'room_looked_for_at'");
    assert_eq!(post("two").await, 503);
    let (status, text) = ready().await;
    assert!(status == 503 && text.contains("disk is full"), "{text}");
    for table in ["leads", "submissions", "meta"] {
        let sql = format!("DROP TRIGGER full_{table}");
        store.execute_batch(&sql).unwrap();
    }
    until(|| async { ready().await == (200, "ready\n".into()) }).await;
    assert_eq!(post("two").await, 200);
    until(|| async { home.leads().len() == 2 }).await;
    let held = |lead: &Lead| lead.stage == Stage::Held;
    assert!(!home.leads().iter().any(held) && !home.log().contains("parked"));
    assert_eq!(daemon.stop().await, Some(0));
}
