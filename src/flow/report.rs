//! What a rep sees of a lead and reports about it, by the signed link in the mail.

use super::command::{self, Command};
use super::{Flow, assign};
use crate::clock::Millis;
use crate::lead::{
    Actor, Event, HoldCause, Lead, LeadId, Outcome, PhraseKind, RepId, Seen, Stage, Verdict,
};
use crate::ledger::{Fault, Reads, Tx};
use crate::link::Claim;

/// A lead with the reasons that a rep may read.
#[derive(Clone, Debug)]
pub struct Why {
    /// The lead.
    pub lead: Lead,
    /// Points and words of the score lines that fired.
    pub scores: Vec<(i64, String)>,
    /// Why this pool and this rep.
    pub route: String,
    /// Earlier leads of the person.
    pub seen: Seen,
    /// When the rep who has it got it.
    pub offered_at: Option<Millis>,
    /// Until when it must be claimed.
    pub deadline: Option<Millis>,
    /// The open assignment: seq and rep.
    pub open: Option<(i64, RepId)>,
}

/// What the link in a mail leads to.
#[derive(Debug)]
pub enum Shown {
    /// The rep's lead.
    Yours(Box<Why>),
    /// It went elsewhere, or was never there: nothing of it is shown.
    NotYours,
}

/// What a rep's step came to.
#[derive(Debug)]
pub enum Acted {
    /// Done, or done before in the same way.
    Done(Box<Why>),
    /// Given back, now or before; whose it is by now is not shown.
    PassedOn,
    /// Not possible where the lead stands; the page says so.
    Refused(Box<Why>, String),
    /// It went elsewhere.
    NotYours,
}

/// Reads a lead with its reasons.
pub fn why(r: &Reads<'_>, seq: i64) -> Result<Why, Fault> {
    let lead = r.lead(seq)?;
    let history = r.history(seq)?;
    let (mut scores, mut routes) = (Vec::new(), Vec::new());
    let graded = history.iter().rev().find_map(|(recorded, policy)| {
        if let Event::Graded { trace, .. } = &recorded.event {
            return policy.map(|policy| (trace.clone(), policy));
        }
        None
    });
    if let Some((trace, policy)) = graded {
        let phrases = r.phrases(policy)?;
        for passed in trace.0.iter().filter(|passed| passed.fired) {
            let Some(phrase) = phrases.get(usize::from(passed.phrase)) else {
                continue;
            };
            match phrase.kind {
                PhraseKind::Score => scores.push((phrase.points, phrase.label.clone())),
                PhraseKind::Route if phrase.note.is_empty() => routes.push(phrase.label.clone()),
                PhraseKind::Route => routes.push(format!("{}: {}", phrase.label, phrase.note)),
                PhraseKind::Reject | PhraseKind::Hold | PhraseKind::Grade => {}
            }
        }
    }
    let offered = history.iter().rev().find_map(|(recorded, _)| {
        if let Event::Offered { why, .. } = &recorded.event {
            return Some(why.clone());
        }
        None
    });
    routes.extend(offered);
    let open = r
        .assignments(seq)?
        .into_iter()
        .find(|a| a.closed_at.is_none());
    Ok(Why {
        lead,
        scores,
        route: routes.join("; "),
        seen: r.facts(seq)?.seen,
        offered_at: open.as_ref().map(|a| a.offered_at),
        deadline: open.as_ref().and_then(|a| a.deadline),
        open: open.map(|a| (a.seq, a.rep)),
    })
}

/// The verdict that stands in the ledger.
pub(super) fn verdict_of(lead: &Lead) -> Option<Verdict> {
    let why = || lead.reason.clone().unwrap_or_default();
    match lead.stage {
        Stage::Fetching | Stage::Received => None,
        Stage::Rejected => Some(Verdict::Rejected { why: why() }),
        Stage::Held => Some(Verdict::Held {
            why: why(),
            cause: lead.hold_cause.unwrap_or(HoldCause::Rule),
        }),
        Stage::Waiting | Stage::Offered | Stage::Claimed | Stage::Contacted | Stage::Closed(_) => {
            Some(Verdict::Accepted {
                grade: lead.grade.clone()?,
                points: lead.points,
                pool: lead.pool.clone()?,
            })
        }
    }
}

impl Flow {
    /// The claim of a link; `None` for one that nobody here signed, or that is too old.
    pub fn claim_of(&self, token: &str) -> Result<Claim, crate::link::Broken> {
        crate::link::verify(&self.key, token, self.clock.now())
    }

    /// What the rep may see. Changes nothing, however often it is asked.
    pub async fn show_to_rep(&self, claim: &Claim) -> Result<Shown, Fault> {
        let claim = claim.clone();
        let found = self.ledger.read_off(move |r| {
            let lead = r.lead_named(&claim.lead.to_string())?;
            let why = why(r, lead.seq)?;
            let theirs = is_theirs(r, &why, &claim)?;
            Ok((why, theirs))
        });
        match found.await {
            Ok((why, true)) => Ok(Shown::Yours(Box::new(why))),
            Ok((_, false)) | Err(Fault::Missing(_)) => Ok(Shown::NotYours),
            Err(fault) => Err(fault),
        }
    }

