//! `leadgate leads show`: everything that is known of a lead and why it was decided so.

use std::collections::HashMap;
use std::io::Write;

use super::{Failed, json};
use crate::clock::{Millis, iso};
use crate::lead::{
    Assignment, Attempt, AttemptResult, Candidate, Delivery, Event, Facts, Lead, Phrase,
    PhraseKind, Recorded, Trace, Work, history_line,
};
use crate::ledger::Ledger;

/// What is read of a lead.
pub(super) struct Whole {
    pub(super) lead: Lead,
    pub(super) history: Vec<(Recorded, Option<i64>)>,
    pub(super) phrases: HashMap<i64, Vec<Phrase>>,
    pub(super) facts: Facts,
    pub(super) assignments: Vec<Assignment>,
    pub(super) deliveries: Vec<(Delivery, Vec<Attempt>)>,
    pub(super) work: Vec<Work>,
    /// When the personal data was taken away.
    pub(super) forgotten_at: Option<Millis>,
}

/// Reads everything of a lead.
pub(super) fn read(ledger: &Ledger, seq: i64) -> Result<Whole, Failed> {
    let whole = ledger.read(|r| {
        let lead = r.lead(seq)?;
        let history = r.history(lead.seq)?;
        let mut phrases = HashMap::new();
        for policy in history.iter().filter_map(|(_, policy)| *policy) {
            phrases.insert(policy, r.phrases(policy)?);
        }
        Ok(Whole {
            history,
            phrases,
            facts: r.facts(lead.seq)?,
            assignments: r.assignments(lead.seq)?,
            deliveries: r.deliveries(lead.seq)?,
            work: r.work_of_lead(lead.seq)?,
            forgotten_at: r.forgotten_at(lead.seq)?,
            lead,
        })
    })?;
    Ok(whole)
}

pub(super) fn run(ledger: &Ledger, seq: i64, json: bool) -> Result<(), Failed> {
    let whole = read(ledger, seq)?;
    if json {
        return super::print_json(&json::whole(&whole));
    }
    let mut out = std::io::stdout().lock();
    write(&mut out, &whole)?;
    Ok(())
}

fn write(out: &mut impl Write, whole: &Whole) -> std::io::Result<()> {
    let lead = &whole.lead;
    write_head(out, lead)?;
    if let Some(at) = whole.forgotten_at {
        writeln!(out, "  the personal data was taken away on {}", iso(at))?;
    }
    let line: Vec<_> = whole
        .history
        .iter()
        .map(|(recorded, _)| recorded.clone())
        .collect();
    writeln!(out, "\nIn one line\n  {}", printable(&history_line(&line)))?;
    writeln!(out, "\nHistory")?;
    for (recorded, policy) in &whole.history {
        let at = iso_ms(recorded.at);
        let by = match recorded.actor.to_string() {
            by if by == "leadgate" => String::new(),
            by => format!("  by {by}"),
        };
        writeln!(out, "  {at}  {}{by}", printable(&details(&recorded.event)))?;
        let phrases = policy.and_then(|policy| whole.phrases.get(&policy));
        write_trace(out, trace_of(&recorded.event), phrases)?;
        write_candidates(out, &recorded.event)?;
    }
    if whole.facts.seen.times > 0 {
        let last = whole.facts.seen.last_at.map(iso).unwrap_or_default();
        writeln!(
            out,
            "\nThe same person asked {} times before, last {last}",
            whole.facts.seen.times
        )?;
    }
    if !whole.deliveries.is_empty() {
        writeln!(out, "\nNotices")?;
    }
    for (delivery, attempts) in &whole.deliveries {
        let state = delivery.state.as_str();
        let (id, channel, rep) = (delivery.id, &delivery.channel, &delivery.rep);
        writeln!(out, "  #{id} {channel} to {rep}: {state}")?;
        for attempt in attempts {
            let at = iso_ms(attempt.started_at);
            writeln!(out, "    {}. {at}  {}", attempt.n, attempt_words(attempt))?;
        }
    }
    if !whole.work.is_empty() {
        writeln!(out, "\nStill to be done")?;
    }
    for work in &whole.work {
        writeln!(out, "  {} due {}", work.kind.as_str(), iso(work.due_at))?;
    }
    Ok(())
}

fn write_head(out: &mut impl Write, lead: &Lead) -> std::io::Result<()> {
    let test = if lead.inquiry.is_test {
        " (a platform's test)"
    } else {
        ""
    };
    writeln!(out, "Lead {}{test}", lead.id)?;
    let grade = lead
        .grade
        .as_deref()
        .map(|g| format!("grade {g}, {} points", lead.points));
    let with = lead.owner.as_deref().map(|rep| format!("with {rep}"));
    let pool = lead.pool.as_deref().map(|pool| format!("pool {pool}"));
    let mut facts = vec![lead.stage.to_string()];
    facts.extend(lead.reason.iter().map(|why| printable(why)));
    facts.extend([grade, pool, with].into_iter().flatten());
    writeln!(out, "  {}", facts.join(" · "))?;
    let received = iso(lead.received_at);
    let policy = lead.policy.as_deref().unwrap_or("-");
    writeln!(
        out,
        "  received {received} by source {} · policy {policy}",
        lead.source
    )?;
    super::show_fields::write(out, &lead.inquiry)
}

