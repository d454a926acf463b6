//! Leads that go out by webhook, to far ends that misbehave.

use leadgate::clock::{HOUR, MINUTE, SECOND};

use crate::far_end::{Answer, FarEnd};
use crate::house::{House, Plan, TUESDAY, plan};

pub(crate) const SECRET: &str = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3";

/// Ana and Ben are told by these lines.
pub(crate) fn hooked(far: &FarEnd, (ana, ben): (&str, &str), more: &str) -> Plan {
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
        format!("[crm]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\ntimeout_s = 3\n{more}\n");
    plan()
        .file("config/reps.toml", &reps)
        .file("config/endpoints.toml", &endpoints)
        .env("LEADGATE_OUTBOUND__ALLOW_PRIVATE", "127.0.0.0/8")
        .env("LEADGATE_MAIL__ALARM_TO", "ops@leads.example")
}

const HOOK: &str = "webhook = \"crm\"";
const MAIL: &str = "email = \"ben@sales.example.com\"";
pub(crate) const BOTH: (&str, &str) = (
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
