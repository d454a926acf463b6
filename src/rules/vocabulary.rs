//! The words of the rules. To add one, add one row here: it is registered, checked by lint and
//! documented from there. Rows ask facts and texts; they do no I/O and read no clock.

use std::collections::BTreeMap;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString};

use super::facts::{
    AttributionFact, EmailFact, FieldsFact, LeadFact, Number, PhoneFact, SeenFact, Text,
};
use super::lists::{self, List};
use super::needles;
use super::text;
use super::words::{Kind, Speech, plain_error};
use crate::lead::PhoneKind;

/// Teaches an engine every word; `named` are the lists that rules may name.
pub(super) fn teach(speech: &mut Speech<'_>, named: &BTreeMap<String, List>) {
    variables(speech);
    lead_texts(speech);
    lead_questions(speech);
    email(speech);
    phone(speech);
    seen(speech);
    texts(speech);
    membership(speech, named);
    super::compare::teach(speech.engine);
}

fn variables(s: &mut Speech<'_>) {
    s.note(
        "",
        "lead",
        None,
        Kind::Lead,
        ("The lead: who asks for what.", "lead.country == \"DE\""),
    );
    s.note(
        "",
        "seen",
        None,
        Kind::Seen,
        (
            "Earlier leads with the same e-mail address or phone number.",
            "seen.times > 2",
        ),
    );
    s.note(
        "",
        "points",
        None,
        Kind::Number,
        (
            "The points so far; in grade.rhai and route.rhai.",
            "points >= 60",
        ),
    );
    s.note(
        "",
        "graded",
        None,
        Kind::Quoted,
        (
            "The grade that was given; in route.rhai.",
            "graded == \"A\"",
        ),
    );
}

fn lead_texts(s: &mut Speech<'_>) {
    // The numbers are places in `facts::TEXTS`; a test holds the two together.
    s.field(
        "name",
        |l: &mut LeadFact| l.text(0),
        ("The whole name.", "lead.name.words < 2"),
    );
    s.field(
        "first_name",
        |l: &mut LeadFact| l.text(1),
        ("The given name.", "lead.first_name == lead.last_name"),
    );
    s.field(
        "last_name",
        |l: &mut LeadFact| l.text(2),
        ("The family name.", "lead.last_name.length < 2"),
    );
    s.field(
        "company",
        |l: &mut LeadFact| l.text(3),
        ("The firm.", "lead.company.mentions([\"GmbH\", \"Ltd\"])"),
    );
    s.field(
        "job_title",
        |l: &mut LeadFact| l.text(4),
        (
            "What they do there.",
            "lead.job_title.mentions(\"head of\")",
        ),
    );
    s.field(
        "website",
        |l: &mut LeadFact| l.text(5),
        ("Their web site.", "lead.website.exists"),
    );
    s.field(
        "street",
        |l: &mut LeadFact| l.text(6),
        ("Street and number.", "lead.street.exists"),
    );
    s.field(
        "city",
        |l: &mut LeadFact| l.text(7),
        ("The town.", "lead.city == \"München\""),
    );
    s.field(
        "region",
        |l: &mut LeadFact| l.text(8),
        (
            "State, province or canton.",
            "lead.region in [\"CA\", \"California\"]",
        ),
    );
    s.field(
        "postcode",
        |l: &mut LeadFact| l.text(9),
        ("Postcode or ZIP.", "lead.postcode.starts_with(\"80\")"),
    );
    s.field(
        "country",
        |l: &mut LeadFact| l.text(10),
        (
            "The country as two letters.",
            "lead.country in [\"DE\", \"AT\", \"CH\"]",
        ),
    );
    s.field(
        "language",
        |l: &mut LeadFact| l.text(11),
        ("The language as two letters.", "lead.language == \"de\""),
    );
    s.field(
        "message",
        |l: &mut LeadFact| l.text(12),
        (
            "What they wrote.",
            "lead.message.mentions([\"demo\", \"pricing\"])",
        ),
    );
    s.field(
        "source",
        |l: &mut LeadFact| l.0.source.clone(),
        (
            "The source's name in sources.toml.",
            "lead.source == \"google\"",
        ),
    );
    s.field(
        "fields",
        |l: &mut LeadFact| FieldsFact(l.clone()),
        (
            "Any field by the name that its source gave it; a missing one is empty.",
            "lead.fields.employees.number >= 500",
        ),
    );
    s.field(
        "attribution",
        |l: &mut LeadFact| AttributionFact(l.clone()),
        (
            "Campaign parameters and click ids by name.",
            "lead.attribution[\"gclid\"].exists",
        ),
    );
    s.field(
        "utm_source",
        |l: &mut LeadFact| l.attribution("utm_source"),
        (
            "Where the click came from.",
            "lead.utm_source == \"linkedin\"",
        ),
    );
    s.field(
        "utm_medium",
        |l: &mut LeadFact| l.attribution("utm_medium"),
        ("The kind of advertising.", "lead.utm_medium == \"cpc\""),
    );
    s.field(
        "utm_campaign",
        |l: &mut LeadFact| l.attribution("utm_campaign"),
        ("The campaign.", "lead.utm_campaign.contains(\"brand\")"),
    );
    s.field(
        "utm_term",
        |l: &mut LeadFact| l.attribution("utm_term"),
        (
            "The search term bought.",
            "lead.utm_term.mentions(\"price\")",
        ),
    );
    s.field(
        "utm_content",
        |l: &mut LeadFact| l.attribution("utm_content"),
        ("The advert's variant.", "lead.utm_content == \"video\""),
    );
    s.engine
        .register_indexer_get(|f: &mut FieldsFact, name: ImmutableString| f.0.field(&name))
        .register_indexer_get(|a: &mut AttributionFact, name: ImmutableString| {
            a.0.attribution(&name)
        });
}

