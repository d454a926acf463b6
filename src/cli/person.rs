//! `leadgate leads export --person`: everything that is held of a person, for somebody who asks.

use serde_json::{Map, Value, json};

use super::{Failed, json, show};
use crate::clock::{Clock, iso};
use crate::config::Config;
use crate::flow::erase::{self, Person};
use crate::ledger::{Ledger, Reads, Undecided};
use crate::secret::{self, HashKey};

pub(super) fn run(config: &Config, ledger: &Ledger, who: &str) -> Result<(), Failed> {
    let person = Person::by_email(who).or_else(|| Person::by_phone(who));
    let person = person.ok_or_else(|| {
        let wanted = "an address like ana@example.com or a number like +4930901820";
        Failed::Refused(format!("--person takes {wanted}"))
    })?;
    let found = erase::find(ledger, &person)?;
    let key = super::key(config)?;
    let keys = key.map(|key| person.keys(&HashKey::new(&key)));
    let keys = keys.unwrap_or_default();
    let erased_since = ledger.read(|r| r.suppressed_since(&keys))?;
    if found.theirs.is_empty() && erased_since.is_none() {
        return Err(Failed::Refused("nothing is held of this person".into()));
    }
    let mut leads = Vec::new();
    for seq in &found.theirs {
        leads.push(lead(ledger, *seq)?);
    }
    let undecided = ledger.read(|r: &Reads<'_>| r.undecided_count())?;
    super::print_json(&json!({
        "about": "Everything that leadgate holds of one person. Times are UTC.",
        "asked_for": who,
        "made_at": iso(Clock::system().now()),
        "leads": leads,
        "earlier_data_erased_at": erased_since.map(iso),
        "keyed_hashes": keys.iter().map(|key| secret::hex(key)).collect::<Vec<_>>(),
        "perhaps_also_theirs": found.others,
        "not_looked_at": match undecided {
            0 => Value::Null,
            n => json!(format!("{n} submissions that are not decided yet")),
        },
    }))
}

fn lead(ledger: &Ledger, seq: i64) -> Result<Value, Failed> {
    let whole = show::read(ledger, seq)?;
    let submissions = ledger.read(|r| {
        let mut found = Vec::new();
        for id in r.submissions_of(&whole.lead)? {
            found.extend(r.submission(id)?);
        }
        Ok(found)
    })?;
    let mut value = json::whole(&whole);
    if let Some(map) = value.as_object_mut() {
        let came_in = submissions.iter().map(submission).collect();
        map.insert("as_it_came".into(), Value::Array(came_in));
        let fetched = ledger.read(|r| r.fetched(seq))?;
        let fetched = fetched.map(|raw| String::from_utf8_lossy(&raw).into_owned());
        map.insert("as_it_was_fetched".into(), json!(fetched));
        let signals = serde_json::to_value(&whole.lead.inquiry.signals);
        map.insert("signals".into(), signals.map_err(anyhow::Error::from)?);
    }
    Ok(value)
}

/// A submission that holds other persons' leads as well is not shown.
fn submission(undecided: &Undecided) -> Value {
    let submission = &undecided.submission;
    let mut shown = Map::new();
    shown.insert("source".into(), json!(submission.source));
    shown.insert("received_at".into(), json!(iso(submission.received_at)));
    if undecided.leads.len() > 1 {
        let n = undecided.leads.len();
        let why = format!("not shown: it holds {n} leads, of other persons too");
        shown.insert("body".into(), json!(why));
        return Value::Object(shown);
    }
    let headers = submission.headers.0.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    shown.insert("headers".into(), json!(headers));
    shown.insert("query".into(), json!(submission.query));
    let body = String::from_utf8_lossy(&submission.raw);
    shown.insert("body".into(), json!(body));
    Value::Object(shown)
}
