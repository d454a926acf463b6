//! Leads whose platform sent an id only: how they enter the ledger, how they are fetched again, and
//! how what was fetched is read.

use super::publish::Policy;
use super::receive::read_inquiries;
use super::upkeep;
use super::verdict::Outcome;
use crate::clock::Millis;
use crate::lead::{
    Actor, AttemptResult, Event, Facts, HoldCause, Inquiry, Lead, LeadId, Priority, Recorded,
    Stage, Ticket, WorkKind,
};
use crate::ledger::{Change, Fault, InquiryText, NewLead, Opening, Reads, Tx, Undecided};
use crate::source::Step;

/// A lead that is to be fetched: its keys, and what is known of it so far.
pub(super) type Unfetched = (i64, LeadId, Inquiry);

/// Whether a lead's content is still with its platform.
pub(super) fn is_unfetched(policy: &Policy, source: &str, inquiry: &Inquiry) -> bool {
    policy.sources.get(source).is_some_and(|source| {
        let step = source.adapter.fetch(source, inquiry, &[]);
        step != Step::Whole
    })
}

/// The second commit of a lead that is to be fetched.
pub(super) fn write_unfetched(
    tx: &Tx<'_>,
    outcome: &Outcome,
    (seq, id, inquiry): &Unfetched,
    now: Millis,
) -> Result<Ticket, Fault> {
    let undecided = &outcome.arrived.undecided;
    let received_at = undecided.submission.received_at;
    tx.insert_lead(&NewLead {
        seq: *seq,
        id: *id,
        submission: undecided.id,
        source: &undecided.submission.source,
        received_at,
        stage: Stage::Fetching,
        reason: None,
        hold_cause: None,
        text: &InquiryText::of(inquiry)?,
        is_test: inquiry.is_test,
        grade: None,
        points: 0,
        pool: None,
        policy: outcome.policy.id,
        facts: &Facts::default(),
        opening: &Opening::of(&[(received_at, Event::Received)])?,
    })?;
    tx.add_work(*seq, (WorkKind::Fetch, 0), now, Priority::Normal)
}

/// Whether a held or rejected lead's content was never had.
pub(super) fn is_still(tx: &Tx<'_>, policy: &Policy, lead: &Lead) -> Result<bool, Fault> {
    if lead.stage == Stage::Held {
        return Ok(lead.hold_cause == Some(HoldCause::Unfetched));
    }
    if !is_unfetched(policy, &lead.source, &lead.inquiry) {
        return Ok(false);
    }
    let history = tx.history(lead.seq)?;
    let had = |event: &Event| matches!(event, Event::Fetched { result, .. } if *result == AttemptResult::Delivered);
    Ok(!history.iter().any(|recorded| had(&recorded.event)))
}

/// Fetches a held or rejected lead anew.
pub(super) fn again(
    tx: &Tx<'_>,
    lead: &mut Lead,
    event: (&Actor, &Event, Option<i64>),
    now: Millis,
) -> Result<Ticket, Fault> {
    tx.drop_work(lead.seq, WorkKind::Alarm)?;
    tx.advance(lead, Stage::Fetching, Change::default(), event, now)?;
    tx.add_work(lead.seq, (WorkKind::Fetch, 0), now, Priority::Normal)
}

/// What is known of a lead that is decided again.
pub(super) struct Known {
    submission: Option<Undecided>,
    fetched: Option<Vec<u8>>,
    was_unreadable: bool,
}

impl Known {
    pub(super) fn of(
        reads: &Reads<'_>,
        lead: &Lead,
        history: &[(Recorded, Option<i64>)],
    ) -> Result<Self, Fault> {
        let last_hold = upkeep::last_hold(history).map(|(_, cause)| cause);
        let fetched = reads.fetched(lead.seq)?;
        // A batch is long, and says no more than the notice that is stored with the lead.
        let submission = match fetched {
            Some(_) => None,
            None => reads.submission(lead.submission)?,
        };
        Ok(Self {
            submission,
            fetched,
            was_unreadable: last_hold == Some(HoldCause::Unreadable),
        })
    }
}

/// Reads a lead's content anew where it was fetched, or could not be read before. `Ok` says whether
/// it was.
pub(super) fn reread(
    policy: &Policy,
    lead: &mut Lead,
    known: Known,
) -> Result<bool, (String, HoldCause)> {
    let unreadable = |why| (why, HoldCause::Unreadable);
    if let Some(content) = known.fetched {
        let source = policy.sources.get(&lead.source).ok_or_else(|| {
            unreadable(format!(
                "source \"{}\" is no longer in sources.toml",
                lead.source
            ))
        })?;
        let notice = lead.inquiry.clone();
        let read = source.fetched(notice, &content);
        lead.inquiry = read.map_err(unreadable)?;
        return Ok(true);
    }
    let Some(undecided) = known.submission.filter(|_| known.was_unreadable) else {
        return Ok(false);
    };
    let place = undecided
        .leads
        .iter()
        .position(|(_, seq, _)| *seq == lead.seq);
    let mut inquiries = read_inquiries(policy, &undecided).map_err(unreadable)?;
    match place {
        Some(at) if at < inquiries.len() => lead.inquiry = inquiries.swap_remove(at),
        Some(_) | None => return Err(unreadable("the submission no longer holds it".into())),
    }
    if is_unfetched(policy, &lead.source, &lead.inquiry) {
        return Err(("its content is to be fetched".into(), HoldCause::Unfetched));
    }
    Ok(true)
}
