//! Countries as people write them, as ISO 3166-1 codes.

use std::sync::LazyLock;

use super::names::{self, Codes};
use crate::lead::codes;

/// Names and three-letter codes; from the Unicode CLDR and what forms were seen to send.
static NAMES: LazyLock<Codes> = LazyLock::new(|| names::table(include_str!("data/countries.txt")));

/// The code of a country's code or name; `None` for what is neither.
pub(super) fn code(text: &str) -> Option<String> {
    let text = text.trim();
    if let [a, b] = text.as_bytes()
        && a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
    {
        let upper = text.to_ascii_uppercase();
        if upper == "UK" {
            return Some("GB".into());
        }
        return codes::is_country(&upper).then_some(upper);
    }
    NAMES
        .get(names::folded(text).as_str())
        .map(|code| (*code).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_read_as_people_write_them() {
        let cases = [
            ("de", Some("DE")),
            ("Deutschland", Some("DE")),
            ("DEUTSCHLAND ", Some("DE")),
            ("United States", Some("US")),
            ("U.S.A.", Some("US")),
            ("États-Unis", Some("US")),
            ("Côte d’Ivoire", Some("CI")),
            ("Österreich", Some("AT")),
            ("Oesterreich", Some("AT")),
            ("Schweiz", Some("CH")),
            ("日本", Some("JP")),
            ("Україна", Some("UA")),
            ("भारत", Some("IN")),
            ("Türkiye", Some("TR")),
            ("uk", Some("GB")),
            ("ESP", Some("ES")),
            ("zaf", Some("ZA")),
            ("Narnia", None),
            ("Kongo", None),
            ("ZZ", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_code_of_the_table_is_a_country_by_itself_too() {
        for code_of_name in NAMES.values() {
            assert_eq!(code(code_of_name).as_deref(), Some(*code_of_name));
        }
    }
}
