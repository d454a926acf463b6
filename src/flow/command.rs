//! What people do to a lead by hand: every command has a name behind it, and the history says who.
//! The daemon, the rep's page and the command line all come through here.

use std::sync::Arc;

use super::assign::{self, Offer, Times};
use super::erase;
use super::publish::Policy;
use super::unfetched;
use crate::lead::{
    Actor, Event, HoldCause, Lead, Outcome, Priority, RepId, Stage, Ticket, WorkKind,
};
use crate::ledger::{Change, Fault, PersonKey, Tx};

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Command {
    /// The rep takes it.
    Claim,
    /// The rep gives it back.
    Decline {
        /// Why.
        why: String,
    },
    /// The rep reached the person.
    Contacted,
    /// It is done.
    Close {
        /// How it ended.
        outcome: Outcome,
        /// Minor units.
        value: Option<i64>,
        /// ISO 4217.
        currency: Option<String>,
        /// Why, where it was not won.
        why: Option<String>,
    },
    /// A held lead goes on, its hold overruled.
    Release,
    /// A held lead is screened out.
    Reject {
        /// Why.
        why: String,
    },
    /// A held or rejected lead is screened again.
    Rescreen,
    /// A lead is given to a rep.
    Assign {
        /// Who.
        rep: RepId,
    },
    /// A notice that failed for good is sent again.
    Redrive {
        /// Which.
        delivery: i64,
    },
    /// The person asked to be forgotten; final.
    Erase {
        /// The lead's persons, see [`super::person_keys`].
        persons: Vec<PersonKey>,
    },
}

/// What commands need to know.
pub struct Context {
    /// The policy at work.
    pub policy: Arc<Policy>,
    pub(super) times: Times,
}

impl Context {
    /// For a command beside the daemon.
    pub fn new(
        policy: Policy,
        now: crate::clock::Millis,
        flow: &super::Settings,
        mail: &crate::deliver::Settings,
    ) -> Self {
        Self::shared(Arc::new(policy), now, flow, mail)
    }

    /// The same with a policy that others use as well.
    pub fn shared(
        policy: Arc<Policy>,
        now: crate::clock::Millis,
        flow: &super::Settings,
        mail: &crate::deliver::Settings,
    ) -> Self {
        Self {
            policy,
            times: Times {
                now,
                undelivered_after: mail.undelivered_after_ms,
                held_alarm_after: flow.held_alarm_after_ms,
            },
        }
    }
}

/// Does it, or says why it is not possible where the lead stands. Returns what is due now.
pub fn apply(
    tx: &Tx<'_>,
    context: &Context,
    lead: i64,
    command: &Command,
    actor: &Actor,
) -> Result<Vec<Ticket>, Fault> {
    let mut lead = tx.lead(lead)?;
    let now = context.times.now;
    needs_content(tx, &lead, command)?;
    match command {
        Command::Claim => {
            let rep = lead.owner.clone().unwrap_or_default();
            let event = Event::Claimed { rep };
            tx.advance(
                &mut lead,
                Stage::Claimed,
                Change::default(),
                (actor, &event, None),
                now,
            )?;
            Ok(Vec::new())
        }
        Command::Contacted => {
            claim_first(tx, &mut lead, actor, now)?;
            let rep = lead.owner.clone().unwrap_or_default();
            let event = (actor, &Event::Contacted { rep }, None);
            tx.advance(&mut lead, Stage::Contacted, Change::default(), event, now)?;
            Ok(Vec::new())
        }
        Command::Decline { why } => {
            let rep = lead.owner.clone().unwrap_or_default();
            let event = Event::Declined {
                rep,
                why: why.clone(),
            };
            assign::give_on(tx, &context.policy, &mut lead, (actor, &event), now)
        }
        Command::Close { .. } => close(tx, context, &mut lead, command, actor),
        Command::Release => again(tx, &mut lead, (Event::Released, actor), context),
        Command::Rescreen => {
            let why = "by hand".into();
            again(tx, &mut lead, (Event::Rescreened { why }, actor), context)
        }
        Command::Reject { why } => {
            let event = Event::Rejected {
                why: why.clone(),
                trace: crate::lead::Trace::default(),
            };
            let change = Change {
                reason: Some(why.clone()),
                ..Change::default()
            };
            tx.drop_work(lead.seq, WorkKind::Alarm)?;
            tx.advance(
                &mut lead,
                Stage::Rejected,
                change,
                (actor, &event, None),
                now,
            )?;
            Ok(Vec::new())
        }
        Command::Assign { rep } => give_to(tx, context, &mut lead, rep, actor),
        Command::Redrive { delivery } => redrive(tx, context, &mut lead, *delivery, actor),
        Command::Erase { persons } => {
            let policy = Some(context.policy.as_ref());
            erase::erase(tx, policy, &mut lead, (persons, actor), now)?;
            Ok(Vec::new())
        }
    }
}

