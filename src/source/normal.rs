//! From the texts of our fields to their normal forms: what somebody wrote becomes what can be
//! dialled, written to and compared. What was changed is kept as it came. Knows no platform.

use super::{country, dates, language, person_name, postcode, region};
use crate::lead::{Email, Fields, Phone};
use crate::text;

/// Longer texts are neither date nor amount.
const FURTHER_BYTES_MAX: usize = 40;

/// The texts of our fields, in the order of [`Fields::NAMES`].
#[derive(Default)]
pub(super) struct Texts([Option<String>; Fields::NAMES.len()]);

impl Texts {
    /// Gives the value back where the field has one.
    pub(super) fn offer(&mut self, field: &str, value: String) -> Option<String> {
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

    fn peek(&self, field: &str) -> Option<&str> {
        let at = Fields::NAMES.iter().position(|name| *name == field)?;
        self.0.get(at)?.as_deref()
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.peek(field).is_some()
    }

    fn place(&mut self, field: &str) -> Option<&mut Option<String>> {
        let at = Fields::NAMES.iter().position(|name| *name == field)?;
        self.0.get_mut(at)
    }
}

/// Fills the fields. `default_country` (ISO 3166) is assumed where the lead names none.
pub(super) fn fill(fields: &mut Fields, mut texts: Texts, default_country: Option<&str>) {
    fields.email = texts.take("email").map(|text| Email::parse(&text));
    names(fields, &mut texts);
    fields.country = coded(fields, &mut texts, "country", country::code);
    fields.language = coded(fields, &mut texts, "language", language::code);
    let assumed = fields.country.as_deref().or(default_country);
    fields.phone = texts.take("phone").map(|text| Phone::parse(&text, assumed));
    if fields.country.is_none() {
        let phone = fields.phone.as_ref();
        fields.country = phone.and_then(|phone| phone.country.clone());
    }
    let country = fields.country.as_deref().or(default_country);
    let country = country.unwrap_or_default().to_owned();
    fields.region = changed(fields, &mut texts, "region", |text| {
        region::code(text, &country).unwrap_or_else(|| text.to_owned())
    });
    fields.postcode = changed(fields, &mut texts, "postcode", |text| {
        postcode::normal(text, &country)
    });
    fields.company = changed(fields, &mut texts, "company", one_line);
    fields.job_title = changed(fields, &mut texts, "job_title", one_line);
    fields.city = changed(fields, &mut texts, "city", one_line);
    fields.website = texts.take("website");
    fields.street = texts.take("street");
    fields.message = texts.take("message");
    further(fields, &country);
}

/// Dates and amounts among the further fields; a list of several values is neither.
fn further(fields: &mut Fields, country: &str) {
    let country = Some(country).filter(|code| !code.is_empty());
    for (name, values) in &fields.other {
        let [value] = values.as_slice() else {
            continue;
        };
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        // Digits alone are as they should be.
        if value.len() > FURTHER_BYTES_MAX || digits == 0 || digits == value.len() {
            continue;
        }
        let amount = || text::amount(value).map(|amount| amount.to_string());
        let read = dates::iso(value, country).or_else(amount);
        if let Some(read) = read.filter(|read| read != value) {
            fields.read.insert(name.clone(), read);
        }
    }
}

fn names(fields: &mut Fields, texts: &mut Texts) {
    let turned = texts.peek("name").and_then(person_name::parts);
    fields.first_name = changed(fields, texts, "first_name", person_name::part);
    fields.last_name = changed(fields, texts, "last_name", person_name::part);
    fields.name = changed(fields, texts, "name", person_name::whole);
    match (&fields.first_name, &fields.last_name) {
        (None, None) => {
            (fields.first_name, fields.last_name) = turned.unzip();
        }
        (Some(one), None) | (None, Some(one)) if fields.name.is_none() => {
            fields.name = Some(one.clone());
        }
        (Some(first), Some(last)) if fields.name.is_none() => {
            fields.name = Some(format!("{first} {last}"));
        }
        (Some(_), _) | (_, Some(_)) => {}
    }
}

/// The normal form of a text, which is kept as it came where that is another.
fn changed(
    fields: &mut Fields,
    texts: &mut Texts,
    field: &'static str,
    normal: impl FnOnce(&str) -> String,
) -> Option<String> {
    let text = texts.take(field)?;
    let normal = normal(&text);
    if normal.is_empty() || normal == text {
        return Some(text);
    }
    fields.given.insert(field.to_owned(), text);
    Some(normal)
}

/// A code, or none: what cannot be read as one is kept among the further fields.
fn coded(
    fields: &mut Fields,
    texts: &mut Texts,
    field: &'static str,
    code: impl FnOnce(&str) -> Option<String>,
) -> Option<String> {
    let text = texts.take(field)?;
    let found = code(&text);
    if found.is_none() {
        fields.other.entry(field.to_owned()).or_default().push(text);
    } else if found.as_deref() != Some(text.as_str()) {
        fields.given.insert(field.to_owned(), text);
    }
    found
}

/// One space where several or line breaks stood.
fn one_line(text: &str) -> String {
    let is_one = !text.contains("  ") && !text.contains(['\n', '\t', '\u{a0}']);
    if is_one {
        return text.to_owned();
    }
    let words = text.split(char::is_whitespace).filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_becomes_codes_and_is_kept_as_it_came() {
        let given = [
            ("name", "DÍAZ, ANA"),
            ("email", " Ana.Diaz+ads@GoogleMail.com"),
            ("phone", "030 / 90 18 20"),
            ("country", "Deutschland"),
            ("region", "Bayern"),
            ("postcode", "D-80331"),
            ("city", "München"),
            ("company", "Acme\u{a0} GmbH"),
            ("language", "Deutsch"),
        ];
        let mut texts = Texts::default();
        for (field, text) in given {
            assert_eq!(texts.offer(field, text.to_owned()), None);
        }
        let mut fields = Fields::default();
        fill(&mut fields, texts, Some("US"));
        let wanted = [
            ("name", "Ana Díaz"),
            ("first_name", "Ana"),
            ("last_name", "Díaz"),
            ("country", "DE"),
            ("region", "DE-BY"),
            ("postcode", "80331"),
            ("city", "München"),
            ("company", "Acme GmbH"),
            ("language", "de"),
        ];
        for (field, text) in wanted {
            assert_eq!(fields.get(field), Some(text), "{field}");
        }
        let phone = fields.phone.unwrap();
        assert_eq!(phone.e164.as_deref(), Some("+4930901820"));
        let kept: Vec<_> = fields.given.iter().collect();
        assert_eq!(kept.len(), 6, "{kept:?}");
        assert_eq!(
            fields.given.get("name").map(String::as_str),
            Some("DÍAZ, ANA")
        );
    }

    #[test]
    fn a_country_that_cannot_be_read_is_kept_and_the_phone_tells_it() {
        let mut texts = Texts::default();
        texts.offer("country", "Narnia".into());
        texts.offer("phone", "0043 1 58858".into());
        let mut fields = Fields::default();
        fill(&mut fields, texts, None);
        assert_eq!(fields.country.as_deref(), Some("AT"));
        assert_eq!(fields.other["country"], ["Narnia"]);
    }

    #[test]
    fn dates_and_amounts_of_further_fields_are_read_beside_them() {
        let mut fields = Fields::default();
        let further = [
            ("budget", "1.000,50 €"),
            ("start", "24. Dezember 2026"),
            ("employees", "250"),
            ("note", "room 12"),
        ];
        for (name, value) in further {
            fields.other.insert(name.into(), vec![value.into()]);
        }
        fill(&mut fields, Texts::default(), Some("DE"));
        let read: Vec<_> = fields
            .read
            .iter()
            .map(|(n, v)| format!("{n} {v}"))
            .collect();
        assert_eq!(read, ["budget 1000.5", "start 2026-12-24"]);
        assert_eq!(fields.get("budget"), Some("1.000,50 €"));
    }
}
