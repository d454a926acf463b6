//! Example leads beside the rules, with what is expected of them. They run at every load; one that
//! does not hold keeps the rules from being used, and shows the difference and what led to it.

use std::fmt::Write as _;

use super::load::has_extension;
use super::{Asked, Rulebook, Texts};
use crate::clock::{DAY, Millis, iso};
use crate::document::{self, Overrides, Table};
use crate::lead::Consent;
use crate::lead::Decided;
use crate::lead::Email;
use crate::lead::Facts;
use crate::lead::Fields;
use crate::lead::Inquiry;
use crate::lead::Phone;
use crate::lead::Seen;
use crate::lead::Verdict;
use crate::problem::Problem;

/// The present of samples that do not say when: a Tuesday at ten in the morning, UTC.
const USUAL_TIME: Millis = 1_772_532_000_000;
const VERDICTS: [&str; 3] = ["accepted", "rejected", "held"];

struct Sample {
    source: String,
    received_at: Millis,
    inquiry: Inquiry,
    facts: Facts,
}

/// Reads every sample and, where there is a rulebook, runs it. How many ran, and what is wrong.
pub(super) fn run(texts: &Texts, book: Option<&Rulebook>) -> (usize, Vec<Problem>) {
    let (mut ran, mut problems) = (0, Vec::new());
    let samples = texts
        .iter()
        .filter(|(name, _)| name.starts_with("samples/") && has_extension(name, "toml"));
    for (name, text) in samples {
        let read = document::read(name, text, &Overrides::new(), |root| {
            let sample = sample(root);
            let expect = root.table("expect");
            let decided = book.map(|book| (book, decide(book, &sample)));
            compare(&expect, decided.as_ref().map(|(book, d)| (*book, d)));
            root.done();
            Some(())
        });
        match read {
            Ok(()) => ran += usize::from(book.is_some()),
            Err(mut found) => problems.append(&mut found),
        }
    }
    (ran, problems)
}

fn decide(book: &Rulebook, sample: &Sample) -> Decided {
    book.decide(&Asked {
        inquiry: &sample.inquiry,
        source: &sample.source,
        received_at: sample.received_at,
        facts: &sample.facts,
        overruled: None,
    })
}

fn sample(root: &Table<'_>) -> Sample {
    let received_at = moment(root, "received_at").unwrap_or(USUAL_TIME);
    let seen = root.table("seen");
    let times = seen.int("times", 0..=20);
    let days = seen.int("days_ago", 0..=36_500);
    seen.done();
    let last_at = days.map(|days| received_at - days * DAY);
    Sample {
        source: root.text("source").unwrap_or_else(|| "form".to_owned()),
        received_at,
        inquiry: inquiry(root),
        facts: Facts {
            seen: Seen {
                times: times.unwrap_or(i64::from(days.is_some())),
                last_at,
            },
        },
    }
}

fn moment(root: &Table<'_>, key: &str) -> Option<Millis> {
    let text = root.text(key)?;
    let stamp: Result<jiff::Timestamp, _> = text.parse();
    if stamp.is_err() {
        let like = iso(USUAL_TIME);
        root.problem(key, format!("{key} is no time; wanted is one like {like}"));
    }
    stamp.ok().map(jiff::Timestamp::as_millisecond)
}

fn inquiry(root: &Table<'_>) -> Inquiry {
    let lead = root.table("lead");
    if !lead.is_there() {
        root.missing("lead");
    }
    let mut inquiry = Inquiry {
        fields: fields(&lead),
        is_test: lead.bool("is_test").unwrap_or_default(),
        ..Inquiry::default()
    };
    let signals = &mut inquiry.signals;
    signals.trapped = lead.bool("trapped").unwrap_or_default();
    signals.too_fast = lead.bool("too_fast").unwrap_or_default();
    signals.fill_ms = lead.int("fill_ms", 0..=86_400_000);
    let attribution = lead.table("attribution");
    for key in attribution.keys() {
        if let Some(text) = attribution.text(&key) {
            inquiry.attribution.0.insert(key, text);
        }
    }
    let consent = lead.table("consent");
    for key in consent.keys() {
        let given = consent.bool(&key).unwrap_or_default();
        let value = given.to_string();
        inquiry.consent.push(Consent { key, given, value });
    }
    lead.done();
    inquiry
}

