//! From a platform's names and values to our fields. Knows no platform.

use std::collections::HashMap;

use super::country;
use super::synonyms::{self, fold_name};
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

/// What a name means.
enum Meaning<'a> {
    Field(&'a str),
    Attribution(&'a str),
    Consent,
    Other,
}

/// Reads pairs; `country` (ISO 3166) is assumed for phone numbers where the lead names none.
pub(super) fn inquiry(
    pairs: Vec<(String, String)>,
    mapping: &Mapping,
    country: Option<&str>,
) -> Inquiry {
    let mut inquiry = Inquiry::default();
    let mut texts: HashMap<&str, String> = HashMap::new();
    for (name, value) in pairs {
        let value = clean(&value);
        if value.is_empty() {
            continue;
        }
        let folded = fold_name(&name);
        match meaning(&name, &folded, mapping) {
            Meaning::Field(field) if !texts.contains_key(field) => {
                texts.insert(known(field), value);
            }
            Meaning::Attribution(key) => {
                inquiry.attribution.0.entry(key.to_owned()).or_insert(value);
            }
            Meaning::Consent => inquiry.consent.push(Consent {
                given: is_yes(&value),
                key: name,
                value,
            }),
            Meaning::Field(_) | Meaning::Other => {
                inquiry.fields.other.entry(name).or_default().push(value);
            }
        }
    }
    set(&mut inquiry.fields, texts, country);
    inquiry
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

fn known(field: &str) -> &'static str {
    Fields::NAMES
        .into_iter()
        .find(|known| *known == field)
        .unwrap_or("message")
}

fn set(fields: &mut Fields, mut texts: HashMap<&str, String>, default_country: Option<&str>) {
    let mut take = |name: &str| texts.remove(name);
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
                    fields.other.insert("country".into(), vec![text]);
                }
                fields.country = Some(code);
            }
            None => {
                fields.other.insert("country".into(), vec![text]);
            }
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
    fields.language = take("language").map(|text| {
        let two: String = text.chars().take(2).collect();
        two.to_lowercase()
    });
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

fn is_yes(value: &str) -> bool {
    let yes = [
        "1", "on", "true", "yes", "y", "ja", "si", "sí", "oui", "sim", "checked", "accepted",
    ];
    yes.contains(&value.to_lowercase().as_str())
}
