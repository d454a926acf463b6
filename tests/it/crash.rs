//! Killed and stopped under load: whoever got a 2xx is there once and reaches its end.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leadgate::lead::{DeliveryState, LeadId, Stage};
use tokio::sync::{Mutex, Notify};

use crate::process::{Home, client, until};

/// What the senders know: key to receipt; `None` where no answer came.
type Known = Arc<Mutex<BTreeMap<String, Option<LeadId>>>>;

const SENDERS: usize = 12;

async fn send(client: &reqwest::Client, url: &str, key: &str) -> Option<LeadId> {
    let body = format!(
        r#"{{"name":"Person {key}","email":"{key}@werk.example","message":"We would like a demo, please","country":"DE"}}"#
    );
    let request = client.post(url).header("content-type", "application/json");
    let answer = request
        .header("idempotency-key", key)
        .body(body)
        .send()
        .await
        .ok()?;
    let status = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    assert!(status == 202 || status == 503, "{status} {text}");
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    value["receipt"].as_str()?.parse().ok()
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
        let (url, client) = (home.url("/in/website"), client());
        tokio::spawn(async move {
            for at in 0..100_000 {
                let key = format!("r{round}s{sender}n{at}");
                let receipt = send(&client, &url, &key).await;
                known.lock().await.insert(key, receipt);
                if receipt.is_none() {
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
    let url = home.url("/in/website");
    let before = known.lock().await.clone();
    for (key, receipt) in &before {
        let unknown = receipt.is_none();
        if unknown || key.ends_with('7') {
            let again = send(&client, &url, key).await.expect("it answers");
            assert!(
                unknown || *receipt == Some(again),
                "{key} got another receipt"
            );
            known.lock().await.insert(key.clone(), Some(again));
        }
    }
    let wanted: HashSet<LeadId> = known.lock().await.values().flatten().copied().collect();
    assert_eq!(wanted.len(), before.len(), "two keys share a receipt");
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
    let home = Home::new();
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
    let outbox = std::fs::read_dir(home.data().join("outbox")).unwrap();
    let mails = outbox.filter(|entry| {
        entry
            .as_ref()
            .is_ok_and(|e| e.path().extension().is_some_and(|x| x == "eml"))
    });
    let offered = home
        .leads()
        .iter()
        .filter(|lead| lead.stage == Stage::Offered)
        .count();
    assert_eq!(
        mails.count(),
        offered,
        "one mail a lead, however often it was tried"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_under_load_it_answers_what_it_took_and_exits_with_zero() {
    let home = Home::new();
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
