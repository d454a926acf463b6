//! What a verdict writes: the lead, its history and what is to be done next. Runs inside the
//! second commit.

use std::sync::Arc;

use super::arrivals::Arrived;
use super::assign::{Screened, dry_run};
use super::publish::Policy;
use super::unfetched::{Unfetched, write_unfetched};
use crate::clock::Millis;
use crate::lead::{
    Actor, Decided, Event, Facts, Inquiry, LeadId, Outcome as End, Priority, Stage, Ticket,
    Verdict, WorkKind,
};
use crate::ledger::{Fault, InquiryText, NewLead, Opening, Standing, Tx};

/// A lead that was decided and is to be written.
pub(super) struct Fresh {
    seq: i64,
    id: LeadId,
    pub(super) inquiry: Inquiry,
    pub(super) facts: Facts,
    pub(super) decided: Decided,
    /// When it was decided.
    at: Millis,
    text: InquiryText,
    opening: Opening,
}

/// By what a lead was decided, and when.
pub(super) struct Deciding<'a> {
    pub(super) policy: &'a Policy,
    pub(super) received_at: Millis,
    pub(super) now: Millis,
    pub(super) held_alarm: Millis,
}

impl Fresh {
    /// With all that is to be written made ready: the thread that writes has enough to do.
    pub(super) fn new(
        (seq, id): (i64, LeadId),
        inquiry: Inquiry,
        (facts, decided): (Facts, Decided),
        deciding: &Deciding<'_>,
    ) -> Result<Self, Fault> {
        let (policy, at) = (deciding.policy, deciding.now);
        let events = verdict_events(policy, &decided, at + deciding.held_alarm);
        let mut opening = vec![(deciding.received_at, Event::Received)];
        opening.extend(events.into_iter().map(|event| (at, event)));
        Ok(Self {
            seq,
            id,
            text: InquiryText::of(&inquiry)?,
            opening: Opening::of(&opening)?,
            inquiry,
            facts,
            decided,
            at,
        })
    }
}

/// What one submission comes to.
pub(super) struct Outcome {
    pub(super) arrived: Arrived,
    pub(super) fresh: Vec<Fresh>,
    pub(super) unfetched: Vec<Unfetched>,
    pub(super) policy: Arc<Policy>,
}

/// Writes what one submission comes to, and adds what is due at once.
pub(super) fn write_outcome(
    tx: &Tx<'_>,
    outcome: &Outcome,
    now: Millis,
    held_alarm: Millis,
    tickets: &mut Vec<Ticket>,
) -> Result<(), Fault> {
    let undecided = &outcome.arrived.undecided;
    for fresh in &outcome.fresh {
        write_fresh(tx, outcome, fresh, held_alarm, tickets)?;
    }
    for unfetched in &outcome.unfetched {
        tickets.push(write_unfetched(tx, outcome, unfetched, now)?);
    }
    // Behind the new leads: a batch may hold a lead and its conflict.
    for (standing, seq, _) in &undecided.leads {
        if *standing == Standing::Conflict {
            let event = Event::Conflict {
                submission: undecided.id,
            };
            tx.append(*seq, (&Actor::Leadgate, &event, None), now)?;
        }
    }
    Ok(())
}

fn write_fresh(
    tx: &Tx<'_>,
    outcome: &Outcome,
    fresh: &Fresh,
    held_alarm: Millis,
    tickets: &mut Vec<Ticket>,
) -> Result<(), Fault> {
    let undecided = &outcome.arrived.undecided;
    let (policy, now) = (&outcome.policy, fresh.at);
    let received_at = undecided.submission.received_at;
    let mut lead = NewLead {
        seq: fresh.seq,
        id: fresh.id,
        submission: undecided.id,
        source: &undecided.submission.source,
        received_at,
        stage: Stage::Received,
        reason: None,
        hold_cause: None,
        text: &fresh.text,
        is_test: fresh.inquiry.is_test,
        grade: None,
        points: 0,
        pool: None,
        policy: policy.id,
        facts: &fresh.facts,
        opening: &fresh.opening,
    };
    let mut work = None;
    match &fresh.decided.verdict {
        Verdict::Rejected { why } => {
            (lead.stage, lead.reason) = (Stage::Rejected, Some(why.as_str()));
        }
        Verdict::Held { why, cause } => {
            (lead.stage, lead.hold_cause) = (Stage::Held, Some(*cause));
            lead.reason = Some(why);
            work = Some((WorkKind::Alarm, now + held_alarm, Priority::Low));
        }
        Verdict::Accepted {
            grade,
            points,
            pool,
        } => {
            lead.stage = Stage::Waiting;
            (lead.grade, lead.pool) = (Some(grade.as_str()), Some(pool.as_str()));
            lead.points = *points;
            work = Some((WorkKind::Assign, now, policy.rulebook.priority(grade)));
        }
    }
    if fresh.inquiry.is_test {
        let screened = Screened {
            seq: fresh.seq,
            stage: lead.stage,
            reason: lead.reason,
            grade: lead.grade,
            pool: lead.pool,
            fields: &fresh.inquiry.fields,
        };
        let tested = dry_run(tx, policy, &screened, now)?;
        (lead.stage, lead.reason, lead.hold_cause) = (Stage::Closed(End::Test), None, None);
        tx.insert_lead(&lead)?;
        let tested = (&Actor::Leadgate, &tested, Some(policy.id));
        return tx.append(fresh.seq, tested, now).map(drop);
    }
    tx.insert_lead(&lead)?;
    if let Some((kind, due_at, priority)) = work {
        let ticket = tx.add_work(fresh.seq, (kind, 0), due_at, priority)?;
        if due_at <= now {
            tickets.push(ticket);
        }
    }
    Ok(())
}

/// What a verdict writes into the history.
pub(super) fn verdict_events(policy: &Policy, decided: &Decided, alarm_at: Millis) -> Vec<Event> {
    let trace = decided.trace.clone();
    match &decided.verdict {
        Verdict::Rejected { why } => vec![Event::Rejected {
            why: why.clone(),
            trace,
        }],
        Verdict::Held { why, cause } => vec![Event::Held {
            why: why.clone(),
            cause: *cause,
            alarm_at,
            trace,
        }],
        Verdict::Accepted {
            grade,
            points,
            pool,
        } => {
            let (screened, judged) = policy.split(trace);
            let graded = Event::Graded {
                grade: grade.clone(),
                points: *points,
                pool: pool.clone(),
                trace: judged,
            };
            vec![Event::Accepted { trace: screened }, graded]
        }
    }
}
