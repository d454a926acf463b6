//! A thing in a rule, outside the engine: what `quick.rs` reckons with.

use rhai::ImmutableString;

use super::facts::{
    AttributionFact, EmailFact, FieldsFact, LeadFact, Number, PhoneFact, SeenFact, Text,
};
use super::lists::List;
use super::words::Kind;

/// One thing of any type that words are asked of, or give.
#[derive(Clone)]
pub(super) enum Value {
    Lead(LeadFact),
    Email(EmailFact),
    Phone(PhoneFact),
    Seen(SeenFact),
    Fields(FieldsFact),
    Attribution(AttributionFact),
    Text(Text),
    Number(Number),
    Whole(i64),
    Truth(bool),
    List(List),
    Quoted(ImmutableString),
}

/// A Rust type that rules can hold.
pub(super) trait Said: Clone + Send + Sync + 'static {
    const KIND: Kind;

    fn wrap(self) -> Value;

    fn held(value: &Value) -> Option<&Self>;
}

macro_rules! said {
    ($($variant:ident($type:ty): $kind:ident;)+) => {
        $(impl Said for $type {
            const KIND: Kind = Kind::$kind;

            fn wrap(self) -> Value {
                Value::$variant(self)
            }

            fn held(value: &Value) -> Option<&Self> {
                if let Value::$variant(it) = value {
                    return Some(it);
                }
                None
            }
        })+
    };
}

said! {
    Lead(LeadFact): Lead;
    Email(EmailFact): Email;
    Phone(PhoneFact): Phone;
    Seen(SeenFact): Seen;
    Fields(FieldsFact): Fields;
    Attribution(AttributionFact): Attribution;
    Text(Text): Text;
    Number(Number): Number;
    Whole(i64): Number;
    Truth(bool): Truth;
    List(List): List;
    Quoted(ImmutableString): Quoted;
}
