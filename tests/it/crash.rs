//! Killed and stopped under load: whoever got a 2xx is there once and reaches its end.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leadgate::clock::{Clock, SECOND};
use leadgate::lead::{DeliveryState, LeadId, Stage};
use tokio::sync::{Mutex, Notify};

use crate::process::{Home, client, until};

/// What the senders know: key to receipts; `None` where no answer came.
type Known = Arc<Mutex<BTreeMap<String, Option<Vec<LeadId>>>>>;

const SENDERS: usize = 12;
const SECRET: &str = "whsec_Y3Jhc2gtY3Jhc2gtY3Jhc2gtY3Jhc2gtY3Jhc2g=";
/// The shipped form, and a source of signed batches.
const SOURCES: &str = r#"
[website]
adapter = "form"
country = "DE"
[batch]
adapter = "webhook"
auth = "standard"
secret = "whsec_Y3Jhc2gtY3Jhc2gtY3Jhc2gtY3Jhc2gtY3Jhc2g="
items = "$.leads"
"#;
/// Leads in a batch.
const BATCH: usize = 3;

/// A home with a form and a source of batches.
fn home() -> Home {
    let home = Home::new();
    let sources = home.dir.path().join("sources.toml");
    std::fs::write(&sources, SOURCES).unwrap();
    home.env("LEADGATE_POLICY__SOURCES", sources.to_str().unwrap())
}

/// Every third sender sends batches.
fn is_batch(key: &str) -> bool {
    key.starts_with('b')
}

fn person(key: &str) -> String {
    format!(
        r#"{{"name":"Person {key}","email":"{key}@werk.example","message":"We would like a demo, please","country":"DE"}}"#
    )
}

