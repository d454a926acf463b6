//! How texts of people are compared: without regard to case, accents and spacing, so that a rule
//! finds "Café" by `cafe`. Knows nothing of leads nor of the rules engine.

use std::borrow::Cow;

/// The part of a text that is looked into; the rest of a longer one is stored, not searched.
const SEARCHED_BYTES_MAX: usize = 64 * 1024;

/// The form in which texts are compared: lower case, without accents, one space where several or
/// line breaks stood.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
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
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn push_plain(folded: &mut String, letter: char) {
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

/// Whether the last character is part of a word.
pub(super) fn ends_in_letter(text: &str) -> bool {
    text.chars().next_back().is_some_and(char::is_alphanumeric)
}

/// Whether the first character is part of a word.
pub(super) fn starts_in_letter(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_alphanumeric)
}

/// How many web addresses stand in a text.
pub(super) fn links(text: &str) -> i64 {
    let lower = text.to_ascii_lowercase();
    let schemes = lower.matches("://").count();
    let bare = lower.match_indices("www.").filter(|(at, _)| {
        let before = lower.get(..*at).unwrap_or_default();
        !before.ends_with('/') && !ends_in_letter(before)
    });
    i64::try_from(schemes + bare.count()).unwrap_or(i64::MAX)
}

/// The first number of a text as people write it: `1.000,50`, `10k`, `50-100` (its lower bound),
/// `> 500`. `None` where there is none.
pub(super) fn number(text: &str) -> Option<f64> {
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

fn factor(after: &str) -> f64 {
    let after = after.trim_start();
    let word_end = after
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(after.len());
    let word = after.get(..word_end).unwrap_or_default().to_lowercase();
    match word.as_str() {
        "k" | "tsd" | "thousand" => 1_000.0,
        "m" | "mio" | "mn" | "million" | "millions" | "millionen" => 1_000_000.0,
        _ => 1.0,
    }
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
    fn web_addresses_are_counted_once() {
        let text = "see http://a.example, https://www.b.example and www.c.example";
        assert_eq!(links(text), 3);
    }
}
