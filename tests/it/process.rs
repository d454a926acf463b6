//! The real program as a process of its own, which a test may kill.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use leadgate::lead::Lead;
use leadgate::ledger::reads::Filter;
use leadgate::ledger::{Ledger, Settings};
use tokio::process::{Child, Command};

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a daemon lives over its restarts.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) port: u16,
    env: Vec<(String, String)>,
}

/// A daemon that runs.
pub(crate) struct Process {
    pub(crate) child: Child,
}

impl Home {
    pub(crate) fn new() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        Self {
            dir: tempfile::tempdir().unwrap(),
            port,
            env: Vec::new(),
        }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The command that serves, behind `wrapper` where one is given.
    fn command(&self, wrapper: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_leadgate");
        let words: Vec<&str> = wrapper.iter().copied().chain([program, "serve"]).collect();
        let mut append = std::fs::OpenOptions::new();
        append.create(true).append(true);
        let log = append.open(self.dir.path().join("log")).unwrap();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .envs(self.environment())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        command
    }

    fn environment(&self) -> Vec<(String, String)> {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/leadgate.toml");
        let path = |path: PathBuf| path.display().to_string();
        let mut environment = [
            ("CONFIG", path(config)),
            ("SERVER__LISTEN", format!("127.0.0.1:{}", self.port)),
            ("STORAGE__DATA_DIR", path(self.data())),
            ("MAIL__OUTBOX", path(self.data().join("outbox"))),
            ("INTAKE__PER_CLIENT_PER_MINUTE", "1000000".into()),
            ("INTAKE__PER_SOURCE_PER_SECOND", "1000000".into()),
        ]
        .map(|(name, value)| (format!("LEADGATE_{name}"), value))
        .to_vec();
        environment.extend(self.env.clone());
        environment
    }

    /// Runs a command beside the daemon: its exit code, and what it printed and warned.
    pub(crate) async fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadgate"));
        command.args(words).envs(self.environment());
        let output = command.output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// Starts it and waits until it takes leads.
    pub(crate) async fn start(&self) -> Process {
        self.start_behind(&[]).await
    }

    pub(crate) async fn start_behind(&self, wrapper: &[&str]) -> Process {
        let child = self.command(wrapper).spawn();
        let hint = "is it installed? apt-get install -y strace";
        let child = child.unwrap_or_else(|error| panic!("{wrapper:?}: {error}; {hint}"));
        let client = client();
        until(|| async {
            let ready = client.get(self.url("/readyz")).send().await;
            ready.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        Process { child }
    }

    /// Every lead, the latest first.
    pub(crate) fn leads(&self) -> Vec<Lead> {
        let all = Filter {
            tests: true,
            ..Filter::default()
        };
        self.read(|ledger| ledger.read(|r| r.list(&all, 100_000)).unwrap())
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        let settings = Settings {
            data_dir: self.data(),
            ..Settings::default()
        };
        let ledger = Ledger::beside(&settings).unwrap();
        let value = read(&ledger);
        ledger.close();
        value
    }
}

impl Process {
    /// As the kernel does when memory is short.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Stops the daemon behind `strace`, which ends with it.
    pub(crate) async fn stop_traced(&mut self) {
        let pid = self.child.id().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        for traced in children.split_whitespace() {
            let sent = Command::new("kill")
                .args(["-TERM", traced])
                .status()
                .await
                .unwrap();
            assert!(sent.success());
        }
        self.child.wait().await.unwrap();
    }

    /// As an operator does; the exit code.
    pub(crate) async fn stop(&mut self) -> Option<i32> {
        let pid = self.child.id().unwrap().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        ended.expect("it stops within 30 s").unwrap().code()
    }
}

pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Waits until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let wait = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while !holds().await {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .expect("what was waited for came");
}
