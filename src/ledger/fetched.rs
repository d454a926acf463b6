//! What platforms told when they were asked for a lead, and the work of asking them. In `ref` such
//! work has 1 while it waits for its credential, so that all of it can be woken together, and 2
//! while it is under way, so that a start knows what died with the process before it.

use rusqlite::{OptionalExtension, params};

use super::sieve::short;
use super::work::{COLUMNS, work_of};
use super::{Fault, PersonKey, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Priority, Ticket, Work};

impl Tx<'_> {
    /// Stores a lead's content as its platform gave it.
    pub fn set_fetched(&self, lead: i64, raw: &[u8], at: Millis) -> Result<(), Fault> {
        let sql = "INSERT INTO fetched (lead_id, at, raw) VALUES (?1, ?2, ?3)
                   ON CONFLICT (lead_id) DO UPDATE SET at = excluded.at, raw = excluded.raw";
        self.conn
            .prepare_cached(sql)?
            .execute(params![lead, at, raw])?;
        Ok(())
    }

    /// Claims a fetch until `until`; `None` for an old ticket.
    pub fn begin_fetch(&self, ticket: &Ticket, until: Millis) -> Result<Option<Work>, Fault> {
        let sql = format!(
            "UPDATE work SET due_at = ?3, version = version + 1, attempt = attempt + 1, ref = 2
             WHERE id = ?1 AND version = ?2 RETURNING {COLUMNS}"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_row(params![ticket.work, ticket.version, until], work_of);
        Ok(found.optional()?)
    }

    /// Puts off a fetch that failed; retries go behind new leads.
    pub fn retry_fetch(&self, work: &Work, due_at: Millis) -> Result<(), Fault> {
        let sql = "UPDATE work SET due_at = ?3, priority = ?4, version = version + 1, ref = 0
                   WHERE id = ?1 AND version = ?2";
        let args = params![work.id, work.version, due_at, Priority::Low.rank()];
        self.conn.prepare_cached(sql)?.execute(args)?;
        Ok(())
    }

    /// Puts a fetch off until its credential may be used again; what was begun does not count as an
    /// attempt, since it says nothing of this lead. `false` for an old version.
    pub fn pause_fetch(
        &self,
        (id, version): (i64, i64),
        until: Millis,
        begun: bool,
    ) -> Result<bool, Fault> {
        let sql = "UPDATE work SET due_at = ?3, version = version + 1, attempt = attempt - ?4,
                       ref = 1 WHERE id = ?1 AND version = ?2";
        let args = params![id, version, until, begun];
        Ok(self.conn.prepare_cached(sql)?.execute(args)? == 1)
    }

    /// Makes the fetches due that wait for a credential.
    pub fn wake_paused_fetches(&self, now: Millis) -> Result<usize, Fault> {
        let sql = "UPDATE work SET due_at = ?1, version = version + 1, ref = 0
                   WHERE kind = 'fetch' AND ref = 1 AND due_at > ?1";
        Ok(self.conn.prepare_cached(sql)?.execute([now])?)
    }

    /// Makes every fetch due that is not under way: the sources changed. The try before its time comes
    /// on top of the others, so that many changes leave none without tries.
    pub fn wake_fetches(&self, now: Millis) -> Result<usize, Fault> {
        let sql = "UPDATE work SET due_at = ?1, version = version + 1, ref = 0,
                       attempt = CASE ref WHEN 1 THEN attempt ELSE max(attempt - 1, 0) END
                   WHERE kind = 'fetch' AND ref <> 2 AND due_at > ?1";
        Ok(self.conn.prepare_cached(sql)?.execute([now])?)
    }

    /// Notes who asks in a lead that was read late: the index of persons may have passed it.
    pub fn note_late(&self, lead: i64, at: Millis, keys: &[PersonKey]) -> Result<(), Fault> {
        let rows: Vec<_> = keys.iter().map(|key| (short(key), lead, at)).collect();
        self.insert_persons(&rows)
    }
}

impl Reads<'_> {
    /// A lead's content as its platform gave it, where it was fetched.
    pub fn fetched(&self, lead: i64) -> Result<Option<Vec<u8>>, Fault> {
        let sql = "SELECT raw FROM fetched WHERE lead_id = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([lead], |row| row.get(0)).optional()?)
    }
}
