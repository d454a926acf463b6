//! Dates as people write them, as ISO 8601. Where the order of day and month cannot be known, it is
//! no date.

use jiff::civil::Date;

/// Names of months, by their beginnings, in the languages of our field tables.
const MONTHS: [&str; 12] = [
    "january janvier januar jänner enero janeiro gennaio januari jan ene gen janv",
    "february février fevrier februar feber febrero fevereiro febbraio februari feb fév fev févr",
    "march mars märz maerz marzo março marco maart mar mär mrz",
    "april avril abril aprile apr avr abr",
    "may mai mayo maio maggio mei mag",
    "june juin juni junio junho giugno jun giu",
    "july juillet juli julio julho luglio jul juil lug",
    "august août aout agosto augustus aug ago aoû",
    "september septembre septiembre setembro settembre sep sept set",
    "october octobre oktober octubre outubro ottobre oct okt out ott",
    "november novembre noviembre novembro nov",
    "december décembre decembre dezember diciembre dezembro dicembre dec déc dez dic",
];
/// Where a month stands before the day.
const MONTH_FIRST: [&str; 4] = ["US", "PH", "PR", "GU"];
const TEXT_BYTES_MAX: usize = 40;

/// `2026-12-24` of a text that is a date and nothing else; `country` (ISO 3166) tells the order.
pub(super) fn iso(text: &str, country: Option<&str>) -> Option<String> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let date = in_digits(text, country).or_else(|| in_words(text))?;
    Some(date.to_string())
}

fn in_digits(text: &str, country: Option<&str>) -> Option<Date> {
    let mark = text.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(mark, '.' | '/' | '-' | '年') {
        return None;
    }
    let marks = ['.', '/', '-', '年', '月'];
    let mut parts = text.trim_end_matches('日').split(|c| {
        let same = c == mark || mark == '年';
        same && marks.contains(&c)
    });
    let mut part = || {
        let part = parts.next()?.trim();
        (part.len() <= 4)
            .then(|| Some((part.len(), whole(part)?)))
            .flatten()
    };
    let (first, second, third) = (part()?, part()?, part()?);
    if parts.next().is_some() {
        return None;
    }
    if first.0 == 4 {
        return date(first.1, second.1, third.1);
    }
    let year = year(third)?;
    let (day, month) = match (mark, country) {
        ('.', _) => (first.1, second.1),
        _ if first.1 > 12 => (first.1, second.1),
        _ if second.1 > 12 => (second.1, first.1),
        _ if first.1 == second.1 => (first.1, second.1),
        (_, Some(country)) if MONTH_FIRST.contains(&country) => (second.1, first.1),
        // Both orders are in use there.
        (_, Some("CA") | None) => return None,
        (_, Some(_)) => (first.1, second.1),
    };
    date(year, month, day)
}

/// `24 December 2026`, `Dec 24th, 2026`, `24 de diciembre de 2026`.
fn in_words(text: &str) -> Option<Date> {
    let (mut month, mut numbers) = (None, Vec::new());
    for word in text
        .split([' ', ',', '.', '-'])
        .filter(|word| !word.is_empty())
    {
        let lower = word.to_lowercase();
        let digits = lower.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', 'e', 'º']);
        if let Some(number) = whole(digits) {
            numbers.push((digits.len(), number));
        } else if let Some(at) = month_of(&lower) {
            if month.replace(at).is_some() {
                return None;
            }
        } else if !matches!(lower.as_str(), "of" | "de" | "del" | "the") {
            return None;
        }
    }
    match (numbers.as_slice(), month) {
        ([day, year], Some(month)) if day.0 <= 2 => date(self::year(*year)?, month, day.1),
        _ => None,
    }
}

fn month_of(word: &str) -> Option<i16> {
    let known = |names: &&str| names.split(' ').any(|name| name == word);
    let at = MONTHS.iter().position(known)?;
    i16::try_from(at + 1).ok()
}

fn whole(digits: &str) -> Option<i16> {
    let fits = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| fits)
}

/// Two digits are of this century up to 69.
fn year((length, number): (usize, i16)) -> Option<i16> {
    match length {
        4 => Some(number),
        2 if number < 70 => Some(2000 + number),
        2 => Some(1900 + number),
        _ => None,
    }
}

fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let sound = (1900..=2199).contains(&year);
    Date::new(year, month, day).ok().filter(|_| sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        let cases = [
            ("2026-12-24", None, Some("2026-12-24")),
            ("24.12.2026", None, Some("2026-12-24")),
            ("1.2.26", None, Some("2026-02-01")),
            ("12/24/2026", None, Some("2026-12-24")),
            ("24/12/2026", None, Some("2026-12-24")),
            ("05/06/2026", Some("US"), Some("2026-05-06")),
            ("05/06/2026", Some("FR"), Some("2026-06-05")),
            ("05/06/2026", None, None),
            ("05/06/2026", Some("CA"), None),
            ("05-06-2026", Some("NL"), Some("2026-06-05")),
            ("24. Dezember 2026", None, Some("2026-12-24")),
            ("December 24th, 2026", None, Some("2026-12-24")),
            ("24 de diciembre de 2026", None, Some("2026-12-24")),
            ("3 août 2026", None, Some("2026-08-03")),
            ("1er mai 2026", None, Some("2026-05-01")),
            ("24-Dec-2026", None, Some("2026-12-24")),
            ("2026年12月24日", None, Some("2026-12-24")),
            ("31.02.2026", None, None),
            ("1.2.3", None, None),
            ("192.168.0.1", None, None),
            ("10.000", None, None),
            ("May", None, None),
            ("24.12.", None, None),
            ("2026", None, None),
            ("", None, None),
        ];
        for (text, country, expected) in cases {
            assert_eq!(
                iso(text, country).as_deref(),
                expected,
                "{text} {country:?}"
            );
        }
    }
}
