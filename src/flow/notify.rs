//! Telling a rep: the attempt is on disk before the network is touched, and so is how it ended.

use std::sync::Arc;

use super::publish::Policy;
use super::{Flow, assign, report};
use crate::clock::{DAY, HOUR, Millis};
use crate::deliver::{self, Endpoint, Gates, Notice, Permit, SendResult};
use crate::lead::{
    Actor, AttemptResult, Delivery, DeliveryState, Event, Outcome, Priority, Stage, Ticket,
    WorkKind,
};
use crate::ledger::{Begun, Fault, Tx, Wait};
use crate::link::{self, Claim};

/// An attempt that has not ended by then is begun anew; longer than any send may take.
const LEASE_MARGIN: Millis = 60_000;
/// A far end that names a time is believed up to this, or twice the time that is its turn anyhow.
const AFTER_MAX: Millis = HOUR;
/// How long the link in a mail works.
const LINK_FOR: Millis = 90 * DAY;
/// An endpoint that only failed for so long is paused.
const FAILING_MAX: Millis = 5 * DAY;
/// How often it is looked whether a paused endpoint was resumed; resuming says so itself.
const PAUSED_LOOK: Millis = HOUR;

/// A place at the endpoint that an attempt goes to; none for a mail.
type Place = Option<(Arc<Endpoint>, Permit)>;

/// What became of an endpoint by an attempt.
struct After {
    endpoint: Arc<Endpoint>,
    well: bool,
    wake: usize,
    /// It asked never to be told anything again.
    gone: Option<String>,
}

impl Flow {
    /// Makes one attempt.
    pub(crate) async fn notify(&self, ticket: Ticket) -> Result<(), Fault> {
        let now = self.clock.now();
        let timeout = if ticket.kind == WorkKind::Hook {
            deliver::TIMEOUT_MAX
        } else {
            self.mail.timeout_ms
        };
        let lease_until = now + timeout + LEASE_MARGIN;
        let policy = self.policy();
        let (at_work, gates) = (policy.clone(), self.gates.clone());
        let begun = self
            .ledger
            .write(move |tx| {
                tx.begin_attempt(&ticket, (now, lease_until), |tx, delivery| {
                    enter(tx, &at_work, &gates, delivery, now)
                })
            })
            .await?;
        let Some((begun, place)) = begun else {
            return Ok(());
        };
        let started = std::time::Instant::now();
        let result = match self.notice(&begun, &policy).await? {
            Some(mut notice) => {
                notice.endpoint = place.as_ref().map(|(endpoint, _)| endpoint.clone());
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
        let after = self.leave(place, &result);
        self.record(begun, (result, after), took_ms, policy).await
    }

    /// Gives the place at an endpoint back; it is to be told of before its waiting are woken.
    fn leave(&self, place: Place, result: &SendResult) -> Option<After> {
        let (endpoint, permit) = place?;
        let well = matches!(result, SendResult::Delivered);
        let turn = permit.end(well, endpoint.concurrency, self.clock.now());
        if turn.began_to_rest {
            let name = &endpoint.name;
            let text = format!("webhooks to `{name}` keep failing; it is tried again every 30 s");
            self.alarm_about("endpoint_failing", name, &text);
        }
        let gone = match result {
            SendResult::Gone { why } => Some(format!("it answered {why}")),
            SendResult::Delivered | SendResult::TryAgain { .. } | SendResult::GiveUp { .. } => None,
        };
        Some(After {
            endpoint,
            well,
            wake: turn.wake,
            gone,
        })
    }

    async fn record(
        &self,
        begun: Begun,
        (result, after): (SendResult, Option<After>),
        took_ms: i64,
        policy: Arc<Policy>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let channel = begun.delivery.channel.clone();
        let (result, next) = match result {
            SendResult::Delivered => (AttemptResult::Delivered, None),
            SendResult::GiveUp { why } | SendResult::Gone { why } => {
                (AttemptResult::GiveUp { why }, None)
            }
            SendResult::TryAgain { why, after_ms } => {
                let seed = begun.delivery.id.unsigned_abs();
                let planned = deliver::retry_after_ms(&channel, begun.work.attempt, seed);
                if let Some(planned) = planned {
                    let asked = after_ms.unwrap_or(0).clamp(0, AFTER_MAX.max(2 * planned));
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
            .write(move |tx| {
                let mut ended = end_attempt(tx, &policy, &begun, (&result, took_ms), (now, next))?;
                if let Some(after) = after {
                    let (woken, paused) = look_after_endpoint(tx, &after, now)?;
                    ended.due.extend(woken);
                    ended.paused = paused.map(|why| (after.endpoint.name.clone(), why));
                }
                Ok(ended)
            })
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
        if let Some((name, why)) = ended.paused {
            let text = format!(
                "webhooks to `{name}` are paused: {why}; go on with `leadgate endpoints resume {name}`"
            );
            self.alarm_about("endpoint_paused", &name, &text);
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
            rep_email: rep.email.clone().unwrap_or_default(),
            endpoint: None,
            received_at: lead.received_at,
            offered_at: why.offered_at.unwrap_or(lead.received_at),
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
    /// The endpoint that is paused from now on, and why.
    paused: Option<(String, String)>,
}

/// Whether an attempt may begin: at once for a mail, else when the endpoint has a place.
fn enter(
    tx: &Tx<'_>,
    policy: &Policy,
    gates: &Gates,
    delivery: &Delivery,
    now: Millis,
) -> Result<Result<Place, Wait>, Fault> {
    if deliver::work_of(&delivery.channel) != WorkKind::Hook {
        return Ok(Ok(None));
    }
    let rep = policy.roster.rep(&delivery.rep);
    let name = rep.and_then(|rep| rep.webhook.as_deref());
    let Some(endpoint) = name.and_then(|name| policy.endpoints.get(name)) else {
        return Ok(Ok(None));
    };
    let wait = |until| Wait {
        endpoint: endpoint.name.clone(),
        until,
    };
    if tx.is_paused(&endpoint.name)? {
        return Ok(Err(wait(now + PAUSED_LOOK)));
    }
    let permit = gates.enter(&endpoint.name, endpoint.concurrency, now);
    Ok(permit
        .map(|permit| Some((endpoint.clone(), permit)))
        .map_err(wait))
}

/// What is due at an endpoint after an attempt, and why it is paused from now on, if it is.
fn look_after_endpoint(
    tx: &Tx<'_>,
    after: &After,
    now: Millis,
) -> Result<(Vec<Ticket>, Option<String>), Fault> {
    let name = &after.endpoint.name;
    let failing_since = tx.note_endpoint(name, after.well, now)?;
    let too_long = failing_since.is_some_and(|since| now - since >= FAILING_MAX);
    let why = match &after.gone {
        Some(gone) => Some(gone.clone()),
        None => too_long.then(|| "it has only failed for five days".to_owned()),
    };
    if let Some(why) = why {
        let is_new = tx.pause_endpoint(name, &why, now)?;
        return Ok((Vec::new(), is_new.then_some(why)));
    }
    Ok((tx.wake_endpoint(name, after.wake, now)?, None))
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
        paused: None,
    };
    let dead = state == DeliveryState::Dead && current && lead.stage == Stage::Offered;
    let (seq, assignment) = (delivery.lead, delivery.assignment);
    if !dead || tx.was_told(seq, assignment)? || tx.may_be_told(seq, assignment)? {
        return Ok(ended);
    }
    let event = Event::Undelivered {
        rep: delivery.rep.clone(),
    };
    ended.due = assign::give_on(tx, policy, &mut lead, (&Actor::Leadgate, &event), now)?;
    Ok(ended)
}
