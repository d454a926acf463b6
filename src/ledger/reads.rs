//! What people and programs ask of the ledger, named by the question.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::Fault;
use super::leads::{COLUMNS, lead_of};
use crate::clock::Millis;
use crate::lead::{Lead, Stage};

/// A reading connection; its methods stand in the file of their topic.
pub struct Reads<'c> {
    pub(super) conn: &'c Connection,
}

/// Which leads; every part that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these stages.
    pub stages: Vec<Stage>,
    /// Of this source.
    pub source: Option<String>,
    /// Of this grade.
    pub grade: Option<String>,
    /// Of this pool.
    pub pool: Option<String>,
    /// With this rep.
    pub owner: Option<String>,
    /// Received at or after.
    pub since: Option<Millis>,
    /// Received before.
    pub until: Option<Millis>,
    /// Open, not screened out, and nobody has reached the person yet.
    pub uncontacted: bool,
    /// With or without platforms' test leads.
    pub tests: bool,
    /// Older than this lead: the next page.
    pub before: Option<i64>,
}

/// How many leads stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The stage.
    pub stage: String,
    /// The grade, where one was given.
    pub grade: Option<String>,
    /// How many.
    pub leads: i64,
}

impl<'c> Reads<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { conn }
    }

    /// Everything in `work` sees the same moment, and costs one look at the log instead of one each.
    pub fn at_one_moment<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.conn.prepare_cached("BEGIN")?.execute([])?;
        let result = work(self);
        self.conn.prepare_cached("ROLLBACK")?.execute([])?;
        result
    }

    /// The latest leads of a kind.
    pub fn list(&self, filter: &Filter, limit: i64) -> Result<Vec<Lead>, Fault> {
        let (clause, mut values) = clause(filter);
        values.push(Value::Integer(limit));
        let sql = format!(
            "SELECT {COLUMNS} FROM leads l WHERE {clause} ORDER BY l.seq DESC LIMIT ?{}",
            values.len()
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut leads = Vec::new();
        while let Some(row) = rows.next()? {
            leads.push(lead_of(row)?);
        }
        Ok(leads)
    }

    /// How many leads stand in each stage, by grade; test leads aside.
    pub fn counts(&self) -> Result<Vec<Count>, Fault> {
        let sql = "SELECT stage, grade, count(*) FROM leads WHERE is_test = 0
                   GROUP BY stage, grade ORDER BY stage, grade";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Count {
                stage: row.get(0)?,
                grade: row.get(1)?,
                leads: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Milliseconds from receipt to the first delivered notice, of the latest leads.
    pub fn speeds_to_rep(&self, limit: i64) -> Result<Vec<i64>, Fault> {
        let sql = "SELECT min(a.started_at + coalesce(a.took_ms, 0)) - l.received_at
                   FROM deliveries d JOIN attempts a ON a.delivery_id = d.id
                   JOIN leads l ON l.seq = d.lead_id
                   WHERE d.id > (SELECT coalesce(max(id), 0) - ?1 FROM deliveries)
                     AND d.state = 'sent' GROUP BY d.lead_id";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([limit], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn clause(filter: &Filter) -> (String, Vec<Value>) {
    let mut parts: Vec<String> = vec!["1 = 1".into()];
    let mut values: Vec<Value> = Vec::new();
    let mut stages = filter.stages.clone();
    if filter.uncontacted {
        stages = vec![
            Stage::Fetching,
            Stage::Waiting,
            Stage::Offered,
            Stage::Claimed,
            Stage::Held,
        ];
    }
    if !stages.is_empty() {
        let mut places = Vec::new();
        for stage in stages {
            values.push(Value::Text(stage.as_str().into()));
            places.push(format!("?{}", values.len()));
        }
        parts.push(format!("l.stage IN ({})", places.join(", ")));
    }
    let texts = [
        ("l.source =", &filter.source),
        ("l.grade =", &filter.grade),
        ("l.pool =", &filter.pool),
        ("l.owner =", &filter.owner),
    ];
    for (left, value) in texts {
        if let Some(value) = value {
            values.push(Value::Text(value.clone()));
            parts.push(format!("{left} ?{}", values.len()));
        }
    }
    let numbers = [
        ("l.received_at >=", filter.since),
        ("l.received_at <", filter.until),
        ("l.seq <", filter.before),
    ];
    for (left, value) in numbers {
        if let Some(value) = value {
            values.push(Value::Integer(value));
            parts.push(format!("{left} ?{}", values.len()));
        }
    }
    if !filter.tests {
        parts.push("l.is_test = 0".into());
    }
    (parts.join(" AND "), values)
}
