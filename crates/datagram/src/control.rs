//! Control messages beside a datagram (RFC 3542 §4).

use std::net::{Ipv4Addr, Ipv6Addr};

use nix::libc;

/// Room for the control messages of one datagram, in the form of the kernel: length, level and type,
/// then data, each message aligned like a pointer.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Control {
    octets: [u8; CONTROL_OCTETS],
    pub(crate) used: usize,
}

/// Which address a datagram was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The one that the socket is bound to.
    Bound,
    V4(Ipv4Addr),
    /// With the interface that it came by.
    V6(Ipv6Addr, u32),
}

/// Level and type of a control message.
type Kind = (i32, i32);

/// What the control messages of a datagram say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) asked: Asked,
    /// Datagrams that the socket had to drop so far.
    pub(crate) dropped: Option<u32>,
    /// The datagram is several in one, each of so many octets, the last perhaps shorter.
    pub(crate) segment: Option<usize>,
}

impl Control {
    pub(crate) fn new() -> Control {
        Control { octets: [0; CONTROL_OCTETS], used: 0 }
    }

    pub(crate) fn room(&mut self) -> &mut [u8; CONTROL_OCTETS] {
        &mut self.octets
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.used).unwrap_or_default()
    }

    /// What they say; messages that were cut off or that nobody asked for say nothing.
    pub(crate) fn read(&self) -> Told {
        let mut told = Told { asked: Asked::Bound, dropped: None, segment: None };
        let mut rest = self.octets();
        while let Some((kind, data, after)) = split(rest) {
            match kind {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    // Interface, the address that would answer, the address that was asked.
                    if let Some(ip) = data.get(8..).and_then(|ip| ip.first_chunk::<4>()) {
                        told.asked = Asked::V4(Ipv4Addr::from(*ip));
                    }
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let interface = data.get(16..).and_then(|data| data.first_chunk::<4>());
                    if let (Some(ip), Some(interface)) = (data.first_chunk::<16>(), interface) {
                        let interface = u32::from_ne_bytes(*interface);
                        told.asked = Asked::V6(Ipv6Addr::from(*ip), interface);
                    }
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                    told.dropped = data.first_chunk().map(|count| u32::from_ne_bytes(*count));
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let octets = data.first_chunk().map(|octets| i32::from_ne_bytes(*octets));
                    told.segment = octets.and_then(|octets| usize::try_from(octets).ok());
                }
                _ => {}
            }
            rest = after;
        }
        told
    }

    /// Has the answer leave from an address; the interface counts when it is not 0.
    pub(crate) fn answer_from(&mut self, asked: Asked) {
        match asked {
            Asked::Bound => {}
            Asked::V4(ip) => {
                let mut data = [0; 12];
                data[4..8].copy_from_slice(&ip.octets());
                self.push((libc::IPPROTO_IP, libc::IP_PKTINFO), &data);
            }
            Asked::V6(ip, interface) => {
                let mut data = [0; 20];
                data[..16].copy_from_slice(&ip.octets());
                data[16..].copy_from_slice(&interface.to_ne_bytes());
                self.push((libc::IPPROTO_IPV6, libc::IPV6_PKTINFO), &data);
            }
        }
    }

    /// Has the octets leave as datagrams of so many octets each.
    pub(crate) fn segment(&mut self, octets: u16) {
        self.push((libc::SOL_UDP, libc::UDP_SEGMENT), &octets.to_ne_bytes());
    }

    fn push(&mut self, (level, kind): Kind, data: &[u8]) {
        let end = self.used + HEADER + data.len();
        let next = self.used + aligned(HEADER + data.len());
        let Some(room) = self.octets.get_mut(self.used..next) else { return };
        room.fill(0);
        let header =
            [&(end - self.used).to_ne_bytes()[..], &level.to_ne_bytes(), &kind.to_ne_bytes(), data];
        for (place, octet) in room.iter_mut().zip(header.into_iter().flatten()) {
            *place = *octet;
        }
        self.used = next;
    }
}

/// The first message: level and type, data, and what follows.
fn split(octets: &[u8]) -> Option<(Kind, &[u8], &[u8])> {
    let (len, rest) = octets.split_first_chunk::<{ size_of::<usize>() }>()?;
    let (level, rest) = rest.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let len = usize::from_ne_bytes(*len).checked_sub(HEADER)?;
    let data = rest.get(..len)?;
    let after = rest.get(aligned(len)..).unwrap_or_default();
    Some(((i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind)), data, after))
}

fn aligned(octets: usize) -> usize {
    octets.next_multiple_of(size_of::<usize>())
}

/// Length, level and type.
const HEADER: usize = size_of::<usize>() + 8;
/// Room for all that may come together: address, drops, size of segments.
pub(crate) const CONTROL_OCTETS: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_read() {
        let mut control = Control::new();
        let asked = Asked::V6("fe80::1".parse().unwrap(), 7);
        control.answer_from(asked);
        control.push((libc::SOL_SOCKET, libc::SO_RXQ_OVFL), &9_u32.to_ne_bytes());
        control.push((libc::SOL_UDP, libc::UDP_GRO), &51_i32.to_ne_bytes());
        let told = Told { asked, dropped: Some(9), segment: Some(51) };
        assert_eq!(control.read(), told);
        assert_eq!(control.used % size_of::<usize>(), 0);
    }

    #[test]
    fn an_ipv4_answer_names_its_source_and_no_interface() {
        let mut control = Control::new();
        control.answer_from(Asked::V4("192.0.2.9".parse().unwrap()));
        let (kind, data, rest) = split(control.octets()).unwrap();
        assert_eq!(kind, (libc::IPPROTO_IP, libc::IP_PKTINFO));
        assert_eq!(data, [0, 0, 0, 0, 192, 0, 2, 9, 0, 0, 0, 0]);
        assert!(rest.is_empty());
    }

    #[test]
    fn what_is_cut_off_says_nothing() {
        let mut control = Control::new();
        control.answer_from(Asked::V6("2001:db8::1".parse().unwrap(), 2));
        for used in 0..control.used {
            let cut = Control { used, ..control };
            let whole = used >= HEADER + 20;
            assert_eq!(cut.read().asked != Asked::Bound, whole, "{used}");
        }
    }

    #[test]
    fn it_is_laid_out_as_the_kernel_wants_it() {
        assert_eq!(size_of::<libc::cmsghdr>(), HEADER);
        assert_eq!(size_of::<libc::in_pktinfo>(), 12);
        assert_eq!(size_of::<libc::in6_pktinfo>(), 20);
        assert_eq!(align_of::<libc::cmsghdr>(), size_of::<usize>());
    }
}
