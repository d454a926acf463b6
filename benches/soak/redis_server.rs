//! A private `redis-server` that dies, freezes, or forgets everything, again and again.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use leadgate::clock::Clock;

use crate::options::Faults;
use crate::site::{free_port, signal};

/// The server; it ends when it is dropped.
pub(crate) struct RedisServer {
    dir: PathBuf,
    /// Each life has a folder of its own, and so begins empty.
    lives: u32,
    pub(crate) port: u16,
    child: Child,
}

impl RedisServer {
    pub(crate) async fn start(dir: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let mut server = Self {
            dir: dir.to_owned(),
            lives: 0,
            port,
            child: spawn(&dir.join("redis0"), port)?,
        };
        server.answers().await?;
        Ok(server)
    }

    /// Entries in all its streams: what is queued or claimed.
    pub(crate) fn depth(&self) -> redis::RedisResult<usize> {
        let mut connection = self.connection()?;
        let keys: Vec<String> = redis::cmd("KEYS").arg("lg1:*").query(&mut connection)?;
        let mut entries = 0;
        for key in keys {
            let kind: String = redis::cmd("TYPE").arg(&key).query(&mut connection)?;
            if kind == "stream" {
                let n: usize = redis::cmd("XLEN").arg(&key).query(&mut connection)?;
                entries += n;
            }
        }
        Ok(entries)
    }

    fn connection(&self) -> redis::RedisResult<redis::Connection> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let bound = Duration::from_secs(2);
        let connection = client.get_connection_with_timeout(bound)?;
        connection.set_read_timeout(Some(bound))?;
        Ok(connection)
    }

    fn ask(&self, command: &str) -> redis::RedisResult<()> {
        redis::cmd(command).query(&mut self.connection()?)
    }

    async fn answers(&mut self) -> anyhow::Result<()> {
        for _ in 0..200 {
            if self.ask("PING").is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("redis-server ended: {status}");
            }
            Clock::pause(Duration::from_millis(50)).await;
        }
        anyhow::bail!("redis-server does not answer")
    }

    /// Lets it serve again, wherever in its troubles it was left.
    pub(crate) async fn recover(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            self.revive()?;
        }
        signal(&self.child, "-CONT")?;
        self.answers().await
    }

    fn revive(&mut self) -> anyhow::Result<()> {
        self.lives += 1;
        let dir = self.dir.join(format!("redis{}", self.lives));
        self.child = spawn(&dir, self.port)?;
        Ok(())
    }

    /// What befalls it this time; afterwards it serves again. Says what it was.
    pub(crate) async fn suffer(&mut self, turn: u32, faults: &Faults) -> anyhow::Result<String> {
        match turn % 4 {
            1 => {
                self.ask("FLUSHALL")?;
                Ok("Redis was flushed".into())
            }
            3 => {
                signal(&self.child, "-STOP")?;
                Clock::pause(faults.freeze).await;
                signal(&self.child, "-CONT")?;
                self.answers().await?;
                Ok(format!("Redis stood still for {:?}", faults.freeze))
            }
            _ => {
                self.child.kill()?;
                self.child.wait()?;
                Clock::pause(faults.down).await;
                self.revive()?;
                self.answers().await?;
                Ok(format!(
                    "Redis was killed, and came back empty after {:?}",
                    faults.down
                ))
            }
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(dir: &Path, port: u16) -> anyhow::Result<Child> {
    std::fs::create_dir_all(dir)?;
    let port = port.to_string();
    Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "everysec", "--dir"])
        .arg(dir)
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .context("redis-server cannot be started; is it installed? apt-get install redis-server")
}
