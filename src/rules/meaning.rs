//! What the parts of a condition mean to lint: the type of a name, what may be compared with what,
//! and how to say it. Knows types only, no leads.

use super::words::{self, Kind, Word};
use crate::problem::nearest;

/// A message and what to do about it.
type Said = (String, Option<String>);

/// The type of a name that rules can use; names of the rules' own have none that is known.
pub(super) fn of_variable(name: &str) -> Option<Kind> {
    words::asked_globally(name)
        .filter(|word| word.takes.is_none())
        .and_then(|word| Kind::named(word.gives))
}

/// Whether things of this type are the engine's own, with more words than ours.
pub(super) fn is_native(kind: Kind) -> bool {
    match kind {
        Kind::Quoted | Kind::Written | Kind::Number | Kind::Truth => true,
        Kind::Lead
        | Kind::Email
        | Kind::Phone
        | Kind::Seen
        | Kind::Fields
        | Kind::Attribution
        | Kind::Text
        | Kind::List => false,
    }
}

/// What a person who wrote a thing of this type as a condition may have meant.
pub(super) fn question_for(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Text => Some("whether it was given is asked by .exists"),
        Kind::Email => Some("lead.has_email, or one of .is_valid, .is_free, .is_role"),
        Kind::Phone => Some("lead.has_phone, or .is_valid"),
        Kind::Seen => Some("seen.before"),
        Kind::Number => Some("compare it: > 0"),
        Kind::List | Kind::Written => Some("membership is asked by `in`"),
        Kind::Lead | Kind::Fields | Kind::Attribution | Kind::Quoted | Kind::Truth => None,
    }
}

/// A field that a type does not have.
pub(super) fn unknown_field(kind: Kind, name: &str) -> Said {
    let near = nearest(name, words::asked_of(kind).map(|word| word.name));
    let elsewhere = words::table().find(|word| word.name == name);
    let hint = match (near, elsewhere) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(word)) => format!("for example {}", word.example),
        (None, None) if kind == Kind::Lead => {
            format!("a field that a source sends besides is lead.fields.{name}")
        }
        (None, None) => {
            let known = words::asked_of(kind).map(|word| word.name);
            format!("known here: {}", known.collect::<Vec<_>>().join(", "))
        }
    };
    (format!("{} has no `{name}`", kind.spoken()), Some(hint))
}

const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

const ARITHMETIC: [&str; 6] = ["+", "-", "*", "/", "%", "**"];

/// The type of what an operator gives.
pub(super) fn result_of(operator: &str, kinds: &[Option<Kind>]) -> Option<Kind> {
    if COMPARISONS.contains(&operator) || operator == "contains" {
        return Some(Kind::Truth);
    }
    if gives_text(operator, kinds) {
        return Some(Kind::Quoted);
    }
    let numbers = kinds.iter().all(|kind| *kind == Some(Kind::Number));
    numbers.then_some(Kind::Number)
}

/// What is wrong with an operator between things of these types, if anything is known to be.
pub(super) fn of_operator(name: &str, kinds: &[Option<Kind>], with_empty: bool) -> Option<Said> {
    let known: Vec<Kind> = kinds.iter().copied().flatten().collect();
    if name == "contains" {
        return match kinds {
            [list, item] => of_membership(*list, *item),
            _ => None,
        };
    }
    if ARITHMETIC.contains(&name) {
        return of_arithmetic(name, kinds);
    }
    if !COMPARISONS.contains(&name) {
        return None;
    }
    let fact = |kind: &Kind| matches!(kind, Kind::Text | Kind::Email);
    if with_empty && known.iter().any(fact) {
        return Some((
            "a text that was left out equals nothing, not even \"\"".to_owned(),
            Some("ask .is_empty or .exists".to_owned()),
        ));
    }
    if let Some(kind) = known.iter().find(|kind| whole_of(**kind).is_some()) {
        let hint = whole_of(*kind).map(str::to_owned);
        return Some((format!("{} cannot be compared", kind.spoken()), hint));
    }
    let [left, right] = known.as_slice() else {
        return None;
    };
    of_comparison(name, *left, *right)
}

/// Whether an operator makes a text of these: puts one together, or takes a part out of it.
fn gives_text(operator: &str, kinds: &[Option<Kind>]) -> bool {
    let quoted = Some(Kind::Quoted);
    (operator == "+" && kinds.contains(&quoted)) || (operator == "-" && kinds == [quoted; 2])
}

