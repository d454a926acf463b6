//! Endpoints that are gone, keep failing, take little at once, or are written down wrongly.

use std::time::Duration;

use leadgate::clock::{HOUR, MINUTE, SECOND};
use leadgate::flow::Command;

use crate::far_end::{Answer, FarEnd};
use crate::house::client;
use crate::webhook::{BOTH, SECRET, hooked};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_paused_with_notice_until_somebody_resumes_it() {
    let far = FarEnd::start().await;
    far.script([Answer::status(410)]);
    let house = hooked(&far, BOTH, "").build().await;
    let (first, second) = (house.lead(1).await, house.lead(2).await);
    house.work().await;
    assert!(house.line(&first).contains("attempted 410 gone"));
    let alarm = |text: &str| house.mailbox.mails().iter().any(|m| m.raw.contains(text));
    house.mailbox.wait_for(4, SOON).await;
    assert!(alarm("endpoint paused crm"), "the operator hears of it");
    house.pass(2 * HOUR).await;
    assert_eq!(far.seen().len(), 1, "nothing more is sent");
    let (code, listed) = house.run(&["endpoints", "list"]);
    assert!(
        code == Some(0) && listed.contains("it answered 410 gone"),
        "{listed}"
    );
    let (code, printed) = house.run(&["endpoints", "resume", "crm"]);
    assert!(
        code == Some(0) && printed.contains("1 notices are due"),
        "{printed}"
    );
    assert_eq!(
        house.run(&["endpoints", "resume", "crm"]).0,
        Some(4),
        "once is enough"
    );
    house
        .clock
        .advance(Duration::from_hours(24).as_millis().try_into().unwrap());
    house.work().await;
    assert!(house.line(&second).ends_with("attempted delivered"));
    // What is dead is sent again by hand, under the same id.
    let delivery = house.daemon.flow().ledger.read(|r| r.dead(10)).unwrap();
    let [(dead, _)] = &delivery[..] else {
        panic!("{} are dead", delivery.len());
    };
    let redrive = Command::Redrive { delivery: dead.id };
    house.command(&first, redrive).unwrap();
    house.work().await;
    assert!(house.line(&first).ends_with("attempted delivered"));
    let ids: Vec<_> = far
        .seen()
        .iter()
        .map(|s| s.header("webhook-id").unwrap().to_owned())
        .collect();
    assert_eq!((ids.len(), &ids[0]), (3, &ids[2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_endpoint_rests_is_tried_by_one_and_then_gets_everything() {
    let far = FarEnd::start().await;
    far.stand("/crm", Answer::status(500));
    let house = hooked(&far, BOTH, "").build().await;
    let mut ids = Vec::new();
    for n in 0..15 {
        ids.push(house.lead(n).await);
    }
    house.work().await;
    assert_eq!(
        far.seen().len(),
        10,
        "after ten failures in a row it is left in peace"
    );
    house.pass(20 * SECOND).await;
    assert_eq!(far.seen().len(), 10, "retries wait too");
    house.pass(10 * SECOND).await;
    assert_eq!(far.seen().len(), 11, "one tries it");
    far.stand("/crm", Answer::status(200));
    house.pass(31 * SECOND).await;
    house.pass(6 * MINUTE).await;
    for id in &ids {
        assert!(
            house.line(id).ends_with("attempted delivered"),
            "{}",
            house.line(id)
        );
    }
    let alarms = house.mailbox.mails();
    let alarms = alarms
        .iter()
        .filter(|m| m.raw.contains("endpoint failing crm"));
    assert_eq!(alarms.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_limit_are_under_way_and_new_leads_go_before_retries() {
    let far = FarEnd::start().await;
    // The first fails and comes again later; the others are held.
    far.script([Answer::status(500)]);
    far.stand("/crm", Answer::Held);
    let (shell, daemon) = hooked(&far, BOTH, "concurrency = 2").daemon().await;
    let url = format!("http://{}/in/form", daemon.address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(daemon.run_until(async { drop(stopped.await) }));
    let client = client();
    let post = async |n: usize| {
        let body = format!(r#"{{"name":"P{n}","email":"p{n}@werk.example","company":"Werk"}}"#);
        let request = client
            .post(&url)
            .header("content-type", "application/json")
            .body(body);
        assert_eq!(request.send().await.unwrap().status(), 202);
    };
    post(0).await;
    let first = far.wait_for(1, SOON).await.remove(0);
    post(1).await;
    post(2).await;
    far.wait_for(3, SOON).await;
    // The retry is due while both places are taken, and two more leads come after it.
    shell.clock.advance(10 * SECOND);
    far_waits(&shell, 1).await;
    post(3).await;
    post(4).await;
    far_waits(&shell, 3).await;
    assert_eq!((far.open(), far.seen().len()), (2, 3));
    for n in 4..=6 {
        far.release(1);
        far.wait_for(n, SOON).await;
    }
    far.release(2);
    let seen = far.wait_for(6, SOON).await;
    assert_eq!(far.most_at_once(), 2);
    let again = seen
        .iter()
        .rposition(|s| s.header("webhook-id") == first.header("webhook-id"));
    assert_eq!(again, Some(5), "the retry is the last");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_about_endpoints_leaves_the_old_policy_at_work() {
    let far = FarEnd::start().await;
    let house = hooked(&far, BOTH, "").build().await;
    let file = |text: &str| house.write("config/endpoints.toml", text);
    let key = format!("secret = \"{SECRET}\"");
    let cases = [
        (
            format!("[cmr]\nurl = \"{}\"\n{key}", far.url("/")),
            "reps.ana.webhook is \"crm\", which no endpoint is",
        ),
        (
            format!("[crm]\nurl = \"https://10.0.0.1/\"\n{key}"),
            "crm.url: the address is not public (private)",
        ),
        (
            format!("[crm]\nurl = \"http://1.1.1.1/\"\n{key}"),
            "crm.url: a public address is reached by https",
        ),
        (
            format!("[crm]\nurl = \"{}\"\ntemplate = \"my.json\"", far.url("/")),
            "there is no such file",
        ),
        (
            "[crm]\nurl = \"env:NO_SUCH\"\ntemplate = \"slack\"".into(),
            "crm.url: the environment variable NO_SUCH",
        ),
    ];
    for (text, wanted) in cases {
        file(&text);
        let problems = house.daemon.reload().await.unwrap_err();
        let lines: Vec<_> = problems
            .iter()
            .map(leadgate::problem::Problem::one_line)
            .collect();
        assert!(
            lines.iter().any(|line| line.contains(wanted)),
            "{wanted}: {lines:#?}"
        );
    }
    let id = house.lead(1).await;
    house.work().await;
    assert!(
        house
            .line(&id)
            .ends_with("attempted delivered, attempted delivered")
    );
    file(&format!(
        "[crm]\nurl = \"{}\"\ntemplate = \"my.json\"",
        far.url("/new")
    ));
    house.write("config/templates/my.json", "{\"who\": {{ name }}}");
    assert!(house.daemon.reload().await.unwrap());
    house.lead(2).await;
    house.work().await;
    let seen = far.seen().pop().unwrap();
    assert_eq!(
        (seen.target.as_str(), &seen.json()["who"]),
        ("/new", &"Person 2".into())
    );
}

/// Until so many notices wait for the endpoint.
async fn far_waits(shell: &crate::house::Shell, wanted: i64) {
    let settings = leadgate::ledger::Settings {
        data_dir: shell.dir.path().join("data"),
        ..leadgate::ledger::Settings::default()
    };
    let ledger = leadgate::ledger::Ledger::beside(&settings).unwrap();
    let wait = async {
        while ledger.read(|r| r.waiting_for("crm")).unwrap() != wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, wait).await.expect("they wait");
}
