//! Questions of a form and what was answered, to our fields: by the names that the form's maker gave,
//! and where they say nothing, by the kind of the question. Knows no platform.

use std::borrow::Cow;

use url::Url;

use super::json::Json;
use super::mapping::{self, Chosen, Mapping, clean, is_yes};
use super::sources::Source;
use super::synonyms;
use crate::lead::{Attribution, Consent, Fields, Inquiry};

/// How sure it is what an answer is; the surer goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Because {
    /// The source's map says so.
    Mapped,
    /// A usual name of the field.
    Named,
    /// A sentence that asks for it.
    Asked,
    /// The kind of the question.
    Kind,
}

enum Meaning {
    Field(&'static str, Because),
    Attribution(&'static str),
    Consent,
    Other,
}

/// What is read of one submission.
pub(super) struct Answers<'s> {
    source: &'s Source,
    chosen: Vec<(Because, Chosen)>,
    inquiry: Inquiry,
}

impl<'s> Answers<'s> {
    pub(super) fn of(source: &'s Source) -> Self {
        Self {
            source,
            chosen: Vec::new(),
            inquiry: Inquiry::default(),
        }
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
        let values = values.iter().filter(|value| !value.trim().is_empty());
        match meaning(names, kind, &self.source.mapping) {
            Meaning::Field(field, because) => {
                let value = joined(values);
                let name = (*name).to_owned();
                self.chosen.push((because, Chosen { field, name, value }));
            }
            Meaning::Attribution(key) => self.told(key, Some(joined(values).into())),
            Meaning::Consent => {
                let value = clean(&joined(values));
                if !value.is_empty() {
                    self.inquiry.consent.push(Consent {
                        key: clean(name),
                        given: given(&value),
                        value,
                    });
                }
            }
            Meaning::Other => values.for_each(|value| self.keep(name, value)),
        }
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
        let value = clean(value);
        if !value.is_empty() {
            self.inquiry.consent.push(Consent {
                key: clean(name),
                given: is_yes(&value),
                value,
            });
        }
    }

    /// Where the lead came from, by our key.
    pub(super) fn told(&mut self, key: &'static str, value: Option<Cow<'_, str>>) {
        let value = value.map(|value| clean(&value)).unwrap_or_default();
        if !value.is_empty() {
            let attribution = &mut self.inquiry.attribution.0;
            attribution.entry(key.to_owned()).or_insert(value);
        }
    }

    /// The page that the form stood on, with what its address tells.
    pub(super) fn page(&mut self, address: &str) {
        let Ok(mut page) = Url::parse(address) else {
            return self.told("landing_page", Some(address.into()));
        };
        let query = page.query().unwrap_or_default();
        mapping::attribute(&mut self.inquiry.attribution, query);
        page.set_query(None);
        page.set_fragment(None);
        self.told("landing_page", Some(page.as_str().into()));
    }

    /// What says nothing of the person: kept under its own name, whatever that name may mean.
    pub(super) fn keep(&mut self, name: &str, value: &str) {
        let value = clean(value);
        if !value.is_empty() {
            let others = &mut self.inquiry.fields.other;
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

    /// Whoever fills the form in took so long.
    pub(super) fn filled_in(&mut self, milliseconds: i64) {
        self.inquiry.signals.fill_ms = Some(milliseconds);
    }

    /// The lead.
    pub(super) fn inquiry(self) -> Inquiry {
        let Self {
            source,
            mut chosen,
            inquiry: told,
        } = self;
        chosen.sort_by_key(|(because, _)| *because); // stable: the form's order among equals
        let chosen = chosen.into_iter().map(|(_, chosen)| chosen).collect();
        let country = source.country.as_deref();
        let mut inquiry = mapping::inquiry(chosen, Vec::new(), &source.mapping, country);
        for (name, mut values) in told.fields.other {
            inquiry
                .fields
                .other
                .entry(name)
                .or_default()
                .append(&mut values);
        }
        Inquiry {
            attribution: Attribution(told.attribution.0),
            consent: told.consent,
            signals: told.signals,
            ..inquiry
        }
    }
}

fn joined<'v>(values: impl Iterator<Item = &'v Cow<'v, str>>) -> String {
    let values: Vec<&str> = values.map(|value| value.trim()).collect();
    values.join(", ")
}

fn meaning(names: &[&str], kind: Option<&'static str>, mapping: &Mapping) -> Meaning {
    let is_mapped = !(mapping.names.is_empty() && mapping.consent.is_empty());
    let mut sentence = None;
    let mut named = None;
    for name in names.iter().filter(|name| !name.is_empty()) {
        if named.is_some() && !is_mapped {
            break;
        }
        let folded = synonyms::fold_name(name);
        let of_map = |name: &str| mapping.names.get(name).map(String::as_str);
        if let Some(mapped) = of_map(name).or_else(|| of_map(&folded)) {
            let ours = Fields::NAMES.into_iter().find(|field| *field == mapped);
            return ours.map_or(Meaning::Other, |field| {
                Meaning::Field(field, Because::Mapped)
            });
        }
        let consents = mapping.consent.iter().map(String::as_str);
        if consents
            .into_iter()
            .any(|known| known == *name || known == folded)
        {
            return Meaning::Consent;
        }
        if named.is_none() {
            named = usual(&folded);
            sentence = sentence.or_else(|| synonyms::asked_for(&folded));
        }
    }
    let asked = || sentence.map(|field| Meaning::Field(field, Because::Asked));
    let by_kind = || kind.map(|field| Meaning::Field(field, Because::Kind));
    named
        .or_else(asked)
        .or_else(by_kind)
        .unwrap_or(Meaning::Other)
}

/// What a folded name usually means.
fn usual(folded: &str) -> Option<Meaning> {
    if let Some(field) = synonyms::field(folded) {
        return Some(Meaning::Field(field, Because::Named));
    }
    if let Some(key) = synonyms::attribution(folded) {
        return Some(Meaning::Attribution(key));
    }
    synonyms::is_consent(folded).then_some(Meaning::Consent)
}
