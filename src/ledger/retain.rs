//! What is old enough to go: found by reading in small windows, so that neither the writer nor memory
//! notices a ledger of millions.

use rusqlite::params;

use super::receive::LEADS_MAX;
use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::Stage;

/// A bounded look: what was found, and where the next one begins; `None` at the end.
pub type Window<T, P> = (Vec<T>, Option<P>);
/// Where a key stands: source and key.
pub type KeyPlace = (String, Vec<u8>);

impl Reads<'_> {
    /// Decided submissions behind `after` that arrived before `before` and are still there as they
    /// came.
    pub fn old_submissions(
        &self,
        after: i64,
        before: Millis,
        (window, limit): (i64, i64),
    ) -> Result<Window<i64, i64>, Fault> {
        let end = (after + window).min(self.decided_upto()?);
        let sql = "SELECT id FROM submissions WHERE id > ?1 AND id <= ?2 AND received_at < ?3
                     AND (length(raw) > 0 OR query <> '' OR headers <> '[]') ORDER BY id LIMIT ?4";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, end, before, limit], |row| row.get(0))?;
        let found: Vec<i64> = rows.collect::<Result<_, _>>()?;
        let next = place_after(&found, limit, after, end);
        Ok((found, next))
    }

    /// Leads behind `after` in one of these stages whose last event was before the time given with the
    /// stage, and whose personal data is still there.
    pub fn old_leads(
        &self,
        after: i64,
        classes: &[(Stage, Millis)],
        (window, limit): (i64, i64),
    ) -> Result<Window<i64, i64>, Fault> {
        let upto = (self.decided_upto()? + 1) * LEADS_MAX;
        let end = (after + window * LEADS_MAX).min(upto);
        // The window is walked once; that leads are not looked up by stage keeps the index small.
        let sql = "SELECT seq, stage, (SELECT max(at) FROM events e WHERE e.lead_id = l.seq)
                   FROM leads l WHERE seq > ?1 AND seq <= ?2 AND received_at < ?3
                     AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.lead_id = l.seq)
                   ORDER BY seq";
        let latest = classes.iter().map(|(_, before)| *before).max();
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![after, end, latest.unwrap_or(0)])?;
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

    /// Keys behind a place that no longer make a repeat since `before`.
    pub fn expired_keys(
        &self,
        (source, key): &KeyPlace,
        before: Millis,
        (window, limit): (i64, usize),
    ) -> Result<Window<KeyPlace, KeyPlace>, Fault> {
        let sql = "SELECT source, key, until FROM keys WHERE (source, key) > (?1, ?2)
                   ORDER BY source, key LIMIT ?3";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params![source, key, window])?;
        let (mut found, mut last): (Vec<KeyPlace>, _) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            let place: KeyPlace = (row.get(0)?, row.get(1)?);
            let until: Option<Millis> = row.get(2)?;
            if until.is_some_and(|until| until < before) {
                found.push(place.clone());
            }
            last = Some(place);
            if found.len() >= limit {
                break;
            }
        }
        Ok((found, last))
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

    /// Removes keys that no longer make a repeat.
    pub fn drop_expired_keys(&self, keys: &[KeyPlace], before: Millis) -> Result<(), Fault> {
        let sql = "DELETE FROM keys WHERE source = ?1 AND key = ?2 AND until < ?3";
        let mut statement = self.conn.prepare_cached(sql)?;
        for (source, key) in keys {
            statement.execute(params![source, key, before])?;
        }
        Ok(())
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
