//! The words of the rules. To add one, add one row here, or in `vocabulary/texts.rs`: it is
//! registered, checked by lint and documented from there. Rows ask facts; they do no I/O and read no
//! clock.

mod texts;

use std::collections::BTreeMap;

use rhai::ImmutableString;

use super::compare::whole;
use super::facts::{
    AttributionFact, EmailFact, FieldsFact, LeadFact, Number, PhoneFact, SeenFact, TEXTS, Text,
};
use super::lists::{self, List};
use super::words::{Field, Kind, Speech};
use crate::lead::PhoneKind;

/// Teaches an engine every word; `named` are the lists that rules may name.
pub(super) fn teach(speech: &mut Speech<'_>, named: &BTreeMap<String, List>) {
    variables(speech);
    lead(speech);
    speech.fields(EMAIL);
    speech.fields(EMAIL_PARTS);
    speech.fields(PHONE);
    speech.fields(PHONE_PARTS);
    speech.fields(&[SEEN_TIMES]);
    speech.fields(&[SEEN_DAYS]);
    speech.fields(&[SEEN_BEFORE]);
    texts::teach(speech, named);
    super::compare::teach(speech.engine);
}

fn variables(s: &mut Speech<'_>) {
    let lead = "The lead: who asks for what.";
    s.note(
        None,
        "lead",
        None,
        Kind::Lead,
        (lead, "lead.country == \"DE\""),
    );
    let seen = "Earlier leads with the same e-mail address or phone number.";
    s.note(None, "seen", None, Kind::Seen, (seen, "seen.times > 2"));
    let points = "The points so far; in grade.rhai and route.rhai.";
    s.note(None, "points", None, Kind::Number, (points, "points >= 60"));
    let graded = "The grade that was given; in route.rhai.";
    s.note(
        None,
        "graded",
        None,
        Kind::Quoted,
        (graded, "graded == \"A\""),
    );
}

fn lead(s: &mut Speech<'_>) {
    for (at, (name, (doc, example))) in TEXTS.into_iter().zip(LEAD_TEXTS).enumerate() {
        s.field(name, move |l: &LeadFact| l.text(at), (doc, example));
    }
    for (name, doc, example) in UTM {
        s.field(
            name,
            move |l: &LeadFact| l.attribution(name),
            (doc, example),
        );
    }
    s.fields(LEAD_QUESTIONS);
    s.fields(LEAD_OTHER_TEXTS);
    s.fields(&[LEAD_EMAIL]);
    s.fields(&[LEAD_PHONE]);
    s.fields(&[LEAD_FIELDS]);
    s.fields(&[LEAD_ATTRIBUTION]);
    s.fields(&[LEAD_FILL_MS]);
    s.fields(&[LEAD_HOUR]);
    let agreed = |l: &mut LeadFact, key: ImmutableString| {
        let consent = &l.0.consent;
        consent.iter().any(|c| c.given && c.key == *key)
    };
    let doc = "Whether they agreed to what this consent field asks.";
    s.engine.register_fn("consent", agreed);
    s.note(
        Some(Kind::Lead),
        "consent",
        Some(1),
        Kind::Truth,
        (doc, "lead.consent(\"newsletter\")"),
    );
    s.engine
        .register_indexer_get(|f: &mut FieldsFact, name: ImmutableString| f.0.field(&name))
        .register_indexer_get(|a: &mut AttributionFact, name: ImmutableString| {
            a.0.attribution(&name)
        });
}

