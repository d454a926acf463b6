//! An inquiry as an adapter puts it together: what it knows to be a field, what has a name that
//! people chose, such as a question of a form, and what is only kept. Knows no platform.

use std::borrow::Cow;

use url::Url;

use super::json::Json;
use super::mapping::{self, Chosen, Mapping, Meaning, clean, is_yes};
use super::sources::Source;
use crate::lead::{Attribution, Consent, Inquiry};

/// How sure it is what a value is; the surer goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Because {
    /// The source's map says so.
    Mapped,
    /// The platform says so.
    Known,
    /// A usual name of the field.
    Named,
    /// A sentence that asks for it.
    Asked,
    /// The kind of the question.
    Kind,
}

/// Values that wait to be an inquiry. Whatever the source's own `map` names goes before what the
/// adapter says of it.
pub(super) struct Draft<'s> {
    source: &'s Source,
    chosen: Vec<(Because, Chosen)>,
    /// All that is no field of ours.
    told: Inquiry,
}

impl<'s> Draft<'s> {
    /// Empty.
    pub(super) fn of(source: &'s Source) -> Self {
        Self {
            source,
            chosen: Vec::with_capacity(16),
            told: Inquiry::default(),
        }
    }

    /// A value that the platform says is this field of ours.
    pub(super) fn field(&mut self, field: &'static str, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if self.source.mapping.names_it(name) {
            return self.asked(name, value);
        }
        self.choose(Because::Known, field, name, value.to_owned());
    }

    /// A value under a name that a person chose, such as a question of their own: the usual names
    /// are understood, and sentences that ask for a field.
    pub(super) fn asked(&mut self, name: &str, value: &str) {
        self.add(&[name], None, &[value.into()]);
    }

    /// An answer. Of `names` the first one that is not empty is what it is kept under, and any may
    /// tell what it is; `kind` is the field of ours that the question's kind suggests.
    pub(super) fn add(
        &mut self,
        names: &[&str],
        kind: Option<&'static str>,
        values: &[Cow<'_, str>],
    ) {
        self.put(names, kind, values, is_yes);
    }

    /// Boxes that were ticked: where they stand for a consent it is given, whatever their text.
    pub(super) fn ticked(&mut self, names: &[&str], values: &[Cow<'_, str>]) {
        self.put(names, None, values, |_| true);
    }

    fn put(
        &mut self,
        names: &[&str],
        kind: Option<&'static str>,
        values: &[Cow<'_, str>],
        given: fn(&str) -> bool,
    ) {
        let Some(name) = names.iter().find(|name| !name.is_empty()) else {
            return;
        };
        let values = values.iter().map(|value| value.trim());
        let values = values.filter(|value| !value.is_empty());
        match meaning(names, kind, &self.source.mapping) {
            (Meaning::Field(field), because) => {
                self.choose(because, field, name, joined(values));
            }
            (Meaning::Attribution(key), _) => self.told(key, &joined(values)),
            (Meaning::Consent, _) => self.agreed(name, &joined(values), given),
            (Meaning::Other, _) => values.for_each(|value| self.put_aside(name, value)),
        }
    }

    fn choose(&mut self, because: Because, field: &'static str, name: &str, value: String) {
        let name = name.to_owned();
        self.chosen.push((because, Chosen { field, name, value }));
    }

    /// An answer in JSON: a list is several values, an object is an answer for each of its keys.
    pub(super) fn add_json(
        &mut self,
        names: &[&str],
        kind: Option<&'static str>,
        value: &Json<'_>,
    ) {
        match value {
            Json::Map(entries) => {
                let name = names.iter().find(|name| !name.is_empty());
                for (key, value) in entries {
                    let dotted = format!("{}.{key}", name.unwrap_or(&""));
                    self.add_json(&[&dotted], None, value);
                }
            }
            Json::List(items) if items.iter().any(|item| item.as_text().is_none()) => {
                for item in items {
                    self.add_json(names, kind, item);
                }
            }
            Json::List(items) => {
                let values: Vec<_> = items.iter().filter_map(Json::as_text).collect();
                self.add(names, kind, &values);
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {
                if let Some(text) = value.as_text() {
                    self.add(names, kind, &[text]);
                }
            }
        }
    }

    /// An agreement, given or not.
    pub(super) fn consent(&mut self, name: &str, value: &str) {
        self.agreed(name, value, is_yes);
    }

    fn agreed(&mut self, name: &str, value: &str, given: fn(&str) -> bool) {
        let value = clean(value);
        if !value.is_empty() {
            self.told.consent.push(Consent {
                key: clean(name),
                given: given(&value),
                value,
            });
        }
    }

    /// Where the lead came from, by our key.
    pub(super) fn told(&mut self, key: &'static str, value: &str) {
        let value = clean(value);
        if !value.is_empty() {
            let attribution = &mut self.told.attribution.0;
            attribution.entry(key.to_owned()).or_insert(value);
        }
    }

    /// The page that the form stood on, with what its address tells.
    pub(super) fn page(&mut self, address: &str) {
        let Ok(mut page) = Url::parse(address) else {
            return self.told("landing_page", address);
        };
        let query = page.query().unwrap_or_default();
        mapping::attribute(&mut self.told.attribution, query);
        page.set_query(None);
        page.set_fragment(None);
        self.told("landing_page", page.as_str());
    }

    /// What says nothing of the person: kept under its own name, whatever that name may mean, but for
    /// the source's own `map`.
    pub(super) fn keep(&mut self, name: &str, value: &str) {
        if self.source.mapping.names_it(name) {
            return self.asked(name, value);
        }
        self.put_aside(name, value);
    }

    fn put_aside(&mut self, name: &str, value: &str) {
        let value = clean(value);
        if !value.is_empty() {
            let others = &mut self.told.fields.other;
            others.entry(clean(name)).or_default().push(value);
        }
    }

    /// Every leaf of it, kept as with [`Self::keep`].
    pub(super) fn keep_json(&mut self, name: &str, value: &Json<'_>) {
        let mut leaves = Vec::new();
        value.leaves(name, &mut leaves);
        for (name, value) in leaves {
            self.keep(&name, &value);
        }
    }

    /// Every member of an object that is not among the known ones, kept as with [`Self::keep`].
    pub(super) fn keep_others(&mut self, object: &Json<'_>, known: &[&str]) {
        for (key, value) in object.entries() {
            if !known.contains(&key.as_ref()) {
                self.keep_json(key, value);
            }
        }
    }

    /// Whoever fills the form in took so long.
    pub(super) fn filled_in(&mut self, milliseconds: i64) {
        self.told.signals.fill_ms = Some(milliseconds);
    }

    /// The lead.
    pub(super) fn inquiry(mut self) -> Inquiry {
        self.chosen.sort_by_key(|(because, _)| *because); // stable: the form's order among equals
        let chosen = self.chosen.into_iter().map(|(_, chosen)| chosen).collect();
        let country = self.source.country.as_deref();
        let mut inquiry = mapping::inquiry(chosen, Vec::new(), &self.source.mapping, country);
        // Behind the second value of a field, under the same name.
        for (name, mut values) in self.told.fields.other {
            let others = inquiry.fields.other.entry(name).or_default();
            others.append(&mut values);
        }
        Inquiry {
            attribution: Attribution(self.told.attribution.0),
            consent: self.told.consent,
            signals: self.told.signals,
            ..inquiry
        }
    }
}

fn joined<'v>(mut values: impl Iterator<Item = &'v str>) -> String {
    let mut all = values.next().unwrap_or_default().to_owned();
    for value in values {
        all.push_str(", ");
        all.push_str(value);
    }
    all
}

fn meaning(names: &[&str], kind: Option<&'static str>, mapping: &Mapping) -> (Meaning, Because) {
    let is_mapped = mapping.names_any();
    let (mut named, mut asked) = (None, None);
    for name in names.iter().filter(|name| !name.is_empty()) {
        if named.is_some() && !is_mapped {
            break;
        }
        let sense = mapping.sense(name);
        if let Some(mapped) = sense.mapped {
            return (mapped, Because::Mapped);
        }
        if named.is_none() {
            named = sense.usual;
            asked = asked.or(sense.asked);
        }
    }
    let named = named.map(|meaning| (meaning, Because::Named));
    let asked = || asked.map(|field| (Meaning::Field(field), Because::Asked));
    let by_kind = || kind.map(|field| (Meaning::Field(field), Because::Kind));
    let found = named.or_else(asked).or_else(by_kind);
    found.unwrap_or((Meaning::Other, Because::Kind))
}
