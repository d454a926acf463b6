//! Section `[outbound]`.

use crate::document::Table;
use crate::outbound;
use crate::outbound::Settings;

/// Reads `[outbound]`.
pub(super) fn read(table: &Table<'_>) -> Settings {
    let default = Settings::default();
    let key = "allow_private";
    let mut allow_private = super::networks(table, key);
    allow_private.retain(|net| {
        let why = outbound::never_reached(net);
        if let Some(why) = why {
            let name = table.name(key);
            table.problem(
                key,
                format!("{name} has {net}, which is never reached: {why}"),
            );
        }
        why.is_none()
    });
    let settings = Settings {
        allow_private,
        webhook_concurrency: super::size(
            table,
            "webhook_concurrency",
            1..=1_024,
            default.webhook_concurrency,
        ),
    };
    table.done();
    settings
}
