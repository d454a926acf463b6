//! The life of a lead, as its users live it.

use leadgate::clock::{HOUR, MINUTE, SECOND};
use leadgate::flow::Command;
use leadgate::lead::{Outcome, Stage};

use crate::house::{REPS, plan};
use crate::mailbox::Behaviour;

#[tokio::test(flavor = "multi_thread")]
async fn from_received_to_won_with_a_mail_and_its_link() {
    let house = plan().build().await;
    let id = house.lead(1).await;
    house.work().await;
    assert_eq!(
        house.line(&id),
        "received, accepted, graded A, offered ana, attempted delivered"
    );
    let link = house.links().pop().unwrap();
    for _ in 0..20 {
        let (status, page) = house.get(&link).await;
        assert_eq!(status, 200);
        assert!(page.contains("Person 1") && page.contains("+10"), "{page}");
    }
    assert_eq!(
        house.find(&id).stage,
        Stage::Offered,
        "a scanner changes nothing"
    );
    for form in [
        "action=claim",
        "action=claim",
        "action=contacted",
        "action=won&value=1.200,50&currency=eur",
    ] {
        assert_eq!(house.act(&link, form).await.0, 200, "{form}");
    }
    let (status, page) = house.act(&link, "action=won&value=7&currency=EUR").await;
    assert!(
        status == 200 && page.contains("noted as won"),
        "a repeat shows the same"
    );
    let (status, page) = house.act(&link, "action=lost&reason=No+need").await;
    assert!(
        status == 409 && page.contains("cannot become lost"),
        "{page}"
    );
    assert_eq!(
        house.line(&id),
        "received, accepted, graded A, offered ana, attempted delivered, claimed ana, contacted ana, won"
    );
    for (token, status) in [
        (format!("{link}x"), 403),
        (link.replace("/r/A", "/r/B"), 403),
    ] {
        assert_eq!(house.get(&token).await.0, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_lead_goes_to_the_next_and_the_old_link_is_worth_nothing() {
    let house = plan().build().await;
    let id = house.lead(1).await;
    house.work().await;
    let first = house.links().pop().unwrap();
    let (status, page) = house.act(&first, "action=decline&reason=").await;
    assert!(status == 409 && page.contains("say why"));
    let decline = "action=decline&reason=No+time+now";
    let answer = house.act(&first, decline).await;
    assert!(
        answer.0 == 200 && answer.1.contains("goes to the next"),
        "{answer:?}"
    );
    assert_eq!(house.act(&first, decline).await, answer, "a double click");
    house.work().await;
    assert_eq!(house.find(&id).owner.as_deref(), Some("ben"));
    assert_eq!(house.act(&first, decline).await, answer, "and a late one");
    assert_eq!(house.line(&id).matches("declined").count(), 1);
    assert_eq!(house.get(&first).await.0, 410);
    let (status, page) = house.act(&first, "action=claim").await;
    assert!(
        status == 410 && !page.contains("Person 1"),
        "nothing of the lead is shown"
    );
    let second = house.links().pop().unwrap();
    house.act(&second, decline).await;
    house.work().await;
    let lead = house.find(&id);
    assert_eq!(lead.stage, Stage::Held);
    assert!(house.line(&id).ends_with("declined ben, waiting nobody is left in pool \"main\", held nobody is left in pool \"main\""));
    house
        .command(&id, Command::Assign { rep: "ana".into() })
        .unwrap();
    house.work().await;
    assert_eq!(house.find(&id).owner.as_deref(), Some("ana"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_mail_server_does_the_lead_reaches_a_rep() {
    use Behaviour::{Data, DropAfterData, Greet, Hang, Rcpt};
    let cases: [(&[Behaviour], &str); 6] = [
        (
            &[Greet("421 busy")],
            "offered ana, attempted 421, attempted delivered",
        ),
        (
            &[Rcpt("450 later")],
            "offered ana, attempted 450, attempted delivered",
        ),
        (
            &[DropAfterData],
            "offered ana, attempted no whole answer came, attempted delivered",
        ),
        (
            &[Hang],
            "offered ana, attempted timeout, attempted delivered",
        ),
        (
            &[Rcpt("550 no such user")],
            "offered ana, attempted 550, undelivered ana, offered ben, attempted delivered",
        ),
        (
            &[Data("554 refused")],
            "offered ana, attempted 554, undelivered ana, offered ben, attempted delivered",
        ),
    ];
    for (script, wanted) in cases {
        let house = plan().env("LEADGATE_MAIL__TIMEOUT_S", "1").build().await;
        house.mailbox.script(script.to_vec());
        let id = house.lead(1).await;
        house.work().await;
        house.pass(40 * SECOND).await;
        let line = house.line(&id);
        assert_eq!(
            line,
            format!("received, accepted, graded A, {wanted}"),
            "{script:?}"
        );
        let dead = house.daemon.flow().ledger.read(|r| r.dead(10)).unwrap();
        assert_eq!(
            dead.len(),
            usize::from(wanted.contains("undelivered")),
            "{script:?}"
        );
        if script.iter().any(|b| matches!(b, DropAfterData)) {
            let seen = house.mailbox.seen();
            let id_of = |raw: &String| {
                raw.lines()
                    .find(|l| l.starts_with("Message-ID"))
                    .map(str::to_owned)
            };
            assert_eq!(
                id_of(&seen[0]),
                id_of(&seen[1]),
                "a repeat can be recognised"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rep_who_cannot_be_told_in_time_loses_the_lead_to_the_next() {
    let house = plan().build().await;
    house.mailbox.script(vec![Behaviour::Greet("421 busy"); 3]);
    let id = house.lead(1).await;
    house.work().await;
    for _ in 0..6 {
        house.pass(MINUTE).await;
    }
    let line = house.line(&id);
    assert!(
        line.contains("attempted 421, attempted 421, attempted 421, undelivered ana, offered ben"),
        "{line}"
    );
    assert!(line.ends_with("attempted delivered"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_notice_is_sent_again_by_hand() {
    let reps = REPS.replace("members = [\"ana\", \"ben\"]", "members = [\"ana\"]");
    let house = plan()
        .file(
            "config/reps.toml",
            &reps.replace("[reps.ben]", "[reps.ben]\npaused = true"),
        )
        .build()
        .await;
    house.mailbox.script([Behaviour::Rcpt("550 no such user")]);
    let id = house.lead(1).await;
    house.work().await;
    assert_eq!(house.find(&id).stage, Stage::Held, "{}", house.line(&id));
    let dead = house.daemon.flow().ledger.read(|r| r.dead(10)).unwrap();
    assert_eq!(dead.len(), 1);
    house
        .command(
            &id,
            Command::Redrive {
                delivery: dead[0].0.id,
            },
        )
        .unwrap();
    house.work().await;
    let line = house.line(&id);
    assert!(line.ends_with("offered ana, attempted delivered"), "{line}");
    assert!(
        house
            .daemon
            .flow()
            .ledger
            .read(|r| r.dead(10))
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_working_hours_a_lead_waits_until_somebody_is_there() {
    let house = plan().build().await;
    house.clock.advance(10 * HOUR);
    let id = house.lead(1).await;
    house.work().await;
    let lead = house.find(&id);
    assert_eq!(lead.stage, Stage::Waiting);
    assert!(
        lead.reason
            .as_deref()
            .unwrap_or_default()
            .contains("Wed 09:00 Europe/Berlin"),
        "{:?}",
        lead.reason
    );
    house.pass(12 * HOUR).await;
    assert_eq!(house.find(&id).stage, Stage::Waiting);
    house.pass(HOUR).await;
    assert_eq!(house.find(&id).stage, Stage::Offered);
}

#[tokio::test(flavor = "multi_thread")]
async fn caps_hold_and_a_freed_place_takes_the_best_that_waits() {
    let reps = REPS.replace("[reps.ben]", "open_max = 1\n[reps.ben]\npaused = true");
    let house = plan().file("config/reps.toml", &reps).build().await;
    let first = house.lead(1).await;
    house.work().await;
    let plain = house
        .post("form", r#"{"name":"Low","email":"low@gmx.example"}"#)
        .await
        .1["receipt"]
        .as_str()
        .unwrap()
        .to_owned();
    house.pass(SECOND).await;
    let good = house.lead(2).await;
    house.work().await;
    assert_eq!(house.find(&good).stage, Stage::Waiting);
    let close = Command::Close {
        outcome: Outcome::Lost,
        value: None,
        currency: None,
        why: Some("no".into()),
    };
    house.command(&first, close).unwrap();
    house.work().await;
    assert_eq!(
        house.find(&good).stage,
        Stage::Offered,
        "A goes before B that came earlier"
    );
    assert_eq!(house.find(&plain).stage, Stage::Waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_claim_in_time_loses_the_lead() {
    // Also where the time is shorter than that for telling the rep.
    for minutes in [1, 30] {
        let pool = format!("[pools.main]\nclaim_within_min = {minutes}");
        let reps = REPS.replace("[pools.main]", &pool);
        let house = plan().file("config/reps.toml", &reps).build().await;
        let id = house.lead(1).await;
        house.work().await;
        house.pass(minutes * MINUTE - SECOND).await;
        assert_eq!(house.find(&id).owner.as_deref(), Some("ana"));
        house.pass(SECOND).await;
        let line = house.line(&id);
        assert!(
            line.ends_with("expired ana, offered ben, attempted delivered"),
            "{minutes}: {line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_leads_keeps_its_width_whatever_somebody_wrote() {
    let house = plan().build().await;
    let company = "W".repeat(8_000);
    let body = format!(r#"{{"email":"mia@werk.example","company":"{company}"}}"#);
    assert_eq!(house.post("form", &body).await.0, 202);
    house.work().await;
    let (code, listed) = house.run(&["leads", "list"]);
    assert!(code == Some(0) && listed.contains("WW…"), "{listed}");
    let wide = listed.lines().map(|line| line.chars().count()).max();
    assert!(wide.is_some_and(|columns| columns < 250), "{wide:?}");
    let (code, said) = house.run(&["leads", "list", "--limit", "0"]);
    assert!(code == Some(2) && said.contains("'--limit"), "{said}");
}
