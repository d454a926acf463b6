//! What the demo shows while it happens: drawn over itself on a terminal, line by line elsewhere.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::stream::Stream;
use crate::cli::show;
use crate::clock::Clock;
use crate::flow::Flow;
use crate::flow::report;
use crate::lead::{Lead, PhraseKind, Stage};
use crate::ledger::reads::{Count, Filter};

/// How often it is drawn.
const EVERY: Duration = Duration::from_millis(500);
/// Leads shown.
const LATEST: i64 = 10;
/// Deliveries that the speed is taken from.
const SPEEDS: i64 = 2_000;

pub(super) struct Screen {
    flow: Arc<Flow>,
    address: SocketAddr,
    outbox: PathBuf,
    started: Instant,
    drawn: usize,
    live: bool,
}

impl Screen {
    pub(super) fn new(flow: Arc<Flow>, address: SocketAddr, outbox: PathBuf) -> Self {
        Self {
            flow,
            address,
            outbox,
            started: Instant::now(),
            drawn: 0,
            live: std::io::stdout().is_terminal(),
        }
    }

    /// Draws until the stream is over and every lead has come to rest.
    pub(super) async fn watch(&mut self, stream: &Stream) -> anyhow::Result<()> {
        say(&format!(
            "leadgate demo: {} made-up leads by {} sources to http://{}\n",
            stream.leads,
            self.flow.policy().sources.iter().count(),
            self.address
        ))?;
        let mut quiet = 0;
        while quiet < 2 {
            Clock::pause(EVERY).await;
            let at_rest = stream.is_over() && self.flow.undecided() == 0 && self.is_told()?;
            quiet = if at_rest { quiet + 1 } else { 0 };
            self.draw(stream)?;
        }
        if !self.live {
            self.drawn = 0;
            let lines = self.lines(stream)?;
            say(&(lines.join("\n") + "\n"))?;
        }
        self.goodbye()
    }

    fn is_told(&self) -> anyhow::Result<bool> {
        let waiting = Filter {
            stages: vec![Stage::Waiting],
            ..Filter::default()
        };
        let (queued, claimed) = self.flow.queue.depth();
        let waiting = self.flow.ledger.read(|r| r.list(&waiting, 1))?;
        Ok(queued + claimed == 0 && waiting.is_empty())
    }

    fn draw(&mut self, stream: &Stream) -> anyhow::Result<()> {
        if !self.live {
            let (sent, done) = (stream.done.sent.load(Ordering::Relaxed), &stream.done);
            let refused = done.refused.load(Ordering::Relaxed);
            return say(&format!("sent {sent}, refused {refused}\n"));
        }
        let lines = self.lines(stream)?;
        let up = match self.drawn {
            0 => String::new(),
            n => format!("\x1b[{n}A"),
        };
        self.drawn = lines.len();
        let drawn = format!("\x1b[2K{}\n", lines.join("\n\x1b[2K"));
        say(&format!("{up}{drawn}"))
    }

