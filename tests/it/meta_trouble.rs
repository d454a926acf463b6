//! What the Graph API may answer instead of a lead, and what becomes of the leads meanwhile.

use leadgate::clock::{DAY, HOUR, MINUTE, SECOND};
use leadgate::flow::Command;
use leadgate::lead::{Lead, Outcome, Stage};
use leadgate::ledger::Fault;

use crate::far_end::{Answer, FarEnd};
use crate::house::House;
use crate::meta::{DEADLINE, house, lead, notification, notify, one, signed, sources};

fn error(status: u16, code: &str) -> Answer {
    let body =
        format!(r#"{{"error":{{"message":"Person","type":"OAuthException","code":{code}}}}}"#);
    Answer::json(status, &body)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_tried_again_and_seen_in_the_history() {
    let cases = [
        (Answer::status(503), "503"),
        (error(500, "2"), "500 with code 2"),
        (Answer::Hang, "timeout"),
        (Answer::Drop, "no whole answer came"),
        (Answer::Half, "no whole answer came"),
        (Answer::json(200, "<html>"), "200 without a readable lead"),
        (Answer::Gigabyte, "200 without a readable lead"),
        (
            Answer::status(302).header("location", "http://169.254.169.254/"),
            "302",
        ),
    ];
    for (answer, why) in cases {
        let graph = FarEnd::start().await;
        graph.stand("", lead(7, "Person"));
        let house = house(&graph).await;
        graph.script([answer]);
        let id = one(&house, 7).await;
        assert_eq!(house.line(&id), format!("received, not fetched {why}"));
        let waiting = house.find(&id);
        assert_eq!(
            (waiting.stage, waiting.reason.as_deref()),
            (Stage::Fetching, Some(why))
        );
        house.pass(6 * SECOND).await;
        assert_eq!(
            house.line(&id),
            format!(
                "received, not fetched {why}, fetched, accepted, graded A, offered ana, attempted delivered"
            )
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_ends_in_a_hold_and_a_person_lets_it_go_on() {
    let graph = FarEnd::start().await;
    graph.stand("", Answer::status(502));
    let house = house(&graph).await;
    let [id, rejected] = [one(&house, 7).await, one(&house, 8).await];
    let early = house.command(&id, Command::Rescreen).unwrap_err();
    assert!(matches!(early, Fault::Illegal { .. }), "{early}");
    for _ in 0..60 {
        house.pass(HOUR).await;
    }
    assert_eq!(graph.seen().len(), 20, "the tries are bounded");
    let mails = house.mailbox.wait_for(1, DEADLINE).await;
    assert!(
        mails[0].raw.contains("leadgate: fetch failing meta"),
        "people are told"
    );
    let held = house.find(&id);
    assert_eq!(held.stage, Stage::Held);
    assert_eq!(held.reason.as_deref(), Some("502; no try is left"));
    assert!(
        house
            .line(&id)
            .contains("held 502; no try is left, alarmed"),
        "{}",
        house.line(&id)
    );
    graph.stand("/v25.0/7?", lead(7, "Person"));
    graph.stand("/v25.0/8?", lead(8, "Other"));
    house.command(&id, Command::Release).unwrap();
    let why = "too late".into();
    house.command(&rejected, Command::Reject { why }).unwrap();
    house.command(&rejected, Command::Rescreen).unwrap();
    house.work().await;
    let line = house.line(&id);
    let goes_on = "released, fetched, accepted, graded A, waiting";
    assert!(line.contains(goes_on), "{line}");
    let line = house.line(&rejected);
    let goes_on = "rejected too late, rescreened, fetched, accepted, graded A, waiting";
    assert!(line.contains(goes_on), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_fails_everybody_is_tried_by_one_until_it_is_well() {
    let graph = FarEnd::start().await;
    graph.stand("", Answer::status(502));
    let house = house(&graph).await;
    notify(&house, &(1..=40).collect::<Vec<_>>()).await;
    house.work().await;
    let first = graph.seen().len();
    assert!((8..=16).contains(&first), "{first} requests");
    for id in 1..=40 {
        graph.stand(&format!("/v25.0/{id}?"), lead(id, "Person"));
    }
    house.pass(MINUTE).await;
    let stays = |lead: &Lead| lead.stage == Stage::Fetching;
    assert!(!house.leads().iter().any(stays), "all are fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_stops_the_fetches_alarms_once_and_a_new_one_starts_them() {
    for (answer, why) in [
        (
            error(400, r#"190,"error_subcode":463"#),
            "190/463: the access token has expired",
        ),
        (error(403, "10"), "10: permission is missing"),
    ] {
        let graph = FarEnd::start().await;
        graph.stand("", answer);
        let house = house(&graph).await;
        let ids: Vec<u64> = (1..=40).collect();
        notify(&house, &ids).await;
        house.work().await;
        let first = graph.seen().len();
        assert!((1..=8).contains(&first), "{first} requests");
        for lead in house.leads() {
            assert_eq!(lead.stage, Stage::Fetching);
            assert!(
                lead.reason.as_deref().unwrap().starts_with(why),
                "{:?}",
                lead.reason
            );
        }
        // One request finds out after 1, 5, 15 minutes and then each hour.
        for (minutes, more) in [(1, 1), (4, 0), (1, 1), (14, 0), (1, 1), (20, 0)] {
            let before = graph.seen().len();
            house.pass(minutes * MINUTE).await;
            assert_eq!(graph.seen().len() - before, more, "after {minutes} minutes");
        }
        let mails = house.mailbox.wait_for(1, DEADLINE).await;
        assert!(
            mails[0]
                .raw
                .contains("leadgate: fetch refused meta access_token"),
            "{}",
            mails[0].raw
        );
        house.pass(HOUR).await;
        assert_eq!(
            house.mailbox.wait_for(2, DEADLINE).await.len(),
            2,
            "one an hour"
        );
        let before = graph.seen().len();
        assert_eq!(house.daemon.reload().await, Ok(false));
        house.work().await;
        let more = graph.seen().len() - before;
        assert!((1..=8).contains(&more), "a reload tries again: {more}");
        for id in &ids {
            graph.stand(&format!("/v25.0/{id}?"), lead(*id, "Person"));
        }
        house.write("config/sources.toml", &sources(&graph.url(""), "n3w"));
        assert_eq!(house.daemon.reload().await, Ok(true));
        house.work().await;
        for lead in house.leads() {
            assert!(
                matches!(lead.stage, Stage::Offered | Stage::Waiting),
                "{}",
                lead.stage
            );
        }
        let last = graph.seen().pop().unwrap();
        assert!(last.target.ends_with("access_token=n3w"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_page_or_lead_is_refused_holds_up_no_other() {
    let graph = FarEnd::start().await;
    graph.stand("", error(403, "10"));
    for id in 2..=4 {
        graph.stand(&format!("/v25.0/{id}?"), lead(id, "Person"));
    }
    let house = house(&graph).await;
    let other_page = notification(&[1]).replace("\"9\"", "\"8\"");
    let url = house.url("/in/meta");
    let refused = signed(&url, &other_page, &house.client).send().await;
    assert!(refused.unwrap().status().is_success());
    house.work().await;
    let stage = async |house: &House, id| house.find(&one(house, id).await).stage;
    assert_eq!(stage(&house, 2).await, Stage::Offered, "of another page");
    assert_eq!(stage(&house, 5).await, Stage::Fetching, "refused");
    assert_eq!(stage(&house, 3).await, Stage::Fetching, "the page rests");
    notify(&house, &[4]).await;
    house.pass(MINUTE).await;
    let fetched = |lead: &&Lead| lead.stage != Stage::Fetching;
    assert_eq!(house.leads().iter().filter(fetched).count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nobody_replaces_ends_in_holds_until_somebody_does() {
    let graph = FarEnd::start().await;
    graph.stand("", error(400, "190"));
    let house = house(&graph).await;
    notify(&house, &[1, 2, 3]).await;
    house.work().await;
    for _ in 0..30 {
        house.pass(HOUR).await;
    }
    assert!(graph.seen().len() < 40, "{} requests", graph.seen().len());
    for lead in house.leads() {
        assert_eq!(lead.stage, Stage::Held);
        assert!(lead.reason.unwrap().starts_with("190"));
    }
    assert!(house.clock.now() > DAY);
    for id in 1..=3 {
        graph.stand(&format!("/v25.0/{id}?"), lead(id, "Person"));
    }
    house.write("config/sources.toml", &sources(&graph.url(""), "n3w"));
    assert_eq!(house.daemon.reload().await, Ok(true));
    house.work().await;
    for lead in house.leads() {
        let line = house.line(&lead.id.to_string());
        assert!(
            line.contains("rescreened, fetched, accepted, graded A"),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_use_up_no_tries_and_only_those_of_the_sources_fetch_at_once() {
    let graph = FarEnd::start().await;
    graph.stand("", Answer::status(502));
    let house = house(&graph).await;
    let id = one(&house, 7).await;
    for n in 0..12 {
        for (name, text, tries) in [
            ("rules/grade.rhai", "grade \"A\";\n".to_owned(), 0),
            ("config/sources.toml", sources(&graph.url(""), "n3w"), 1),
        ] {
            let before = graph.seen().len();
            let comment = if tries == 0 { "//" } else { "#" };
            house.write(name, &format!("{text}{comment} {n}\n"));
            assert_eq!(house.daemon.reload().await, Ok(true));
            house.work().await;
            assert_eq!(graph.seen().len() - before, tries, "{name}");
        }
    }
    assert_eq!(house.find(&id).stage, Stage::Fetching);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_waited_out_as_long_as_meta_says() {
    let graph = FarEnd::start().await;
    let usage = r#"{"9":[{"type":"pages","call_count":100,"estimated_time_to_regain_access":19}]}"#;
    let limited = error(400, "80005").header("X-Business-Use-Case-Usage", usage);
    graph.script([limited]);
    for id in 1..=3 {
        graph.stand(&format!("/v25.0/{id}?"), lead(id, "Person"));
    }
    let house = house(&graph).await;
    let id = one(&house, 1).await;
    notify(&house, &[2, 3]).await;
    house.work().await;
    house.pass(18 * MINUTE).await;
    assert_eq!(graph.seen().len(), 1, "nobody asks before it is time");
    house.pass(MINUTE + SECOND).await;
    assert_eq!(graph.seen().len(), 4);
    assert!(house.line(&id).starts_with(
        "received, not fetched 80005: the limit of calls is reached, fetched, accepted"
    ));
    for lead in house.leads() {
        assert_eq!(lead.stage, Stage::Offered);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_is_gone_is_held_and_a_test_is_closed() {
    let graph = FarEnd::start().await;
    graph.stand("", error(400, r#"100,"error_subcode":33"#));
    graph.stand(
        "/v25.0/8?",
        lead(8, "<test lead: dummy data for full_name>"),
    );
    let house = house(&graph).await;
    let gone = one(&house, 7).await;
    assert_eq!(house.find(&gone).stage, Stage::Held);
    assert!(
        house
            .line(&gone)
            .contains("held 100/33: no such lead for this token")
    );
    let dashboard = one(&house, 444_444_444_444).await;
    assert_eq!(house.find(&dashboard).stage, Stage::Closed(Outcome::Test));
    assert_eq!(house.line(&dashboard), "received, test");
    let tool = one(&house, 8).await;
    assert_eq!(house.find(&tool).stage, Stage::Closed(Outcome::Test));
    assert_eq!(
        house.line(&tool),
        "received, fetched, accepted, graded A, tested for ana"
    );
    assert!(house.mailbox.mails().is_empty(), "no rep is told");
    let unnamed = r#"{"object":"page","entry":[{"id":"9","time":1,"changed_fields":["leadgen"]}]}"#;
    let url = house.url("/in/meta");
    assert!(
        signed(&url, unnamed, &house.client)
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    house.work().await;
    let held = &house.leads()[0];
    assert!(
        held.reason.as_deref().unwrap().contains("Include Values"),
        "{:?}",
        held.reason
    );
}
