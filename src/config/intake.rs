//! Section `[intake]`.

use crate::clock::SECOND;
use crate::document::Table;
use crate::intake::Settings;

/// Reads `[intake]`.
pub(super) fn read(table: &Table<'_>) -> Settings {
    let default = Settings::default();
    let body_s = table.int("body_timeout_s", 1..=600);
    let head_s = table.int("head_timeout_s", 1..=600);
    let rate = |key: &str, unless: u32| {
        let number = table.int(key, 1..=10_000_000);
        number.and_then(|n| u32::try_from(n).ok()).unwrap_or(unless)
    };
    let settings = Settings {
        body_bytes: super::size(
            table,
            "body_bytes",
            1_024..=64 * 1024 * 1024,
            default.body_bytes,
        ),
        body_timeout_ms: body_s.map_or(default.body_timeout_ms, |s| s * SECOND),
        head_timeout_ms: head_s.map_or(default.head_timeout_ms, |s| s * SECOND),
        connections: super::size(table, "connections", 1..=1_000_000, default.connections),
        per_source_per_second: rate("per_source_per_second", default.per_source_per_second),
        per_client_per_minute: rate("per_client_per_minute", default.per_client_per_minute),
        trusted_proxies: super::networks(table, "trusted_proxies"),
    };
    table.done();
    settings
}
