//! Putting a backup back, after it was found whole and with the folder locked.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::backup::beside;
use super::{KEY, MANIFEST, Manifest, Report, fingerprint, private_file, read_manifest, sha256_of};
use super::{sync_dir, told, verify, write_private};
use crate::clock::Millis;
use crate::lead::LeadId;
use crate::ledger::{Fault, lock, make_private, path_in};

/// What was put back.
#[derive(Debug)]
pub struct Restored {
    /// What the look at the backup found.
    pub report: Report,
    /// Where what was there before lies now.
    pub aside: Option<PathBuf>,
    /// Whether the folder has the key that the backup's links and hashes were made with; `None` where
    /// the backup does not say.
    pub key_fits: Option<bool>,
    /// Leads that were erased in the ledger that was replaced: they are to be erased again.
    pub erased_since: Vec<LeadId>,
}

/// Makes a backup the ledger of a data folder. Refuses where a daemon serves the folder, where the
/// backup is not whole, and, without `replace`, where a ledger is there; what is replaced is kept
/// aside.
pub fn restore(backup: &Path, to: &Path, replace: bool, now: Millis) -> Result<Restored, Fault> {
    let (manifest, report) = whole(backup)?;
    make_private(to).map_err(|e| told(to, "cannot be made", &e))?;
    let _lock = lock(to)?;
    let ledger = path_in(to);
    let files = [
        ledger.clone(),
        beside(&ledger, "-wal"),
        beside(&ledger, "-shm"),
    ];
    if files.iter().any(|path| path.exists()) && !replace {
        return Err(Fault::Refused(format!(
            "{} has a ledger; --replace keeps that one aside and puts the backup in its place",
            to.display()
        )));
    }
    let key_there = fs::read(to.join(KEY)).ok();
    let other_key = manifest.has_key
        && key_there
            .as_deref()
            .is_some_and(|key| !fits(&manifest, key));
    if other_key && !replace {
        return Err(Fault::Refused(format!(
            "{} has another {KEY} than the backup; --replace keeps that one aside",
            to.display()
        )));
    }
    let unfinished = to.join(".restore.part");
    let was_cut_off = unfinished.exists();
    if was_cut_off {
        // Of a restore that was cut off; nobody else is here, since the folder is locked.
        fs::remove_file(&unfinished).map_err(|e| told(&unfinished, "cannot be removed", &e))?;
    }
    copy_checked(&report.ledger, &unfinished, &manifest)?;
    let old = if ledger.exists() {
        Some(ledger.clone())
    } else if was_cut_off {
        last_aside(to)
    } else {
        None
    };
    let erased_since = match old {
        Some(old) => erased_in(&old, &unfinished)?,
        None => Vec::new(),
    };
    // Only now: reading the old ledger takes its log in, which removes the log's file.
    let mut moved: Vec<PathBuf> = files.into_iter().filter(|path| path.exists()).collect();
    if other_key {
        moved.push(to.join(KEY));
    }
    let aside = set_aside(to, &moved, now)?;
    fs::rename(&unfinished, &ledger).map_err(|e| told(&ledger, "cannot be made", &e))?;
    if manifest.has_key && !to.join(KEY).exists() {
        let source = backup.join(KEY);
        let key = fs::read(&source).map_err(|e| told(&source, "cannot be read", &e))?;
        write_private(&to.join(KEY), &key)?;
    }
    sync_dir(to)?;
    let key_now = fs::read(to.join(KEY)).ok();
    let key_fits = manifest
        .key_fingerprint
        .as_ref()
        .map(|_| key_now.is_some_and(|key| fits(&manifest, &key)));
    Ok(Restored {
        report,
        aside,
        key_fits,
        erased_since,
    })
}

/// A backup that is what its manifest says.
fn whole(backup: &Path) -> Result<(Manifest, Report), Fault> {
    let Some(manifest) = read_manifest(backup)? else {
        return Err(Fault::Refused(format!(
            "{} is no backup: it has no {MANIFEST}",
            backup.display()
        )));
    };
    let report = verify(backup)?;
    if let Some(first) = report.problems.first() {
        let n = report.problems.len();
        return Err(Fault::Store(format!(
            "the backup is not whole ({n} problems), so nothing was changed; the first: {first}"
        )));
    }
    Ok((manifest, report))
}

fn fits(manifest: &Manifest, key: &[u8]) -> bool {
    let bare = key.trim_ascii();
    manifest.key_fingerprint.as_deref() == Some(fingerprint(bare).as_str())
}

/// Copies a backup's ledger, to disk, and looks whether it arrived as it was.
fn copy_checked(from: &Path, to: &Path, manifest: &Manifest) -> Result<(), Fault> {
    let mut source = File::open(from).map_err(|e| told(from, "cannot be read", &e))?;
    let mut copy = private_file(to)?;
    let copied = std::io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all());
    let checked = copied
        .map_err(|e| told(to, "cannot be written", &e))
        .and_then(|()| sha256_of(to));
    match checked {
        Ok((_, sha256)) if sha256 == manifest.sha256 => Ok(()),
        Ok(_) => {
            let _ = fs::remove_file(to);
            Err(Fault::Store(
                "the copy differs from the backup; is the disk sound?".into(),
            ))
        }
        Err(fault) => {
            let _ = fs::remove_file(to);
            Err(fault)
        }
    }
}

/// The ledger that a restore put aside before it was cut off.
fn last_aside(to: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(to).ok()?.filter_map(Result::ok);
    let aside = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let at: Millis = name.strip_prefix("replaced-")?.parse().ok()?;
        let ledger = path_in(&entry.path());
        ledger.exists().then_some((at, ledger))
    });
    aside.max().map(|(_, ledger)| ledger)
}

/// Moves what is replaced into a folder of its own.
fn set_aside(to: &Path, moved: &[PathBuf], now: Millis) -> Result<Option<PathBuf>, Fault> {
    if moved.is_empty() {
        return Ok(None);
    }
    let aside = to.join(format!("replaced-{now}"));
    make_private(&aside).map_err(|e| told(&aside, "cannot be made", &e))?;
    for path in moved {
        if let Some(name) = path.file_name() {
            fs::rename(path, aside.join(name)).map_err(|e| told(path, "cannot be moved", &e))?;
        }
    }
    sync_dir(&aside)?;
    Ok(Some(aside))
}

/// Who is erased in the old ledger and not in the backup, where the lead may not be decided yet. An old
/// ledger that cannot be read is the reason why somebody restores: it says nothing, then.
fn erased_in(old: &Path, new: &Path) -> Result<Vec<LeadId>, Fault> {
    let erased = |conn: &Connection| -> rusqlite::Result<Vec<([u8; 16], i64)>> {
        let sql = "SELECT id, submission_id FROM leads WHERE stage = 'erased'";
        let mut statement = conn.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let before = Connection::open(old)
        .and_then(|conn| erased(&conn))
        .unwrap_or_default();
    if before.is_empty() {
        return Ok(Vec::new());
    }
    let conn = Connection::open(new)?;
    let mut there = conn.prepare(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM leads WHERE id = ?1)
             THEN EXISTS (SELECT 1 FROM leads WHERE id = ?1 AND stage <> 'erased')
             ELSE EXISTS (SELECT 1 FROM submissions WHERE id = ?2 AND instr(leads, ?1) > 0) END",
    )?;
    let mut found = Vec::new();
    for (id, submission) in before {
        let is_there: bool =
            there.query_row(rusqlite::params![id, submission], |row| row.get(0))?;
        if is_there {
            found.push(LeadId(uuid::Uuid::from_bytes(id)));
        }
    }
    Ok(found)
}
