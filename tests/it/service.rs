//! leadgate as a service: what the service manager is told, the health check, and what the command
//! line says of itself.

use std::os::unix::net::UnixDatagram;
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::process::{Home, client};

/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the manager hears next; `None` where it hears nothing for so long.
fn hear(socket: &UnixDatagram, patience: Duration) -> Option<String> {
    socket.set_read_timeout(Some(patience)).unwrap();
    let mut bytes = [0; 1_024];
    let n = socket.recv(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes[..n]).trim().to_owned())
}

/// What it hears next besides signs of life.
fn hear_news(socket: &UnixDatagram) -> String {
    loop {
        let heard = hear(socket, PATIENCE).expect("the daemon says something");
        if heard != "WATCHDOG=1" {
            return heard;
        }
    }
}

fn leadgate(home: &Home, args: &[&str]) -> Output {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/config/leadgate.toml");
    std::process::Command::new(env!("CARGO_BIN_EXE_leadgate"))
        .args(args)
        .env("LEADGATE_CONFIG", config)
        .env("LEADGATE_SERVER__LISTEN", format!("0.0.0.0:{}", home.port))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn signal(name: &str, pid: u32) {
    let mut kill = tokio::process::Command::new("kill");
    let sent = kill.args([name, &pid.to_string()]).status().await.unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_of_readiness_reloads_life_and_the_stop() {
    let manager = tempfile::tempdir().unwrap();
    let path = manager.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let home = Home::new()
        .env("NOTIFY_SOCKET", path.to_str().unwrap())
        .env("WATCHDOG_USEC", "300000");
    let mut daemon = home.start().await;
    let pid = daemon.child.id().unwrap();
    assert_eq!(hear_news(&socket), "READY=1");
    while hear(&socket, PATIENCE).expect("a sign of life") != "WATCHDOG=1" {}

    signal("-HUP", pid).await;
    let reloading = hear_news(&socket);
    let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    assert!(
        at.is_some_and(|at| at.parse::<u64>().is_ok()),
        "{reloading}"
    );
    assert_eq!(hear_news(&socket), "READY=1");

    // Somebody else holds the ledger: the process runs and answers, and still nothing can be kept.
    let other = rusqlite::Connection::open(home.data().join("ledger.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let silence = Duration::from_secs(1);
    let signs = std::iter::from_fn(|| hear(&socket, silence))
        .take(100)
        .count();
    assert!(
        signs < 100,
        "it says that it is alive while it cannot commit"
    );
    other.execute_batch("ROLLBACK").unwrap();
    while hear(&socket, PATIENCE).expect("a sign of life again") != "WATCHDOG=1" {}

    signal("-TERM", pid).await;
    assert_eq!(hear_news(&socket), "STOPPING=1");
    let ended = tokio::time::timeout(PATIENCE, daemon.child.wait()).await;
    assert_eq!(ended.expect("it ends").unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_ends_nothing() {
    let home = Home::new();
    let nowhere = ["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"];
    let mut daemon = home.start_behind(&nowhere).await;
    let posting = client().post(home.url("/in/website")).body("\0").send();
    assert_eq!(posting.await.unwrap().status().as_u16(), 415);
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_check_tells_a_daemon_that_serves_from_none() {
    let home = Home::new();
    let mut daemon = home.start().await;
    assert_eq!(text(&leadgate(&home, &["health"])), "ready\n");
    assert_eq!(text(&leadgate(&home, &["health", "--live"])), "alive\n");
    let away = leadgate(&home, &["health", "--url", &home.url("/in/nowhere")]);
    assert_eq!(away.status.code(), Some(1), "{away:?}");
    daemon.stop().await;
    let gone = leadgate(&home, &["health"]);
    assert_eq!(gone.status.code(), Some(1));
    let said = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(said.contains("does not answer"), "{said}");
}

#[test]
fn completions_and_manual_pages_come_from_the_command_line_itself() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&leadgate(&home, &["completions", shell]));
        for word in ["health", "redrive", "uncontacted"] {
            assert!(script.contains(word), "{shell} completes {word}");
        }
        if shell == "bash" {
            let file = home.dir.path().join("completions");
            std::fs::write(&file, &script).unwrap();
            let bash = std::process::Command::new("bash")
                .arg("-n")
                .arg(&file)
                .output();
            let bash = bash.unwrap();
            assert!(bash.status.success() && bash.stderr.is_empty(), "{bash:?}");
        }
    }
    let page = text(&leadgate(&home, &["man"]));
    let named = page.lines().filter_map(|line| {
        let name = line.strip_prefix("leadgate\\-")?.strip_suffix("(1)")?;
        Some(name.to_owned())
    });
    let named: Vec<String> = named.collect();
    assert!(named.len() >= 9, "{named:?}");
    for name in named {
        let page = text(&leadgate(&home, &["man", &name]));
        assert!(page.contains(&format!(".TH leadgate-{name} 1")), "{page}");
    }
    let page = text(&leadgate(&home, &["man", "leads", "list"]));
    assert!(page.contains(r"\fB\-\-uncontacted\fR"), "{page}");
    assert_eq!(leadgate(&home, &["man", "nothing"]).status.code(), Some(4));
}
