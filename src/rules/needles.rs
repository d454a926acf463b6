//! Finds words in a text: each as whole words, or with a `*` as the beginning or end of one. Texts
//! and words are folded. One pass over the text, however many words are looked for.

use super::text::{ends_in_letter, starts_in_letter};

/// The words looked for.
pub(super) struct Needles {
    /// Those that begin where a word begins, by their first byte.
    by_first: Box<[Vec<Needle>; 256]>,
    /// Those that may begin anywhere.
    anywhere: Vec<Needle>,
}

struct Needle {
    word: Box<str>,
    open_right: bool,
}

impl Needle {
    fn of(written: &str) -> Option<(Self, bool)> {
        let bare = written.trim_matches('*').trim();
        let open_left = written.starts_with('*') || !starts_in_letter(bare);
        let needle = Self {
            word: bare.into(),
            open_right: written.ends_with('*') || !ends_in_letter(bare),
        };
        (!bare.is_empty()).then_some((needle, open_left))
    }

    /// Whether the word stands at the beginning of `rest` and ends where it must.
    fn begins(&self, rest: &str) -> bool {
        let after = rest.strip_prefix(&*self.word);
        after.is_some_and(|after| self.open_right || !starts_in_letter(after))
    }
}

impl Needles {
    pub(super) fn of(words: &[Box<str>]) -> Self {
        let mut by_first = Box::new([const { Vec::new() }; 256]);
        let mut anywhere = Vec::new();
        for (needle, open_left) in words.iter().filter_map(|word| Needle::of(word)) {
            let first = needle.word.bytes().next().map(usize::from);
            let home = first.and_then(|first| by_first.get_mut(first));
            match home {
                Some(home) if !open_left => home.push(needle),
                Some(_) | None => anywhere.push(needle),
            }
        }
        Self { by_first, anywhere }
    }

    /// Whether any of the words stands in `text`.
    pub(super) fn any_in(&self, text: &str) -> bool {
        let at_word_start = || {
            let mut within = false;
            text.char_indices().any(|(at, letter)| {
                let starts = !within;
                within = letter.is_alphanumeric();
                starts && within && self.begins_at(text, at)
            })
        };
        at_word_start() || self.anywhere.iter().any(|needle| is_anywhere(needle, text))
    }

    fn begins_at(&self, text: &str, at: usize) -> bool {
        let first = text.as_bytes().get(at).map(|byte| usize::from(*byte));
        let Some(found) = first.and_then(|first| self.by_first.get(first)) else {
            return false;
        };
        let rest = text.get(at..).unwrap_or_default();
        found.iter().any(|needle| needle.begins(rest))
    }
}

fn is_anywhere(needle: &Needle, text: &str) -> bool {
    text.match_indices(&*needle.word)
        .any(|(at, _)| text.get(at..).is_some_and(|rest| needle.begins(rest)))
}

/// Whether one word stands in `text`.
pub(super) fn mentions(text: &str, word: &str) -> bool {
    let Some((needle, open_left)) = Needle::of(word) else {
        return false;
    };
    text.match_indices(&*needle.word).any(|(at, _)| {
        let (before, rest) = text.split_at_checked(at).unwrap_or_default();
        (open_left || !ends_in_letter(before)) && needle.begins(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::super::text::fold;
    use super::*;

    #[test]
    fn words_are_found_whole_without_case_and_accents() {
        let cases = [
            ("We want a DEMO.", "demo", true),
            ("demolition works", "demo", false),
            ("Café  Crème", "cafe creme", true),
            ("Straße", "strasse", true),
            ("Produktdemo bitte", "*demo", true),
            ("Produktdemos bitte", "*demo", false),
            ("Produktdemo bitte", "demo", false),
            ("die Preisliste", "preis*", true),
            ("Zoë", "zoe", true),
            ("C++ and C#", "c++", true),
            ("demo", "demo", true),
            ("a co-founder", "co-founder", true),
            ("anything", "*", false),
            ("anything", "", false),
            ("", "demo", false),
            ("ДЕМО", "демо", true),
        ];
        for (text, word, wanted) in cases {
            let (text, word) = (fold(text), fold(word));
            assert_eq!(mentions(&text, &word), wanted, "{word} in {text}");
            let among = Needles::of(&["zzz".into(), word.clone().into()]);
            assert_eq!(among.any_in(&text), wanted, "list with {word} in {text}");
        }
    }
}
