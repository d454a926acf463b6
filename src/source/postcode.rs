//! Postcodes in the spelling of their country; what does not fit its pattern stays as it came.

/// A country's pattern: `9` a digit, `A` a letter, all else as it stands.
const PATTERNS: &[(&str, &[&str])] = &[
    ("DE FR ES IT FI MX", &["99999"]),
    ("US", &["99999", "99999-9999"]),
    ("AT CH BE DK NO LU HU AU NZ ZA", &["9999"]),
    ("CA", &["A9A 9A9"]),
    ("NL", &["9999 AA"]),
    (
        "GB",
        &[
            "A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA",
        ],
    ),
    ("IE", &["A99 XXXX"]),
    ("PL", &["99-999"]),
    ("PT", &["9999-999"]),
    ("SE CZ SK GR", &["999 99"]),
    ("BR", &["99999-999"]),
    ("JP", &["999-9999"]),
    ("IN", &["999999"]),
];
/// Countries whose codes begin with a nought that spreadsheets lose.
const LOST_NOUGHT: [&str; 5] = ["DE", "US", "FR", "ES", "IT"];

/// The code in the spelling of `country` (ISO 3166).
pub(super) fn normal(text: &str, country: &str) -> String {
    let upper = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_uppercase();
    let Some((_, patterns)) = PATTERNS
        .iter()
        .find(|(codes, _)| codes.split(' ').any(|code| code == country))
    else {
        return upper;
    };
    let bare = without_prefix(&upper, country);
    // A number cell of a spreadsheet.
    let bare = bare.strip_suffix(".0").unwrap_or(bare);
    let marks: String = bare.chars().filter(char::is_ascii_alphanumeric).collect();
    let nought = format!("0{marks}");
    let lost = LOST_NOUGHT.contains(&country) && marks.len() == 4;
    let spellings = [Some(marks.as_str()), lost.then_some(nought.as_str())];
    let only_known = bare
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'));
    let fitting = spellings
        .into_iter()
        .flatten()
        .flat_map(|marks| patterns.iter().filter_map(move |p| fitted(marks, p)));
    fitting
        .take(usize::from(only_known))
        .next()
        .unwrap_or_else(|| text.to_owned())
}

/// `D-10115`, `CH 8001`.
fn without_prefix<'t>(text: &'t str, country: &str) -> &'t str {
    let short = if matches!(
        country,
        "DE" | "AT" | "FR" | "BE" | "IT" | "ES" | "SE" | "FI"
    ) {
        country.get(..1)
    } else {
        None
    };
    let cut = |prefix: &str| {
        let rest = text.strip_prefix(prefix)?;
        let rest = rest.strip_prefix(['-', ' '])?;
        rest.starts_with(|c: char| c.is_ascii_digit())
            .then_some(rest)
    };
    cut(country).or_else(|| short.and_then(cut)).unwrap_or(text)
}

/// The marks in the order of a pattern, if each fits.
fn fitted(marks: &str, pattern: &str) -> Option<String> {
    let mut marks = marks.chars();
    let mut spelled = String::with_capacity(pattern.len());
    for place in pattern.chars() {
        let fits: fn(char) -> bool = match place {
            '9' => |c| c.is_ascii_digit(),
            'A' => |c| c.is_ascii_uppercase(),
            'X' => |c| c.is_ascii_alphanumeric(),
            mark => {
                spelled.push(mark);
                continue;
            }
        };
        spelled.push(marks.next().filter(|c| fits(*c))?);
    }
    marks.next().is_none().then_some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_take_the_spelling_of_their_country() {
        let cases = [
            ("10115", "DE", "10115"),
            ("D-10115", "DE", "10115"),
            ("DE 10115", "DE", "10115"),
            ("1067", "DE", "01067"),
            ("10115.0", "DE", "10115"),
            ("CH-8001", "CH", "8001"),
            ("A-1010", "AT", "1010"),
            ("940431351", "US", "94043-1351"),
            ("94043-1351", "US", "94043-1351"),
            ("2139", "US", "02139"),
            ("sw1a1aa", "GB", "SW1A 1AA"),
            ("ec1 a1bb", "GB", "EC1A 1BB"),
            ("m11ae", "GB", "M1 1AE"),
            ("k1a0b6", "CA", "K1A 0B6"),
            ("1012ab", "NL", "1012 AB"),
            ("d02x285", "IE", "D02 X285"),
            ("00950", "PL", "00-950"),
            ("1000 205", "PT", "1000-205"),
            ("11122", "SE", "111 22"),
            ("01310100", "BR", "01310-100"),
            ("12345", "GB", "12345"),
            ("Berlin", "DE", "Berlin"),
            ("10115/10117", "DE", "10115/10117"),
            (" ab  12 ", "XX", "AB 12"),
        ];
        for (text, country, expected) in cases {
            assert_eq!(normal(text, country), expected, "{text} {country}");
        }
    }
}
