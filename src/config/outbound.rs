//! Section `[outbound]`.

use ipnet::IpNet;

use crate::document::Table;
use crate::outbound::Outbound;

/// Reads `[outbound]`.
pub(super) fn read(table: &Table<'_>) -> Vec<IpNet> {
    let mut networks = super::networks(table, "allow_private");
    networks.retain(|network| match Outbound::new(vec![*network]) {
        Ok(_) => true,
        Err(why) => {
            table.problem("allow_private", why.to_string());
            false
        }
    });
    table.done();
    networks
}
