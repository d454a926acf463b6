//! A copy of a ledger that is being written.
//!
//! Neither `VACUUM INTO` nor SQLite's backup interface gives what is asked for: both hold what was
//! there when they began (the latter begins anew at every commit of another process), so whatever is
//! acknowledged while a large file is copied would be missing. Here the file is copied first and the
//! log behind it last, while a reading transaction keeps the log from being begun anew: the pages that
//! a checkpoint moves meanwhile are in the log, too, and opening the copy plays the log over it, as
//! after a power cut. So the copy holds every commit up to the moment at which the log was copied, and
//! the writer never waits.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{FORM, KEY, Key, LEDGER, MANIFEST, Manifest};
use super::{checks, fingerprint, private_file, sha256_of, sync_dir, told, write_private};
use crate::clock::Clock;
use crate::ledger::{Fault, db, path_in};
use crate::secret;

/// Where the log's header holds what changes when it is begun anew.
const SALTS: std::ops::Range<u64> = 12..24;

/// Copies the ledger of a data folder into a new folder `to`, and makes sure that the copy is whole.
/// Until it is, the folder has another name; what fails leaves nothing behind.
///
/// For a process that has this ledger not open otherwise: closing the file that was copied gives up
/// the locks of every connection of the process.
pub fn backup(
    data_dir: &Path,
    to: &Path,
    key: Option<&Key>,
    clock: &Clock,
) -> Result<Manifest, Fault> {
    let ledger = path_in(data_dir);
    if !ledger.exists() {
        return Err(Fault::Missing(format!("ledger at {}", ledger.display())));
    }
    refuse_if_there(to)?;
    let unfinished = unfinished(to)?;
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(|e| told(&unfinished, "cannot be made", &e))?;
    let made = fill(&ledger, &unfinished, key, clock).and_then(|manifest| {
        refuse_if_there(to)?;
        fs::rename(&unfinished, to).map_err(|e| told(to, "cannot be made", &e))?;
        sync_dir(to.parent().unwrap_or(Path::new("")))?;
        Ok(manifest)
    });
    if made.is_err() {
        let _ = fs::remove_dir_all(&unfinished);
    }
    made
}

fn refuse_if_there(to: &Path) -> Result<(), Fault> {
    if to.symlink_metadata().is_ok() {
        return Err(Fault::Refused(format!(
            "{} is there already; a backup overwrites nothing, name a new folder",
            to.display()
        )));
    }
    Ok(())
}

/// Beside the folder, so that renaming it is one step.
fn unfinished(to: &Path) -> Result<PathBuf, Fault> {
    let name = to.file_name().ok_or_else(|| {
        Fault::Refused(format!("{} names no folder for the backup", to.display()))
    })?;
    let tag = secret::hex(&secret::random_bytes::<4>());
    Ok(to.with_file_name(format!(".{}.{tag}.part", name.to_string_lossy())))
}

fn fill(ledger: &Path, folder: &Path, key: Option<&Key>, clock: &Clock) -> Result<Manifest, Fault> {
    let copy = folder.join(LEDGER);
    let complete_until = copy_live(ledger, &copy, clock)?;
    let (schema, counts) = settle(&copy)?;
    let (bytes, sha256) = sha256_of(&copy)?;
    let manifest = Manifest {
        form: FORM,
        leadgate: env!("CARGO_PKG_VERSION").into(),
        schema,
        complete_until: iso_ms(complete_until),
        bytes,
        sha256,
        counts,
        key_fingerprint: key.map(|key| fingerprint(&key.bytes)),
        has_key: key.is_some_and(|key| key.include),
    };
    if let Some(key) = key.filter(|key| key.include) {
        write_private(&folder.join(KEY), &key.bytes)?;
    }
    let text = serde_json::to_string_pretty(&manifest)?;
    write_private(&folder.join(MANIFEST), text.as_bytes())?;
    sync_dir(folder)?;
    Ok(manifest)
}

/// Copies file and log; returns the moment before which everything that was committed is in them.
fn copy_live(ledger: &Path, copy: &Path, clock: &Clock) -> Result<i64, Fault> {
    // The files are closed behind the connection: closing one gives up every lock that this process
    // has on it, and SQLite's is among them.
    let mut file = File::open(ledger).map_err(|e| told(ledger, "cannot be read", &e))?;
    let log = beside(ledger, "-wal");
    let mut open_logs = Vec::new();
    let conn = db::sqlite::reader(ledger)?;
    conn.execute_batch("BEGIN")?;
    conn.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
    copy_bytes(&mut file, copy, u64::MAX)?;
    let log_copy = beside(copy, "-wal");
    // The log can be begun anew at most once under a reader: when everything in it was in the file
    // before. A copy that saw both is made again.
    let complete_until = loop {
        let now = clock.now();
        let mut source = match File::open(&log) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break now,
            Err(error) => return Err(told(&log, "cannot be read", &error)),
        };
        let salts = salts_of(&source);
        let length = source.metadata().map_or(0, |m| m.len());
        copy_bytes(&mut source, &log_copy, length)?;
        let same = salts == salts_of(&source);
        open_logs.push(source);
        if same {
            break now;
        }
        fs::remove_file(&log_copy).map_err(|e| told(&log_copy, "cannot be removed", &e))?;
    };
    drop(conn);
    drop((file, open_logs));
    Ok(complete_until)
}

fn salts_of(log: &File) -> Vec<u8> {
    let mut salts = vec![0; 12];
    match log.read_exact_at(&mut salts, SALTS.start) {
        Ok(()) => salts,
        Err(_) => Vec::new(),
    }
}

fn copy_bytes(from: &mut File, to: &Path, most: u64) -> Result<(), Fault> {
    let mut copy = private_file(to)?;
    io::copy(&mut from.take(most), &mut copy)
        .map(drop)
        .map_err(|e| told(to, "cannot be written", &e))
}

/// Plays the log over the copy, makes one file of the two, and looks whether it is sound.
fn settle(copy: &Path) -> Result<(i64, checks::Counts), Fault> {
    let conn = Connection::open(copy)?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    let mode: String = conn.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode != "delete" {
        return Err(Fault::Store(format!(
            "the log of the copy could not be played over it: its mode is {mode}"
        )));
    }
    let found = checks::check(&conn)?;
    if let Some(first) = found.problems.first() {
        let n = found.problems.len();
        return Err(Fault::Store(format!(
            "the copy has {n} problems, so no backup was made; `leadgate ledger verify` tells whether \
             the ledger itself has them; the first: {first}"
        )));
    }
    conn.close().map_err(|(_, error)| error)?;
    File::open(copy)
        .and_then(|file| file.sync_all())
        .map_err(|e| told(copy, "cannot be written", &e))?;
    Ok((found.schema, found.counts))
}

/// `ledger.sqlite-wal` of `ledger.sqlite`.
pub(super) fn beside(ledger: &Path, ending: &str) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn iso_ms(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}
