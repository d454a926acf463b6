//! Section `[queue]`.

use crate::clock::SECOND;
use crate::document::Table;
use crate::queue::Settings;
use crate::queue::settings::RedisSettings;

use super::layers::{Layers, read_text};

/// Certificates of authorities are shorter.
const CA_BYTES_MAX: u64 = 1024 * 1024;

/// Reads `[queue]`.
pub(super) fn read(table: &Table<'_>, layers: &Layers<'_>) -> Option<Settings> {
    let default = RedisSettings::default();
    let url = layers.secret(table, "url");
    let is_wrong = url.is_none() && table.has("url");
    let partition = table.text("partition").unwrap_or_default();
    let ca_file = table.text("ca_file").filter(|path| !path.is_empty());
    let timeout_ms = table.int("timeout_ms", 50..=60_000);
    let dead_after_s = table.int("dead_after_s", 1..=3_600);
    table.done();
    if !partition.is_empty() && !RedisSettings::is_partition(&partition) {
        let wanted = "wanted are up to 40 letters, digits, \"-\", \"_\" and \".\"";
        let name = table.name("partition");
        table.problem("partition", format!("{name} is \"{partition}\"; {wanted}"));
    }
    let mut ca = None;
    if let Some(path) = ca_file {
        match read_text(&layers.base.join(&path), CA_BYTES_MAX) {
            Ok(text) => ca = Some(text),
            Err(why) => table.problem("ca_file", format!("queue.ca_file {path}: {why}")),
        }
    }
    let url = url.filter(|url| !is_wrong && url.expose() != "memory");
    let Some(url) = url else {
        return (!is_wrong).then_some(Settings::Memory);
    };
    if let Some(mistake) = RedisSettings::mistake_in(url.expose()) {
        // The value may hold a password, so it is not repeated.
        let wanted = "wanted is \"memory\" or for example \"redis://user:password@host:6379/0\"";
        let name = table.name("url");
        table.problem("url", format!("{name} {mistake}; {wanted}"));
        return None;
    }
    Some(Settings::Redis(RedisSettings {
        url,
        ca,
        partition,
        timeout_ms: timeout_ms.unwrap_or(default.timeout_ms),
        dead_after_ms: dead_after_s.map_or(default.dead_after_ms, |s| s * SECOND),
        // A ledger in SQLite is served by one process; its lock sees to that.
        alone: true,
    }))
}
