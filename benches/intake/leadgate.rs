//! The real daemon, with a copy of the shipped rules and configuration: starting it, posting to it,
//! and looking into its ledger from beside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use leadgate::config::Config;
use leadgate::daemon;
use leadgate::flow::Policy;
use leadgate::ledger::{Ledger, Settings};
use leadgate::source::Source;

use crate::client::{Load, Pace, Sent};
use crate::process::{self, Ready, Server};
use crate::table::Run;

/// The source of the load: a webhook with a Standard Webhooks signature.
pub(crate) const SOURCE: &str = "landing";
/// Leads wait, and nobody is told.
pub(crate) const UNDISTRIBUTED: (&str, &str) = ("LEADGATE_FLOW__DISTRIBUTE", "false");
/// A backlog of mails is not to make leads go to the next rep while the clock runs.
pub(crate) const PATIENT: (&str, &str) = ("LEADGATE_MAIL__UNDELIVERED_AFTER_MIN", "10000");

const SECRET_VARIABLE: &str = "LEADGATE_LANDING_SECRET";
const SECRET: &str = "whsec_bGVhZGdhdGUtYmVuY2htYXJrLXNlY3JldC1rZXkh";
/// How exactly the time of the last verdict, or offer, is known.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// So many are counted without disturbing the daemon; above it they are looked at less often.
const FEW: i64 = 5_000;
const LOOK_SELDOM: Duration = Duration::from_millis(250);
/// A daemon that does nothing for so long has lost something.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// The shipped configuration and rules, copied.
pub(crate) struct Shipped {
    config: PathBuf,
    env: BTreeMap<String, String>,
    /// Its rules and sources, as the daemon has them.
    pub(crate) policy: Policy,
}

impl Shipped {
    /// With the caps of its reps lifted.
    pub(crate) fn copy_to(folder: &Path) -> anyhow::Result<Self> {
        Self::adapted(folder, |folder| {
            let reps = folder.join("config/reps.toml");
            let text = std::fs::read_to_string(&reps)?;
            let is_cap = |line: &str| line.starts_with("per_day") || line.starts_with("open_max");
            let kept: Vec<&str> = text.lines().filter(|line| !is_cap(line)).collect();
            Ok(std::fs::write(&reps, kept.join("\n"))?)
        })
    }

    /// With what `adapt` does to the copies.
    pub(crate) fn adapted(
        folder: &Path,
        adapt: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        for name in ["config", "rules"] {
            copy(&crate::root().join(name), &folder.join(name))?;
        }
        adapt(folder)?;
        let env = [
            (SECRET_VARIABLE, SECRET),
            ("LEADGATE_INTAKE__PER_SOURCE_PER_SECOND", "1000000"),
            ("LEADGATE_INTAKE__PER_CLIENT_PER_MINUTE", "10000000"),
            ("LEADGATE_LOG__LEVEL", "error"),
        ];
        let env: BTreeMap<String, String> = env
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let config = folder.join("config/leadgate.toml");
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

    /// The program, to be given its command.
    pub(crate) fn program(&self, data_dir: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadgate"));
        command.arg("--config").arg(&self.config).envs(&self.env);
        command.env("LEADGATE_STORAGE__DATA_DIR", data_dir);
        command
    }
}

/// A daemon that serves.
pub(crate) struct Daemon<'a> {
    pub(crate) server: Server,
    data_dir: &'a Path,
}

impl<'a> Daemon<'a> {
    /// With these settings, by the names of their environment variables.
    pub(crate) fn start(
        shipped: &Shipped,
        data_dir: &'a Path,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let address = process::free_address()?;
        let mut command = shipped.program(data_dir);
        command.arg("serve");
        command.env("LEADGATE_SERVER__LISTEN", address.to_string());
        command.envs(settings.iter().copied());
        let server = Server::start(&mut command, address, Ready::Says)?;
        Ok(Self { server, data_dir })
    }

