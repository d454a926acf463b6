//! From waiting to offered: who gets a lead is decided inside the ledger's transaction over the
//! load that is read there, so that two leads cannot both take a rep's last place.

use std::collections::BTreeMap;

use super::Flow;
use super::publish::Policy;
use crate::clock::{HOUR, Millis};
use crate::deliver;
use crate::lead::{
    Actor, Candidate, Event, Fields, HoldCause, Lead, Priority, RepId, Stage, Ticket, WorkKind,
};
use crate::ledger::{Change, Fault, Tx};
use crate::route::{self, Decision, Load, RepLoad, Wanted};

/// A lead that waits for a place is looked at again after this long, even if nothing freed one.
const LOOK_AGAIN: Millis = 6 * HOUR;

impl Flow {
    /// Finds reps for the leads of these tickets, in one transaction.
    pub(crate) async fn assign(&self, tickets: Vec<Ticket>) -> Result<(), Fault> {
        let policy = self.policy();
        let now = self.clock.now();
        let times = Times {
            now,
            undelivered_after: self.mail.undelivered_after_ms,
            held_alarm_after: self.settings.held_alarm_after_ms,
        };
        let (due, stuck, offered) = self
            .ledger
            .write(move |tx| {
                let mut due = Vec::new();
                let (mut stuck, mut offered) = (0, Vec::new());
                for ticket in &tickets {
                    let Some(work) = tx.take_work(ticket)? else {
                        continue;
                    };
                    let mut lead = tx.lead(work.lead)?;
                    if lead.stage != Stage::Waiting {
                        continue;
                    }
                    due.extend(assign(tx, &policy, &mut lead, times)?);
                    stuck += usize::from(lead.stage == Stage::Held);
                    offered.extend((lead.stage == Stage::Offered).then_some(now - work.due_at));
                }
                Ok((due, stuck, offered))
            })
            .await?;
        let offered = offered.into_iter();
        offered.for_each(|after| self.metrics.offered(after));
        self.queue.push(&due);
        if stuck > 0 {
            self.alarm(
                "nobody_left",
                &format!("{stuck} leads are held: nobody can take them"),
            );
        }
        Ok(())
    }
}

/// The times that an assignment needs.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) now: Millis,
    pub(super) undelivered_after: Millis,
    pub(super) held_alarm_after: Millis,
}

fn assign(
    tx: &Tx<'_>,
    policy: &Policy,
    lead: &mut Lead,
    times: Times,
) -> Result<Vec<Ticket>, Fault> {
    let now = times.now;
    let alarm = (now, now + times.held_alarm_after);
    let grade = lead.grade.clone().unwrap_or_default();
    let priority = policy.rulebook.priority(&grade);
    let previous = tx.holders(lead.seq)?;
    match choose(tx, policy, lead, &previous, now)? {
        Decision::Offer {
            rep,
            why,
            candidates,
            credits,
            day,
            deadline,
        } => {
            tx.set_credits(lead.pool.as_deref().unwrap_or_default(), &credits)?;
            let offer = Offer {
                channels: channels(policy, &rep),
                rep,
                why,
                candidates,
                day,
                deadline,
            };
            self::offer(tx, lead, offer, &Actor::Leadgate, (times, priority))
        }
        Decision::Wait {
            why,
            until,
            candidates,
        } => {
            let due_at = until.unwrap_or(now + LOOK_AGAIN).max(now + 1_000);
            tx.wait_in_pool(
                lead.seq,
                lead.pool.as_deref().unwrap_or_default(),
                due_at,
                priority,
            )?;
            if lead.reason.as_deref() != Some(&why) {
                let event = Event::Waiting {
                    why: why.clone(),
                    until,
                    candidates,
                };
                tx.append(lead.seq, (&Actor::Leadgate, &event, None), now)?;
                tx.set_reason(lead.seq, &why)?;
            }
            Ok(Vec::new())
        }
        Decision::NobodyLeft { candidates, .. } => {
            hold(tx, lead, HoldCause::NobodyLeft, alarm, Some(candidates))?;
            Ok(Vec::new())
        }
        Decision::PoolGone => {
            hold(tx, lead, HoldCause::PoolGone, alarm, None)?;
            Ok(Vec::new())
        }
    }
}

