//! The table of every word that rules know: one row registers the word with the engine, tells lint
//! its type and the documentation its meaning. The rows themselves are in `vocabulary.rs`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rhai::{Array, Dynamic, Engine, ImmutableString};

use super::facts::{
    AttributionFact, EmailFact, FieldsFact, LeadFact, Number, PhoneFact, SeenFact, Text,
};
use super::lists::List;
use super::vocabulary;

/// One word of the rules' language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it is asked of: `lead`, `email`, `text`, …; empty for a word that stands alone.
    pub on: &'static str,
    /// The word.
    pub name: &'static str,
    /// How many things stand in its parentheses; `None` for a word without parentheses.
    pub takes: Option<usize>,
    /// The type of its answer: `text`, `number`, `yes or no`, …
    pub gives: &'static str,
    /// What it means, in one sentence.
    pub doc: &'static str,
    /// A condition that uses it.
    pub example: &'static str,
}

/// What type a thing in a rule has, as far as lint can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Lead,
    Email,
    Phone,
    Seen,
    Fields,
    Attribution,
    Text,
    Number,
    Truth,
    List,
    /// A text written in the rule itself.
    Quoted,
    /// A list written in the rule itself.
    Written,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Lead,
        Self::Email,
        Self::Phone,
        Self::Seen,
        Self::Fields,
        Self::Attribution,
        Self::Text,
        Self::Number,
        Self::Truth,
        Self::List,
        Self::Quoted,
        Self::Written,
    ];

    /// The name in documentation and messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Seen => "seen",
            Self::Fields => "fields",
            Self::Attribution => "attribution",
            Self::Text => "text",
            Self::Number => "number",
            Self::Truth => "yes or no",
            Self::List => "list",
            Self::Quoted => "quoted text",
            Self::Written => "written list",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A Rust type that rules can hold.
pub(super) trait Said: Clone + Send + Sync + 'static {
    const KIND: Kind;
}

macro_rules! said {
    ($($kind:ident: $($type:ty)+;)+) => { $($(impl Said for $type { const KIND: Kind = Kind::$kind; })+)+ };
}

said! {
    Lead: LeadFact;
    Email: EmailFact;
    Phone: PhoneFact;
    Seen: SeenFact;
    Fields: FieldsFact;
    Attribution: AttributionFact;
    Text: Text;
    Number: Number i64 f64;
    Truth: bool;
    List: List;
    Quoted: ImmutableString;
    Written: Array;
}

/// What a word means, and a condition that uses it.
pub(super) type Meaning = (&'static str, &'static str);

/// Registers words with an engine and keeps the table of them.
pub(super) struct Speech<'e> {
    pub(super) engine: &'e mut Engine,
    words: Vec<Word>,
}

impl<'e> Speech<'e> {
    pub(super) fn new(engine: &'e mut Engine) -> Self {
        Self {
            engine,
            words: Vec::new(),
        }
    }

    /// A word after a dot, without parentheses.
    pub(super) fn field<T: Said, R: Said>(
        &mut self,
        name: &'static str,
        get: fn(&mut T) -> R,
        meaning: Meaning,
    ) {
        self.engine.register_get(name, get);
        self.note(T::KIND.name(), name, None, R::KIND, meaning);
    }

    /// A word after a dot that takes one thing in parentheses.
    pub(super) fn method<T: Said, A: Said, R: Said>(
        &mut self,
        name: &'static str,
        run: fn(&mut T, A) -> R,
        meaning: Meaning,
    ) {
        self.engine.register_fn(name, run);
        self.note(T::KIND.name(), name, Some(1), R::KIND, meaning);
    }

    /// A field of every text, and of the e-mail address as a text.
    pub(super) fn text_field<R: Said>(
        &mut self,
        name: &'static str,
        get: fn(&Text) -> R,
        meaning: Meaning,
    ) {
        self.engine
            .register_get(name, move |text: &mut Text| get(text));
        self.engine
            .register_get(name, move |email: &mut EmailFact| get(email.whole()));
        self.note(Kind::Text.name(), name, None, R::KIND, meaning);
    }

    /// A question with a text, of every text and of the e-mail address as a text. `ask` gets the
    /// text folded and the other as written, neither of them empty.
    pub(super) fn text_method(
        &mut self,
        name: &'static str,
        ask: fn(&str, &str) -> bool,
        meaning: Meaning,
    ) {
        let ask = move |text: &Text, other: &str| {
            text.exists() && !other.is_empty() && ask(text.folded(), other)
        };
        self.engine
            .register_fn(name, move |t: &mut Text, o: ImmutableString| ask(t, &o))
            .register_fn(name, move |t: &mut Text, o: Text| ask(t, o.raw()))
            .register_fn(name, move |t: &mut EmailFact, o: ImmutableString| {
                ask(t.whole(), &o)
            })
            .register_fn(name, move |t: &mut EmailFact, o: Text| {
                ask(t.whole(), o.raw())
            });
        self.note(Kind::Text.name(), name, Some(1), Kind::Truth, meaning);
    }

    /// A word that is registered elsewhere: variables, and functions that need more than an engine.
    pub(super) fn note(
        &mut self,
        on: &'static str,
        name: &'static str,
        takes: Option<usize>,
        gives: Kind,
        (doc, example): Meaning,
    ) {
        self.words.push(Word {
            on,
            name,
            takes,
            gives: gives.name(),
            doc,
            example,
        });
    }
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let mut scratch = Engine::new_raw();
    let mut speech = Speech::new(&mut scratch);
    vocabulary::teach(&mut speech, &BTreeMap::new());
    speech.words
});

/// Every word with its type, meaning and an example.
pub fn words() -> Vec<Word> {
    WORDS.clone()
}

/// The same without copying.
pub(super) fn table() -> &'static [Word] {
    &WORDS
}

/// The word `name` as asked of a thing of `kind`; an e-mail address is a text as well.
pub(super) fn find(kind: Kind, name: &str) -> Option<&'static Word> {
    asked_of(kind).find(|word| word.name == name)
}

/// Whether some word of this name takes something in parentheses.
pub(super) fn is_function(name: &str) -> bool {
    table()
        .iter()
        .any(|word| word.name == name && word.takes.is_some())
}

/// The word `name` that stands alone.
pub(super) fn asked_globally(name: &str) -> Option<&'static Word> {
    table()
        .iter()
        .find(|word| word.on.is_empty() && word.name == name)
}

/// The type of a field `name`, where it is the same whatever has it.
pub(super) fn gives_everywhere(name: &str) -> Option<Kind> {
    let mut all = table().iter().filter(|word| word.name == name);
    let first = all.next()?;
    let same = first.takes.is_none() && all.all(|word| word.gives == first.gives);
    same.then(|| Kind::named(first.gives)).flatten()
}

/// Every word that can be asked of a thing of `kind`.
pub(super) fn asked_of(kind: Kind) -> impl Iterator<Item = &'static Word> {
    let second = if kind == Kind::Email {
        Kind::Text
    } else {
        kind
    };
    table()
        .iter()
        .filter(move |word| word.on == kind.name() || word.on == second.name())
}

/// An error in a rule in our own words, which hold no field value and so may be shown.
pub(super) fn plain_error(message: impl Into<String>) -> Box<rhai::EvalAltResult> {
    let message = Dynamic::from(Shown(message.into()));
    Box::new(rhai::EvalAltResult::ErrorRuntime(
        message,
        rhai::Position::NONE,
    ))
}

/// The message of [`plain_error`].
#[derive(Clone)]
pub(super) struct Shown(pub(super) String);
