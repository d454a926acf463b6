//! What must hold at the end, whatever happened: the ledger against the senders' book and against
//! what the mail server took. Reads the ledger from outside, after the daemon has stopped.

use std::collections::{BTreeMap, HashMap, HashSet};

use leadgate::lead::{
    Assignment, Attempt, AttemptResult, Delivery, DeliveryState, Event, Lead, LeadId, Recorded,
    Stage, WorkKind,
};
use leadgate::ledger::reads::Filter;
use leadgate::ledger::{Ledger, Reads, Settings};

use crate::load::Book;
use crate::site::{CAP, CAPPED_REP, Site};
use crate::smtp::{Smtp, Taken};

/// Leads in one read.
const PAGE: i64 = 2_000;
const EXAMPLES_MAX: usize = 3;

/// What did not hold, by what should have.
#[derive(Default)]
pub(crate) struct Broken(BTreeMap<&'static str, (usize, Vec<String>)>);

impl Broken {
    pub(crate) fn note(&mut self, what: &'static str, example: String) {
        let (n, examples) = self.0.entry(what).or_default();
        *n += 1;
        if examples.len() < EXAMPLES_MAX {
            examples.push(example);
        }
    }

    fn unless(&mut self, holds: bool, what: &'static str, example: impl FnOnce() -> String) {
        if !holds {
            self.note(what, example());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A line each, with the first examples.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let line = |(what, (n, examples)): (&&str, &(usize, Vec<String>))| {
            format!("{n} × {what}: {}", examples.join("; "))
        };
        self.0.iter().map(line)
    }
}

/// What there was, for the table.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) leads: usize,
    pub(crate) stages: BTreeMap<&'static str, usize>,
    pub(crate) deliveries: BTreeMap<&'static str, usize>,
    pub(crate) attempts: usize,
    pub(crate) assignments: usize,
    /// Mails that were taken more often than once.
    pub(crate) doubled: usize,
}

/// Everything that is known of one lead.
struct Whole {
    lead: Lead,
    history: Vec<Recorded>,
    assignments: Vec<Assignment>,
    deliveries: Vec<(Delivery, Vec<Attempt>)>,
    work: Vec<WorkKind>,
}

struct Check<'a> {
    site: &'a Site,
    taken: HashMap<String, Taken>,
    /// Message-IDs that belong to a delivery.
    known_mails: HashSet<String>,
    of_capped: BTreeMap<String, usize>,
    found: Found,
    broken: &'a mut Broken,
}

/// Looks at every lead, and at everything that names one.
pub(crate) fn everything(
    site: &Site,
    book: &Book,
    smtp: &Smtp,
    broken: &mut Broken,
) -> anyhow::Result<Found> {
    let ledger = Ledger::beside(&Settings {
        data_dir: site.data(),
        ..Settings::default()
    })?;
    let mut check = Check {
        site,
        taken: smtp.taken(),
        known_mails: HashSet::new(),
        of_capped: BTreeMap::new(),
        found: Found::default(),
        broken,
    };
    let mut there = HashSet::new();
    let mut filter = Filter {
        tests: true,
        ..Filter::default()
    };
    loop {
        let page = ledger.read(|reads| {
            let leads = reads.list(&filter, PAGE)?;
            leads.into_iter().map(|lead| whole(reads, lead)).collect()
        });
        let page: Vec<Whole> = page?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.lead.seq);
        for whole in &page {
            if !there.insert(whole.lead.id) {
                check.note(whole, "a lead stands in the ledger once");
            }
            check.lead(whole);
        }
    }
    ledger.close();
    check.caps();
    check.mails();
    check.found.leads = there.len();
    receipts(book, &there, check.broken);
    Ok(check.found)
}

fn whole(reads: &Reads<'_>, lead: Lead) -> Result<Whole, leadgate::ledger::Fault> {
    let history = reads.history(lead.seq)?;
    let work = reads.work_of_lead(lead.seq)?;
    Ok(Whole {
        history: history.into_iter().map(|(recorded, _)| recorded).collect(),
        assignments: reads.assignments(lead.seq)?,
        deliveries: reads.deliveries(lead.seq)?,
        work: work.into_iter().map(|work| work.kind).collect(),
        lead,
    })
}

