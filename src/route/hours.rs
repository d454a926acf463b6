//! When somebody works: blocks of the week in their own zone, less the days away. Knows no rep.
//!
//! A block's ends are times on the wall. Where the clock goes forward, a time that does not exist is
//! the moment of the change; where it goes back, a time that exists twice is the first of the two.

use jiff::Span;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::clock::Millis;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MIN: u16 = 24 * 60;
/// A block once a week that a change of the clock swallows comes again after 14 days.
const DAYS_AHEAD_MAX: i64 = 15;
const EXAMPLE: &str = "wanted is for example \"mon-fri 09:00-12:30 13:30-18:00\" or \"always\"";

/// Working hours of a week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// From Monday; each day's blocks in order.
    days: [Vec<Block>; 7],
}

/// Minutes from the day's midnight; an end beyond 24:00 lies on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    from: u16,
    to: u16,
}

/// Whole days away, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Absence {
    /// The first day away.
    pub first: Date,
    /// The last day away.
    pub last: Date,
}

impl Hours {
    /// Reads lines like `mon-fri 09:00-12:30 13:30-18:00`; every mistake comes as a message.
    pub fn parse(lines: &[String]) -> Result<Self, Vec<String>> {
        let mut hours = Self::default();
        let mut mistakes = Vec::new();
        for line in lines {
            match parse_line(line) {
                Ok((days, blocks)) => days
                    .into_iter()
                    .filter_map(|day| DAYS.iter().position(|d| *d == day))
                    .for_each(|at| hours.days[at].extend(&blocks)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        for blocks in &mut hours.days {
            blocks.sort_unstable();
        }
        if let Some(day) = hours.overlap() {
            mistakes.push(format!("two blocks overlap on {day}"));
        }
        if lines.is_empty() {
            mistakes.push("no hours are given".to_owned());
        }
        if mistakes.is_empty() {
            return Ok(hours);
        }
        Err(mistakes)
    }

    /// The day on which a block begins before the one before it ends.
    fn overlap(&self) -> Option<&'static str> {
        let mut open: Option<i64> = None;
        // Twice around, so that Sunday night meets Monday morning.
        for at in 0..14_u16 {
            let day = usize::from(at % 7);
            for block in &self.days[day] {
                let midnight = i64::from(at) * i64::from(DAY_MIN);
                if open.is_some_and(|end| midnight + i64::from(block.from) < end) {
                    return Some(DAYS[day]);
                }
                open = Some(midnight + i64::from(block.to));
            }
        }
        None
    }

    /// The next moment at work: `now` itself inside a block. `None` if there never is one.
    pub fn next(&self, zone: &TimeZone, absences: &[Absence], now: Millis) -> Option<Millis> {
        let mut from = now;
        // Each round leaves one absence behind.
        for _ in 0..=absences.len() {
            let at = self.next_block(zone, from)?;
            if absences.is_empty() {
                return Some(at);
            }
            match back(absences, local(zone, at)?.date()) {
                None => return Some(at),
                Some(day) => from = instant(zone, day, 0)?,
            }
        }
        None
    }

    fn next_block(&self, zone: &TimeZone, from: Millis) -> Option<Millis> {
        let today = local(zone, from)?.date();
        for ahead in -1..=DAYS_AHEAD_MAX {
            let date = today.checked_add(Span::new().days(ahead)).ok()?;
            let weekday = date.weekday().to_monday_zero_offset();
            for block in &self.days[usize::try_from(weekday).ok()?] {
                if ahead < 0 && block.to <= DAY_MIN {
                    continue;
                }
                let end = instant(zone, date, block.to)?;
                if end <= from {
                    continue;
                }
                let start = instant(zone, date, block.from)?;
                // A block that the clock jumps over is empty.
                if start < end {
                    return Some(start.max(from));
                }
            }
        }
        None
    }
}

/// The first day back, if `date` is a day away.
pub(super) fn back(absences: &[Absence], date: Date) -> Option<Date> {
    let away = absences
        .iter()
        .find(|a| a.first <= date && date <= a.last)?;
    away.last.tomorrow().ok()
}

/// The wall clock in a zone.
pub(super) fn local(zone: &TimeZone, at: Millis) -> Option<DateTime> {
    let at = Timestamp::from_millisecond(at).ok()?;
    Some(zone.to_datetime(at))
}

/// When the wall clock of a zone shows a day's minute; see the module for the changes of the clock.
pub(super) fn instant(zone: &TimeZone, date: Date, minute: u16) -> Option<Millis> {
    let days = i64::from(minute / DAY_MIN);
    let date = match days {
        0 => date,
        days => date.checked_add(Span::new().days(days)).ok()?,
    };
    let minute = minute % DAY_MIN;
    let hour = i8::try_from(minute / 60).ok()?;
    let wall = date.at(hour, i8::try_from(minute % 60).ok()?, 0, 0);
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    let at = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(wall).ok()?
        }
        AmbiguousOffset::Gap { after, .. } => {
            let before_change = after.to_timestamp(wall).ok()?;
            zone.following(before_change).next()?.timestamp()
        }
    };
    Some(at.as_millisecond())
}

