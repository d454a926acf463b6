//! What the clock and mended rules bring: reps who were not told or did not answer, leads held too
//! long, leads screened again.

use super::publish::Policy;
use super::{Flow, assign, unfetched, verdict};
use crate::clock::Millis;
use crate::lead::{
    Actor, Decided, Event, Facts, HoldCause, Lead, Outcome, Priority, Recorded, Stage, Ticket,
    Verdict, Work, WorkKind,
};
use crate::ledger::{Change, Fault, PersonKey, Tx};

impl Flow {
    /// Looks after leads whose time has come.
    pub(crate) async fn look_after(&self, tickets: Vec<Ticket>) -> Result<(), Fault> {
        let policy = self.policy();
        let now = self.clock.now();
        let held_alarm = self.settings.held_alarm_after_ms;
        let (due, alarms) = self
            .ledger
            .write(move |tx| {
                let (mut due, mut alarms) = (Vec::new(), Vec::new());
                for ticket in &tickets {
                    let Some(work) = tx.take_work(ticket)? else {
                        continue;
                    };
                    match work.kind {
                        WorkKind::Expire => due.extend(expire(tx, &policy, &work, now)?),
                        WorkKind::Alarm => {
                            alarms.extend(still_held(tx, &work, (now, held_alarm))?);
                        }
                        WorkKind::Fetch
                        | WorkKind::Decide
                        | WorkKind::Assign
                        | WorkKind::Mail
                        | WorkKind::Hook => {}
                    }
                }
                Ok((due, alarms))
            })
            .await?;
        self.queue.push(&due);
        if let Some(first) = alarms.first() {
            let text = format!("{} leads are held; the first: {first}", alarms.len());
            self.alarm("held", &text);
        }
        Ok(())
    }
}

/// The rep should have been told, or should have answered, by now.
fn expire(tx: &Tx<'_>, policy: &Policy, work: &Work, now: Millis) -> Result<Vec<Ticket>, Fault> {
    let open = tx
        .open_assignment_of(work.lead)?
        .filter(|open| open.seq == work.about);
    let Some(open) = open else {
        return Ok(Vec::new());
    };
    let mut lead = tx.lead(work.lead)?;
    if lead.stage != Stage::Offered {
        return Ok(Vec::new());
    }
    let rep = open.rep.clone();
    if !tx.was_told(work.lead, open.seq)? {
        let event = Event::Undelivered { rep };
        return assign::give_on(tx, policy, &mut lead, (&Actor::Leadgate, &event), now);
    }
    match open.deadline {
        Some(deadline) if deadline <= now => {
            let event = Event::Expired { rep };
            assign::give_on(tx, policy, &mut lead, (&Actor::Leadgate, &event), now)
        }
        Some(deadline) => {
            tx.add_work(
                work.lead,
                (WorkKind::Expire, open.seq),
                deadline,
                work.priority,
            )?;
            Ok(Vec::new())
        }
        None => Ok(Vec::new()),
    }
}

/// A held lead's alarm; it comes again until somebody acts.
fn still_held(
    tx: &Tx<'_>,
    work: &Work,
    (now, again_after): (Millis, Millis),
) -> Result<Option<String>, Fault> {
    let lead = tx.lead(work.lead)?;
    if lead.stage != Stage::Held {
        return Ok(None);
    }
    let why = lead.reason.unwrap_or_default();
    let event = Event::Alarmed { why: why.clone() };
    tx.append(work.lead, (&Actor::Leadgate, &event, None), now)?;
    tx.add_work(
        work.lead,
        (WorkKind::Alarm, 0),
        now + again_after,
        Priority::Low,
    )?;
    Ok(Some(format!("{}: {why}", lead.id)))
}

/// The reason and cause of the latest hold.
pub(super) fn last_hold(history: &[(Recorded, Option<i64>)]) -> Option<(String, HoldCause)> {
    let mut events = history.iter().rev().map(|(recorded, _)| &recorded.event);
    events.find_map(|event| {
        if let Event::Held { why, cause, .. } = event {
            return Some((why.clone(), *cause));
        }
        None
    })
}

/// The words of the hold line that a person overruled when they released the lead.
pub(super) fn overruled(history: &[(Recorded, Option<i64>)]) -> Option<String> {
    let released = history
        .iter()
        .rposition(|(r, _)| matches!(r.event, Event::Released))?;
    let before = history.get(..released)?;
    let (why, cause) = last_hold(before)?;
    (cause == HoldCause::Rule).then_some(why)
}

