//! Taking a lead's personal data away, by a person's wish or because its time is over. The row stays,
//! with source, times, stage, grade and history, so that the figures stay; `secure_delete` overwrites
//! what is freed.

use rusqlite::{OptionalExtension, params};

use super::receive::{LEADS_MAX, pack, unpack};
use super::sieve::short;
use super::{Fault, PersonKey, Reads, Standing, Tx};
use crate::clock::Millis;
use crate::lead::{Actor, Attribution, Event, HoldCause, Lead, LeadId, Outcome, Stage};

/// What is searched when a person is looked for.
#[derive(Clone, Debug)]
pub struct Content {
    /// The key inside.
    pub seq: i64,
    /// The name outside.
    pub id: LeadId,
    /// The submission that it came in.
    pub submission: i64,
    /// Who and what, as JSON; `{}` where the submission could not be read.
    pub fields: String,
    /// Everything else that a source or a person may have written, as text.
    pub rest: String,
}

impl Tx<'_> {
    /// Takes away what came in with a lead and what was made of it; `kept` is what stays of its
    /// attribution. Refuses where another lead of the submission may still have to be read from it.
    pub fn forget(
        &self,
        lead: &Lead,
        kept: &Attribution,
        persons: &[PersonKey],
        at: Millis,
    ) -> Result<(), Fault> {
        let mut submissions = vec![lead.submission];
        for recorded in self.history(lead.seq)? {
            if let Event::Conflict { submission } = recorded.event {
                submissions.push(submission);
            }
        }
        // All of them before anything goes: who is refused loses nothing.
        for submission in &submissions {
            if let Some(other) = self.unread_in(*submission, Some(lead.seq))? {
                return Err(Fault::Refused(format!(
                    "lead {} came in one submission with lead {other}, which could not be read yet and \
                     would be lost; mend its source and rescreen it, or reject it, first",
                    lead.id
                )));
            }
        }
        self.reword(lead.seq, Event::without_free_words)?;
        for submission in submissions {
            self.blank_submission(submission)?;
        }
        let sql = "UPDATE leads SET fields = '{}', attribution = ?2, consent = '[]', signals = '{}'
                   WHERE seq = ?1";
        let kept = serde_json::to_string(kept)?;
        self.conn
            .prepare_cached(sql)?
            .execute(params![lead.seq, kept])?;
        for sql in [
            "DELETE FROM facts WHERE lead_id = ?1",
            "DELETE FROM fetched WHERE lead_id = ?1",
        ] {
            self.conn.prepare_cached(sql)?.execute([lead.seq])?;
        }
        let sql = "DELETE FROM persons WHERE key = ?1 AND seq = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        for key in persons {
            statement.execute(params![short(key).to_be_bytes(), lead.seq])?;
        }
        let sql = "INSERT INTO forgotten (lead_id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.conn
            .prepare_cached(sql)?
            .execute(params![lead.seq, at])?;
        Ok(())
    }

    /// Takes away a submission as it came; what its leads say stays.
    pub fn blank_submission(&self, id: i64) -> Result<(), Fault> {
        let sql = "UPDATE submissions SET headers = '[]', query = '', raw = x'' WHERE id = ?1";
        self.conn.prepare_cached(sql)?.execute([id])?;
        Ok(())
    }

    /// Takes away what was fetched for the leads of a submission, as far as it was read.
    pub fn drop_fetched(&self, submission: i64) -> Result<(), Fault> {
        let sql = "DELETE FROM fetched WHERE lead_id >= ?1 AND lead_id < ?2 AND EXISTS (
                       SELECT 1 FROM leads l WHERE l.seq = lead_id
                         AND l.stage NOT IN ('fetching', 'received')
                         AND coalesce(l.hold_cause, '') <> 'unreadable')";
        let args = params![submission * LEADS_MAX, (submission + 1) * LEADS_MAX];
        self.conn.prepare_cached(sql)?.execute(args)?;
        Ok(())
    }

    /// A lead of a submission, other than `besides`, that may have to be read from it once more.
    pub fn unread_in(&self, id: i64, besides: Option<i64>) -> Result<Option<LeadId>, Fault> {
        let sql = "SELECT leads FROM submissions WHERE id = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let packed: Option<Vec<u8>> = statement.query_row([id], |row| row.get(0)).optional()?;
        // What was fetched is read from there, and what is to be fetched needs its id only.
        let sql = "SELECT stage, hold_cause, fields = '{}' FROM leads l WHERE seq = ?1
                     AND NOT EXISTS (SELECT 1 FROM fetched f WHERE f.lead_id = l.seq)";
        let mut statement = self.conn.prepare_cached(sql)?;
        for (_, seq, name) in unpack(&packed.unwrap_or_default()) {
            if besides == Some(seq) {
                continue;
            }
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let found: Option<(String, Option<String>, bool)> =
                statement.query_row([seq], read).optional()?;
            let Some((stage, cause, is_empty)) = found else {
                continue;
            };
            let unreadable =
                cause.as_deref().and_then(HoldCause::parse) == Some(HoldCause::Unreadable);
            let waits = match Stage::parse(&stage) {
                Some(Stage::Held) => unreadable,
                Some(Stage::Received) => is_empty,
                Some(_) | None => false,
            };
            if waits {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Cancels every notice of a lead that is not on its way out yet, and everything to be done.
    pub fn drop_everything_due(&self, lead: i64) -> Result<(), Fault> {
        let sql = "UPDATE deliveries SET state = 'cancelled'
                   WHERE lead_id = ?1 AND state IN ('pending', 'retry', 'sending', 'dead')";
        self.conn.prepare_cached(sql)?.execute([lead])?;
        let sql = "DELETE FROM work WHERE lead_id = ?1";
        self.conn.prepare_cached(sql)?.execute([lead])?;
        Ok(())
    }

    /// Notes that persons were erased.
    pub fn suppress(&self, persons: &[PersonKey], since: Millis) -> Result<(), Fault> {
        let sql = "INSERT INTO suppressions (key, since, why) VALUES (?1, ?2, 'erased')
                   ON CONFLICT (key) DO UPDATE SET since = excluded.since";
        let mut statement = self.conn.prepare_cached(sql)?;
        for key in persons {
            statement.execute(params![key, since])?;
        }
        Ok(())
    }

    /// Takes a lead out of the index of persons without knowing who it was: reads the whole index.
    pub fn unlist(&self, lead: i64) -> Result<(), Fault> {
        self.conn
            .prepare_cached("DELETE FROM persons WHERE seq = ?1")?
            .execute([lead])?;
        Ok(())
    }

    /// Writes a lead that is still to be decided as erased, and takes its submission away, so that it is
    /// never decided. `false` where the submission holds other leads, or there is none.
    pub fn erase_undecided(&self, name: LeadId, at: Millis) -> Result<bool, Fault> {
        let sql = "SELECT id, source, received_at, leads FROM submissions WHERE id > coalesce(
                       (SELECT value FROM meta WHERE key = 'decided_upto'), 0)
                     AND instr(leads, ?1) > 0";
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let mut statement = self.conn.prepare_cached(sql)?;
        let found: Option<(i64, String, Millis, Vec<u8>)> = statement
            .query_row([name.0.into_bytes()], read)
            .optional()?;
        let Some((id, source, received_at, packed)) = found else {
            return Ok(false);
        };
        let [(Standing::New, seq, lead)] = unpack(&packed)[..] else {
            return Ok(false);
        };
        self.blank_submission(id)?;
        let sql = "UPDATE submissions SET leads = ?2 WHERE id = ?1";
        let known = pack(&[(Standing::Repeat, seq, lead)]);
        self.conn.prepare_cached(sql)?.execute(params![id, known])?;
        let sql = "INSERT INTO leads (seq, id, submission_id, source, stage, version, is_test,
                       received_at, fields, attribution, consent, signals, points)
                   VALUES (?1, ?2, ?3, ?4, 'erased', 1, 0, ?5, '{}', '{}', '[]', '{}', 0)";
        let args = params![seq, lead.0.into_bytes(), id, source, received_at];
        self.conn.prepare_cached(sql)?.execute(args)?;
        let sql = "INSERT INTO forgotten (lead_id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.conn.prepare_cached(sql)?.execute(params![seq, at])?;
        self.append(seq, (&Actor::Leadgate, &Event::Received, None), received_at)?;
        let erased = Event::Closed {
            outcome: Outcome::Erased,
            value: None,
            currency: None,
            why: None,
        };
        self.append(seq, (&Actor::Leadgate, &erased, None), at)?;
        Ok(true)
    }

    pub(super) fn is_erased(&self, lead: i64) -> Result<bool, Fault> {
        let sql = "SELECT count(*) FROM leads WHERE seq = ?1 AND stage = 'erased'";
        let mut statement = self.conn.prepare_cached(sql)?;
        let n: i64 = statement.query_row([lead], |row| row.get(0))?;
        Ok(n > 0)
    }

    /// Whether a lead's personal data was taken away.
    pub fn is_forgotten(&self, lead: i64) -> Result<bool, Fault> {
        Ok(Reads::new(self.conn).forgotten_at(lead)?.is_some())
    }
}

