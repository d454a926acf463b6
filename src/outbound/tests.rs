//! What the guard lets through, with names that lead where a test says.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::guard::Looking;
use super::*;

fn call(url: &str) -> Call<'_> {
    Call {
        method: "POST",
        url,
        headers: Vec::new(),
        body: b"hello".to_vec(),
        timeout_ms: 5_000,
        reply_max_bytes: 1_000,
    }
}

async fn refused(outbound: &Outbound, call: Call<'_>) -> String {
    let url = call.url.to_owned();
    match outbound.send(call).await {
        Err(Trouble::Refused(why)) => why,
        other => panic!("{url}: {other:?}"),
    }
}

/// Ways to write an address that is not public.
const INSIDE: [&str; 32] = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://0x7f000001/",
    "https://017700000001/",
    "https://0.0.0.0/",
    "https://0/",
    "https://127.0.0.1:8443/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fd00:ec2::254]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://192.0.0.1/",
    "https://198.18.0.1/",
    "https://240.0.0.1/",
    "https://224.0.0.1/",
    "https://[ff02::1]/",
    "https://10.0.0.1/",
    "https://192.168.0.1/",
    "https://[fe80::1]/",
    "https://localhost/",
    "https://①②⑦.0.0.1/",
    "http://127.0.0.1:6379/",
];

/// URLs that are none, or that a parser would mend.
const ODD: [&str; 27] = [
    "https://[fe80::1%eth0]/",
    "https://user:pass@example.com/",
    "https://user@example.com/",
    "gopher://example.com/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "data:text/plain,x",
    "https://example.com./",
    "https://münchen.example/",
    "https://example.com/a b",
    "https://example.com/\r\nX-Evil: 1",
    "https://exa\tmple.com/",
    "https://example.com/#x",
    "https://",
    "https:///",
    "//example.com/",
    "/path",
    "",
    "https://exa%00mple.com/",
    "https://1.1.1.1:25/",
    "https://1.1.1.1:6379/",
    "https://1.1.1.1:80/",
    "http://1.1.1.1/",
    "http://1.1.1.1:443/",
    "https://[2606:4700::1111]:22/",
    "https://256.256.256.256/",
    "https://example.com:99999/",
];

#[tokio::test]
async fn a_url_that_leads_inside_is_refused_however_it_is_written() {
    let outbound = Outbound::new(Vec::new()).unwrap();
    for url in INSIDE {
        let why = refused(&outbound, call(url)).await;
        assert!(
            why.contains("not public") || why.contains("ASCII"),
            "{url}: {why}"
        );
    }
    for url in ODD {
        refused(&outbound, call(url)).await;
    }
    let long = format!("https://example.com/{}", "x".repeat(2_048));
    refused(&outbound, call(&long)).await;
    for url in [
        "https://1.1.1.1/",
        "https://[2606:4700::1111]:8443/x?y=z",
        "https://a.example/",
    ] {
        assert_eq!(outbound.check(url), Ok(()), "{url}");
    }
}

#[tokio::test]
async fn headers_cannot_break_out_of_the_request_or_take_over_its_frame() {
    let outbound = Outbound::new(vec!["127.0.0.0/8".parse().unwrap()]).unwrap();
    let bad = [
        ("x\r\ny", "1"),
        ("x y", "1"),
        ("", "1"),
        ("x", "1\r\nX-Evil: 2"),
        ("x", "a\0b"),
        ("Host", "evil.example"),
        ("Content-Length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "upgrade"),
    ];
    for (name, value) in bad {
        let mut call = call("http://127.0.0.1:9/?token=s3cret");
        call.headers = vec![(name.into(), value.into())];
        let why = refused(&outbound, call).await;
        assert!(!why.contains("evil") && !why.contains("s3cret"), "{why}");
    }
    for method in ["", "G T", "POST\r\n"] {
        let mut call = call("http://127.0.0.1:9/");
        call.method = method;
        refused(&outbound, call).await;
    }
}

/// Answers every connection once, and counts them.
async fn server(address: &str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let bound = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 1_024];
            let _ = stream.read(&mut head).await;
            let answer = b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    (bound, count)
}

/// Gives the next of these answers at each lookup, and then the last again.
fn script(answers: &[&[&str]]) -> (Arc<Lookup>, Arc<AtomicUsize>) {
    let read = |list: &&[&str]| -> Vec<SocketAddr> {
        let one = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
        list.iter().map(one).collect()
    };
    let answers: Mutex<Vec<Vec<SocketAddr>>> = Mutex::new(answers.iter().map(read).collect());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let lookup = move |_: String| -> Looking {
        counted.fetch_add(1, Ordering::SeqCst);
        let mut answers = answers.lock().unwrap();
        let next = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        Box::pin(async move { Ok(next) })
    };
    (Arc::new(lookup), asked)
}

#[tokio::test]
async fn a_name_that_answers_otherwise_the_second_time_gains_nothing() {
    let (good, reached) = server("127.0.0.1:0").await;
    let (_bad, inside) = server(&format!("127.0.0.2:{}", good.port())).await;
    let (lookup, asked) = script(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let outbound = Outbound::with_lookup(vec!["127.0.0.1/32".parse().unwrap()], lookup);
    let url = format!("http://crm.example:{}/", good.port());
    let reply = outbound.send(call(&url)).await.unwrap();
    assert_eq!(
        (reply.status, asked.load(Ordering::SeqCst)),
        (204, 1),
        "judged and dialled at once"
    );
    let why = refused(&outbound, call(&url)).await;
    assert!(
        why.contains("this machine") && !why.contains("crm.example"),
        "{why}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(
        (
            reached.load(Ordering::SeqCst),
            inside.load(Ordering::SeqCst)
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn a_name_is_refused_as_a_whole_when_one_of_its_addresses_is() {
    let allow: Vec<IpNet> = vec!["127.0.0.1/32".parse().unwrap()];
    let cases: [(&str, &[&str]); 6] = [
        ("http://a.example:9/", &["127.0.0.1", "10.0.0.1"]),
        ("http://a.example:9/", &["127.0.0.1", "1.1.1.1"]),
        ("https://a.example/", &["1.1.1.1", "169.254.169.254"]),
        ("https://a.example/", &["::ffff:10.0.0.1"]),
        ("https://a.example:6379/", &["1.1.1.1"]),
        ("https://metadata.google.internal/", &["169.254.169.254"]),
    ];
    for (url, addresses) in cases {
        let (lookup, _) = script(&[addresses]);
        let outbound = Outbound::with_lookup(allow.clone(), lookup);
        refused(&outbound, call(url)).await;
    }
    let (lookup, _) = script(&[&[]]);
    let outbound = Outbound::with_lookup(allow, lookup);
    let result = outbound.send(call("https://a.example/?token=s3cret")).await;
    let wanted = Trouble::Failed("the host's name has no address".into());
    assert_eq!(result.err(), Some(wanted));
}

#[test]
fn a_network_in_which_nothing_is_ever_reached_cannot_be_named() {
    for net in ["169.254.0.0/16", "169.254.169.254/32", "fe80::/10"] {
        let error = Outbound::new(vec![net.parse().unwrap()]).err().unwrap();
        assert!(error.to_string().contains("never reached"), "{error}");
    }
}
