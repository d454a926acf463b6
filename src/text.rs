//! How texts of people are read and compared: without regard to case, accents and spacing, so that
//! "Café" is found by `cafe`; and the numbers in them as people write numbers. Knows nothing of leads.

use std::borrow::Cow;

/// The part of a text that is looked into; the rest of a longer one is stored, not searched.
const SEARCHED_BYTES_MAX: usize = 64 * 1024;

/// The form in which texts are compared: lower case, without accents, one space where several or
/// line breaks stood.
pub fn fold(text: &str) -> Cow<'_, str> {
    let text = cut(text.trim(), SEARCHED_BYTES_MAX);
    if is_folded(text) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.chars() {
        if letter.is_whitespace() {
            gap = true;
            continue;
        }
        if gap && !folded.is_empty() {
            folded.push(' ');
        }
        gap = false;
        if letter.is_ascii() {
            folded.push(letter.to_ascii_lowercase());
        } else {
            push_plain(&mut folded, letter);
        }
    }
    Cow::Owned(folded)
}

fn is_folded(text: &str) -> bool {
    let mut before = b'x';
    text.bytes().all(|byte| {
        let twice = byte == b' ' && before == b' ';
        before = byte;
        byte.is_ascii() && !byte.is_ascii_uppercase() && byte >= b' ' && !twice
    })
}

/// The longest beginning of `text` that fits `bytes` and ends between two characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Adds a letter in lower case and without its accents.
pub fn push_plain(folded: &mut String, letter: char) {
    let plain = match letter {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' => "a",
        'Æ' | 'æ' => "ae",
        'Ç' | 'ç' | 'Ć'..='č' => "c",
        'Ď'..='đ' | 'Ð' | 'ð' => "d",
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' => "e",
        'Ĝ'..='ģ' => "g",
        'Ĥ'..='ħ' => "h",
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' => "i",
        'Ĵ' | 'ĵ' => "j",
        'Ķ'..='ĸ' => "k",
        'Ĺ'..='ł' => "l",
        'Ñ' | 'ñ' | 'Ń'..='ŋ' => "n",
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='ő' => "o",
        'Œ' | 'œ' => "oe",
        'Ŕ'..='ř' => "r",
        'Ś'..='š' | 'Ș' | 'ș' => "s",
        'ß' | 'ẞ' => "ss",
        'Ţ'..='ŧ' | 'Ț' | 'ț' => "t",
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' => "u",
        'Ŵ' | 'ŵ' => "w",
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "y",
        'Ź'..='ž' => "z",
        '\u{2018}' | '\u{2019}' => "'",
        // Accents that stand as characters of their own, and what is not seen at all.
        '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => "",
        other => {
            folded.extend(other.to_lowercase());
            return;
        }
    };
    folded.push_str(plain);
}

/// The first number of a text as people write it: `1.000,50`, `10k`, `50-100` (its lower bound),
/// `> 500`. `None` where there is none.
pub fn number(text: &str) -> Option<f64> {
    let text = cut(text, 256);
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let negative = is_negative(text.get(..start).unwrap_or_default());
    let rest = text.get(start..).unwrap_or_default();
    let length = rest
        .char_indices()
        .find(|(at, c)| !is_within_number(rest, *at, *c))
        .map_or(rest.len(), |(at, _)| at);
    let (digits, after) = rest.split_at_checked(length)?;
    let value: f64 = plain_digits(digits).parse().ok()?;
    let value = value * factor(after);
    Some(if negative { -value } else { value }).filter(|v| v.is_finite())
}

/// A minus counts only where nothing but space and currency signs surround it: `EUR-5` is 5.
fn is_negative(before: &str) -> bool {
    before
        .trim_end_matches(['$', '€', '£', ' '])
        .strip_suffix(['-', '−'])
        .is_some_and(|rest| rest.trim().is_empty())
}