fn lead_questions(s: &mut Speech<'_>) {
    s.field(
        "email",
        |l: &mut LeadFact| l.0.email.clone(),
        ("The e-mail address.", "lead.email.is_valid"),
    );
    s.field(
        "phone",
        |l: &mut LeadFact| l.0.phone.clone(),
        ("The phone number.", "lead.phone.is_mobile"),
    );
    s.field(
        "is_test",
        |l: &mut LeadFact| l.0.is_test,
        ("Whether the platform sent it as a test.", "lead.is_test"),
    );
    s.field(
        "has_email",
        |l: &mut LeadFact| l.0.email.is_valid(),
        (
            "Whether there is an address that can be written to.",
            "!lead.has_email",
        ),
    );
    s.field(
        "has_phone",
        |l: &mut LeadFact| l.0.phone.0.e164.exists(),
        (
            "Whether there is a number that can be dialled.",
            "lead.has_phone",
        ),
    );
    s.field(
        "has_name",
        |l: &mut LeadFact| l.text(0).exists() || l.text(2).exists(),
        ("Whether a name was given.", "!lead.has_name"),
    );
    s.field(
        "has_company",
        |l: &mut LeadFact| l.text(3).exists(),
        ("Whether a firm was given.", "lead.has_company"),
    );
    s.field(
        "has_message",
        |l: &mut LeadFact| l.text(12).exists(),
        ("Whether they wrote something.", "lead.has_message"),
    );
    s.field(
        "trapped",
        |l: &mut LeadFact| l.0.trapped,
        (
            "Whether the field that people cannot see was filled in.",
            "lead.trapped",
        ),
    );
    s.field(
        "too_fast",
        |l: &mut LeadFact| l.0.too_fast,
        (
            "Whether the form was filled in faster than its source allows.",
            "lead.too_fast",
        ),
    );
    s.field(
        "fill_ms",
        |l: &mut LeadFact| Number(l.0.fill_ms.map(whole)),
        (
            "Milliseconds between page and submission, where the form tells.",
            "lead.fill_ms < 3000",
        ),
    );
    s.field(
        "hour",
        |l: &mut LeadFact| l.local_time().hour,
        (
            "The hour (0 to 23) where they are, when the lead came.",
            "lead.hour >= 18",
        ),
    );
    s.field(
        "weekday",
        |l: &mut LeadFact| Text::of(Some(l.local_time().weekday)),
        (
            "The day where they are: mon, tue, wed, thu, fri, sat, sun.",
            "lead.weekday in [\"sat\", \"sun\"]",
        ),
    );
    s.field(
        "consented",
        |l: &mut LeadFact| l.0.consent.iter().any(|c| c.given),
        ("Whether they agreed to anything.", "!lead.consented"),
    );
    s.method(
        "consent",
        |l: &mut LeadFact, key: ImmutableString| {
            l.0.consent.iter().any(|c| c.given && c.key == *key)
        },
        (
            "Whether they agreed to what this consent field asks.",
            "lead.consent(\"newsletter\")",
        ),
    );
}

