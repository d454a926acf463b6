//! On an empty ledger: what the machine could do at best, and what the daemon does; at saturation,
//! and at half of it.

use std::path::Path;

use crate::bare;
use crate::breakdown;
use crate::client::{CONNECTIONS, Pace};
use crate::figures::{Found, Limit, grouped};
use crate::leadgate::{UNDISTRIBUTED, measure};
use crate::requests;
use crate::table::{self, Row};
use crate::{Bench, fresh};

/// The bare servers and the daemon, as fast as they take it.
pub(crate) fn run(bench: &Bench, folder: &Path, found: &mut Found) -> anyhow::Result<String> {
    let options = &bench.options;
    let steps = breakdown::measure(&bench.shipped, options.breakdown)?;
    let mut rows = [
        Row::new("bare: actix reads the body, 202"),
        Row::new("bare: the same + SQLite insert, FULL"),
        Row::new("leadgate: decided"),
        Row::new("leadgate: decided, routing and mail on"),
    ];
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for (at, row) in rows.iter_mut().enumerate() {
            let load = requests::load(&bench.shipped, options.leads)?;
            let run = fresh(folder, |data| match at {
                0 => bare::measure(bare::ANSWER, data, &load),
                1 => bare::measure(bare::STORE, data, &load),
                2 => measure(&bench.shipped, data, (&load, None), &[UNDISTRIBUTED]),
                _ => measure(&bench.shipped, data, (&load, None), &[]),
            })?;
            row.add(run);
        }
    }
    let [answered, stored, decided, distributed] = &rows;
    let limit = stored.per_second();
    found.per_second = Some(decided.per_second());
    found.note(Limit::RatioEmpty, decided.per_second() / limit);
    found.note(Limit::Saturated, decided.median(|run| run.p99));
    Ok(format!(
        "{} leads a run, {CONNECTIONS} connections, {}\n\n{}\n{}\n{}\n{}",
        grouped(options.leads),
        options.medians(),
        table::rows(&rows, (limit, "÷ insert")),
        table::aftermath(decided),
        table::aftermath(distributed),
        table::steps([answered, stored, decided], &steps),
    ))
}

/// Half of what the daemon takes, each request at its time.
pub(crate) fn half(bench: &Bench, folder: &Path, found: &mut Found) -> anyhow::Result<String> {
    let options = &bench.options;
    let most = match found.per_second {
        Some(most) => most,
        None => saturated(bench, folder)?,
    };
    let pace = Pace {
        per_second: most / 2.0,
        keep_answers: false,
    };
    let name = format!("leadgate: decided, {:.0} leads/s asked for", most / 2.0);
    let mut row = Row::new(&name);
    for _ in 0..options.rounds {
        let load = requests::load(&bench.shipped, options.leads)?;
        let run = fresh(folder, |data| {
            let how = (&load, Some(pace));
            measure(&bench.shipped, data, how, &[UNDISTRIBUTED])
        })?;
        row.add(run);
    }
    found.note(Limit::HalfLoad, row.median(|run| run.p99));
    Ok(format!(
        "{} leads a run in an open loop at half of {most:.0} leads/s, {}\n\n{}",
        grouped(options.leads),
        options.medians(),
        table::rows(&[row], (most, "÷ most")),
    ))
}

/// Where the runs at saturation were not asked for.
fn saturated(bench: &Bench, folder: &Path) -> anyhow::Result<f64> {
    let mut row = Row::new("leadgate: decided, for half of it");
    for _ in 0..bench.options.rounds {
        let load = requests::load(&bench.shipped, bench.options.leads)?;
        let how = (&load, None);
        let run = fresh(folder, |data| {
            measure(&bench.shipped, data, how, &[UNDISTRIBUTED])
        })?;
        row.add(run);
    }
    Ok(row.per_second())
}
