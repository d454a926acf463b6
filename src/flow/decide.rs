//! The second commit: every submission in the order of arrival is read, held against earlier leads,
//! screened, graded and routed, and written once. One thread does it, so that no two leads of the
//! same person overtake each other. What it could not write it reads back from the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::arrivals::{Arrival, Arrived};
use super::keyed::contact_keys;
use super::park::{self, Refusals};
use super::publish::Policy;
use super::ready::{Ready, tell};
use super::unfetched::{Known, is_unfetched, reread};
use super::verdict::{Deciding, Fresh, Outcome};
use super::{Flow, upkeep};
use crate::clock::Millis;
use crate::lead::{Decided, Facts, HoldCause, Inquiry, Ticket, Trace, Verdict};
use crate::ledger::{Fault, Persons, Reads, Standing};
use crate::rules::Asked;

/// The most submissions that are held against the ledger at one moment.
const BATCH: usize = 64;
/// How long after a failed commit the ledger is asked again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(super) struct Decider {
    pub(super) flow: Arc<Flow>,
    persons: Persons,
    /// The last submission that was judged.
    last: i64,
    pub(super) ready: Ready,
    pub(super) failed: Arc<AtomicBool>,
    /// Whether that was the store's trouble, and none of what was to be written.
    pub(super) store_failed: Arc<AtomicBool>,
    /// Until then the ledger is left in peace, after a failure that stayed.
    rests_until: Option<Instant>,
    refusals: Refusals,
}

