//! How much the daemon takes, looked at from outside every minute, and whether it grew: the median
//! of the last sixth of the run against that of the second.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use leadgate::clock::Clock;
use rusqlite::{Connection, OpenFlags};

use crate::check::Broken;

/// One look.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Since the start of the load.
    pub(crate) at: Duration,
    pub(crate) memory_mib: f64,
    pub(crate) files: f64,
    pub(crate) wal_mib: f64,
    /// Work that is due and not done.
    pub(crate) due: f64,
    /// Notices that wait for another try.
    pub(crate) again: f64,
    /// Entries in Redis; `None` while it does not answer.
    pub(crate) redis: Option<f64>,
    /// Leads in the ledger.
    pub(crate) leads: i64,
}

/// What is measured, and how much more of it the end may have than the beginning.
struct Measure {
    name: &'static str,
    of: fn(&Sample) -> Option<f64>,
    times: f64,
    plus: f64,
    /// What is fine however little it was.
    fine: f64,
}

const MEASURES: &[Measure] = &[
    Measure {
        name: "memory, MiB",
        of: |s| Some(s.memory_mib),
        times: 1.25,
        plus: 16.0,
        fine: 0.0,
    },
    Measure {
        name: "open files",
        of: |s| Some(s.files),
        times: 1.2,
        plus: 16.0,
        fine: 0.0,
    },
    Measure {
        name: "log of the ledger (WAL), MiB",
        of: |s| Some(s.wal_mib),
        times: 1.1,
        plus: 0.0,
        // It is cut back to 64 MiB, wherever it is below that it is on its way there.
        fine: 80.0,
    },
    Measure {
        name: "work due",
        of: |s| Some(s.due),
        times: 1.5,
        plus: 100.0,
        fine: 0.0,
    },
    Measure {
        name: "notices to be tried again",
        of: |s| Some(s.again),
        times: 1.5,
        plus: 100.0,
        fine: 0.0,
    },
    Measure {
        name: "entries in Redis",
        of: |s| s.redis,
        times: 1.5,
        plus: 100.0,
        fine: 0.0,
    },
];

/// What the ledger's file says, beside the daemon; changes nothing, not even on closing.
pub(crate) struct Counts {
    pub(crate) leads: i64,
    pub(crate) due: i64,
    pub(crate) again: i64,
    pub(crate) undecided: i64,
    pub(crate) mails: i64,
}

pub(crate) fn counts(data: &Path) -> anyhow::Result<Counts> {
    let path = leadgate::ledger::path_in(data);
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let now = Clock::system().now();
    let sql = "SELECT (SELECT count(*) FROM leads),
                      (SELECT count(*) FROM work WHERE due_at <= ?1),
                      (SELECT count(*) FROM work WHERE kind = 'mail' AND attempt > 0),
                      (SELECT coalesce(max(id), 0) FROM submissions)
                          - (SELECT value FROM meta WHERE key = 'decided_upto'),
                      (SELECT count(*) FROM work WHERE kind = 'mail')";
    let counts = conn.query_row(sql, [now], |row| {
        Ok(Counts {
            leads: row.get(0)?,
            due: row.get(1)?,
            again: row.get(2)?,
            undecided: row.get(3)?,
            mails: row.get(4)?,
        })
    })?;
    Ok(counts)
}

/// Bytes in the ledger's log, in MiB.
pub(crate) fn wal_mib(data: &Path) -> f64 {
    let mut path = leadgate::ledger::path_in(data).into_os_string();
    path.push("-wal");
    std::fs::metadata(path).map_or(0.0, |meta| meta.len() as f64 / 1_048_576.0)
}

/// The samples as a table, then what they come to; notes what grew.
pub(crate) fn judge(
    out: &mut impl Write,
    samples: &[Sample],
    run: Duration,
    broken: &mut Broken,
) -> anyhow::Result<()> {
    let head = "| min | leads | memory MiB | files | WAL MiB | due | to try again | in Redis |";
    writeln!(out, "\n{head}\n|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    for s in samples {
        let minutes = s.at.as_secs_f64() / 60.0;
        let redis = s.redis.map_or("–".to_owned(), |n| n.to_string());
        writeln!(
            out,
            "| {minutes:.1} | {} | {:.1} | {} | {:.1} | {} | {} | {redis} |",
            s.leads, s.memory_mib, s.files, s.wal_mib, s.due, s.again,
        )?;
    }
    writeln!(
        out,
        "\n| median of | 2nd sixth | last sixth | allowed |\n|---|--:|--:|--:|"
    )?;
    for measure in MEASURES {
        let (then, now) = (
            sixth(samples, run, 1, measure),
            sixth(samples, run, 5, measure),
        );
        let (Some(then), Some(now)) = (then, now) else {
            broken.note(
                "there are samples of every part of the run",
                measure.name.to_owned(),
            );
            continue;
        };
        let allowed = (then * measure.times + measure.plus).max(measure.fine);
        let name = measure.name;
        writeln!(out, "| {name} | {then:.1} | {now:.1} | {allowed:.1} |")?;
        if now > allowed {
            broken.note(
                "nothing grows",
                format!("{name}: from {then:.1} to {now:.1}"),
            );
        }
    }
    Ok(())
}

fn sixth(samples: &[Sample], run: Duration, which: u32, measure: &Measure) -> Option<f64> {
    let part = run / 6;
    let range = part * which..part * (which + 1);
    let inside = samples.iter().filter(|s| range.contains(&s.at));
    let mut values: Vec<f64> = inside.filter_map(measure.of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
