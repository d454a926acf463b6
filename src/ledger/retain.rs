//! What is old enough to go: found by reading in small windows, so that neither the writer nor memory
//! notices a ledger of millions.

use rusqlite::{OptionalExtension, params};

use super::keys::entries;
use super::receive::LEADS_MAX;
use super::sieve::{Hash, Short, short};
use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::Stage;

/// A bounded look: what was found, and where the next one begins; `None` at the end.
pub type Window = (Vec<i64>, Option<i64>);

/// How many submissions of a window tell that it is young.
const LOOKS: i64 = 10;
/// The submission up to which expired keys are out of the index.
const DROPPED_UPTO: &str = "keys_dropped_upto";

/// Keys whose time is over.
#[derive(Default)]
pub struct ExpiredKeys {
    keys: Vec<(Short, i64)>,
    upto: i64,
}

impl Reads<'_> {
    /// Decided submissions behind `after` that arrived before `before` and are still there as they
    /// came.
    pub fn old_submissions(
        &self,
        after: i64,
        before: Millis,
        (window, limit): (i64, i64),
    ) -> Result<Window, Fault> {
        let end = (after + window).min(self.decided_upto()?);
        if self.is_young((after, end), before)? {
            return Ok((Vec::new(), place_after(&[], limit, after, end)));
        }
        let sql = "SELECT id FROM submissions WHERE id > ?1 AND id <= ?2 AND received_at < ?3
                     AND (length(raw) > 0 OR query <> '' OR headers <> '[]') ORDER BY id LIMIT ?4";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, end, before, limit], |row| row.get(0))?;
        let found: Vec<i64> = rows.collect::<Result<_, _>>()?;
        let next = place_after(&found, limit, after, end);
        Ok((found, next))
    }

    /// Whether a window of submissions is too young to be walked. Most are, and to walk them reads all that
    /// ever came in; so only some are looked at, of which the first is enough but for a clock that was set.
    fn is_young(&self, (after, end): (i64, i64), before: Millis) -> Result<bool, Fault> {
        let sql = "SELECT received_at FROM submissions WHERE id >= ?1 ORDER BY id LIMIT 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let step = ((end - after) / LOOKS).max(1);
        let mut at = after + 1;
        while at <= end {
            let received_at: Option<Millis> =
                statement.query_row([at], |row| row.get(0)).optional()?;
            if received_at.is_some_and(|at| at < before) {
                return Ok(false);
            }
            at += step;
        }
        Ok(true)
    }

    /// Leads behind `after` in one of these stages whose last event was before the time given with the
    /// stage, and whose personal data is still there.
    pub fn old_leads(
        &self,
        after: i64,
        classes: &[(Stage, Millis)],
        (window, limit): (i64, i64),
    ) -> Result<Window, Fault> {
        let upto = (self.decided_upto()? + 1) * LEADS_MAX;
        let end = (after + window * LEADS_MAX).min(upto);
        let latest = classes.iter().map(|(_, before)| *before).max();
        let latest = latest.unwrap_or(0);
        if self.is_young((after / LEADS_MAX, end / LEADS_MAX), latest)? {
            return Ok((Vec::new(), place_after(&[], limit, after, end)));
        }
        // The window is walked once; that leads are not looked up by stage keeps the index small.
        let sql = "SELECT seq, stage, (SELECT max(at) FROM events e WHERE e.lead_id = l.seq)
                   FROM leads l WHERE seq > ?1 AND seq <= ?2 AND received_at < ?3
                     AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.lead_id = l.seq)
                   ORDER BY seq";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![after, end, latest])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (stage, last): (String, Option<Millis>) = (row.get(1)?, row.get(2)?);
            if is_old(classes, Stage::parse(&stage), last) {
                found.push(row.get(0)?);
            }
            if i64::try_from(found.len()).unwrap_or(limit) >= limit {
                break;
            }
        }
        let next = place_after(&found, limit, after, end);
        Ok((found, next))
    }

    /// Keys that no longer make a repeat since `before`, and the submission up to which that is so;
    /// `None` where the last one that it holds for was looked at.
    pub fn expired_keys(
        &self,
        before: Millis,
        (window, limit): (i64, usize),
    ) -> Result<Option<ExpiredKeys>, Fault> {
        let after = self.meta(DROPPED_UPTO)?.unwrap_or(0);
        // A key that is not in the index yet would come into it behind our back.
        let end = (after + window).min(self.meta("keys_upto")?.unwrap_or(0));
        let sql = "SELECT id, received_at, leads, keys FROM submissions
                   WHERE id > ?1 AND id <= ?2 ORDER BY id";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([after, end])?;
        let mut expired = ExpiredKeys::default();
        while expired.keys.len() < limit
            && let Some(row) = rows.next()?
        {
            let (id, received_at): (i64, Millis) = (row.get(0)?, row.get(1)?);
            let bytes = |at: usize| row.get_ref(at)?.as_bytes().map_err(rusqlite::Error::from);
            let keys = entries(id, bytes(2)?, bytes(3)?);
            let timed = keys.filter_map(|(known, key)| Some((known.until?, key, known.lead)));
            let timed: Vec<(Millis, Hash, i64)> = timed.collect();
            if received_at >= before || timed.iter().any(|(until, ..)| *until >= before) {
                break;
            }
            let places = timed.iter().map(|(_, key, lead)| (short(key), *lead));
            expired.keys.extend(places);
            expired.upto = id;
        }
        Ok((expired.upto > 0).then_some(expired))
    }
}

impl Tx<'_> {
    /// Whether a lead is, now that it is to be written, in one of these stages for long enough.
    pub fn is_old(&self, lead: i64, classes: &[(Stage, Millis)]) -> Result<bool, Fault> {
        let sql = "SELECT stage, (SELECT max(at) FROM events e WHERE e.lead_id = l.seq)
                   FROM leads l WHERE seq = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (stage, last): (String, Option<Millis>) =
            self.conn.prepare_cached(sql)?.query_row([lead], read)?;
        Ok(is_old(classes, Stage::parse(&stage), last))
    }

    /// Writes why a lead stands where it does, without a person's words.
    pub fn set_reason_or_none(&self, lead: i64, why: Option<&str>) -> Result<(), Fault> {
        let sql = "UPDATE leads SET reason = ?2 WHERE seq = ?1";
        self.conn.prepare_cached(sql)?.execute(params![lead, why])?;
        Ok(())
    }

    /// Takes keys out of the index that no longer make a repeat.
    pub fn drop_expired_keys(&self, expired: &ExpiredKeys) -> Result<(), Fault> {
        let sql = "DELETE FROM keys WHERE key = ?1 AND lead_id = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        for (key, lead) in &expired.keys {
            statement.execute(params![key.to_be_bytes(), lead])?;
        }
        self.set_meta(DROPPED_UPTO, expired.upto)
    }
}

fn is_old(classes: &[(Stage, Millis)], stage: Option<Stage>, last: Option<Millis>) -> bool {
    let class = classes.iter().find(|(of, _)| Some(*of) == stage);
    class.is_some_and(|(_, before)| last.is_some_and(|last| last < *before))
}

/// Behind the last one found where the limit cut the look off, else behind the window.
fn place_after(found: &[i64], limit: i64, after: i64, end: i64) -> Option<i64> {
    let full = i64::try_from(found.len()).unwrap_or(limit) >= limit;
    match found.last() {
        Some(last) if full => Some(*last),
        Some(_) | None => (end > after).then_some(end),
    }
}
