//! What intake accepts from the outside.

use crate::clock::{Millis, SECOND};

/// Section `[intake]`: bounds of every source that sets none of its own.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The longest body.
    pub body_bytes: usize,
    /// The longest time that a body may take to arrive.
    pub body_timeout_ms: Millis,
    /// The longest time that a request head may take to arrive.
    pub head_timeout_ms: Millis,
    /// Connections at once, over all threads.
    pub connections: usize,
    /// Submissions a second and source.
    pub per_source_per_second: u32,
    /// Submissions a minute and client prefix (IPv4 address, IPv6 /64).
    pub per_client_per_minute: u32,
    /// Proxies whose `X-Forwarded-For` is believed, as CIDR blocks.
    pub trusted_proxies: Vec<ipnet::IpNet>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            body_timeout_ms: 15 * SECOND,
            head_timeout_ms: 5 * SECOND,
            connections: 4_096,
            per_source_per_second: 500,
            per_client_per_minute: 600,
            trusted_proxies: Vec::new(),
        }
    }
}
