//! The real daemon under load, with the shipped rules and a copy of the shipped configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use leadgate::config::Config;
use leadgate::daemon;
use leadgate::flow::Policy;
use leadgate::ledger::{Ledger, Settings};
use leadgate::source::Source;

use crate::client::Load;
use crate::process::{self, Server};
use crate::table::Run;

/// The source of the load: a webhook with a Standard Webhooks signature.
pub(crate) const SOURCE: &str = "landing";
const SECRET_VARIABLE: &str = "LEADGATE_LANDING_SECRET";
const SECRET: &str = "whsec_bGVhZGdhdGUtYmVuY2htYXJrLXNlY3JldC1rZXkh";
/// How exactly the time of the last verdict is known.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A daemon that decides nothing for so long has lost something.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// The shipped configuration, copied, with the caps of its reps lifted.
pub(crate) struct Shipped {
    config: PathBuf,
    env: BTreeMap<String, String>,
    /// Its rules and sources, as the daemon has them.
    pub(crate) policy: Policy,
}

impl Shipped {
    pub(crate) fn copy_to(folder: &Path) -> anyhow::Result<Self> {
        let (from, to) = (crate::root().join("config"), folder.join("config"));
        copy(&from, &to)?;
        let reps = to.join("reps.toml");
        let text = std::fs::read_to_string(&reps)?;
        let is_cap = |line: &str| line.starts_with("per_day") || line.starts_with("open_max");
        let kept: Vec<&str> = text.lines().filter(|line| !is_cap(line)).collect();
        std::fs::write(&reps, kept.join("\n"))?;
        let rules = crate::root().join("rules");
        let env = [
            (SECRET_VARIABLE, SECRET),
            ("LEADGATE_POLICY__RULES", &rules.to_string_lossy()),
            ("LEADGATE_INTAKE__PER_SOURCE_PER_SECOND", "1000000"),
            ("LEADGATE_INTAKE__PER_CLIENT_PER_MINUTE", "10000000"),
            ("LEADGATE_LOG__LEVEL", "error"),
        ];
        let env: BTreeMap<String, String> = env
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let config = to.join("leadgate.toml");
        let loaded = Config::load_with(&config, &env);
        let loaded = loaded.map_err(|problems| anyhow::anyhow!("{problems:#?}"))?;
        let policy = daemon::assemble(&loaded);
        let policy = policy.map_err(|problems| anyhow::anyhow!("{problems:#?}"))?;
        Ok(Self {
            config,
            env,
            policy,
        })
    }

    pub(crate) fn source(&self) -> anyhow::Result<&Arc<Source>> {
        self.policy.sources.get(SOURCE).context("the source")
    }

    fn serve(&self, data_dir: &Path, distribute: bool) -> anyhow::Result<Server> {
        let address = process::free_address()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadgate"));
        command.arg("serve").arg("--config").arg(&self.config);
        command.envs(&self.env);
        command.env("LEADGATE_STORAGE__DATA_DIR", data_dir);
        command.env("LEADGATE_SERVER__LISTEN", address.to_string());
        command.env("LEADGATE_FLOW__DISTRIBUTE", distribute.to_string());
        Server::start(&mut command, address)
    }
}

/// Starts the daemon on an empty ledger and measures it until the last verdict is on disk.
pub(crate) fn measure(
    shipped: &Shipped,
    data_dir: &Path,
    load: Load,
    distribute: bool,
) -> anyhow::Result<Run> {
    let server = shipped.serve(data_dir, distribute)?;
    let ledger = Ledger::beside(&Settings {
        data_dir: data_dir.to_owned(),
        ..Settings::default()
    })?;
    let before = server.cpu_seconds()?;
    let sent = load.send(server.address)?;
    let decided = last_verdict(&ledger, load.len())?;
    let run = Run::new(&load, &sent, decided, server.cpu_seconds()? - before)
        .with_memory(server.peak_mib()?);
    let counts = ledger.read(|r| r.counts())?;
    let mut stages: BTreeMap<String, i64> = BTreeMap::new();
    for count in counts {
        *stages.entry(count.stage).or_default() += count.leads;
    }
    let leads = usize::try_from(stages.values().sum::<i64>())?;
    anyhow::ensure!(leads == load.len(), "{leads} of {} are there", load.len());
    Ok(run.with_stages(stages, mails(&data_dir.join("outbox"))))
}

/// When the verdict on the last submission was committed.
fn last_verdict(ledger: &Ledger, leads: usize) -> anyhow::Result<Instant> {
    let wanted = i64::try_from(leads)?;
    let (mut decided, mut moved) = (0, Instant::now());
    loop {
        let upto = ledger.read(|r| r.decided_upto())?;
        let now = Instant::now();
        if upto >= wanted {
            return Ok(now);
        }
        if upto > decided {
            (decided, moved) = (upto, now);
        }
        let stuck = now.duration_since(moved) > STUCK_AFTER;
        anyhow::ensure!(!stuck, "stuck: {upto} of {wanted} decided");
        process::pause(LOOK_EVERY);
    }
}

fn mails(outbox: &Path) -> usize {
    std::fs::read_dir(outbox).map_or(0, Iterator::count)
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
