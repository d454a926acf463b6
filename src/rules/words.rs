//! The table of every word that rules know: one row registers the word with the engine, tells lint
//! its type and the documentation its meaning. The rows themselves are in `vocabulary.rs`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rhai::{Array, Dynamic, Engine, ImmutableString};

use super::facts::{EmailFact, Text};
use super::lists::List;
use super::value::{Said, Value};
use super::{text, vocabulary};

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

    /// The type in a sentence.
    pub(super) fn spoken(self) -> &'static str {
        match self {
            Self::Lead => "a lead",
            Self::Email => "an e-mail address",
            Self::Phone => "a phone number",
            Self::Seen => "`seen`",
            Self::Fields => "`fields`",
            Self::Attribution => "`attribution`",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Truth => "yes or no",
            Self::List | Self::Written => "a list",
            Self::Quoted => "a text in quotes",
        }
    }

    /// The type of a name in documentation.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a word means, and a condition that uses it.
pub(super) type Meaning = (&'static str, &'static str);

/// A word without parentheses, outside the engine.
pub(super) type Get = Box<dyn Fn(&Value) -> Option<Value> + Send + Sync>;
/// A word with one thing in parentheses, outside the engine.
pub(super) type Ask = Box<dyn Fn(&Value, &Value) -> Option<Value> + Send + Sync>;

/// A row of the table: the word, and how it is answered without the engine, if it can be.
pub(super) struct Row {
    pub(super) word: Word,
    kind: Option<Kind>,
    gives: Kind,
    get: Option<Get>,
    ask: Option<Ask>,
}

/// A word without parentheses: its name, what it gives, what it means and an example.
pub(super) type Field<T, R> = (&'static str, fn(&T) -> R, &'static str, &'static str);
/// A question with a text, both folded and neither of them empty.
pub(super) type Question = (
    &'static str,
    fn(&str, &str) -> bool,
    &'static str,
    &'static str,
);

/// Registers words with an engine and keeps the table of them.
pub(super) struct Speech<'e> {
    pub(super) engine: &'e mut Engine,
    rows: Vec<Row>,
}

impl<'e> Speech<'e> {
    pub(super) fn new(engine: &'e mut Engine) -> Self {
        let rows = Vec::new();
        Self { engine, rows }
    }

    /// Words after a dot, without parentheses.
    pub(super) fn fields<T: Said, R: Said>(&mut self, fields: &[Field<T, R>]) {
        for (name, get, doc, example) in fields {
            self.field(name, *get, (doc, example));
        }
    }

    /// A word after a dot, without parentheses.
    pub(super) fn field<T: Said, R: Said>(
        &mut self,
        name: &'static str,
        get: impl Fn(&T) -> R + Clone + Send + Sync + 'static,
        meaning: Meaning,
    ) {
        let outside = get.clone();
        self.engine.register_get(name, move |on: &mut T| get(on));
        let row = self.note(Some(T::KIND), name, None, R::KIND, meaning);
        row.get = Some(Box::new(move |on| Some(outside(T::held(on)?).wrap())));
    }

    /// Fields of every text, and of the e-mail address as a text.
    pub(super) fn text_fields<R: Said>(&mut self, fields: &[Field<Text, R>]) {
        for (name, get, doc, example) in fields {
            let get = *get;
            self.engine
                .register_get(*name, move |text: &mut Text| get(text))
                .register_get(*name, move |email: &mut EmailFact| get(email.whole()));
            let row = self.note(Some(Kind::Text), name, None, R::KIND, (doc, example));
            row.get = Some(Box::new(move |on| Some(get(as_text(on)?).wrap())));
        }
    }

