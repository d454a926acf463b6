//! An inquiry as an adapter puts it together: what it knows to be a field, what has a name that
//! people chose, and what is only kept. Knows no platform.

use super::json::Json;
use super::mapping::{self, Chosen, Mapping};
use super::sources::Source;
use super::synonyms;
use crate::lead::Inquiry;

/// Values that wait to be an inquiry. Whatever the source's own `map` names goes before what the
/// adapter says of it.
pub(super) struct Draft<'s> {
    source: &'s Source,
    chosen: Vec<Chosen>,
    pairs: Vec<(String, String)>,
    rest: Vec<(String, String)>,
    attribution: Vec<(&'static str, String)>,
}

impl<'s> Draft<'s> {
    /// Empty.
    pub(super) fn new(source: &'s Source) -> Self {
        Self {
            source,
            chosen: Vec::new(),
            pairs: Vec::new(),
            rest: Vec::new(),
            attribution: Vec::new(),
        }
    }

    fn mapping(&self) -> &'s Mapping {
        &self.source.mapping
    }

    /// A value that the platform says is this field of ours.
    pub(super) fn field(&mut self, field: &'static str, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let (name, value) = (name.to_owned(), value.to_owned());
        if self.mapping().names_it(&name) {
            self.pairs.push((name, value));
        } else {
            self.chosen.push(Chosen { field, name, value });
        }
    }

    /// A value under a name that a person chose, such as a question of their own: the usual names
    /// are understood, and sentences that ask for a field.
    pub(super) fn asked(&mut self, name: &str, value: &str) {
        if name.contains(' ') && !name.ends_with(|c: char| c.is_ascii_digit()) {
            let folded = synonyms::fold_name(name);
            let named = synonyms::field(&folded).is_some();
            if let Some(field) = synonyms::asked_for(&folded).filter(|_| !named) {
                return self.field(field, name, value);
            }
        }
        self.pairs.push((name.to_owned(), value.to_owned()));
    }

    /// Values of which nothing is read: they are kept under their names.
    pub(super) fn kept(&mut self, name: &str, json: &Json<'_>) {
        json.leaves(name, &mut self.rest);
    }

    /// The same for text.
    pub(super) fn kept_text(&mut self, name: &str, value: &str) {
        self.rest.push((name.to_owned(), value.to_owned()));
    }

    /// Where the lead came from.
    pub(super) fn came_from(&mut self, key: &'static str, value: &str) {
        if !value.is_empty() {
            self.attribution.push((key, value.to_owned()));
        }
    }

    /// All of it together.
    pub(super) fn inquiry(mut self) -> Inquiry {
        let mapping = self.mapping();
        let is_named = |(name, _): &(String, String)| mapping.names_it(name);
        let (named, rest) = self.rest.into_iter().partition::<Vec<_>, _>(is_named);
        self.pairs.extend(named);
        let country = self.source.country.as_deref();
        let mut inquiry = mapping::inquiry(self.chosen, self.pairs, mapping, country);
        for (key, value) in self.attribution {
            let value = mapping::clean(&value);
            let attribution = &mut inquiry.attribution.0;
            attribution.entry(key.to_owned()).or_insert(value);
        }
        for (name, value) in rest {
            mapping::keep(&mut inquiry, &name, mapping::clean(&value));
        }
        inquiry
    }
}
