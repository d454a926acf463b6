//! A store that refuses one row.

use leadgate::clock::SECOND;
use leadgate::flow::Command;
use leadgate::lead::Stage;

use crate::house::plan;
use crate::process::until;

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