/// Whether what comes next is the first verdict on a lead that was fetched.
pub(super) fn was_just_fetched(history: &[(Recorded, Option<i64>)]) -> bool {
    let last = history.last().map(|(recorded, _)| &recorded.event);
    matches!(last, Some(Event::Fetched { .. }))
}

/// A lead that was screened again.
pub(super) struct Again {
    pub(super) lead: Lead,
    pub(super) facts: Facts,
    pub(super) decided: Decided,
    /// Its content was read anew.
    pub(super) reread: bool,
    /// Who asks, where that was not known before.
    pub(super) late: Vec<PersonKey>,
    /// It was never decided before.
    pub(super) is_first: bool,
}

pub(super) fn write_again(
    tx: &Tx<'_>,
    ticket: &Ticket,
    again: &Again,
    policy: &Policy,
    (now, held_alarm): (Millis, Millis),
) -> Result<Vec<Ticket>, Fault> {
    let Some(work) = tx.take_work(ticket)? else {
        return Ok(Vec::new());
    };
    let mut lead = again.lead.clone();
    if lead.stage != Stage::Received {
        return Ok(Vec::new());
    }
    if again.reread {
        tx.set_inquiry(lead.seq, &lead.inquiry)?;
        tx.note_late(lead.seq, lead.received_at, &again.late)?;
    }
    let mut events = verdict::verdict_events(policy, &again.decided, now + held_alarm);
    let (mut to, mut change) = moved(&again.decided.verdict, policy.id);
    if lead.inquiry.is_test {
        events.push(tested(tx, policy, again, (to, &change), now)?);
        (change.reason, change.hold_cause) = (None, None);
        to = Stage::Closed(Outcome::Test);
    }
    let Some(last) = events.pop() else {
        return Ok(Vec::new());
    };
    for event in &events {
        tx.append(lead.seq, (&Actor::Leadgate, event, Some(policy.id)), now)?;
    }
    let last = (&Actor::Leadgate, &last, Some(policy.id));
    tx.advance(&mut lead, to, change, last, now)?;
    let seq = i64::try_from(tx.history(lead.seq)?.len()).unwrap_or(i64::MAX);
    tx.insert_facts(lead.seq, seq, &again.facts)?;
    if to == Stage::Held {
        let alarm_at = now + held_alarm;
        tx.add_work(work.lead, (WorkKind::Alarm, 0), alarm_at, Priority::Low)?;
    }
    if lead.hold_cause == Some(HoldCause::Unfetched) {
        let why = "its submission can be read now".into();
        let event = Event::Rescreened { why };
        let event = (&Actor::Leadgate, &event, None);
        return Ok(vec![unfetched::again(tx, &mut lead, event, now)?]);
    }
    if to == Stage::Waiting {
        let grade = lead.grade.as_deref().unwrap_or_default();
        let priority = policy.rulebook.priority(grade);
        let kind = (WorkKind::Assign, 0);
        return Ok(vec![tx.add_work(work.lead, kind, now, priority)?]);
    }
    Ok(Vec::new())
}

/// What would become of a test lead.
fn tested(
    tx: &Tx<'_>,
    policy: &Policy,
    again: &Again,
    (stage, change): (Stage, &Change),
    now: Millis,
) -> Result<Event, Fault> {
    let lead = &again.lead;
    let graded = change.graded.as_ref();
    let screened = assign::Screened {
        seq: lead.seq,
        stage,
        reason: change.reason.as_deref(),
        grade: graded.map(|(grade, ..)| grade.as_str()),
        pool: graded.map(|(_, _, pool, _)| pool.as_str()),
        fields: &lead.inquiry.fields,
    };
    assign::dry_run(tx, policy, &screened, now)
}

/// Where a verdict leads, and what it changes.
fn moved(verdict: &Verdict, policy: i64) -> (Stage, Change) {
    match verdict {
        Verdict::Rejected { why } => (Stage::Rejected, because(why, None)),
        Verdict::Held { why, cause } => (Stage::Held, because(why, Some(*cause))),
        Verdict::Accepted {
            grade,
            points,
            pool,
        } => {
            let graded = Some((grade.clone(), *points, pool.clone(), policy));
            let change = Change {
                graded,
                ..Change::default()
            };
            (Stage::Waiting, change)
        }
    }
}

fn because(why: &str, cause: Option<HoldCause>) -> Change {
    Change {
        reason: Some(why.to_owned()),
        hold_cause: cause,
        ..Change::default()
    }
}
