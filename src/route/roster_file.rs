//! Reads `reps.toml`, with every problem at once. Knows nothing of how leads are dealt.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::hours::{Absence, Hours};
use super::roster::{Member, Pool, Rep, Roster};
use crate::clock::MINUTE;
use crate::document;
use crate::document::{Overrides, Table};
use crate::lead::Email;
use crate::lead::RepId;
use crate::lead::codes;
use crate::problem::Problem;
use crate::problem::nearest;

const COUNT_MAX: i64 = 1_000_000;
const WEIGHT_MAX: i64 = 100;
const CLAIM_MIN_MAX: i64 = 30 * 24 * 60;
const ABSENCES_MAX: usize = 366;
const ID_BYTES_MAX: usize = 64;

/// Reads the whole file.
pub(super) fn parse(file: &str, text: &str, overrides: &Overrides) -> Result<Roster, Vec<Problem>> {
    document::read(file, text, overrides, |root| {
        let reps = root.table("reps");
        let pools = root.table("pools");
        root.done();
        // Names first: a rep whose own lines have a problem is still no unknown rep.
        let names: BTreeSet<String> = reps.keys().into_iter().collect();
        let reps: Vec<_> = read_all(&reps, read_rep);
        let pools: Vec<_> = read_all(&pools, |id, table| read_pool(id, table, &names, &reps));
        Some(Roster::new(reps, pools))
    })
}

fn read_all<T>(parent: &Table<'_>, one: impl Fn(String, &Table<'_>) -> Option<T>) -> Vec<T> {
    let mut all = Vec::new();
    for (id, table) in parent.tables() {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if id.is_empty() || id.len() > ID_BYTES_MAX || !id.chars().all(plain) {
            let wanted = "wanted is a name of letters, digits, `_`, `-` and `.`";
            parent.problem(&id, format!("`{}`: {wanted}", parent.name(&id)));
        }
        if table.is_there() {
            all.extend(one(id, &table));
        }
        table.done();
    }
    all
}

fn read_rep(id: RepId, table: &Table<'_>) -> Option<Rep> {
    let name = table.text("name").filter(|n| !n.trim().is_empty());
    let webhook = table.text("webhook").filter(|name| !name.is_empty());
    // Who has a webhook needs no address; who has neither lacks one.
    let unmailed = webhook.is_some() && !table.has("email");
    let email = if unmailed { None } else { read_email(table) };
    let zone = read_zone(table);
    let hours = read_hours(table);
    let absences = read_absences(table);
    let languages = known_codes(table, &LANGUAGES);
    let countries = known_codes(table, &COUNTRIES);
    let skills = table.texts("skills").unwrap_or_default();
    let per_day = table.int("per_day", 1..=COUNT_MAX);
    let open_max = table.int("open_max", 1..=COUNT_MAX);
    let paused = table.bool("paused").unwrap_or_default();
    let (zone, zone_name) = zone?;
    (unmailed || email.is_some()).then_some(())?;
    Some(Rep {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        email,
        webhook,
        zone,
        zone_name,
        hours: hours?,
        absences,
        languages,
        countries,
        skills,
        per_day,
        open_max,
        paused,
    })
}

fn read_email(table: &Table<'_>) -> Option<String> {
    let text = table.required_text("email")?;
    let address = Email::parse(&text).address;
    if address.is_none() {
        let name = table.name("email");
        table.problem("email", format!("{name} is no e-mail address"));
    }
    address
}

fn read_zone(table: &Table<'_>) -> Option<(TimeZone, String)> {
    let text = table.required_text("zone")?;
    if let Ok(zone) = TimeZone::get(&text)
        && let Some(name) = zone.iana_name().map(str::to_owned)
    {
        return Some((zone, name));
    }
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|n| n.as_str().to_owned())
        .collect();
    let city = text.to_lowercase().replace(' ', "_");
    let by_city = known
        .iter()
        .find(|n| n.to_lowercase().rsplit('/').next() == Some(&city));
    let near = by_city
        .map(String::as_str)
        .or_else(|| nearest(&text, known.iter().map(String::as_str)));
    let hint = match near {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "wanted is a name like \"Europe/Berlin\" or \"America/New_York\"".to_owned(),
    };
    let message = format!("{} is no known time zone: \"{text}\"", table.name("zone"));
    table.problem_hint("zone", message, Some(hint));
    None
}

