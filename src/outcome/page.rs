//! Draws the rep's page: pure, one embedded template, no script. Knows neither HTTP nor the ledger.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, value::Serde};
use serde::Serialize;
use std::sync::LazyLock;

use crate::clock::Millis;
use crate::flow::report::Why;
use crate::lead::{Fields, Outcome, Stage};

const NAME: &str = "page.html";

static ENV: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    // The template is part of the program; the test of a lead's life draws it in every stage.
    let _ = env.add_template(NAME, include_str!("page.html"));
    env
});

/// What is said above the lead: that something was done, or why not.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Said {
    /// `good`, `bad`, or empty for nothing.
    pub(super) tone: &'static str,
    /// The words.
    pub(super) text: String,
}

/// Everything that the template shows; `lead` is absent on a page that shows none.
#[derive(Serialize)]
struct View {
    title: String,
    said: Said,
    lead: Option<Shown>,
}

#[derive(Serialize)]
struct Shown {
    grade: String,
    points: i64,
    name: String,
    company: String,
    job_title: String,
    place: String,
    phone: String,
    phone_link: String,
    email: String,
    email_link: String,
    message: String,
    rows: Vec<(String, String)>,
    why: Vec<(String, String)>,
    route: String,
    seen_times: i64,
    received: String,
    claim_by: String,
    stage: &'static str,
    /// Which steps the page offers: `claim`, `contacted`, `close`.
    steps: Vec<&'static str>,
    lead_id: String,
}

/// The page of a lead that the reader has.
pub(super) fn lead(why: &Why, said: Said, zone: &str) -> String {
    let lead = &why.lead;
    let fields = &lead.inquiry.fields;
    let text = |name: &str| fields.get(name).unwrap_or_default().to_owned();
    let name = fields.who().to_owned();
    let deadline = why.deadline.filter(|_| lead.stage == Stage::Offered);
    let claim_by = deadline.map(|at| local(at, zone));
    let shown = Shown {
        grade: lead.grade.clone().unwrap_or_default(),
        points: lead.points,
        company: if text("company") == name {
            String::new()
        } else {
            text("company")
        },
        job_title: text("job_title"),
        place: fields.place(),
        phone: text("phone"),
        phone_link: fields.call_link(),
        email: text("email"),
        email_link: fields.write_link(),
        message: text("message"),
        rows: rows(fields, &lead.source),
        why: why
            .scores
            .iter()
            .map(|(points, words)| (format!("{points:+}"), words.clone()))
            .collect(),
        route: why.route.clone(),
        seen_times: why.seen.times,
        received: local(lead.received_at, zone),
        claim_by: claim_by.unwrap_or_default(),
        stage: stage_words(lead.stage),
        steps: steps(lead.stage),
        lead_id: lead.id.to_string(),
        name,
    };
    draw(View {
        title: shown.name.clone(),
        said,
        lead: Some(shown),
    })
}

/// A page that shows nothing of any lead.
pub(super) fn notice(title: &str, text: &str) -> String {
    draw(View {
        title: title.to_owned(),
        said: Said {
            tone: "",
            text: text.to_owned(),
        },
        lead: None,
    })
}

fn draw(view: View) -> String {
    let drawn = ENV
        .get_template(NAME)
        .and_then(|page| page.render(Serde(view)));
    drawn.unwrap_or_else(|error| {
        tracing::error!(%error, "the rep's page cannot be drawn");
        "<!doctype html><title>leadgate</title><p>This page cannot be shown just now.".into()
    })
}

fn steps(stage: Stage) -> Vec<&'static str> {
    match stage {
        Stage::Offered => vec!["claim", "contacted", "close"],
        Stage::Claimed => vec!["contacted", "close"],
        Stage::Contacted => vec!["close"],
        Stage::Fetching
        | Stage::Received
        | Stage::Rejected
        | Stage::Held
        | Stage::Waiting
        | Stage::Closed(_) => Vec::new(),
    }
}

fn rows(fields: &Fields, source: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    if let Some(website) = &fields.website {
        rows.push(("Web site".to_owned(), website.clone()));
    }
    let others = fields
        .other
        .iter()
        .map(|(name, values)| (name.clone(), values.join(", ")));
    rows.extend(others.take(50));
    rows.push(("Source".to_owned(), source.to_owned()));
    rows
}

fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Offered => "Offered to you",
        Stage::Claimed => "Yours",
        Stage::Contacted => "Contacted",
        Stage::Closed(Outcome::Won) => "Won",
        Stage::Closed(Outcome::Lost) => "Lost",
        Stage::Closed(Outcome::NoResponse) => "Never reached",
        Stage::Closed(_) => "Closed",
        Stage::Fetching | Stage::Received | Stage::Rejected | Stage::Held | Stage::Waiting => "",
    }
}

fn local(at: Millis, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.to_zoned(zone).strftime("%a %-d %b, %H:%M").to_string()
}
