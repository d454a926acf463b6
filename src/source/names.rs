//! Tables of codes and the names that people give to what they stand for, kept as text beside this
//! file. Knows no field.

use std::collections::HashMap;

use crate::text::push_plain;

/// Codes by folded name.
pub(super) type Codes = HashMap<String, &'static str>;

/// Reads a table: on each line a code, a space, and names with `|` between them.
pub(super) fn table(text: &'static str) -> Codes {
    let mut codes = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (code, names) = line.split_once(' ').unwrap_or((line, ""));
        for name in names.split('|').filter(|name| !name.is_empty()) {
            codes.insert(folded(name), code);
        }
    }
    codes
}

/// Lower case, no accents, one space where spaces and punctuation stood.
pub(super) fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut gap = false;
    for letter in name.chars() {
        if letter.is_whitespace() || letter.is_ascii_punctuation() || matches!(letter, '’' | '–')
        {
            gap = true;
            continue;
        }
        if gap && !folded.is_empty() {
            folded.push(' ');
        }
        gap = false;
        push_plain(&mut folded, letter);
    }
    folded
}
