//! What is wanted of the addresses of one family, once the source is known.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dialect::Wanted;
use wire::{Rdata, Rtype};

/// What is wanted of the addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// They stay as they are.
    Keep,
    /// These replace them.
    Put(Vec<IpAddr>),
    /// The first so many bits of each become those of this address.
    Renumber(IpAddr, u8),
    /// They go.
    Delete,
}

impl Family {
    /// Puts the source's address in, when that is what is wanted and it is of this family; `None` for
    /// a source of the other family. A source that is unknown counts as
    /// one too, so nothing that [`rests_on_source`] is to be resolved with it.
    pub(super) fn resolve<A: Copy + Into<IpAddr>>(wanted: &Wanted<A>, source: Option<A>) -> Family {
        match (wanted, source) {
            (Wanted::Addresses(addresses), _) if addresses.is_empty() => Family::Keep,
            (Wanted::Addresses(addresses), _) => {
                Family::Put(addresses.iter().map(|&address| address.into()).collect())
            }
            (Wanted::Source | Wanted::SourceElseDelete, Some(source)) => {
                Family::Put(vec![source.into()])
            }
            (Wanted::Source | Wanted::DeleteIfSource, None) | (Wanted::Preserve, _) => Family::Keep,
            (&Wanted::Renumber(network, length), _) => Family::Renumber(network.into(), length),
            (Wanted::Delete, _)
            | (Wanted::SourceElseDelete, None)
            | (Wanted::DeleteIfSource, Some(_)) => Family::Delete,
        }
    }

    /// With the addresses that stand there now, what shall stand there.
    pub(super) fn over(&self, standing: impl FnOnce() -> Vec<IpAddr>) -> Family {
        let &Family::Renumber(network, length) = self else { return self.clone() };
        let moved = standing().into_iter().map(|address| renumbered(address, network, length));
        let moved = moved.fold(Vec::new(), |mut all: Vec<IpAddr>, address| {
            if !all.contains(&address) {
                all.push(address);
            }
            all
        });
        // What has no address has no bits of a host to keep.
        if moved.is_empty() { Family::Keep } else { Family::Put(moved) }
    }
}

/// Whether something may be deleted because of what the source is: not while that is unknown.
pub(super) fn rests_on_source<A>(wanted: &Wanted<A>) -> bool {
    matches!(wanted, Wanted::SourceElseDelete | Wanted::DeleteIfSource)
}

/// The address with the first `length` bits of the network; itself when it is of the other family.
fn renumbered(address: IpAddr, network: IpAddr, length: u8) -> IpAddr {
    let mixed = |host: u128, network: u128, width: u32| {
        let host_mask = match width.saturating_sub(u32::from(length)) {
            128.. => u128::MAX,
            bits => (1 << bits) - 1,
        };
        (network & !host_mask) | (host & host_mask)
    };
    match (address, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => {
            let bits = mixed(host.to_bits().into(), network.to_bits().into(), 32);
            IpAddr::V4(Ipv4Addr::from_bits(bits as u32))
        }
        (IpAddr::V6(host), IpAddr::V6(network)) => {
            IpAddr::V6(Ipv6Addr::from_bits(mixed(host.to_bits(), network.to_bits(), 128)))
        }
        (address, _) => address,
    }
}

/// The type of the record that holds an address.
pub(super) fn rdata(address: IpAddr) -> Rdata {
    match address {
        IpAddr::V4(address) => Rdata::a(address),
        IpAddr::V6(address) => Rdata::aaaa(address),
    }
}

/// The address in a record.
pub(super) fn address(rdata: &Rdata) -> Option<IpAddr> {
    rdata.ipv4().map(IpAddr::V4).or_else(|| rdata.ipv6().map(IpAddr::V6))
}

/// The types of addresses.
pub(super) const ADDRESSES: [Rtype; 2] = [Rtype::A, Rtype::AAAA];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_after_the_length_stay() {
        for (host, network, length, expected) in [
            ("2001:db8::1:2:3:4", "2001:db8:f:f::", 64, "2001:db8:f:f:1:2:3:4"),
            ("2001:db8::1:2:3:4", "2001:db8:ffff:ffff::", 56, "2001:db8:ffff:ff00:1:2:3:4"),
            ("2001:db8::1", "2606::", 0, "2001:db8::1"),
            ("2001:db8::1", "2606::9", 128, "2606::9"),
            ("10.1.2.3", "192.168.0.0", 16, "192.168.2.3"),
            ("10.1.2.3", "192.168.0.0", 0, "10.1.2.3"),
            ("10.1.2.3", "2606::", 64, "10.1.2.3"),
        ] {
            let found = renumbered(host.parse().unwrap(), network.parse().unwrap(), length);
            assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{host} {network}/{length}");
        }
    }

    #[test]
    fn hosts_that_become_the_same_are_one() {
        let standing = || vec!["10.1.2.3".parse().unwrap(), "10.2.2.3".parse().unwrap()];
        let network = "192.168.0.0".parse().unwrap();
        let moved = Family::Renumber(network, 16).over(standing);
        assert_eq!(moved, Family::Put(vec!["192.168.2.3".parse().unwrap()]));
    }
}
