//! Leads that go out by webhook, to far ends that misbehave.

use std::time::Duration;

use leadgate::clock::{HOUR, MINUTE, SECOND};
use leadgate::flow::Command;

use crate::far_end::{Answer, FarEnd};
use crate::house::{House, Plan, TUESDAY, client, plan};

const SECRET: &str = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3";
const SOON: Duration = Duration::from_secs(20);

/// Ana and Ben are told by these lines.
fn hooked(far: &FarEnd, (ana, ben): (&str, &str), more: &str) -> Plan {
    let rep = |id: &str, lines: &str| {
        format!(
            "[reps.{id}]\nzone = \"Europe/Berlin\"\nhours = [\"mon-fri 09:00-17:00\"]\n{lines}\n"
        )
    };
    let reps = format!(
        "{}{}[pools.main]\nmembers = [\"ana\", \"ben\"]\n",
        rep("ana", ana),
        rep("ben", ben)
    );
    let url = far.url("/crm");
    let endpoints =
        format!("[crm]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\ntimeout_s = 1\n{more}\n");
    plan()
        .file("config/reps.toml", &reps)
        .file("config/endpoints.toml", &endpoints)
        .env("LEADGATE_OUTBOUND__ALLOW_PRIVATE", "127.0.0.0/8")
        .env("LEADGATE_MAIL__ALARM_TO", "ops@leads.example")
}

const HOOK: &str = "webhook = \"crm\"";
const MAIL: &str = "email = \"ben@sales.example.com\"";
const BOTH: (&str, &str) = (
    "email = \"ana@sales.example.com\"\nwebhook = \"crm\"",
    "email = \"ben@sales.example.com\"\nwebhook = \"crm\"",
);

