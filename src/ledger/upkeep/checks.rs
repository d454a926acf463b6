//! What must hold in every ledger at every moment: the file is sound, rows point at rows, and every
//! lead has an owner, a reason or a next time.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::ledger::receive::{LEADS_MAX, unpack};
use crate::ledger::{Fault, Standing, db};

/// How much a ledger holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Submissions.
    pub submissions: i64,
    /// Submissions that are on disk and not decided yet.
    pub undecided: i64,
    /// Leads.
    pub leads: i64,
    /// Events of their histories.
    pub events: i64,
    /// Notices.
    pub deliveries: i64,
    /// Things still to be done.
    pub work: i64,
}

/// What a look at a ledger found.
pub(super) struct Found {
    pub(super) schema: i64,
    pub(super) counts: Counts,
    pub(super) problems: Vec<String>,
}

/// What is wrong, and which rows are: a lead's id in hexadecimal, or a number.
const RULES: &[(&str, &str)] = &[
    (
        "leads without the submission that they came in",
        "SELECT hex(id) FROM leads l
         WHERE NOT EXISTS (SELECT 1 FROM submissions s WHERE s.id = l.submission_id)",
    ),
    (
        "leads that are not counted from their submission",
        "SELECT hex(id) FROM leads WHERE seq / 1024 <> submission_id",
    ),
    (
        "leads behind the watermark of what is decided",
        // Who was erased before they were decided has a lead all the same.
        "SELECT hex(id) FROM leads WHERE stage <> 'erased' AND submission_id > coalesce(
             (SELECT value FROM meta WHERE key = 'decided_upto'), 0)",
    ),
    (
        "leads without a history",
        "SELECT hex(id) FROM leads l
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.lead_id = l.seq)",
    ),
    (
        "leads of a policy that is not there",
        "SELECT hex(id) FROM leads l WHERE policy IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM policies p WHERE p.id = l.policy)",
    ),
    (
        "leads in a stage that does not exist",
        "SELECT hex(id) FROM leads WHERE stage NOT IN ('fetching', 'received', 'rejected', 'held',
             'waiting', 'offered', 'claimed', 'contacted', 'won', 'lost', 'invalid', 'no_response',
             'test', 'erased')",
    ),
    (
        "leads that are rejected or held without a reason",
        "SELECT hex(id) FROM leads WHERE stage IN ('rejected', 'held') AND coalesce(reason, '') = ''",
    ),
    (
        "leads that are held without an alarm time",
        "SELECT hex(id) FROM leads l WHERE stage = 'held' AND NOT EXISTS (
             SELECT 1 FROM work w WHERE w.lead_id = l.seq AND w.kind = 'alarm')",
    ),
    (
        "leads that wait without a next time",
        "SELECT hex(id) FROM leads l WHERE stage = 'waiting' AND NOT EXISTS (
             SELECT 1 FROM work w WHERE w.lead_id = l.seq AND w.kind = 'assign')",
    ),
    (
        "leads to be fetched or screened without a next time",
        "SELECT hex(id) FROM leads l WHERE stage IN ('fetching', 'received') AND NOT EXISTS (
             SELECT 1 FROM work w WHERE w.lead_id = l.seq AND w.kind IN ('fetch', 'decide'))",
    ),
    (
        "leads with a rep that no rep has",
        "SELECT hex(id) FROM leads l WHERE stage IN ('offered', 'claimed', 'contacted')
           AND NOT EXISTS (SELECT 1 FROM assignments a WHERE a.lead_id = l.seq
                           AND a.closed_at IS NULL AND a.rep = l.owner)",
    ),
    (
        "leads that a rep still has though they are not with a rep",
        "SELECT hex(id) FROM leads l WHERE stage NOT IN ('offered', 'claimed', 'contacted')
           AND EXISTS (SELECT 1 FROM assignments a WHERE a.lead_id = l.seq
                       AND a.closed_at IS NULL)",
    ),
    (
        "events without their lead",
        "SELECT lead_id FROM events e WHERE NOT EXISTS (
             SELECT 1 FROM leads l WHERE l.seq = e.lead_id) AND e.seq = (
             SELECT min(seq) FROM events f WHERE f.lead_id = e.lead_id)",
    ),
    (
        "facts, assignments or work without their lead",
        "SELECT lead_id FROM (SELECT lead_id FROM facts UNION ALL SELECT lead_id FROM assignments
             UNION ALL SELECT lead_id FROM work) o
         WHERE NOT EXISTS (SELECT 1 FROM leads l WHERE l.seq = o.lead_id)",
    ),
    (
        "notices without their assignment",
        "SELECT id FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM assignments a
             WHERE a.lead_id = d.lead_id AND a.seq = d.assignment_seq)",
    ),
    (
        "attempts without their notice",
        "SELECT delivery_id FROM attempts a WHERE NOT EXISTS (
             SELECT 1 FROM deliveries d WHERE d.id = a.delivery_id)",
    ),
    (
        "notices still to be sent without a next time",
        "SELECT id FROM deliveries d WHERE state IN ('pending', 'retry', 'sending') AND NOT EXISTS (
             SELECT 1 FROM work w WHERE w.lead_id = d.lead_id AND w.ref = d.id
                AND w.kind IN ('mail', 'hook'))",
    ),
    (
        "keys that point at no lead, or at one that has another",
        "SELECT lead_id FROM keys k WHERE lead_id / 1024 <= coalesce(
             (SELECT value FROM meta WHERE key = 'decided_upto'), 0)
           AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.seq = k.lead_id)
         UNION ALL SELECT lead_id FROM keys k WHERE NOT EXISTS (
             SELECT 1 FROM submissions s WHERE s.id = k.lead_id / 1024
               AND substr(s.keys, k.lead_id % 1024 * 40 + 1, 8) = k.key)",
    ),
    (
        "watermarks beyond what is there",
        "SELECT value FROM meta WHERE
            (key IN ('decided_upto', 'keys_upto', 'keys_dropped_upto')
              AND value > (SELECT coalesce(max(id), 0) FROM submissions))
         OR (key = 'persons_upto' AND value >= (SELECT coalesce(max(id), 0) + 1 FROM submissions) * 1024)",
    ),
];

