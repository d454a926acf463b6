//! A platform tells that it has deleted a lead. Whoever runs leadgate is told which of ours that is.

use super::Flow;
use super::keyed::keyed;
use crate::lead::Identity;
use crate::ledger::Fault;

impl Flow {
    /// Finds the leads that a platform named, and asks people to erase them.
    pub async fn forget_named(&self, source: &str, identities: Vec<Identity>) -> Result<(), Fault> {
        for identity in identities {
            let Some(id) = &identity.platform_id else {
                continue;
            };
            let key = keyed(&self.key, &[source.as_bytes(), b"id", id.as_bytes()]);
            let of = source.to_owned();
            let found = self
                .ledger
                .write(move |tx| tx.lead_of_key(&of, &key))
                .await?;
            let Some(lead) = found else {
                tracing::info!(source, "a lead was deleted that never came here");
                continue;
            };
            let text = format!(
                "source \"{source}\": the platform has deleted lead {lead}, so its data must go here \
                 as well: leadgate leads erase {lead} --by NAME"
            );
            // Each has an hour of its own: none may be silent because another was told within the hour.
            self.alarm_about("erase", &lead.to_string(), &text);
        }
        Ok(())
    }
}
