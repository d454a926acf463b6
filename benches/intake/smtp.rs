//! From the POST to the mail server's 250, with everything on, at a steady pace.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::client::{Load, Pace, Sent};
use crate::figures::{Found, Limit, grouped, median, most, percentile};
use crate::leadgate::Daemon;
use crate::mailbox::Mailbox;
use crate::process;
use crate::requests;
use crate::{Bench, fresh};

const PER_SECOND: usize = 200;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A mail that is not there so long after the one before is lost.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// Milliseconds of one round.
struct Round {
    answer: [f64; 2],
    told: [f64; 2],
    slowest: f64,
    mails: usize,
}

/// Each request at its time; what counts begins at the time for which it was planned.
pub(crate) fn run(bench: &Bench, folder: &Path, found: &mut Found) -> anyhow::Result<String> {
    let leads = PER_SECOND * bench.options.mail_seconds;
    let mut rounds = Vec::new();
    for _ in 0..bench.options.rounds {
        let load = requests::load(&bench.shipped, leads)?;
        let round = fresh(folder, |data| measure(bench, data, &load))?;
        eprintln!("  POST to 250: p99 {:.1} ms", round.told[1]);
        rounds.push(round);
    }
    let of = |get: fn(&Round) -> f64| median(rounds.iter().map(get));
    let told = of(|round| round.told[1]);
    found.note(Limit::Smtp, told);
    let mails = rounds.last().map_or(0, |round| round.mails);
    Ok(format!(
        "{} leads a run in an open loop at {PER_SECOND} leads/s, routing and mail over SMTP on, {}\n\n\
         | from the POST to | p50 ms | p99 ms | slowest ms |\n|---|--:|--:|--:|\n\
         | the answer | {:.1} | {:.1} | |\n\
         | the mail server's 250 | {:.1} | {told:.1} | {:.1} |\n\n\
         Of {} leads {} were accepted, and each had its one mail.\n",
        grouped(leads),
        bench.options.medians(),
        of(|round| round.answer[0]),
        of(|round| round.answer[1]),
        of(|round| round.told[0]),
        most(rounds.iter().map(|round| round.slowest)),
        grouped(leads),
        grouped(mails),
    ))
}

fn measure(bench: &Bench, data: &Path, load: &Load) -> anyhow::Result<Round> {
    let mailbox = Mailbox::start()?;
    let port = mailbox.port.to_string();
    let settings = [
        ("LEADGATE_MAIL__TRANSPORT", "smtp"),
        ("LEADGATE_MAIL__SMTP__HOST", "127.0.0.1"),
        ("LEADGATE_MAIL__SMTP__SECURITY", "none"),
        ("LEADGATE_MAIL__SMTP__PORT", port.as_str()),
    ];
    let daemon = Daemon::start(&bench.shipped, data, &settings)?;
    let pace = Pace {
        per_second: PER_SECOND as f64,
        keep_answers: true,
    };
    let (run, sent) = daemon.post(load, Some(pace), 0)?;
    daemon.all_offered()?;
    let offered = daemon.stages(load.len())?.get("offered").copied();
    let offered = usize::try_from(offered.unwrap_or(0))?;
    all_came(&mailbox, offered)?;
    let told = times(&mailbox, &sent)?;
    ensure!(
        told.len() == offered,
        "{} mails are about leads that were sent; offered were {offered}",
        told.len()
    );
    Ok(Round {
        answer: [run.p50, run.p99],
        told: [percentile(&told, 50), percentile(&told, 99)],
        slowest: most(told.last().copied()),
        mails: told.len(),
    })
}

fn all_came(mailbox: &Mailbox, wanted: usize) -> anyhow::Result<()> {
    let (mut came, mut moved) = (0, Instant::now());
    loop {
        let now = mailbox.taken().len();
        if now >= wanted {
            return Ok(());
        }
        if now > came {
            (came, moved) = (now, Instant::now());
        }
        ensure!(moved.elapsed() < LOST_AFTER, "{now} of {wanted} mails came");
        process::pause(LOOK_EVERY)?;
    }
}

/// Milliseconds from each planned POST to the 250, ascending.
fn times(mailbox: &Mailbox, sent: &Sent) -> anyhow::Result<Vec<f64>> {
    let taken = mailbox.taken();
    let mut times = Vec::with_capacity(taken.len());
    for (planned, body) in &sent.answers {
        let answer: serde_json::Value = serde_json::from_slice(body)?;
        let lead = answer.get("receipt").and_then(|receipt| receipt.as_str());
        let lead = lead.context("an answer without a receipt")?;
        if let Some(told) = taken.get(lead) {
            times.push(told.duration_since(*planned).as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}
