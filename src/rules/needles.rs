//! Finds words in a text: each as whole words, or with a `*` as the beginning or end of one. Texts
//! and words are folded. One pass over the text, however many words are looked for.

use super::limit;
use super::text::{ends_in_letter, starts_in_letter};

/// The words looked for.
pub(super) struct Needles {
    /// Those that begin where a word begins, by their first byte.
    by_first: Box<[Shelf; 256]>,
    /// Those that may begin anywhere.
    anywhere: Vec<Needle>,
}

/// So many words of the same first byte are faster tried one by one than looked up.
const FEW: usize = 8;

/// Words of the same first byte. Boxed, since a text goes along many shelves and finds most of them empty.
enum Shelf {
    Few(Vec<Needle>),
    Many(Box<Sorted>),
}

/// Words of the same first byte: however many they are, a word of a text is looked up in few steps.
#[derive(Default)]
struct Sorted {
    /// By their first word, since that must stand in the text as it is.
    by_head: Vec<(Box<str>, Vec<Needle>)>,
    /// Single words with a `*` behind; none begins with another.
    stems: Vec<Box<str>>,
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

    fn is_stem(&self) -> bool {
        self.open_right && head(&self.word).len() == self.word.len()
    }
}

/// The word that a text begins with.
fn head(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric());
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

impl Shelf {
    fn of(needles: Vec<Needle>) -> Self {
        if needles.len() <= FEW {
            return Self::Few(needles);
        }
        Self::Many(Box::new(Sorted::of(needles)))
    }

    /// Whether any of the words stands at the beginning of `rest`, where a word begins.
    fn any_begins(&self, rest: &str) -> bool {
        match self {
            Self::Few(needles) => needles.iter().any(|needle| needle.begins(rest)),
            Self::Many(sorted) => sorted.any_begins(rest),
        }
    }
}

impl Sorted {
    fn of(mut needles: Vec<Needle>) -> Self {
        needles.sort_by(|a, b| (head(&a.word), &a.word).cmp(&(head(&b.word), &b.word)));
        let mut sorted = Self::default();
        for needle in needles {
            if needle.is_stem() {
                let last = sorted.stems.last();
                if last.is_none_or(|last| !needle.word.starts_with(&**last)) {
                    sorted.stems.push(needle.word);
                }
                continue;
            }
            let head = head(&needle.word);
            match sorted.by_head.last_mut() {
                Some((known, needles)) if **known == *head => needles.push(needle),
                Some(_) | None => sorted.by_head.push((head.into(), vec![needle])),
            }
        }
        sorted
    }

    fn any_begins(&self, rest: &str) -> bool {
        let head = head(rest);
        let found = self
            .by_head
            .binary_search_by(|(known, _)| (**known).cmp(head));
        let needles = found.ok().and_then(|at| self.by_head.get(at));
        if needles.is_some_and(|(_, needles)| needles.iter().any(|needle| needle.begins(rest))) {
            return true;
        }
        // No stem begins with another, so only the last that is not behind can be the beginning.
        let behind = self.stems.partition_point(|stem| **stem <= *head);
        let stem = behind.checked_sub(1).and_then(|at| self.stems.get(at));
        stem.is_some_and(|stem| head.starts_with(&**stem))
    }
}

impl Needles {
    pub(super) fn of(words: &[Box<str>]) -> Self {
        let mut by_first = [const { Vec::new() }; 256];
        let mut anywhere = Vec::new();
        for (needle, open_left) in words.iter().filter_map(|word| Needle::of(word)) {
            let first = needle.word.bytes().next().map(usize::from);
            let home = first.and_then(|first| by_first.get_mut(first));
            match home {
                Some(home) if !open_left => home.push(needle),
                Some(_) | None => anywhere.push(needle),
            }
        }
        let by_first = Box::new(by_first.map(Shelf::of));
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
        at_word_start() || limit::any(&self.anywhere, |needle| is_anywhere(needle, text))
    }

    fn begins_at(&self, text: &str, at: usize) -> bool {
        let first = text.as_bytes().get(at).map(|byte| usize::from(*byte));
        let shelf = first.and_then(|first| self.by_first.get(first));
        shelf.is_some_and(|shelf| shelf.any_begins(text.get(at..).unwrap_or_default()))
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

    #[test]
    fn a_long_list_finds_what_each_of_its_words_finds() {
        let mut words = vec![];
        for a in ["de", "demo", "demos", "den", "d", "deme", "über", "e", "em"] {
            words.extend([a.to_owned(), format!("{a}*"), format!("*{a}")]);
            words.extend(["de", "e x"].map(|b| format!("{a} {b}")));
            words.extend(["de", "x"].map(|b| format!("{a}-{b}*")));
        }
        let words: Vec<Box<str>> = words.iter().map(|word| fold(word).into()).collect();
        let texts = [
            "demo",
            "demos",
            "demon den",
            "a de-x",
            "e de",
            "demo e x",
            "ubers",
        ];
        for text in texts
            .into_iter()
            .chain(["emo", "denk", "dx", "zz de demo-xy", "dem", "x d-"])
        {
            for list in (0..words.len()).flat_map(|at| [words.get(at..), words.get(..at)]) {
                let list = list.unwrap_or_default();
                let wanted = list.iter().any(|word| mentions(text, word));
                assert_eq!(Needles::of(list).any_in(text), wanted, "{list:?} in {text}");
            }
        }
    }
}
