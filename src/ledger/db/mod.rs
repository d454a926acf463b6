//! The engines under the ledger.

pub(super) mod sqlite;
