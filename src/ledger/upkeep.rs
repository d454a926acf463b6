//! Looking after the file that holds the truth: a copy of it while it is written, whether a copy is
//! whole, and putting one back. For the command line, beside a daemon or without one. Knows no
//! configuration.

mod backup;
mod checks;
mod restore;
mod verify;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use backup::backup;
pub use checks::Counts;
pub use restore::{Restored, restore};
pub use verify::{Report, verify};

use super::{Fault, db, path_in};
use crate::secret;

/// The ledger's name in a backup.
const LEDGER: &str = "ledger.sqlite";
/// What a backup holds and what it must come out as.
const MANIFEST: &str = "manifest.json";
/// The key's name in a backup and in a data folder.
const KEY: &str = "secret.key";
/// The form of the manifest that this program writes and reads.
const FORM: u32 = 1;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The manifest's own form.
    pub form: u32,
    /// The release that made it.
    pub leadgate: String,
    /// The ledger's schema.
    pub schema: i64,
    /// Everything that was acknowledged before this moment is in it.
    pub complete_until: String,
    /// The ledger's length.
    pub bytes: u64,
    /// The ledger's hash.
    pub sha256: String,
    /// How much it holds.
    pub counts: Counts,
    /// Recognises the secret key that its links and hashes were made with, without telling it.
    pub key_fingerprint: Option<String>,
    /// Whether `secret.key` lies beside it.
    pub has_key: bool,
}

/// The secret key at the time of a backup.
#[derive(Clone)]
pub struct Key {
    bytes: Vec<u8>,
    /// Whether the backup takes it along.
    include: bool,
}

impl Key {
    /// The key as it stands in the data folder or the configuration.
    pub fn new(bytes: Vec<u8>, include: bool) -> Self {
        Self { bytes, include }
    }
}

/// Moves what is in the log into the file and empties the log, so that what was overwritten in the
/// file is in neither. `false` where somebody read for so long that it was not possible.
pub fn empty_log(data_dir: &Path) -> Result<bool, Fault> {
    let conn = db::sqlite::writer(&path_in(data_dir), false)?;
    // Most of the work without stopping the writer.
    let step = |mode: &str| {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        conn.query_row(&sql, [], |row| row.get::<_, i64>(0))
    };
    step("PASSIVE")?;
    // Shorter than the writer's own patience: it waits for this and must not give up.
    conn.busy_timeout(std::time::Duration::from_secs(1))?;
    for _ in 0..10 {
        match step("TRUNCATE") {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Recognises a key without telling it.
fn fingerprint(key: &[u8]) -> String {
    let hash = secret::hmac_sha256(key, &[b"leadgate backup"]);
    secret::hex(&hash).chars().take(16).collect()
}

fn sha256_of(path: &Path) -> Result<(u64, String), Fault> {
    let mut file = File::open(path).map_err(|e| told(path, "cannot be read", &e))?;
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(|e| told(path, "cannot be read", &e))?;
        let Some(part) = buffer.get(..n).filter(|part| !part.is_empty()) else {
            break;
        };
        hash.update(part);
        bytes += part.len() as u64;
    }
    Ok((bytes, secret::hex(&hash.finalize())))
}

fn told(path: &Path, what: &str, error: &std::io::Error) -> Fault {
    Fault::Store(format!("{} {what}: {error}", path.display()))
}

/// Makes names in a folder last.
fn sync_dir(dir: &Path) -> Result<(), Fault> {
    let dir = if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    };
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| told(dir, "cannot be written", &e))
}

/// A new file for its owner alone.
fn private_file(path: &Path) -> Result<File, Fault> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .map_err(|e| told(path, "cannot be made", &e))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    use std::io::Write;
    let mut file = private_file(path)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|e| told(path, "cannot be written", &e))
}

/// The manifest of a backup; `None` where there is none.
fn read_manifest(folder: &Path) -> Result<Option<Manifest>, Fault> {
    let path = folder.join(MANIFEST);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(&path, "cannot be read", &error)),
    };
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|e| Fault::Store(format!("{} is damaged: {e}", path.display())))?;
    if manifest.form > FORM {
        return Err(Fault::Refused(format!(
            "the backup was made by leadgate {}, in a form that this release does not know; use that one",
            manifest.leadgate
        )));
    }
    Ok(Some(manifest))
}