fn is_within_number(rest: &str, at: usize, c: char) -> bool {
    let digit_follows = || {
        rest.get(at + c.len_utf8()..)
            .and_then(|r| r.chars().next())
            .is_some_and(|n| n.is_ascii_digit())
    };
    // A space groups thousands only where three digits follow and then no further one.
    let group_follows = || {
        let after = rest.get(at + c.len_utf8()..).unwrap_or_default();
        after.chars().take_while(char::is_ascii_digit).count() == 3
    };
    match c {
        '0'..='9' => true,
        '.' | ',' => digit_follows(),
        '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}' => group_follows(),
        _ => false,
    }
}

/// Decides which of `.` and `,` is the decimal mark: the later of two different ones; a single one
/// unless exactly three digits follow it.
fn plain_digits(digits: &str) -> String {
    let last = digits.rfind(['.', ',']);
    let decimal = last.filter(|&at| {
        let mark = digits.get(at..=at).unwrap_or_default();
        let other = if mark == "." { "," } else { "." };
        let alone = digits.matches(mark).count() == 1;
        let after = digits.len() - at - 1;
        alone && (digits.contains(other) || after != 3 || digits.starts_with('0'))
    });
    let mut plain = String::with_capacity(digits.len());
    for (at, c) in digits.char_indices() {
        if c.is_ascii_digit() {
            plain.push(c);
        } else if decimal == Some(at) {
            plain.push('.');
        }
    }
    plain
}

/// What a number is multiplied with: a word right behind it, or behind the end of its range, as in
/// `5-10 Mio`.
fn factor(after: &str) -> f64 {
    if let Some(factor) = factor_word(after) {
        return factor;
    }
    let range = after.trim_start().trim_start_matches(['-', '–', '—']);
    let range = RANGE_WORDS
        .iter()
        .find_map(|word| range.strip_prefix(word))
        .unwrap_or(range)
        .trim_start();
    let is_range = range.len() < after.trim_start().len();
    let within = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let end = range.trim_start_matches(within);
    let behind = factor_word(end).filter(|_| is_range && end.len() < range.len());
    behind.unwrap_or(1.0)
}

fn factor_word(after: &str) -> Option<f64> {
    let after = after.trim_start();
    let word_end = after
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(after.len());
    let (word, rest) = after
        .split_at_checked(word_end)
        .filter(|(word, _)| !word.is_empty())?;
    // `120 m2` is a unit.
    if rest.starts_with(|c: char| c.is_numeric()) {
        return None;
    }
    let word = word.to_lowercase();
    let mut known = FACTORS.iter();
    let known = known.find(|(words, _)| words.split(' ').any(|known| known == word));
    known.map(|(_, factor)| *factor)
}

const FACTORS: &[(&str, f64)] = &[
    ("k tsd tausend thousand mil mila mille", 1_000.0),
    ("lakh lac", 100_000.0),
    (
        "m mio mn mln mill million millions millionen millón millones milhão milhões milioni",
        1_000_000.0,
    ),
    ("crore cr", 10_000_000.0),
    (
        "mrd bn billion billions milliarden milliards",
        1_000_000_000.0,
    ),
];
const RANGE_WORDS: [&str; 3] = ["to ", "bis ", "à "];
const CURRENCIES: [&str; 16] = [
    "eur", "euro", "euros", "usd", "us", "dollar", "dollars", "gbp", "pounds", "chf", "fr", "sfr",
    "franken", "cad", "aud", "inr",
];
/// More digits are no amount but an id.
const AMOUNT_DIGITS_MAX: usize = 15;

