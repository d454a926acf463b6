//! Notices to reps and each attempt to deliver them. An attempt is on disk before the network is
//! touched.

use rusqlite::{OptionalExtension, Row, params};

use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Attempt, AttemptResult, Delivery, DeliveryState, LeadId, Ticket, Work};

const COLUMNS: &str = "d.id, d.lead_id, l.id, d.assignment_seq, d.channel, d.target, d.state";

/// An attempt that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The claimed work.
    pub work: Work,
    /// What is to be told to whom.
    pub delivery: Delivery,
    /// Counts the delivery's attempts from 1.
    pub n: i64,
}

/// An attempt that must not begin yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The endpoint that has no place.
    pub endpoint: String,
    /// When to look again at the latest.
    pub until: Millis,
}

fn delivery_of(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let state: String = row.get(6)?;
    Ok(Delivery {
        id: row.get(0)?,
        lead: row.get(1)?,
        lead_id: LeadId(uuid::Uuid::from_bytes(row.get(2)?)),
        assignment: row.get(3)?,
        channel: row.get(4)?,
        rep: row.get(5)?,
        state: DeliveryState::parse(&state).unwrap_or(DeliveryState::Dead),
    })
}

impl Tx<'_> {
    /// Adds a notice.
    pub fn add_delivery(
        &self,
        lead: i64,
        assignment: i64,
        channel: &str,
        rep: &str,
    ) -> Result<i64, Fault> {
        let sql = "INSERT INTO deliveries (lead_id, assignment_seq, channel, target, state)
                   VALUES (?1, ?2, ?3, ?4, 'pending')";
        self.conn
            .prepare_cached(sql)?
            .execute(params![lead, assignment, channel, rep])?;
        Ok(self.conn.last_insert_rowid())
    }

    /// A delivery by its key.
    pub fn delivery(&self, id: i64) -> Result<Option<Delivery>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries d JOIN leads l ON l.seq = d.lead_id WHERE d.id = ?1"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        Ok(statement.query_row([id], delivery_of).optional()?)
    }

    /// Claims a delivery's work and records the attempt, once `enter` lets it in. `None` where there
    /// is nothing to send: an old ticket, a notice that was sent or overtaken, or that has to wait.
    pub fn begin_attempt<P>(
        &self,
        ticket: &Ticket,
        (now, lease_until): (Millis, Millis),
        enter: impl FnOnce(&Self, &Delivery) -> Result<Result<P, Wait>, Fault>,
    ) -> Result<Option<(Begun, P)>, Fault> {
        let Some(work) = self.work(ticket)? else {
            return Ok(None);
        };
        let open = self.open_assignment_of(work.lead)?;
        let delivery = self.delivery(work.about)?.filter(|d| {
            let current = open.as_ref().is_some_and(|open| open.seq == d.assignment);
            let to_send = matches!(
                d.state,
                DeliveryState::Pending | DeliveryState::Sending | DeliveryState::Retry
            );
            current && to_send
        });
        let Some(delivery) = delivery else {
            self.finish_work(work.id)?;
            return Ok(None);
        };
        let permit = match enter(self, &delivery)? {
            Ok(permit) => permit,
            Err(wait) => {
                self.wait_for_endpoint(&work, &wait.endpoint, wait.until)?;
                return Ok(None);
            }
        };
        let Some(work) = self.claim_work(ticket, lease_until)? else {
            return Ok(None);
        };
        let sql = "INSERT INTO attempts (delivery_id, n, started_at)
                   VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM attempts
                                WHERE delivery_id = ?1), ?2) RETURNING n";
        let mut statement = self.conn.prepare_cached(sql)?;
        let n = statement.query_row(params![delivery.id, now], |row| row.get(0))?;
        self.set_delivery(delivery.id, DeliveryState::Sending)?;
        Ok(Some((Begun { work, delivery, n }, permit)))
    }

    /// Records how an attempt ended. The delivery moves only where it is still being sent: a lead
    /// that went elsewhere meanwhile stays cancelled.
    pub fn finish_attempt(
        &self,
        begun: &Begun,
        result: &AttemptResult,
        took_ms: i64,
        state: DeliveryState,
    ) -> Result<bool, Fault> {
        let sql = "UPDATE attempts SET took_ms = ?3, result = ?4
                   WHERE delivery_id = ?1 AND n = ?2";
        let result = serde_json::to_string(result)?;
        let args = params![begun.delivery.id, begun.n, took_ms, result];
        self.conn.prepare_cached(sql)?.execute(args)?;
        // An attempt that ends late, after another was begun, says nothing of the delivery any more,
        // unless it arrived.
        let sql = "UPDATE deliveries SET state = ?2 WHERE id = ?1 AND state = 'sending'
                   AND (?2 = 'sent' OR ?3 = (SELECT max(n) FROM attempts WHERE delivery_id = ?1))";
        let args = params![begun.delivery.id, state.as_str(), begun.n];
        Ok(self.conn.prepare_cached(sql)?.execute(args)? == 1)
    }

    /// Sets a delivery's state.
    pub fn set_delivery(&self, id: i64, state: DeliveryState) -> Result<(), Fault> {
        let sql = "UPDATE deliveries SET state = ?2 WHERE id = ?1";
        self.conn
            .prepare_cached(sql)?
            .execute(params![id, state.as_str()])?;
        Ok(())
    }

    /// Whether another notice of an assignment may still arrive.
    pub fn may_be_told(&self, lead: i64, assignment: i64) -> Result<bool, Fault> {
        let sql = "SELECT count(*) FROM deliveries WHERE lead_id = ?1 AND assignment_seq = ?2
                   AND state IN ('pending', 'sending', 'retry')";
        let mut statement = self.conn.prepare_cached(sql)?;
        let open: i64 = statement.query_row(params![lead, assignment], |row| row.get(0))?;
        Ok(open > 0)
    }

    /// Whether any notice of an assignment arrived.
    pub fn was_told(&self, lead: i64, assignment: i64) -> Result<bool, Fault> {
        let sql = "SELECT count(*) FROM deliveries
                   WHERE lead_id = ?1 AND assignment_seq = ?2 AND state = 'sent'";
        let mut statement = self.conn.prepare_cached(sql)?;
        let sent: i64 = statement.query_row(params![lead, assignment], |row| row.get(0))?;
        Ok(sent > 0)
    }

    /// How many notices of a lead arrived, over all its assignments.
    pub fn notices_that_arrived(&self, lead: i64) -> Result<i64, Fault> {
        let sql = "SELECT count(*) FROM deliveries WHERE lead_id = ?1 AND state = 'sent'";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([lead], |row| row.get(0))?)
    }
}

