//! What a rule can look at: the lead and everything in it, as types of our own. Every fact is
//! total: a missing one is there, is empty, and compares false. Texts are not plain strings of the
//! engine, which would check their size and hold a lead for a long message. Never does I/O.

use std::sync::{Arc, OnceLock};

use super::place::{self, LocalTime};
use super::text;
use crate::clock::Millis;
use crate::lead::Consent;
use crate::lead::Email;
use crate::lead::Inquiry;
use crate::lead::Phone;
use crate::lead::PhoneKind;
use crate::lead::Seen;

/// A text of the lead; `None` where the lead does not have it.
#[derive(Clone, Default)]
pub(super) struct Text(Option<Arc<Written>>);

struct Written {
    raw: Box<str>,
    folded: OnceLock<Box<str>>,
}

impl Text {
    pub(super) fn of(text: Option<&str>) -> Self {
        let present = text.filter(|t| !t.trim().is_empty());
        Self(present.map(|raw| {
            Arc::new(Written {
                raw: raw.into(),
                folded: OnceLock::new(),
            })
        }))
    }

    pub(super) fn exists(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn raw(&self) -> &str {
        self.0.as_ref().map_or("", |written| &written.raw)
    }

    /// The form in which it is compared, made once a lead.
    pub(super) fn folded(&self) -> &str {
        let Some(written) = &self.0 else { return "" };
        written
            .folded
            .get_or_init(|| text::fold(&written.raw).into())
    }

    pub(super) fn number(&self) -> Number {
        Number(text::number(self.raw()))
    }

    /// Equal without regard to case, accents and spacing; a missing text equals nothing.
    pub(super) fn is(&self, other: &str) -> bool {
        self.exists() && self.folded() == text::fold(other)
    }
}

/// A number that may be missing.
#[derive(Clone, Copy, Default)]
pub(super) struct Number(pub(super) Option<f64>);

/// The e-mail address.
#[derive(Clone)]
pub(super) struct EmailFact(Arc<EmailParts>);

struct EmailParts {
    whole: Text,
    valid: bool,
    local: Text,
    domain: Text,
}

impl EmailFact {
    fn of(email: Option<&Email>) -> Self {
        let valid = email.filter(|e| e.address.is_some());
        Self(Arc::new(EmailParts {
            whole: Text::of(email.map(|e| e.address.as_deref().unwrap_or(&e.raw))),
            valid: valid.is_some(),
            local: Text::of(valid.map(Email::local)),
            domain: Text::of(valid.map(Email::domain)),
        }))
    }

    pub(super) fn whole(&self) -> &Text {
        &self.0.whole
    }

    pub(super) fn is_valid(&self) -> bool {
        self.0.valid
    }

    pub(super) fn local(&self) -> &Text {
        &self.0.local
    }

