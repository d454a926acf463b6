//! A notice in the words of the templates: every value is there, empty where it is not known.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Notice;
use crate::clock::{DAY, HOUR, MINUTE, Millis};
use crate::lead::Fields;

/// The longest piece of a message that stands in a subject.
const WANT_CHARS: usize = 60;
/// The longest message that a mail shows: Gmail hides the link below about 100 KB.
const MESSAGE_CHARS_MAX: usize = 4_000;
/// The longest name, company, job title and place: they stand above the buttons.
const HEAD_CHARS_MAX: usize = 200;
/// The longest value of a further field that a mail shows.
const OTHER_CHARS_MAX: usize = 500;
/// The most further fields that a mail shows; the page shows all.
const OTHERS_MAX: usize = 20;

/// What templates may use; `docs/templates.md` lists the same.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Words {
    grade: String,
    points: i64,
    name: String,
    company: String,
    job_title: String,
    place: String,
    email: String,
    email_link: String,
    phone: String,
    phone_link: String,
    website: String,
    message: String,
    want: String,
    why: Vec<Line>,
    route: String,
    pool: String,
    source: String,
    campaign: String,
    others: Vec<Pair>,
    fields: BTreeMap<String, String>,
    received: String,
    received_iso: String,
    ago: String,
    claim_by: String,
    seen_times: i64,
    rep_name: String,
    link: String,
    lead_id: String,
}

#[derive(Clone, Debug, Serialize)]
struct Line {
    points: String,
    text: String,
}

#[derive(Clone, Debug, Serialize)]
struct Pair {
    name: String,
    value: String,
}

impl Words {
    pub(super) fn of(notice: &Notice) -> Self {
        let fields = &notice.fields;
        let field = |name: &str| clean(fields.get(name).unwrap_or_default());
        let head = |text: &str| cut_to(clean(text), HEAD_CHARS_MAX);
        let deadline = notice.deadline.map(|at| local(at, &notice.zone));
        Self {
            grade: clean(&notice.grade),
            points: notice.points,
            name: head(fields.who()),
            company: head(fields.get("company").unwrap_or_default()),
            job_title: head(fields.get("job_title").unwrap_or_default()),
            place: head(&fields.place()),
            email: field("email"),
            email_link: fields.write_link(),
            phone: field("phone"),
            phone_link: fields.call_link(),
            website: field("website"),
            message: cut(field("message")),
            want: want(notice),
            why: lines(notice),
            route: clean(&notice.route),
            pool: clean(&notice.pool),
            source: clean(&notice.source),
            campaign: campaign(notice),
            others: others(notice),
            fields: all_fields(fields),
            received_iso: local_iso(notice.received_at, &notice.zone),
            received: local(notice.received_at, &notice.zone),
            ago: ago(notice.now - notice.received_at),
            claim_by: deadline.unwrap_or_default(),
            seen_times: notice.seen_times,
            rep_name: clean(&notice.rep_name),
            link: notice.link.clone(),
            lead_id: notice.lead_id.to_string(),
        }
    }
}

/// What they want in a few words: the best line that fired, else the message's beginning.
fn want(notice: &Notice) -> String {
    let good = notice.why.iter().filter(|(points, _)| *points > 0);
    match good.max_by_key(|(points, _)| *points) {
        Some((_, words)) => clean(words),
        None => short(&clean(notice.fields.get("message").unwrap_or_default())),
    }
}

fn lines(notice: &Notice) -> Vec<Line> {
    let line = |(points, words): &(i64, String)| Line {
        points: format!("{points:+}"),
        text: clean(words),
    };
    notice.why.iter().map(line).collect()
}

fn others(notice: &Notice) -> Vec<Pair> {
    let others = notice.fields.other.iter().take(OTHERS_MAX);
    let pair = |(name, values): (&String, &Vec<String>)| Pair {
        name: clean(name),
        value: cut_to(clean(&values.join(", ")), OTHER_CHARS_MAX),
    };
    others.map(pair).collect()
}

