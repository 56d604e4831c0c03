//! Which address may be published: one table, the first row that matches wins.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::entity::{Host, Scope, Timestamp, ZoneEntry};

/// Why an address may not be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// Not globally reachable, on a suffix, and the host has not opted in.
    #[error("a {0} address may not be published under this suffix")]
    NotPublic(&'static str),
    /// The host would turn private less than 24 hours after it turned public, or publish both in
    /// one RRset: the shapes of a DNS rebinding attack.
    #[error(
        "a public host may not turn private within 24 hours, nor publish both side by side (DNS rebinding)"
    )]
    Rebinding,
    /// No host can have this address: unspecified, multicast or broadcast.
    #[error("a {0} address cannot be the address of a host")]
    Unusable(&'static str),
}

/// What to do with an address that an update carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Publish it.
    Publish,
    /// A client's well-known dummy: say `good`, note that the host was seen, publish nothing.
    Dummy,
    /// Refuse it.
    Refuse(AddressRefusal),
}

/// Judges one address for one host (architecture: "Which address may be published").
pub fn verdict(address: IpAddr, host: &Host, zone: &ZoneEntry, now: Timestamp) -> Verdict {
    let address = unmapped(address);
    let kind = kind(address);
    if kind.unusable {
        return Verdict::Refuse(AddressRefusal::Unusable(kind.name));
    }
    if is_dummy(address) && host.scope.is_some_and(|(scope, _)| scope == Scope::Public) {
        return Verdict::Dummy;
    }
    if host.private_ok {
        return Verdict::Publish;
    }
    if zone.suffix && kind.scope == Scope::Private {
        return Verdict::Refuse(AddressRefusal::NotPublic(kind.name));
    }
    match (host.scope, kind.scope) {
        // The way back, private to public, harms nobody and starts the 24 hours anew.
        (Some((Scope::Public, since)), Scope::Private) if now.ms_since(since) < REBINDING_MS => {
            Verdict::Refuse(AddressRefusal::Rebinding)
        }
        _ => Verdict::Publish,
    }
}

/// Whether an address is globally reachable.
pub fn scope(address: IpAddr) -> Scope {
    kind(unmapped(address)).scope
}

/// An IPv4-mapped IPv6 address as the IPv4 address that it means.
pub fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Addresses that pfSense and inadyn send first, to force a change that the service notices.
fn is_dummy(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4 == Ipv4Addr::new(192, 168, 1, 1) || in_v4(v4, [203, 0, 113, 0], 24),
        IpAddr::V6(v6) => v6 == Ipv6Addr::new(0xfd00, 0xd, 0, 0, 0, 0, 0, 1),
    }
}

struct Kind {
    name: &'static str,
    scope: Scope,
    unusable: bool,
}

fn kind(address: IpAddr) -> Kind {
    let row = match address {
        IpAddr::V4(v4) => V4_SPECIAL
            .iter()
            .find(|&&(net, len, ..)| in_v4(v4, net, len))
            .map(|&(_, _, name, unusable)| (name, unusable)),
        IpAddr::V6(v6) => V6_SPECIAL
            .iter()
            .find(|&&(net, len, ..)| in_v6(v6, net, len))
            .map(|&(_, _, name, unusable)| (name, unusable))
            .or_else(|| unreachable_v6(v6).map(|name| (name, false))),
    };
    match row {
        Some((name, unusable)) => Kind { name, scope: Scope::Private, unusable },
        None => Kind { name: "public", scope: Scope::Public, unusable: false },
    }
}

/// Why an IPv6 address without a row of its own is not globally reachable all the same.
fn unreachable_v6(address: Ipv6Addr) -> Option<&'static str> {
    if !in_v6(address, GLOBAL_UNICAST.0, GLOBAL_UNICAST.1) {
        return Some("reserved");
    }
    // 6to4: such an address leads to the IPv4 address that it holds.
    let [0x20, 0x02, a, b, c, d, ..] = address.octets() else { return None };
    let inner = scope(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
    (inner == Scope::Private).then_some("6to4 of an address that is not public")
}

fn in_v4(address: Ipv4Addr, net: [u8; 4], len: u32) -> bool {
    let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
    address.to_bits() & mask == u32::from_be_bytes(net) & mask
}

fn in_v6(address: Ipv6Addr, net: [u16; 8], len: u32) -> bool {
    let mask = u128::MAX.checked_shl(128 - len).unwrap_or(0);
    address.to_bits() & mask == Ipv6Addr::from(net).to_bits() & mask
}

/// Least time from a host's turn to public to its turn to private, in milliseconds: 24 hours.
const REBINDING_MS: u64 = 24 * 60 * 60 * 1000;

/// Network, prefix length, name for people, "no host can have it". After the IANA IPv4
/// Special-Purpose Address Registry (RFC 6890) and RFC 1112 §4.
const V4_SPECIAL: &[([u8; 4], u32, &str, bool)] = &[
    ([255, 255, 255, 255], 32, "broadcast", true),
    ([0, 0, 0, 0], 8, "unspecified", true),
    ([10, 0, 0, 0], 8, "private", false),
    ([100, 64, 0, 0], 10, "carrier-grade NAT", false),
    ([127, 0, 0, 0], 8, "loopback", false),
    ([169, 254, 0, 0], 16, "link-local", false),
    ([172, 16, 0, 0], 12, "private", false),
    ([192, 0, 0, 0], 24, "protocol assignment", false),
    ([192, 0, 2, 0], 24, "documentation", false),
    ([192, 88, 99, 0], 24, "former 6to4 relay", false),
    ([192, 168, 0, 0], 16, "private", false),
    ([198, 18, 0, 0], 15, "benchmarking", false),
    ([198, 51, 100, 0], 24, "documentation", false),
    ([203, 0, 113, 0], 24, "documentation", false),
    ([224, 0, 0, 0], 4, "multicast", true),
    ([240, 0, 0, 0], 4, "reserved", false),
];

/// The same for IPv6: IANA IPv6 Special-Purpose Address Registry and RFC 4291 §2.
const V6_SPECIAL: &[([u16; 8], u32, &str, bool)] = &[
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified", true),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback", false),
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "IPv4-mapped", true),
    ([0, 0, 0, 0, 0, 0, 0, 0], 96, "IPv4-compatible", false),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "NAT64", false),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "local NAT64", false),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "discard-only", false),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "Teredo", false),
    ([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, "benchmarking", false),
    ([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, "ORCHID", false),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "protocol assignment", false),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "documentation", false),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "documentation", false),
    ([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, "segment routing", false),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "unique local", false),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local", false),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, "former site-local", false),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast", true),
];
/// The only block that is given out for global unicast (RFC 4291 §2.4, IANA IPv6 Address Space).
const GLOBAL_UNICAST: ([u16; 8], u32) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

#[cfg(test)]
mod tests;
