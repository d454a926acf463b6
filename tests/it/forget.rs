//! A person who asked to be forgotten is found nowhere.

use std::path::{Path, PathBuf};

use base64::Engine;
use leadgate::clock::{HOUR, MINUTE};
use leadgate::flow::{Command, Desk, Incoming};
use leadgate::lead::{Headers, Identity, Outcome, Stage};
use leadgate::ledger::Tx;

use crate::house::{House, plan};
use crate::process::until;
use crate::server::RedisServer;

const EMAIL: &str = "zerlina.quandt@muster.example";
const NAME: &str = "Zerlina Quandt";
const NUMBER: &str = "901820427";
const MESSAGE: &str = "Ich suche Zebrafinken";

/// Runs the real program beside the daemon in this process.
pub(crate) async fn run(house: &House, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_leadgate"));
    command
        .args(words)
        .env(
            "LEADGATE_CONFIG",
            house.dir.path().join("config/leadgate.toml"),
        )
        .env("LEADGATE_STORAGE__DATA_DIR", house.dir.path().join("data"))
        .env(
            "LEADGATE_MAIL__OUTBOX",
            house.dir.path().join("data/outbox"),
        );
    let output = command.output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// A copy of a folder, made by another process: whoever opens and closes a ledger's file takes the
/// locks away that the daemon in this process has on it.
fn copied(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new("cp");
    let done = command.arg("-r").arg(dir).arg(copy.path()).status();
    assert!(done.unwrap().success());
    copy
}

/// The ways in which a text may stand in a file.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let percent: String = text
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    let wide: Vec<u16> = text.encode_utf16().collect();
    let mut forms = vec![
        text.as_bytes().to_vec(),
        text.to_uppercase().into_bytes(),
        percent.clone().into_bytes(),
        percent.to_lowercase().into_bytes(),
        text.replace(' ', "+").into_bytes(),
        text.replace('@', "=40").into_bytes(),
        text.replace('@', "\\u0040").into_bytes(),
        text.replace('@', "&#64;").into_bytes(),
        wide.iter().flat_map(|c| c.to_le_bytes()).collect(),
        wide.iter().flat_map(|c| c.to_be_bytes()).collect(),
    ];
    // In base64 the same text stands in three ways, by where it begins; its ends mix with what is
    // beside it.
    for before in 0..3 {
        let padded = [&vec![b'x'; before], text.as_bytes()].concat();
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(padded);
        let inner = &encoded[if before == 0 { 0 } else { 4 }..encoded.len() - 3];
        forms.push(inner.as_bytes().to_vec());
    }
    forms
}

