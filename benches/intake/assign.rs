//! How fast leads that wait are given to many reps, with offer and delivery on disk.

use std::fmt::Write;
use std::path::Path;

use anyhow::ensure;

use crate::client::Load;
use crate::figures::{Found, Limit, grouped, median, most};
use crate::leadgate::{Daemon, PATIENT, Shipped, UNDISTRIBUTED};
use crate::requests;
use crate::{Bench, fresh};

const POOLS: usize = 50;
const REPS_PER_POOL: usize = 10;
/// Where the reps are, in turn.
const ZONES: [&str; 5] = [
    "Europe/Berlin",
    "Europe/Madrid",
    "America/New_York",
    "Asia/Tokyo",
    "Australia/Sydney",
];

struct Round {
    /// Offers a second.
    per_second: f64,
    offered: i64,
    mails: usize,
    memory_mb: f64,
}

/// Leads are taken with distribution off, then the daemon is started with it on.
pub(crate) fn run(bench: &Bench, folder: &Path, found: &mut Found) -> anyhow::Result<String> {
    let options = &bench.options;
    let shipped = Shipped::adapted(&folder.join("policy"), many_reps)?;
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        let load = requests::load(&shipped, options.leads)?;
        let round = fresh(folder, |data| measure(&shipped, data, &load))?;
        eprintln!("  {:<40} {:>9.0} leads/s", "assigned", round.per_second);
        rounds.push(round);
    }
    let rate = |round: &Round| round.per_second;
    let per_second = median(rounds.iter().map(rate));
    let (low, high) = rounds
        .iter()
        .map(rate)
        .fold((f64::MAX, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    found.note(Limit::Assign, per_second);
    let last = rounds.last();
    Ok(format!(
        "{} leads taken before, {} reps in {POOLS} pools, mail into the outbox, {}\n\n\
         | leads/s | min–max | offered | mails by then | peak MB |\n|--:|--:|--:|--:|--:|\n\
         | {per_second:.0} | {low:.0}–{high:.0} | {} | {} | {:.0} |\n",
        grouped(options.leads),
        POOLS * REPS_PER_POOL,
        options.medians(),
        last.map_or(0, |round| round.offered),
        last.map_or(0, |round| round.mails),
        most(rounds.iter().map(|round| round.memory_mb)),
    ))
}

fn measure(shipped: &Shipped, data: &Path, load: &Load) -> anyhow::Result<Round> {
    let daemon = Daemon::start(shipped, data, &[UNDISTRIBUTED])?;
    daemon.post(load, None, 0)?;
    let waited = daemon.stages(load.len())?.get("waiting").copied();
    daemon.server.stop()?;
    let daemon = Daemon::start(shipped, data, &[PATIENT])?;
    // Those that were offered before the first look do not count.
    let (waiting, since, last) = daemon.all_offered()?;
    ensure!(waiting > 0, "all was offered before it could be looked at");
    let stages = daemon.stages(load.len())?;
    let offered = stages.get("offered").copied();
    ensure!(
        offered == waited,
        "{waited:?} leads waited, {offered:?} are offered"
    );
    Ok(Round {
        per_second: waiting as f64 / last.duration_since(since).as_secs_f64(),
        offered: offered.unwrap_or(0),
        mails: daemon.mails(),
        memory_mb: daemon.server.peak_mb()?,
    })
}

/// Reps at work at any hour, a pool for every fiftieth postcode, and rules that name them.
fn many_reps(folder: &Path) -> anyhow::Result<()> {
    let (mut reps, mut route) = (String::new(), String::new());
    for pool in 0..POOLS {
        let members: Vec<String> = (0..REPS_PER_POOL)
            .map(|rep| format!("\"r{pool:02}-{rep}\""))
            .collect();
        for (rep, name) in members.iter().enumerate() {
            let zone = ZONES[rep % ZONES.len()];
            writeln!(
                reps,
                "[reps.{name}]\nname = \"Rep {rep} of {pool}\"\nemail = \"r{pool:02}-{rep}@sales.example.com\"\n\
                 zone = \"{zone}\"\nhours = [\"daily 00:00-24:00\"]\nper_day = 1000000\nopen_max = 1000000"
            )?;
        }
        let all = members.join(", ");
        writeln!(reps, "[pools.p{pool:02}]\nmembers = [{all}]")?;
        let (low, high) = (pool, pool + POOLS);
        writeln!(
            route,
            "route \"p{pool:02}\" \"postcode\" when lead.postcode.ends_with(\"{low:02}\") || \
             lead.postcode.ends_with(\"{high:02}\");"
        )?;
    }
    writeln!(route, "route \"p00\" \"no postcode\";")?;
    std::fs::write(folder.join("config/reps.toml"), reps)?;
    std::fs::write(folder.join("rules/route.rhai"), route)?;
    // They expect the shipped pools.
    Ok(std::fs::remove_dir_all(folder.join("rules/samples"))?)
}
