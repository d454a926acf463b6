//! A verdict that can never be written must not stop those behind it: after a failure submissions are
//! tried one by one, and one that the store refuses again and again has its leads held with a reason,
//! so that a person sees them and the rest goes on. What came in stays as it is; a rescreen reads it
//! anew. Knows nothing of rules.

use std::sync::Arc;

use super::arrivals::Arrived;
use super::publish::Policy;
use super::verdict::{Deciding, Fresh, Outcome};
use crate::clock::Millis;
use crate::lead::{Decided, Facts, HoldCause, Inquiry, Trace, Verdict};
use crate::ledger::{Fault, Standing};

/// How many submissions are read back from the ledger at once.
const PORTION: i64 = 256;
/// So often the store may have refused a verdict for reasons of its own.
const TRIES: u32 = 3;

/// What the store refused, and how often.
#[derive(Default)]
pub(super) struct Refusals {
    submission: i64,
    times: u32,
    /// So many are tried by themselves: the portion that failed.
    alone: i64,
}

impl Refusals {
    /// How many to try together.
    pub(super) fn portion(&self) -> i64 {
        if self.alone > 0 { 1 } else { PORTION }
    }

    /// Notes whether a portion that began with this submission was written.
    pub(super) fn note(&mut self, first: i64, written: bool) {
        if written {
            self.alone = (self.alone - 1).max(0);
            return;
        }
        if self.submission != first || self.is_parked(first) {
            // Where not even the parked one could be written it is the store's own trouble.
            (self.submission, self.times) = (first, 0);
        }
        self.times += u32::from(self.alone > 0);
        self.alone = PORTION;
    }

    /// Whether a submission's leads are to be held as they are.
    pub(super) fn is_parked(&self, submission: i64) -> bool {
        self.submission == submission && self.times >= TRIES
    }
}

/// A submission with all its new leads held; nothing that the store refused is in it.
pub(super) fn parked(
    arrived: Arrived,
    policy: Arc<Policy>,
    (now, held_alarm): (Millis, Millis),
) -> Result<Outcome, Fault> {
    let deciding = Deciding {
        policy: &policy,
        received_at: arrived.undecided.submission.received_at,
        now,
        held_alarm,
    };
    let leads = arrived.undecided.leads.iter();
    let new = leads.filter(|(standing, ..)| *standing == Standing::New);
    let fresh = new.map(|(_, seq, id)| {
        let decided = Decided {
            verdict: Verdict::Held {
                why: "its verdict could not be written; the log says why".into(),
                cause: HoldCause::Unreadable,
            },
            trace: Trace::default(),
        };
        let known = (Facts::default(), decided);
        Fresh::new((*seq, *id), Inquiry::default(), known, &deciding)
    });
    Ok(Outcome {
        fresh: fresh.collect::<Result<_, _>>()?,
        unfetched: Vec::new(),
        arrived,
        policy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_refused_by_itself_three_times_is_parked_and_the_next_are_not() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.portion(), PORTION);
        refusals.note(7, false);
        assert_eq!(refusals.portion(), 1);
        for submission in [7, 8] {
            refusals.note(submission, true);
        }
        for _ in 0..TRIES {
            assert!(!refusals.is_parked(9));
            refusals.note(9, false);
        }
        assert!(refusals.is_parked(9) && !refusals.is_parked(10));
        refusals.note(9, true);
        for submission in 10..10 + PORTION {
            refusals.note(submission, true);
        }
        assert_eq!(refusals.portion(), PORTION);
    }

    #[test]
    fn while_the_store_takes_nothing_nobody_stays_parked() {
        let mut refusals = Refusals::default();
        for _ in 0..=TRIES {
            refusals.note(7, false);
        }
        assert!(refusals.is_parked(7));
        refusals.note(7, false);
        assert!(!refusals.is_parked(7));
    }
}