/// The files in which any of the person's data stands, in whatever form.
pub(crate) fn found_in(dir: &Path) -> Vec<String> {
    let needles: Vec<Vec<u8>> = [EMAIL, NAME, NUMBER, MESSAGE]
        .iter()
        .flat_map(|t| forms(t))
        .collect();
    let holds = |bytes: &[u8]| {
        let mut needles = needles.iter();
        needles.any(|needle| {
            bytes
                .windows(needle.len())
                .any(|window| window == needle.as_slice())
        })
    };
    let copy = copied(dir);
    let mut found = Vec::new();
    for path in files(copy.path()) {
        let bytes = std::fs::read(&path).unwrap();
        // Lines of mails are broken softly, and base64 in lines of 76.
        let joined = String::from_utf8_lossy(&bytes).replace("=\r\n", "");
        let bare: Vec<u8> = bytes
            .iter()
            .copied()
            .filter(|b| !b.is_ascii_whitespace())
            .collect();
        if holds(&bytes) || holds(joined.as_bytes()) || holds(&bare) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

pub(crate) async fn post(house: &House, key: &str, body: &serde_json::Value) -> String {
    let referer = format!(
        "https://www.werk.example/?mail={}",
        EMAIL.replace('@', "%40")
    );
    let request = house.client.post(house.url("/in/form?utm_source=brief"));
    let answer = request
        .header("content-type", "application/json")
        .header("referer", referer)
        .header("idempotency-key", key)
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 202);
    let text = answer.text().await.unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["receipt"].as_str().unwrap().to_owned()
}

pub(crate) fn person(company: &str) -> serde_json::Value {
    serde_json::json!({
        "name": NAME, "email": EMAIL, "phone": format!("030 {NUMBER}"), "company": company,
        "message": MESSAGE, "landing_page": format!("https://werk.example/?e={EMAIL}"),
        "newsletter_consent": "yes",
    })
}

const ERASE: [&str; 6] = [
    "leads",
    "erase",
    "--email",
    "Zerlina.Quandt@muster.example",
    "--by",
    "kim",
];

/// A house with two leads of the person, one of which came again with other content, and people who
/// wrote down why they closed or declined them.
async fn known_to_the_house() -> (House, String, String) {
    let house = plan().env("LEADGATE_MAIL__TRANSPORT", "outbox");
    known_to(house.build().await).await
}

async fn known_to(house: House) -> (House, String, String) {
    let first = post(&house, "k1", &person("Werk A")).await;
    let second = post(&house, "k2", &person("Werk B")).await;
    let again = post(&house, "k1", &person("Werk A, other content")).await;
    assert_eq!(again, first);
    house.work().await;
    let seq = house.find(&first).seq;
    let fetched = format!(r#"{{"email":"{EMAIL}"}}"#).into_bytes();
    let keep = move |tx: &Tx<'_>| tx.set_fetched(seq, &fetched, 1);
    house.daemon.flow().ledger.write_blocking(keep).unwrap();
    let why = format!("{NAME} wants nothing");
    let declined = Command::Decline { why: why.clone() };
    house.command(&second, declined).unwrap();
    let closing = Command::Close {
        outcome: Outcome::Lost,
        value: None,
        currency: None,
        why: Some(why),
    };
    house.command(&first, closing).unwrap();
    house.work().await;
    assert!(house.line(&first).contains("conflict"));
    (house, first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_found_in_no_file_and_the_figures_stay() {
    let (house, first, second) = known_to_the_house().await;
    let other = house.lead(1).await;
    house.work().await;
    let data = house.dir.path().join("data");
    let found = found_in(&data);
    let mails = found.iter().filter(|name| name.starts_with('d')).count();
    let ledger = found.iter().any(|name| name.starts_with("ledger.sqlite"));
    assert!(mails >= 3 && ledger, "{found:?}");

    let (code, out, told) = run(&house, &[&ERASE[..], &["--dry-run"]].concat()).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(
        out.contains(&first) && out.contains(&second) && !out.contains(&other),
        "{out}"
    );
    assert_eq!(found_in(&data), found, "a dry run changes nothing");
    let (code, out, told) = run(&house, &ERASE).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(out.contains("not reached: backups"), "{out}");
    assert_eq!(found_in(&data), Vec::<String>::new());

    for id in [&first, &second] {
        assert_eq!(house.find(id).stage, Stage::Closed(Outcome::Erased));
        let line = house.line(id);
        let figures = line.starts_with("received, accepted, graded A") && line.ends_with("erased");
        assert!(figures, "{line}");
    }
    let (_, shown, _) = run(&house, &["leads", "show", &first]).await;
    assert!(shown.contains("by person:kim"), "{shown}");
    house.work().await;
    assert_eq!(found_in(&data), Vec::<String>::new(), "nothing comes back");
    let (code, _, told) = run(&house, &ERASE).await;
    assert!(
        code == Some(4) && told.contains("they were erased on"),
        "{told}"
    );
    assert_eq!(
        house.find(&other).stage,
        Stage::Offered,
        "nobody else is touched"
    );
    let (code, out, _) = run(&house, &["ledger", "verify"]).await;
    assert!(code == Some(0), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_an_erased_lead_gets_the_old_receipt_and_a_new_inquiry_is_unseen() {
    let (house, first, _) = known_to_the_house().await;
    let data = house.dir.path().join("data");
    let seen = async |key: &str| {
        let id = post(&house, key, &person("Werk A")).await;
        house.work().await;
        let seq = house.find(&id).seq;
        let facts = house.daemon.flow().ledger.read(|r| r.facts(seq)).unwrap();
        (id, facts.seen.times)
    };
    assert_eq!(seen("before").await.1, 2);
    assert_eq!(run(&house, &ERASE).await.0, Some(0));
    house.work().await;
    for body in [person("Werk A"), person("Werk C")] {
        assert_eq!(post(&house, "k1", &body).await, first);
        house.work().await;
        assert_eq!(
            found_in(&data),
            Vec::<String>::new(),
            "it brings nothing back"
        );
    }
    let (fresh, times) = seen("after").await;
    assert!(fresh != first && times == 0, "{times}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_waits_is_cancelled_and_others_are_named_but_not_touched() {
    let reps = crate::house::REPS.replace("09:00-17:00", "22:00-23:00");
    let house = plan().file("config/reps.toml", &reps).build().await;
    let waiting = post(&house, "k1", &person("Werk A")).await;
    let colleague = serde_json::json!({
        "name": "Kollege", "email": "kollege@muster.example", "phone": format!("030 {NUMBER}"),
        "message": format!("I work with {EMAIL}"), "company": "Werk A",
    });
    let colleague = post(&house, "k2", &colleague).await;
    house.work().await;
    assert_eq!(house.find(&waiting).stage, Stage::Waiting);
    let (code, out, told) = run(&house, &["leads", "export", "--person", EMAIL]).await;
    assert_eq!(code, Some(0), "{told}");
    let held: serde_json::Value = serde_json::from_str(&out).unwrap();
    let lead = &held["leads"][0];
    assert_eq!(held["leads"].as_array().unwrap().len(), 1);
    assert_eq!(held["perhaps_also_theirs"], serde_json::json!([colleague]));
    assert_eq!(lead["lead"]["fields"]["message"], MESSAGE);
    assert!(
        lead["as_it_came"][0]["body"]
            .as_str()
            .unwrap()
            .contains(NAME)
    );
    assert!(lead["history"].as_array().unwrap().len() >= 3);

    let (code, out, told) = run(&house, &["leads", "erase", "--email", EMAIL, "--by", "kim"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(
        out.contains(&format!("{colleague} shares an address or number")),
        "{out}"
    );
    house.pass(12 * HOUR + MINUTE).await;
    let line = house.line(&waiting);
    assert!(
        line.ends_with("erased") && house.mailbox.mails().len() == 1,
        "{line}"
    );
    assert_eq!(house.find(&colleague).stage, Stage::Offered);
    let released = house.command(&waiting, Command::Rescreen).unwrap_err();
    assert!(
        released.to_string().contains("erased cannot become"),
        "{released}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_not_erased_where_that_would_lose_another_that_was_not_read_yet() {
    let house = plan().build().await;
    let identity = |id: &str| Identity {
        platform_id: Some(id.into()),
        content: id.into(),
    };
    let incoming = Incoming {
        source: "form".into(),
        headers: Headers::default(),
        query: String::new(),
        raw: format!(r#"[{{"email":"{EMAIL}"}},{{"email":"other@muster.example"}}]"#).into_bytes(),
        identities: vec![identity("a"), identity("b")],
        read: None,
        received_at: house.clock.now(),
        verdict_wait_ms: None,
    };
    let receipt = house
        .daemon
        .flow()
        .receive(incoming, &Desk::open())
        .await
        .unwrap();
    house.work().await;
    let [first, second] = receipt.leads[..] else {
        panic!("two leads");
    };
    let (first, second) = (first.to_string(), second.to_string());
    assert_eq!(house.find(&first).stage, Stage::Held);
    let words = ["leads", "erase", &first, "--by", "kim"];
    let (code, _, told) = run(&house, &words).await;
    assert!(code == Some(4) && told.contains("would be lost"), "{told}");
    let why = "not a lead".into();
    house.command(&second, Command::Reject { why }).unwrap();
    let (code, _, told) = run(&house, &words).await;
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(
        found_in(&house.dir.path().join("data")),
        Vec::<String>::new()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_was_in_no_redis_either() {
    // Whatever was ever written to it stands in its log.
    let server = RedisServer::start().await;
    let plan = plan()
        .env("LEADGATE_MAIL__TRANSPORT", "outbox")
        .env("LEADGATE_QUEUE__URL", &server.url());
    let (house, first, _) = known_to(plan.build().await).await;
    let flow = house.daemon.flow().clone();
    until(|| async { flow.queue.is_connected() }).await;
    let third = post(&house, "k3", &person("Werk C")).await;
    until(|| async { flow.undecided() == 0 }).await;
    let waits: Vec<String> = server.ask(&["KEYS", "*"]).unwrap();
    assert!(!waits.is_empty(), "its tickets are in Redis");
    assert_eq!(found_in(server.dir()), Vec::<String>::new());
    house.work().await;
    let (code, _, told) = run(&house, &ERASE).await;
    assert_eq!(code, Some(0), "{told}");
    house.work().await;
    for id in [&first, &third] {
        assert_eq!(house.find(id).stage, Stage::Closed(Outcome::Erased));
    }
    assert_eq!(found_in(server.dir()), Vec::<String>::new());
    assert_eq!(
        found_in(&house.dir.path().join("data")),
        Vec::<String>::new()
    );
}