fn email(s: &mut Speech<'_>) {
    s.field(
        "is_valid",
        |e: &mut EmailFact| e.is_valid(),
        (
            "Whether it is written as an address must be.",
            "!lead.email.is_valid",
        ),
    );
    s.field(
        "is_free",
        |e: &mut EmailFact| lists::is_free_mail(e.domain().raw()),
        (
            "Whether anybody can have a mailbox there (gmail.com, web.de, …).",
            "!lead.email.is_free",
        ),
    );
    s.field(
        "is_disposable",
        |e: &mut EmailFact| lists::is_disposable(e.domain().raw()),
        (
            "Whether it is a throw-away mailbox.",
            "lead.email.is_disposable",
        ),
    );
    s.field(
        "is_role",
        |e: &mut EmailFact| lists::is_role(e.local().raw()),
        (
            "Whether it belongs to a task instead of a person (info@, sales@).",
            "lead.email.is_role",
        ),
    );
    s.field(
        "domain",
        |e: &mut EmailFact| e.domain().clone(),
        (
            "What stands after the @.",
            "lead.email.domain in list(\"competitors\")",
        ),
    );
    s.field(
        "local",
        |e: &mut EmailFact| e.local().clone(),
        ("What stands before the @.", "lead.email.local == \"test\""),
    );
}

fn phone(s: &mut Speech<'_>) {
    s.field(
        "is_valid",
        |p: &mut PhoneFact| p.0.valid,
        (
            "Whether its country has such a number.",
            "lead.phone.is_valid",
        ),
    );
    s.field(
        "country",
        |p: &mut PhoneFact| p.0.country.clone(),
        (
            "The country that it belongs to.",
            "lead.phone.country != lead.country",
        ),
    );
    s.field(
        "kind",
        |p: &mut PhoneFact| Text::of(kind_word(p.0.kind)),
        (
            "fixed, mobile, fixed_or_mobile, toll_free, premium or voip.",
            "lead.phone.kind == \"premium\"",
        ),
    );
    s.field(
        "is_mobile",
        |p: &mut PhoneFact| matches!(p.0.kind, PhoneKind::Mobile | PhoneKind::FixedOrMobile),
        (
            "Whether it is, or may be, a mobile.",
            "lead.phone.is_mobile",
        ),
    );
    s.field(
        "e164",
        |p: &mut PhoneFact| p.0.e164.clone(),
        (
            "+ and digits, as it is dialled.",
            "lead.phone.e164.starts_with(\"+49\")",
        ),
    );
    s.field(
        "exists",
        |p: &mut PhoneFact| p.0.raw.exists(),
        (
            "Whether anything was given as a number.",
            "lead.phone.exists && !lead.phone.is_valid",
        ),
    );
}

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

fn seen(s: &mut Speech<'_>) {
    s.field(
        "times",
        |e: &mut SeenFact| e.times,
        (
            "How many earlier leads there are, at most 20.",
            "seen.times > 2",
        ),
    );
    s.field(
        "days_ago",
        |e: &mut SeenFact| e.days_ago,
        (
            "Whole days since the latest; compares false if there is none.",
            "seen.days_ago < 30",
        ),
    );
    s.field(
        "before",
        |e: &mut SeenFact| e.times > 0,
        ("Whether there is an earlier one.", "seen.before"),
    );
}

fn texts(s: &mut Speech<'_>) {
    s.text_field(
        "exists",
        Text::exists,
        ("Whether it was given at all.", "lead.website.exists"),
    );
    s.text_field(
        "is_empty",
        |t| !t.exists(),
        ("Whether it was left out.", "lead.company.is_empty"),
    );
    s.text_field(
        "length",
        |t| count(t.raw().chars().count()),
        ("How many characters.", "lead.message.length < 10"),
    );
    s.text_field(
        "words",
        |t| count(t.raw().split_whitespace().count()),
        ("How many words.", "lead.message.words >= 20"),
    );
    s.text_field(
        "links",
        |t| text::links(t.raw()),
        (
            "How many web addresses stand in it.",
            "lead.message.links > 1",
        ),
    );
    s.text_field(
        "lower",
        |t| Text::of(Some(&t.raw().to_lowercase())),
        ("In small letters.", "lead.source.lower == \"web\""),
    );
    s.text_field(
        "number",
        Text::number,
        (
            "The first number in it: 1.000,50 or 10k or 50-100 (its lower bound).",
            "lead.fields.employees.number >= 500",
        ),
    );
    s.text_method(
        "contains",
        |t, o| t.contains(&*text::fold(o)),
        (
            "Whether the other text stands in it anywhere.",
            "lead.utm_campaign.contains(\"brand\")",
        ),
    );
    s.text_method(
        "starts_with",
        |t, o| t.starts_with(&*text::fold(o)),
        (
            "Whether it begins with the other text.",
            "lead.postcode.starts_with(\"80\")",
        ),
    );
    s.text_method(
        "ends_with",
        |t, o| t.ends_with(&*text::fold(o)),
        (
            "Whether it ends with the other text.",
            "lead.email.domain.ends_with(\".edu\")",
        ),
    );
    s.text_method("mentions", |t, o| needles::mentions(t, &text::fold(o)), (
        "Whether these words, or any of a list, stand in it as whole words; `preis*` also finds longer ones.",
        "lead.message.mentions([\"demo\", \"preis*\"])",
    ));
    s.engine
        .register_fn("mentions", |t: &mut Text, any: List| {
            any.any_mentioned(t.folded())
        })
        .register_fn("mentions", |t: &mut EmailFact, any: List| {
            any.any_mentioned(t.whole().folded())
        })
        .register_fn("mentions", |t: &mut Text, any: Array| any_of(&any, t))
        .register_fn("mentions", |t: &mut EmailFact, any: Array| {
            any_of(&any, t.whole())
        })
        .register_fn("to_string", |t: &mut Text| shortened(t))
        .register_fn("to_string", |t: &mut EmailFact| shortened(t.whole()))
        .register_fn("to_string", |n: &mut Number| {
            n.0.map_or_else(String::new, |n| n.to_string())
        });
}

