//! Phone numbers as people give them, and what their numbering plan tells of them. They print masked:
//! personal data never reaches a log.

mod plain;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};
use serde::{Deserialize, Serialize};

/// The longest text that is tried as a phone number, in bytes.
const PHONE_BYTES_MAX: usize = 64;

/// What kind of line a number belongs to, where the numbering plan tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneKind {
    /// A line at a place.
    Fixed,
    /// A mobile.
    Mobile,
    /// A plan that does not tell the two apart (North America).
    FixedOrMobile,
    /// Free for the caller.
    TollFree,
    /// Dear for the caller.
    Premium,
    /// A line over the internet.
    Voip,
    /// None of these, or not a valid number.
    #[default]
    Unknown,
}

/// A phone number; `e164` is there only where the text can be dialled.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// As it was given, trimmed.
    pub raw: String,
    /// `+` and digits, as the network dials it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub e164: Option<String>,
    /// Behind the number, not dialled with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub extension: Option<String>,
    /// ISO 3166 code of the number's region, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub country: Option<String>,
    /// Whether the numbering plan of its region has such a number.
    #[serde(default)]
    pub valid: bool,
    /// The kind of line.
    #[serde(default)]
    pub kind: PhoneKind,
}

impl Phone {
    /// Reads what a person wrote; `country` (ISO 3166) is assumed for a number without one.
    pub fn parse(text: &str, country: Option<&str>) -> Self {
        let raw = text.trim();
        let mut phone = Self {
            raw: raw.to_owned(),
            e164: None,
            extension: None,
            country: None,
            valid: false,
            kind: PhoneKind::Unknown,
        };
        if raw.len() > PHONE_BYTES_MAX {
            return phone;
        }
        let region = country.and_then(|code| Region::from_code(code).ok());
        let Some(number) = number_in(raw, region) else {
            return phone;
        };
        let util = &PHONE_NUMBER_UTIL;
        phone.e164 = Some(util.format(&number, PhoneNumberFormat::E164).into_owned());
        phone.extension = number.extension.clone().filter(|digits| !digits.is_empty());
        let region = util.get_region_for_number(&number);
        phone.country = region.map(|r| r.as_region_str().as_str().to_owned());
        let kind = util.get_number_type(&number);
        // Validity is no more than a known type, and asking for it would find both again.
        phone.valid = kind != PhoneNumberType::Unknown;
        phone.kind = kind_of(kind);
        phone
    }
}

/// The number that a text most likely means.
fn number_in(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let first = possible(text, region);
    // A spreadsheet or program that took the number for one, and its plus away.
    if text.len() >= 10 && text.bytes().all(|b| b.is_ascii_digit()) {
        let is_valid = |number: &PhoneNumber| PHONE_NUMBER_UTIL.is_valid_number(number);
        if !first.as_ref().is_some_and(is_valid) {
            let number = possible(&format!("+{text}"), None).filter(is_valid);
            return number.or(first);
        }
    }
    if first.is_some() {
        return first;
    }
    if let Some(rest) = text.strip_prefix("00") {
        return possible(&format!("+{rest}"), None);
    }
    // Two numbers in one field: the first of them.
    let marks = ['/', ';', ',', '|', '\n'];
    let mut pieces = text.split(marks).flat_map(|piece| piece.split(" o"));
    pieces.find_map(|piece| possible(piece, region).filter(|_| piece.len() < text.len()))
}

fn possible(text: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let is_possible = |number: &PhoneNumber| PHONE_NUMBER_UTIL.is_possible_number(number);
    if let Some(number) = plain::read(text, region).filter(is_possible) {
        return Some(number);
    }
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok();
    number.filter(is_possible)
}

fn kind_of(kind: PhoneNumberType) -> PhoneKind {
    match kind {
        PhoneNumberType::FixedLine => PhoneKind::Fixed,
        PhoneNumberType::Mobile => PhoneKind::Mobile,
        PhoneNumberType::FixedLineOrMobile => PhoneKind::FixedOrMobile,
        PhoneNumberType::TollFree => PhoneKind::TollFree,
        PhoneNumberType::PremiumRate | PhoneNumberType::SharedCost => PhoneKind::Premium,
        PhoneNumberType::VoIP => PhoneKind::Voip,
        PhoneNumberType::PersonalNumber
        | PhoneNumberType::Pager
        | PhoneNumberType::UAN
        | PhoneNumberType::VoiceMail
        | PhoneNumberType::Unknown => PhoneKind::Unknown,
    }
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.e164 {
            Some(number) => write!(f, "{}***", number.get(..3).unwrap_or("+")),
            None => f.write_str("***"),
        }
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Phone({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_valid_exactly_where_its_kind_is_known() {
        let util = &PHONE_NUMBER_UTIL;
        let mut numbers = 0;
        for region in util.get_supported_regions() {
            let Ok(example) = util.get_example_number(region) else {
                continue;
            };
            let example = util.format(&example, PhoneNumberFormat::E164).into_owned();
            for change in 0..200_u32 {
                let (head, tail) = example.split_at(example.len() - 3);
                let tail: u32 = tail.parse().unwrap();
                let other = example.replacen('1', &(change % 10).to_string(), 1);
                let texts = [format!("{head}{:03}", (tail + change) % 1000), other];
                for text in texts {
                    let Ok(number) = util.parse(&text, None) else {
                        continue;
                    };
                    let kind = util.get_number_type(&number);
                    let known = kind != PhoneNumberType::Unknown;
                    assert_eq!(util.is_valid_number(&number), known, "{text}");
                    numbers += 1;
                }
            }
        }
        assert!(numbers > 50_000, "{numbers}");
    }

    #[test]
    fn phones_become_e164_with_the_country_that_is_known() {
        let cases = [
            ("+49 30 901820", None, Some("+4930901820"), Some("DE")),
            ("030 901820", Some("DE"), Some("+4930901820"), Some("DE")),
            (
                "(650) 253-0000",
                Some("US"),
                Some("+16502530000"),
                Some("US"),
            ),
            ("030 901820", None, None, None),
            ("0049 30 901820", None, Some("+4930901820"), Some("DE")),
            (
                "+49 (0)30 / 90 18 20",
                None,
                Some("+4930901820"),
                Some("DE"),
            ),
            ("4930901820", Some("US"), Some("+4930901820"), Some("DE")),
            (
                "Tel. 030 901820",
                Some("DE"),
                Some("+4930901820"),
                Some("DE"),
            ),
            (
                "1-800-FLOWERS ext. 12",
                Some("US"),
                Some("+18003569377"),
                Some("US"),
            ),
            (
                "030 90182000; 0171 1234567",
                Some("DE"),
                Some("+493090182000"),
                Some("DE"),
            ),
            ("٠٣٠٩٠١٨٢٠", Some("DE"), Some("+4930901820"), Some("DE")),
            ("call me", Some("DE"), None, None),
            (&"9".repeat(200), Some("US"), None, None),
        ];
        for (text, country, e164, region) in cases {
            let phone = Phone::parse(text, country);
            assert_eq!(phone.e164.as_deref(), e164, "{text}");
            assert_eq!(phone.country.as_deref(), region, "{text}");
            assert!(
                !format!("{phone:?}").contains("901820"),
                "{phone:?} shows the number"
            );
        }
    }
}
