//! From a platform's names to our fields. Knows no platform, and leaves the values to `normal`.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::normal::{self, Texts};
use super::synonyms::{self, fold_name, last_part};
use crate::lead::{Attribution, Consent, Fields, Inquiry};

/// The most fields of one lead.
pub(super) const PAIRS_MAX: usize = 200;
/// The longest value.
pub(super) const VALUE_BYTES_MAX: usize = 8 * 1024;
/// So many names of a source are remembered, up to this length: its forms have fewer.
const REMEMBERED_MAX: usize = 512;
const REMEMBERED_BYTES_MAX: usize = 128;

/// A source's own names.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    /// The source's name of a field to ours; stands above the synonyms.
    pub(super) names: HashMap<String, String>,
    /// Fields that are consents, besides the usual names.
    pub(super) consent: Vec<String>,
    /// What names meant before: a source's leads have the same ones.
    remembered: RwLock<HashMap<Box<str>, Sense>>,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    Field(&'static str),
    Attribution(&'static str),
    Consent,
    Other,
}

/// What a name says of its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sense {
    /// By the source's own names.
    pub(super) mapped: Option<Meaning>,
    /// By the usual ones.
    pub(super) usual: Option<Meaning>,
    /// A field that it asks for, where it is a sentence.
    pub(super) asked: Option<&'static str>,
}

impl Mapping {
    /// With a source's own names and consents.
    pub(super) fn new(names: HashMap<String, String>, consent: Vec<String>) -> Self {
        Self {
            names,
            consent,
            remembered: RwLock::default(),
        }
    }

    /// Whether the source says itself what a name means.
    pub(super) fn names_it(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.consent.iter().any(|known| known == name)
    }

    /// Whether it says so of any name.
    pub(super) fn names_any(&self) -> bool {
        !(self.names.is_empty() && self.consent.is_empty())
    }

    /// What a name says.
    pub(super) fn sense(&self, name: &str) -> Sense {
        let known = self.remembered.read();
        let known = known
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .copied();
        known.unwrap_or_else(|| self.look_up(name))
    }

    fn meaning(&self, name: &str) -> Meaning {
        let sense = self.sense(name);
        sense.mapped.or(sense.usual).unwrap_or(Meaning::Other)
    }

    fn look_up(&self, name: &str) -> Sense {
        let folded = fold_name(name);
        let found = Sense {
            mapped: self.mapped(name, &folded),
            usual: usual(&folded),
            asked: synonyms::asked_for(&folded),
        };
        if name.len() <= REMEMBERED_BYTES_MAX {
            let known = self.remembered.write();
            let mut known = known.unwrap_or_else(PoisonError::into_inner);
            // Names that a stranger made up must not keep the real ones out for ever.
            if known.len() >= REMEMBERED_MAX {
                known.clear();
            }
            known.insert(name.into(), found);
        }
        found
    }

    fn mapped(&self, name: &str, folded: &str) -> Option<Meaning> {
        if let Some(field) = self.names.get(name).or_else(|| self.names.get(folded)) {
            let ours = Fields::NAMES.into_iter().find(|ours| ours == field);
            return Some(ours.map_or(Meaning::Other, Meaning::Field));
        }
        let is_consent = |known: &String| known == name || known == folded;
        let consents = self.consent.iter().any(is_consent);
        consents.then_some(Meaning::Consent)
    }
}

/// What a folded name usually means.
fn usual(folded: &str) -> Option<Meaning> {
    let field = synonyms::field(folded).map(Meaning::Field);
    let attribution = || synonyms::attribution(folded).map(Meaning::Attribution);
    let consent = || synonyms::is_consent(folded).then_some(Meaning::Consent);
    field.or_else(attribution).or_else(consent)
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
        let value = cleaned(value);
        if value.is_empty() {
            continue;
        }
        if let Some(value) = texts.offer(field, value) {
            keep_under(&mut inquiry, name, value);
        }
    }
    for (name, value) in pairs {
        let value = cleaned(value);
        if value.is_empty() {
            continue;
        }
        match mapping.meaning(&name) {
            Meaning::Field(field) => {
                if let Some(value) = texts.offer(field, value) {
                    keep_under(&mut inquiry, name, value);
                }
            }
            Meaning::Attribution(key) => {
                inquiry.attribution.0.entry(key.to_owned()).or_insert(value);
            }
            Meaning::Consent => inquiry.consent.push(Consent {
                given: is_yes(&value),
                key: cleaned(name),
                value,
            }),
            Meaning::Other => keep_under(&mut inquiry, name, value),
        }
    }
    for field in ["email", "phone"] {
        guess(&mut inquiry.fields, &mut texts, field);
    }
    normal::fill(&mut inquiry.fields, texts, country);
    inquiry
}

fn keep_under(inquiry: &mut Inquiry, name: String, value: String) {
    let others = inquiry.fields.other.entry(cleaned(name)).or_default();
    others.push(value);
}

/// A lead whom nobody can reach is lost: where no name says what the address or number is, but one
/// value alone stands under a name that ends so (`who.email`), it is taken.
fn guess(fields: &mut Fields, texts: &mut Texts, field: &'static str) {
    if texts.has(field) {
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

/// Adds what the page's address tells, where the form itself does not.
pub(super) fn attribute(attribution: &mut Attribution, query: &str) {
    for (name, value) in form_urlencoded::parse(query.as_bytes()).take(PAIRS_MAX) {
        let value = cleaned(value.into_owned());
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
    cleaned(value.to_owned())
}

/// As [`clean`], of a text that most often is so already.
fn cleaned(value: String) -> String {
    let trimmed = value.trim();
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !(may_be_odd(trimmed) && trimmed.contains(odd)) {
        if trimmed.len() == value.len() {
            return value;
        }
        return trimmed.to_owned();
    }
    let whole = trimmed.replace("\r\n", "\n");
    let kept: String = whole.chars().filter(|c| !odd(*c)).collect();
    kept.trim().to_owned()
}

/// Bytes tell sooner than characters that a text has no control: those are below the space, or DEL, or
/// begin with C2 in UTF-8. As numbers, without branches, so that the processor looks at many at a time.
fn may_be_odd(text: &str) -> bool {
    let below = |b: u8| u8::from(b < b' ') & u8::from(b != b'\n') & u8::from(b != b'\t');
    let odd = |b: u8| below(b) | u8::from(b == 0x7f) | u8::from(b == 0xc2);
    text.bytes().fold(0, |found, b| found | odd(b)) != 0
}

/// Whether a value is a yes, as forms and people write it.
pub(super) fn is_yes(value: &str) -> bool {
    let yes = [
        "1", "on", "true", "yes", "y", "ja", "si", "sí", "oui", "sim", "checked", "accepted",
        "agree", "agreed", "granted",
    ];
    yes.contains(&value.to_lowercase().as_str())
}
