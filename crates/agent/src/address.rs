//! Addresses, and which of them can be what the world sees of a host.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address family. Each is observed, wanted and published on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4: A records.
    V4,
    /// IPv6: AAAA records.
    V6,
}

impl Family {
    /// Both, in the order of all output.
    pub const BOTH: [Family; 2] = [Family::V4, Family::V6];

    /// The family of an address.
    pub fn of(address: IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::V4,
            IpAddr::V6(_) => Family::V6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// One datum for each family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerFamily<T> {
    /// That of IPv4.
    pub ipv4: T,
    /// That of IPv6.
    pub ipv6: T,
}

impl<T> PerFamily<T> {
    /// The datum of one family.
    pub fn of(&self, family: Family) -> &T {
        match family {
            Family::V4 => &self.ipv4,
            Family::V6 => &self.ipv6,
        }
    }

    /// The datum of one family, to change.
    pub fn of_mut(&mut self, family: Family) -> &mut T {
        match family {
            Family::V4 => &mut self.ipv4,
            Family::V6 => &mut self.ipv6,
        }
    }

    /// Makes one from a rule that holds for either family.
    pub fn each(mut rule: impl FnMut(Family) -> T) -> PerFamily<T> {
        PerFamily { ipv4: rule(Family::V4), ipv6: rule(Family::V6) }
    }
}

/// A set of addresses of one family that is not empty: sorted, without repetition, at most
/// [`ADDRESSES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(Vec<IpAddr>);

impl Addresses {
    /// A set of one.
    pub fn one(address: IpAddr) -> Addresses {
        Addresses(vec![unmapped(address)])
    }

    /// The addresses of one family among `all`; `None` when there is none.
    pub fn of_family(family: Family, all: &[IpAddr]) -> Option<Addresses> {
        let mut own: Vec<IpAddr> = all.iter().map(|address| unmapped(*address)).collect();
        own.retain(|address| Family::of(*address) == family);
        own.sort_unstable();
        own.dedup();
        own.truncate(ADDRESSES_MAX);
        (!own.is_empty()).then_some(Addresses(own))
    }

    /// The addresses in order.
    pub fn as_slice(&self) -> &[IpAddr] {
        &self.0
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, address) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{address}")?;
        }
        Ok(())
    }
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole Internet.
    Public,
    /// This machine.
    Loopback,
    /// A network of its own: private, shared (CGNAT), unique local, documentation. The name says
    /// which.
    Private(&'static str),
    /// One link: published, it would reach nobody.
    LinkLocal,
    /// No host can have it; the name says why.
    Unusable(&'static str),
}

/// Which scopes a source may report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// [`Scope::Private`]: for a service inside the same network.
    pub private: bool,
    /// [`Scope::Loopback`]: for a service on this machine.
    pub loopback: bool,
}

impl Allowed {
    /// Whether an address of this scope may be reported.
    pub fn admits(self, scope: Scope) -> bool {
        match scope {
            Scope::Public => true,
            Scope::Loopback => self.loopback,
            Scope::Private(_) => self.private,
            Scope::LinkLocal | Scope::Unusable(_) => false,
        }
    }
}

/// The scope of an address: the special-purpose registries of IANA (RFC 6890), as far as an
/// interface or an echo can meet them.
pub fn scope(address: IpAddr) -> Scope {
    match unmapped(address) {
        IpAddr::V4(v4) => scope_v4(v4),
        IpAddr::V6(v6) => scope_v6(v6),
    }
}

/// An IPv4-mapped IPv6 address as the IPv4 address that it means.
pub fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn scope_v4(address: Ipv4Addr) -> Scope {
    match address.octets() {
        [0, ..] => Scope::Unusable("unspecified"),
        [127, ..] => Scope::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Scope::Private("private"),
        [100, 64..=127, ..] => Scope::Private("shared (carrier-grade NAT)"),
        [169, 254, ..] => Scope::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Scope::Private("documentation"),
        // 192.0.0.0/24 is what DS-Lite (RFC 6333) and 464XLAT (RFC 7335) give to a client.
        [192, 0, 0, _] => Scope::Private("IPv4-over-IPv6"),
        [198, 18..=19, ..] => Scope::Private("benchmarking"),
        [224..=239, ..] => Scope::Unusable("multicast"),
        [240..=255, ..] => Scope::Unusable("reserved"),
        _ => Scope::Public,
    }
}

fn scope_v6(address: Ipv6Addr) -> Scope {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Scope::Unusable("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Scope::Loopback,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Scope::Private("documentation"),
        [0x2001, 0, ..] => Scope::Unusable("Teredo"),
        [0x2001, 2, 0, ..] => Scope::Private("benchmarking"),
        [0xfc00..=0xfdff, ..] => Scope::Private("unique local"),
        [0xfe80..=0xfebf, ..] => Scope::LinkLocal,
        [0xff00..=0xffff, ..] => Scope::Unusable("multicast"),
        // RFC 4291 §2.4: what is handed out as global unicast is 2000::/3 and nothing else.
        [0x2000..=0x3fff, ..] => Scope::Public,
        _ => Scope::Unusable("reserved"),
    }
}

/// The most addresses of one family of one host.
pub const ADDRESSES_MAX: usize = 8;

#[cfg(test)]
mod tests;