/// Looks at everything. Reads one moment of a ledger that is being written.
pub(super) fn check(conn: &Connection) -> Result<Found, Fault> {
    let schema: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = db::sqlite::schema();
    if !(1..=known).contains(&schema) {
        return Err(Fault::Refused(format!(
            "it is no ledger that this release knows: its schema is {schema}, known is 1 to {known}"
        )));
    }
    let mut problems = Vec::new();
    let mut statement = conn.prepare("PRAGMA integrity_check(10)")?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    for line in lines {
        let line = line?;
        if line != "ok" {
            problems.push(format!("the file is damaged: {line}"));
        }
    }
    // In a damaged file nothing else means anything.
    if problems.is_empty() {
        for (what, sql) in RULES {
            problems.extend(broken(conn, what, sql)?);
        }
        problems.extend(undecided_as_decided(conn)?);
    }
    Ok(Found {
        schema,
        counts: counts(conn)?,
        problems,
    })
}

fn broken(conn: &Connection, what: &str, sql: &str) -> Result<Option<String>, Fault> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut n, mut first) = (0_u64, String::new());
    while let Some(row) = rows.next()? {
        if n == 0 {
            first = match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                rusqlite::types::ValueRef::Text(text) => {
                    String::from_utf8_lossy(text).to_lowercase()
                }
                rusqlite::types::ValueRef::Null
                | rusqlite::types::ValueRef::Real(_)
                | rusqlite::types::ValueRef::Blob(_) => String::new(),
            };
        }
        n += 1;
    }
    Ok((n > 0).then(|| format!("{n} {what}; the first: {first}")))
}

/// Submissions below the watermark whose leads are not there: acknowledged and lost.
fn undecided_as_decided(conn: &Connection) -> Result<Option<String>, Fault> {
    let sql = "SELECT id, leads FROM submissions WHERE id <= coalesce(
                   (SELECT value FROM meta WHERE key = 'decided_upto'), 0)";
    let mut statement = conn.prepare(sql)?;
    let mut there = conn.prepare("SELECT 1 FROM leads WHERE seq = ?1 AND id = ?2")?;
    let mut rows = statement.query([])?;
    let (mut n, mut first) = (0_u64, 0_i64);
    while let Some(row) = rows.next()? {
        let (id, leads): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        for (standing, seq, uuid) in unpack(&leads) {
            if standing != Standing::New || seq / LEADS_MAX != id {
                continue;
            }
            let found = there
                .query_row(params![seq, uuid.0.into_bytes()], |_| Ok(()))
                .optional()?;
            if found.is_none() {
                n += 1;
                first = if n == 1 { id } else { first };
            }
        }
    }
    Ok((n > 0).then(|| {
        format!(
            "{n} leads that were acknowledged are not there; the first came in submission {first}"
        )
    }))
}

