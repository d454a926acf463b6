//! Names of people, made fit to greet them with: spacing, shouting, `Last, First`, courtesy titles.
//! A name in a script without case, and one that has both cases already, keeps its letters.

/// Words of courtesy before a name; academic titles are part of it and stay.
const COURTESY: [&str; 22] = [
    "mr", "mrs", "ms", "miss", "mx", "herr", "herrn", "frau", "hr", "fr", "señor", "señora", "sra",
    "sr", "srta", "monsieur", "madame", "mme", "mlle", "signor", "signora", "dhr",
];
/// What stands behind a comma without being a given name.
const SUFFIXES: [&str; 22] = [
    "jr", "sr", "ii", "iii", "iv", "md", "phd", "mba", "esq", "cpa", "dds", "rn", "pe", "msc",
    "bsc", "ma", "ba", "llm", "inc", "llc", "ltd", "gmbh",
];
/// Written small inside a name.
const PARTICLES: [&str; 28] = [
    "von", "vom", "van", "vander", "der", "den", "ten", "ter", "zu", "zum", "zur", "de", "del",
    "della", "di", "da", "das", "dos", "do", "du", "la", "las", "los", "le", "y", "e", "und",
    "bin",
];

/// A whole name.
pub(super) fn whole(text: &str) -> String {
    let spaced = spaced(text);
    let bare = without_courtesy(&spaced);
    match turned(bare) {
        Some((first, last)) => calm(&format!("{first} {last}")),
        None => calm(bare),
    }
}

/// Given and family name of `Last, First`.
pub(super) fn parts(text: &str) -> Option<(String, String)> {
    let spaced = spaced(text);
    let (first, last) = turned(without_courtesy(&spaced))?;
    Some((calm(first), calm(last)))
}

/// A given or family name alone.
pub(super) fn part(text: &str) -> String {
    calm(&spaced(text))
}

/// One space where several or line breaks stood, and nothing that is not seen.
fn spaced(text: &str) -> String {
    // Joiners stay: several scripts need them.
    let unseen = |c: char| {
        matches!(
            c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{2060}'
        ) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut spaced = String::with_capacity(text.len());
    for word in text.split(char::is_whitespace) {
        let mut seen = word.chars().filter(|c| !unseen(*c)).peekable();
        if seen.peek().is_some() && !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.extend(seen);
    }
    spaced
}

fn without_courtesy(name: &str) -> &str {
    let Some((first, rest)) = name.split_once(' ') else {
        return name;
    };
    let bare = first.trim_end_matches('.');
    // Titles that could be the initials of a name need the dot.
    let short = bare.chars().count() < 3 && !first.ends_with('.');
    let upper_case_initials = short && !matches!(bare, "Mr" | "Ms" | "mr" | "ms" | "Hr" | "hr");
    let lower = bare.to_lowercase();
    let known = COURTESY.contains(&lower.as_str());
    if known && !upper_case_initials {
        rest
    } else {
        name
    }
}

/// `Last, First` as first and last.
fn turned(name: &str) -> Option<(&str, &str)> {
    let (last, first) = name.split_once(',')?;
    let (last, first) = (last.trim(), first.trim());
    let letters = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '’' | '.');
    let mut words = first
        .split(' ')
        .map(|word| word.replace('.', "").to_lowercase());
    let is_name = |text: &str| !text.is_empty() && text.chars().all(letters);
    let is_suffix = words.any(|word| SUFFIXES.contains(&word.as_str()));
    (is_name(last) && is_name(first) && !is_suffix).then_some((first, last))
}

