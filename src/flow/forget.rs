//! A platform tells that it has deleted a lead: ours is erased with it.

use super::keyed::{keyed, person_keys};
use super::{Command, Flow, command};
use crate::lead::{Actor, Identity, LeadId, Outcome, Stage};
use crate::ledger::Fault;

impl Flow {
    /// Finds the leads that a platform named, and erases them. One that is still to be decided is an
    /// error: the platform is to come again.
    pub async fn forget_named(&self, source: &str, identities: Vec<Identity>) -> Result<(), Fault> {
        for identity in identities {
            let Some(id) = &identity.platform_id else {
                continue;
            };
            let key = keyed(&self.hash_key, &[source.as_bytes(), b"id", id.as_bytes()]);
            let found = self.ledger.write(move |tx| tx.lead_of_key(&key)).await?;
            let Some(lead) = found else {
                tracing::info!(source, "a lead was deleted that never came here");
                continue;
            };
            self.erase_named(source, lead).await?;
        }
        // Out of memory and of the outbox as well, and not only with the next sweep.
        self.follow_forgotten().await
    }

    async fn erase_named(&self, source: &str, id: LeadId) -> Result<(), Fault> {
        let name = id.to_string();
        let lead = self.ledger.read_off(move |r| r.lead_named(&name)).await?;
        if lead.stage == Stage::Closed(Outcome::Erased) {
            return Ok(());
        }
        let persons = person_keys(&self.hash_key, &lead.inquiry);
        let (context, actor) = (self.context(), Actor::Source(source.to_owned()));
        self.ledger
            .write(move |tx| {
                let erase = Command::Erase { persons };
                command::apply(tx, &context, lead.seq, &erase, &actor)
            })
            .await?;
        tracing::info!(source, lead = %id, "erased: its platform has deleted it");
        Ok(())
    }
}