fn choose(
    tx: &Tx<'_>,
    policy: &Policy,
    lead: &Lead,
    previous: &[RepId],
    now: Millis,
) -> Result<Decision, Fault> {
    let fields = &lead.inquiry.fields;
    let pool = lead.pool.as_deref().unwrap_or_default();
    let wanted = Wanted {
        pool,
        country: fields.country.as_deref(),
        language: fields.language.as_deref(),
        previous,
        lead: lead.seq,
    };
    let load = load(tx, policy, pool)?;
    Ok(route::assign(&wanted, &policy.roster, &load, now))
}

fn load(tx: &Tx<'_>, policy: &Policy, pool: &str) -> Result<Load, Fault> {
    let members = route::members(&policy.roster, pool);
    let reps = tx.reps_load(&members)?;
    let reps: BTreeMap<RepId, RepLoad> = reps
        .into_iter()
        .map(|(rep, (day, today, open))| (rep, RepLoad { day, today, open }))
        .collect();
    Ok(Load {
        reps,
        credits: tx.credits(pool)?,
    })
}

/// A test lead as the rules leave it.
pub(super) struct Screened<'a> {
    pub(super) seq: i64,
    pub(super) stage: Stage,
    pub(super) reason: Option<&'a str>,
    pub(super) grade: Option<&'a str>,
    pub(super) pool: Option<&'a str>,
    pub(super) fields: &'a Fields,
}

/// What would have happened to a test lead.
pub(super) fn dry_run(
    tx: &Tx<'_>,
    policy: &Policy,
    lead: &Screened<'_>,
    now: Millis,
) -> Result<Event, Fault> {
    let verdict = match (lead.stage, lead.grade, lead.reason) {
        (Stage::Waiting, Some(grade), _) => format!("accepted, graded {grade}"),
        (stage, _, Some(why)) => format!("{stage} {why}"),
        (stage, ..) => stage.to_string(),
    };
    let pool = lead.pool.unwrap_or_default();
    let wanted = Wanted {
        pool,
        country: lead.fields.country.as_deref(),
        language: lead.fields.language.as_deref(),
        previous: &[],
        lead: lead.seq,
    };
    if lead.stage != Stage::Waiting {
        return Ok(Event::Tested {
            verdict,
            rep: None,
            candidates: Vec::new(),
        });
    }
    let load = load(tx, policy, pool)?;
    let (rep, candidates) = match route::assign(&wanted, &policy.roster, &load, now) {
        Decision::Offer {
            rep, candidates, ..
        } => (Some(rep), candidates),
        Decision::Wait { candidates, .. } | Decision::NobodyLeft { candidates, .. } => {
            (None, candidates)
        }
        Decision::PoolGone => (None, Vec::new()),
    };
    Ok(Event::Tested {
        verdict,
        rep,
        candidates,
    })
}

/// A choice that is to be carried out.
pub(super) struct Offer {
    pub(super) rep: RepId,
    /// How they are told.
    pub(super) channels: Vec<&'static str>,
    pub(super) why: String,
    pub(super) candidates: Vec<Candidate>,
    pub(super) day: i64,
    pub(super) deadline: Option<Millis>,
}

/// Every way in which a rep is told.
pub(super) fn channels(policy: &Policy, rep: &str) -> Vec<&'static str> {
    let Some(rep) = policy.roster.rep(rep) else {
        return Vec::new();
    };
    let email = rep.email.is_some().then_some("email");
    let webhook = rep.webhook.is_some().then_some("webhook");
    email.into_iter().chain(webhook).collect()
}