    fn lines(&self, stream: &Stream) -> anyhow::Result<Vec<String>> {
        let all = Filter::default();
        let (counts, speeds, latest) = self
            .flow
            .ledger
            .read(|r| Ok((r.counts()?, r.speeds_to_rep(SPEEDS)?, r.list(&all, LATEST)?)))?;
        let done = &stream.done;
        let count = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed);
        let seconds = self.started.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = count(&done.sent) as f64 / seconds.max(0.001);
        let mut lines = vec![
            format!(
                "sent {:>6}   taken {:>6}   refused {:>4} (forged)   sent twice {:>4}   {rate:.0} a second",
                count(&done.sent),
                count(&done.accepted),
                count(&done.refused),
                count(&done.repeats),
            ),
            verdicts(&counts),
            grades(&counts),
            speed(speeds),
            String::new(),
            format!(
                "{:<12} {:<10} {:<6} {:>6}  {:<14} {}",
                "SOURCE", "STAGE", "GRADE", "POINTS", "REP", "DECIDED BY"
            ),
        ];
        for lead in &latest {
            lines.push(self.line(lead)?);
        }
        let width = 110;
        Ok(lines
            .into_iter()
            .map(|line| line.chars().take(width).collect())
            .collect())
    }

    fn line(&self, lead: &Lead) -> anyhow::Result<String> {
        let decided = if let Some(reason) = &lead.reason {
            reason.clone()
        } else {
            let why = self.flow.ledger.read(|r| report::why(r, lead.seq))?;
            let best = why.scores.iter().max_by_key(|(points, _)| *points);
            best.map(|(points, words)| format!("{points:+} {words}"))
                .unwrap_or_default()
        };
        Ok(format!(
            "{:<12} {:<10} {:<6} {:>6}  {:<14} {}",
            lead.source,
            lead.stage.as_str(),
            lead.grade.as_deref().unwrap_or("-"),
            lead.points,
            lead.owner.as_deref().unwrap_or("-"),
            show::printable(&decided),
        ))
    }

    fn goodbye(&self) -> anyhow::Result<()> {
        let policy = self.flow.policy();
        let screens = policy
            .rulebook
            .phrases()
            .iter()
            .filter(|phrase| matches!(phrase.kind, PhraseKind::Reject | PhraseKind::Hold));
        let (screens, all) = (screens.count(), policy.rulebook.phrases().len());
        say(&format!(
            "\nThe stream is over; {screens} screening and {} grading and routing lines decided.\n\
             \n  the mails      {}\n  all leads      LEADGATE_STORAGE__DATA_DIR=leadgate-demo cargo run --release -- leads list\n",
            all - screens,
            self.outbox.display(),
        ))
    }

    /// Where it goes on.
    pub(super) fn invite(&self) -> anyhow::Result<()> {
        let address = self.address;
        say(&format!(
            "\n  a lead of your own:\n\n  curl http://{address}/in/website -H 'Accept: application/json' \\\n    \
             -d 'name=Mia Muster' -d 'email=mia@werk.example' --data-urlencode 'phone=+49 30 901820' \\\n    \
             -d 'message=We would like a demo' -d 'country=DE' -d 'employees=800'\n\
             \nIt goes on serving until Ctrl-C.\n",
        ))
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn sum(counts: &[Count], of: impl Fn(&Count) -> bool) -> i64 {
    counts
        .iter()
        .filter(|count| of(count))
        .map(|count| count.leads)
        .sum()
}

fn verdicts(counts: &[Count]) -> String {
    let rejected = sum(counts, |c| c.stage == "rejected");
    let held = sum(counts, |c| c.stage == "held");
    let waiting = sum(counts, |c| c.stage == "waiting");
    let offered = sum(counts, |c| c.stage == "offered");
    let all = sum(counts, |_| true);
    format!(
        "leads {all:>5}   rejected {rejected:>5}   held {held:>4}   waiting {waiting:>5}   with a rep {offered:>5}"
    )
}

fn grades(counts: &[Count]) -> String {
    let mut names: Vec<&str> = counts.iter().filter_map(|c| c.grade.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| sum(counts, |c| c.grade.as_deref() == Some(name));
    let shown: Vec<_> = names
        .iter()
        .map(|name| format!("{name} {:>5}", of(name)))
        .collect();
    format!("grades   {}", shown.join("   "))
}

fn speed(mut speeds: Vec<i64>) -> String {
    speeds.sort_unstable();
    let at = |percent: usize| {
        speeds
            .get(speeds.len().saturating_sub(1) * percent / 100)
            .copied()
    };
    match (at(50), at(99)) {
        (Some(half), Some(most)) => {
            format!("speed to rep   half within {half} ms, 99 of 100 within {most} ms")
        }
        _ => "speed to rep   nobody was told yet".into(),
    }
}
