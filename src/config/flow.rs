//! Section `[flow]`.

use crate::clock::{MINUTE, SECOND};
use crate::document::Table;
use crate::flow::Settings;

/// Reads `[flow]`.
pub(super) fn read(table: &Table<'_>) -> Settings {
    let default = Settings::default();
    let alarm_min = table.int("held_alarm_after_min", 1..=30 * 24 * 60);
    let fetch_s = table.int("fetch_timeout_s", 1..=120);
    let settings = Settings {
        held_alarm_after_ms: alarm_min.map_or(default.held_alarm_after_ms, |min| min * MINUTE),
        distribute: table.bool("distribute").unwrap_or(default.distribute),
        fetch_concurrency: super::size(
            table,
            "fetch_concurrency",
            1..=256,
            default.fetch_concurrency,
        ),
        fetch_timeout_ms: fetch_s.map_or(default.fetch_timeout_ms, |s| s * SECOND),
        queue_window: super::size(
            table,
            "queue_window",
            100..=10_000_000,
            default.queue_window,
        ),
        default_grade: table.text("default_grade").unwrap_or(default.default_grade),
        default_pool: table.text("default_pool").unwrap_or(default.default_pool),
        retention: default.retention,
    };
    table.done();
    settings
}