/// A lead whose personal data is gone can neither be screened nor given to anybody.
fn needs_content(tx: &Tx<'_>, lead: &Lead, command: &Command) -> Result<(), Fault> {
    let needed = match command {
        Command::Release | Command::Rescreen | Command::Assign { .. } | Command::Redrive { .. } => {
            true
        }
        Command::Claim
        | Command::Decline { .. }
        | Command::Contacted
        | Command::Close { .. }
        | Command::Reject { .. }
        | Command::Erase { .. } => false,
    };
    if needed && lead.stage != Stage::Closed(Outcome::Erased) && tx.is_forgotten(lead.seq)? {
        let why = "the lead's personal data was taken away when its time was over, see [retention]";
        return Err(Fault::Refused(why.into()));
    }
    Ok(())
}

/// Who reports a contact or a sale without having claimed has claimed.
fn claim_first(
    tx: &Tx<'_>,
    lead: &mut Lead,
    actor: &Actor,
    now: crate::clock::Millis,
) -> Result<(), Fault> {
    if lead.stage != Stage::Offered {
        return Ok(());
    }
    let rep = lead.owner.clone().unwrap_or_default();
    let event = Event::Claimed { rep };
    tx.advance(
        lead,
        Stage::Claimed,
        Change::default(),
        (actor, &event, None),
        now,
    )
}

fn close(
    tx: &Tx<'_>,
    context: &Context,
    lead: &mut Lead,
    command: &Command,
    actor: &Actor,
) -> Result<Vec<Ticket>, Fault> {
    let Command::Close {
        outcome,
        value,
        currency,
        why,
    } = command
    else {
        return Ok(Vec::new());
    };
    let now = context.times.now;
    if matches!(actor, Actor::Rep(_)) {
        claim_first(tx, lead, actor, now)?;
    }
    let event = Event::Closed {
        outcome: *outcome,
        value: *value,
        currency: currency.clone(),
        why: why.clone(),
    };
    let change = Change {
        reason: why.clone(),
        ..Change::default()
    };
    tx.advance(
        lead,
        Stage::Closed(*outcome),
        change,
        (actor, &event, None),
        now,
    )?;
    assign::take_back(tx, &context.policy, lead.seq, outcome.as_str(), now)?;
    for kind in [
        WorkKind::Fetch,
        WorkKind::Assign,
        WorkKind::Alarm,
        WorkKind::Decide,
    ] {
        tx.drop_work(lead.seq, kind)?;
    }
    Ok(Vec::new())
}

