//! Leads by the names that their platforms gave them, as keyed hashes.

use super::{Fault, Tx};
use crate::lead::LeadId;

impl Tx<'_> {
    /// The lead that came under a key, also where the index does not hold the key yet.
    pub fn lead_of_key(&self, key: &[u8; 16]) -> Result<Option<LeadId>, Fault> {
        Ok(self.known_key(key, None)?.map(|known| known.id))
    }
}
