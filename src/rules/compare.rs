//! How facts are compared and reckoned with: a missing one is never equal, never more, never less.
//! Knows no words; `vocabulary.rs` holds those.

use rhai::{Engine, ImmutableString};

use super::facts::{EmailFact, Number, Text};
use super::lists::List;
use super::text;
use super::value::Value;

/// The six comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Comparison {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Equal, "=="),
        (Self::Unequal, "!="),
        (Self::Less, "<"),
        (Self::LessOrEqual, "<="),
        (Self::More, ">"),
        (Self::MoreOrEqual, ">="),
    ];

    /// The comparison of a sign.
    pub(super) fn of(sign: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == sign)
            .map(|(how, _)| *how)
    }

    fn numbers(self, a: Option<f64>, b: Option<f64>) -> bool {
        let (Some(a), Some(b)) = (a, b) else {
            return self == Self::Unequal;
        };
        let order = a.total_cmp(&b);
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::More => order.is_gt(),
            Self::MoreOrEqual => order.is_ge(),
        }
    }

    fn texts(self, same: bool) -> Option<bool> {
        match self {
            Self::Equal => Some(same),
            Self::Unequal => Some(!same),
            Self::Less | Self::LessOrEqual | Self::More | Self::MoreOrEqual => None,
        }
    }
}

/// Compares two things; `None` where only the engine knows how.
pub(super) fn values(how: Comparison, a: &Value, b: &Value) -> Option<bool> {
    use Value::{Email, Quoted, Text, Truth};
    match (a, b) {
        (Text(a), Quoted(b)) | (Quoted(b), Text(a)) => how.texts(a.is(b)),
        (Text(a), Text(b)) => how.texts(same(a, b)),
        (Email(a), Quoted(b)) => how.texts(a.whole().is(b)),
        (Email(a), Text(b)) | (Text(b), Email(a)) => how.texts(same(a.whole(), b)),
        (Quoted(a), Quoted(b)) => how.texts(a == b),
        (Truth(a), Truth(b)) => how.texts(a == b),
        (a, b) => Some(how.numbers(number(a)?.0, number(b)?.0)),
    }
}

/// The number of a thing that can be compared as one.
fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Whole(number) => Some(Number(Some(whole(*number)))),
        Value::Text(text) => Some(text.number()),
        Value::Lead(_)
        | Value::Email(_)
        | Value::Phone(_)
        | Value::Seen(_)
        | Value::Fields(_)
        | Value::Attribution(_)
        | Value::Truth(_)
        | Value::List(_)
        | Value::Quoted(_) => None,
    }
}

/// Whether a list holds a thing; `None` where only the engine knows.
pub(super) fn is_in(list: &Value, item: &Value) -> Option<bool> {
    match (list, item) {
        (Value::List(list), Value::Text(text)) => Some(list.has(text.folded())),
        (Value::List(list), Value::Email(email)) => Some(has_email(list, email)),
        (Value::List(list), Value::Quoted(text)) => Some(list.has(&text::fold(text))),
        _ => None,
    }
}

/// An address is in a list by itself or by its domain.
pub(super) fn has_email(list: &List, email: &EmailFact) -> bool {
    list.has(email.whole().folded()) || list.has(email.domain().folded())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts, points and milliseconds are far below 2^53"
)]
pub(super) fn whole(n: i64) -> f64 {
    n as f64
}

/// Something that may hold a number.
trait Numeric: Clone + Send + Sync + 'static {
    fn value(&self) -> Option<f64>;
}

impl Numeric for i64 {
    fn value(&self) -> Option<f64> {
        Some(whole(*self))
    }
}

impl Numeric for f64 {
    fn value(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Numeric for Number {
    fn value(&self) -> Option<f64> {
        self.0
    }
}

impl Numeric for Text {
    fn value(&self) -> Option<f64> {
        self.number().0
    }
}

/// Teaches an engine to compare and reckon.
pub(super) fn teach(engine: &mut Engine) {
    numbers::<Number, i64>(engine);
    numbers::<i64, Number>(engine);
    numbers::<Number, f64>(engine);
    numbers::<f64, Number>(engine);
    numbers::<Number, Number>(engine);
    numbers::<Text, i64>(engine);
    numbers::<i64, Text>(engine);
    numbers::<Text, f64>(engine);
    numbers::<f64, Text>(engine);
    numbers::<Text, Number>(engine);
    numbers::<Number, Text>(engine);
    arithmetic::<Number, i64>(engine);
    arithmetic::<i64, Number>(engine);
    arithmetic::<Number, f64>(engine);
    arithmetic::<f64, Number>(engine);
    arithmetic::<Number, Number>(engine);
    texts(engine);
}

fn numbers<A: Numeric, B: Numeric>(engine: &mut Engine) {
    for (how, sign) in Comparison::ALL {
        engine.register_fn(sign, move |a: A, b: B| how.numbers(a.value(), b.value()));
    }
}

fn arithmetic<A: Numeric, B: Numeric>(engine: &mut Engine) {
    fn both<A: Numeric, B: Numeric>(a: &A, b: &B, reckon: fn(f64, f64) -> f64) -> Number {
        let value = a.value().zip(b.value()).map(|(a, b)| reckon(a, b));
        Number(value.filter(|n| n.is_finite()))
    }
    engine
        .register_fn("+", |a: A, b: B| both(&a, &b, |a, b| a + b))
        .register_fn("-", |a: A, b: B| both(&a, &b, |a, b| a - b))
        .register_fn("*", |a: A, b: B| both(&a, &b, |a, b| a * b))
        .register_fn("/", |a: A, b: B| both(&a, &b, |a, b| a / b));
}

fn texts(engine: &mut Engine) {
    engine
        .register_fn("==", |a: Text, b: ImmutableString| a.is(&b))
        .register_fn("!=", |a: Text, b: ImmutableString| !a.is(&b))
        .register_fn("==", |a: ImmutableString, b: Text| b.is(&a))
        .register_fn("!=", |a: ImmutableString, b: Text| !b.is(&a))
        .register_fn("==", |a: Text, b: Text| same(&a, &b))
        .register_fn("!=", |a: Text, b: Text| !same(&a, &b))
        .register_fn("==", |a: EmailFact, b: ImmutableString| a.whole().is(&b))
        .register_fn("!=", |a: EmailFact, b: ImmutableString| !a.whole().is(&b))
        .register_fn("==", |a: EmailFact, b: Text| same(a.whole(), &b))
        .register_fn("!=", |a: EmailFact, b: Text| !same(a.whole(), &b))
        .register_fn("==", |a: Text, b: EmailFact| same(&a, b.whole()))
        .register_fn("!=", |a: Text, b: EmailFact| !same(&a, b.whole()));
}

fn same(a: &Text, b: &Text) -> bool {
    a.exists() && b.exists() && a.folded() == b.folded()
}