/// Days and blocks of one line.
fn parse_line(line: &str) -> Result<(Vec<&'static str>, Vec<Block>), String> {
    let mut plain = line.trim().to_lowercase().replace(['–', '—'], "-");
    for (spaced, tight) in [(" -", "-"), ("- ", "-"), (" ,", ","), (", ", ",")] {
        while plain.contains(spaced) {
            plain = plain.replace(spaced, tight);
        }
    }
    if plain == "always" {
        let whole = Block {
            from: 0,
            to: DAY_MIN,
        };
        return Ok((DAYS.to_vec(), vec![whole]));
    }
    let mut words = plain.split_whitespace();
    let days = words.next().and_then(parse_days);
    let days = days.ok_or_else(|| format!("\"{line}\" begins with no days; {EXAMPLE}"))?;
    let blocks: Vec<_> = words.map(parse_block).collect::<Result<_, _>>()?;
    if blocks.is_empty() {
        return Err(format!("\"{line}\" has no times; {EXAMPLE}"));
    }
    Ok((days, blocks))
}

/// `mon-fri`, `sat,sun`, `fri-mon`, `daily`.
fn parse_days(text: &str) -> Option<Vec<&'static str>> {
    if text == "daily" {
        return Some(DAYS.to_vec());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_day(first)?, parse_day(last)?);
        let count = (last + 7 - first) % 7;
        days.extend((first..=first + count).map(|at| DAYS[at % 7]));
    }
    days.sort_unstable();
    days.dedup();
    Some(days)
}

/// `mon`, `monday`.
fn parse_day(text: &str) -> Option<usize> {
    let longs = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    (text.len() >= 3)
        .then(|| longs.iter().position(|long| long.starts_with(text)))
        .flatten()
}

/// `09:00-12:30`, `9-17`, `22:00-06:00`.
fn parse_block(text: &str) -> Result<Block, String> {
    let ends = text.split_once('-');
    let ends = ends.and_then(|(from, to)| Some((parse_time(from)?, parse_time(to)?)));
    let Some((from, to)) = ends.filter(|(from, _)| *from < DAY_MIN) else {
        return Err(format!("\"{text}\" is no time from and to; {EXAMPLE}"));
    };
    if from == to {
        let whole = "for the whole day write 00:00-24:00";
        return Err(format!(
            "\"{text}\" begins and ends at the same time; {whole}"
        ));
    }
    let to = if to < from { to + DAY_MIN } else { to };
    Ok(Block { from, to })
}

/// `9`, `09:00`, `24:00`.
fn parse_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':').unwrap_or((text, "00"));
    let fits = |part: &str| matches!(part.len(), 1..=2) && part.bytes().all(|b| b.is_ascii_digit());
    if !fits(hour) || !fits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY_MIN).then_some(hour * 60 + minute)
}