fn counts(conn: &Connection) -> Result<Counts, Fault> {
    let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    Ok(Counts {
        submissions: one("SELECT count(*) FROM submissions")?,
        undecided: one("SELECT count(*) FROM submissions WHERE id > coalesce(
                            (SELECT value FROM meta WHERE key = 'decided_upto'), 0)")?,
        leads: one("SELECT count(*) FROM leads")?,
        // A new lead's first ones share a row.
        events: one("SELECT coalesce(sum(iif(v = 2, json_array_length(data), 1)), 0) FROM events")?,
        deliveries: one("SELECT count(*) FROM deliveries")?,
        work: one("SELECT count(*) FROM work")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Ledger, Settings, path_in};

    /// A ledger with one lead that a rep has, and one of a rejected one.
    const SOUND: &str = "
        INSERT INTO policies (id, hash, published_at, phrases, text) VALUES (1, 'h', 0, '[]', '{}');
        INSERT INTO submissions VALUES (1, 'form', 1, '[]', '', x'61',
            x'00000000000000040000000000000000000000000000000001', x'01020304050607080000000000000000000000000000000000000000000000000000000000000000');
        INSERT INTO submissions VALUES (2, 'form', 1, '[]', '', x'61', x'', x'');
        INSERT INTO keys VALUES (x'0102030405060708', 1024);
        INSERT INTO leads (seq, id, submission_id, source, stage, reason, version, is_test, received_at,
            fields, attribution, consent, signals, points, owner, policy)
        VALUES (1024, x'00000000000000000000000000000001', 1, 'form', 'offered', NULL, 1, 0, 1, '{}', '{}', '[]', '{}',
                0, 'ana', 1),
               (2048, x'00000000000000000000000000000002', 2, 'form', 'rejected', 'spam', 1, 0, 1, '{}', '{}', '[]',
                '{}', 0, NULL, 1);
        INSERT INTO events VALUES (1024, 1, 1, 'leadgate', 'received', 1, 1, '{}'),
                                  (2048, 1, 1, 'leadgate', 'received', 1, 1, '{}');
        INSERT INTO assignments VALUES (1024, 1, 'ana', 1, NULL, NULL, NULL);
        INSERT INTO deliveries VALUES (1, 1024, 1, 'email', 'ana', 'pending');
        INSERT INTO work (lead_id, kind, ref, due_at, priority, attempt, version)
        VALUES (1024, 'mail', 1, 1, 0, 0, 1);
        UPDATE meta SET value = 2 WHERE key = 'decided_upto';";

    /// What is done to it, and what is said of that.
    const BREAKS: &[(&str, &str)] = &[
        (
            "DELETE FROM submissions WHERE id = 2",
            "without the submission",
        ),
        (
            "UPDATE leads SET submission_id = 2",
            "not counted from their submission",
        ),
        (
            "UPDATE meta SET value = 1 WHERE key = 'decided_upto'",
            "behind the watermark",
        ),
        (
            "DELETE FROM events WHERE lead_id = 2048",
            "without a history",
        ),
        (
            "UPDATE leads SET policy = 9",
            "of a policy that is not there",
        ),
        (
            "UPDATE leads SET stage = 'lost in thought' WHERE seq = 2048",
            "does not exist",
        ),
        ("UPDATE leads SET reason = NULL", "without a reason"),
        (
            "UPDATE leads SET stage = 'held' WHERE seq = 2048",
            "without an alarm time",
        ),
        (
            "UPDATE leads SET stage = 'waiting' WHERE seq = 2048",
            "wait without a next time",
        ),
        (
            "UPDATE leads SET stage = 'received' WHERE seq = 2048",
            "screened without a next time",
        ),
        (
            "UPDATE leads SET owner = 'ben' WHERE seq = 1024",
            "that no rep has",
        ),
        (
            "UPDATE leads SET stage = 'won' WHERE seq = 1024",
            "a rep still has",
        ),
        (
            "UPDATE events SET lead_id = 9 WHERE lead_id = 2048",
            "events without their lead",
        ),
        (
            "INSERT INTO facts VALUES (9, 1, '{}')",
            "facts, assignments or work",
        ),
        (
            "UPDATE deliveries SET assignment_seq = 2",
            "without their assignment",
        ),
        (
            "INSERT INTO attempts VALUES (9, 1, 1, NULL, NULL)",
            "without their notice",
        ),
        ("DELETE FROM work", "still to be sent without a next time"),
        (
            "UPDATE keys SET key = x'0102030405060709'",
            "point at no lead, or at one that has another",
        ),
        (
            "INSERT INTO keys VALUES (x'0102030405060708', 1025)",
            "point at no lead, or at one that has another",
        ),
        (
            "UPDATE meta SET value = 9 WHERE key = 'decided_upto'",
            "watermarks beyond",
        ),
        (
            "DELETE FROM leads WHERE seq = 1024",
            "acknowledged are not there",
        ),
    ];

    #[test]
    fn a_sound_ledger_has_no_problems_and_every_broken_promise_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().to_owned();
        let settings = Settings {
            data_dir,
            ..Settings::default()
        };
        Ledger::serve(&settings).unwrap().close();
        let conn = Connection::open(path_in(dir.path())).unwrap();
        conn.execute_batch(SOUND).unwrap();
        assert_eq!(check(&conn).unwrap().problems, Vec::<String>::new());
        for (sql, wanted) in BREAKS {
            conn.execute_batch("SAVEPOINT whole").unwrap();
            conn.execute_batch(sql).unwrap();
            let found = check(&conn).unwrap().problems;
            let is_found = found.iter().any(|problem| problem.contains(wanted));
            assert!(is_found, "{sql}: {found:?}");
            conn.execute_batch("ROLLBACK TO whole; RELEASE whole")
                .unwrap();
        }
    }
}
