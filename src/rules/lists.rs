//! Lists of words and domains: the files of `rules/lists`, the lists written into a rule, and those
//! that come with leadgate. Membership takes the same time whatever the length.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, OnceLock};

use super::limit;
use super::needles::Needles;
use super::text;

/// A list; cheap to clone.
#[derive(Clone)]
pub(super) struct List(Arc<Entries>);

struct Entries {
    /// In the order written, folded.
    words: Vec<Box<str>>,
    exact: HashSet<Box<str>>,
    /// Of entries `*.rival.example`: the domain itself and all below it.
    domains: HashSet<Box<str>>,
    /// Made when first looked for in a text.
    needles: OnceLock<Needles>,
}

impl List {
    /// A list of the words as they stand.
    pub(super) fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<Box<str>> = words.into_iter().map(|w| text::fold(w).into()).collect();
        let (mut exact, mut domains) = (HashSet::new(), HashSet::new());
        for word in &words {
            match word.strip_prefix("*.") {
                Some(domain) => domains.insert(domain.into()),
                None => exact.insert(word.clone()),
            };
        }
        Self(Arc::new(Entries {
            words,
            exact,
            domains,
            needles: OnceLock::new(),
        }))
    }

    /// A list file: one entry a line, `#` begins a comment.
    pub(super) fn read(file: &str) -> Self {
        Self::of(entries(text::without_mark(file)))
    }

    /// Whether `folded` is in the list.
    pub(super) fn has(&self, folded: &str) -> bool {
        if folded.is_empty() {
            return false;
        }
        self.0.exact.contains(folded)
            || (!self.0.domains.is_empty() && is_below(&self.0.domains, folded))
    }

    /// Whether any entry stands in `folded` as whole words.
    pub(super) fn any_mentioned(&self, folded: &str) -> bool {
        let words = self.0.needles.get_or_init(|| Needles::of(&self.0.words));
        words.any_in(folded)
    }

    /// Whether any entry, as it is written, fits.
    pub(super) fn any(&self, fits: impl Fn(&str) -> bool) -> bool {
        limit::any(&self.0.words, |word| !word.is_empty() && fits(word))
    }

    pub(super) fn length(&self) -> usize {
        self.0.words.len()
    }
}

fn entries(file: &str) -> impl Iterator<Item = &str> {
    file.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|entry| !entry.is_empty())
}

fn is_below<S: std::borrow::Borrow<str> + Eq + std::hash::Hash>(
    domains: &HashSet<S>,
    domain: &str,
) -> bool {
    let mut rest = domain;
    loop {
        if domains.contains(rest) {
            return true;
        }
        match rest.split_once('.') {
            Some((_, parent)) => rest = parent,
            None => return false,
        }
    }
}

type Shipped = LazyLock<HashSet<&'static str>>;

static FREE: Shipped = LazyLock::new(|| entries(include_str!("data/free.txt")).collect());
static ROLES: Shipped = LazyLock::new(|| entries(include_str!("data/role.txt")).collect());
static DISPOSABLE: Shipped =
    LazyLock::new(|| entries(include_str!("data/disposable.txt")).collect());

/// Whether anybody can have a mailbox at `domain`.
pub(super) fn is_free_mail(domain: &str) -> bool {
    FREE.contains(domain)
}

/// Whether `domain`, or one above it, hands out throw-away mailboxes.
pub(super) fn is_disposable(domain: &str) -> bool {
    is_below(&DISPOSABLE, domain)
}

/// Whether a mailbox of this name belongs to a task instead of a person; `info+ads` is `info`.
pub(super) fn is_role(local: &str) -> bool {
    let bare = local.split('+').next().unwrap_or_default();
    ROLES.contains(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starred_domain_covers_what_is_below_it() {
        let list = List::read("# rivals\nrival.example\n*.Other.example # all of them\n");
        let cases = [
            ("rival.example", true),
            ("mail.rival.example", false),
            ("other.example", true),
            ("a.b.other.example", true),
            ("another.example", false),
            ("", false),
        ];
        for (domain, wanted) in cases {
            assert_eq!(list.has(domain), wanted, "{domain}");
        }
    }

    #[test]
    fn shipped_lists_know_the_usual_and_do_not_overlap() {
        assert!(is_free_mail("gmail.com") && !is_free_mail("acme.example"));
        assert!(is_disposable("mailinator.com") && is_disposable("x.mailinator.com"));
        assert!(is_role("info") && is_role("sales+ads") && !is_role("ana.diaz"));
        let both: Vec<_> = FREE.iter().filter(|d| is_disposable(d)).collect();
        assert!(both.is_empty(), "free and disposable: {both:?}");
    }
}