/// What the fields of [`TEXTS`] mean, in their order, and an example of each.
const LEAD_TEXTS: [(&str, &str); TEXTS.len()] = [
    ("The whole name.", "lead.name.words < 2"),
    ("The given name.", "lead.first_name == lead.last_name"),
    ("The family name.", "lead.last_name.length < 2"),
    ("The firm.", "lead.company.mentions([\"GmbH\", \"Ltd\"])"),
    (
        "What they do there.",
        "lead.job_title.mentions(\"head of\")",
    ),
    ("Their web site.", "lead.website.exists"),
    ("Street and number.", "lead.street.exists"),
    ("The town.", "lead.city == \"München\""),
    (
        "State, province or canton.",
        "lead.region in [\"US-CA\", \"US-NV\"]",
    ),
    ("Postcode or ZIP.", "lead.postcode.starts_with(\"80\")"),
    (
        "The country as two letters.",
        "lead.country in [\"DE\", \"AT\", \"CH\"]",
    ),
    ("The language as two letters.", "lead.language == \"de\""),
    (
        "What they wrote.",
        "lead.message.mentions([\"demo\", \"pricing\"])",
    ),
];

const UTM: [(&str, &str, &str); 5] = [
    (
        "utm_source",
        "Where the click came from.",
        "lead.utm_source == \"linkedin\"",
    ),
    (
        "utm_medium",
        "The kind of advertising.",
        "lead.utm_medium == \"cpc\"",
    ),
    (
        "utm_campaign",
        "The campaign.",
        "lead.utm_campaign.contains(\"brand\")",
    ),
    (
        "utm_term",
        "The search term bought.",
        "lead.utm_term.mentions(\"price\")",
    ),
    (
        "utm_content",
        "The advert's variant.",
        "lead.utm_content == \"video\"",
    ),
];

const LEAD_QUESTIONS: &[Field<LeadFact, bool>] = &[
    (
        "is_test",
        |l| l.0.is_test,
        "Whether the platform sent it as a test.",
        "lead.is_test",
    ),
    (
        "has_email",
        |l| l.0.email.is_valid(),
        "Whether there is an address that can be written to.",
        "!lead.has_email",
    ),
    (
        "has_phone",
        |l| l.0.phone.0.e164.exists(),
        "Whether there is a number that can be dialled.",
        "lead.has_phone",
    ),
    (
        "has_name",
        |l| l.text(0).exists() || l.text(2).exists(),
        "Whether a name was given.",
        "!lead.has_name",
    ),
    (
        "has_company",
        |l| l.text(3).exists(),
        "Whether a firm was given.",
        "lead.has_company",
    ),
    (
        "has_message",
        |l| l.text(12).exists(),
        "Whether they wrote something.",
        "lead.has_message",
    ),
    (
        "trapped",
        |l| l.0.trapped,
        "Whether the field that people cannot see was filled in.",
        "lead.trapped",
    ),
    (
        "too_fast",
        |l| l.0.too_fast,
        "Whether the form was filled in faster than its source allows.",
        "lead.too_fast",
    ),
    (
        "consented",
        |l| l.0.consent.iter().any(|c| c.given),
        "Whether they agreed to anything.",
        "!lead.consented",
    ),
];

const LEAD_OTHER_TEXTS: &[Field<LeadFact, Text>] = &[
    (
        "source",
        |l| l.0.source.clone(),
        "The source's name in sources.toml.",
        "lead.source == \"google\"",
    ),
    (
        "weekday",
        |l| Text::of(Some(l.local_time().weekday)),
        "The day where they are: mon, tue, wed, thu, fri, sat, sun.",
        "lead.weekday in [\"sat\", \"sun\"]",
    ),
];

const LEAD_EMAIL: Field<LeadFact, EmailFact> = (
    "email",
    |l| l.0.email.clone(),
    "The e-mail address.",
    "lead.email.is_valid",
);
const LEAD_PHONE: Field<LeadFact, PhoneFact> = (
    "phone",
    |l| l.0.phone.clone(),
    "The phone number.",
    "lead.phone.is_mobile",
);
const LEAD_FIELDS: Field<LeadFact, FieldsFact> = (
    "fields",
    |l| FieldsFact(l.clone()),
    "Any field by the name that its source gave it; a missing one is empty.",
    "lead.fields.employees.number >= 500",
);
const LEAD_ATTRIBUTION: Field<LeadFact, AttributionFact> = (
    "attribution",
    |l| AttributionFact(l.clone()),
    "Campaign parameters and click ids by name.",
    "lead.attribution[\"gclid\"].exists",
);
const LEAD_FILL_MS: Field<LeadFact, Number> = (
    "fill_ms",
    |l| Number(l.0.fill_ms.map(whole)),
    "Milliseconds between page and submission, where the form tells.",
    "lead.fill_ms < 3000",
);
const LEAD_HOUR: Field<LeadFact, i64> = (
    "hour",
    |l| l.local_time().hour,
    "The hour (0 to 23) where they are, when the lead came.",
    "lead.hour >= 18",
);