fn read_hours(table: &Table<'_>) -> Option<Hours> {
    if !table.has("hours") {
        table.missing("hours");
        return None;
    }
    match Hours::parse(&table.texts("hours")?) {
        Ok(hours) => Some(hours),
        Err(mistakes) => {
            for mistake in mistakes {
                table.problem("hours", format!("{}: {mistake}", table.name("hours")));
            }
            None
        }
    }
}

/// `2026-12-24` or `2026-12-24..2027-01-01`, both days included.
fn read_absences(table: &Table<'_>) -> Vec<Absence> {
    let texts = table.texts("absent").unwrap_or_default();
    if texts.len() > ABSENCES_MAX {
        let message = format!(
            "{} has {} entries; at most {ABSENCES_MAX} are read",
            table.name("absent"),
            texts.len()
        );
        table.problem("absent", message);
        return Vec::new();
    }
    let mut absences = Vec::new();
    for text in texts {
        let (first, last) = text.split_once("..").unwrap_or((&text, &text));
        let days: Option<(Date, Date)> = first
            .trim()
            .parse()
            .ok()
            .and_then(|first| Some((first, last.trim().parse().ok()?)));
        match days {
            Some((first, last)) if first <= last => absences.push(Absence { first, last }),
            Some(_) | None => {
                let wanted = "wanted is a day \"2026-12-24\" or days \"2026-12-24..2027-01-01\"";
                let name = table.name("absent");
                table.problem("absent", format!("{name} has \"{text}\"; {wanted}"));
            }
        }
    }
    merged(absences)
}

/// In order, and touching ones made one, so that the first day back is a day back.
fn merged(mut absences: Vec<Absence>) -> Vec<Absence> {
    absences.sort_unstable();
    let mut apart: Vec<Absence> = Vec::new();
    for next in absences {
        match apart.last_mut() {
            Some(open) if open.last.tomorrow().map_or(true, |day| next.first <= day) => {
                open.last = open.last.max(next.last);
            }
            Some(_) | None => apart.push(next),
        }
    }
    apart
}

/// A key that holds codes, and what is known of them.
struct Codes {
    key: &'static str,
    of: &'static str,
    spell: fn(&str) -> String,
    is_known: fn(&str) -> bool,
    /// What is written for another code again and again.
    mistaken: &'static [(&'static str, &'static str)],
    wanted: &'static str,
}

const LANGUAGES: Codes = Codes {
    key: "languages",
    of: "language",
    spell: str::to_lowercase,
    is_known: codes::is_language,
    mistaken: &[
        ("jp", "ja"),
        ("cn", "zh"),
        ("cz", "cs"),
        ("dk", "da"),
        ("gr", "el"),
    ],
    wanted: "wanted are codes of ISO 639-1, such as \"en\" or \"de\"",
};
const COUNTRIES: Codes = Codes {
    key: "countries",
    of: "country",
    spell: str::to_uppercase,
    is_known: codes::is_country,
    mistaken: &[("UK", "GB"), ("EN", "GB"), ("EL", "GR")],
    wanted: "wanted are codes of ISO 3166-1, such as \"GB\" or \"DE\"",
};