impl Decider {
    pub(super) fn new(flow: Arc<Flow>) -> Result<Self, Fault> {
        let keys_of =
            |email: Option<&str>, phone: Option<&str>| contact_keys(&flow.hash_key, email, phone);
        let persons = Persons::rebuild(&flow.ledger, keys_of)?;
        let last = flow.ledger.read(|r: &Reads<'_>| r.decided_upto())?;
        Ok(Self {
            flow,
            persons,
            last,
            ready: Ready::default(),
            failed: Arc::default(),
            store_failed: Arc::default(),
            rests_until: None,
            refusals: Refusals::default(),
        })
    }

    pub(super) fn run(mut self, arrivals: &Receiver<Vec<Arrival>>) {
        self.failed.store(true, Ordering::SeqCst); // what was committed before the last stop
        loop {
            let rests = self.rests_until.is_some_and(|until| until > Instant::now());
            if self.failed.load(Ordering::SeqCst) && !rests {
                self.catch_up();
                let failed = self.failed.load(Ordering::SeqCst);
                self.rests_until = failed.then(|| Instant::now() + AGAIN_AFTER);
            }
            let wait = match self.rests_until {
                Some(until) => until.saturating_duration_since(Instant::now()),
                None => self.ready.wait(),
            };
            match arrivals.recv_timeout(wait) {
                Ok(arrived) => {
                    if !self.take(arrived) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.write_if_due();
        }
    }

    /// Behind a failed commit nothing fits; what was to be written is read anew.
    fn write_if_due(&mut self) {
        if self.ready.wait().is_zero() && !self.failed.load(Ordering::SeqCst) {
            self.write(false);
        }
    }

    /// Judges what has arrived; `false` when the daemon stops.
    fn take(&mut self, arrived: Vec<Arrival>) -> bool {
        let mut batch = Vec::new();
        for arrival in arrived {
            match arrival {
                Arrival::Stop => {
                    self.judge_in_turn(batch);
                    self.write(false);
                    return false;
                }
                Arrival::Rescreen(ticket) => self.rescreen(ticket),
                Arrival::Submission(arrived) => batch.push(*arrived),
                Arrival::Forget(leads) => self.persons.forget(&leads),
                Arrival::Written(outcomes) => tell(outcomes, &self.flow),
                Arrival::Again => {}
                Arrival::Settle(written) => {
                    self.judge_in_turn(std::mem::take(&mut batch));
                    // Behind a failed commit all is judged anew.
                    if !self.failed.load(Ordering::SeqCst) {
                        self.write(true);
                    }
                    drop(written);
                }
            }
            if batch.len() == BATCH {
                self.judge_in_turn(std::mem::take(&mut batch));
                self.write_if_due();
            }
        }
        self.judge_in_turn(batch);
        true
    }

    /// Reads what is on disk and undecided, until there is no more.
    fn catch_up(&mut self) {
        self.failed.store(false, Ordering::SeqCst);
        self.ready = Ready::default();
        loop {
            let (last, portion) = (self.last, self.refusals.portion());
            let found = self.flow.ledger.read(|r| {
                let last = last.min(r.decided_upto()?);
                r.undecided(last, portion).map(|found| (last, found))
            });
            let Ok((last, found)) = found else {
                self.failed.store(true, Ordering::SeqCst);
                return;
            };
            self.last = last;
            let Some(first) = found.first().map(|undecided| undecided.id) else {
                return;
            };
            let found = found.into_iter().map(|undecided| Arrived {
                undecided,
                read: None,
                tell: None,
                _permit: None,
            });
            self.judge(found.collect());
            self.write(true);
            let failed = self.failed.load(Ordering::SeqCst);
            // What the store has trouble with is no reason to hold a lead.
            if !(failed && self.store_failed.load(Ordering::SeqCst)) {
                self.refusals.note(first, !failed);
            }
            if failed {
                return;
            }
        }
    }

    fn judge_in_turn(&mut self, batch: Vec<Arrived>) {
        // Whatever the ledger read meanwhile is behind `last`; a gap means a failed commit.
        let mut batch: Vec<_> = batch
            .into_iter()
            .filter(|a| a.undecided.id > self.last)
            .collect();
        let expected = self.last + 1;
        if batch
            .first()
            .is_some_and(|first| first.undecided.id != expected)
        {
            batch.clear();
            self.failed.store(true, Ordering::SeqCst);
        }
        self.judge(batch);
        if let Err(fault) = self.persons.flush_if_full(&self.flow.ledger) {
            tracing::warn!(%fault, "the index of persons could not be written");
        }
    }

    fn judge(&mut self, batch: Vec<Arrived>) {
        let Some(to) = batch.last().map(|arrived| arrived.undecided.id) else {
            return;
        };
        let ledger = self.flow.ledger.clone();
        let outcomes = ledger.read(|r| {
            let outcome = |arrived| self.outcome(r, arrived);
            r.at_one_moment(|_| {
                batch
                    .into_iter()
                    .map(outcome)
                    .collect::<Result<Vec<_>, _>>()
            })
        });
        match outcomes {
            Ok(outcomes) => {
                self.ready.add((self.last, to), outcomes);
                self.last = to;
            }
            Err(fault) => {
                tracing::error!(%fault, "earlier leads could not be read");
                self.failed.store(true, Ordering::SeqCst);
            }
        }
    }

    fn outcome(&mut self, reads: &Reads<'_>, mut arrived: Arrived) -> Result<Outcome, Fault> {
        let policy = self.flow.policy();
        if self.refusals.is_parked(arrived.undecided.id) {
            let text = "a verdict could not be written; its lead is held";
            self.flow.alarm("parked", text);
            let held_alarm = self.flow.settings.held_alarm_after_ms;
            return park::parked(arrived, policy, (self.flow.clock.now(), held_alarm));
        }
        let mut read = arrived.inquiries(&policy);
        let undecided = &arrived.undecided;
        let deciding = Deciding {
            policy: &policy,
            received_at: undecided.submission.received_at,
            now: self.flow.clock.now(),
            held_alarm: self.flow.settings.held_alarm_after_ms,
        };
        let (mut fresh, mut unfetched) = (Vec::new(), Vec::new());
        for (at, (standing, seq, id)) in undecided.leads.iter().enumerate() {
            if *standing != Standing::New {
                continue;
            }
            let inquiry = read
                .as_mut()
                .ok()
                .and_then(|inquiries| inquiries.get_mut(at));
            let inquiry = inquiry.map(std::mem::take).unwrap_or_default();
            let source = &undecided.submission.source;
            if read.is_ok() && is_unfetched(&policy, source, &inquiry) {
                unfetched.push((*seq, *id, inquiry));
                continue;
            }
            let known = (reads, *seq, undecided.submission.received_at);
            let facts = self.facts(known, &inquiry)?;
            let decided = match &read {
                Err(why) => held(why.clone(), HoldCause::Unreadable),
                Ok(_) => policy.rulebook.decide(&Asked {
                    inquiry: &inquiry,
                    source,
                    received_at: undecided.submission.received_at,
                    facts: &facts,
                    overruled: None,
                }),
            };
            let named = (*seq, *id);
            fresh.push(Fresh::new(named, inquiry, (facts, decided), &deciding)?);
        }
        Ok(Outcome {
            arrived,
            fresh,
            unfetched,
            policy,
        })
    }

    fn facts(
        &mut self,
        (reads, seq, at): (&Reads<'_>, i64, Millis),
        inquiry: &Inquiry,
    ) -> Result<Facts, Fault> {
        if inquiry.is_test {
            return Ok(Facts::default());
        }
        let keys = self.flow.person_keys(inquiry);
        let seen = self.persons.seen(reads, seq, &keys)?;
        self.persons.note(seq, at, &keys);
        Ok(Facts { seen })
    }

    /// Screens a lead again: by a mended rule, a release or a person's wish.
    fn rescreen(&mut self, ticket: Ticket) {
        let flow = self.flow.clone();
        let again = self.again(ticket.lead);
        let result = again.and_then(|(again, policy)| {
            let now = flow.clock.now();
            let held_alarm = flow.settings.held_alarm_after_ms;
            flow.ledger.write_blocking(move |tx| {
                let due = upkeep::write_again(tx, &ticket, &again, &policy, (now, held_alarm))?;
                Ok((due, again))
            })
        });
        match result {
            Ok((tickets, again)) => {
                let (seq, at) = (again.lead.seq, again.lead.received_at);
                self.persons.note(seq, at, &again.late);
                if again.is_first {
                    let (verdict, is_test) = (&again.decided.verdict, again.lead.inquiry.is_test);
                    let after = flow.clock.now() - at;
                    flow.metrics.decided(verdict, is_test, after);
                }
                flow.queue.push(&tickets);
            }
            Err(fault) => tracing::warn!(%fault, lead = ticket.lead, "not screened again; later"),
        }
        flow.queue.ack(&[ticket]);
    }

    fn again(&mut self, seq: i64) -> Result<(upkeep::Again, Arc<Policy>), Fault> {
        let policy = self.flow.policy();
        let (mut lead, history, known) = self.flow.ledger.read(|r| {
            let (lead, history) = (r.lead(seq)?, r.history(seq)?);
            let known = Known::of(r, &lead, &history)?;
            Ok((lead, history, known))
        })?;
        let just_fetched = upkeep::was_just_fetched(&history);
        let content = reread(&policy, &mut lead, known);
        let keys = self.flow.person_keys(&lead.inquiry);
        let persons = &self.persons;
        // Whoever was decided meanwhile was earlier, wherever they stood in the order of arrival.
        let below = if just_fetched { i64::MAX } else { seq };
        let (mut facts, mut late) = (Facts::default(), Vec::new());
        let reread = content != Ok(false);
        if !lead.inquiry.is_test {
            facts.seen = self.flow.ledger.read(|r| persons.seen(r, below, &keys))?;
            late = if reread { keys } else { late };
        }
        let overruled = upkeep::overruled(&history);
        let decided = match &content {
            Err((why, cause)) => held(why.clone(), *cause),
            Ok(_) => policy.rulebook.decide(&Asked {
                inquiry: &lead.inquiry,
                source: &lead.source,
                received_at: lead.received_at,
                facts: &facts,
                overruled: overruled.as_deref(),
            }),
        };
        let again = upkeep::Again {
            lead,
            facts,
            decided,
            reread,
            late,
            is_first: just_fetched,
        };
        Ok((again, policy))
    }
}

impl Flow {
    /// Screens a lead again, in its turn.
    pub(crate) fn screen_again(&self, ticket: Ticket) {
        self.arrivals.send(Arrival::Rescreen(ticket));
    }
}

fn held(why: String, cause: HoldCause) -> Decided {
    Decided {
        verdict: Verdict::Held { why, cause },
        trace: Trace::default(),
    }
}
