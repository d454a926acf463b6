//! Section `[retention]`.

use crate::clock::{DAY, Millis};
use crate::document::Table;
use crate::flow::Retention;

/// Reads `[retention]`: days, 0 for ever.
pub(super) fn read(table: &Table<'_>) -> Retention {
    let default = Retention::default();
    let days = |key: &str, unless: Option<Millis>| match table.int(key, 0..=36_500) {
        Some(0) => None,
        Some(days) => Some(days * DAY),
        None => unless,
    };
    let retention = Retention {
        raw_ms: days("raw_days", default.raw_ms),
        rejected_ms: days("rejected_days", default.rejected_ms),
        closed_ms: days("closed_days", default.closed_ms),
        test_ms: days("test_days", default.test_ms),
    };
    table.done();
    retention
}
