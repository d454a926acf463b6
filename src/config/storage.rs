//! Section `[storage]`.

use std::path::PathBuf;

use crate::document::Table;
use crate::ledger::Settings;

/// Reads `[storage]`.
pub(super) fn read(table: &Table<'_>) -> Settings {
    let default = Settings::default();
    let data_dir = table.text("data_dir").filter(|dir| !dir.is_empty());
    let settings = Settings {
        data_dir: data_dir.map_or(default.data_dir, PathBuf::from),
        batch: super::size(table, "batch", 1..=100_000, default.batch),
        backlog: super::size(table, "backlog", 1..=1_000_000, default.backlog),
    };
    table.done();
    settings
}