/// What is wrong with reckoning with things of these types.
fn of_arithmetic(name: &str, kinds: &[Option<Kind>]) -> Option<Said> {
    let ([Some(left), Some(right)], false) = (kinds, gives_text(name, kinds)) else {
        return None;
    };
    let both = [*left, *right];
    if both == [Kind::Written; 2] {
        return None;
    }
    let kind = both.into_iter().find(|kind| *kind != Kind::Number)?;
    let hint = matches!(kind, Kind::Text).then(|| "its number is .number".to_owned());
    Some((
        format!("`{name}` reckons with numbers, this is {}", kind.spoken()),
        hint,
    ))
}

/// What is wrong with a thing of this type in the parentheses of a word; `listed` is something in a
/// list there that is no text.
pub(super) fn of_argument(
    word: &Word,
    kind: Kind,
    listed: Option<Kind>,
) -> Option<(String, String)> {
    let name = word.name;
    let is_question = word.on == Kind::Text.name();
    let takes = kind == Kind::Quoted
        || (is_question && matches!(kind, Kind::Text | Kind::List | Kind::Written));
    let wanted = if is_question {
        "a text or a list"
    } else {
        "a text in quotes"
    };
    let hint = format!("for example {}", word.example);
    if !takes {
        return Some((
            format!("`{name}` takes {wanted}, this is {}", kind.spoken()),
            hint,
        ));
    }
    let listed = listed?.spoken();
    Some((
        format!("`{name}` takes a list of texts, here stands {listed} in it"),
        hint,
    ))
}

fn of_comparison(name: &str, left: Kind, right: Kind) -> Option<Said> {
    let has = |kind: Kind| left == kind || right == kind;
    let has_text = has(Kind::Text) || has(Kind::Email) || has(Kind::Quoted);
    if has(Kind::Truth) && left != right {
        return Some((
            "yes or no is compared with something else".to_owned(),
            Some("leave the comparison out, or begin with `!`".to_owned()),
        ));
    }
    if has(Kind::Number) && (has(Kind::Quoted) || has(Kind::Email)) {
        return Some((
            "a number is compared with a text".to_owned(),
            Some("a number stands without quotes".to_owned()),
        ));
    }
    if has_text && !has(Kind::Number) && !matches!(name, "==" | "!=") {
        return Some((
            format!("texts have no order, `{name}` compares numbers"),
            Some("its number is .number, its length .length".to_owned()),
        ));
    }
    None
}

/// Things that are more than one value, with the value that was probably meant.
fn whole_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Lead => Some("compare one of its fields: lead.country"),
        Kind::Phone => Some("compare .e164, .country or .kind"),
        Kind::Seen => Some("compare seen.times or seen.days_ago"),
        Kind::Fields => Some("name a field: lead.fields.employees"),
        Kind::Attribution => Some("name one: lead.attribution[\"gclid\"]"),
        Kind::List | Kind::Written => Some("membership is asked by `in`"),
        Kind::Email | Kind::Text | Kind::Number | Kind::Truth | Kind::Quoted => None,
    }
}

fn of_membership(list: Option<Kind>, item: Option<Kind>) -> Option<Said> {
    if let Some(kind) = item.filter(|kind| whole_of(*kind).is_some()) {
        let hint = whole_of(kind).map(str::to_owned);
        return Some((format!("{} cannot be in a list", kind.spoken()), hint));
    }
    let (list, spoken) = (list?, item.map(Kind::spoken).unwrap_or_default());
    let is_text = |kind| matches!(kind, Kind::Text | Kind::Email | Kind::Quoted);
    match (list, item) {
        (Kind::Quoted, Some(item)) if item != Kind::Quoted => Some((
            "`in` asks a list, this is a text in quotes".to_owned(),
            Some("one text is compared by `==`; several stand in [ ]".to_owned()),
        )),
        (Kind::Text | Kind::Email, Some(item)) if !matches!(item, Kind::Text | Kind::Quoted) => {
            let hint = "for example \"demo\" in lead.message".to_owned();
            Some((
                format!("a text is looked for in a text, this is {spoken}"),
                Some(hint),
            ))
        }
        (Kind::List, Some(item)) if !is_text(item) => Some((
            format!("texts stand in this list, {spoken} is looked for"),
            Some("numbers in a list stand without quotes: [8, 9]".to_owned()),
        )),
        (Kind::List | Kind::Written | Kind::Text | Kind::Email | Kind::Quoted, _) => None,
        (list, _) => Some((
            format!("`in` asks a list, this is {}", list.spoken()),
            Some("for example [\"DE\", \"AT\"] or list(\"competitors\")".to_owned()),
        )),
    }
}
