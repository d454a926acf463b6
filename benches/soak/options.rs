//! The command line.

use std::time::Duration;

use anyhow::{Context, ensure};

/// What is asked for on the command line.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) run: Duration,
    pub(crate) per_second: u64,
    pub(crate) faults: Faults,
    pub(crate) sample_every: Duration,
    pub(crate) drain_max: Duration,
    pub(crate) keep: bool,
}

/// How much befalls the daemon and its Redis.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    pub(crate) every: Duration,
    /// Redis is stopped for so long, and between death and resurrection.
    pub(crate) freeze: Duration,
    pub(crate) down: Duration,
    /// How often the daemon is killed.
    pub(crate) kills: u32,
}

/// What the words ask for; the rest is an hour as it should be.
pub(crate) fn read(args: &[String]) -> anyhow::Result<Options> {
    let seconds = Duration::from_secs;
    let mut options = Options {
        run: seconds(3_600),
        per_second: 50,
        faults: Faults {
            every: seconds(300),
            freeze: seconds(30),
            down: seconds(20),
            kills: 4,
        },
        sample_every: seconds(60),
        drain_max: seconds(900),
        keep: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || -> anyhow::Result<u32> {
            let text = args
                .next()
                .with_context(|| format!("{arg} wants a number"))?;
            text.parse().with_context(|| format!("{arg} {text}"))
        };
        let faults = &mut options.faults;
        match arg.as_str() {
            "--minutes" => options.run = Duration::from_mins(number()?.into()),
            "--per-second" => options.per_second = number()?.into(),
            "--redis-fault-every-s" => faults.every = seconds(number()?.into()),
            "--freeze-s" => faults.freeze = seconds(number()?.into()),
            "--down-s" => faults.down = seconds(number()?.into()),
            "--kills" => faults.kills = number()?,
            "--sample-every-s" => options.sample_every = seconds(number()?.into()),
            "--drain-max-min" => options.drain_max = Duration::from_mins(number()?.into()),
            "--keep" => options.keep = true,
            "--bench" => {} // from cargo
            other => anyhow::bail!(
                "{other}: known are --minutes, --per-second, --redis-fault-every-s, --freeze-s, \
                 --down-s, --kills, --sample-every-s, --drain-max-min, each with a number, and --keep"
            ),
        }
    }
    ensure!(!options.run.is_zero(), "--minutes wants at least 1");
    ensure!(options.per_second > 0, "--per-second wants at least 1");
    ensure!(
        !options.sample_every.is_zero(),
        "--sample-every-s wants at least 1"
    );
    Ok(options)
}
