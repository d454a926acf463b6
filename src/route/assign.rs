//! One lead, one pool, one decision. Knows neither how the load was counted nor what happens next.
//!
//! The method is smooth weighted round robin: everybody who could take the lead gains credit by
//! weight, the highest takes it and pays what all of them gained. Ties go by the order of the file.
//!
//! The fallback is the last resort: hours, caps, territory, language and having had the lead before
//! do not rule him out. Being paused or away does, since he would not see it.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::hours::{back, instant, local};
use super::roster::{Pool, Rep, Roster};
use super::{Decision, Load, RepLoad, Wanted};
use crate::clock::{DAY, Millis};
use crate::lead::Candidate;
use crate::lead::RepId;

/// One candidate as found.
struct Look<'r> {
    rep: &'r Rep,
    weight: i64,
    credit: i64,
    today: i64,
    open: i64,
    day: i64,
    bar: Option<Bar>,
}

/// What rules a candidate out.
struct Bar {
    text: String,
    ends: Ends,
}

/// What would lift a bar.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Never,
    ByHand,
    WithAPlace,
    At(Millis),
}

/// The reps whose load must be read before [`assign`] for that pool: members, then the fallback.
pub fn members(roster: &Roster, pool: &str) -> Vec<RepId> {
    let Some(pool) = roster.pool(pool) else {
        return Vec::new();
    };
    let mut ids: Vec<RepId> = pool.members.iter().map(|m| m.rep.clone()).collect();
    let fallback = pool.fallback.clone().filter(|f| !ids.contains(f));
    ids.extend(fallback);
    ids
}

/// Decides who gets the lead; the same arguments give the same answer.
pub fn assign(wanted: &Wanted<'_>, roster: &Roster, load: &Load, now: Millis) -> Decision {
    let Some(pool) = roster.pool(wanted.pool) else {
        return Decision::PoolGone;
    };
    let weights: i64 = pool.members.iter().map(|m| m.weight).sum();
    let looks: Vec<Look<'_>> = pool
        .members
        .iter()
        .filter_map(|m| Some((roster.rep(&m.rep)?, m.weight)))
        .map(|(rep, weight)| {
            let mut look = Look::new(rep, load, now);
            look.weight = weight;
            // A credit left over from larger weights must not give a run of turns.
            look.credit = credit(&load.credits, rep).clamp(-weights, weights);
            look.bar = bar(&look, wanted, pool, now);
            look
        })
        .collect();
    if looks.iter().any(|look| look.bar.is_none()) {
        return offer(&looks, pool, now);
    }
    let lasting = |look: &Look<'_>| {
        let ends = look.bar.as_ref().map(|bar| bar.ends);
        matches!(ends, Some(Ends::Never | Ends::ByHand))
    };
    if !looks.iter().all(lasting) {
        return wait(&looks, now);
    }
    last_resort(&looks, pool, roster, load, now)
}

impl<'r> Look<'r> {
    fn new(rep: &'r Rep, load: &Load, now: Millis) -> Self {
        let carried = load.reps.get(&rep.id).copied().unwrap_or_default();
        let day = rep.day(now);
        let RepLoad { open, .. } = carried;
        Self {
            rep,
            weight: 0,
            credit: credit(&load.credits, rep),
            today: if carried.day == day { carried.today } else { 0 },
            open,
            day,
            bar: None,
        }
    }

    fn candidate(&self) -> Candidate {
        Candidate {
            rep: self.rep.id.clone(),
            ruled_out: self.bar.as_ref().map(|bar| bar.text.clone()),
            today: self.today,
            open: self.open,
            credit: self.credit,
        }
    }
}

fn credit(credits: &BTreeMap<RepId, i64>, rep: &Rep) -> i64 {
    credits.get(&rep.id).copied().unwrap_or_default()
}