    /// Posts everything and waits until the last verdict is on disk; `stored` leads were there.
    pub(crate) fn post(
        &self,
        load: &Load,
        pace: Option<Pace>,
        stored: usize,
    ) -> anyhow::Result<(Run, Sent)> {
        look(self.data_dir, |ledger| {
            let before = self.server.cpu_seconds()?;
            let sent = match pace {
                Some(pace) => load.send_at(self.server.address, pace)?,
                None => load.send(self.server.address)?,
            };
            let decided = last_verdict(ledger, stored + load.len())?;
            let cpu = self.server.cpu_seconds()? - before;
            let run = Run::new(load, &sent, decided, cpu);
            Ok((run.with_memory(self.server.peak_mb()?), sent))
        })
    }

    /// How many leads stand in each stage; that they are so many in all is made sure.
    pub(crate) fn stages(&self, wanted: usize) -> anyhow::Result<BTreeMap<String, i64>> {
        let counts = look(self.data_dir, |ledger| Ok(ledger.read(|r| r.counts())?))?;
        let mut stages: BTreeMap<String, i64> = BTreeMap::new();
        for count in counts {
            *stages.entry(count.stage).or_default() += count.leads;
        }
        let leads = usize::try_from(stages.values().sum::<i64>())?;
        ensure!(
            leads == wanted,
            "{leads} leads are in the ledger; sent were {wanted}"
        );
        Ok(stages)
    }

    /// Waits until so many leads in all have their verdict on disk.
    pub(crate) fn all_decided(&self, leads: usize) -> anyhow::Result<()> {
        look(self.data_dir, |ledger| {
            last_verdict(ledger, leads).map(|_| ())
        })
    }

    /// Waits until every accepted lead has been offered: how many waited, when that was known, and
    /// when the last was offered.
    pub(crate) fn all_offered(&self) -> anyhow::Result<(i64, Instant, Instant)> {
        let path = leadgate::ledger::path_in(self.data_dir);
        let conn = rusqlite::Connection::open(path)?;
        let mut waiting = conn.prepare("SELECT count(*) FROM leads WHERE stage = 'waiting'")?;
        let mut count = || waiting.query_row([], |row| row.get::<_, i64>(0));
        let first = count()?;
        let since = Instant::now();
        let (mut left, mut moved) = (first, since);
        while left > 0 {
            process::pause(if left > FEW { LOOK_SELDOM } else { LOOK_EVERY })?;
            let now = count()?;
            if now < left {
                moved = Instant::now();
            }
            left = now;
            ensure!(
                moved.elapsed() < STUCK_AFTER,
                "stuck: {left} leads are not offered"
            );
        }
        Ok((first, since, moved))
    }

    /// Mails in the outbox so far.
    pub(crate) fn mails(&self) -> usize {
        std::fs::read_dir(self.data_dir.join("outbox")).map_or(0, Iterator::count)
    }
}

/// Starts the daemon on an empty ledger and measures it until the last verdict is on disk.
pub(crate) fn measure(
    shipped: &Shipped,
    data_dir: &Path,
    (load, pace): (&Load, Option<Pace>),
    settings: &[(&str, &str)],
) -> anyhow::Result<Run> {
    let daemon = Daemon::start(shipped, data_dir, settings)?;
    let (run, _) = daemon.post(load, pace, 0)?;
    let stages = daemon.stages(load.len())?;
    Ok(run.with_stages(stages, daemon.mails()))
}

/// Reads beside the daemon. Nothing stays open: whoever opens the ledger after a kill must find it
/// as the kill left it.
pub(crate) fn look<T>(
    data_dir: &Path,
    work: impl FnOnce(&Ledger) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let ledger = Ledger::beside(&Settings {
        data_dir: data_dir.to_owned(),
        ..Settings::default()
    })?;
    let result = work(&ledger);
    ledger.close();
    result
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
        ensure!(!stuck, "stuck: {upto} of {wanted} decided");
        process::pause(LOOK_EVERY)?;
    }
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
