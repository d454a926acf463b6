//! Copies of the ledger made while leads pour in, and putting one back.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use leadgate::clock::Clock;
use leadgate::lead::{LeadId, Outcome, Stage};
use tokio::sync::Mutex;

use crate::process::{Home, client, until};

const SENDERS: usize = 8;
/// Copies made one after the other under load.
const COPIES: usize = 4;

/// Key to receipt and the moment at which it was there.
type Known = Arc<Mutex<BTreeMap<String, (LeadId, i64)>>>;

/// Leads that pour in until they are stopped.
struct Load {
    known: Known,
    answers: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    senders: Vec<tokio::task::JoinHandle<()>>,
}

async fn send(client: &reqwest::Client, url: &str, key: &str) -> (u16, LeadId) {
    let body = format!(r#"{{"name":"Person {key}","email":"{key}@werk.example","country":"DE"}}"#);
    let request = client.post(url).header("content-type", "application/json");
    let request = request.header("idempotency-key", key).body(body);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let value: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (status, value["receipt"].as_str().unwrap().parse().unwrap())
}

impl Load {
    fn start(home: &Home) -> Self {
        let known = Known::default();
        let answers = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let sender = |sender: usize| {
            let (known, answers, stop) = (known.clone(), answers.clone(), stop.clone());
            let (url, client) = (home.url("/in/website"), client());
            tokio::spawn(async move {
                let mut at = 0;
                while !stop.load(Ordering::SeqCst) {
                    let key = format!("s{sender}n{at}");
                    let (status, receipt) = send(&client, &url, &key).await;
                    assert_eq!(status, 202, "intake goes on");
                    let now = Clock::system().now();
                    known.lock().await.insert(key, (receipt, now));
                    answers.fetch_add(1, Ordering::SeqCst);
                    at += 1;
                }
            })
        };
        let senders = (0..SENDERS).map(sender).collect();
        Self {
            known,
            answers,
            stop,
            senders,
        }
    }

    async fn answers(&self, more: usize) {
        let wanted = self.answers.load(Ordering::SeqCst) + more;
        until(|| async { self.answers.load(Ordering::SeqCst) >= wanted }).await;
    }

    async fn stop(self) -> BTreeMap<String, (LeadId, i64)> {
        self.stop.store(true, Ordering::SeqCst);
        for sender in self.senders {
            sender.await.unwrap();
        }
        let known = self.known.lock().await;
        known.clone()
    }
}

fn complete_until(backup: &Path) -> i64 {
    let text = std::fs::read_to_string(backup.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let until = manifest["complete_until"].as_str().unwrap();
    until.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_backups_end_is_in_it_and_goes_on_after_a_restore() {
    let home = Home::new();
    let daemon = home.start().await;
    let load = Load::start(&home);
    load.answers(150).await;
    let mut copies = Vec::new();
    for n in 0..COPIES {
        let to = home.dir.path().join(format!("copy{n}"));
        let to = to.display().to_string();
        let begun = Clock::system().now();
        let before = load.answers.load(Ordering::SeqCst);
        let (code, _, told) = home.run(&["ledger", "backup", &to, "--with-secret"]).await;
        assert_eq!(code, Some(0), "{told}");
        assert!(complete_until(Path::new(&to)) >= begun);
        assert!(
            load.answers.load(Ordering::SeqCst) > before,
            "intake stood still"
        );
        load.answers(20).await;
        copies.push(to);
    }
    let (code, _, told) = home.run(&["ledger", "verify"]).await;
    assert_eq!(code, Some(0), "the ledger at work is sound: {told}");
    let known = load.stop().await;
    daemon.kill().await;

    for copy in &copies {
        let restored = Home::new();
        let data = restored.data().display().to_string();
        let words = ["ledger", "restore", copy, "--to", &data];
        let (code, out, told) = home.run(&words).await;
        assert_eq!((code, told.as_str()), (Some(0), ""), "{out}");
        let (code, out, _) = home.run(&["ledger", "verify", &data]).await;
        assert!(code == Some(0) && out.contains("it is sound"), "{out}");
        let _daemon = restored.start().await;
        let until_then = complete_until(Path::new(copy));
        let wanted: Vec<LeadId> = known
            .values()
            .filter(|(_, at)| *at < until_then)
            .map(|(id, _)| *id)
            .collect();
        assert!(wanted.len() >= 150);
        until(|| async {
            let there: Vec<LeadId> = restored.leads().iter().map(|lead| lead.id).collect();
            wanted.iter().all(|id| there.contains(id))
        })
        .await;
        let url = restored.url("/in/website");
        let (key, (id, _)) = known.iter().find(|(_, (_, at))| *at < until_then).unwrap();
        assert_eq!(
            send(&client(), &url, key).await,
            (202, *id),
            "a repeat is known"
        );
        assert_eq!(send(&client(), &url, "of today").await.0, 202);
        let (code, _, told) = home.run(&[&words[..], &["--replace"]].concat()).await;
        assert_eq!(code, Some(1));
        assert!(
            told.contains("already served by another leadgate"),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_overwrites_nothing_and_brings_nobody_back_who_was_erased_since() {
    for ended in ["stopped", "killed", "killed, and so was a restore"] {
        replace_after(ended).await;
    }
}

async fn replace_after(ended: &str) {
    let home = Home::new();
    let mut daemon = home.start().await;
    send(&client(), &home.url("/in/website"), "one").await;
    let copy = home.dir.path().join("copy").display().to_string();
    let (code, out, told) = home.run(&["ledger", "backup", &copy]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(out.contains("1 submissions"), "{out}");
    assert!(told.contains("secret.key is not in it"), "{told}");
    let (code, _, told) = home.run(&["ledger", "backup", &copy]).await;
    assert!(
        code == Some(4) && told.contains("is there already"),
        "{told}"
    );
    send(&client(), &home.url("/in/website"), "two").await;
    let words = [
        "leads",
        "erase",
        "--email",
        "one@werk.example",
        "--by",
        "kim",
    ];
    assert_eq!(home.run(&words).await.0, Some(0));
    if ended == "stopped" {
        assert_eq!(daemon.stop().await, Some(0));
    } else {
        daemon.kill().await;
    }
    let data = home.data().display().to_string();
    let (code, _, told) = home.run(&["ledger", "restore", &copy, "--to", &data]).await;
    assert!(code == Some(4) && told.contains("--replace"), "{told}");
    if ended.ends_with("restore") {
        std::fs::write(home.data().join(".restore.part"), "").unwrap();
        let aside = home.data().join("replaced-1");
        std::fs::create_dir(&aside).unwrap();
        for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
            let _ = std::fs::rename(home.data().join(name), aside.join(name));
        }
    }
    let (code, out, told) = home
        .run(&["ledger", "restore", &copy, "--to", &data, "--replace"])
        .await;
    assert_eq!(
        (code, told.as_str()),
        (Some(0), ""),
        "{ended}: the key is there: {out}"
    );
    let leads = home.leads();
    assert_eq!(leads.len(), 1);
    let erased = Stage::Closed(Outcome::Erased);
    assert_eq!(
        leads[0].stage, erased,
        "who was erased since is not brought back"
    );
    assert!(leads[0].inquiry.fields.email.is_none());
    let (code, out, _) = home.run(&["ledger", "verify"]).await;
    assert_eq!(code, Some(0), "{out}");
    let kept = std::fs::read_dir(home.data()).unwrap();
    let kept = kept.filter(|e| {
        e.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("replaced-")
    });
    assert_eq!(kept.count(), 1, "the old one is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_touched_is_not_put_back_and_one_without_its_key_is_said_to_be() {
    let home = Home::new();
    let _daemon = home.start().await;
    send(&client(), &home.url("/in/website"), "one").await;
    let copy = home.dir.path().join("copy").display().to_string();
    assert_eq!(home.run(&["ledger", "backup", &copy]).await.0, Some(0));
    let elsewhere = Home::new();
    let there = elsewhere.data().display().to_string();
    let (code, _, told) = home
        .run(&["ledger", "restore", &copy, "--to", &there])
        .await;
    assert!(
        code == Some(0) && told.contains("secret.key that this backup"),
        "{told}"
    );

    let ledger = Path::new(&copy).join("ledger.sqlite");
    let mut bytes = std::fs::read(&ledger).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&ledger, bytes).unwrap();
    let (code, out, _) = home.run(&["ledger", "verify", &copy]).await;
    assert!(
        code == Some(1) && out.contains("not the one that was backed up"),
        "{out}"
    );
    let last = Home::new();
    let there = last.data().display().to_string();
    let (code, _, told) = home
        .run(&["ledger", "restore", &copy, "--to", &there])
        .await;
    assert!(
        code == Some(1) && told.contains("nothing was changed"),
        "{told}"
    );
    assert!(!last.data().join("ledger.sqlite").exists());
}