/// Whoever was answered has its leads, each submission its own; there is nothing else but what may
/// be of those who gave up without an answer.
fn receipts(book: &Book, there: &HashSet<LeadId>, broken: &mut Broken) {
    let mut told = HashSet::new();
    for (n, receipts) in book.answered() {
        for receipt in receipts {
            broken.unless(
                there.contains(&receipt),
                "a lead that was answered with a 2xx is in the ledger",
                || format!("submission {n}, {receipt}"),
            );
            broken.unless(
                told.insert(receipt),
                "two submissions share no receipt",
                || format!("submission {n}, {receipt}"),
            );
        }
    }
    let (submissions, leads) = book.unknown();
    let more = there.iter().filter(|id| !told.contains(id)).count();
    broken.unless(
        more <= leads,
        "a lead that nobody was told of is of one who gave up",
        || format!("{more} more than was answered, {leads} in {submissions} without an answer"),
    );
    for problem in book.problems() {
        broken.note("every answer is as it should be", problem);
    }
}

impl Check<'_> {
    fn note(&mut self, of: &Whole, what: &'static str) {
        let (id, stage) = (of.lead.id, of.lead.stage);
        self.broken.note(what, format!("{id} ({stage})"));
    }

    fn must(&mut self, holds: bool, of: &Whole, what: &'static str) {
        if !holds {
            self.note(of, what);
        }
    }

    fn lead(&mut self, of: &Whole) {
        let stage = of.lead.stage;
        *self.found.stages.entry(stage.as_str()).or_default() += 1;
        let has = |kind| of.work.contains(&kind);
        let goes_on = match stage {
            Stage::Received | Stage::Fetching => false,
            Stage::Rejected => of.lead.reason.is_some(),
            Stage::Held => of.lead.reason.is_some() && has(WorkKind::Alarm),
            Stage::Waiting => has(WorkKind::Assign),
            Stage::Offered => of.lead.owner.is_some() && (has(WorkKind::Expire) || told(of)),
            Stage::Claimed | Stage::Contacted => of.lead.owner.is_some(),
            Stage::Closed(_) => true,
        };
        let what = "a lead has an owner, a reason or a next time";
        self.must(goes_on, of, what);
        self.history(of);
        self.assignments(of);
        for (delivery, attempts) in &of.deliveries {
            self.delivery(of, delivery, attempts);
        }
    }

    /// Every move was legal, and they lead to where the lead stands.
    fn history(&mut self, of: &Whole) {
        let mut at: Option<Stage> = None;
        let mut is_legal = true;
        for recorded in &of.history {
            let Some(to) = stage_after(&recorded.event) else {
                continue;
            };
            is_legal &= match at {
                None => to == Stage::Received,
                Some(from) => from.may_become(to),
            };
            at = Some(to);
        }
        self.must(is_legal, of, "every move of a lead is a legal one");
        let arrived = at == Some(of.lead.stage);
        self.must(arrived, of, "its history leads to where a lead stands");
        let gapless = (1..).zip(&of.history).all(|(n, r)| r.seq == n);
        self.must(gapless, of, "a history has no gap");
    }

    /// One at a time, each with its event, the open one with whoever has the lead.
    fn assignments(&mut self, of: &Whole) {
        let all = &of.assignments;
        self.found.assignments += all.len();
        let mut one_by_one = true;
        for pair in all.windows(2) {
            let [before, after] = pair else { continue };
            one_by_one &= before.closed_at.is_some_and(|at| at <= after.offered_at);
        }
        self.must(one_by_one, of, "a lead is with one rep at a time");
        let offers = of.history.iter().filter_map(|recorded| {
            let Event::Offered {
                rep, assignment, ..
            } = &recorded.event
            else {
                return None;
            };
            Some((rep.as_str(), *assignment))
        });
        let as_told = offers.eq(all.iter().map(|a| (a.rep.as_str(), a.seq)));
        self.must(as_told, of, "every assignment stands in the history once");
        let open = all.iter().find(|a| a.closed_at.is_none());
        let is_out = matches!(
            of.lead.stage,
            Stage::Offered | Stage::Claimed | Stage::Contacted
        );
        let fits = is_out == open.is_some() && of.lead.owner.as_ref() == open.map(|a| &a.rep);
        self.must(fits, of, "the owner is who has the open assignment");
        let Some(zone) = self
            .site
            .policy
            .roster
            .rep(CAPPED_REP)
            .map(|rep| rep.zone.clone())
        else {
            return;
        };
        for assignment in all.iter().filter(|a| a.rep == CAPPED_REP) {
            if let Ok(at) = jiff::Timestamp::from_millisecond(assignment.offered_at) {
                let day = at.to_zoned(zone.clone()).date().to_string();
                *self.of_capped.entry(day).or_default() += 1;
            }
        }
    }

    /// Nothing is told twice but where nobody could know that it had arrived.
    fn delivery(&mut self, of: &Whole, delivery: &Delivery, attempts: &[Attempt]) {
        *self
            .found
            .deliveries
            .entry(delivery.state.as_str())
            .or_default() += 1;
        self.found.attempts += attempts.len();
        let same = |(d, _): &&(Delivery, Vec<Attempt>)| {
            d.assignment == delivery.assignment && d.channel == delivery.channel
        };
        let only = of.deliveries.iter().filter(same).count() == 1;
        self.must(only, of, "an assignment is told of by one notice");
        let id = format!("d{}.{}", delivery.id, delivery.lead_id);
        let taken = self.taken.get(&id).cloned().unwrap_or_default();
        self.known_mails.insert(id);
        let times = usize::try_from(taken.times).unwrap_or(usize::MAX);
        let arrived = attempts
            .iter()
            .filter(|a| a.result == Some(AttemptResult::Delivered));
        let arrived = arrived.count();
        let unsure = attempts.iter().filter(|a| is_unsure(a)).count();
        self.must(
            times <= arrived + unsure,
            of,
            "a mail comes twice only where the answer was lost",
        );
        self.must(arrived <= 1, of, "what was delivered is not sent again");
        self.must(
            times >= arrived,
            of,
            "what counts as delivered was taken by the mail server",
        );
        self.found.doubled += usize::from(times > 1);
        let email = self
            .site
            .policy
            .roster
            .rep(&delivery.rep)
            .and_then(|r| r.email.clone());
        let right = taken.to.iter().all(|to| Some(to) == email.as_ref());
        self.must(right, of, "a mail goes to the rep who has the lead");
        let ends = match delivery.state {
            DeliveryState::Sent => arrived == 1,
            DeliveryState::Dead => gave_up(attempts),
            DeliveryState::Cancelled => true,
            DeliveryState::Pending | DeliveryState::Sending | DeliveryState::Retry => {
                of.work.contains(&WorkKind::Mail)
            }
        };
        self.must(
            ends,
            of,
            "a notice arrived, is dead, or will be tried again",
        );
    }

    fn caps(&mut self) {
        for (day, n) in &self.of_capped {
            self.broken
                .unless(*n <= CAP, "nobody gets more than their cap", || {
                    format!("{CAPPED_REP} got {n} of {CAP} on {day}")
                });
        }
    }

    /// No mail came out of nothing.
    fn mails(&mut self) {
        for id in self.taken.keys() {
            self.broken.unless(
                self.known_mails.contains(id),
                "every mail that was taken belongs to a notice",
                || id.clone(),
            );
        }
    }
}

