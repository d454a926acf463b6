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

[pools.expert]
members = ["ana"]
skills = ["fleet"]
fallback = "dora"
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
    head + lines.collect::<String>().as_str()
}

/// Pool, previous holders, country, language, load of `ana` (today/open), time => decision.
const DECISIONS: &str = "
two   -             -  -     0/0 monday    => offer ana: next in turn: credit 1 of 2 | ana ok | ben ok
two   -             -  -     0/0 morning   => offer ana: next in turn: the only one free | ana ok | ben off until Mon 09:00 America/New_York
two   ana           -  -     0/0 monday    => offer ben: next in turn: the only one free | ana had it before | ben ok
two   -             -  -     2/2 morning   => wait 2026-11-23T14:00:00Z: nobody is free until Mon 09:00 America/New_York (ben) | ana day cap 2 reached | ben off until Mon 09:00 America/New_York
two   -             -  -     0/3 morning   => wait 2026-11-23T14:00:00Z: nobody is free until Mon 09:00 America/New_York (ben) | ana open cap 3 reached | ben off until Mon 09:00 America/New_York
alone -             -  -     2/0 morning   => wait 2026-11-24T08:00:00Z: nobody is free until Tue 09:00 Europe/Berlin (ana) | ana day cap 2 reached | cleo paused
alone -             -  -     2/0 friday    => wait 2026-11-30T08:00:00Z: nobody is free until Mon 09:00 Europe/Berlin (ana) | ana off until Mon 09:00 Europe/Berlin | cleo paused
alone -             -  -     1/3 morning   => wait ?: everybody at work holds as many open leads as allowed | ana open cap 3 reached | cleo paused
alone ana           -  -     0/0 morning   => wait ?: everybody who could take it is paused | ana had it before | cleo paused
two   -             -  -     0/0 night     => wait 2026-11-24T08:00:00Z: nobody is free until Tue 09:00 Europe/Berlin (ana) | ana off until Tue 09:00 Europe/Berlin | ben off until Tue 09:00 America/New_York
two   -             -  -     0/0 christmas => offer ana: next in turn: the only one free | ana ok | ben absent until 2027-01-02
two   ana           -  -     0/0 christmas => wait 2027-01-03T03:00:00Z: nobody is free until 2027-01-02 22:00 America/New_York (ben) | ana had it before | ben absent until 2027-01-02
two   -             gb EN-gb 0/0 monday    => offer ben: next in turn: the only one free | ana not in territory | ben ok
two   -             -  fr-CA 0/0 monday    => offer dora: fallback: nobody else can take it | ana does not speak fr | ben does not speak fr | dora ok
two   ana,ben       -  -     0/0 night     => offer dora: fallback: everyone else had it before | ana had it before | ben had it before | dora ok
two   ana,ben,dora  -  -     0/0 night     => offer dora: fallback: everyone else had it before | ana had it before | ben had it before | dora ok
expert -            -  -     0/0 monday    => offer dora: fallback: nobody else can take it | ana lacks the skill fleet | dora ok
gone  -             -  -     0/0 monday    => pool gone
";

#[test]
fn every_candidate_is_explained() {
    let roster = roster(TEAM);
    for line in DECISIONS.trim().lines() {
        let (given, expected) = line.split_once(" => ").unwrap();
        let given: Vec<&str> = given.split_whitespace().collect();
        let [pool, previous, country, language, carried, when] = given[..] else {
            panic!("six words: {line}");
        };
        let known = |word: &'static str| (word != "-").then_some(word);
        let previous: Vec<_> = known(previous).map_or(vec![], |p| p.split(',').collect());
        let previous = ids(&previous);
        let wanted = Wanted {
            country: known(country),
            language: known(language),
            ..wanted(pool, &previous)
        };
        let now = at(match when {
            "monday" => "2026-11-23T15:00:00Z", // 16:00 Berlin, 10:00 New York
            "morning" => "2026-11-23T09:00:00Z", // 10:00 Berlin, 04:00 New York
            "night" => "2026-11-23T23:30:00Z",  // already Tuesday in Berlin
            "friday" => "2026-11-27T18:00:00Z",
            _ => "2026-12-25T15:00:00Z",
        });
        let (today, open) = carried.split_once('/').unwrap();
        let carried = RepLoad {
            day: roster.rep("ana").unwrap().day(now),
            today: today.parse().unwrap(),
            open: open.parse().unwrap(),
        };
        let load = Load {
            reps: BTreeMap::from([("ana".to_owned(), carried)]),
            ..Load::default()
        };
        assert_eq!(said(&assign(&wanted, &roster, &load, now)), expected);
    }
}

#[test]
fn yesterdays_count_is_no_count() {
    let roster = roster(TEAM);
    let now = at("2026-11-23T09:00:00Z");
    let yesterday = RepLoad {
        day: roster.rep("ana").unwrap().day(now) - 1,
        today: 2,
        open: 0,
    };
    let load = Load {
        reps: BTreeMap::from([("ana".to_owned(), yesterday)]),
        ..Load::default()
    };
    let said = said(&assign(&wanted("alone", &[]), &roster, &load, now));
    assert_eq!(
        said,
        "offer ana: next in turn: the only one free | ana ok | cleo paused"
    );
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
