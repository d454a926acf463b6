//! Leads and notices for programs: what `--json` prints.

use serde_json::{Value, json};

use super::show::{Whole, iso_ms, trace_of};
use crate::clock::iso;
use crate::lead::{Attempt, Delivery, Lead, history_line};

/// A lead for a program.
pub(super) fn lead(lead: &Lead) -> Value {
    json!({
        "id": lead.id,
        "received_at": iso(lead.received_at),
        "source": lead.source,
        "stage": lead.stage.as_str(),
        "reason": lead.reason,
        "grade": lead.grade,
        "points": lead.points,
        "pool": lead.pool,
        "rep": lead.owner,
        "policy": lead.policy,
        "is_test": lead.inquiry.is_test,
        "fields": lead.inquiry.fields,
        "attribution": lead.inquiry.attribution,
        "consent": lead.inquiry.consent,
    })
}

/// A notice for a program.
pub(super) fn delivery(delivery: &Delivery, attempts: &[Attempt]) -> Value {
    let attempts = attempts.iter().map(|attempt| {
        json!({
            "n": attempt.n,
            "started_at": iso_ms(attempt.started_at),
            "took_ms": attempt.took_ms,
            "result": attempt.result,
        })
    });
    json!({
        "delivery": delivery.id,
        "lead": delivery.lead_id,
        "channel": delivery.channel,
        "rep": delivery.rep,
        "state": delivery.state.as_str(),
        "attempts": attempts.collect::<Vec<_>>(),
    })
}

/// Everything of a lead for a program.
pub(super) fn whole(whole: &Whole) -> Value {
    let line: Vec<_> = whole
        .history
        .iter()
        .map(|(recorded, _)| recorded.clone())
        .collect();
    let events = whole.history.iter().map(|(recorded, policy)| {
        let phrases = policy.and_then(|policy| whole.phrases.get(&policy));
        let lines = trace_of(&recorded.event)
            .zip(phrases)
            .map(|(trace, phrases)| {
                let lines = trace.0.iter().filter_map(|passed| {
                    let phrase = phrases.get(usize::from(passed.phrase))?;
                    Some(json!({ "fired": passed.fired, "line": phrase }))
                });
                lines.collect::<Vec<_>>()
            });
        json!({
            "seq": recorded.seq,
            "at": iso_ms(recorded.at),
            "by": recorded.actor.to_string(),
            "event": recorded.event,
            "rules": lines,
        })
    });
    let assignments = whole.assignments.iter().map(|a| {
        json!({
            "seq": a.seq,
            "rep": a.rep,
            "offered_at": iso_ms(a.offered_at),
            "deadline": a.deadline.map(iso),
            "closed_at": a.closed_at.map(iso_ms),
            "why": a.why,
        })
    });
    let deliveries = whole
        .deliveries
        .iter()
        .map(|(d, attempts)| delivery(d, attempts));
    let work = whole
        .work
        .iter()
        .map(|w| json!({ "kind": w.kind, "due_at": iso(w.due_at) }));
    json!({
        "lead": lead(&whole.lead),
        "line": history_line(&line),
        "facts": whole.facts,
        "history": events.collect::<Vec<_>>(),
        "assignments": assignments.collect::<Vec<_>>(),
        "deliveries": deliveries.collect::<Vec<_>>(),
        "work": work.collect::<Vec<_>>(),
        "personal_data_removed_at": whole.forgotten_at.map(iso_ms),
    })
}
