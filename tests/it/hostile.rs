//! What nobody sends by mistake: each gets its answer, none stops the daemon, none becomes a lead.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, plan};

/// Sends bytes as they are, and reads until the daemon closes or has answered.
async fn raw(house: &House, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(house.daemon.address()).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    let read = async {
        loop {
            match stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(n) => answer.extend_from_slice(&chunk[..n]),
            }
            let text = String::from_utf8_lossy(&answer);
            let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                let length = head.lines().find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")
                        .and_then(|n| n.parse().ok())
                });
                length.is_some_and(|n: usize| body.len() >= n) && !text.starts_with("HTTP/1.1 100")
            });
            if whole {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .expect("it answers or closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The last status of an answer; 0 where the connection was closed without one.
fn status(answer: &str) -> u16 {
    let mut words = answer
        .rsplit("HTTP/1.1 ")
        .next()
        .unwrap_or_default()
        .split(' ');
    words.next().and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST /in/form HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

const JSON: &str = "content-type: application/json\r\n";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_refused_and_nothing_of_them_stays() {
    let house = plan()
        .env("LEADGATE_INTAKE__HEAD_TIMEOUT_S", "1")
        .env("LEADGATE_INTAKE__BODY_TIMEOUT_S", "1")
        .env("LEADGATE_INTAKE__BODY_BYTES", "65536")
        .build()
        .await;
    let big = "x".repeat(70_000);
    let deep = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let many = "a=1&".repeat(10_000);
    let headers = (0..120).fold(String::new(), |all, n| format!("{all}x-h{n}: 1\r\n"));
    let line = "POST /in/form HTTP/1.1\r\nhost: x\r\n";
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("both framings", format!("{line}{JSON}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n").into(), &[400]),
        ("two lengths", format!("{line}{JSON}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}").into(), &[400]),
        ("signed length", format!("{line}{JSON}content-length: +2\r\n\r\n{{}}").into(), &[400]),
        ("negative length", format!("{line}{JSON}content-length: -1\r\n\r\n").into(), &[400]),
        ("absurd length", format!("{line}{JSON}content-length: 18446744073709551616\r\n\r\n").into(), &[400]),
        ("a head that never ends", line.as_bytes().to_vec(), &[408, 0]),
        ("a body that never ends", format!("{line}{JSON}content-length: 50\r\n\r\n{{").into(), &[408]),
        ("continue and silence", format!("{line}{JSON}expect: 100-continue\r\ncontent-length: 50\r\n\r\n").into(), &[408]),
        ("too many headers", post(&format!("{JSON}{headers}"), "{}"), &[400, 431]),
        ("too large and honest", post(JSON, &big), &[413]),
        ("too large in chunks", format!("{line}{JSON}transfer-encoding: chunked\r\n\r\n{:x}\r\n{big}\r\n0\r\n\r\n", big.len()).into(), &[413]),
        ("a bomb", post(&format!("{JSON}content-encoding: gzip\r\n"), "\u{1f}"), &[415]),
        ("two encodings", post(&format!("{JSON}content-encoding: identity\r\ncontent-encoding: gzip\r\n"), "{}"), &[415]),
        ("text", post("content-type: text/plain\r\n", "{}"), &[415]),
        ("no type", post("", "{}"), &[415]),
        ("two types", post(&format!("{JSON}{FORM}"), "{}"), &[415]),
        ("another charset", post("content-type: application/json; charset=utf-16\r\n", "{}"), &[415]),
        ("xml", post("content-type: application/xml\r\n", "<a/>"), &[415]),
        ("get", b"GET /in/form HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), &[405]),
        ("no such source", b"POST /in/none HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".to_vec(), &[404]),
        ("dots", b"POST /in/../../etc/passwd HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".to_vec(), &[400, 404]),
        ("encoded dots", b"POST /in/%2e%2e/form HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".to_vec(), &[400, 404]),
        ("a zero in the path", b"POST /in/form%00x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".to_vec(), &[400, 404]),
        ("an abyss", post(JSON, &deep), &[400]),
        ("a key twice", post(JSON, r#"{"email":"a@b.example","email":"c@d.example"}"#), &[400]),
        ("half a character", post(JSON, r#"{"name":"\ud800"}"#), &[400]),
        ("no number", post(JSON, r#"{"n":NaN}"#), &[400]),
        ("two documents", post(JSON, "{}{}"), &[400]),
        ("a list", post(JSON, "[1]"), &[400]),
        ("null", post(JSON, "null"), &[400]),
        ("nothing", post(JSON, ""), &[400]),
        ("a form of nothing", post(FORM, "_next=x"), &[400]),
        ("ten thousand fields", post(FORM, &many), &[422]),
        ("a broken escape", post(FORM, "a=%ZZ"), &[400]),
        ("a zero", post(FORM, "a=%00"), &[400]),
        ("no end", post("content-type: multipart/form-data; boundary=B\r\n", "--B\r\n"), &[400]),
        ("no boundary", post("content-type: multipart/form-data\r\n", "--B--"), &[400]),
        ("no key", b"POST /in/hook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}".to_vec(), &[401]),
        ("two keys", b"POST /in/hook HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k3y\r\nauthorization: Bearer k3y\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}".to_vec(), &[401]),
        ("no http", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec(), &[400, 0]),
    ];
    for (what, bytes, wanted) in &cases {
        let answer = raw(&house, bytes).await;
        assert!(wanted.contains(&status(&answer)), "{what}: {answer:.200}");
    }
    house.work().await;
    assert!(house.leads().is_empty(), "nothing of it became a lead");
    let id = house.lead(1).await;
    house.work().await;
    assert!(house.line(&id).contains("offered"), "it goes on as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_but_honest_leads_are_kept_as_they_came() {
    let house = plan().build().await;
    let odd = [
        ("J\\r\\nBcc: evil@x.example", "J\nBcc: evil@x.example"),
        ("\\u202egnirts", "\u{202e}gnirts"),
        (
            "{{7*7}} <img src=http://t.example>",
            "{{7*7}} <img src=http://t.example>",
        ),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("\\ud83d\\ude00 Zo\\u00eb", "😀 Zoë"),
        ("a\\u0000b", "ab"),
    ];
    for (n, (sent, kept)) in odd.iter().enumerate() {
        let body = format!(r#"{{"name":"{sent}","email":"odd{n}@werk.example","__proto__":"x"}}"#);
        let (status, answer) = house.post("form", &body).await;
        assert_eq!(status, 202, "{sent}");
        house.work().await;
        let lead = house.find(answer["receipt"].as_str().unwrap());
        let fields = &lead.inquiry.fields;
        let came = fields.given.get("name").or(fields.name.as_ref());
        assert_eq!(came.map(String::as_str), Some(*kept));
        assert_eq!(lead.inquiry.fields.get("__proto__"), Some("x"));
        let link = house.links().pop().unwrap();
        let (status, page) = house.get(&link).await;
        assert!(
            status == 200 && !page.contains("<img"),
            "the page shows text, not markup"
        );
    }
    assert_eq!(house.mailbox.mails().len(), odd.len());
}