    pub(super) fn domain(&self) -> &Text {
        &self.0.domain
    }
}

/// The phone number.
#[derive(Clone)]
pub(super) struct PhoneFact(pub(super) Arc<PhoneParts>);

pub(super) struct PhoneParts {
    pub(super) raw: Text,
    pub(super) e164: Text,
    pub(super) country: Text,
    pub(super) valid: bool,
    pub(super) kind: PhoneKind,
}

impl PhoneFact {
    fn of(phone: Option<&Phone>) -> Self {
        Self(Arc::new(PhoneParts {
            raw: Text::of(phone.map(|p| p.raw.as_str())),
            e164: Text::of(phone.and_then(|p| p.e164.as_deref())),
            country: Text::of(phone.and_then(|p| p.country.as_deref())),
            valid: phone.is_some_and(|p| p.valid),
            kind: phone.map(|p| p.kind).unwrap_or_default(),
        }))
    }
}

/// Earlier leads of the same person.
#[derive(Clone, Copy)]
pub(super) struct SeenFact {
    pub(super) times: i64,
    pub(super) days_ago: Number,
}

impl SeenFact {
    pub(super) fn of(seen: &Seen, now: Millis) -> Self {
        let days = |at: Millis| {
            let whole = now.saturating_sub(at).max(0) / crate::clock::DAY;
            f64::from(i32::try_from(whole).unwrap_or(i32::MAX))
        };
        Self {
            times: seen.times,
            days_ago: Number(seen.last_at.map(days)),
        }
    }
}

/// The lead as rules see it; cheap to clone.
#[derive(Clone)]
pub(super) struct LeadFact(pub(super) Arc<LeadParts>);

pub(super) struct LeadParts {
    /// The canonical texts, in the order of [`TEXTS`].
    texts: [Text; TEXTS.len()],
    pub(super) email: EmailFact,
    pub(super) phone: PhoneFact,
    pub(super) source: Text,
    other: Vec<(Box<str>, Text)>,
    attribution: Vec<(Box<str>, Text)>,
    pub(super) consent: Vec<Consent>,
    pub(super) is_test: bool,
    pub(super) trapped: bool,
    pub(super) too_fast: bool,
    pub(super) fill_ms: Option<i64>,
    received_at: Millis,
    local: OnceLock<LocalTime>,
}

/// The canonical fields that are plain texts.
pub(super) const TEXTS: [&str; 13] = [
    "name",
    "first_name",
    "last_name",
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

impl LeadFact {
    pub(super) fn of(inquiry: &Inquiry, source: &str, received_at: Millis) -> Self {
        let fields = &inquiry.fields;
        let named = |name: &str, text: &str| (Box::from(name), Text::of(Some(text)));
        let other = fields.other.iter();
        let attribution = inquiry.attribution.0.iter();
        Self(Arc::new(LeadParts {
            texts: TEXTS.map(|name| Text::of(fields.get(name))),
            email: EmailFact::of(fields.email.as_ref()),
            phone: PhoneFact::of(fields.phone.as_ref()),
            source: Text::of(Some(source)),
            other: other
                .filter_map(|(name, values)| Some(named(name, values.first()?)))
                .collect(),
            attribution: attribution.map(|(name, text)| named(name, text)).collect(),
            consent: inquiry.consent.clone(),
            is_test: inquiry.is_test,
            trapped: inquiry.signals.trapped,
            too_fast: inquiry.signals.too_fast,
            fill_ms: inquiry.signals.fill_ms,
            received_at,
            local: OnceLock::new(),
        }))
    }

    /// A canonical text by its place in [`TEXTS`].
    pub(super) fn text(&self, at: usize) -> Text {
        self.0.texts.get(at).cloned().unwrap_or_default()
    }

    fn named(&self, name: &str) -> Text {
        let at = TEXTS.iter().position(|known| *known == name);
        at.map(|at| self.text(at)).unwrap_or_default()
    }

    /// Any field by name: those that a source sent besides, then the canonical ones.
    pub(super) fn field(&self, name: &str) -> Text {
        if let Some((_, text)) = self.0.other.iter().find(|(known, _)| &**known == name) {
            return text.clone();
        }
        match name {
            "email" => self.0.email.whole().clone(),
            "phone" => self.0.phone.0.raw.clone(),
            _ => self.named(name),
        }
    }

    /// `utm_source`, `gclid` and the like by name.
    pub(super) fn attribution(&self, name: &str) -> Text {
        let found = self.0.attribution.iter().find(|(n, _)| &**n == name);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    }

    /// Hour and day where the person is: by their country, else by that of their phone number.
    pub(super) fn local_time(&self) -> LocalTime {
        *self.0.local.get_or_init(|| {
            let country = self.named("country");
            let country = if country.exists() {
                &country
            } else {
                &self.0.phone.0.country
            };
            place::local_time(
                self.0.received_at,
                country.raw(),
                self.named("region").raw(),
            )
        })
    }
}

/// `lead.fields`.
#[derive(Clone)]
pub(super) struct FieldsFact(pub(super) LeadFact);

/// `lead.attribution`.
#[derive(Clone)]
pub(super) struct AttributionFact(pub(super) LeadFact);
