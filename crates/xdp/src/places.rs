//! Where queries are taken: addresses with ports, as the BPF program looks them up.
//!
//! A service that listens at a wildcard address answers at every address that the interface has, and
//! those come and go. What is not in the map goes to the kernel, so that being late costs nothing
//! but speed. What does not belong to this machine is never in it: a router's neighbours ask others.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::interface;
use crate::kernel::{Map, MapKind};

/// The map of the program, and what it holds.
#[derive(Debug)]
pub(crate) struct Places {
    map: Map<KEY_OCTETS>,
    listening: Vec<SocketAddr>,
    /// Index of the interface.
    interface: u32,
    held: BTreeSet<[u8; KEY_OCTETS]>,
}

impl Places {
    /// An empty map for the addresses that are listened at.
    pub(crate) fn new(interface: u32, listening: &[SocketAddr]) -> io::Result<Places> {
        Ok(Places {
            map: Map::create(MapKind::Hash, PLACES_MAX as u32)?,
            listening: listening.to_vec(),
            interface,
            held: BTreeSet::new(),
        })
    }

    /// The descriptor of the map.
    pub(crate) fn raw(&self) -> u32 {
        self.map.raw()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.held.len()
    }

    /// Brings the map in step with the addresses that the machine has now; false when the interface
    /// went away.
    pub(crate) fn refresh(&mut self) -> io::Result<bool> {
        let Some(name) = interface::name(self.interface)? else { return Ok(false) };
        let own = interface::addresses(&name)?;
        let wanted = keys(&self.listening, &own);
        for key in self.held.difference(&wanted) {
            self.map.unset(key)?;
        }
        for key in wanted.difference(&self.held) {
            self.map.set(key, 1)?;
        }
        self.held = wanted;
        Ok(true)
    }
}

/// The keys of all places; those that there is no room for are left to the kernel.
fn keys(listening: &[SocketAddr], own: &[IpAddr]) -> BTreeSet<[u8; KEY_OCTETS]> {
    let of = |place: &SocketAddr| {
        let port = place.port();
        let same = |ip: &&IpAddr| {
            if place.ip().is_unspecified() {
                ip.is_ipv4() == place.is_ipv4()
            } else {
                **ip == place.ip()
            }
        };
        own.iter().filter(same).map(|ip| key(*ip, port)).collect::<Vec<_>>()
    };
    listening.iter().flat_map(of).take(PLACES_MAX).collect()
}

/// Address (an IPv4 address as IPv6 maps it), port, two octets of zero.
fn key(ip: IpAddr, port: u16) -> [u8; KEY_OCTETS] {
    let ip = match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    let [p0, p1] = port.to_be_bytes();
    let mut key = [0; KEY_OCTETS];
    for (to, from) in key.iter_mut().zip(ip.octets().into_iter().chain([p0, p1])) {
        *to = from;
    }
    key
}

const KEY_OCTETS: usize = 20;
const PLACES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_addresses_of_this_machine_that_are_listened_at() {
        let own = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|ip| ip.parse().unwrap());
        type Row<'a> = (&'a [&'a str], &'a [(&'a str, u16)]);
        let table: [Row<'_>; 5] = [
            (&["0.0.0.0:53"], &[("192.0.2.1", 53), ("192.0.2.2", 53)]),
            (&["[::]:5353"], &[("2001:db8::1", 5353)]),
            (&["192.0.2.2:53", "[::]:54"], &[("192.0.2.2", 53), ("2001:db8::1", 54)]),
            (&["192.0.2.9:53"], &[]),
            (&["127.0.0.1:53"], &[]),
        ];
        for (listening, expected) in table {
            let listening: Vec<SocketAddr> =
                listening.iter().map(|at| at.parse().unwrap()).collect();
            let expected =
                expected.iter().map(|(ip, port)| key(ip.parse().unwrap(), *port)).collect();
            assert_eq!(keys(&listening, &own), expected, "{listening:?}");
        }
    }

    #[test]
    fn more_places_than_the_map_has_room_for_are_left_out() {
        let own: Vec<IpAddr> =
            (0..3000_u32).map(|n| IpAddr::V4((0x0a00_0000 + n).into())).collect();
        assert_eq!(keys(&["0.0.0.0:53".parse().unwrap()], &own).len(), PLACES_MAX);
    }
}
