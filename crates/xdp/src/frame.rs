//! Ethernet frames with a query over UDP: finding it, and turning the frame into its answer.

use crate::checksum::Sum;

/// Where the query is in a frame, and what carried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    carrier: Carrier,
    /// Octets of the DNS message.
    length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    V4,
    V6,
}

impl Query {
    /// Finds the query in a frame; `None` for what the kernel would drop, or would not have been
    /// given to us: other protocols, headers with options or extensions, fragments, lengths that
    /// do not fit, a broken IPv4 header, and senders that cannot be answered.
    ///
    /// The checksum of UDP is not verified: between two interfaces of one machine (veth) it is not
    /// there, as nothing could have changed the octets on the way, and the BPF program is not told.
    /// Frames from a wire have a checksum of their own (Ethernet's).
    pub fn parse(frame: &[u8]) -> Option<Query> {
        let (ethernet, packet) = frame.split_first_chunk::<ETHERNET>()?;
        let (carrier, datagram) = match ethernet.last_chunk::<2>()? {
            ETHERTYPE_V4 => (Carrier::V4, v4(packet)?),
            ETHERTYPE_V6 => (Carrier::V6, v6(packet)?),
            _ => return None,
        };
        let (udp, _) = datagram.split_first_chunk::<UDP>()?;
        let &[s0, s1, _, _, l0, l1, c0, c1] = udp;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        // Nobody can be answered at port 0. RFC 8200 §8.1: over IPv6 there is always a checksum.
        if length < UDP
            || length > datagram.len()
            || [s0, s1] == [0, 0]
            || (carrier == Carrier::V6 && [c0, c1] == [0, 0])
        {
            return None;
        }
        Some(Query { carrier, length: length - UDP })
    }

    /// The DNS message in the frame that was parsed.
    pub fn message<'f>(&self, frame: &'f [u8]) -> &'f [u8] {
        let start = self.headers();
        frame.get(start..start + self.length).unwrap_or_default()
    }

    /// Turns the frame of the query into that of the answer, in place: `room` begins with the
    /// frame and may be longer. Returns the length of the new frame, or `None`, and the frame as
    /// it was, when it has no room for it.
    pub fn reply(&self, room: &mut [u8], answer: &[u8]) -> Option<usize> {
        let length = self.headers() + answer.len();
        let udp_length = u16::try_from(UDP + answer.len()).ok()?;
        let frame = room.get_mut(..length)?;
        let (headers, payload) = frame.split_at_mut_checked(self.headers())?;
        let (ethernet, headers) = headers.split_first_chunk_mut::<ETHERNET>()?;
        let (ip, udp) = headers.split_last_chunk_mut::<UDP>()?;
        payload.copy_from_slice(answer);
        let (to, from) = ethernet.split_at_mut(MAC);
        to.swap_with_slice(&mut from[..MAC]);
        let addresses = match self.carrier {
            Carrier::V4 => v4_back(ip.first_chunk_mut()?, udp_length),
            Carrier::V6 => v6_back(ip.first_chunk_mut()?, udp_length),
        };
        let [s0, s1, d0, d1, ..] = *udp;
        let [l0, l1] = udp_length.to_be_bytes();
        *udp = [d0, d1, s0, s1, l0, l1, 0, 0];
        let checksum = addresses.number(udp_length).octets(udp).octets(payload).checksum();
        // A checksum of zero would say that there is none; its other form means the same.
        let [c0, c1] = if checksum == 0 { [0xff; 2] } else { checksum.to_be_bytes() };
        *udp = [d0, d1, s0, s1, l0, l1, c0, c1];
        Some(length)
    }

    /// Octets before the DNS message.
    fn headers(&self) -> usize {
        let ip = match self.carrier {
            Carrier::V4 => IPV4,
            Carrier::V6 => IPV6,
        };
        ETHERNET + ip + UDP
    }
}

