//! Telling a rep: the attempt is on disk before the network is touched, and so is how it ended.

use std::sync::Arc;

use super::publish::Policy;
use super::{Flow, assign, report};
use crate::clock::{HOUR, Millis};
use crate::deliver::{self, Notice, SendResult};
use crate::lead::{Actor, AttemptResult, DeliveryState, Event, Outcome, Priority, Stage, Ticket};
use crate::ledger::{Begun, Fault, Tx};
use crate::link::{self, Claim};

/// An attempt that has not ended by then is begun anew; longer than any send may take.
const LEASE_MARGIN: Millis = 60_000;
/// A far end that names a time is believed up to this.
const AFTER_MAX: Millis = HOUR;
/// How long the link in a mail works.
const LINK_FOR: Millis = 90 * crate::clock::DAY;

impl Flow {
    /// Makes one attempt.
    pub(crate) async fn notify(&self, ticket: Ticket) -> Result<(), Fault> {
        let now = self.clock.now();
        let lease_until = now + self.mail.timeout_ms + LEASE_MARGIN;
        let begun = self
            .ledger
            .write(move |tx| tx.begin_attempt(&ticket, now, lease_until))
            .await?;
        let Some(begun) = begun else {
            return Ok(());
        };
        let policy = self.policy();
        let started = std::time::Instant::now();
        let result = match self.notice(&begun, &policy).await? {
            Some(notice) => {
                let channel = &begun.delivery.channel;
                self.deliverer
                    .send(channel, &notice, &policy.templates)
                    .await
            }
            None => SendResult::GiveUp {
                why: "the rep is no longer in reps.toml".into(),
            },
        };
        let took_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.record(begun, result, took_ms, policy).await
    }

    async fn record(
        &self,
        begun: Begun,
        result: SendResult,
        took_ms: i64,
        policy: Arc<Policy>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let channel = begun.delivery.channel.clone();
        let (result, next) = match result {
            SendResult::Delivered => (AttemptResult::Delivered, None),
            SendResult::GiveUp { why } => (AttemptResult::GiveUp { why }, None),
            SendResult::TryAgain { why, after_ms } => {
                let seed = begun.delivery.id.unsigned_abs();
                let planned = deliver::retry_after_ms(&channel, begun.work.attempt, seed);
                let asked = after_ms.unwrap_or(0).clamp(0, AFTER_MAX);
                if let Some(planned) = planned {
                    let at = now + planned.max(asked);
                    (AttemptResult::TryAgain { why }, Some(at))
                } else {
                    let why = format!("{why}; no try is left");
                    (AttemptResult::GiveUp { why }, None)
                }
            }
        };
        let gave_up = match &result {
            AttemptResult::GiveUp { why } => Some(why.clone()),
            AttemptResult::Delivered | AttemptResult::TryAgain { .. } => None,
        };
        self.metrics.attempted(&channel, &result, took_ms);
        let notice = (begun.delivery.id, begun.delivery.lead_id);
        let ended = self
            .ledger
            .write(move |tx| end_attempt(tx, &policy, &begun, (&result, took_ms), (now, next)))
            .await?;
        self.queue.push(&ended.due);
        if ended.is_erased {
            // While it was written; behind whoever erased it.
            self.take_out_of_outbox(vec![notice]).await;
        }
        if let Some(after) = ended.told_after {
            self.metrics.told(after);
        }
        if let Some(why) = gave_up {
            self.alarm(
                "dead_delivery",
                &format!("a notice by {channel} is dead: {why}"),
            );
        }
        Ok(())
    }

    /// What is told; `None` where the rep is gone.
    async fn notice(&self, begun: &Begun, policy: &Policy) -> Result<Option<Notice>, Fault> {
        let delivery = &begun.delivery;
        let Some(rep) = policy.roster.rep(&delivery.rep) else {
            return Ok(None);
        };
        let (lead, assignment) = (delivery.lead, delivery.assignment);
        let why = self.ledger.read_off(move |r| report::why(r, lead)).await?;
        let now = self.clock.now();
        let claim = Claim {
            lead: delivery.lead_id,
            assignment,
            rep: rep.id.clone(),
            expires_at: now + LINK_FOR,
        };
        let token = link::sign(&self.key, &claim);
        let lead = why.lead;
        Ok(Some(Notice {
            delivery: delivery.id,
            lead_id: delivery.lead_id,
            assignment,
            attempt: begun.n,
            rep: rep.id.clone(),
            rep_name: rep.name.clone(),
            rep_email: rep.email.clone(),
            received_at: lead.received_at,
            zone: rep.zone_name.clone(),
            now,
            source: lead.source,
            grade: lead.grade.unwrap_or_default(),
            points: lead.points,
            pool: lead.pool.unwrap_or_default(),
            fields: lead.inquiry.fields,
            attribution: lead.inquiry.attribution,
            why: why.scores,
            route: why.route,
            seen_times: why.seen.times,
            deadline: why.deadline,
            link: format!("{}/r/{token}", self.public_url),
        }))
    }
}

/// What an attempt came to.
#[derive(Default)]
struct Ended {
    /// What is due next.
    due: Vec<Ticket>,
    /// After how long the lead's first rep was told, where this told them.
    told_after: Option<Millis>,
    /// Whether the person was erased meanwhile.
    is_erased: bool,
}

fn end_attempt(
    tx: &Tx<'_>,
    policy: &Policy,
    begun: &Begun,
    (result, took_ms): (&AttemptResult, i64),
    (now, next): (Millis, Option<Millis>),
) -> Result<Ended, Fault> {
    let delivery = &begun.delivery;
    let state = match result {
        AttemptResult::Delivered => DeliveryState::Sent,
        AttemptResult::TryAgain { .. } => DeliveryState::Retry,
        AttemptResult::GiveUp { .. } => DeliveryState::Dead,
    };
    let event = Event::Attempted {
        delivery: delivery.id,
        n: begun.n,
        result: result.clone(),
    };
    tx.append(delivery.lead, (&Actor::Leadgate, &event, None), now)?;
    let current = tx.finish_attempt(begun, result, took_ms, state)?;
    match next {
        Some(due_at) if current => {
            // Retries wait behind new leads.
            tx.put_off(&begun.work, due_at, Priority::Low)?;
            return Ok(Ended::default());
        }
        Some(_) | None => tx.finish_work(begun.work.id)?,
    }
    let mut lead = tx.lead(delivery.lead)?;
    let first = state == DeliveryState::Sent && current && tx.notices_that_arrived(lead.seq)? == 1;
    let mut ended = Ended {
        due: Vec::new(),
        told_after: first.then_some(now - lead.received_at),
        is_erased: lead.stage == Stage::Closed(Outcome::Erased),
    };
    let dead = state == DeliveryState::Dead && current && lead.stage == Stage::Offered;
    if !dead || tx.was_told(delivery.lead, delivery.assignment)? {
        return Ok(ended);
    }
    let event = Event::Undelivered {
        rep: delivery.rep.clone(),
    };
    ended.due = assign::give_on(tx, policy, &mut lead, (&Actor::Leadgate, &event), now)?;
    Ok(ended)
}
