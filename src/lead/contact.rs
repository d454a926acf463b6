//! E-mail addresses and phone numbers as people give them, and what can be said of them without
//! asking anybody. They print masked: personal data never reaches a log.

use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};
use serde::{Deserialize, Serialize};

/// The longest address that is looked at, in bytes (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;
/// The longest text that is tried as a phone number, in bytes.
const PHONE_BYTES_MAX: usize = 64;

/// An e-mail address; `address` is there only where the syntax is that of a mailbox on the
/// internet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// As it was given, trimmed.
    pub raw: String,
    /// Lower case; the same person writes it the same way tomorrow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}

impl Email {
    /// Reads what a person wrote; never fails, an unusable text has no `address`.
    pub fn parse(text: &str) -> Self {
        let raw = text.trim();
        let bare = raw.strip_prefix("mailto:").unwrap_or(raw);
        let address = is_mailbox(bare).then(|| bare.to_lowercase());
        Self {
            raw: raw.to_owned(),
            address,
        }
    }

    /// What stands after the last `@`; empty if the address is unusable.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    /// What stands before the last `@`; empty if the address is unusable.
    pub fn local(&self) -> &str {
        self.parts().0
    }

    fn parts(&self) -> (&str, &str) {
        self.address
            .as_deref()
            .and_then(|a| a.rsplit_once('@'))
            .unwrap_or_default()
    }
}

/// Stricter than RFC 5322 where its freedoms are mistakes in practice: no quoted local part, no
/// address literal, a domain with a dot and a letter in its last label.
fn is_mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= EMAIL_BYTES_MAX
        && !local.starts_with('"')
        && domain
            .rsplit_once('.')
            .is_some_and(|(_, top)| top.chars().any(char::is_alphabetic))
        && email_address::EmailAddress::from_str(text).is_ok()
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (local, domain) = self.parts();
        match local.chars().next() {
            Some(first) => write!(f, "{first}***@{domain}"),
            None => f.write_str("***"),
        }
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Email({self})")
    }
}

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
            country: None,
            valid: false,
            kind: PhoneKind::Unknown,
        };
        if raw.len() > PHONE_BYTES_MAX {
            return phone;
        }
        let util = &PHONE_NUMBER_UTIL;
        let region = country.and_then(|code| Region::from_code(code).ok());
        let Ok(number) = util.parse(raw, region) else {
            return phone;
        };
        if !util.is_possible_number(&number) {
            return phone;
        }
        phone.e164 = Some(util.format(&number, PhoneNumberFormat::E164).into_owned());
        let region = util.get_region_for_number(&number);
        phone.country = region.map(|r| r.as_region_str().as_str().to_owned());
        phone.valid = util.is_valid_number(&number);
        phone.kind = kind_of(util.get_number_type(&number));
        phone
    }
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
    fn addresses_are_read_strictly_and_print_masked() {
        let cases = [
            ("Ana.Diaz@Example.COM ", Some("ana.diaz@example.com")),
            ("mailto:a@b.example", Some("a@b.example")),
            ("a+tag@münchen.example", Some("a+tag@münchen.example")),
            ("a@[127.0.0.1]", None),
            ("\"a b\"@x.com", None),
            ("a@b", None),
            ("a@b.com,c@d.com", None),
            ("a@b.com\r\nRCPT TO:<e>", None),
            ("a@1.2.3.4", None),
            ("", None),
        ];
        for (text, address) in cases {
            assert_eq!(Email::parse(text).address.as_deref(), address, "{text}");
        }
        let email = Email::parse("ana.diaz@example.com");
        assert_eq!(
            format!("{email} {email:?}"),
            "a***@example.com Email(a***@example.com)"
        );
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
