//! The files of the outbox: how they are named, and how they go when a lead is forgotten.

use std::io;
use std::path::Path;

use crate::lead::LeadId;

/// The name of a notice's file, without its ending.
pub(super) fn name(delivery: i64, lead: LeadId) -> String {
    format!("d{delivery}.{lead}")
}

/// Removes these notices from a folder, finished or not; returns how many files were there.
pub fn remove(folder: &Path, notices: &[(i64, LeadId)]) -> io::Result<usize> {
    let mut removed = 0;
    for (delivery, lead) in notices {
        for ending in ["eml", "part"] {
            let path = folder.join(format!("{}.{ending}", name(*delivery, *lead)));
            match std::fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    if removed > 0 {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(removed)
}

/// How many files of these notices lie in a folder.
pub fn count(folder: &Path, notices: &[(i64, LeadId)]) -> usize {
    let there = |(delivery, lead): &&(i64, LeadId)| {
        folder
            .join(format!("{}.eml", name(*delivery, *lead)))
            .exists()
    };
    notices.iter().filter(there).count()
}