/// Every field that was given, by its name; further ones behind the known.
fn all_fields(fields: &Fields) -> BTreeMap<String, String> {
    let known = Fields::NAMES.into_iter().filter_map(|name| {
        let value = clean(fields.get(name)?);
        (!value.is_empty()).then(|| (name.to_owned(), cut(value)))
    });
    let others = fields.other.iter().take(OTHERS_MAX);
    let other = others.map(|(name, values)| {
        let value = cut_to(clean(&values.join(", ")), OTHER_CHARS_MAX);
        (clean(name), value)
    });
    other.chain(known).collect()
}

fn campaign(notice: &Notice) -> String {
    let names = ["utm_campaign", "campaign_id", "utm_source"];
    let mut known = names
        .iter()
        .filter_map(|name| notice.attribution.0.get(*name));
    clean(known.next().map_or("", String::as_str))
}

/// Without what moves a cursor, ends a line where none should end, or turns text around. Line ends
/// of a message stay, as `\n`: a bare CR in a body is a way into the SMTP dialogue.
pub(super) fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    let kept = text
        .chars()
        .filter(|c| *c == '\n' || *c == '\t' || !(c.is_control() || turns(*c)));
    kept.collect::<String>().trim().to_owned()
}

/// For a header: one line, at most 200 bytes.
pub(super) fn header(text: &str) -> String {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut end = line.len().min(200);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or_default().to_owned()
}

fn short(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WANT_CHARS {
        return line;
    }
    let cut: String = line.chars().take(WANT_CHARS).collect();
    let cut = cut
        .rsplit_once(' ')
        .map_or(cut.as_str(), |(words, _)| words);
    format!("{cut} …")
}

fn cut(message: String) -> String {
    cut_to(message, MESSAGE_CHARS_MAX)
}

/// The beginning of a long text; the page shows all of it.
fn cut_to(text: String, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// `Tue 24 Nov, 10:12` in the rep's time zone.
fn local(at: Millis, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.to_zoned(zone).strftime("%a %-d %b, %H:%M").to_string()
}

/// `2026-11-24T10:12:00+01:00` in the rep's time zone.
fn local_iso(at: Millis, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.to_zoned(zone)
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

fn ago(ms: Millis) -> String {
    match ms {
        ms if ms < MINUTE => "just now".into(),
        ms if ms < HOUR => format!("{} min ago", ms / MINUTE),
        ms if ms < DAY => format!("{} h ago", ms / HOUR),
        ms => format!("{} days ago", ms / DAY),
    }
}

/// A made-up notice, to try templates out when they are loaded.
pub(super) fn sample() -> Notice {
    let message = "Hello, we would like to see a demo next week.\nTwelve people would use it.";
    Notice {
        delivery: 1,
        lead_id: crate::lead::LeadId(uuid::Uuid::nil()),
        assignment: 1,
        attempt: 1,
        rep: "ana".into(),
        rep_name: "Ana".into(),
        rep_email: "ana@example.com".into(),
        endpoint: None,
        received_at: 0,
        offered_at: MINUTE,
        zone: "Europe/Berlin".into(),
        now: 2 * MINUTE,
        source: "website".into(),
        grade: "A".into(),
        points: 75,
        pool: "dach".into(),
        fields: crate::lead::Fields {
            name: Some("Mia Beispiel".into()),
            email: Some(crate::lead::Email::parse("mia@werk.example")),
            phone: Some(crate::lead::Phone::parse("+49 30 901820", None)),
            company: Some("Werk GmbH".into()),
            message: Some(message.into()),
            country: Some("DE".into()),
            job_title: Some("Einkauf".into()),
            website: Some("https://www.werk.example".into()),
            city: Some("Berlin".into()),
            other: [("employees".to_owned(), vec!["12".to_owned()])].into(),
            ..crate::lead::Fields::default()
        },
        attribution: crate::lead::Attribution([("utm_campaign".into(), "spring".into())].into()),
        why: vec![
            (30, "asked for a demo".into()),
            (20, "company e-mail".into()),
        ],
        route: "dach: German speaking; next in turn".into(),
        seen_times: 1,
        deadline: Some(30 * MINUTE),
        link: "http://localhost/r/sample".into(),
    }
}