const EMAIL: &[Field<EmailFact, bool>] = &[
    (
        "is_valid",
        EmailFact::is_valid,
        "Whether it is written as an address must be.",
        "!lead.email.is_valid",
    ),
    (
        "is_free",
        |e| lists::is_free_mail(e.domain().raw()),
        "Whether anybody can have a mailbox there (gmail.com, web.de, …).",
        "!lead.email.is_free",
    ),
    (
        "is_disposable",
        |e| lists::is_disposable(e.domain().raw()),
        "Whether it is a throw-away mailbox.",
        "lead.email.is_disposable",
    ),
    (
        "is_role",
        |e| lists::is_role(e.local().raw()),
        "Whether it belongs to a task instead of a person (info@, sales@).",
        "lead.email.is_role",
    ),
];

const EMAIL_PARTS: &[Field<EmailFact, Text>] = &[
    (
        "domain",
        |e| e.domain().clone(),
        "What stands after the @.",
        "lead.email.domain in list(\"competitors\")",
    ),
    (
        "local",
        |e| e.local().clone(),
        "What stands before the @.",
        "lead.email.local == \"test\"",
    ),
];

const PHONE: &[Field<PhoneFact, bool>] = &[
    (
        "is_valid",
        |p| p.0.valid,
        "Whether its country has such a number.",
        "lead.phone.is_valid",
    ),
    (
        "is_mobile",
        |p| matches!(p.0.kind, PhoneKind::Mobile | PhoneKind::FixedOrMobile),
        "Whether it is, or may be, a mobile.",
        "lead.phone.is_mobile",
    ),
    (
        "exists",
        |p| p.0.raw.exists(),
        "Whether anything was given as a number.",
        "lead.phone.exists && !lead.phone.is_valid",
    ),
];

const PHONE_PARTS: &[Field<PhoneFact, Text>] = &[
    (
        "country",
        |p| p.0.country.clone(),
        "The country that it belongs to.",
        "lead.phone.country != lead.country",
    ),
    (
        "kind",
        |p| Text::of(kind_word(p.0.kind)),
        "One of fixed, mobile, fixed_or_mobile, toll_free, premium or voip.",
        "lead.phone.kind == \"premium\"",
    ),
    (
        "e164",
        |p| p.0.e164.clone(),
        "The plus sign and digits, as it is dialled.",
        "lead.phone.e164.starts_with(\"+49\")",
    ),
];

fn kind_word(kind: PhoneKind) -> Option<&'static str> {
    match kind {
        PhoneKind::Fixed => Some("fixed"),
        PhoneKind::Mobile => Some("mobile"),
        PhoneKind::FixedOrMobile => Some("fixed_or_mobile"),
        PhoneKind::TollFree => Some("toll_free"),
        PhoneKind::Premium => Some("premium"),
        PhoneKind::Voip => Some("voip"),
        PhoneKind::Unknown => None,
    }
}

const SEEN_TIMES: Field<SeenFact, i64> = (
    "times",
    |e| e.times,
    "How many earlier leads there are, at most 20.",
    "seen.times > 2",
);
const SEEN_DAYS: Field<SeenFact, Number> = (
    "days_ago",
    |e| e.days_ago,
    "Whole days since the latest; compares false if there is none.",
    "seen.days_ago < 30",
);
const SEEN_BEFORE: Field<SeenFact, bool> = (
    "before",
    |e| e.times > 0,
    "Whether there is an earlier one.",
    "seen.before",
);
