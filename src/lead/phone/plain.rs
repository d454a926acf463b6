//! Numbers that need no regular expressions to be taken apart: digits with the usual marks between
//! them, in plans whose trunk prefix is known. They are most of those that come, and the library takes
//! several microseconds for each. Whatever is out of the ordinary is not read here. Knows what the
//! library would make of them, and nothing of what kind of line they are.

use rlibphonenumber::{PhoneNumber, Region};

/// The longest number of E.164.
const DIGITS_MAX: usize = 15;
/// The United States, Canada and their neighbours: ten digits, of which the first is no 0 or 1.
const NORTH_AMERICA: (i32, usize) = (1, 10);

/// Plans in which nothing but a 0 is dialled before a number within the country, and no number
/// begins with one. Shorter ones than the last figure may be dialled within one town only, and the 0
/// may belong to them.
const ZERO_BEFORE: &[(Region, i32, usize)] = &[
    (Region::DE, 49, 7),
    (Region::AT, 43, 7),
    (Region::CH, 41, 9),
    (Region::GB, 44, 9),
    (Region::FR, 33, 9),
    (Region::NL, 31, 9),
    (Region::BE, 32, 8),
    (Region::SE, 46, 7),
    (Region::IE, 353, 7),
    (Region::IN, 91, 10),
];

/// The number that the library would read in `text`, if it is a plain one.
pub(super) fn read(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let (digits, is_international) = match text.strip_prefix('+') {
        Some(rest) => (digits(rest)?, true),
        None => (digits(text)?, false),
    };
    let digits = digits.as_str();
    let (country_code, national) = if is_international {
        international(digits)?
    } else {
        within(digits, region?)?
    };
    Some(PhoneNumber {
        country_code,
        national_number: national.parse().ok()?,
        ..PhoneNumber::default()
    })
}

fn international(digits: &str) -> Option<(i32, &str)> {
    if let Some(national) = digits.strip_prefix('1') {
        return is_north_american(national).then_some((NORTH_AMERICA.0, national));
    }
    let (head, two) = (digits.get(..3)?, digits.get(..2)?);
    let (head, two): (i32, i32) = (head.parse().ok()?, two.parse().ok()?);
    let of_plan = |(_, code, _): &&(Region, i32, usize)| *code == two || *code == head;
    let (_, code, least) = ZERO_BEFORE.iter().find(of_plan)?;
    let national = digits.get(if *code == two { 2 } else { 3 }..)?;
    is_whole(national, *least).then_some((*code, national))
}

fn within(digits: &str, region: Region) -> Option<(i32, &str)> {
    if matches!(region, Region::US | Region::CA) {
        return is_north_american(digits).then_some((NORTH_AMERICA.0, digits));
    }
    let of_plan = |(plan, ..): &&(Region, i32, usize)| *plan == region;
    let (_, code, least) = ZERO_BEFORE.iter().find(of_plan)?;
    let national = digits.strip_prefix('0')?;
    is_whole(national, *least).then_some((*code, national))
}

fn is_whole(national: &str, least: usize) -> bool {
    national.len() >= least && !national.starts_with('0')
}

fn is_north_american(national: &str) -> bool {
    national.len() == NORTH_AMERICA.1 && !national.starts_with(['0', '1'])
}

/// The digits of a text that holds nothing else but marks between them.
fn digits(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(DIGITS_MAX);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' if digits.len() < DIGITS_MAX => digits.push(char::from(byte)),
            b' ' | b'-' | b'.' | b'(' | b')' => {}
            _ => return None,
        }
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::PHONE_NUMBER_UTIL as UTIL;

    use super::*;

    /// Every beginning of three digits in every length, as it is dialled from abroad and at home.
    #[test]
    fn what_is_read_here_is_what_the_library_reads() {
        let plans = ZERO_BEFORE.iter().map(|(region, code, _)| (*region, *code));
        let plans = plans.chain([(Region::US, 1), (Region::CA, 1)]);
        let (mut read_here, mut all) = (0, 0);
        for (region, code) in plans {
            for (begin, length) in (0..1_000).flat_map(|b| (4..=13).map(move |l| (b, l))) {
                let tail = "4815926370481".get(begin % 3..).unwrap_or_default();
                let number = format!("{begin:03}{tail}");
                let number = number.get(..length).unwrap_or_default();
                let (area, rest) = number.split_at(3);
                let text = match begin % 4 {
                    0 => format!("+{code} {number}"),
                    1 => format!("+{code}-({area}) {rest}"),
                    2 if code != 1 => format!("0{area}-{rest}"),
                    _ => format!("({area}) {rest}"),
                };
                all += 1;
                let Some(here) = read(&text, Some(region)).filter(|n| UTIL.is_possible_number(n))
                else {
                    continue;
                };
                read_here += 1;
                let theirs = UTIL.parse(&text, Some(region)).ok();
                assert_eq!(theirs, Some(here), "{text} {region:?}");
            }
        }
        assert!(read_here * 5 > all, "{read_here} of {all}");
    }
}
