//! Mistakes in the file, and the file that is shipped.

use super::*;
use crate::problem::Problem;

const MISTAKES: &str = r#"
[reps.ana]
email = "ana@@x"
zone = "Berlin"
hours = ["mon-fri"]
languages = ["german"]
[reps.ben]
zone = "Europe/Berln"
hours = ["mon 9-17", "mon 16-18"]
absent = ["24.12.2026"]
colour = "red"
[reps."x y"]
email = "x@x.example"
zone = "UTC"
hours = ["mon 9-9"]
paused = true
[pools.p]
members = ["anna", "ben", "ben"]
weights = { ben = 0, cleo = 2 }
fallback = "nobody"
[pools.q]
members = []
[pools.r]
members = ["y"]
[reps.y]
email = "x@x.example"
zone = "UTC"
hours = ["always"]
paused = true
countries = ["de", "UK"]
languages = ["EN", "jp"]
[reps.z]
webhook = "crm"
zone = "UTC"
hours = ["always"]
countries = ["XX"]
"#;

#[test]
fn every_mistake_in_the_roster_is_told_at_once() {
    let problems = Roster::parse("reps.toml", MISTAKES, &Overrides::new()).unwrap_err();
    let lines: Vec<_> = problems.iter().map(Problem::one_line).collect();
    let hint = |line: usize| {
        problems
            .iter()
            .find(|p| p.line == line)
            .unwrap()
            .hint
            .clone()
    };
    let example = "wanted is for example \"mon-fri 09:00-12:30 13:30-18:00\" or \"always\"";
    assert_eq!(
        lines,
        [
            "reps.toml:3: reps.ana.email is no e-mail address",
            "reps.toml:4: reps.ana.zone is no known time zone: \"Berlin\"",
            &format!("reps.toml:5: reps.ana.hours: \"mon-fri\" has no times; {example}"),
            "reps.toml:6: reps.ana.languages has \"german\"; wanted are codes of two letters",
            "reps.toml:7: reps.ben.email is missing",
            "reps.toml:8: reps.ben.zone is no known time zone: \"Europe/Berln\"",
            "reps.toml:9: reps.ben.hours: two blocks overlap on mon",
            "reps.toml:10: reps.ben.absent has \"24.12.2026\"; wanted is a day \"2026-12-24\" or days \"2026-12-24..2027-01-01\"",
            "reps.toml:11: unknown key `reps.ben.colour`",
            "reps.toml:12: `reps.x y`: wanted is a name of letters, digits, `_`, `-` and `.`",
            "reps.toml:15: reps.x y.hours: \"9-9\" begins and ends at the same time; for the whole day write 00:00-24:00",
            "reps.toml:31: reps.y.languages has \"jp\", which is the code of no language",
            "reps.toml:30: reps.y.countries has \"UK\", which is the code of no country",
            "reps.toml:36: reps.z.countries has \"XX\", which is the code of no country",
            "reps.toml:18: pools.p.members names `anna`, who is no rep here",
            "reps.toml:18: pools.p.members names `ben` twice",
            "reps.toml:19: pools.p.weights.ben is 0; wanted is a number from 1 to 100",
            "reps.toml:19: unknown key `pools.p.weights.cleo`",
            "reps.toml:20: pools.p.fallback names `nobody`, who is no rep here",
            "reps.toml:22: pools.q.members is empty",
            "reps.toml:24: pools.r.members: every member is paused or lacks a skill, so that nobody would ever get a lead",
        ]
    );
    assert_eq!(hint(4).as_deref(), Some("did you mean \"Europe/Berlin\"?"));
    assert_eq!(hint(8).as_deref(), Some("did you mean \"Europe/Berlin\"?"));
    assert_eq!(hint(30).as_deref(), Some("did you mean \"GB\"?"));
    assert_eq!(hint(31).as_deref(), Some("did you mean \"ja\"?"));
    assert!(hint(36).is_some_and(|hint| hint.contains("ISO 3166-1")));
    assert_eq!(hint(18).as_deref(), Some("did you mean `ana`?"));
    assert!(
        lines.iter().all(|line| !line.contains("@@")),
        "a value is shown"
    );
}

#[test]
fn somebody_is_at_work_in_every_shipped_pool_at_every_hour() {
    let roster = roster(include_str!("../../../config/reps.toml"));
    assert_eq!(
        Vec::from_iter(roster.pools()),
        ["dach", "enterprise", "inbound"]
    );
    // A plain week, and those in which clocks change in New York, Berlin and Sydney.
    let weeks = [
        "2026-11-23T00:00:00Z",
        "2026-03-05T00:00:00Z",
        "2026-03-26T00:00:00Z",
        "2026-04-02T00:00:00Z",
        "2026-10-01T00:00:00Z",
        "2026-10-22T00:00:00Z",
        "2026-10-29T00:00:00Z",
    ];
    for (week, pool) in weeks
        .iter()
        .flat_map(|w| roster.pools().into_iter().map(move |p| (w, p)))
    {
        for quarter in 0..7 * 24 * 4 {
            let now = at(week) + quarter * 15 * MINUTE;
            let decision = assign(&wanted(&pool, &[]), &roster, &Load::default(), now);
            let offered = matches!(decision, Decision::Offer { .. });
            assert!(offered, "{pool} {}: {}", iso(now), said(&decision));
        }
    }
}