fn candidates(looks: &[Look<'_>]) -> Vec<Candidate> {
    looks.iter().map(Look::candidate).collect()
}

/// The first condition that rules a member out: what time does not change comes first.
fn bar(look: &Look<'_>, wanted: &Wanted<'_>, pool: &Pool, now: Millis) -> Option<Bar> {
    let rep = look.rep;
    let never = |text: String| {
        let ends = Ends::Never;
        Some(Bar { text, ends })
    };
    if wanted.previous.contains(&rep.id) {
        return never("had it before".to_owned());
    }
    if rep.paused {
        let text = "paused".to_owned();
        let ends = Ends::ByHand;
        return Some(Bar { text, ends });
    }
    if let Some(skill) = pool.skills.iter().find(|s| !rep.skills.contains(s)) {
        return never(format!("lacks the skill {skill}"));
    }
    if let Some(country) = wanted.country
        && !rep.countries.is_empty()
        && !rep
            .countries
            .iter()
            .any(|c| c.eq_ignore_ascii_case(country))
    {
        return never("not in territory".to_owned());
    }
    if pool.match_language
        && let Some(tag) = wanted.language
    {
        let language = tag.split(['-', '_']).next().unwrap_or(tag);
        if !rep
            .languages
            .iter()
            .any(|l| l.eq_ignore_ascii_case(language))
        {
            return never(format!("does not speak {}", language.to_lowercase()));
        }
    }
    bar_of_the_day(look, now)
}

/// Hours, absence and caps.
fn bar_of_the_day(look: &Look<'_>, now: Millis) -> Option<Bar> {
    let rep = look.rep;
    let next = rep.at_work_from(now);
    let cap = rep.per_day.filter(|cap| look.today >= *cap);
    if let Some(cap) = cap
        && next.is_none_or(|at| rep.day(at) == look.day)
    {
        return Some(Bar {
            text: format!("day cap {cap} reached"),
            ends: tomorrow_at_work(rep, now).map_or(Ends::ByHand, Ends::At),
        });
    }
    if next != Some(now) {
        let ends = next.map_or(Ends::ByHand, Ends::At);
        let text = off(rep, next, now);
        return Some(Bar { text, ends });
    }
    let cap = rep.open_max.filter(|cap| look.open >= *cap)?;
    Some(Bar {
        text: format!("open cap {cap} reached"),
        ends: Ends::WithAPlace,
    })
}

fn tomorrow_at_work(rep: &Rep, now: Millis) -> Option<Millis> {
    let tomorrow = local(&rep.zone, now)?.date().tomorrow().ok()?;
    rep.at_work_from(instant(&rep.zone, tomorrow, 0)?)
}

fn off(rep: &Rep, next: Option<Millis>, now: Millis) -> String {
    let today = local(&rep.zone, now).map(DateTime::date);
    if let Some(day) = today.and_then(|today| back(&rep.absences, today)) {
        return format!("absent until {day}");
    }
    match next {
        Some(at) => format!("off until {}", when(rep, at, now)),
        None => "has no working hours".to_owned(),
    }
}

/// `Tue 09:00 Europe/Berlin`; with the date where the weekday would not tell.
fn when(rep: &Rep, at: Millis, now: Millis) -> String {
    let Some(wall) = local(&rep.zone, at) else {
        return crate::clock::iso(at);
    };
    let (hour, minute, zone) = (wall.hour(), wall.minute(), &rep.zone_name);
    if at - now >= 6 * DAY {
        return format!("{} {hour:02}:{minute:02} {zone}", wall.date());
    }
    let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let weekday = usize::try_from(wall.weekday().to_monday_zero_offset())
        .ok()
        .and_then(|at| weekdays.get(at))
        .unwrap_or(&"");
    format!("{weekday} {hour:02}:{minute:02} {zone}")
}

fn offer(looks: &[Look<'_>], pool: &Pool, now: Millis) -> Decision {
    let free = || looks.iter().filter(|look| look.bar.is_none());
    let total: i64 = free().map(|look| look.weight).sum();
    // The first of equals: `max_by_key` would take the last.
    let mut best: Option<&Look<'_>> = None;
    for look in free() {
        let raised = look.credit + look.weight;
        if best.is_none_or(|b| raised > b.credit + b.weight) {
            best = Some(look);
        }
    }
    let Some(best) = best else {
        return wait(looks, now);
    };
    let why = match free().count() {
        1 => "next in turn: the only one free".to_owned(),
        _ => format!(
            "next in turn: credit {} of {total}",
            best.credit + best.weight
        ),
    };
    let moved = |look: &Look<'_>| {
        let paid = if look.rep.id == best.rep.id { total } else { 0 };
        let new = look.credit + look.weight - paid;
        (new != look.credit).then(|| (look.rep.id.clone(), new))
    };
    Decision::Offer {
        rep: best.rep.id.clone(),
        why,
        candidates: candidates(looks),
        credits: free().filter_map(moved).collect(),
        day: best.day,
        deadline: pool.claim_within_ms.map(|within| now + within),
    }
}

fn wait(looks: &[Look<'_>], now: Millis) -> Decision {
    let timed = looks
        .iter()
        .filter_map(|look| match look.bar.as_ref()?.ends {
            Ends::At(at) => Some((at, look.rep)),
            Ends::Never | Ends::ByHand | Ends::WithAPlace => None,
        });
    let earliest = timed.min_by_key(|(at, _)| *at);
    let why = match earliest {
        Some((at, rep)) => format!("nobody is free until {} ({})", when(rep, at, now), rep.id),
        None => "everybody at work holds as many open leads as allowed".to_owned(),
    };
    Decision::Wait {
        why,
        until: earliest.map(|(at, _)| at),
        candidates: candidates(looks),
    }
}

/// Time will bring nobody of the members.
fn last_resort(
    looks: &[Look<'_>],
    pool: &Pool,
    roster: &Roster,
    load: &Load,
    now: Millis,
) -> Decision {
    let mut candidates = candidates(looks);
    let had = |look: &Look<'_>| look.bar.as_ref().is_some_and(|b| b.text == "had it before");
    let why = if looks.iter().all(had) {
        "everyone else had it before"
    } else {
        "nobody else can take it"
    };
    let fallback = pool.fallback.as_deref().and_then(|id| roster.rep(id));
    let Some(fallback) = fallback else {
        let by_hand = |l: &Look<'_>| l.bar.as_ref().is_some_and(|b| b.ends == Ends::ByHand);
        if looks.iter().any(by_hand) {
            let why = "everybody who could take it is paused".to_owned();
            return Decision::Wait {
                why,
                until: None,
                candidates,
            };
        }
        let why = format!(
            "{}, and the pool names no fallback",
            why.replace(" else", "")
        );
        return Decision::NobodyLeft { why, candidates };
    };
    let look = Look::new(fallback, load, now);
    let today = local(&fallback.zone, now).map(DateTime::date);
    let away = match today.and_then(|today| back(&fallback.absences, today)) {
        _ if fallback.paused => Some("paused".to_owned()),
        Some(day) => Some(format!("absent until {day}")),
        None => None,
    };
    if !candidates.iter().any(|c| c.rep == fallback.id) {
        let ruled_out = away.clone();
        candidates.push(Candidate {
            ruled_out,
            ..look.candidate()
        });
    }
    if let Some(away) = away {
        let why = format!("{why}, and the fallback {} is {away}", fallback.id);
        return Decision::NobodyLeft { why, candidates };
    }
    Decision::Offer {
        rep: fallback.id.clone(),
        why: format!("fallback: {why}"),
        candidates,
        credits: Vec::new(),
        day: look.day,
        deadline: None,
    }
}
