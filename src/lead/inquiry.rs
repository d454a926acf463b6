//! Who asks for what, where they came from and what they agreed to: one submission's content in our
//! words. Fields hold personal data, so `Debug` shows only which of them are there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Email, Phone};

/// The canonical fields; what a source sends besides stays verbatim in `other`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// The whole name, as given or joined from its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Where to write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Where to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Employer or firm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// What they do there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Their web site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State, province or canton: an ISO 3166-2 code where the text could be read as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postcode or ZIP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// ISO 3166 code, upper case, where the text could be read as a country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// ISO 639 code, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What they wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Every further field, by the name the source gave it; repeated keys keep their order.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, Vec<String>>,
    /// What came, by field, where the text above is a normal form of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, String>,
    /// What further fields say, by name, where they are a date (`2026-12-24`) or an amount (`10000`)
    /// in another spelling.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub read: BTreeMap<String, String>,
}

impl Fields {
    /// The canonical text fields by name; e-mail and phone as they were given.
    pub fn get(&self, name: &str) -> Option<&str> {
        let text = match name {
            "name" => &self.name,
            "first_name" => &self.first_name,
            "last_name" => &self.last_name,
            "company" => &self.company,
            "job_title" => &self.job_title,
            "website" => &self.website,
            "street" => &self.street,
            "city" => &self.city,
            "region" => &self.region,
            "postcode" => &self.postcode,
            "country" => &self.country,
            "language" => &self.language,
            "message" => &self.message,
            "email" => return self.email.as_ref().map(|e| e.raw.as_str()),
            "phone" => return self.phone.as_ref().map(|p| p.raw.as_str()),
            other => {
                return self
                    .other
                    .get(other)
                    .and_then(|v| v.first())
                    .map(String::as_str);
            }
        };
        text.as_deref()
    }

    /// What to call the person: by name, else by whatever is known.
    pub fn who(&self) -> &str {
        let known = ["name", "company", "email", "phone"].into_iter();
        let mut known = known
            .filter_map(|name| self.get(name))
            .filter(|text| !text.is_empty());
        known.next().unwrap_or("Somebody without a name")
    }

    /// Street, postcode, town and country, as far as known.
    pub fn place(&self) -> String {
        let parts = [&self.street, &self.postcode, &self.city, &self.country];
        parts
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// `tel:` with the number as dialled; empty where it cannot be.
    pub fn call_link(&self) -> String {
        let Some((phone, number)) = self
            .phone
            .as_ref()
            .and_then(|p| Some((p, p.e164.as_ref()?)))
        else {
            return String::new();
        };
        match &phone.extension {
            Some(digits) => format!("tel:{number};ext={digits}"),
            None => format!("tel:{number}"),
        }
    }

    /// `mailto:` with the address; empty where there is no usable one.
    pub fn write_link(&self) -> String {
        let address = self.email.as_ref().and_then(|email| email.address.as_ref());
        address
            .map(|address| format!("mailto:{address}"))
            .unwrap_or_default()
    }

    /// The canonical field names, in the order a person reads them.
    pub const NAMES: [&'static str; 15] = [
        "name",
        "first_name",
        "last_name",
        "email",
        "phone",
        "company",
        "job_title",
        "website",
        "street",
        "city",
        "region",
        "postcode",
        "country",
        "language",
        "message",
    ];
}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = Self::NAMES.iter().filter(|name| self.get(name).is_some());
        f.debug_set().entries(known).finish()
    }
}

/// Where a lead came from: `utm_*`, click ids, campaign and form ids, referrer, landing page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attribution(pub BTreeMap<String, String>);

impl Attribution {
    /// The names that every source puts here instead of among the fields.
    pub const NAMES: [&'static str; 21] = [
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "gclid",
        "gbraid",
        "wbraid",
        "fbclid",
        "msclkid",
        "ttclid",
        "li_fat_id",
        "referrer",
        "landing_page",
        "campaign_id",
        "adgroup_id",
        "ad_id",
        "creative_id",
        "form_id",
        "asset_group_id",
        "lead_source",
    ];
}

/// Something the person agreed to, or did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The field's name, or the platform's key of the checkbox.
    pub key: String,
    /// Whether it was given.
    pub given: bool,
    /// The value as it came.
    pub value: String,
}

/// What speaks for a machine instead of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    /// The field that people cannot see was filled in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trapped: bool,
    /// Milliseconds between the page and the submission, where the form tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill_ms: Option<i64>,
    /// Filled in faster than the source allows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub too_fast: bool,
}

/// One lead's content, as an adapter read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inquiry {
    /// Who and what.
    pub fields: Fields,
    /// Where from.
    pub attribution: Attribution,
    /// What was agreed to.
    pub consent: Vec<Consent>,
    /// What speaks for a machine.
    pub signals: Signals,
    /// A platform's test lead: decided as a dry run.
    pub is_test: bool,
}
