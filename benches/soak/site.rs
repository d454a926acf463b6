//! A copy of the shipped configuration for the soak, and the daemon as a process that is killed and
//! started again. Linux only, by `/proc`.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use leadgate::clock::Clock;
use leadgate::config::Config;
use leadgate::daemon;
use leadgate::flow::Policy;

/// A rep with a cap low enough to be reached, who is nobody's fallback.
pub(crate) const CAPPED_REP: &str = "ben";
/// Leads a day.
pub(crate) const CAP: usize = 500;
/// Standard Webhooks signatures of these sources are made with it.
const SECRET: &str = "whsec_bGVhZGdhdGUtc29hay10ZXN0LXNlY3JldC1rZXkh";
/// A restart may take so long, however much there is to catch up with.
const START_MAX: Duration = Duration::from_mins(1);
const STOP_MAX: Duration = Duration::from_secs(40);

/// A batch: the shipped sources have none.
const BATCH_SOURCE: &str = r#"
[batch]
adapter = "webhook"
auth = "standard"
secret = "env:LEADGATE_LANDING_SECRET"
items = "$.leads"
id = "$.id"
"#;

/// Where everything of one run lies.
pub(crate) struct Site {
    /// The folder of the run.
    pub(crate) dir: PathBuf,
    /// Rules, sources and reps as the daemon has them.
    pub(crate) policy: Policy,
    /// Where the daemon listens, in every life.
    pub(crate) port: u16,
    env: BTreeMap<String, String>,
}

impl Site {
    /// Copies the configuration, and the program too: a build meanwhile must not change it.
    pub(crate) fn copy_to(dir: &Path, smtp: u16, redis: u16) -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&root.join("config"), &dir.join("config"))?;
        copy(&root.join("rules"), &dir.join("rules"))?;
        std::fs::copy(env!("CARGO_BIN_EXE_leadgate"), dir.join("leadgate"))?;
        change(&dir.join("config/reps.toml"), recap)?;
        change(&dir.join("config/sources.toml"), |text| {
            format!("{text}{BATCH_SOURCE}")
        })?;
        let port = free_port()?;
        let path = |name: &str| dir.join(name).display().to_string();
        let env = [
            ("LEADGATE_LANDING_SECRET", SECRET.to_owned()),
            ("LEADGATE_SERVER__LISTEN", format!("127.0.0.1:{port}")),
            ("LEADGATE_STORAGE__DATA_DIR", path("data")),
            ("LEADGATE_POLICY__RULES", path("rules")),
            ("LEADGATE_INTAKE__PER_SOURCE_PER_SECOND", "100000".into()),
            ("LEADGATE_INTAKE__PER_CLIENT_PER_MINUTE", "1000000".into()),
            ("LEADGATE_QUEUE__URL", format!("redis://127.0.0.1:{redis}")),
            ("LEADGATE_QUEUE__PARTITION", "soak".into()),
            ("LEADGATE_MAIL__TRANSPORT", "smtp".into()),
            ("LEADGATE_MAIL__SMTP__HOST", "127.0.0.1".into()),
            ("LEADGATE_MAIL__SMTP__PORT", smtp.to_string()),
            ("LEADGATE_MAIL__SMTP__SECURITY", "none".into()),
            // Sends that hang must not take all places: one in a hundred does.
            ("LEADGATE_MAIL__TIMEOUT_S", "5".into()),
            ("LEADGATE_MAIL__CONCURRENCY", "16".into()),
            ("LEADGATE_MAIL__UNDELIVERED_AFTER_MIN", "2".into()),
            ("LEADGATE_LOG__LEVEL", "warn".into()),
        ];
        let env: BTreeMap<_, _> = env.map(|(name, value)| (name.to_owned(), value)).into();
        let config = Config::load_with(&dir.join("config/leadgate.toml"), &env);
        let config = config.map_err(|problems| anyhow::anyhow!("{problems:#?}"))?;
        let policy = daemon::assemble(&config);
        let policy = policy.map_err(|problems| anyhow::anyhow!("{problems:#?}"))?;
        Ok(Self {
            dir: dir.to_owned(),
            policy,
            port,
            env,
        })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(crate) fn log(&self) -> std::io::Result<String> {
        let bytes = std::fs::read(self.dir.join("log"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The program with a command, in the same configuration.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.dir.join("leadgate"));
        command.args(words).envs(&self.env);
        command.env("LEADGATE_CONFIG", self.dir.join("config/leadgate.toml"));
        command
    }
}

/// One rep with a cap that is reached, all others without.
fn recap(text: &str) -> String {
    let is_cap = |line: &str| line.starts_with("per_day") || line.starts_with("open_max");
    let mut kept = String::new();
    for line in text.lines().filter(|line| !is_cap(line)) {
        kept.push_str(line);
        kept.push('\n');
        if line == format!("[reps.{CAPPED_REP}]") {
            kept.extend(["per_day = ", &CAP.to_string(), "\n"]);
        }
    }
    kept
}

fn change(path: &Path, how: impl Fn(&str) -> String) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path)?;
    Ok(std::fs::write(path, how(&text))?)
}

/// The daemon; killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    /// How long it took until it took leads.
    pub(crate) started_in: Duration,
}

impl Daemon {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(site: &Site) -> anyhow::Result<Self> {
        let mut append = std::fs::OpenOptions::new();
        let log = append
            .create(true)
            .append(true)
            .open(site.dir.join("log"))?;
        let mut command = site.command(&["serve"]);
        // A group of its own: Ctrl-C is for the soak, which stops it in its own time.
        command.stdout(Stdio::null()).stderr(log).process_group(0);
        let start = Instant::now();
        let child = command.spawn().context("the daemon cannot be started")?;
        let mut daemon = Self {
            child,
            started_in: Duration::ZERO,
        };
        let client = reqwest::Client::builder().no_proxy().build()?;
        loop {
            let ready = client.get(site.url("/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                daemon.started_in = start.elapsed();
                return Ok(daemon);
            }
            if let Some(status) = daemon.ended()? {
                bail!("the daemon ended while it started: {status}");
            }
            ensure!(start.elapsed() < START_MAX, "the daemon does not get ready");
            Clock::pause(Duration::from_millis(20)).await;
        }
    }

    /// How it ended, where it did so by itself.
    pub(crate) fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// As the kernel does when memory is short.
    pub(crate) fn kill(&mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// As an operator does.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        signal(&self.child, "-TERM")?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            ensure!(asked.elapsed() < STOP_MAX, "the daemon does not stop");
            Clock::pause(Duration::from_millis(50)).await;
        }
    }

    /// Memory in use, in MiB.
    pub(crate) fn memory_mib(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib = line.and_then(|l| l.split_whitespace().next());
        Ok(kib.context("VmRSS")?.parse::<f64>()? / 1_024.0)
    }

    /// Open files and connections.
    pub(crate) fn files(&self) -> std::io::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port on which nobody listens yet.
pub(crate) fn free_port() -> std::io::Result<u16> {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(free.local_addr()?.port())
}

/// Signals but KILL are not in the standard library.
pub(crate) fn signal(child: &Child, signal: &str) -> anyhow::Result<()> {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status()?;
    ensure!(sent.success(), "kill {signal} {pid}: {sent}");
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().context("a name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