/// What an IPv4 packet carries, when that is UDP in one piece behind a plain header.
fn v4(packet: &[u8]) -> Option<&[u8]> {
    let (header, _) = packet.split_first_chunk::<IPV4>()?;
    let &[version, _, l0, l1, _, _, f0, f1, _, protocol, _, _, s0, s1, s2, s3, ..] = header;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    // The bits beside "don't fragment" and the one without a meaning: more fragments, and where.
    let is_fragment = u16::from_be_bytes([f0, f1]) & 0x3fff != 0;
    if version != PLAIN_V4 || protocol != PROTOCOL_UDP || is_fragment {
        return None;
    }
    if Sum::default().octets(header).checksum() != 0 || !is_host_v4([s0, s1, s2, s3]) {
        return None;
    }
    // A short frame is padded by Ethernet: what counts is the length in the header.
    packet.get(IPV4..length)
}

/// What an IPv6 packet carries, when that is UDP without extension headers.
fn v6(packet: &[u8]) -> Option<&[u8]> {
    let (header, rest) = packet.split_first_chunk::<IPV6>()?;
    let &[version, _, _, _, l0, l1, next, _, ref addresses @ ..] = header;
    let (source, _) = addresses.split_first_chunk::<16>()?;
    if version >> 4 != 6 || next != PROTOCOL_UDP || !is_host_v6(source) {
        return None;
    }
    rest.get(..usize::from(u16::from_be_bytes([l0, l1])))
}

/// Whether an address can be a sender's: not "this network", loopback, multicast or reserved.
fn is_host_v4(source: [u8; 4]) -> bool {
    !matches!(source[0], 0 | 127 | 224..)
}

/// Whether an address can be a sender's: not `::`, loopback, an IPv4 address in another dress, or
/// multicast.
fn is_host_v6(source: &[u8; 16]) -> bool {
    source[..8] != [0; 8] && source[0] != 0xff
}

/// Makes the header of the answer; the sum of what UDP's checksum takes from it (RFC 768).
fn v4_back(header: &mut [u8; IPV4], udp_length: u16) -> Sum {
    let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *header;
    // A query fits into a frame, and an answer is at most `UDP_OCTETS_MAX` octets: no overflow.
    let [l0, l1] = udp_length.saturating_add(IPV4 as u16).to_be_bytes();
    let (flags, ttl) = (DONT_FRAGMENT, HOPS);
    // What is never cut into fragments needs no identification to put them together.
    let fixed = [PLAIN_V4, 0, l0, l1, 0, 0, flags, 0, ttl, PROTOCOL_UDP];
    let addresses = [d0, d1, d2, d3, s0, s1, s2, s3];
    let [c0, c1] = Sum::default()
        .octets(&fixed[..8])
        .octets(&fixed[8..])
        .octets(&addresses)
        .checksum()
        .to_be_bytes();
    let [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9] = fixed;
    *header = [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, c0, c1, d0, d1, d2, d3, s0, s1, s2, s3];
    Sum::default().octets(&addresses).number(u16::from(PROTOCOL_UDP))
}

/// Makes the header of the answer; the sum of what UDP's checksum takes from it (RFC 8200 §8.1).
fn v6_back(header: &mut [u8; IPV6], udp_length: u16) -> Sum {
    let (fixed, addresses) = header.split_at_mut(IPV6 - 32);
    let [l0, l1] = udp_length.to_be_bytes();
    fixed.copy_from_slice(&[0x60, 0, 0, 0, l0, l1, PROTOCOL_UDP, HOPS]);
    let (source, destination) = addresses.split_at_mut(16);
    source.swap_with_slice(destination);
    Sum::default().octets(addresses).number(u16::from(PROTOCOL_UDP))
}

const ETHERNET: usize = 14;
const MAC: usize = 6;
const IPV4: usize = 20;
const IPV6: usize = 40;
const UDP: usize = 8;
const ETHERTYPE_V4: &[u8; 2] = &[0x08, 0x00];
const ETHERTYPE_V6: &[u8; 2] = &[0x86, 0xdd];
/// Version 4, and a header of five words: no options.
const PLAIN_V4: u8 = 0x45;
const PROTOCOL_UDP: u8 = 17;
const DONT_FRAGMENT: u8 = 0x40;
/// How many routers an answer may pass.
const HOPS: u8 = 64;

#[cfg(test)]
mod tests;