/// The number of a text that is nothing but a number, an amount of money or a range of them, as
/// [`number`] reads it. `None` for an id, a phone number, a text with a number in it.
pub fn amount(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let leading = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut first = leading.bytes();
    let is_id = first.next() == Some(b'0') && first.next().is_some_and(|b| b.is_ascii_digit());
    if is_id || !(1..=AMOUNT_DIGITS_MAX).contains(&digits) || !is_grouped(leading) {
        return None;
    }
    let sign = |c: char| c.is_ascii_digit() || c.is_whitespace() || "$€£¥.,'’-–−".contains(c);
    let plus_behind = text.strip_suffix('+').unwrap_or(text);
    let is_known = |word: &str| {
        let word = word.to_lowercase();
        CURRENCIES.contains(&word.as_str())
            || RANGE_WORDS.iter().any(|range| range.trim_end() == word)
            || factor_word(&word).is_some()
    };
    let mut words = plus_behind.split(|c: char| !c.is_alphabetic());
    let only_signs = plus_behind.chars().all(|c| c.is_alphabetic() || sign(c));
    let numbers = plus_behind.split(['-', '–']).filter(|part| has_digit(part));
    let is_amount = only_signs && words.all(|w| w.is_empty() || is_known(w)) && numbers.count() < 3;
    number(text).filter(|_| is_amount)
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
}

/// Whether a mark that stands several times in a number has three digits behind it each time.
fn is_grouped(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
    let digits = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let digits = digits.trim_end_matches(['.', ',']);
    ['.', ','].into_iter().all(|mark| {
        let mut groups = digits.split(mark).skip(1);
        let whole = |group: &str| group.split(['.', ',']).next().is_some_and(|g| g.len() == 3);
        digits.matches(mark).count() < 2 || groups.all(whole)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let cases = [
            ("1.000,50", Some(1000.5)),
            ("1,000.50", Some(1000.5)),
            ("1.000.000", Some(1_000_000.0)),
            ("1,000", Some(1000.0)),
            ("3.5", Some(3.5)),
            ("0.125", Some(0.125)),
            ("10k", Some(10_000.0)),
            ("2,5 Mio", Some(2_500_000.0)),
            ("50-100", Some(50.0)),
            ("50 - 100 employees", Some(50.0)),
            ("51–200", Some(51.0)),
            ("500+", Some(500.0)),
            ("> 500", Some(500.0)),
            ("1 000", Some(1000.0)),
            ("1'000", Some(1000.0)),
            ("-5", Some(-5.0)),
            ("EUR 12.000,-", Some(12_000.0)),
            ("about ten", None),
            ("", None),
            ("5 km", Some(5.0)),
            ("1.000,50 €", Some(1000.5)),
            ("€ 5-10 Mio", Some(5_000_000.0)),
            ("5 to 10k", Some(5_000.0)),
            ("1,5 Mio.", Some(1_500_000.0)),
            ("10k€", Some(10_000.0)),
            ("2 Mrd. EUR", Some(2_000_000_000.0)),
            ("10-20", Some(10.0)),
            ("120 m2", Some(120.0)),
            ("2 lakh", Some(200_000.0)),
        ];
        for (text, wanted) in cases {
            assert_eq!(number(text), wanted, "{text}");
        }
        assert_eq!(
            number(&"9".repeat(400)),
            Some(1e256).filter(|_| false).or(number(&"9".repeat(256)))
        );
    }

    #[test]
    fn an_amount_is_nothing_but_a_number() {
        let cases = [
            ("10k", Some(10_000.0)),
            ("1.000,50 €", Some(1000.5)),
            ("€ 5-10 Mio", Some(5_000_000.0)),
            ("USD 1,200", Some(1200.0)),
            ("CHF 1'200.-", Some(1200.0)),
            ("EUR 12.000,-", Some(12_000.0)),
            ("1.000+", Some(1000.0)),
            ("50 - 100", Some(50.0)),
            ("12", Some(12.0)),
            ("0.5", Some(0.5)),
            ("about 10k", None),
            ("+49 30 901820", None),
            ("030 901820", None),
            ("1.2.3", None),
            ("24.12.2026", None),
            ("10:30", None),
            ("1-2-3", None),
            ("5 km", None),
            ("12345678901234567890", None),
            ("k", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(amount(text), wanted, "{text}");
        }
    }
}
