//! A 2xx means it is on disk: proved by the order of the system calls. That `kill -9` loses nothing
//! proves no such thing, since the kernel keeps what was written.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use crate::process::{Home, until};

/// Set for the process that answers before it syncs.
const UNSYNCED: &str = "LEADGATE_TEST_UNSYNCED";
/// Sent one after the other.
const LEADS: usize = 40;
/// Sent by so many at once, so many each.
const SENDERS: usize = 8;
const LEADS_EACH: usize = 20;

const STRACE: [&str; 7] = [
    "strace",
    "-f",
    "-yy",
    "-s6000",
    "-etrace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg",
    "-o",
    "",
];

fn strace(trace: &str) -> [&str; 7] {
    let mut words = STRACE;
    words[6] = trace;
    words
}

/// A lead that was answered with 202, and the port that it was sent from.
#[derive(Clone, Copy)]
struct Sent {
    at: usize,
    from: u16,
}

/// Sends one lead on a connection of its own.
fn post(port: u16, at: usize) -> Sent {
    let body = format!(r#"{{"email":"p{at}@werk.example","message":"marker-{at:05}-end"}}"#);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let from = stream.local_addr().unwrap().port();
    let request = format!(
        "POST /in/website HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    Sent { at, from }
}

fn one_by_one(port: u16) -> Vec<Sent> {
    (0..LEADS).map(|at| post(port, at)).collect()
}

fn all_at_once(port: u16) -> Vec<Sent> {
    let start = std::sync::Barrier::new(SENDERS);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let first = LEADS + sender * LEADS_EACH;
                    let leads = first..first + LEADS_EACH;
                    leads.map(|at| post(port, at)).collect::<Vec<_>>()
                })
            })
            .collect();
        let sent = senders.into_iter().map(|sender| sender.join().unwrap());
        sent.flatten().collect()
    })
}

/// For each lead: it was written to the log, then a sync of the log began and ended, and only then the
/// answer went out on its connection. Gives the leads for which this does not hold, and the most
/// leads that one sync covered. The thread that moves the log into the file syncs it too, so that
/// another sync may begin sooner and end later than the one that the answer waited for.
fn answered_too_early(trace: &str, sent: &[Sent]) -> (Vec<usize>, usize) {
    let lines: Vec<&str> = trace.lines().collect();
    let is_log = |line: &str| line.contains("ledger.sqlite-wal");
    let pid = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let calls = |names: &[&str], of: &dyn Fn(&str) -> bool| -> Vec<(usize, usize)> {
        let is_one = |line: &str| names.iter().any(|name| line.contains(name)) && of(line);
        let begun = (0..lines.len()).filter(|at| is_one(lines[*at]));
        let both = begun.filter_map(|at| {
            if !lines[at].ends_with("<unfinished ...>") {
                return Some((at, at));
            }
            let resumed = |end: &usize| {
                pid(lines[*end]) == pid(lines[at]) && lines[*end].contains(" resumed>")
            };
            (at + 1..lines.len()).find(resumed).map(|end| (at, end))
        });
        both.collect()
    };
    let syncs = calls(&[" fdatasync(", " fsync("], &is_log);
    let writes = calls(&[" pwrite64("], &is_log);
    let answers = calls(&[" write(", " writev(", " sendto(", " sendmsg("], &|line| {
        line.contains("HTTP/1.1 202")
    });
    let first = |of: &[(usize, usize)], word: &str| {
        let found = of.iter().find(|(at, _)| lines[*at].contains(word));
        found.copied()
    };
    let mut covered = std::collections::BTreeMap::<usize, usize>::new();
    let is_early = |sent: &&Sent| {
        let (answered, _) = first(&answers, &format!(":{}]", sent.from)).expect("its answer");
        let Some((_, written)) = first(&writes, &format!("marker-{:05}-end", sent.at)) else {
            return true;
        };
        let between = |(begun, ended): &&(usize, usize)| *begun > written && *ended < answered;
        let Some((begun, _)) = syncs.iter().find(between) else {
            return true;
        };
        *covered.entry(*begun).or_default() += 1;
        false
    };
    let early = sent.iter().filter(is_early).map(|sent| sent.at).collect();
    (early, covered.into_values().max().unwrap_or(0))
}

/// A server that is like ours but for the promise: it commits with `synchronous=NORMAL`.
fn serve_unsynced(dir: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let conn = rusqlite::Connection::open(dir.join("ledger.sqlite")).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "synchronous", "NORMAL").unwrap();
    conn.execute_batch("CREATE TABLE raw (body TEXT)").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::fs::write(dir.join("port.part"), port.to_string()).unwrap();
    std::fs::rename(dir.join("port.part"), dir.join("port")).unwrap();
    for stream in listener.incoming().take(LEADS) {
        let mut stream = stream.unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 1024];
        while !request.ends_with(b"-end\"}") {
            let n = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..n]);
        }
        let body = String::from_utf8(request).unwrap();
        conn.execute("INSERT INTO raw VALUES (?1)", [body]).unwrap();
        stream
            .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_2xx_is_never_sent_before_its_lead_is_on_disk() {
    if let Some(dir) = std::env::var_os(UNSYNCED) {
        serve_unsynced(Path::new(&dir));
        return;
    }
    let home = Home::new().env("LEADGATE_FLOW__DISTRIBUTE", "false");
    let trace = home.dir.path().join("trace").display().to_string();
    let mut daemon = home.start_behind(&strace(&trace)).await;
    let port = home.port;
    let send = move || (one_by_one(port), all_at_once(port));
    let (alone, together) = tokio::task::spawn_blocking(send).await.unwrap();
    daemon.stop_traced().await;
    let text = std::fs::read(&trace).unwrap();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(answered_too_early(&text, &alone), (vec![], 1));
    let (early, covered) = answered_too_early(&text, &together);
    assert_eq!(early, [0; 0]);
    assert!(covered > 1, "no commit took several leads together");

    // The same look at a server that breaks the promise finds that it does.
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace").display().to_string();
    let this = std::env::current_exe().unwrap();
    let words = strace(&trace);
    let mut unsynced = tokio::process::Command::new(words[0])
        .args(&words[1..])
        .arg(this)
        .args([
            "--exact",
            "fsync::a_2xx_is_never_sent_before_its_lead_is_on_disk",
        ])
        .env(UNSYNCED, dir.path())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let port_file = dir.path().join("port");
    until(|| async { port_file.exists() }).await;
    let port: u16 = std::fs::read_to_string(&port_file)
        .unwrap()
        .parse()
        .unwrap();
    let sent = tokio::task::spawn_blocking(move || one_by_one(port));
    let sent = sent.await.unwrap();
    assert!(unsynced.wait().await.unwrap().success());
    let text = std::fs::read(&trace).unwrap();
    let (early, _) = answered_too_early(&String::from_utf8_lossy(&text), &sent);
    assert!(
        early.len() > LEADS / 2,
        "the look does not see what it is for: {early:?}"
    );
}
