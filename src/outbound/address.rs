//! Which addresses may be reached: public ones, and private ones that the operator named. Knows
//! nothing of names, URLs and connections.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What an address may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// On the public internet: TLS and the usual ports only.
    Public,
    /// In a network that the operator named: any port, and plain HTTP too.
    Named,
}

/// Never reached, whatever is named: machines' metadata services, and what is no single host.
const NEVER: &[(&str, &str)] = &[
    ("0.0.0.0/8", "this network"),
    (
        "169.254.0.0/16",
        "link-local, where clouds keep their metadata",
    ),
    ("168.63.129.16/32", "a cloud's own service"),
    ("100.100.100.200/32", "a cloud's metadata"),
    ("192.0.0.192/32", "a cloud's metadata"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "no address"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
    ("fd00:ec2::/32", "a cloud's metadata"),
    ("fd20:ce::254/128", "a cloud's metadata"),
];

/// Not on the public internet; reached only where the operator named a network that holds it.
/// IPv6 is public in `2000::/3` alone, so only what is carved out of that stands here.
const PRIVATE: &[(&str, &str)] = &[
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "a carrier's private network"),
    ("127.0.0.0/8", "this machine"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarks"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("::1/128", "this machine"),
    ("2001::/23", "protocol assignments, Teredo among them"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("fc00::/7", "private"),
];

/// Whether an address may be reached, and how; an error says which kind it is.
pub(super) fn judge(address: IpAddr, allow: &[IpNet]) -> Result<Standing, &'static str> {
    let inner = unwrapped(address);
    for candidate in [address, inner] {
        if let Some(why) = kind(candidate, NEVER) {
            return Err(why);
        }
    }
    let named = |candidate: IpAddr| allow.iter().any(|net| net.contains(&candidate));
    if named(address) || named(inner) {
        return Ok(Standing::Named);
    }
    if let Some(why) = kind(inner, PRIVATE) {
        return Err(why);
    }
    match inner {
        IpAddr::V4(_) => Ok(Standing::Public),
        IpAddr::V6(v6) if v6.segments()[0] & 0xE000 == 0x2000 => Ok(Standing::Public),
        IpAddr::V6(_) => Err("not a public IPv6 address"),
    }
}

/// Why a network may not be named by the operator: nothing in it is ever reached.
pub(super) fn never(net: &IpNet) -> Option<&'static str> {
    NEVER
        .iter()
        .find(|(other, _)| other.parse().is_ok_and(|other: IpNet| other.contains(net)))
        .map(|(_, why)| *why)
}

fn kind(address: IpAddr, table: &[(&str, &'static str)]) -> Option<&'static str> {
    let holds = |net: &str| net.parse().is_ok_and(|net: IpNet| net.contains(&address));
    let found = table.iter().find(|(net, _)| holds(net));
    found.map(|(_, why)| *why)
}

/// The IPv4 address that an IPv6 one stands for: mapped, or translated by the well-known NAT64
/// prefix, behind which a network without IPv4 sees every IPv4 host.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return IpAddr::V4(last_four(v6));
    }
    address
}

fn last_four(v6: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = v6.octets();
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind, and the first and last of the large ones.
    const INSIDE: &str = "
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 100.100.100.200
    127.0.0.1 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.7 192.88.99.1 192.168.1.1 198.18.0.1
    198.19.255.255 198.51.100.9 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1
    255.255.255.255 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:a00:1 ::ffff:169.254.169.254
    ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 64:ff9b:1::808:808
    100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:db8::1
    2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808:: 3fff::1 4000::1 5f00::1 fc00::1
    fd00:ec2::254 fd20:ce::254 fdff::1 fe80::1 febf::1 fec0::1 ff02::1";

    /// Public ones, neighbours of those above among them.
    const PUBLIC: &str = "
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.0.0.1 128.0.0.1
    172.15.0.1 172.32.0.1 192.0.1.1 192.169.0.1 198.17.0.1 198.20.0.1 223.255.255.254
    2001:4860:4860::8888 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808";

    #[test]
    fn every_kind_of_address_that_is_not_public_is_refused() {
        let is_let_through = |text: &&str| judge(text.parse().unwrap(), &[]).is_ok();
        let passed: Vec<_> = INSIDE.split_whitespace().filter(is_let_through).collect();
        assert!(passed.is_empty(), "{passed:?}");
        for text in PUBLIC.split_whitespace() {
            let found = judge(text.parse().unwrap(), &[]);
            assert_eq!(found, Ok(Standing::Public), "{text}");
        }
    }

    #[test]
    fn what_the_operator_names_is_reached_and_metadata_never() {
        let all = ["0.0.0.0/0", "::/0"].map(|net| net.parse().unwrap());
        let some = ["10.1.0.0/16", "127.0.0.0/8", "fd12::/16"].map(|net| net.parse().unwrap());
        for text in [
            "10.1.2.3",
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a01:203",
            "fd12::1",
        ] {
            assert_eq!(
                judge(text.parse().unwrap(), &some),
                Ok(Standing::Named),
                "{text}"
            );
        }
        for text in ["10.2.0.1", "192.168.0.1", "::1", "fd13::1"] {
            assert!(judge(text.parse().unwrap(), &some).is_err(), "{text}");
        }
        for (net, _) in NEVER {
            let net: IpNet = net.parse().unwrap();
            assert!(judge(net.addr(), &all).is_err(), "{net}");
            assert!(never(&net).is_some(), "{net}");
        }
        for text in ["64:ff9b::a9fe:a9fe", "::ffff:169.254.169.254"] {
            assert!(judge(text.parse().unwrap(), &all).is_err(), "{text}");
        }
        assert!(PRIVATE.iter().all(|(net, _)| net.parse::<IpNet>().is_ok()));
        assert_eq!(never(&"10.0.0.0/8".parse().unwrap()), None);
    }
}
