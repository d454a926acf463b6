//! What routing promises, by table: here the decisions.

mod fairness;
mod hours;
mod roster;

use jiff::Timestamp;

use super::*;
use crate::clock::{DAY, MINUTE, iso};
use crate::document::Overrides;

const TEAM: &str = r#"
[reps.ana]
name = "Ana"
email = "ana@x.example"
zone = "Europe/Berlin"
hours = ["mon-fri 09:00-12:30 13:30-18:00"]
languages = ["de", "en"]
countries = ["DE", "AT"]
per_day = 2
open_max = 3

[reps.ben]
email = "Ben@X.example"
zone = "America/New_York"
hours = ["mon-fri 9-17", "sat 22:00-06:00"]
languages = ["en"]
absent = ["2026-12-24..2026-12-31", "2027-01-01"]

[reps.cleo]
email = "cleo@x.example"
zone = "Asia/Kolkata"
hours = ["always"]
paused = true

[reps.dora]
email = "dora@x.example"
zone = "Europe/London"
hours = ["tue-thu 8-12"]

[pools.two]
members = ["ana", "ben"]
claim_within_min = 30
match_language = true
fallback = "dora"

[pools.alone]
members = ["ana", "cleo"]
"#;

fn at(text: &str) -> Millis {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn roster(text: &str) -> Roster {
    Roster::parse("reps.toml", text, &Overrides::new()).unwrap()
}

fn wanted<'a>(pool: &'a str, previous: &'a [RepId]) -> Wanted<'a> {
    Wanted {
        pool,
        country: None,
        language: None,
        previous,
        lead: 1,
    }
}

fn ids(names: &[&str]) -> Vec<RepId> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `offer ana: why | ana ok | ben: reason`.
fn said(decision: &Decision) -> String {
    let (head, candidates) = match decision {
        Decision::Offer {
            rep,
            why,
            candidates,
            ..
        } => (format!("offer {rep}: {why}"), candidates),
        Decision::Wait {
            why,
            until,
            candidates,
        } => {
            let until = until.map_or("?".to_owned(), iso);
            (format!("wait {until}: {why}"), candidates)
        }
        Decision::NobodyLeft { why, candidates } => (format!("nobody: {why}"), candidates),
        Decision::PoolGone => return "pool gone".to_owned(),
    };
    let lines = candidates.iter().map(|c| match &c.ruled_out {
        Some(why) => format!(" | {} {why}", c.rep),
        None => format!(" | {} ok", c.rep),
    });
    head + &lines.collect::<String>()
}

#[test]
fn every_candidate_is_explained() {
    let roster = roster(TEAM);
    let load = |rep: &str, now: Millis, today: i64, open: i64| {
        let day = roster.rep(rep).unwrap().day(now);
        let load = RepLoad { day, today, open };
        Load {
            reps: BTreeMap::from([(rep.to_owned(), load)]),
            ..Load::default()
        }
    };
    let monday = at("2026-11-23T15:00:00Z"); // 16:00 Berlin, 10:00 New York
    let morning = at("2026-11-23T09:00:00Z"); // 10:00 Berlin, 04:00 New York
    let night = at("2026-11-23T23:30:00Z");
    let friday = at("2026-11-27T18:00:00Z");
    let christmas = at("2026-12-25T15:00:00Z");
    let none = Load::default();
    let two = |previous| wanted("two", previous);
    let french = Wanted {
        language: Some("fr-CA"),
        ..two(&[])
    };
    let british = Wanted {
        country: Some("gb"),
        language: Some("EN-gb"),
        ..two(&[])
    };
    let (ana, both, all) = (
        ids(&["ana"]),
        ids(&["ana", "ben"]),
        ids(&["ana", "ben", "dora"]),
    );
    let cases: Vec<(Wanted<'_>, Load, Millis, &str)> = vec![
        (
            two(&[]),
            none.clone(),
            monday,
            "offer ana: next in turn: credit 1 of 2 | ana ok | ben ok",
        ),
        (
            two(&[]),
            none.clone(),
            morning,
            "offer ana: next in turn: the only one free | ana ok | ben off until Mon 09:00 America/New_York",
        ),
        (
            two(&ana),
            none.clone(),
            monday,
            "offer ben: next in turn: the only one free | ana had it before | ben ok",
        ),
        (
            two(&[]),
            load("ana", morning, 2, 2),
            morning,
            "wait 2026-11-23T14:00:00Z: nobody is free until Mon 09:00 America/New_York (ben) | ana day cap 2 reached | ben off until Mon 09:00 America/New_York",
        ),
        (
            two(&[]),
            load("ana", morning, 0, 3),
            morning,
            "wait 2026-11-23T14:00:00Z: nobody is free until Mon 09:00 America/New_York (ben) | ana open cap 3 reached | ben off until Mon 09:00 America/New_York",
        ),
        (
            wanted("alone", &[]),
            load("ana", morning, 2, 0),
            morning,
            "wait 2026-11-24T08:00:00Z: nobody is free until Tue 09:00 Europe/Berlin (ana) | ana day cap 2 reached | cleo paused",
        ),
        (
            wanted("alone", &[]),
            load("ana", friday, 2, 0),
            friday,
            "wait 2026-11-30T08:00:00Z: nobody is free until Mon 09:00 Europe/Berlin (ana) | ana off until Mon 09:00 Europe/Berlin | cleo paused",
        ),
        (
            wanted("alone", &[]),
            load("ana", morning, 1, 3),
            morning,
            "wait ?: everybody at work holds as many open leads as allowed | ana open cap 3 reached | cleo paused",
        ),
        (
            wanted("alone", &ana),
            none.clone(),
            morning,
            "wait ?: everybody who could take it is paused | ana had it before | cleo paused",
        ),
        (
            two(&[]),
            none.clone(),
            night,
            "wait 2026-11-24T08:00:00Z: nobody is free until Tue 09:00 Europe/Berlin (ana) | ana off until Tue 09:00 Europe/Berlin | ben off until Tue 09:00 America/New_York",
        ),
        (
            two(&[]),
            none.clone(),
            christmas,
            "offer ana: next in turn: the only one free | ana ok | ben absent until 2027-01-02",
        ),
        (
            two(&ana),
            none.clone(),
            christmas,
            "wait 2027-01-03T03:00:00Z: nobody is free until 2027-01-02 22:00 America/New_York (ben) | ana had it before | ben absent until 2027-01-02",
        ),
        (
            british,
            none.clone(),
            monday,
            "offer ben: next in turn: the only one free | ana not in territory | ben ok",
        ),
        (
            french,
            none.clone(),
            monday,
            "offer dora: fallback: nobody else can take it | ana does not speak fr | ben does not speak fr | dora ok",
        ),
        (
            two(&both),
            none.clone(),
            night,
            "offer dora: fallback: everyone else had it before | ana had it before | ben had it before | dora ok",
        ),
        (
            two(&all),
            load("dora", night, 9, 9),
            night,
            "offer dora: fallback: everyone else had it before | ana had it before | ben had it before | dora ok",
        ),
        (wanted("gone", &[]), none, monday, "pool gone"),
    ];
    for (wanted, load, now, expected) in cases {
        assert_eq!(said(&assign(&wanted, &roster, &load, now)), expected);
    }
}

#[test]
fn the_last_resort_is_not_asked_while_paused_or_away() {
    let team = |more: &str, pool: &str| {
        roster(&format!(
            "[reps.ana]\nemail = \"ana@x.example\"\nzone = \"UTC\"\nhours = [\"always\"]\n{more}\n\
             [reps.ben]\nemail = \"ben@x.example\"\nzone = \"UTC\"\nhours = [\"always\"]\n\
             [pools.p]\nmembers = [\"ben\"]\n{pool}\n"
        ))
    };
    let fallback = "fallback = \"ana\"";
    let cases = [
        (
            "",
            fallback,
            "offer ana: fallback: everyone else had it before | ben had it before | ana ok",
        ),
        (
            "paused = true",
            fallback,
            "nobody: everyone else had it before, and the fallback ana is paused | ben had it before | ana paused",
        ),
        (
            "absent = [\"2026-11-23\"]",
            fallback,
            "nobody: everyone else had it before, and the fallback ana is absent until 2026-11-24 | ben had it before | ana absent until 2026-11-24",
        ),
        (
            "",
            "",
            "nobody: everyone had it before, and the pool names no fallback | ben had it before",
        ),
        (
            "",
            "fallback = \"ben\"",
            "offer ben: fallback: everyone else had it before | ben had it before",
        ),
    ];
    let now = at("2026-11-23T12:00:00Z");
    for (more, pool, expected) in cases {
        let decision = assign(
            &wanted("p", &ids(&["ben"])),
            &team(more, pool),
            &Load::default(),
            now,
        );
        assert_eq!(said(&decision), expected);
    }
}

#[test]
fn an_offer_says_what_to_write_and_until_when_it_must_be_claimed() {
    let roster = roster(TEAM);
    let now = at("2026-11-23T15:00:00Z");
    let load = Load {
        credits: BTreeMap::from([("ana".to_owned(), 1), ("ben".to_owned(), -1)]),
        ..Load::default()
    };
    let Decision::Offer {
        rep,
        credits,
        day,
        deadline,
        candidates,
        ..
    } = assign(&wanted("two", &[]), &roster, &load, now)
    else {
        panic!("an offer");
    };
    assert_eq!(rep, "ana");
    assert_eq!(credits, [("ana".to_owned(), 0), ("ben".to_owned(), 0)]);
    assert_eq!(day, at("2026-11-23T00:00:00Z") / DAY);
    assert_eq!(deadline, Some(now + 30 * MINUTE));
    assert_eq!(
        candidates.iter().map(|c| c.credit).collect::<Vec<_>>(),
        [1, -1]
    );
    assert_eq!(members(&roster, "two"), ["ana", "ben", "dora"]);
    assert!(members(&roster, "gone").is_empty());
}
