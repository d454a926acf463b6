//! What is asked for on the command line.

use anyhow::Context;

/// Leads for the measurement on one core.
const BREAKDOWN_LEADS: usize = 20_000;

/// How to call it.
pub(crate) const USAGE: &str = "known are --leads N (a run), --rounds N, --stored N (leads in the \
    full ledger), --quick, and --only PART, where PART is one or more of \
    empty, half, smtp, million, redis, assign with commas between";

/// What is measured by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Empty,
    Half,
    Smtp,
    Million,
    Redis,
    Assign,
}

impl Part {
    pub(crate) const ALL: [Self; 6] = [
        Self::Empty,
        Self::Half,
        Self::Smtp,
        Self::Million,
        Self::Redis,
        Self::Assign,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Half => "half",
            Self::Smtp => "smtp",
            Self::Million => "million",
            Self::Redis => "redis",
            Self::Assign => "assign",
        }
    }

    /// The heading of its tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Empty => "Taking in, screening, grading",
            Self::Half => "At half load",
            Self::Smtp => "From POST to the mail server's 250",
            Self::Million => "With a full ledger",
            Self::Redis => "Redis as the queue",
            Self::Assign => "Assignment",
        }
    }

    fn named(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|part| part.name() == name);
        found.with_context(|| format!("--only {name}: {USAGE}"))
    }
}

/// How much is measured, and what.
pub(crate) struct Options {
    pub(crate) leads: usize,
    pub(crate) rounds: usize,
    /// Leads in the full ledger.
    pub(crate) stored: usize,
    /// Seconds of mail in each round.
    pub(crate) mail_seconds: usize,
    pub(crate) breakdown: usize,
    pub(crate) parts: Vec<Part>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            leads: 200_000,
            rounds: 3,
            stored: 1_000_000,
            mail_seconds: 60,
            breakdown: BREAKDOWN_LEADS,
            parts: Part::ALL.to_vec(),
        }
    }
}

impl Options {
    /// Later flags stand above `--quick`, wherever it stands.
    pub(crate) fn read(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        if args.iter().any(|arg| arg == "--quick") {
            options = Self {
                leads: 20_000,
                rounds: 1,
                stored: 50_000,
                mail_seconds: 10,
                breakdown: 2_000,
                ..options
            };
        }
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--leads" => options.leads = number(arg, args.next())?,
                "--rounds" => options.rounds = number(arg, args.next())?,
                "--stored" => options.stored = number(arg, args.next())?,
                "--only" => {
                    let names = args.next().with_context(|| format!("--only: {USAGE}"))?;
                    let parts = names.split(',').map(Part::named);
                    options.parts = parts.collect::<Result<_, _>>()?;
                }
                "--quick" | "--bench" => {} // the latter is from cargo
                other => anyhow::bail!("{other}: {USAGE}"),
            }
        }
        Ok(options)
    }

    /// What the figures are.
    pub(crate) fn medians(&self) -> String {
        match self.rounds {
            1 => "one round".to_owned(),
            n => format!("medians of {n}"),
        }
    }
}

fn number(flag: &str, text: Option<&String>) -> anyhow::Result<usize> {
    let text = text.with_context(|| format!("{flag} wants a number"))?;
    let n: usize = text.parse().with_context(|| format!("{flag} {text}"))?;
    anyhow::ensure!(n > 0, "{flag} wants at least 1");
    Ok(n)
}
