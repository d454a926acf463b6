//! The secret key in the data folder: made once, readable by its owner alone.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Fault;
use crate::secret;

/// Fewer characters could be guessed, or are the rest of a damaged file.
const CHARS_MIN: usize = 32;

/// The key of a data folder; `None` where none was made yet.
pub fn read_key(data_dir: &Path) -> Result<Option<Vec<u8>>, Fault> {
    let path = data_dir.join("secret.key");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::Store(format!("{}: {error}", path.display()))),
    };
    let key = text.trim();
    if key.len() < CHARS_MIN {
        return Err(Fault::Store(format!("{} is damaged", path.display())));
    }
    Ok(Some(key.as_bytes().to_vec()))
}

/// The same, made where there is none.
pub fn read_or_make_key(data_dir: &Path) -> Result<Vec<u8>, Fault> {
    if let Some(key) = read_key(data_dir)? {
        return Ok(key);
    }
    let path = data_dir.join("secret.key");
    let key = secret::hex(&secret::random_bytes::<32>());
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&path)?;
        file.write_all(key.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|e| Fault::Store(format!("{} cannot be made: {e}", path.display())))?;
    Ok(key.into_bytes())
}
