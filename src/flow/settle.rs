//! What a new policy changes for leads that are there: held ones are screened again, waiting ones are
//! due, and who lost pool or rep stands where somebody sees it. Nearly all are left as they are, so they
//! are looked at from beside, and only what changes takes the time of the thread that writes.

use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

use super::arrivals::Arrival;
use super::publish::Policy;
use super::{Flow, assign, unfetched};
use crate::clock::Millis;
use crate::lead::{Actor, Event, HoldCause, Priority, Stage, WorkKind};
use crate::ledger::{Change, Fault, Place, Tx};

/// How many leads are looked at at once, and how many one step moves.
const LOOKED_AT: i64 = 2_000;
const PORTION: usize = 100;

impl Flow {
    /// Whether there may be leads that were not held against the policy at work.
    pub fn is_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::SeqCst)
    }

    /// Holds what is there against the policy at work, unless that was done to the end. Blocks.
    pub fn settle(&self) {
        if !self.is_unsettled() {
            return;
        }
        match self.settle_policy() {
            Ok(()) => self.unsettled.store(false, Ordering::SeqCst),
            Err(fault) => {
                tracing::warn!(%fault, "the policy is at work, but not all earlier leads were held against it; that goes on");
            }
        }
    }

    fn settle_policy(&self) -> Result<(), Fault> {
        let policy = self.policy();
        let now = self.clock.now();
        let alarm_at = now + self.settings.held_alarm_after_ms;
        // What was judged by the policy before has to be in the ledger.
        let (written, is_written) = channel();
        self.arrivals.send(Arrival::Settle(written));
        let _ = is_written.recv();
        self.ledger.write_blocking(|_| Ok(()))?;
        for stage in [Stage::Held, Stage::Waiting, Stage::Offered] {
            let mut after = 0;
            loop {
                let looked_at = self.ledger.read(|r| r.places(stage, after, LOOKED_AT))?;
                let Some((last, _)) = looked_at.last() else {
                    break;
                };
                after = *last;
                let moved = looked_at
                    .iter()
                    .filter(|(_, place)| is_moved(&policy, stage, place));
                let moved: Vec<i64> = moved.map(|(seq, _)| *seq).collect();
                for seqs in moved.chunks(PORTION) {
                    let (policy, seqs) = (policy.clone(), seqs.to_vec());
                    let step = move |tx: &Tx<'_>| {
                        seqs.iter()
                            .try_for_each(|seq| settle(tx, &policy, (*seq, stage), (now, alarm_at)))
                    };
                    self.ledger.write_blocking(step)?;
                }
            }
        }
        let waits = self.ledger.read(|r| r.waits_for_place(now))?;
        for ids in waits.chunks(PORTION) {
            let ids = ids.to_vec();
            self.ledger
                .write_blocking(move |tx| tx.wake_these(&ids, now))?;
        }
        let id = policy.id;
        self.ledger
            .write_blocking(move |tx| tx.policy_is_settled(id))
    }
}

/// Whether a lead in a stage does not stay where it is.
fn is_moved(policy: &Policy, stage: Stage, place: &Place) -> bool {
    let pool_there = place
        .pool
        .as_ref()
        .is_some_and(|p| policy.roster.pool(p).is_some());
    let rep_there = place
        .owner
        .as_ref()
        .is_some_and(|r| policy.roster.rep(r).is_some());
    match (stage, place.hold_cause) {
        (
            Stage::Held,
            Some(HoldCause::RuleError | HoldCause::Unreadable | HoldCause::Unfetched),
        ) => true,
        (Stage::Held, Some(HoldCause::PoolGone)) => pool_there,
        (Stage::Waiting, _) => !pool_there,
        (Stage::Offered, _) => !rep_there,
        _ => false,
    }
}

fn settle(
    tx: &Tx<'_>,
    policy: &Policy,
    (seq, stage): (i64, Stage),
    (now, alarm_at): (Millis, Millis),
) -> Result<(), Fault> {
    let mut lead = tx.lead(seq)?;
    let place = Place {
        hold_cause: lead.hold_cause,
        pool: lead.pool.clone(),
        owner: lead.owner.clone(),
    };
    // It may have gone on since it was looked at.
    if lead.stage != stage || !is_moved(policy, stage, &place) {
        return Ok(());
    }
    let lead = &mut lead;
    match (stage, lead.hold_cause) {
        (Stage::Held, Some(HoldCause::RuleError | HoldCause::Unreadable)) => {
            let event = Event::Rescreened {
                why: "the policy changed".into(),
            };
            let change = Change::default();
            let event = (&Actor::Leadgate, &event, None);
            tx.drop_work(lead.seq, WorkKind::Alarm)?;
            tx.advance(lead, Stage::Received, change, event, now)?;
            tx.add_work(lead.seq, (WorkKind::Decide, 0), now, Priority::Normal)?;
        }
        (Stage::Held, Some(HoldCause::Unfetched)) => {
            let event = Event::Rescreened {
                why: "the policy changed".into(),
            };
            let event = (&Actor::Leadgate, &event, None);
            unfetched::again(tx, lead, event, now)?;
        }
        (Stage::Held, Some(HoldCause::PoolGone)) => {
            tx.drop_work(lead.seq, WorkKind::Alarm)?;
            let event = Event::Waiting {
                why: "its pool is back".into(),
                until: Some(now),
                candidates: Vec::new(),
            };
            let event = (&Actor::Leadgate, &event, None);
            tx.advance(lead, Stage::Waiting, Change::default(), event, now)?;
            let grade = lead.grade.clone().unwrap_or_default();
            let priority = policy.rulebook.priority(&grade);
            tx.add_work(lead.seq, (WorkKind::Assign, 0), now, priority)?;
        }
        (Stage::Waiting, _) => {
            assign::hold(tx, lead, HoldCause::PoolGone, (now, alarm_at), None)?;
        }
        (Stage::Offered, _) => {
            let rep = lead.owner.clone().unwrap_or_default();
            let why = "the rep is no longer in reps.toml";
            let event = Event::Withdrawn {
                rep,
                why: why.into(),
            };
            assign::give_on(tx, policy, lead, (&Actor::Leadgate, &event), now)?;
        }
        _ => {}
    }
    Ok(())
}