/// Whether the open assignment's notice arrived: then a pool without a deadline waits for the rep.
fn told(of: &Whole) -> bool {
    let open = of.assignments.iter().find(|a| a.closed_at.is_none());
    let Some(open) = open else { return false };
    let mut notices = of.deliveries.iter().map(|(delivery, _)| delivery);
    open.deadline.is_none()
        && notices.any(|d| d.assignment == open.seq && d.state == DeliveryState::Sent)
}

/// The daemon died, or the answer did not come: the mail may have arrived.
fn is_unsure(attempt: &Attempt) -> bool {
    match &attempt.result {
        None => true,
        Some(AttemptResult::TryAgain { why }) => !why.starts_with(|c: char| c.is_ascii_digit()),
        Some(AttemptResult::Delivered | AttemptResult::GiveUp { .. }) => false,
    }
}

fn gave_up(attempts: &[Attempt]) -> bool {
    let last = attempts.last().and_then(|attempt| attempt.result.as_ref());
    matches!(last, Some(AttemptResult::GiveUp { .. }))
}

/// Where an event brings a lead; `None` where it stays.
fn stage_after(event: &Event) -> Option<Stage> {
    match event {
        Event::Received => Some(Stage::Received),
        Event::Rejected { .. } => Some(Stage::Rejected),
        Event::Held { .. } => Some(Stage::Held),
        Event::Graded { .. }
        | Event::Undelivered { .. }
        | Event::Expired { .. }
        | Event::Declined { .. }
        | Event::Withdrawn { .. } => Some(Stage::Waiting),
        Event::Offered { .. } => Some(Stage::Offered),
        Event::Claimed { .. } => Some(Stage::Claimed),
        Event::Contacted { .. } => Some(Stage::Contacted),
        Event::Closed { outcome, .. } => Some(Stage::Closed(*outcome)),
        // The soak makes none of the rest; where one moved a lead, its end would not fit.
        _ => None,
    }
}
