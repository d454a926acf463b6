//! Languages as people write them, as ISO 639 codes.

use std::sync::LazyLock;

use super::names::{self, Codes};

static NAMES: LazyLock<Codes> = LazyLock::new(|| names::table(include_str!("data/languages.txt")));

/// The code of a language's name or tag (`de`, `de-AT`, `pt_BR`); `None` for what is neither.
pub(super) fn code(text: &str) -> Option<String> {
    let text = text.trim();
    let tag = text.split(['-', '_']).next().unwrap_or_default();
    if tag.len() == 2 && tag.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Some(tag.to_ascii_lowercase());
    }
    NAMES
        .get(names::folded(text).as_str())
        .map(|code| (*code).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_read_as_people_write_them() {
        let cases = [
            ("DE", Some("de")),
            ("pt_BR", Some("pt")),
            ("de-AT", Some("de")),
            ("German", Some("de")),
            ("deu", Some("de")),
            ("Español", Some("es")),
            ("čeština", Some("cs")),
            ("Klingon", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text).as_deref(), expected, "{text}");
        }
    }
}
