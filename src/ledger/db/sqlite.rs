//! SQLite: opening, settings that keep the promise, migrations.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::ledger::Fault;

/// The first release with the fix of the WAL-reset corruption (3.51.3).
const OLDEST: i32 = 3_051_003;
/// Log pages after which they are moved into the file: rarer saves writing, but what is moved at once
/// keeps the disk from the next commit.
pub(in crate::ledger) const CHECKPOINT_PAGES: i64 = 2_000;
/// KiB of pages that a connection keeps. There are as many readers as read at once, and what they want
/// is in the system's cache.
const WRITER_CACHE: i64 = 16_000;
const READER_CACHE: i64 = 4_000;

const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_keys.sql"),
    include_str!("../migrations/0003_endpoints.sql"),
    include_str!("../migrations/0004_fetched.sql"),
    include_str!("../migrations/0005_forgetting.sql"),
    include_str!("../migrations/0006_short_keys.sql"),
];

/// The connection that writes; `serving` brings the schema up to date, a command beside a daemon
/// leaves it alone.
pub(in crate::ledger) fn writer(path: &Path, serving: bool) -> Result<Connection, Fault> {
    if rusqlite::version_number() < OLDEST {
        let found = rusqlite::version();
        return Err(Fault::Store(format!(
            "SQLite {found} can corrupt its log; wanted is 3.51.3"
        )));
    }
    let mut conn = Connection::open(path)?;
    settings(&conn, WRITER_CACHE)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // A commit does not wait for the disk: sync.rs brings the log there before anybody is told.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    // The daemon's commits leave it to a thread of its own: see checkpoint.rs.
    let inside = if serving { 0 } else { CHECKPOINT_PAGES };
    conn.pragma_update(None, "wal_autocheckpoint", inside)?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    conn.pragma_update(None, "secure_delete", "ON")?;
    if serving {
        migrate(&mut conn)?;
    } else {
        is_current(&conn)?;
    }
    Ok(conn)
}

/// A connection that only reads.
pub(in crate::ledger) fn reader(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    settings(&conn, READER_CACHE)?;
    conn.pragma_update(None, "query_only", "ON")?;
    Ok(conn)
}

fn settings(conn: &Connection, cache: i64) -> Result<(), Fault> {
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    // A plan does not depend on the values bound: otherwise SQLite plans a statement anew at every
    // use, which costs more than running it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "cache_size", -cache)?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(())
}

/// The schema that this program brings a ledger to.
pub(in crate::ledger) fn schema() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn is_current(conn: &Connection) -> Result<(), Fault> {
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = schema();
    if found == known {
        return Ok(());
    }
    Err(Fault::Store(format!(
        "its schema is {found}, this program's is {known}; use the program that serves it, or start \
         this one's daemon once"
    )))
}

fn migrate(conn: &mut Connection) -> Result<(), Fault> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = schema();
    if done > known {
        return Err(Fault::Store(format!(
            "the ledger is of a newer leadgate (schema {done}, known is {known}); use that one"
        )));
    }
    for text in MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0)) {
        tx.execute_batch(text)?;
    }
    tx.pragma_update(None, "user_version", known)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{Headers, Key, LeadId, Submission};
    use crate::ledger::{Ledger, Persons, Settings, Standing, path_in};

    /// A lead that came before 0006, with its key and its person in their indexes.
    const BEFORE: &str = "
        INSERT INTO submissions VALUES (7, 'form', 1, '[]', '', x'61',
            x'00' || x'0000000000001c00' || zeroblob(16), x'');
        UPDATE submissions SET leads = CAST(leads AS BLOB),
            keys = CAST(x'01010101010101010101010101010101' || zeroblob(24) AS BLOB);
        INSERT INTO keys VALUES ('form', x'01010101010101010101010101010101', 7168, zeroblob(16), zeroblob(16), NULL);
        INSERT INTO leads (seq, id, submission_id, source, stage, version, is_test, received_at, fields,
            attribution, consent, signals, points)
        VALUES (7168, zeroblob(16), 7, 'form', 'rejected', 1, 0, 5, '{}', '{}', '[]', '{}', 0);
        INSERT INTO persons VALUES (x'02020202020202020202020202020202', 7168, 5);
        UPDATE meta SET value = 7;
        UPDATE meta SET value = 7168 WHERE key = 'persons_upto';";

    #[test]
    fn who_came_before_the_indexes_were_cut_short_is_still_known() {
        let dir = tempfile::tempdir().unwrap();
        let conn = Connection::open(path_in(dir.path())).unwrap();
        for text in &MIGRATIONS[..5] {
            conn.execute_batch(text).unwrap();
        }
        conn.pragma_update(None, "user_version", 5).unwrap();
        conn.execute_batch(BEFORE).unwrap();
        drop(conn);
        let settings = Settings {
            data_dir: dir.path().to_owned(),
            ..Settings::default()
        };
        let ledger = Ledger::serve(&settings).unwrap();
        for (body_hash, wanted) in [([0; 16], Standing::Repeat), ([9; 16], Standing::Conflict)] {
            let submission = Submission {
                source: "form".into(),
                received_at: 9,
                headers: Headers::default(),
                query: String::new(),
                raw: Vec::new(),
                keys: vec![Key {
                    key: [1; 16],
                    body_hash,
                    until: None,
                    lead: LeadId::new(9),
                }],
            };
            let stored = ledger.write_blocking(move |tx| tx.receive(&submission));
            assert_eq!(stored.unwrap().leads[0].0, wanted);
        }
        let persons = Persons::rebuild(&ledger, |_, _| Vec::new()).unwrap();
        let seen = ledger.read(|r| persons.seen(r, i64::MAX, &[[2; 16]]));
        assert_eq!(seen.unwrap().last_at, Some(5));
        ledger.close();
    }
}
