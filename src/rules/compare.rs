//! How facts are compared and reckoned with: a missing one is never equal, never more, never less.
//! Knows no words; `vocabulary.rs` holds those.

use rhai::{Engine, ImmutableString};

use super::facts::{EmailFact, Number, Text};
use super::vocabulary::whole;

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
    fn both<A: Numeric, B: Numeric>(a: &A, b: &B, holds: fn(&f64, &f64) -> bool) -> bool {
        match (a.value(), b.value()) {
            (Some(a), Some(b)) => holds(&a, &b),
            _ => false,
        }
    }
    engine
        .register_fn("==", |a: A, b: B| both(&a, &b, f64::eq))
        .register_fn("!=", |a: A, b: B| !both(&a, &b, f64::eq))
        .register_fn("<", |a: A, b: B| both(&a, &b, f64::lt))
        .register_fn("<=", |a: A, b: B| both(&a, &b, f64::le))
        .register_fn(">", |a: A, b: B| both(&a, &b, f64::gt))
        .register_fn(">=", |a: A, b: B| both(&a, &b, f64::ge));
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
