//! Socket addresses in the form of the kernel.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use nix::libc;

/// A `sockaddr_in` or `sockaddr_in6`, octet by octet.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(8))]
pub(crate) struct Name([u8; NAME_OCTETS]);

impl Name {
    pub(crate) fn new(address: SocketAddr) -> Name {
        let mut name = Name::default();
        let family = match address {
            SocketAddr::V4(_) => libc::AF_INET,
            SocketAddr::V6(_) => libc::AF_INET6,
        };
        // The families have small numbers.
        name.put(0, &(family as u16).to_ne_bytes());
        name.put(2, &address.port().to_be_bytes());
        match address {
            SocketAddr::V4(v4) => name.put(4, &v4.ip().octets()),
            SocketAddr::V6(v6) => {
                name.put(4, &v6.flowinfo().to_ne_bytes());
                name.put(8, &v6.ip().octets());
                name.put(24, &v6.scope_id().to_ne_bytes());
            }
        }
        name
    }

    /// The address; `None`: it is of another family.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let port = u16::from_be_bytes(self.take(2)?);
        match i32::from(u16::from_ne_bytes(self.take(0)?)) {
            libc::AF_INET => Some(SocketAddr::new(IpAddr::from(self.take::<4>(4)?), port)),
            libc::AF_INET6 => {
                let ip = Ipv6Addr::from(self.take::<16>(8)?);
                let flow = u32::from_ne_bytes(self.take(4)?);
                let scope = u32::from_ne_bytes(self.take(24)?);
                Some(SocketAddr::V6(SocketAddrV6::new(ip, port, flow, scope)))
            }
            _ => None,
        }
    }

    /// Octets that count.
    pub(crate) fn octets(&self) -> &[u8] {
        let family = self.take(0).map(|family| i32::from(u16::from_ne_bytes(family)));
        let len = if family == Some(libc::AF_INET) { 16 } else { NAME_OCTETS };
        self.0.get(..len).unwrap_or_default()
    }

    pub(crate) fn room(&mut self) -> &mut [u8; NAME_OCTETS] {
        &mut self.0
    }

    fn put(&mut self, at: usize, octets: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at + octets.len()) {
            place.copy_from_slice(octets);
        }
    }

    fn take<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }
}

/// Octets of a `sockaddr_in6`, the longer one.
pub(crate) const NAME_OCTETS: usize = 28;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_as_it_was() {
        for text in ["192.0.2.1:53", "[2001:db8::1]:1024", "[fe80::1%7]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Name::new(address).address(), Some(address));
        }
        assert_eq!(Name::new("192.0.2.1:53".parse().unwrap()).octets().len(), 16);
        assert_eq!(Name::new("[::1]:53".parse().unwrap()).octets().len(), 28);
        assert_eq!(Name::default().address(), None);
    }

    #[test]
    fn it_is_laid_out_as_the_kernel_wants_it() {
        assert_eq!(size_of::<libc::sockaddr_in6>(), NAME_OCTETS);
        assert_eq!(size_of::<libc::sockaddr_in>(), 16);
        let name = Name::new("192.0.2.1:258".parse().unwrap());
        assert_eq!(name.octets().get(2..8), Some(&[1, 2, 192, 0, 2, 1][..]));
    }
}