/// A plain text of the engine, within its limit.
fn shortened(text: &Text) -> ImmutableString {
    text::cut(text.raw(), super::engine::STRING_BYTES_MAX / 2).into()
}

fn membership(s: &mut Speech<'_>, named: &BTreeMap<String, List>) {
    let named = named.clone();
    let find = move |name: ImmutableString| -> Result<List, Box<EvalAltResult>> {
        let found = named.get(name.as_str()).cloned();
        found.ok_or_else(|| {
            plain_error(format!(
                "there is no list \"{}\" in rules/lists",
                text::cut(&name, 40)
            ))
        })
    };
    s.engine.register_fn("list", find);
    s.note("", "list", Some(1), Kind::List, (
        "A list of rules/lists by its file name; an entry `*.rival.example` covers all below it.",
        "lead.email.domain in list(\"competitors\")",
    ));
    s.field(
        "length",
        |l: &mut List| count(l.length()),
        ("How many entries.", "list(\"competitors\").length > 0"),
    );
    // `x in y` is `contains(y, x)`.
    s.engine
        .register_fn("contains", |l: &mut List, t: Text| l.has(t.folded()))
        .register_fn("contains", |l: &mut List, t: ImmutableString| {
            l.has(&text::fold(&t))
        })
        .register_fn("contains", |l: &mut List, e: EmailFact| {
            l.has(e.whole().folded()) || l.has(e.domain().folded())
        })
        .register_fn("contains", |l: &mut Array, t: Text| among(l, &t))
        .register_fn("contains", |l: &mut Array, e: EmailFact| {
            among(l, e.whole())
        })
        .register_fn("contains", |l: &mut Array, n: Number| {
            l.iter().any(|item| n.0.is_some() && number_of(item) == n.0)
        });
}

/// A list written in a function, or kept in a variable; elsewhere it is made a set when loaded.
fn among(items: &Array, text: &Text) -> bool {
    let same = |item: &Dynamic| {
        let item = item.read_lock::<ImmutableString>();
        item.is_some_and(|item| text.is(&item))
    };
    items.iter().any(same)
}

fn any_of(items: &Array, text: &Text) -> bool {
    let folded = text.folded();
    let mentioned = |item: &Dynamic| {
        let item = item.read_lock::<ImmutableString>();
        item.is_some_and(|item| needles::mentions(folded, &text::fold(&item)))
    };
    items.iter().any(mentioned)
}

fn number_of(item: &Dynamic) -> Option<f64> {
    item.as_float()
        .ok()
        .or_else(|| item.as_int().ok().map(whole))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and milliseconds are far below 2^53"
)]
pub(super) fn whole(n: i64) -> f64 {
    n as f64
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::facts::TEXTS;
    use super::super::words::words;

    #[test]
    fn every_word_stands_once_and_explains_itself() {
        let mut seen = std::collections::BTreeSet::new();
        for word in words() {
            assert!(seen.insert((word.on, word.name)), "{} twice", word.name);
            assert!(word.example.contains(word.name), "{}", word.name);
            assert!(word.doc.ends_with('.'), "{}", word.doc);
        }
        for name in TEXTS {
            assert!(seen.contains(&("lead", name)), "lead.{name} is missing");
        }
    }
}
