//! Everything that is still to be done, with its due time: claimed by version, so that an old
//! ticket does nothing.

use rusqlite::{OptionalExtension, Row, params};

use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Priority, Ticket, Work, WorkKind};

pub(super) const COLUMNS: &str = "id, lead_id, kind, ref, due_at, priority, attempt, version";

/// Where notices wait for an endpoint. No pool has a blank in its name.
pub(super) fn place_of_endpoint(endpoint: &str) -> String {
    format!("webhook {endpoint}")
}

pub(super) fn work_of(row: &Row<'_>) -> rusqlite::Result<Work> {
    let kind: String = row.get(2)?;
    Ok(Work {
        id: row.get(0)?,
        lead: row.get(1)?,
        kind: WorkKind::parse(&kind).unwrap_or(WorkKind::Alarm),
        about: row.get(3)?,
        due_at: row.get(4)?,
        priority: Priority::of_rank(row.get(5)?),
        attempt: row.get(6)?,
        version: row.get(7)?,
    })
}

impl Tx<'_> {
    /// Adds a thing to do.
    pub fn add_work(
        &self,
        lead: i64,
        (kind, about): (WorkKind, i64),
        due_at: Millis,
        priority: Priority,
    ) -> Result<Ticket, Fault> {
        let sql = "INSERT INTO work (lead_id, kind, ref, due_at, priority, attempt, version)
                   VALUES (?1, ?2, ?3, ?4, ?5, 0, 1)";
        let args = params![lead, kind.as_str(), about, due_at, priority.rank()];
        self.run(sql, args)?;
        Ok(Ticket {
            work: self.conn.last_insert_rowid(),
            lead,
            kind,
            priority,
            version: 1,
        })
    }

    /// Takes a thing off the list to do it in this transaction; `None` for an old ticket.
    pub fn take_work(&self, ticket: &Ticket) -> Result<Option<Work>, Fault> {
        let sql = format!("DELETE FROM work WHERE id = ?1 AND version = ?2 RETURNING {COLUMNS}");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_row(params![ticket.work, ticket.version], work_of);
        Ok(found.optional()?)
    }

    /// Claims a thing until `until`: who dies meanwhile has it done again then.
    pub fn claim_work(&self, ticket: &Ticket, until: Millis) -> Result<Option<Work>, Fault> {
        let sql = format!(
            "UPDATE work SET due_at = ?3, version = version + 1, attempt = attempt + 1, pool = NULL
             WHERE id = ?1 AND version = ?2 RETURNING {COLUMNS}"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_row(params![ticket.work, ticket.version, until], work_of);
        Ok(found.optional()?)
    }

    /// The thing of a ticket; `None` for an old one.
    pub(super) fn work(&self, ticket: &Ticket) -> Result<Option<Work>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM work WHERE id = ?1 AND version = ?2");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_row(params![ticket.work, ticket.version], work_of);
        Ok(found.optional()?)
    }

    /// Lets a notice wait for an endpoint, without an attempt.
    pub(super) fn wait_for_endpoint(
        &self,
        work: &Work,
        endpoint: &str,
        due_at: Millis,
    ) -> Result<(), Fault> {
        let sql = "UPDATE work SET due_at = ?3, pool = ?4, version = version + 1
                   WHERE id = ?1 AND version = ?2";
        let args = params![work.id, work.version, due_at, place_of_endpoint(endpoint)];
        self.conn.prepare_cached(sql)?.execute(args)?;
        Ok(())
    }

    /// Puts a claimed thing off.
    pub fn put_off(&self, work: &Work, due_at: Millis, priority: Priority) -> Result<(), Fault> {
        let sql = "UPDATE work SET due_at = ?3, priority = ?4, version = version + 1
                   WHERE id = ?1 AND version = ?2";
        let args = params![work.id, work.version, due_at, priority.rank()];
        self.conn.prepare_cached(sql)?.execute(args)?;
        Ok(())
    }

    /// Makes due what a dead process was sending or fetching, or what waited for it to make room at
    /// an endpoint: this process is the only one that serves, so that holds nothing any more.
    pub fn void_leases(&self, now: Millis) -> Result<usize, Fault> {
        let sql = "UPDATE work SET due_at = ?1, version = version + 1
                   WHERE kind IN ('mail', 'hook') AND due_at > ?1
                     AND (pool IS NOT NULL
                          OR (SELECT state FROM deliveries d WHERE d.id = work.ref) = 'sending')";
        let notices = self.conn.prepare_cached(sql)?.execute([now])?;
        let sql = "UPDATE work SET due_at = ?1, version = version + 1
                   WHERE kind = 'fetch' AND ref = 2 AND due_at > ?1";
        Ok(notices + self.conn.prepare_cached(sql)?.execute([now])?)
    }

    /// A claimed thing is done.
    pub fn finish_work(&self, id: i64) -> Result<(), Fault> {
        self.conn
            .prepare_cached("DELETE FROM work WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Forgets what was to be done for a lead, of one kind.
    pub fn drop_work(&self, lead: i64, kind: WorkKind) -> Result<(), Fault> {
        let sql = "DELETE FROM work WHERE lead_id = ?1 AND kind = ?2";
        self.conn
            .prepare_cached(sql)?
            .execute(params![lead, kind.as_str()])?;
        Ok(())
    }

    /// Adds an assignment that waits for a place in its pool.
    pub fn wait_in_pool(
        &self,
        lead: i64,
        pool: &str,
        due_at: Millis,
        priority: Priority,
    ) -> Result<(), Fault> {
        let ticket = self.add_work(lead, (WorkKind::Assign, 0), due_at, priority)?;
        let sql = "UPDATE work SET pool = ?2 WHERE id = ?1";
        self.conn
            .prepare_cached(sql)?
            .execute(params![ticket.work, pool])?;
        Ok(())
    }

    /// Makes the best `n` that wait at a pool or endpoint due: places are free.
    pub fn wake(&self, place: &str, n: i64, now: Millis) -> Result<Vec<Ticket>, Fault> {
        let sql = format!(
            "UPDATE work SET due_at = ?2, version = version + 1 WHERE id IN (
                 SELECT id FROM work WHERE pool = ?1 AND due_at > ?2
                 ORDER BY priority, lead_id LIMIT ?3) RETURNING {COLUMNS}"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params![place, now, n], work_of)?;
        rows.map(|work| Ok(Ticket::from(&work?))).collect()
    }

    /// Makes the best `n` notices due that wait for an endpoint.
    pub fn wake_endpoint(&self, name: &str, n: usize, now: Millis) -> Result<Vec<Ticket>, Fault> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        self.wake(&place_of_endpoint(name), n, now)
    }

    /// Makes things due that wait for a place, where they still do: the policy changed.
    pub fn wake_these(&self, ids: &[i64], now: Millis) -> Result<(), Fault> {
        let sql = "UPDATE work SET due_at = ?1, version = version + 1
                   WHERE id = ?2 AND pool IS NOT NULL AND due_at > ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        for id in ids {
            statement.execute([now, *id])?;
        }
        Ok(())
    }
}

impl Reads<'_> {
    /// Everything that waits for a place.
    pub fn waits_for_place(&self, now: Millis) -> Result<Vec<i64>, Fault> {
        let sql = "SELECT id FROM work WHERE pool IS NOT NULL AND due_at > ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([now], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is due of one kind and priority, the longest due first.
    pub fn due(
        &self,
        (kind, priority): (WorkKind, Priority),
        now: Millis,
        limit: i64,
    ) -> Result<Vec<Ticket>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM work WHERE kind = ?1 AND priority = ?2 AND due_at <= ?3
             ORDER BY due_at LIMIT ?4"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows =
            statement.query_map(params![kind.as_str(), priority.rank(), now, limit], work_of)?;
        rows.map(|work| Ok(Ticket::from(&work?))).collect()
    }

    /// What is still to be done for a lead.
    pub fn work_of_lead(&self, lead: i64) -> Result<Vec<Work>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM work WHERE lead_id = ?1 ORDER BY due_at");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([lead], work_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