fn details(event: &Event) -> String {
    match event {
        Event::Graded {
            grade,
            points,
            pool,
            ..
        } => {
            format!("graded {grade}, {points} points, pool {pool}")
        }
        Event::Offered { rep, why, .. } => format!("offered {rep}: {why}"),
        Event::Waiting { why, until, .. } => match until {
            Some(until) => format!("waiting {why}; until {}", iso(*until)),
            None => format!("waiting {why}"),
        },
        Event::Tested { verdict, .. } => format!("{}: {verdict}", event.words()),
        Event::Attempted { delivery, n, .. } => {
            format!("{} (notice #{delivery}, attempt {n})", event.words())
        }
        Event::Fetched { took_ms, .. } => format!("{} ({took_ms} ms)", event.words()),
        Event::Conflict { submission } => {
            format!("conflict: came again with other content in submission {submission}")
        }
        Event::Closed {
            value: Some(value),
            currency,
            ..
        } => {
            let currency = currency.as_deref().unwrap_or_default();
            format!(
                "{} {}.{:02} {currency}",
                event.words(),
                value / 100,
                value % 100
            )
        }
        Event::Declined { why, .. }
        | Event::Withdrawn { why, .. }
        | Event::Closed { why: Some(why), .. }
        | Event::Rescreened { why }
        | Event::Alarmed { why } => {
            format!("{}: {why}", event.words())
        }
        Event::Received
        | Event::Accepted { .. }
        | Event::Rejected { .. }
        | Event::Held { .. }
        | Event::Undelivered { .. }
        | Event::Expired { .. }
        | Event::Claimed { .. }
        | Event::Contacted { .. }
        | Event::Closed { .. }
        | Event::Released => event.words(),
    }
}

pub(super) fn trace_of(event: &Event) -> Option<&Trace> {
    match event {
        Event::Accepted { trace }
        | Event::Rejected { trace, .. }
        | Event::Held { trace, .. }
        | Event::Graded { trace, .. } => Some(trace),
        Event::Received
        | Event::Fetched { .. }
        | Event::Conflict { .. }
        | Event::Tested { .. }
        | Event::Waiting { .. }
        | Event::Offered { .. }
        | Event::Attempted { .. }
        | Event::Undelivered { .. }
        | Event::Expired { .. }
        | Event::Declined { .. }
        | Event::Withdrawn { .. }
        | Event::Claimed { .. }
        | Event::Contacted { .. }
        | Event::Closed { .. }
        | Event::Released
        | Event::Rescreened { .. }
        | Event::Alarmed { .. } => None,
    }
}

fn write_trace(
    out: &mut impl Write,
    trace: Option<&Trace>,
    phrases: Option<&Vec<Phrase>>,
) -> std::io::Result<()> {
    let (Some(trace), Some(phrases)) = (trace, phrases) else {
        return Ok(());
    };
    for passed in &trace.0 {
        let Some(phrase) = phrases.get(usize::from(passed.phrase)) else {
            continue;
        };
        let mark = if passed.fired { "●" } else { "·" };
        let place = format!("{}:{}", phrase.file, phrase.line);
        writeln!(out, "      {mark} {place:<16} {}", phrase_words(phrase))?;
    }
    Ok(())
}

fn phrase_words(phrase: &Phrase) -> String {
    let label = &phrase.label;
    match phrase.kind {
        PhraseKind::Reject => format!("reject \"{label}\""),
        PhraseKind::Hold => format!("hold \"{label}\""),
        PhraseKind::Score => format!("score {:+} \"{label}\"", phrase.points),
        PhraseKind::Grade => format!("grade \"{label}\""),
        PhraseKind::Route if phrase.note.is_empty() => format!("route \"{label}\""),
        PhraseKind::Route => format!("route \"{label}\" \"{}\"", phrase.note),
    }
}

fn write_candidates(out: &mut impl Write, event: &Event) -> std::io::Result<()> {
    let (chosen, candidates): (Option<&str>, &[Candidate]) =
        if let Event::Offered {
            rep, candidates, ..
        } = event
        {
            (Some(rep.as_str()), candidates)
        } else if let Event::Waiting { candidates, .. } = event {
            (None, candidates)
        } else if let Event::Tested {
            rep, candidates, ..
        } = event
        {
            (rep.as_deref(), candidates)
        } else {
            return Ok(());
        };
    for candidate in candidates {
        let rep = &candidate.rep;
        let verdict = match &candidate.ruled_out {
            Some(why) => format!("no: {why}"),
            None if chosen == Some(rep.as_str()) => "chosen".into(),
            None => "could have taken it; not their turn".into(),
        };
        let (today, open, credit) = (candidate.today, candidate.open, candidate.credit);
        let counters = format!("{today} today, {open} open, credit {credit}");
        writeln!(out, "      {rep:<12} {verdict} ({counters})")?;
    }
    Ok(())
}

/// How an attempt ended, in words.
pub(super) fn attempt_words(attempt: &Attempt) -> String {
    let took = attempt
        .took_ms
        .map(|ms| format!(" ({ms} ms)"))
        .unwrap_or_default();
    let words = match &attempt.result {
        None => "no answer is recorded".to_owned(),
        Some(AttemptResult::Delivered) => "delivered".into(),
        Some(AttemptResult::TryAgain { why }) => format!("{why}; again later"),
        Some(AttemptResult::GiveUp { why }) => format!("{why}; never again"),
    };
    format!("{}{took}", printable(&words))
}

/// Without the characters that move a terminal's cursor or turn its text around.
pub(super) fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if hidden(c) { ' ' } else { c })
        .collect()
}

pub(super) fn iso_ms(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}