impl Reads<'_> {
    /// The lead's notices, each with its attempts.
    pub fn deliveries(&self, lead: i64) -> Result<Vec<(Delivery, Vec<Attempt>)>, Fault> {
        self.with_attempts("d.lead_id = ?1 ORDER BY d.id", lead)
    }

    /// Notices that failed for good, the latest first.
    pub fn dead(&self, limit: i64) -> Result<Vec<(Delivery, Vec<Attempt>)>, Fault> {
        self.with_attempts("d.state = 'dead' ORDER BY d.id DESC LIMIT ?1", limit)
    }

    fn with_attempts(
        &self,
        which: &str,
        value: i64,
    ) -> Result<Vec<(Delivery, Vec<Attempt>)>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries d JOIN leads l ON l.seq = d.lead_id WHERE {which}"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found: Vec<Delivery> = statement
            .query_map([value], delivery_of)?
            .collect::<Result<_, _>>()?;
        let attempts = |delivery: Delivery| {
            let attempts = self.attempts(delivery.id)?;
            Ok((delivery, attempts))
        };
        found.into_iter().map(attempts).collect()
    }

    fn attempts(&self, delivery: i64) -> Result<Vec<Attempt>, Fault> {
        let sql = "SELECT n, started_at, took_ms, result FROM attempts
                   WHERE delivery_id = ?1 ORDER BY n";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([delivery])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            let result: Option<String> = row.get(3)?;
            attempts.push(Attempt {
                n: row.get(0)?,
                started_at: row.get(1)?,
                took_ms: row.get(2)?,
                result: result.map(|text| serde_json::from_str(&text)).transpose()?,
            });
        }
        Ok(attempts)
    }
}
