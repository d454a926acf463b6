//! The append-only history of each lead.

use rusqlite::params;

use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Actor, Event, Phrase, Recorded};

/// The form of `events.data` that this program writes.
const VERSION: i64 = 1;

impl Tx<'_> {
    /// Writes an event at the end of a lead's history; the policy is that of its trace.
    pub fn append(
        &self,
        lead: i64,
        (actor, event, policy): (&Actor, &Event, Option<i64>),
        at: Millis,
    ) -> Result<i64, Fault> {
        let sql = "SELECT coalesce(max(seq), 0) + 1 FROM events WHERE lead_id = ?1";
        let seq = self
            .conn
            .prepare_cached(sql)?
            .query_row([lead], |row| row.get(0))?;
        self.insert_event((lead, seq, at), actor, event, policy)?;
        Ok(seq)
    }

    pub(super) fn insert_event(
        &self,
        (lead, seq, at): (i64, i64, Millis),
        actor: &Actor,
        event: &Event,
        policy: Option<i64>,
    ) -> Result<(), Fault> {
        let data = serde_json::to_string(event)?;
        let sql = "INSERT INTO events (lead_id, seq, at, actor, kind, v, policy, data)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.conn.prepare_cached(sql)?.execute(params![
            lead,
            seq,
            at,
            actor.to_string(),
            event.kind(),
            VERSION,
            policy,
            data,
        ])?;
        Ok(())
    }

    /// A lead's history, inside the transaction.
    pub fn history(&self, lead: i64) -> Result<Vec<Recorded>, Fault> {
        let with_policy = Reads::new(self.conn).history(lead)?;
        Ok(with_policy
            .into_iter()
            .map(|(recorded, _)| recorded)
            .collect())
    }
}

impl Reads<'_> {
    /// A lead's history, each event with the policy of its trace.
    pub fn history(&self, lead: i64) -> Result<Vec<(Recorded, Option<i64>)>, Fault> {
        let sql = "SELECT seq, at, actor, data, policy FROM events WHERE lead_id = ?1 ORDER BY seq";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([lead])?;
        let mut history = Vec::new();
        while let Some(row) = rows.next()? {
            let (actor, data): (String, String) = (row.get(2)?, row.get(3)?);
            let recorded = Recorded {
                seq: row.get(0)?,
                at: row.get(1)?,
                actor: Actor::parse(&actor),
                event: serde_json::from_str(&data)?,
            };
            history.push((recorded, row.get(4)?));
        }
        Ok(history)
    }

    /// The phrases of a policy, which a trace names by index.
    pub fn phrases(&self, policy: i64) -> Result<Vec<Phrase>, Fault> {
        let sql = "SELECT phrases FROM policies WHERE id = ?1";
        let text: String = self
            .conn
            .prepare_cached(sql)?
            .query_row([policy], |row| row.get(0))?;
        Ok(serde_json::from_str(&text)?)
    }
}
