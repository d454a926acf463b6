//! The first commit: a submission is on disk before its sender is told so. What is committed is
//! handed on to be decided, in the order of the commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Flow;
use super::arrivals::{Arrival, Arrived};
use super::desk::Desk;
use super::keyed::keyed;
use super::publish::Policy;
use crate::clock::{MINUTE, Millis};
use crate::lead::{Headers, Identity, Inquiry, Key, LeadId, Receipt, Seen, Submission, Verdict};
use crate::ledger::{Fault, Standing, Undecided};
use crate::source::Source;

/// How long a lead without an id of the platform's is the same lead when it comes again.
const SAME_CONTENT_FOR: Millis = 10 * MINUTE;
/// The longest that a sender waits because too much is undecided.
const BACKLOG_WAIT: Duration = Duration::from_secs(5);

/// A submission that its adapter believed.
#[derive(Debug)]
pub struct Incoming {
    /// The source's name.
    pub source: String,
    /// By allow-list.
    pub headers: Headers,
    /// The query string.
    pub query: String,
    /// Secret spans blanked.
    pub raw: Vec<u8>,
    /// One a lead.
    pub identities: Vec<Identity>,
    /// One a lead where they were read already, and by which source as it was then.
    pub read: Option<(Arc<Source>, Vec<Inquiry>)>,
    /// When it was seen to be true.
    pub received_at: Millis,
    /// How long the sender waits for the verdict, where it asked for it.
    pub verdict_wait_ms: Option<Millis>,
}

impl Flow {
    /// Commits a submission; `Ok` means that it is on disk. Waits at the `desk` of the calling thread.
    pub async fn receive(&self, mut incoming: Incoming, desk: &Desk) -> Result<Receipt, Fault> {
        let permit = self.permit().await?;
        let wait = incoming.verdict_wait_ms;
        let read = incoming.read.take();
        let submission = self.submission(incoming);
        let (tell, told) = oneshot::channel();
        let (tell_verdict, verdict) = oneshot::channel();
        let tell_verdict = wait.is_some().then_some(tell_verdict);
        let (arrivals, tray) = (self.arrivals.clone(), desk.tray());
        self.ledger.try_write_then(
            move |tx| {
                let stored = tx.receive(&submission)?;
                Ok((stored, submission))
            },
            move |committed| {
                let receipt = committed.map(|(stored, submission)| {
                    let leads: Vec<LeadId> = stored.leads.iter().map(|(_, _, id)| *id).collect();
                    let fresh = stored.leads.iter().any(|(s, ..)| *s == Standing::New);
                    if stored.submission > 0 {
                        let undecided = Undecided {
                            id: stored.submission,
                            submission,
                            leads: stored.leads,
                        };
                        let arrived = Arrived {
                            undecided,
                            read,
                            tell: tell_verdict,
                            _permit: Some(permit),
                        };
                        arrivals.gather(Arrival::Submission(Box::new(arrived)));
                    }
                    (leads, fresh)
                });
                arrivals.tell(tray, tell, receipt);
            },
        )?;
        let (leads, fresh) = told.await.map_err(|_| Fault::Stopped)??;
        let decided = match wait {
            Some(wait) if fresh => wait_for(verdict, wait).await,
            Some(_) => self.verdict_of(&leads).await,
            None => None,
        };
        let (verdict, seen) = decided.unzip();
        Ok(Receipt {
            leads,
            verdict,
            seen,
        })
    }

    /// To have one more submission undecided.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        if let Ok(permit) = self.backlog.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let backlog = self.backlog.clone().acquire_owned();
        let waited = tokio::time::timeout(BACKLOG_WAIT, backlog).await;
        let permit = waited.map_err(|_| Fault::Overloaded)?;
        permit.map_err(|_| Fault::Stopped)
    }

    fn submission(&self, incoming: Incoming) -> Submission {
        let now = incoming.received_at;
        let source = incoming.source;
        let keys = incoming.identities.iter().map(|identity| {
            let named = identity.platform_id.as_deref();
            let name = named.map_or(identity.content.as_slice(), str::as_bytes);
            let kind: &[u8] = if named.is_some() { b"id" } else { b"content" };
            Key {
                key: keyed(&self.hash_key, &[source.as_bytes(), kind, name]),
                body_hash: keyed(&self.hash_key, &[&identity.content]),
                until: named.is_none().then_some(now + SAME_CONTENT_FOR),
                lead: LeadId::new(now),
            }
        });
        Submission {
            keys: keys.collect(),
            source,
            received_at: now,
            headers: incoming.headers,
            query: incoming.query,
            raw: incoming.raw,
        }
    }

    /// The verdict on a lead that came again.
    async fn verdict_of(&self, leads: &[LeadId]) -> Option<(Verdict, Seen)> {
        let name = leads.first()?.to_string();
        let found = self.ledger.read_off(move |r| {
            let lead = r.lead_named(&name)?;
            let facts = r.facts(lead.seq)?;
            Ok((lead, facts))
        });
        let (lead, facts) = found.await.ok()?;
        let verdict = super::report::verdict_of(&lead)?;
        Some((verdict, facts.seen))
    }
}

async fn wait_for(
    verdict: oneshot::Receiver<(Verdict, Seen)>,
    wait_ms: Millis,
) -> Option<(Verdict, Seen)> {
    let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
    tokio::time::timeout(wait, verdict).await.ok()?.ok()
}

pub(super) fn read_inquiries(
    policy: &Policy,
    undecided: &Undecided,
) -> Result<Vec<Inquiry>, String> {
    let name = &undecided.submission.source;
    let source = policy
        .sources
        .get(name)
        .ok_or_else(|| format!("source \"{name}\" is no longer in sources.toml"))?;
    let inquiries = source.inquiries(&undecided.submission)?;
    let (found, wanted) = (inquiries.len(), undecided.leads.len());
    if found != wanted {
        return Err(format!(
            "{found} leads can be read where {wanted} were received"
        ));
    }
    Ok(inquiries)
}
