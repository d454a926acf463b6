//! Who is sending, and how often they may: limits per source and per client prefix.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

/// After so many requests the keyed limiter forgets who has not come lately; it never does itself.
const FORGET_EVERY: u64 = 10_000;

/// The limits of one source.
pub(super) struct Limits {
    source: DefaultDirectRateLimiter,
    clients: DefaultKeyedRateLimiter<IpAddr>,
    seen: AtomicU64,
}

impl Limits {
    /// So many a second for the source, and so many a minute for a client.
    pub(super) fn new(per_second: u32, per_client_per_minute: u32) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let second = at_least_one(per_second);
        let minute = at_least_one(per_client_per_minute);
        Self {
            source: RateLimiter::direct(Quota::per_second(second).allow_burst(second)),
            clients: RateLimiter::keyed(Quota::per_minute(minute)),
            seen: AtomicU64::new(0),
        }
    }

    /// Whether another submission may come; otherwise the seconds after which it may.
    pub(super) fn check(&self, client: IpAddr) -> Result<(), u32> {
        if self
            .seen
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(FORGET_EVERY)
        {
            self.clients.retain_recent();
            self.clients.shrink_to_fit();
        }
        if self.clients.check_key(&prefix(client)).is_err() {
            return Err(60);
        }
        self.source.check().map_err(|_| 1)
    }
}

/// One person behind IPv6 has a whole /64.
fn prefix(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

/// The client's address: the peer's, or where a trusted proxy tells, the last address that no
/// trusted proxy added.
pub(super) fn address(peer: IpAddr, forwarded: Option<&str>, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    if !is_trusted(&peer) {
        return peer;
    }
    let hops = forwarded
        .unwrap_or_default()
        .rsplit(',')
        .map(|hop| hop.trim().parse().ok());
    let mut client = peer;
    for hop in hops {
        let Some(hop) = hop else { break };
        client = hop;
        if !is_trusted(&hop) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_address_is_believed_from_trusted_proxies_only() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let cases = [
            ("203.0.113.9", Some("127.0.0.1"), "203.0.113.9"),
            ("10.0.0.1", Some("198.51.100.7"), "198.51.100.7"),
            (
                "10.0.0.1",
                Some("127.0.0.1, 198.51.100.7, 10.0.0.2"),
                "198.51.100.7",
            ),
            ("10.0.0.1", Some("nonsense"), "10.0.0.1"),
            ("10.0.0.1", None, "10.0.0.1"),
        ];
        for (peer, forwarded, client) in cases {
            let found = address(peer.parse().unwrap(), forwarded, &trusted);
            assert_eq!(found.to_string(), client, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn one_client_does_not_use_up_the_source() {
        let limits = Limits::new(1_000, 2);
        let [a, b] = ["2001:db8::1", "2001:db8:0:1::1"].map(|ip| ip.parse().unwrap());
        assert!(limits.check(a).is_ok() && limits.check(a).is_ok());
        assert_eq!(limits.check(a), Err(60));
        assert!(
            limits.check("2001:db8::2".parse().unwrap()).is_err(),
            "the same /64"
        );
        assert!(limits.check(b).is_ok());
    }
}
