//! Shifts, changes of the clock, days away.

use super::*;

/// Zone, hours, now, next time at work.
const SHIFTS: &str = "
Europe/Berlin | daily 09:00-17:00 | 2026-03-28T20:00:00Z | 2026-03-29T07:00:00Z
Europe/Berlin | daily 09:00-17:00 | 2026-10-24T20:00:00Z | 2026-10-25T08:00:00Z
America/New_York | daily 9-17 | 2026-03-07T23:00:00Z | 2026-03-08T13:00:00Z
America/New_York | daily 9-17 | 2026-10-31T23:00:00Z | 2026-11-01T14:00:00Z
# The hour that is not there: 02:30 is the change itself, and 02:00-03:00 is empty.
Europe/Berlin | daily 02:30-04:00 | 2026-03-29T00:00:00Z | 2026-03-29T01:00:00Z
Europe/Berlin | daily 02:00-03:00 | 2026-03-29T00:30:00Z | 2026-03-30T00:00:00Z
Europe/Berlin | sun 02:00-03:00 | 2026-03-28T12:00:00Z | 2026-04-05T00:00:00Z
# The hour that is there twice: the first of each time counts.
Europe/Berlin | daily 02:30-04:00 | 2026-10-25T00:00:00Z | 2026-10-25T00:30:00Z
Europe/Berlin | daily 22:00-02:30 | 2026-10-25T00:29:59Z | 2026-10-25T00:29:59Z
Europe/Berlin | daily 22:00-02:30 | 2026-10-25T00:30:00Z | 2026-10-25T21:00:00Z
# Overnight belongs to the day on which it begins.
Europe/Berlin | fri 22:00-06:00 | 2026-11-28T04:59:59Z | 2026-11-28T04:59:59Z
Europe/Berlin | fri 22:00-06:00 | 2026-11-28T05:00:00Z | 2026-12-04T21:00:00Z
Europe/Berlin | fri 22:00-06:00 | 2026-11-27T04:00:00Z | 2026-11-27T21:00:00Z
# Through a night of 7 and one of 9 hours without a break.
Europe/Berlin | sat 22:00-06:00 | 2026-03-29T03:59:59Z | 2026-03-29T03:59:59Z
Europe/Berlin | sat 22:00-06:00 | 2026-10-25T04:59:59Z | 2026-10-25T04:59:59Z
Europe/Berlin | mon-fri 9:00 – 12:30 13:30-18:00 | 2026-11-23T11:30:00Z | 2026-11-23T12:30:00Z
Europe/Berlin | fri-mon 9-17 | 2026-11-23T16:00:00Z | 2026-11-27T08:00:00Z
Asia/Kathmandu | Monday, sun 00:00-24:00 | 2026-11-20T00:00:00Z | 2026-11-21T18:15:00Z
Pacific/Apia | always | 2026-11-20T00:00:00Z | 2026-11-20T00:00:00Z
";

#[test]
fn working_hours_follow_the_clock_on_the_wall() {
    for line in SHIFTS.trim().lines().filter(|l| !l.starts_with('#')) {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [zone, hours, now, next] = columns[..] else {
            panic!("four columns: {line}");
        };
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let hours = Hours::parse(&ids(&[hours])).unwrap();
        let found = hours.next(&zone, &[], at(now)).map(iso);
        assert_eq!(found.as_deref(), Some(next), "{line}");
    }
}

#[test]
fn whoever_is_away_begins_on_the_first_day_back() {
    let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let hours = Hours::parse(&ids(&["daily 22:00-06:00"])).unwrap();
    let away = |first: &str, last: &str| Absence {
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
    };
    let absences = [
        away("2026-11-24", "2026-12-20"),
        away("2026-12-22", "2026-12-22"),
    ];
    let cases = [
        ("2026-11-23T22:30:00Z", "2026-11-23T22:30:00Z"),
        // At midnight the absence begins, in the middle of a shift; it ends in one as well.
        ("2026-11-23T23:00:00Z", "2026-12-20T23:00:00Z"),
        ("2026-12-21T23:00:00Z", "2026-12-22T23:00:00Z"),
        ("2026-12-21T05:00:00Z", "2026-12-21T21:00:00Z"),
    ];
    for (now, next) in cases {
        let found = hours.next(&berlin, &absences, at(now)).map(iso);
        assert_eq!(found.as_deref(), Some(next), "{now}");
    }
}