    /// Questions with a text or any of a list, of every text and of the e-mail address as a text.
    pub(super) fn text_questions(&mut self, questions: &[Question]) {
        for (name, ask, doc, example) in questions {
            let (name, ask) = (*name, *ask);
            let with = move |text: &Text, other: &str| {
                let other = text::fold(other);
                text.exists() && !other.is_empty() && ask(text.folded(), &other)
            };
            let among = move |text: &Text, any: &List| {
                let folded = text.folded();
                match name {
                    "mentions" => any.any_mentioned(folded),
                    _ => text.exists() && any.any(|word| ask(folded, word)),
                }
            };
            let written = move |text: &Text, any: &Array| {
                any.iter().any(|item| {
                    if let Some(other) = item.read_lock::<Text>() {
                        return with(text, other.raw());
                    }
                    let quoted = item.read_lock::<ImmutableString>();
                    quoted.is_some_and(|other| with(text, &other))
                })
            };
            self.engine
                .register_fn(name, move |t: &mut Text, any: List| among(t, &any))
                .register_fn(name, move |e: &mut EmailFact, any: List| {
                    among(e.whole(), &any)
                })
                .register_fn(name, move |t: &mut Text, any: Array| written(t, &any))
                .register_fn(name, move |e: &mut EmailFact, any: Array| {
                    written(e.whole(), &any)
                })
                .register_fn(name, move |t: &mut Text, o: ImmutableString| with(t, &o))
                .register_fn(name, move |t: &mut Text, o: Text| with(t, o.raw()))
                .register_fn(name, move |t: &mut EmailFact, o: ImmutableString| {
                    with(t.whole(), &o)
                })
                .register_fn(name, move |t: &mut EmailFact, o: Text| {
                    with(t.whole(), o.raw())
                });
            let row = self.note(Some(Kind::Text), name, Some(1), Kind::Truth, (doc, example));
            row.ask = Some(Box::new(move |on, other| {
                let text = as_text(on)?;
                if let Some(any) = List::held(other) {
                    return Some(Value::Truth(among(text, any)));
                }
                let other = match ImmutableString::held(other) {
                    Some(quoted) => quoted.as_str(),
                    None => Text::held(other)?.raw(),
                };
                Some(Value::Truth(with(text, other)))
            }));
        }
    }

    /// A word that is registered elsewhere: variables, and functions that need more than an engine.
    pub(super) fn note(
        &mut self,
        kind: Option<Kind>,
        name: &'static str,
        takes: Option<usize>,
        gives: Kind,
        (doc, example): Meaning,
    ) -> &mut Row {
        let word = Word {
            on: kind.map_or("", Kind::name),
            name,
            takes,
            gives: gives.name(),
            doc,
            example,
        };
        self.rows.push_mut(Row {
            word,
            kind,
            gives,
            get: None,
            ask: None,
        })
    }
}

fn as_text(value: &Value) -> Option<&Text> {
    Text::held(value).or_else(|| EmailFact::held(value).map(EmailFact::whole))
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut scratch = Engine::new_raw();
    let mut speech = Speech::new(&mut scratch);
    vocabulary::teach(&mut speech, &BTreeMap::new());
    speech.rows
});

/// How a field is got without the engine, and what it gives.
pub(super) fn getter(kind: Kind, name: &str) -> Option<(&'static Get, Kind)> {
    let row = row(kind, name)?;
    Some((row.get.as_ref()?, row.gives))
}

/// How a question is asked without the engine, and what it gives.
pub(super) fn asker(kind: Kind, name: &str) -> Option<(&'static Ask, Kind)> {
    let row = row(kind, name)?;
    Some((row.ask.as_ref()?, row.gives))
}

fn row(kind: Kind, name: &str) -> Option<&'static Row> {
    rows_of(kind).find(|row| row.word.name == name)
}

fn rows_of(kind: Kind) -> impl Iterator<Item = &'static Row> {
    let also = (kind == Kind::Email).then_some(Kind::Text);
    ROWS.iter()
        .filter(move |row| row.kind.is_some() && (row.kind == Some(kind) || row.kind == also))
}

/// Every word with its type, meaning and an example.
pub fn words() -> Vec<Word> {
    table().cloned().collect()
}

/// The same without copying.
pub(super) fn table() -> impl Iterator<Item = &'static Word> {
    ROWS.iter().map(|row| &row.word)
}

/// The word `name` as asked of a thing of `kind`; an e-mail address is a text as well.
pub(super) fn find(kind: Kind, name: &str) -> Option<&'static Word> {
    row(kind, name).map(|row| &row.word)
}

/// Whether some word of this name takes something in parentheses.
pub(super) fn is_function(name: &str) -> bool {
    table().any(|word| word.name == name && word.takes.is_some())
}

/// The word `name` that stands alone.
pub(super) fn asked_globally(name: &str) -> Option<&'static Word> {
    table().find(|word| word.on.is_empty() && word.name == name)
}

/// The type of a field `name`, where it is the same whatever has it.
pub(super) fn gives_everywhere(name: &str) -> Option<Kind> {
    let mut all = table().filter(|word| word.name == name);
    let first = all.next()?;
    let same = first.takes.is_none() && all.all(|word| word.gives == first.gives);
    same.then(|| Kind::named(first.gives)).flatten()
}

/// Every word that can be asked of a thing of `kind`.
pub(super) fn asked_of(kind: Kind) -> impl Iterator<Item = &'static Word> {
    rows_of(kind).map(|row| &row.word)
}

/// An error in a rule in our own words, which hold no field value and so may be shown.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "the engine takes its errors boxed"
)]
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
