//! From a platform's names and values to our fields. Knows no platform.

use std::collections::HashMap;

use super::synonyms::{self, fold_name, last_part};
use super::{country, language};
use crate::lead::{Attribution, Consent, Email, Fields, Inquiry, Phone};

/// The most fields of one lead.
pub(super) const PAIRS_MAX: usize = 200;
/// The longest value.
pub(super) const VALUE_BYTES_MAX: usize = 8 * 1024;

/// A source's own names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mapping {
    /// The source's name of a field to ours; stands above the synonyms.
    pub(super) names: HashMap<String, String>,
    /// Fields that are consents, besides the usual names.
    pub(super) consent: Vec<String>,
}

impl Mapping {
    /// Whether the source says itself what a name means.
    pub(super) fn names_it(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.consent.iter().any(|known| known == name)
    }
}

/// What a name means.
enum Meaning<'a> {
    Field(&'a str),
    Attribution(&'a str),
    Consent,
    Other,
}

/// A value whose field is known without looking at its name.
pub(super) struct Chosen {
    /// Ours.
    pub(super) field: &'static str,
    /// The source's, under which it is kept if the field is taken already.
    pub(super) name: String,
    pub(super) value: String,
}

/// Reads values whose field is known and then the others, by their names; the first value of a
/// field is the field, and later ones are kept under their names. `country` (ISO 3166) is assumed
/// for phone numbers where the lead names none.
pub(super) fn inquiry(
    chosen: Vec<Chosen>,
    pairs: Vec<(String, String)>,
    mapping: &Mapping,
    country: Option<&str>,
) -> Inquiry {
    let mut inquiry = Inquiry::default();
    let mut texts = Texts::default();
    for Chosen { field, name, value } in chosen {
        let value = clean(&value);
        if value.is_empty() {
            continue;
        }
        if let Some(value) = texts.offer(field, value) {
            keep(&mut inquiry, &name, value);
        }
    }
    for (name, value) in pairs {
        let value = clean(&value);
        if value.is_empty() {
            continue;
        }
        let folded = fold_name(&name);
        match meaning(&name, &folded, mapping) {
            Meaning::Field(field) => {
                if let Some(value) = texts.offer(field, value) {
                    keep(&mut inquiry, &name, value);
                }
            }
            Meaning::Attribution(key) => {
                inquiry.attribution.0.entry(key.to_owned()).or_insert(value);
            }
            Meaning::Consent => inquiry.consent.push(Consent {
                given: is_yes(&value),
                key: clean(&name),
                value,
            }),
            Meaning::Other => keep(&mut inquiry, &name, value),
        }
    }
    for field in ["email", "phone"] {
        guess(&mut inquiry.fields, &mut texts, field);
    }
    set(&mut inquiry.fields, texts, country);
    inquiry
}

/// Keeps a value of which nothing is read; an empty one says nothing.
pub(super) fn keep(inquiry: &mut Inquiry, name: &str, value: String) {
    if value.is_empty() {
        return;
    }
    let others = inquiry.fields.other.entry(clean(name)).or_default();
    others.push(value);
}

/// The texts of our fields, in the order of [`Fields::NAMES`].
#[derive(Default)]
struct Texts([Option<String>; Fields::NAMES.len()]);

impl Texts {
    /// Gives the value back where the field has one.
    fn offer(&mut self, field: &str, value: String) -> Option<String> {
        match self.place(field) {
            Some(place @ None) => {
                *place = Some(value);
                None
            }
            Some(Some(_)) | None => Some(value),
        }
    }

    fn take(&mut self, field: &str) -> Option<String> {
        self.place(field).and_then(Option::take)
    }

    fn place(&mut self, field: &str) -> Option<&mut Option<String>> {
        let at = Fields::NAMES.iter().position(|name| *name == field)?;
        self.0.get_mut(at)
    }
}

/// A lead whom nobody can reach is lost: where no name says what the address or number is, but one
/// value alone stands under a name that ends so (`who.email`), it is taken.
fn guess(fields: &mut Fields, texts: &mut Texts, field: &'static str) {
    if texts.place(field).is_none_or(|place| place.is_some()) {
        return;
    }
    let ends_so =
        |name: &&String| last_part(name).is_some_and(|last| synonyms::field(&last) == Some(field));
    let mut names = fields.other.keys().filter(ends_so);
    let (Some(name), None) = (names.next().cloned(), names.next()) else {
        return;
    };
    if fields
        .other
        .get(&name)
        .is_some_and(|values| values.len() == 1)
        && let Some(value) = fields
            .other
            .remove(&name)
            .and_then(|mut values| values.pop())
    {
        texts.offer(field, value);
    }
}

fn meaning<'a>(name: &str, folded: &'a str, mapping: &'a Mapping) -> Meaning<'a> {
    if let Some(field) = mapping
        .names
        .get(name)
        .or_else(|| mapping.names.get(folded))
    {
        return Meaning::Field(field);
    }
    if mapping
        .consent
        .iter()
        .any(|known| known == name || known == folded)
    {
        return Meaning::Consent;
    }
    if let Some(field) = synonyms::field(folded) {
        return Meaning::Field(field);
    }
    if let Some(key) = synonyms::attribution(folded) {
        return Meaning::Attribution(key);
    }
    if synonyms::is_consent(folded) {
        return Meaning::Consent;
    }
    Meaning::Other
}

fn set(fields: &mut Fields, mut texts: Texts, default_country: Option<&str>) {
    let mut take = |name: &str| texts.take(name);
    fields.first_name = take("first_name");
    fields.last_name = take("last_name");
    let parts = [&fields.first_name, &fields.last_name];
    let joined = parts
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .join(" ");
    fields.name = take("name").or((!joined.is_empty()).then_some(joined));
    fields.email = take("email").map(|text| Email::parse(&text));
    if let Some(text) = take("country") {
        match country::code(&text) {
            Some(code) => {
                if !text.eq_ignore_ascii_case(&code) {
                    fields.other.entry("country".into()).or_default().push(text);
                }
                fields.country = Some(code);
            }
            None => fields.other.entry("country".into()).or_default().push(text),
        }
    }
    let country = fields.country.as_deref().or(default_country);
    fields.phone = take("phone").map(|text| Phone::parse(&text, country));
    if fields.country.is_none() {
        fields.country = fields
            .phone
            .as_ref()
            .and_then(|phone| phone.country.clone());
    }
    fields.company = take("company");
    fields.job_title = take("job_title");
    fields.website = take("website");
    fields.street = take("street");
    fields.city = take("city");
    fields.region = take("region");
    fields.postcode = take("postcode");
    if let Some(text) = take("language") {
        match language::code(&text) {
            Some(code) => fields.language = Some(code),
            None => fields
                .other
                .entry("language".into())
                .or_default()
                .push(text),
        }
    }
    fields.message = take("message");
}

/// Adds what the page's address tells, where the form itself does not.
pub(super) fn attribute(attribution: &mut Attribution, query: &str) {
    for (name, value) in form_urlencoded::parse(query.as_bytes()).take(PAIRS_MAX) {
        let value = clean(&value);
        if let Some(key) = synonyms::attribution(&fold_name(&name))
            && !value.is_empty()
            && value.len() <= VALUE_BYTES_MAX
        {
            attribution.0.entry(key.to_owned()).or_insert(value);
        }
    }
}

/// Trimmed, and without control characters but line ends and tabs.
pub(super) fn clean(value: &str) -> String {
    let trimmed = value.trim();
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !trimmed.contains(odd) {
        return trimmed.to_owned();
    }
    let kept: String = trimmed
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !odd(*c))
        .collect();
    kept.trim().to_owned()
}

/// Whether a value is a yes, as forms and people write it.
pub(super) fn is_yes(value: &str) -> bool {
    let yes = [
        "1", "on", "true", "yes", "y", "ja", "si", "sí", "oui", "sim", "checked", "accepted",
        "agree", "agreed", "granted",
    ];
    yes.contains(&value.to_lowercase().as_str())
}
