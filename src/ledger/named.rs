//! Leads by the names that their platforms gave them, as keyed hashes.

use rusqlite::{OptionalExtension, params};

use super::{Fault, Reads};
use crate::lead::LeadId;

impl Reads<'_> {
    /// The lead that came under a key.
    pub fn lead_of_key(&self, source: &str, key: [u8; 16]) -> Result<Option<LeadId>, Fault> {
        let sql = "SELECT lead_uuid FROM keys WHERE source = ?1 AND key = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_row(params![source, key], |row| row.get(0));
        let uuid: Option<[u8; 16]> = found.optional()?;
        Ok(uuid.map(|uuid| LeadId(uuid::Uuid::from_bytes(uuid))))
    }
}
