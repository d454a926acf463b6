//! A 2xx means it is on disk: proved by the order of the system calls. That `kill -9` loses nothing
//! proves no such thing, since the kernel keeps what was written.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use crate::process::{Home, until};

/// Set for the process that answers before it syncs.
const UNSYNCED: &str = "LEADGATE_TEST_UNSYNCED";
const LEADS: usize = 40;

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

/// One lead on a connection of its own; whether it was answered with 202.
fn post(port: u16, at: usize) -> bool {
    let body = format!(r#"{{"email":"p{at}@werk.example","message":"marker-{at:05}-end"}}"#);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "POST /in/website HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 202")
}

/// For each 202 in turn: its lead was written to the log, then a sync of the log began and ended,
/// and only then the answer went out. Gives the leads for which this does not hold.
fn answered_too_early(trace: &str) -> Vec<usize> {
    let lines: Vec<&str> = trace.lines().collect();
    let is_log = |line: &str| line.contains("ledger.sqlite-wal");
    let pid = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let mut syncs: Vec<(usize, usize)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let begins = (line.contains(" fdatasync(") || line.contains(" fsync(")) && is_log(line);
        if !begins {
            continue;
        }
        if line.contains("= 0") {
            syncs.push((at, at));
            continue;
        }
        let rest = lines.iter().enumerate().skip(at + 1);
        let mut ends = rest.filter(|(_, l)| pid(l) == pid(line) && l.contains("sync resumed"));
        syncs.extend(ends.next().map(|(end, _)| (at, end)));
    }
    let answers = lines
        .iter()
        .enumerate()
        .filter(|(_, l)| l.contains("HTTP/1.1 202"));
    let answers: Vec<usize> = answers.map(|(at, _)| at).collect();
    assert_eq!(answers.len(), LEADS, "every lead was answered once");
    let early = answers.into_iter().enumerate().filter(|(lead, answered)| {
        let marker = format!("marker-{lead:05}-end");
        let written = |l: &&str| l.contains("pwrite64(") && is_log(l) && l.contains(&marker);
        let Some(written) = lines.iter().position(written) else {
            return true;
        };
        !syncs
            .iter()
            .any(|(begun, ended)| *begun > written && ended < answered)
    });
    early.map(|(lead, _)| lead).collect()
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
    let sent = move || (0..LEADS).all(|at| post(port, at));
    assert!(tokio::task::spawn_blocking(sent).await.unwrap());
    daemon.stop_traced().await;
    let text = std::fs::read(&trace).unwrap();
    assert_eq!(answered_too_early(&String::from_utf8_lossy(&text)), [0; 0]);

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
    let sent = move || (0..LEADS).all(|at| post(port, at));
    assert!(tokio::task::spawn_blocking(sent).await.unwrap());
    assert!(unsynced.wait().await.unwrap().success());
    let text = std::fs::read(&trace).unwrap();
    let early = answered_too_early(&String::from_utf8_lossy(&text));
    assert!(
        early.len() > LEADS / 2,
        "the look does not see what it is for: {early:?}"
    );
}
