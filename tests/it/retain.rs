//! Old data goes by itself, and what is not done stays.

use leadgate::clock::DAY;
use leadgate::flow::Command;
use leadgate::lead::{Outcome, Stage};
use leadgate::ledger::Tx;

use crate::forget::{found_in, person, post, run};
use crate::house::{House, plan};

const SCREEN: &str = "reject \"no contact\" when !lead.has_email && !lead.has_phone;\n\
                  hold \"look\" when lead.fields.wait == \"yes\";\n";

async fn receipt(house: &House, body: &str) -> String {
    let (_, answer) = house.post("form", body).await;
    answer["receipt"].as_str().unwrap().to_owned()
}

async fn tidy_up(house: &House) {
    while house.daemon.flow().retain().await.unwrap() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_by_class_and_what_is_not_done_stays() {
    let house = plan()
        .file("rules/screen.rhai", SCREEN)
        .env("LEADGATE_MAIL__TRANSPORT", "outbox")
        .build()
        .await;
    let rejected = receipt(&house, r#"{"name":"Nobody"}"#).await;
    let won = post(&house, "k1", &person("Werk A")).await;
    let held = r#"{"name":"Held","email":"h@werk.example","wait":"yes"}"#;
    let held = receipt(&house, held).await;
    house.work().await;
    let open = house.lead(2).await;
    house.work().await;
    let close = Command::Close {
        outcome: Outcome::Won,
        value: Some(100),
        currency: Some("EUR".into()),
        why: None,
    };
    house.command(&won, close).unwrap();
    let seq = house.find(&won).seq;
    let ledger = house.daemon.flow().ledger.clone();
    let keep = move |tx: &Tx<'_>| tx.set_fetched(seq, b"{}", 1);
    ledger.write_blocking(keep).unwrap();
    let raw = |id: &str| {
        let lead = house.find(id);
        let submission = house
            .daemon
            .flow()
            .ledger
            .read(|r| r.submission(lead.submission));
        submission.unwrap().unwrap().submission.raw.len()
    };
    let says = |id: &str| house.find(id).inquiry.fields.name.is_some();
    // Days, whose raw submission is there, and whose fields are.
    let cases = [
        (89, [true, true, true], [true, true, true]),
        (2, [false, false, false], [true, true, true]),
        (90, [false, false, false], [false, true, true]),
        (1_000, [false, false, false], [false, false, true]),
    ];
    for (days, submissions, fields) in cases {
        house.clock.advance(days * DAY);
        tidy_up(&house).await;
        let ids = [&rejected, &won, &open];
        assert_eq!(ids.map(|id| raw(id) > 0), submissions, "{days}");
        assert_eq!(ids.map(|id| says(id)), fields, "{days}");
        assert!(says(&held), "a held lead is not done");
        let fetched = ledger.read(|r| r.fetched(seq)).unwrap();
        assert_eq!(fetched.is_some(), submissions[1], "{days}");
    }
    assert_eq!(house.find(&rejected).reason.as_deref(), Some("no contact"));
    assert_eq!(house.find(&won).stage, Stage::Closed(Outcome::Won));
    let source = house.find(&won).inquiry.attribution.0;
    assert_eq!(source.get("utm_source").map(String::as_str), Some("brief"));
    assert_eq!(source.len(), 1, "{source:?}");
    assert_eq!(
        found_in(&house.dir.path().join("data/outbox")),
        Vec::<String>::new()
    );
    let refused = house.command(&rejected, Command::Rescreen).unwrap_err();
    assert!(refused.to_string().contains("[retention]"), "{refused}");
    let before: Vec<i64> = house.leads().iter().map(|lead| lead.seq).collect();
    let next = house.lead(3).await;
    house.work().await;
    assert!(
        before.iter().all(|seq| *seq < house.find(&next).seq),
        "no number is given twice"
    );
    let (code, out, _) = run(&house, &["ledger", "verify"]).await;
    assert!(code == Some(0), "{out}");
}
