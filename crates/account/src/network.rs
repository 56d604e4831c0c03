//! Address blocks, as people list them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::address::unmapped;

/// A block of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The first address of the block.
    base: IpAddr,
    /// Leading bits that count: at most 32 or 128.
    prefix: u8,
}

/// Why text is not an address block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The part before the slash is not an address.
    #[error("not an IP address or a block like `192.0.2.0/24`")]
    Address,
    /// The part after the slash is not a number that fits the family.
    #[error("the length after the slash must be 0 to 32 for IPv4 and 0 to 128 for IPv6")]
    Length,
    /// The address goes on after the block's length: most likely a typing mistake.
    #[error("the address has bits set after its first {0}")]
    HostBits(u8),
}

impl Network {
    /// The block of these leading bits; every other bit of the base is 0.
    pub fn new(base: IpAddr, prefix: u8) -> Result<Network, NetworkError> {
        let longest = if base.is_ipv4() { 32 } else { 128 };
        if prefix > longest {
            return Err(NetworkError::Length);
        }
        let network = Network { base, prefix };
        // `contains` would never match a mapped base, as it unmaps what it is asked.
        if unmapped(base) != base {
            return Err(NetworkError::Address);
        }
        if network.contains(base) { Ok(network) } else { Err(NetworkError::HostBits(prefix)) }
    }

    /// The first address of the block.
    pub fn base(&self) -> IpAddr {
        self.base
    }

    /// Leading bits that count.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether the block holds an address. An IPv4-mapped one counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, unmapped(address)) {
            (IpAddr::V4(base), IpAddr::V4(address)) => first_v4(address, self.prefix) == base,
            (IpAddr::V6(base), IpAddr::V6(address)) => first_v6(address, self.prefix) == base,
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match length {
            None => longest,
            Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
                digits.parse().map_err(|_| NetworkError::Length)?
            }
            Some(_) => return Err(NetworkError::Length),
        };
        Network::new(base, prefix)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// What counts as one source: an IPv4 address, or an IPv6 /64, as whoever has one address of it
/// mostly has them all.
pub fn source_block(address: IpAddr) -> IpAddr {
    match unmapped(address) {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(first_v6(address, 64)),
    }
}

fn first_v4(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0);
    Ipv4Addr::from_bits(address.to_bits() & mask)
}

fn first_v6(address: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

#[cfg(test)]
mod tests;
