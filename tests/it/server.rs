//! A private `redis-server` that a test may kill, stop, fill and restart.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::process::until;

/// The server, with its data in a folder of its own; it ends with the test.
pub(crate) struct RedisServer {
    pub(crate) port: u16,
    dir: tempfile::TempDir,
    args: Vec<String>,
    child: Child,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more arguments than the usual ones.
    pub(crate) async fn start_with(args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), free_port(), args).await
    }

    /// In a folder that the test prepared.
    pub(crate) async fn start_in(dir: tempfile::TempDir, port: u16, args: &[&str]) -> Self {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let child = spawn(&dir, port, &args);
        let server = Self {
            port,
            dir,
            args,
            child,
        };
        server.answers().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where its files are.
    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// As the kernel does when memory is short.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// With the data that it had.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.dir, self.port, &self.args);
        self.answers().await;
    }

    /// Without them.
    pub(crate) async fn restart_empty(&mut self) {
        self.dir = tempfile::tempdir().unwrap();
        self.restart().await;
    }

    /// Connections open and nothing is answered, until it is continued.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn unfreeze(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// What one command answers, as an administrator at the console.
    pub(crate) fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url()).unwrap();
        let bound = Duration::from_secs(5);
        let mut connection = client.get_connection_with_timeout(bound)?;
        connection.set_read_timeout(Some(bound))?;
        let mut asked = redis::cmd(command[0]);
        asked.arg(&command[1..]).query(&mut connection)
    }

    /// Whether no ticket is left in a partition, neither waiting nor claimed nor remembered.
    pub(crate) fn is_empty(&self, partition: &str) -> bool {
        let all = format!("lg1:{{{partition}}}:*");
        let keys: Vec<String> = self.ask(&["KEYS", &all]).unwrap();
        keys.iter().all(|key| {
            let kind: String = self.ask(&["TYPE", key]).unwrap();
            kind == "stream" && self.ask::<usize>(&["XLEN", key]).unwrap() == 0
        })
    }

    async fn answers(&self) {
        until(|| async {
            let answer = self.ask::<String>(&["PING"]);
            // One that wants a login, or TLS, is there as well.
            answer.is_ok() || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        })
        .await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

fn spawn(dir: &tempfile::TempDir, port: u16, args: &[String]) -> Child {
    let port = port.to_string();
    let usual = ["--port", &port, "--bind", "127.0.0.1", "--save", ""];
    let lasting = ["--appendonly", "yes", "--appendfsync", "always"];
    let child = Command::new("redis-server")
        .args(usual)
        .args(lasting)
        .args(args)
        .arg("--dir")
        .arg(dir.path())
        .stdout(Stdio::null())
        .spawn();
    let hint = "is it installed? apt-get install -y redis-server";
    child.unwrap_or_else(|error| panic!("redis-server: {error}; {hint}"))
}
