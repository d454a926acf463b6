//! Which endpoints are paused or failing, and the notices that wait for them. Endpoints that work
//! have no row.

use rusqlite::{OptionalExtension, params};

use super::work::place_of_endpoint;
use super::{Fault, Reads, Tx};
use crate::clock::Millis;

/// What is known of an endpoint that is not simply well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointState {
    /// Its key in `endpoints.toml`.
    pub name: String,
    /// Nothing is sent since then.
    pub paused_at: Option<Millis>,
    /// Why it is paused.
    pub why: Option<String>,
    /// The first failure after the last success.
    pub failing_since: Option<Millis>,
    /// Notices that wait until there is a place.
    pub waiting: i64,
}

impl Tx<'_> {
    /// Whether nothing is to be sent to an endpoint.
    pub fn is_paused(&self, endpoint: &str) -> Result<bool, Fault> {
        let sql = "SELECT count(*) FROM endpoints WHERE name = ?1 AND paused_at IS NOT NULL";
        let mut statement = self.conn.prepare_cached(sql)?;
        let paused: i64 = statement.query_row([endpoint], |row| row.get(0))?;
        Ok(paused > 0)
    }

    /// Nothing is sent to it until somebody resumes it; `false` where it was paused before.
    pub fn pause_endpoint(&self, endpoint: &str, why: &str, now: Millis) -> Result<bool, Fault> {
        let sql = "INSERT INTO endpoints (name, paused_at, why, failing_since)
                   VALUES (?1, ?2, ?3, ?2)
                   ON CONFLICT (name) DO UPDATE SET paused_at = ?2, why = ?3
                   WHERE paused_at IS NULL";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.execute(params![endpoint, now, why])? == 1)
    }

    /// Forgets pause and failures, and makes due what waits; `false` where it was not paused.
    pub fn resume_endpoint(&self, endpoint: &str, now: Millis) -> Result<bool, Fault> {
        let sql = "DELETE FROM endpoints WHERE name = ?1 RETURNING paused_at";
        let mut statement = self.conn.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        let paused: Option<Option<Millis>> = statement.query_row([endpoint], read).optional()?;
        self.wake(&place_of_endpoint(endpoint), i64::MAX, now)?;
        Ok(paused.flatten().is_some())
    }

    /// Notes how an exchange ended; since when it has failed without a success.
    pub fn note_endpoint(
        &self,
        endpoint: &str,
        well: bool,
        now: Millis,
    ) -> Result<Option<Millis>, Fault> {
        if well {
            let sql = "DELETE FROM endpoints WHERE name = ?1 AND paused_at IS NULL";
            self.conn.prepare_cached(sql)?.execute([endpoint])?;
            return Ok(None);
        }
        let sql = "INSERT INTO endpoints (name, failing_since) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET
                       failing_since = coalesce(failing_since, excluded.failing_since)
                   RETURNING failing_since";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row(params![endpoint, now], |row| row.get(0))?)
    }
}

impl Reads<'_> {
    /// Every endpoint that is paused, failing, or waited for.
    pub fn endpoints(&self) -> Result<Vec<EndpointState>, Fault> {
        let sql = "SELECT name, paused_at, why, failing_since FROM endpoints ORDER BY name";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(EndpointState {
                name: row.get(0)?,
                paused_at: row.get(1)?,
                why: row.get(2)?,
                failing_since: row.get(3)?,
                waiting: 0,
            })
        })?;
        rows.map(|state| {
            let mut state = state?;
            state.waiting = self.waiting_for(&state.name)?;
            Ok(state)
        })
        .collect()
    }

    /// How many notices wait until an endpoint has a place.
    pub fn waiting_for(&self, endpoint: &str) -> Result<i64, Fault> {
        let sql = "SELECT count(*) FROM work WHERE pool = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let place = place_of_endpoint(endpoint);
        Ok(statement.query_row([place], |row| row.get(0))?)
    }
}