/// When the next webhook of a lead is due, from Tuesday on.
fn due(house: &House, id: &str) -> Vec<i64> {
    let seq = house.find(id).seq;
    let work = house
        .daemon
        .flow()
        .ledger
        .read(|r| r.work_of_lead(seq))
        .unwrap();
    let hooks = work.into_iter().filter(|work| work.kind.as_str() == "hook");
    hooks.map(|work| work.due_at - TUESDAY).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rep_is_told_by_every_way_they_have() {
    let far = FarEnd::start().await;
    let house = hooked(&far, BOTH, "").build().await;
    let id = house.lead(1).await;
    house.work().await;
    assert_eq!(
        house.line(&id),
        "received, accepted, graded A, offered ana, attempted delivered, attempted delivered"
    );
    let body = far.seen().remove(0).json();
    assert_eq!(
        (&body["type"], &body["version"]),
        (&"lead.offered".into(), &1.into())
    );
    let link = body["data"]["link"].as_str().unwrap();
    let (status, page) = house.get(link).await;
    assert!(
        status == 200 && page.contains("Person 1"),
        "the link opens the rep's page"
    );
    assert_eq!(house.mailbox.mails().len(), 1);
    let (_, shown) = house.run(&["leads", "show", &id]);
    assert!(shown.contains("webhook to ana: sent"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_2xx_is_success_and_what_else_comes_decides_how_it_goes_on() {
    let inside = FarEnd::start().await;
    let to = |url: &str| Answer::status(302).header("location", url);
    let cases = [
        (
            to("http://169.254.169.254/latest/meta-data/"),
            "302, a redirect is not followed",
        ),
        (to(&inside.url("/")), "302, a redirect is not followed"),
        (Answer::status(404), "404"),
        (Answer::json(500, "{\"error\": 1}"), "500"),
        (Answer::Hang, "timeout"),
        (Answer::Drop, "no whole answer came"),
        (Answer::Dribble, "timeout"),
        (Answer::Gigabyte, "delivered"),
        (Answer::Bomb, "delivered"),
        (Answer::status(204), "delivered"),
    ];
    let runs = cases.map(|(answer, wanted)| async move {
        let far = FarEnd::start().await;
        far.script([answer.clone()]);
        let house = hooked(&far, (HOOK, HOOK), "").build().await;
        let id = house.lead(1).await;
        house.work().await;
        let line = house.line(&id);
        let attempt = format!("offered ana, attempted {wanted}");
        assert!(line.ends_with(&attempt), "{answer:?}: {line}");
        assert_eq!(far.seen().len(), 1);
        assert!(far.sent() < 16 << 20, "{answer:?}: the rest is not read");
        if wanted == "delivered" {
            return;
        }
        let due = due(&house, &id);
        assert!(matches!(due[..], [4_000..=6_000]), "{answer:?}: {due:?}");
        house.pass(6 * SECOND).await;
        assert!(house.line(&id).ends_with("attempted delivered"));
        let [first, second] = &far.seen()[..] else {
            panic!("{} requests", far.seen().len());
        };
        assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
        assert_ne!(
            first.header("webhook-signature"),
            second.header("webhook-signature")
        );
    });
    futures_util::future::join_all(runs).await;
    assert!(inside.seen().is_empty(), "no redirect was followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_end_that_asks_for_patience_gets_it_within_bounds() {
    // The second try is due after 4 to 6 seconds; patience is granted up to an hour.
    let cases = [
        (429, "99999999999", HOUR..=HOUR),
        (429, "60", MINUTE..=MINUTE),
        (
            503,
            "Tue, 24 Nov 2026 09:10:00 GMT",
            10 * MINUTE..=10 * MINUTE,
        ),
        (503, "Tue, 24 Nov 2099 09:10:00 GMT", HOUR..=HOUR),
        (503, "Tue, 24 Nov 2026 08:00:00 GMT", 4_000..=6_000),
        (429, "-1", 4_000..=6_000),
        (429, "soon", 4_000..=6_000),
        (500, "60", 4_000..=6_000),
    ];
    for (status, after, wanted) in cases {
        let far = FarEnd::start().await;
        far.script([Answer::status(status).header("retry-after", after)]);
        // The mail arrives, so that the lead stays with Ana meanwhile.
        let house = hooked(&far, BOTH, "").build().await;
        let id = house.lead(1).await;
        house.work().await;
        let due = due(&house, &id);
        assert!(
            due.len() == 1 && wanted.contains(&due[0]),
            "{status} {after}: {due:?}"
        );
        house.pass(*wanted.end()).await;
        assert_eq!(far.seen().len(), 2, "{status} {after}");
    }
}

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
    assert!(alarm("endpoint crm paused"), "the operator hears of it");
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
        .filter(|m| m.raw.contains("endpoint crm failing"));
    assert_eq!(alarms.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rep_who_is_not_told_by_any_way_loses_the_lead_to_the_next() {
    let far = FarEnd::start().await;
    far.stand("/crm", Answer::status(500));
    let house = hooked(&far, (HOOK, MAIL), "").build().await;
    let id = house.lead(1).await;
    house.work().await;
    assert_eq!(house.find(&id).owner.as_deref(), Some("ana"));
    house.pass(5 * MINUTE).await;
    assert_eq!(
        house.find(&id).owner.as_deref(),
        Some("ben"),
        "{}",
        house.line(&id)
    );
    let sent = far.seen().len();
    house.pass(24 * HOUR).await;
    assert_eq!(far.seen().len(), sent, "what was overtaken is not sent");
    // One way that is dead does not take the lead from a rep whom another way may still tell.
    let far = FarEnd::start().await;
    far.stand("/crm", Answer::status(410));
    let house = hooked(&far, (BOTH.0, MAIL), "").build().await;
    house
        .mailbox
        .script([crate::mailbox::Behaviour::Rcpt("450 later")]);
    let id = house.lead(1).await;
    house.work().await;
    assert_eq!(
        house.find(&id).owner.as_deref(),
        Some("ana"),
        "{}",
        house.line(&id)
    );
    house.pass(MINUTE).await;
    assert!(
        house.line(&id).ends_with("attempted delivered"),
        "{}",
        house.line(&id)
    );
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
