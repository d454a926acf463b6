//! Every policy that ever decided a lead, by hash.

use rusqlite::{OptionalExtension, params};

use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::Phrase;

/// Under these keys stands which policy is at work, and which one all that is there was held against.
const AT_WORK: &str = "policy_at_work";
const SETTLED: &str = "policy_settled";

impl Tx<'_> {
    /// Puts a policy to work: its key, and whether all that is there was held against it already.
    pub fn publish(
        &self,
        hash: &str,
        phrases: &[Phrase],
        text: &str,
        at: Millis,
    ) -> Result<(i64, bool), Fault> {
        let id = self.keep_policy(hash, phrases, text, at)?;
        let is_settled = Reads::new(self.conn).meta(SETTLED)? == Some(id);
        self.set_meta(AT_WORK, id)?;
        Ok((id, is_settled))
    }

    /// Notes that all that is there was held against this policy.
    pub fn policy_is_settled(&self, id: i64) -> Result<(), Fault> {
        self.set_meta(SETTLED, id)
    }

    /// The key of a policy, stored if it is new.
    pub fn keep_policy(
        &self,
        hash: &str,
        phrases: &[Phrase],
        text: &str,
        at: Millis,
    ) -> Result<i64, Fault> {
        let sql = "INSERT INTO policies (hash, published_at, phrases, text) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO NOTHING";
        let phrases = serde_json::to_string(phrases)?;
        self.conn
            .prepare_cached(sql)?
            .execute(params![hash, at, phrases, text])?;
        let sql = "SELECT id FROM policies WHERE hash = ?1";
        Ok(self
            .conn
            .prepare_cached(sql)?
            .query_row([hash], |row| row.get(0))?)
    }
}

impl Reads<'_> {
    pub(super) fn meta(&self, key: &str) -> Result<Option<i64>, Fault> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    }
}
