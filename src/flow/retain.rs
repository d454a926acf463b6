//! Personal data whose time is over goes, a small portion at a time. What is not done yet stays.

use std::collections::BTreeMap;

use super::{Flow, Retention};
use crate::clock::{DAY, Millis};
use crate::lead::{Attribution, Event, Lead, Outcome, REMOVED, Recorded, Stage};
use crate::ledger::{Fault, Tx};
use crate::secret::HashKey;

/// The most submissions and leads that one transaction takes away, and the most keys.
const PORTION: i64 = 100;
const KEYS_PORTION: usize = 500;
/// How many submissions one look walks over.
const WINDOW: i64 = 10_000;
/// Keys go so long after they stopped to make a repeat: no sender's clock is that wrong.
const KEYS_AFTER: Millis = DAY;
/// What stays of a lead's attribution: names of adverts, for the figures; not what tells of a person
/// or a click.
const KEPT: [&str; 11] = [
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "campaign_id",
    "adgroup_id",
    "ad_id",
    "creative_id",
    "form_id",
    "asset_group_id",
    "lead_source",
];

/// How far a round over the whole ledger has come.
#[derive(Clone, Debug)]
pub(super) enum Round {
    /// Submissions as they came, behind this one.
    Submissions(i64),
    /// What leads say, behind this one.
    Leads(i64),
    /// Keys of repeats: the ledger knows how far.
    Keys,
}

impl Default for Round {
    fn default() -> Self {
        Self::Submissions(0)
    }
}

impl Retention {
    /// Until when the last event of a lead in a stage must be for its time to be over.
    fn classes(&self, now: Millis) -> Vec<(Stage, Millis)> {
        let classes = [
            (Stage::Rejected, self.rejected_ms),
            (Stage::Closed(Outcome::Invalid), self.rejected_ms),
            (Stage::Closed(Outcome::Won), self.closed_ms),
            (Stage::Closed(Outcome::Lost), self.closed_ms),
            (Stage::Closed(Outcome::NoResponse), self.closed_ms),
            (Stage::Closed(Outcome::Test), self.test_ms),
        ];
        let kept_for = classes.into_iter();
        kept_for
            .filter_map(|(stage, ms)| Some((stage, now - ms?)))
            .collect()
    }
}

impl Flow {
    /// Takes the next portion of what is old away; `false` at the end of a round.
    pub async fn retain(&self) -> Result<bool, Fault> {
        let round = match self.round.lock() {
            Ok(round) => round.clone(),
            Err(_) => return Err(Fault::Stopped),
        };
        let next = match round {
            Round::Submissions(after) => self.retain_submissions(after).await?,
            Round::Leads(after) => self.retain_leads(after).await?,
            Round::Keys => self.retain_keys().await?,
        };
        let goes_on = next.is_some();
        if let Ok(mut round) = self.round.lock() {
            *round = next.unwrap_or_default();
        }
        Ok(goes_on)
    }

    async fn retain_submissions(&self, after: i64) -> Result<Option<Round>, Fault> {
        let Some(kept_for) = self.settings.retention.raw_ms else {
            return Ok(Some(Round::Leads(0)));
        };
        let before = self.clock.now() - kept_for;
        let (found, next) = self
            .ledger
            .read_off(move |r| r.old_submissions(after, before, (WINDOW, PORTION)))
            .await?;
        if !found.is_empty() {
            let blank = move |tx: &Tx<'_>| {
                for id in &found {
                    if tx.unread_in(*id, None)?.is_none() {
                        tx.blank_submission(*id)?;
                        tx.drop_fetched(*id)?;
                    }
                }
                Ok(())
            };
            self.ledger.write(blank).await?;
        }
        Ok(Some(next.map_or(Round::Leads(0), Round::Submissions)))
    }

    async fn retain_leads(&self, after: i64) -> Result<Option<Round>, Fault> {
        let now = self.clock.now();
        let classes = self.settings.retention.classes(now);
        let next = Some(Round::Keys);
        if classes.is_empty() {
            return Ok(next);
        }
        let looked = classes.clone();
        let (found, more, notices) = self
            .ledger
            .read_off(move |r| {
                let (found, more) = r.old_leads(after, &looked, (WINDOW, PORTION))?;
                let notices = r.notices_of(&found)?;
                Ok((found, more, notices))
            })
            .await?;
        if !found.is_empty() {
            self.take_out_of_outbox(notices).await;
            let key = self.hash_key.clone();
            let forget = move |tx: &Tx<'_>| {
                for seq in &found {
                    // It may have been taken up again since it was looked at.
                    if tx.is_old(*seq, &classes)? {
                        forget_old(tx, *seq, &key, now)?;
                    }
                }
                Ok(())
            };
            self.ledger.write(forget).await?;
            self.follow_forgotten().await?;
        }
        Ok(more.map_or(next, |after| Some(Round::Leads(after))))
    }

    async fn retain_keys(&self) -> Result<Option<Round>, Fault> {
        let before = self.clock.now() - KEYS_AFTER;
        let found = self
            .ledger
            .read_off(move |r| r.expired_keys(before, (WINDOW, KEYS_PORTION)))
            .await?;
        let Some(expired) = found else {
            return Ok(None);
        };
        let drop_keys = move |tx: &Tx<'_>| tx.drop_expired_keys(&expired);
        self.ledger.write(drop_keys).await?;
        Ok(Some(Round::Keys))
    }
}

fn forget_old(tx: &Tx<'_>, seq: i64, key: &HashKey, now: Millis) -> Result<(), Fault> {
    let lead = tx.lead(seq)?;
    let persons = super::person_keys(key, &lead.inquiry);
    let mut kept: BTreeMap<String, String> = lead.inquiry.attribution.0.clone();
    kept.retain(|name, _| KEPT.contains(&name.as_str()));
    match tx.forget(&lead, &Attribution(kept), &persons, now) {
        Ok(()) => {}
        // Its submission is still needed for another lead: later.
        Err(Fault::Refused(_)) => return Ok(()),
        Err(fault) => return Err(fault),
    }
    let history = tx.history(seq)?;
    tx.set_reason_or_none(seq, reason_after(&lead, &history).as_deref())
}

/// Why a lead stands where it does, as far as the rules said it.
fn reason_after(lead: &Lead, history: &[Recorded]) -> Option<String> {
    let was_given = lead.reason.is_some();
    let rejected = history.iter().rev().find_map(|recorded| {
        if let Event::Rejected { why, .. } = &recorded.event {
            return Some(why.clone());
        }
        None
    });
    match lead.stage {
        Stage::Rejected => Some(rejected.unwrap_or_else(|| REMOVED.to_owned())),
        Stage::Closed(_) => None,
        Stage::Fetching
        | Stage::Received
        | Stage::Held
        | Stage::Waiting
        | Stage::Offered
        | Stage::Claimed
        | Stage::Contacted => was_given.then(|| REMOVED.to_owned()),
    }
}
