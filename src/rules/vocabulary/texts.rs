//! The words of every text, and membership in lists.

use std::collections::BTreeMap;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString};

use super::super::compare::{has_email, whole};
use super::super::facts::{EmailFact, Number, Text};
use super::super::lists::List;
use super::super::needles;
use super::super::words::{Field, Kind, Question, Speech, plain_error};
use super::super::{engine, text};

/// Teaches an engine the words of texts and lists.
pub(super) fn teach(speech: &mut Speech<'_>, named: &BTreeMap<String, List>) {
    speech.text_fields(TRUTHS);
    speech.text_fields(COUNTS);
    speech.text_fields(&[LOWER]);
    speech.text_fields(&[NUMBER]);
    speech.text_questions(QUESTIONS);
    speech.fields(&[LIST_LENGTH]);
    let doc =
        "A list of rules/lists by its file name; an entry `*.rival.example` covers all below it.";
    let example = "lead.email.domain in list(\"competitors\")";
    speech.note(None, "list", Some(1), Kind::List, (doc, example));
    membership(speech.engine, named);
    further(speech.engine);
}

const TRUTHS: &[Field<Text, bool>] = &[
    (
        "exists",
        Text::exists,
        "Whether it was given at all.",
        "lead.website.exists",
    ),
    (
        "is_empty",
        |t| !t.exists(),
        "Whether it was left out.",
        "lead.company.is_empty",
    ),
];

const COUNTS: &[Field<Text, i64>] = &[
    (
        "length",
        |t| count(t.raw().chars().count()),
        "How many characters.",
        "lead.message.length < 10",
    ),
    (
        "words",
        |t| count(t.raw().split_whitespace().count()),
        "How many words.",
        "lead.message.words >= 20",
    ),
    (
        "links",
        |t| text::links(t.raw()),
        "How many web addresses stand in it.",
        "lead.message.links > 1",
    ),
];

const LOWER: Field<Text, Text> = (
    "lower",
    |t| Text::of(Some(&t.raw().to_lowercase())),
    "The same in small letters.",
    "lead.source.lower == \"web\"",
);

const NUMBER: Field<Text, Number> = (
    "number",
    Text::number,
    "The first number in it: 1.000,50 or 10k or 50-100 (its lower bound).",
    "lead.fields.employees.number >= 500",
);

const QUESTIONS: &[Question] = &[
    (
        "contains",
        |text, other| text.contains(other),
        "Whether the other text, or any of a list, stands in it anywhere.",
        "lead.utm_campaign.contains(\"brand\")",
    ),
    (
        "starts_with",
        |text, other| text.starts_with(other),
        "Whether it begins with the other text, or with any of a list.",
        "lead.postcode.starts_with([\"80\", \"81\"])",
    ),
    (
        "ends_with",
        |text, other| text.ends_with(other),
        "Whether it ends with the other text, or with any of a list.",
        "lead.email.domain.ends_with(\".edu\")",
    ),
    (
        "mentions",
        needles::mentions,
        "Whether these words, or any of a list, stand in it as whole words; `preis*` also finds longer ones.",
        "lead.message.mentions([\"demo\", \"preis*\"])",
    ),
];

const LIST_LENGTH: Field<List, i64> = (
    "length",
    |l| count(l.length()),
    "How many entries.",
    "list(\"competitors\").length > 0",
);

/// `x in y` is `contains(y, x)`.
fn membership(engine: &mut rhai::Engine, named: &BTreeMap<String, List>) {
    let named = named.clone();
    let find = move |name: ImmutableString| -> Result<List, Box<EvalAltResult>> {
        let found = named.get(name.as_str()).cloned();
        let short = text::cut(&name, 40);
        found.ok_or_else(|| plain_error(format!("there is no list \"{short}\" in rules/lists")))
    };
    engine
        .register_fn("list", find)
        .register_fn("contains", |l: &mut List, t: Text| l.has(t.folded()))
        .register_fn("contains", |l: &mut List, t: ImmutableString| {
            l.has(&text::fold(&t))
        })
        .register_fn("contains", |l: &mut List, e: EmailFact| has_email(l, &e))
        .register_fn("contains", |l: &mut Array, t: Text| among(l, &t))
        .register_fn("contains", |l: &mut Array, e: EmailFact| {
            among(l, e.whole()) || among(l, e.domain())
        })
        .register_fn("contains", |l: &mut Array, n: Number| {
            l.iter().any(|item| n.0.is_some() && number_of(item) == n.0)
        });
}

/// Texts as the engine's own.
fn further(engine: &mut rhai::Engine) {
    engine
        .register_fn("to_string", |t: &mut Text| shortened(t))
        .register_fn("to_string", |e: &mut EmailFact| shortened(e.whole()))
        .register_fn("to_string", |n: &mut Number| {
            n.0.map_or_else(String::new, |n| n.to_string())
        });
}

/// A plain text of the engine, within its limit.
fn shortened(text: &Text) -> ImmutableString {
    text::cut(text.raw(), engine::STRING_BYTES_MAX / 2).into()
}

/// A list written in a function, or kept in a variable; elsewhere it is made a set when loaded.
fn among(items: &Array, text: &Text) -> bool {
    let same = |item: &Dynamic| {
        let item = item.read_lock::<ImmutableString>();
        item.is_some_and(|item| text.is(&item))
    };
    items.iter().any(same)
}

fn number_of(item: &Dynamic) -> Option<f64> {
    let float = item.as_float().ok();
    float.or_else(|| item.as_int().ok().map(whole))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::super::words::words;

    #[test]
    fn every_word_stands_once_and_explains_itself() {
        let mut seen = std::collections::BTreeSet::new();
        for word in words() {
            assert!(seen.insert((word.on, word.name)), "{} twice", word.name);
            assert!(word.example.contains(word.name), "{}", word.name);
            assert!(word.doc.ends_with('.'), "{}", word.doc);
        }
        assert!(seen.len() > 50);
    }
}