    /// Does what the rep reports; the same again changes nothing and shows the same.
    pub async fn act_for_rep(&self, claim: &Claim, act: Command) -> Result<Acted, Fault> {
        let Shown::Yours(before) = self.show_to_rep(claim).await? else {
            return self.after_it_went(claim, &act).await;
        };
        let seq = before.lead.seq;
        let context = self.context();
        let (assignment, rep) = (claim.assignment, claim.rep.clone());
        let done = self.ledger.write({
            let act = act.clone();
            move |tx| act_once(tx, &context, (seq, assignment, &rep), &act)
        });
        let refused = match done.await {
            Ok(tickets) => {
                self.queue.push(&tickets);
                None
            }
            Err(
                fault @ (Fault::Illegal { .. }
                | Fault::Stale
                | Fault::Missing(_)
                | Fault::Refused(_)),
            ) => Some(fault.to_string()),
            Err(fault) => return Err(fault),
        };
        // Looked at again: with this step, or just before it, the lead may have gone to another.
        let Shown::Yours(why) = self.show_to_rep(claim).await? else {
            return self.after_it_went(claim, &act).await;
        };
        Ok(match refused {
            None => Acted::Done(why),
            Some(text) => Acted::Refused(why, text),
        })
    }

    /// A lead that is not the rep's any more: whoever gave it back hears that they did, as often as
    /// they say so.
    async fn after_it_went(&self, claim: &Claim, act: &Command) -> Result<Acted, Fault> {
        if !matches!(act, Command::Decline { .. }) {
            return Ok(Acted::NotYours);
        }
        let claim = claim.clone();
        let declined = self.ledger.read_off(move |r| {
            let lead = r.lead_named(&claim.lead.to_string())?;
            if lead.id != claim.lead || lead.stage == Stage::Closed(Outcome::Erased) {
                return Ok(false);
            }
            let mut turns = r.assignments(lead.seq)?.into_iter();
            let turn = turns.find(|turn| turn.seq == claim.assignment && turn.rep == claim.rep);
            Ok(turn.is_some_and(|turn| turn.why.as_deref() == Some("declined")))
        });
        match declined.await {
            Ok(true) => Ok(Acted::PassedOn),
            Ok(false) | Err(Fault::Missing(_)) => Ok(Acted::NotYours),
            Err(fault) => Err(fault),
        }
    }

    pub(super) fn context(&self) -> command::Context {
        command::Context {
            policy: self.policy(),
            times: assign::Times {
                now: self.clock.now(),
                undelivered_after: self.mail.undelivered_after_ms,
                held_alarm_after: self.settings.held_alarm_after_ms,
            },
        }
    }
}

fn is_theirs(r: &Reads<'_>, why: &Why, claim: &Claim) -> Result<bool, Fault> {
    let id: LeadId = why.lead.id;
    if id != claim.lead || why.lead.stage == Stage::Closed(Outcome::Erased) {
        return Ok(false);
    }
    let mine = |seq: i64, rep: &RepId| seq == claim.assignment && *rep == claim.rep;
    match &why.open {
        Some((seq, rep)) => Ok(mine(*seq, rep)),
        // Closed: whoever closed it may still look at what they reported.
        None if matches!(why.lead.stage, Stage::Closed(_)) => {
            let last = r.assignments(why.lead.seq)?.pop();
            Ok(last.is_some_and(|a| mine(a.seq, &a.rep)))
        }
        None => Ok(false),
    }
}

fn act_once(
    tx: &Tx<'_>,
    context: &command::Context,
    (seq, assignment, rep): (i64, i64, &RepId),
    act: &Command,
) -> Result<Vec<crate::lead::Ticket>, Fault> {
    let lead = tx.lead(seq)?;
    let already = match act {
        Command::Claim => matches!(lead.stage, Stage::Claimed | Stage::Contacted),
        Command::Contacted => lead.stage == Stage::Contacted,
        Command::Close { outcome, .. } => lead.stage == Stage::Closed(*outcome),
        Command::Decline { .. }
        | Command::Release
        | Command::Reject { .. }
        | Command::Rescreen
        | Command::Assign { .. }
        | Command::Redrive { .. }
        | Command::Erase { .. } => false,
    };
    if already {
        return Ok(Vec::new());
    }
    if let (Stage::Closed(_), Command::Close { outcome, .. }) = (lead.stage, act) {
        return Err(Fault::Illegal {
            from: lead.stage,
            to: Stage::Closed(*outcome),
        });
    }
    let open = tx.open_assignment_of(seq)?;
    if !open.is_some_and(|open| open.seq == assignment && open.rep == *rep) {
        return Err(Fault::Stale);
    }
    command::apply(tx, context, seq, act, &Actor::Rep(rep.clone()))
}
