//! How much stands still, asked every few seconds: each question is a stretch of an index, and ends
//! at a bound however full the ledger is.

use rusqlite::params;

use super::{Fault, Reads};
use crate::clock::Millis;
use crate::lead::{Priority, Stage, WorkKind};

/// Nobody needs to know exactly how far beyond this it is.
const COUNTED_MAX: i64 = 100_000;

impl Reads<'_> {
    /// How much of a kind is due, up to a bound, and since when the oldest is.
    pub fn how_much_is_due(
        &self,
        kind: WorkKind,
        now: Millis,
    ) -> Result<(i64, Option<Millis>), Fault> {
        let sql = "SELECT count(*), min(due_at) FROM (
                       SELECT due_at FROM work
                       WHERE kind = ?1 AND priority = ?2 AND due_at <= ?3
                       ORDER BY due_at LIMIT ?4)";
        let mut statement = self.conn.prepare_cached(sql)?;
        let (mut due, mut oldest) = (0, None);
        for priority in [Priority::Hot, Priority::Normal, Priority::Low] {
            let args = params![kind.as_str(), priority.rank(), now, COUNTED_MAX];
            let (n, since): (i64, Option<Millis>) =
                statement.query_row(args, |row| Ok((row.get(0)?, row.get(1)?)))?;
            due += n;
            oldest = oldest.into_iter().chain(since).min();
        }
        Ok((due.min(COUNTED_MAX), oldest))
    }

    /// How many leads stand in a stage, up to a bound.
    pub fn how_many_stand_in(&self, stage: Stage) -> Result<i64, Fault> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM leads WHERE stage = ?1 LIMIT ?2)";
        let mut statement = self.conn.prepare_cached(sql)?;
        let args = params![stage.as_str(), COUNTED_MAX];
        Ok(statement.query_row(args, |row| row.get(0))?)
    }
}