fn again(
    tx: &Tx<'_>,
    lead: &mut Lead,
    (event, actor): (Event, &Actor),
    context: &Context,
) -> Result<Vec<Ticket>, Fault> {
    let now = context.times.now;
    let is_rejected = lead.stage == Stage::Rejected && !matches!(event, Event::Released);
    if lead.stage != Stage::Held && !is_rejected {
        let (from, to) = (lead.stage, Stage::Received);
        return Err(Fault::Illegal { from, to });
    }
    tx.drop_work(lead.seq, WorkKind::Alarm)?;
    if unfetched::is_still(tx, &context.policy, lead)? {
        return Ok(vec![unfetched::again(
            tx,
            lead,
            (actor, &event, None),
            now,
        )?]);
    }
    let stuck = matches!(
        lead.hold_cause,
        Some(HoldCause::NobodyLeft | HoldCause::PoolGone)
    );
    if matches!(event, Event::Released) && lead.stage == Stage::Held && stuck {
        // The rules have no part in this hold: the lead goes back to waiting.
        let event = (actor, &event, None);
        tx.advance(lead, Stage::Waiting, Change::default(), event, now)?;
        let work = (WorkKind::Assign, 0);
        return Ok(vec![tx.add_work(lead.seq, work, now, Priority::Normal)?]);
    }
    tx.advance(
        lead,
        Stage::Received,
        Change::default(),
        (actor, &event, None),
        now,
    )?;
    Ok(vec![tx.add_work(
        lead.seq,
        (WorkKind::Decide, 0),
        now,
        Priority::Normal,
    )?])
}

/// Gives a lead to a named rep, whatever caps and hours say: a person decided so.
fn give_to(
    tx: &Tx<'_>,
    context: &Context,
    lead: &mut Lead,
    rep: &str,
    actor: &Actor,
) -> Result<Vec<Ticket>, Fault> {
    let (policy, now) = (&context.policy, context.times.now);
    let Some(known) = policy.roster.rep(rep) else {
        return Err(Fault::Missing(format!("rep `{rep}` in reps.toml")));
    };
    let day = known.day(now);
    match lead.stage {
        Stage::Offered | Stage::Claimed | Stage::Contacted => {
            let from = lead.owner.clone().unwrap_or_default();
            let why = format!("given to {rep}");
            let event = Event::Withdrawn { rep: from, why };
            assign::give_on(tx, policy, lead, (actor, &event), now)?;
        }
        Stage::Held | Stage::Closed(_) => {
            let event = Event::Waiting {
                why: format!("given to {rep}"),
                until: None,
                candidates: Vec::new(),
            };
            let event = (actor, &event, None);
            tx.advance(lead, Stage::Waiting, Change::default(), event, now)?;
        }
        Stage::Fetching | Stage::Received | Stage::Rejected | Stage::Waiting => {}
    }
    for kind in [WorkKind::Assign, WorkKind::Alarm] {
        tx.drop_work(lead.seq, kind)?;
    }
    let offer = Offer {
        channels: assign::channels(policy, rep),
        rep: rep.to_owned(),
        why: format!("given by {actor}"),
        candidates: Vec::new(),
        day,
        deadline: None,
    };
    let priority = policy
        .rulebook
        .priority(lead.grade.as_deref().unwrap_or_default());
    assign::offer(tx, lead, offer, actor, (context.times, priority))
}

/// A dead notice goes out again: to the same rep, with a new attempt, if the lead is still theirs
/// or nobody's.
fn redrive(
    tx: &Tx<'_>,
    context: &Context,
    lead: &mut Lead,
    delivery: i64,
    actor: &Actor,
) -> Result<Vec<Ticket>, Fault> {
    use crate::lead::DeliveryState::{Cancelled, Dead, Pending};
    let now = context.times.now;
    let found = tx
        .delivery(delivery)?
        .filter(|d| d.lead == lead.seq && d.state == Dead);
    let Some(found) = found else {
        return Err(Fault::Missing(format!(
            "dead delivery {delivery} of this lead"
        )));
    };
    let open = tx.open_assignment_of(lead.seq)?;
    if open
        .as_ref()
        .is_some_and(|open| open.seq == found.assignment)
    {
        tx.set_delivery(delivery, Pending)?;
        let priority = Priority::Normal;
        let work = (crate::deliver::work_of(&found.channel), delivery);
        return Ok(vec![tx.add_work(lead.seq, work, now, priority)?]);
    }
    if let Some(open) = open {
        return Err(Fault::Missing(format!(
            "need to send it again: the lead is with {} now",
            open.rep
        )));
    }
    tx.set_delivery(delivery, Cancelled)?;
    give_to(tx, context, lead, &found.rep, actor)
}