/// Capitals at the beginning of words, where a name is all large or all small.
fn calm(name: &str) -> String {
    let large = name.chars().any(char::is_uppercase);
    let small = name.chars().any(|c| c.is_lowercase() && c != 'ß');
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    // Two capitals are as likely initials.
    if large == small || (large && letters < 3) {
        return name.to_owned();
    }
    let turkish = name.contains(['İ', 'Ğ', 'ğ']) || (small && name.contains('ı'));
    let words = name.split(' ').enumerate();
    let calmed = words.map(|(at, word)| {
        let lower = lowered(word, turkish);
        if at > 0 && PARTICLES.contains(&lower.as_str()) {
            return lower;
        }
        if word.contains('.') && large {
            return word.to_owned(); // initials: J.R.
        }
        capitals(&lower, turkish)
    });
    calmed.collect::<Vec<_>>().join(" ")
}

fn lowered(word: &str, turkish: bool) -> String {
    let mut lower = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            'I' if turkish => lower.push('ı'),
            'İ' => lower.push('i'),
            c => lower.extend(c.to_lowercase()),
        }
    }
    lower
}

/// A capital at the start, behind hyphens and apostrophes, and behind `Mc`.
fn capitals(lower: &str, turkish: bool) -> String {
    let mut calmed = String::with_capacity(lower.len());
    let mut start = true;
    for c in lower.chars() {
        match c {
            'i' if start && turkish => calmed.push('İ'),
            // A letter such as ß, whose capital is two, stays.
            c if start && c.to_uppercase().count() == 1 => calmed.extend(c.to_uppercase()),
            c => calmed.push(c),
        }
        start = matches!(c, '-' | '\'' | '’') || (calmed == "Mc" && lower.chars().count() > 4);
    }
    calmed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit_to_greet_with_and_never_destroyed() {
        let cases = [
            ("  Ana \n Díaz ", "Ana Díaz"),
            ("ANA DÍAZ", "Ana Díaz"),
            ("ana díaz", "Ana Díaz"),
            ("Díaz, Ana", "Ana Díaz"),
            ("VON DER LEYEN, URSULA", "Ursula von der Leyen"),
            ("DE LA CRUZ, MARÍA JOSÉ", "María José de la Cruz"),
            ("Herr Jürgen Müller", "Jürgen Müller"),
            ("Mr. John Smith", "John Smith"),
            ("Mrs Smith", "Smith"),
            ("Dr. Eva Klein", "Dr. Eva Klein"),
            ("Miss", "Miss"),
            ("MS Dhoni", "MS Dhoni"),
            ("SR Patel", "SR Patel"),
            ("MARY O'NEIL-MCDONALD", "Mary O'Neil-Mcdonald"),
            ("RONALD MCDONALD", "Ronald McDonald"),
            ("Angela McGregor", "Angela McGregor"),
            ("Ludwig van Beethoven", "Ludwig van Beethoven"),
            ("LUDWIG VAN BEETHOVEN", "Ludwig van Beethoven"),
            ("J.R. SMITH", "J.R. Smith"),
            ("JD", "JD"),
            ("Smith, Jr.", "Smith, Jr."),
            ("Smith, MD", "Smith, MD"),
            ("Doe, Jane, PhD", "Doe, Jane, PhD"),
            ("İSMAİL IŞIK", "İsmail Işık"),
            ("GROß", "Groß"),
            ("ПЕТР ИВАНОВ", "Петр Иванов"),
            ("王小明", "王小明"),
            ("محمد علي", "محمد علي"),
            ("अनीता शर्मा", "अनीता शर्मा"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("Ana\u{200b} \u{202e}\u{202c} Díaz", "Ana Díaz"),
            ("bell hooks 👩\u{200d}🔬", "Bell Hooks 👩\u{200d}🔬"),
            ("X", "X"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(whole(text), expected, "{text}");
        }
        let turned = parts("Müller-Lüdenscheidt, Eva");
        let expected = ("Eva".to_owned(), "Müller-Lüdenscheidt".to_owned());
        assert_eq!(turned, Some(expected));
        assert_eq!(parts("Eva Klein"), None);
        assert_eq!(part("KLEIN"), "Klein");
    }
}
