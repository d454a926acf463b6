//! What rules look for in texts of people, besides what every room reads of them. Knows nothing of
//! leads nor of the rules engine.

pub(super) use crate::text::{cut, fold, number};

/// A file without the invisible mark that some editors begin it with.
pub(super) fn without_mark(file: &str) -> &str {
    file.strip_prefix('\u{feff}').unwrap_or(file)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_are_counted_once() {
        let text = "see http://a.example, https://www.b.example and www.c.example";
        assert_eq!(links(text), 3);
    }
}
