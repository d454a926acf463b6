//! Whether a backup, a data folder or a file is whole and keeps the house's promises.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::checks::{self, Found};
use super::{Counts, LEDGER, Manifest, read_manifest, sha256_of};
use crate::ledger::{Fault, db};

/// What a look at a ledger found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file that was looked at.
    pub ledger: PathBuf,
    /// Its schema.
    pub schema: i64,
    /// How much it holds.
    pub counts: Counts,
    /// What is wrong with it; empty for a sound one.
    pub problems: Vec<String>,
    /// What the backup says of itself, where it is one.
    pub manifest: Option<Manifest>,
}

/// Looks at a backup (against its manifest), at the ledger of a data folder (beside a daemon that may
/// be writing it), or at a file. Changes nothing.
pub fn verify(path: &Path) -> Result<Report, Fault> {
    let (ledger, folder) = if path.is_dir() {
        (path.join(LEDGER), Some(path))
    } else {
        let folder = path.parent().filter(|_| path.ends_with(LEDGER));
        (path.to_owned(), folder)
    };
    if !ledger.is_file() {
        return Err(Fault::Missing(format!("ledger at {}", ledger.display())));
    }
    let manifest = folder.map(read_manifest).transpose()?.flatten();
    let mut problems = Vec::new();
    if let Some(manifest) = &manifest {
        let (bytes, sha256) = sha256_of(&ledger)?;
        if (bytes, &sha256) != (manifest.bytes, &manifest.sha256) {
            let wanted = manifest.bytes;
            problems.push(format!(
                "the file is not the one that was backed up: it has {bytes} bytes and another hash; \
                 wanted are {wanted} bytes"
            ));
        }
    }
    let found = match look(&ledger, manifest.is_some()) {
        Ok(found) => found,
        // Too damaged to be asked anything.
        Err(Fault::Store(why)) => Found {
            schema: 0,
            counts: Counts::default(),
            problems: vec![format!("it cannot be read as a ledger: {why}")],
        },
        Err(fault) => return Err(fault),
    };
    problems.extend(found.problems);
    if let Some(manifest) = &manifest
        && problems.is_empty()
        && (manifest.schema, &manifest.counts) != (found.schema, &found.counts)
    {
        problems.push("it holds other numbers of rows than its manifest says".into());
    }
    Ok(Report {
        ledger,
        schema: found.schema,
        counts: found.counts,
        problems,
        manifest,
    })
}

fn look(ledger: &Path, is_backup: bool) -> Result<Found, Fault> {
    let conn = if is_backup {
        // A backup has no log, and stays as it is: no lock, no file beside it.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(ledger, flags)?
    } else {
        db::sqlite::reader(ledger)?
    };
    conn.execute_batch("BEGIN")?;
    checks::check(&conn)
}