async fn send(client: &reqwest::Client, home: &str, key: &str) -> Option<Vec<LeadId>> {
    let request = if is_batch(key) {
        let people: Vec<_> = (0..BATCH)
            .map(|at| person(&format!("{key}i{at}")))
            .collect();
        let body = format!(r#"{{"leads":[{}]}}"#, people.join(","));
        let now = Clock::system().now() / SECOND;
        let library = standardwebhooks::Webhook::new(SECRET).unwrap();
        let signature = library.sign(key, now, body.as_bytes()).unwrap();
        let request = client.post(format!("{home}batch")).body(body);
        let request = request.header("webhook-timestamp", now.to_string());
        let request = request.header("webhook-signature", signature);
        request.header("webhook-id", key)
    } else {
        let request = client.post(format!("{home}website")).body(person(key));
        request.header("idempotency-key", key)
    };
    let request = request.header("content-type", "application/json");
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    assert!(status == 202 || status == 503, "{status} {text}");
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    if is_batch(key) {
        let receipts = value["receipts"].as_array()?.iter();
        return receipts.map(|text| text.as_str()?.parse().ok()).collect();
    }
    Some(vec![value["receipt"].as_str()?.parse().ok()?])
}

/// Sends until the far end is gone; wakes `enough` after `n` answers.
fn load(
    home: &Home,
    known: &Known,
    round: usize,
    n: usize,
    enough: &Arc<Notify>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let answered = Arc::new(AtomicUsize::new(0));
    let sender = |sender: usize| {
        let (known, enough, answered) = (known.clone(), enough.clone(), answered.clone());
        let (url, client) = (home.url("/in/"), client());
        let kind = if sender.is_multiple_of(3) { "b" } else { "" };
        tokio::spawn(async move {
            for at in 0..100_000 {
                let key = format!("{kind}r{round}s{sender}n{at}");
                let receipts = send(&client, &url, &key).await;
                let is_gone = receipts.is_none();
                known.lock().await.insert(key, receipts);
                if is_gone {
                    return;
                }
                if answered.fetch_add(1, Ordering::SeqCst) + 1 == n {
                    enough.notify_one();
                }
            }
        })
    };
    (0..SENDERS).map(sender).collect()
}

/// Every key that was ever answered, or that is there now, is exactly one lead that came to rest.
async fn everything_is_there_once(home: &Home, known: &Known) {
    let client = client();
    let url = home.url("/in/");
    let before = known.lock().await.clone();
    for (key, receipts) in &before {
        let unknown = receipts.is_none();
        if unknown || key.ends_with('7') {
            let again = send(&client, &url, key).await.expect("it answers");
            assert!(
                unknown || receipts.as_ref() == Some(&again),
                "{key} got another receipt"
            );
            known.lock().await.insert(key.clone(), Some(again));
        }
    }
    let wanted: HashSet<LeadId> = {
        let known = known.lock().await;
        known.values().flatten().flatten().copied().collect()
    };
    let leads = before
        .keys()
        .map(|key| if is_batch(key) { BATCH } else { 1 });
    assert_eq!(
        wanted.len(),
        leads.sum::<usize>(),
        "two keys share a receipt"
    );
    until(|| async {
        let leads = home.leads();
        leads.len() >= wanted.len() && leads.iter().all(|lead| lead.stage != Stage::Waiting)
    })
    .await;
    until(|| async {
        let leads = home.leads();
        home.read(|ledger| {
            let sent = |seq: i64| {
                let deliveries = ledger.read(|r| r.deliveries(seq)).unwrap();
                deliveries
                    .iter()
                    .all(|(delivery, _)| delivery.state == DeliveryState::Sent)
            };
            leads.iter().all(|lead| sent(lead.seq))
        })
    })
    .await;
    let leads = home.leads();
    let found: HashSet<LeadId> = leads.iter().map(|lead| lead.id).collect();
    assert_eq!(found.len(), leads.len(), "a lead stands twice");
    assert_eq!(found, wanted);
    for lead in &leads {
        let ended = matches!(lead.stage, Stage::Offered | Stage::Rejected | Stage::Held);
        assert!(ended, "{} is {}", lead.id, lead.stage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_dash_nine_under_load_loses_and_repeats_nothing() {
    let home = home();
    let known = Known::default();
    for (round, n) in [1, 40, 150, 7, 90, 260].into_iter().enumerate() {
        let daemon = home.start().await;
        let enough = Arc::new(Notify::new());
        let senders = load(&home, &known, round, n, &enough);
        enough.notified().await;
        daemon.kill().await;
        for sender in senders {
            sender.await.unwrap();
        }
    }
    let _daemon = home.start().await;
    let unknown = known
        .lock()
        .await
        .values()
        .filter(|receipt| receipt.is_none())
        .count();
    assert!(unknown > 0, "no request was under way when it was killed");
    everything_is_there_once(&home, &known).await;
    one_mail_a_lead(&home);
}

fn one_mail_a_lead(home: &Home) {
    let outbox = std::fs::read_dir(home.data().join("outbox")).unwrap();
    let mails = outbox.filter(|entry| {
        entry
            .as_ref()
            .is_ok_and(|e| e.path().extension().is_some_and(|x| x == "eml"))
    });
    let leads = home.leads();
    let offered = leads.iter().filter(|lead| lead.stage == Stage::Offered);
    assert_eq!(
        mails.count(),
        offered.count(),
        "one mail a lead, however often it was tried"
    );
}

/// How many submissions are decided, and how many are there.
fn decided(home: &Home) -> (i64, i64) {
    home.read(|ledger| {
        let read = ledger.read(|r| {
            let upto = r.decided_upto()?;
            let behind = r.undecided(upto, 100_000)?;
            Ok((upto, behind.last().map_or(upto, |last| last.id)))
        });
        read.unwrap()
    })
}

/// Rules that take so long that intake is far ahead of them.
fn slow(home: Home) -> Home {
    let dir = home.dir.path().join("rules");
    let files = [
        (
            "lib/slow.rhai",
            "fn counted(n) { let i = 0; while i < n { i += 1; } i }\n",
        ),
        (
            "screen.rhai",
            "reject \"never\" when counted(5000) < 5000;\n",
        ),
        ("grade.rhai", "grade \"A\";\n"),
        ("route.rhai", "route \"inbound\";\n"),
    ];
    for (name, text) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    home.env("LEADGATE_POLICY__RULES", dir.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_catches_up_it_decides_what_is_left_and_nothing_twice() {
    let home = slow(home());
    let known = Known::default();
    let daemon = home.start().await;
    let senders = load(&home, &known, 0, 1, &Arc::default());
    // It catches up in steps of 256.
    let is_far_behind = || async {
        let (decided, there) = decided(&home);
        there - decided > 800
    };
    until(is_far_behind).await;
    daemon.kill().await;
    for sender in senders {
        sender.await.unwrap();
    }
    for step in [0, 1, 1] {
        let (before, there) = decided(&home);
        let daemon = home.start().await;
        until(|| async { decided(&home).0 >= before + step }).await;
        daemon.kill().await;
        assert!(decided(&home).0 < there, "it was killed too late");
    }
    let _daemon = home.start().await;
    everything_is_there_once(&home, &known).await;
    one_mail_a_lead(&home);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_under_load_it_answers_what_it_took_and_exits_with_zero() {
    let home = home();
    let known = Known::default();
    let mut daemon = home.start().await;
    let enough = Arc::new(Notify::new());
    let senders = load(&home, &known, 0, 200, &enough);
    enough.notified().await;
    assert_eq!(daemon.stop().await, Some(0), "{}", home.log());
    for sender in senders {
        sender.await.unwrap();
    }
    let _daemon = home.start().await;
    everything_is_there_once(&home, &known).await;
    for private in ["Person r0s", "@werk.example", "like a demo"] {
        assert!(!home.log().contains(private), "the log tells of people");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_data_is_refused_with_a_clear_message() {
    let home = Home::new();
    let _daemon = home.start().await;
    let program = env!("CARGO_BIN_EXE_leadgate");
    let config = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/leadgate.toml");
    let second = std::process::Command::new(program)
        .arg("serve")
        .env("LEADGATE_CONFIG", config)
        .env("LEADGATE_SERVER__LISTEN", "127.0.0.1:0")
        .env("LEADGATE_STORAGE__DATA_DIR", home.data())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        told.contains("already served by another leadgate"),
        "{told}"
    );
}