fn fields(lead: &Table<'_>) -> Fields {
    let country = lead.text("country");
    let mut fields = Fields {
        name: lead.text("name"),
        first_name: lead.text("first_name"),
        last_name: lead.text("last_name"),
        email: lead.text("email").map(|text| Email::parse(&text)),
        phone: lead
            .text("phone")
            .map(|text| Phone::parse(&text, country.as_deref())),
        company: lead.text("company"),
        job_title: lead.text("job_title"),
        website: lead.text("website"),
        street: lead.text("street"),
        city: lead.text("city"),
        region: lead.text("region"),
        postcode: lead.text("postcode"),
        country,
        language: lead.text("language"),
        message: lead.text("message"),
        ..Fields::default()
    };
    let other = lead.table("fields");
    for key in other.keys() {
        if let Some(text) = other.text(&key) {
            fields.other.insert(key, vec![text]);
        }
    }
    fields
}

/// Notes every difference between what is expected and what was decided.
fn compare(expect: &Table<'_>, decided: Option<(&Rulebook, &Decided)>) {
    if expect.required_text("verdict").is_none() {
        expect.done();
        return;
    }
    let wanted = [
        (
            "verdict",
            expect.choice("verdict", &VERDICTS).map(str::to_owned),
        ),
        ("reason", expect.text("reason")),
        ("grade", expect.text("grade")),
        (
            "points",
            expect
                .int("points", -1_000_000_000..=1_000_000_000)
                .map(|n| n.to_string()),
        ),
        ("pool", expect.text("pool")),
    ];
    expect.done();
    let Some((book, decided)) = decided else {
        return;
    };
    let got = parts(&decided.verdict);
    for ((key, wanted), got) in wanted.into_iter().zip(got) {
        let Some(wanted) = wanted else { continue };
        if got.as_deref() != Some(wanted.as_str()) {
            let got = got.unwrap_or_else(|| "none".to_owned());
            let message = format!("the {key} expected is {wanted}, the rules give {got}");
            expect.problem_hint(key, message, Some(story(book, decided)));
        }
    }
}

/// Verdict, reason, grade, points and pool as texts.
fn parts(verdict: &Verdict) -> [Option<String>; 5] {
    let word = |word: &str| Some(word.to_owned());
    match verdict {
        Verdict::Rejected { why } => [word("rejected"), word(why), None, None, None],
        Verdict::Held { why, .. } => [word("held"), word(why), None, None, None],
        Verdict::Accepted {
            grade,
            points,
            pool,
        } => [
            word("accepted"),
            None,
            word(grade),
            Some(points.to_string()),
            word(pool),
        ],
    }
}

/// The verdict and the lines that led to it, in one line.
fn story(book: &Rulebook, decided: &Decided) -> String {
    let mut story = match &decided.verdict {
        Verdict::Rejected { why } => format!("rejected: {why}"),
        Verdict::Held { why, .. } => format!("held: {why}"),
        Verdict::Accepted {
            grade,
            points,
            pool,
        } => format!("graded {grade} with {points} points for {pool}"),
    };
    let fired = decided.trace.0.iter().filter(|passed| passed.fired);
    for (at, passed) in fired.enumerate() {
        let Some(phrase) = book.phrases().get(usize::from(passed.phrase)) else {
            continue;
        };
        let gap = if at == 0 { "; fired: " } else { ", " };
        let points = match phrase.points {
            0 => String::new(),
            points => format!(" {points:+}"),
        };
        let _ = write!(
            story,
            "{gap}{}:{} {}{points}",
            phrase.file, phrase.line, phrase.label
        );
    }
    story
}