/// A code that no lead carries would keep every lead from the rep.
fn known_codes(table: &Table<'_>, codes: &Codes) -> Vec<String> {
    let texts = table.texts(codes.key).unwrap_or_default();
    let spelt: Vec<_> = texts.iter().map(|text| (codes.spell)(text)).collect();
    let name = table.name(codes.key);
    for (text, code) in texts.iter().zip(&spelt) {
        if text.len() != 2 || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
            let message = format!("{name} has \"{text}\"; wanted are codes of two letters");
            table.problem(codes.key, message);
        } else if !(codes.is_known)(code) {
            let meant = codes.mistaken.iter().find(|(wrong, _)| wrong == code);
            let hint = meant.map_or_else(
                || codes.wanted.to_owned(),
                |(_, right)| format!("did you mean \"{right}\"?"),
            );
            let message = format!(
                "{name} has \"{text}\", which is the code of no {}",
                codes.of
            );
            table.problem_hint(codes.key, message, Some(hint));
        }
    }
    spelt
}

fn read_pool(
    id: String,
    table: &Table<'_>,
    names: &BTreeSet<String>,
    reps: &[Rep],
) -> Option<Pool> {
    let members = read_members(table, names);
    let claim_within_min = table.int("claim_within_min", 1..=CLAIM_MIN_MAX);
    let fallback = table.text("fallback").filter(|name| !name.is_empty());
    if let Some(name) = &fallback {
        known(table, "fallback", name, names);
    }
    let pool = Pool {
        id,
        members: members?,
        claim_within_ms: claim_within_min.map(|minutes| minutes * MINUTE),
        fallback,
        match_language: table.bool("match_language").unwrap_or_default(),
        skills: table.texts("skills").unwrap_or_default(),
    };
    check_reachable(table, &pool, reps);
    Some(pool)
}

fn read_members(table: &Table<'_>, names: &BTreeSet<String>) -> Option<Vec<Member>> {
    let given = table.texts("members");
    let weights = table.table("weights");
    let mut members: Vec<RepId> = Vec::new();
    for rep in given.unwrap_or_default() {
        if members.contains(&rep) {
            let name = table.name("members");
            table.problem("members", format!("{name} names `{rep}` twice"));
            continue;
        }
        known(table, "members", &rep, names);
        members.push(rep);
    }
    if members.is_empty() {
        let name = table.name("members");
        let hint = "name at least one rep, or take the pool out".to_owned();
        table.problem_hint("members", format!("{name} is empty"), Some(hint));
    }
    let weigh = |rep: &RepId| Member {
        rep: rep.clone(),
        weight: weights.int(rep, 1..=WEIGHT_MAX).unwrap_or(1),
    };
    let weighed: Vec<_> = members.iter().map(weigh).collect();
    weights.done();
    (!members.is_empty()).then_some(weighed)
}

fn known(table: &Table<'_>, key: &str, rep: &str, names: &BTreeSet<String>) {
    if names.contains(rep) {
        return;
    }
    let hint = match nearest(rep, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add [reps.{rep}], or take the name out"),
    };
    let message = format!("{} names `{rep}`, who is no rep here", table.name(key));
    table.problem_hint(key, message, Some(hint));
}

/// A pool that nobody will ever take from is a hole for leads.
fn check_reachable(table: &Table<'_>, pool: &Pool, reps: &[Rep]) {
    let find = |id: &str| reps.iter().find(|rep| rep.id == id);
    let mut members = pool.members.iter().map(|m| find(&m.rep));
    // A rep whose own lines have a problem is unknown here, and gets the benefit of the doubt.
    let open = |rep: Option<&Rep>| {
        rep.is_none_or(|r| !r.paused && pool.skills.iter().all(|skill| r.skills.contains(skill)))
    };
    let caught = pool.fallback.as_deref().map(find);
    if members.any(open) || caught.is_some_and(|rep| rep.is_none_or(|r| !r.paused)) {
        return;
    }
    let message = format!(
        "{}: every member is paused or lacks a skill, so that nobody would ever get a lead",
        table.name("members")
    );
    let hint = "name a `fallback` who is not paused, or add a member".to_owned();
    table.problem_hint("members", message, Some(hint));
}
