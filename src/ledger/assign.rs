//! Who has a lead, and the counters that make the next choice fair.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Assignment, DeliveryState, RepId, WorkKind};

const COLUMNS: &str = "lead_id, seq, rep, offered_at, deadline, closed_at, why";

fn assignment_of(row: &Row<'_>) -> rusqlite::Result<Assignment> {
    Ok(Assignment {
        lead: row.get(0)?,
        seq: row.get(1)?,
        rep: row.get(2)?,
        offered_at: row.get(3)?,
        deadline: row.get(4)?,
        closed_at: row.get(5)?,
        why: row.get(6)?,
    })
}

impl Tx<'_> {
    /// Day, leads of that day and open leads of each rep; reps who never had one are left out.
    pub fn reps_load(&self, reps: &[RepId]) -> Result<BTreeMap<RepId, (i64, i64, i64)>, Fault> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT day, today, open FROM reps_load WHERE rep = ?1")?;
        let mut load = BTreeMap::new();
        for rep in reps {
            let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            if let Some(found) = statement.query_row([rep], read).optional()? {
                load.insert(rep.clone(), found);
            }
        }
        Ok(load)
    }

    /// The turn credits of a pool.
    pub fn credits(&self, pool: &str) -> Result<BTreeMap<RepId, i64>, Fault> {
        let sql = "SELECT rep, credit FROM credits WHERE pool = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([pool], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes the turn credits that a choice moved.
    pub fn set_credits(&self, pool: &str, credits: &[(RepId, i64)]) -> Result<(), Fault> {
        let sql = "INSERT INTO credits (pool, rep, credit) VALUES (?1, ?2, ?3)
                   ON CONFLICT (pool, rep) DO UPDATE SET credit = excluded.credit";
        let mut statement = self.conn.prepare_cached(sql)?;
        for (rep, credit) in credits {
            statement.execute(params![pool, rep, credit])?;
        }
        Ok(())
    }

    /// Gives a lead to a rep: the assignment and the rep's counters. Returns the assignment's seq.
    pub fn open_assignment(
        &self,
        lead: i64,
        rep: &str,
        day: i64,
        at: Millis,
        deadline: Option<Millis>,
    ) -> Result<i64, Fault> {
        let sql = "INSERT INTO assignments (lead_id, seq, rep, offered_at, deadline)
                   VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM assignments
                                WHERE lead_id = ?1), ?2, ?3, ?4) RETURNING seq";
        let mut statement = self.conn.prepare_cached(sql)?;
        let seq = statement.query_row(params![lead, rep, at, deadline], |row| row.get(0))?;
        let sql = "INSERT INTO reps_load (rep, day, today, open) VALUES (?1, ?2, 1, 1)
                   ON CONFLICT (rep) DO UPDATE SET
                       today = CASE WHEN day = excluded.day THEN today + 1 ELSE 1 END,
                       day = excluded.day, open = open + 1";
        self.conn.prepare_cached(sql)?.execute(params![rep, day])?;
        Ok(seq)
    }

    /// The lead's open assignment.
    pub fn open_assignment_of(&self, lead: i64) -> Result<Option<Assignment>, Fault> {
        let sql =
            format!("SELECT {COLUMNS} FROM assignments WHERE lead_id = ?1 AND closed_at IS NULL");
        let mut statement = self.conn.prepare_cached(&sql)?;
        Ok(statement.query_row([lead], assignment_of).optional()?)
    }

    /// Ends the lead's open assignment: what was still to be told is cancelled, the rep has a place
    /// free. Returns who had it.
    pub fn close_assignment(
        &self,
        lead: i64,
        why: &str,
        at: Millis,
    ) -> Result<Option<RepId>, Fault> {
        let sql = "UPDATE assignments SET closed_at = ?2, why = ?3
                   WHERE lead_id = ?1 AND closed_at IS NULL RETURNING rep, seq";
        let mut statement = self.conn.prepare_cached(sql)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let closed = statement
            .query_row(params![lead, at, why], read)
            .optional()?;
        let Some((rep, seq)): Option<(RepId, i64)> = closed else {
            return Ok(None);
        };
        let sql = "UPDATE reps_load SET open = max(open - 1, 0) WHERE rep = ?1";
        self.conn.prepare_cached(sql)?.execute([&rep])?;
        let sql = "UPDATE deliveries SET state = ?3 WHERE lead_id = ?1 AND assignment_seq = ?2
                   AND state IN ('pending', 'retry', 'sending')";
        let cancelled = DeliveryState::Cancelled.as_str();
        self.conn
            .prepare_cached(sql)?
            .execute(params![lead, seq, cancelled])?;
        for kind in [WorkKind::Mail, WorkKind::Hook, WorkKind::Expire] {
            self.drop_work(lead, kind)?;
        }
        Ok(Some(rep))
    }

    /// Everybody who had the lead, first to last.
    pub fn holders(&self, lead: i64) -> Result<Vec<RepId>, Fault> {
        let sql = "SELECT rep FROM assignments WHERE lead_id = ?1 ORDER BY seq";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([lead], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Reads<'_> {
    /// Everybody who had the lead, with when and why it ended.
    pub fn assignments(&self, lead: i64) -> Result<Vec<Assignment>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM assignments WHERE lead_id = ?1 ORDER BY seq");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([lead], assignment_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
