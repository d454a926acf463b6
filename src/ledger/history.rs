//! The append-only history of each lead.

use rusqlite::params;

use super::{Fault, Reads, Tx};
use crate::clock::Millis;
use crate::lead::{Actor, Event, Phrase, Recorded};

/// The forms of `events.data`, in `events.v`: one event,
const ONE: i64 = 1;
/// or several, `[at, event]` each, that a new lead begins with: one row is cheaper than three. The
/// row's number, time and kind are those of its last.
const SEVERAL: i64 = 2;

/// What a new lead's history begins with, made ready to be written.
pub struct Opening {
    data: String,
    last: (i64, Millis, &'static str),
}

impl Opening {
    /// Of events in their order; the actor is leadgate.
    pub fn of(events: &[(Millis, Event)]) -> Result<Self, Fault> {
        let last = events
            .last()
            .ok_or_else(|| Fault::Store("a history of nothing".into()))?;
        Ok(Self {
            data: serde_json::to_string(events)?,
            last: (number(events.len()), last.0, last.1.kind()),
        })
    }
}

/// A row of `events`.
struct Row {
    seq: i64,
    at: Millis,
    actor: Actor,
    v: i64,
    policy: Option<i64>,
    data: String,
}

impl Row {
    /// In their order, each with its number and time.
    fn events(&self) -> Result<Vec<(i64, Millis, Event)>, Fault> {
        if self.v != SEVERAL {
            return Ok(vec![(self.seq, self.at, serde_json::from_str(&self.data)?)]);
        }
        let events: Vec<(Millis, Event)> = serde_json::from_str(&self.data)?;
        let first = self.seq - number(events.len()) + 1;
        let numbered = (first..).zip(events);
        Ok(numbered
            .map(|(seq, (at, event))| (seq, at, event))
            .collect())
    }
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

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

    fn insert_event(
        &self,
        (lead, seq, at): (i64, i64, Millis),
        actor: &Actor,
        event: &Event,
        policy: Option<i64>,
    ) -> Result<(), Fault> {
        let data = serde_json::to_string(event)?;
        let row = (actor.to_string(), event.kind(), ONE, policy, data.as_str());
        self.insert_row((lead, seq, at), &row)
    }

    /// Begins a lead's history; returns the number of its last event.
    pub(super) fn open(&self, lead: i64, opening: &Opening, policy: i64) -> Result<i64, Fault> {
        let (seq, at, kind) = opening.last;
        let actor = Actor::Leadgate.to_string();
        let row = (actor, kind, SEVERAL, Some(policy), opening.data.as_str());
        self.insert_row((lead, seq, at), &row)?;
        Ok(seq)
    }

    fn insert_row(
        &self,
        (lead, seq, at): (i64, i64, Millis),
        (actor, kind, v, policy, data): &(String, &str, i64, Option<i64>, &str),
    ) -> Result<(), Fault> {
        let sql = "INSERT INTO events (lead_id, seq, at, actor, kind, v, policy, data)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let args = params![lead, seq, at, actor, kind, v, policy, data];
        self.run(sql, args)?;
        Ok(())
    }

    /// Writes events of a lead in other words, where `word` finds others.
    pub(super) fn reword(
        &self,
        lead: i64,
        word: impl Fn(&Event, &Actor) -> Event,
    ) -> Result<(), Fault> {
        for row in Reads::new(self.conn).rows(lead)? {
            let events = row.events()?;
            let events: Vec<(Millis, Event)> = events
                .into_iter()
                .map(|(_, at, event)| (at, word(&event, &row.actor)))
                .collect();
            let data = match events.as_slice() {
                [(_, event)] if row.v != SEVERAL => serde_json::to_string(event)?,
                events => serde_json::to_string(events)?,
            };
            if data != row.data {
                let sql = "UPDATE events SET data = ?3 WHERE lead_id = ?1 AND seq = ?2";
                let args = params![lead, row.seq, data];
                self.conn.prepare_cached(sql)?.execute(args)?;
            }
        }
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
        let mut history = Vec::new();
        for row in self.rows(lead)? {
            for (seq, at, event) in row.events()? {
                let actor = row.actor.clone();
                let recorded = Recorded {
                    seq,
                    at,
                    actor,
                    event,
                };
                history.push((recorded, row.policy));
            }
        }
        Ok(history)
    }

    fn rows(&self, lead: i64) -> Result<Vec<Row>, Fault> {
        let sql = "SELECT seq, at, actor, v, policy, data FROM events WHERE lead_id = ?1
                   ORDER BY seq";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([lead], |row| {
            Ok(Row {
                seq: row.get(0)?,
                at: row.get(1)?,
                actor: Actor::parse(&row.get::<_, String>(2)?),
                v: row.get(3)?,
                policy: row.get(4)?,
                data: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
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