/// Gives a waiting lead to a rep, with the notice that tells them and the look at whether it did.
pub(super) fn offer(
    tx: &Tx<'_>,
    lead: &mut Lead,
    offer: Offer,
    actor: &Actor,
    (times, priority): (Times, Priority),
) -> Result<Vec<Ticket>, Fault> {
    let now = times.now;
    let rep = &offer.rep;
    let assignment = tx.open_assignment(lead.seq, rep, offer.day, now, offer.deadline)?;
    let event = Event::Offered {
        rep: rep.clone(),
        assignment,
        why: offer.why,
        candidates: offer.candidates,
    };
    let change = Change {
        owner: Some(Some(rep.clone())),
        ..Change::default()
    };
    tx.advance(lead, Stage::Offered, change, (actor, &event, None), now)?;
    let mut notices = Vec::new();
    for channel in offer.channels {
        let delivery = tx.add_delivery(lead.seq, assignment, channel, rep)?;
        let work = (deliver::work_of(channel), delivery);
        notices.push(tx.add_work(lead.seq, work, now, priority)?);
    }
    let told_by = now + times.undelivered_after;
    let look_at = offer.deadline.map_or(told_by, |at| at.min(told_by));
    tx.add_work(lead.seq, (WorkKind::Expire, assignment), look_at, priority)?;
    Ok(notices)
}

/// Takes a lead from whoever has it, and lets it wait for the next.
pub(super) fn give_on(
    tx: &Tx<'_>,
    policy: &Policy,
    lead: &mut Lead,
    (actor, event): (&Actor, &Event),
    now: Millis,
) -> Result<Vec<Ticket>, Fault> {
    let grade = lead.grade.clone().unwrap_or_default();
    let priority = policy.rulebook.priority(&grade);
    take_back(tx, policy, lead.seq, event.kind(), now)?;
    let change = Change {
        owner: Some(None),
        ..Change::default()
    };
    tx.advance(lead, Stage::Waiting, change, (actor, event, None), now)?;
    Ok(vec![tx.add_work(
        lead.seq,
        (WorkKind::Assign, 0),
        now,
        priority,
    )?])
}

/// Ends whoever's turn it is; the place that is free makes one waiting lead due in each of the
/// rep's pools.
pub(super) fn take_back(
    tx: &Tx<'_>,
    policy: &Policy,
    lead: i64,
    why: &str,
    now: Millis,
) -> Result<(), Fault> {
    let Some(rep) = tx.close_assignment(lead, why, now)? else {
        return Ok(());
    };
    for pool in policy.roster.pools() {
        let is_member = route::members(&policy.roster, &pool).contains(&rep);
        if is_member {
            tx.wake(&pool, 1, now)?;
        }
    }
    Ok(())
}

/// Stops a lead that nobody can take.
pub(super) fn hold(
    tx: &Tx<'_>,
    lead: &mut Lead,
    cause: HoldCause,
    (now, alarm_at): (Millis, Millis),
    candidates: Option<Vec<Candidate>>,
) -> Result<(), Fault> {
    let pool = lead.pool.as_deref().unwrap_or_default();
    let why = if cause == HoldCause::PoolGone {
        format!("pool \"{pool}\" is not in reps.toml")
    } else {
        format!("nobody is left in pool \"{pool}\"")
    };
    if let Some(candidates) = candidates {
        let event = Event::Waiting {
            why: why.clone(),
            until: None,
            candidates,
        };
        tx.append(lead.seq, (&Actor::Leadgate, &event, None), now)?;
    }
    tx.drop_work(lead.seq, WorkKind::Assign)?;
    let event = Event::Held {
        why: why.clone(),
        cause,
        alarm_at,
        trace: crate::lead::Trace::default(),
    };
    let change = Change {
        reason: Some(why),
        hold_cause: Some(cause),
        ..Change::default()
    };
    tx.advance(
        lead,
        Stage::Held,
        change,
        (&Actor::Leadgate, &event, None),
        now,
    )?;
    tx.add_work(lead.seq, (WorkKind::Alarm, 0), alarm_at, Priority::Low)?;
    Ok(())
}