impl Reads<'_> {
    /// When a lead's personal data was taken away.
    pub fn forgotten_at(&self, lead: i64) -> Result<Option<Millis>, Fault> {
        let sql = "SELECT at FROM forgotten WHERE lead_id = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([lead], |row| row.get(0)).optional()?)
    }

    /// The end of the list of leads whose personal data was taken away.
    pub fn forgotten_upto(&self) -> Result<i64, Fault> {
        let sql = "SELECT coalesce(max(n), 0) FROM forgotten";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// That list behind a place: place and lead.
    pub fn forgotten_after(&self, n: i64, limit: i64) -> Result<Vec<(i64, i64)>, Fault> {
        let sql = "SELECT n, lead_id FROM forgotten WHERE n > ?1 ORDER BY n LIMIT ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([n, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Number of the notice and name of the lead, of every notice that a lead ever had.
    pub fn notices_of(&self, leads: &[i64]) -> Result<Vec<(i64, LeadId)>, Fault> {
        let sql = "SELECT d.id, l.id FROM deliveries d JOIN leads l ON l.seq = d.lead_id
                   WHERE d.lead_id = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut notices = Vec::new();
        for lead in leads {
            let mut rows = statement.query([lead])?;
            while let Some(row) = rows.next()? {
                let name = LeadId(uuid::Uuid::from_bytes(row.get(1)?));
                notices.push((row.get(0)?, name));
            }
        }
        Ok(notices)
    }

    /// When somebody was erased; the latest of these keys.
    pub fn suppressed_since(&self, persons: &[PersonKey]) -> Result<Option<Millis>, Fault> {
        let sql = "SELECT since FROM suppressions WHERE key = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut latest = None;
        for key in persons {
            let since: Option<Millis> = statement.query_row([key], |row| row.get(0)).optional()?;
            latest = latest.max(since);
        }
        Ok(latest)
    }

    /// What leads behind `after` say, those aside whose personal data is gone.
    pub fn contents_after(&self, after: i64, limit: i64) -> Result<(Vec<Content>, i64), Fault> {
        let sql =
            "SELECT seq, id, submission_id, fields, attribution, consent, coalesce(reason, ''),
                       EXISTS (SELECT 1 FROM forgotten f WHERE f.lead_id = l.seq)
                   FROM leads l WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([after, limit])?;
        let (mut contents, mut last) = (Vec::new(), after);
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            let is_forgotten: bool = row.get(7)?;
            if is_forgotten {
                continue;
            }
            let text = |at: usize| row.get_ref(at)?.as_str().map_err(rusqlite::Error::from);
            contents.push(Content {
                seq: last,
                id: LeadId(uuid::Uuid::from_bytes(row.get(1)?)),
                submission: row.get(2)?,
                fields: row.get(3)?,
                rest: [text(4)?, text(5)?, text(6)?].join("\n"),
            });
        }
        Ok((contents, last))
    }

    /// Every submission that a lead came in: its own, and those that came again with other content.
    pub fn submissions_of(&self, lead: &Lead) -> Result<Vec<i64>, Fault> {
        let mut submissions = vec![lead.submission];
        for (recorded, _) in self.history(lead.seq)? {
            if let Event::Conflict { submission } = recorded.event {
                submissions.push(submission);
            }
        }
        Ok(submissions)
    }

    /// The last submission that is on disk, decided or not.
    pub fn received_upto(&self) -> Result<i64, Fault> {
        let sql = "SELECT coalesce(max(id), 0) FROM submissions";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// How many submissions are on disk and not decided.
    pub fn undecided_count(&self) -> Result<i64, Fault> {
        let sql = "SELECT count(*) FROM submissions WHERE id > coalesce(
                       (SELECT value FROM meta WHERE key = 'decided_upto'), 0)";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::{Headers, Key, Submission};
    use crate::ledger::{Ledger, Settings, upkeep};

    fn submission(names: &[u8]) -> Submission {
        let keys = names.iter().map(|name| Key {
            key: [*name; 16],
            body_hash: [0; 16],
            until: None,
            lead: LeadId(uuid::Uuid::from_bytes([*name; 16])),
        });
        Submission {
            source: "form".into(),
            received_at: 1,
            headers: Headers::default(),
            query: String::new(),
            raw: b"e=ana@muster.example".to_vec(),
            keys: keys.collect(),
        }
    }

    #[test]
    fn who_is_erased_before_they_are_decided_never_is_unless_others_would_be_lost() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().to_owned();
        let settings = Settings {
            data_dir: data_dir.clone(),
            ..Settings::default()
        };
        let ledger = Ledger::serve(&settings).unwrap();
        for names in [&[1][..], &[2, 3]] {
            let submission = submission(names);
            ledger
                .write_blocking(move |tx| tx.receive(&submission))
                .unwrap();
        }
        for (name, wanted) in [(1, true), (2, false), (9, false)] {
            let id = LeadId(uuid::Uuid::from_bytes([name; 16]));
            let done = ledger.write_blocking(move |tx| tx.erase_undecided(id, 5));
            assert_eq!(done.unwrap(), wanted, "{name}");
        }
        let found = ledger.read(|r| r.undecided(0, 10)).unwrap();
        let raws: Vec<usize> = found.iter().map(|u| u.submission.raw.len()).collect();
        assert_eq!(raws, [0, 20]);
        assert_eq!(
            found[0].leads[0].0,
            Standing::Repeat,
            "it is not decided again"
        );
        let again = submission(&[1]);
        let stored = ledger.write_blocking(move |tx| tx.receive(&again)).unwrap();
        assert_eq!(stored.submission, 0, "a replay is not kept");
        ledger.close();
        drop(ledger);
        // As a crash leaves it that came before the index had the key.
        let conn = rusqlite::Connection::open(crate::ledger::path_in(&data_dir)).unwrap();
        let unindexed = "DELETE FROM keys; UPDATE meta SET value = 0 WHERE key = 'keys_upto'";
        conn.execute_batch(unindexed).unwrap();
        drop(conn);
        let ledger = Ledger::serve(&settings).unwrap();
        let again = submission(&[1]);
        let stored = ledger.write_blocking(move |tx| tx.receive(&again)).unwrap();
        assert_eq!(stored.submission, 0, "nor after a crash");
        ledger.close();
        let report = upkeep::verify(&data_dir).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }
}
