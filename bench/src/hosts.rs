//! Hosts by number: their names, addresses and questions are computed, never listed.

use wire::{Name, NameError, Rdata, Rtype, Serial, Soa};
use zone::{SetRef, Zone};

/// Writes the label of a host: 8 to 20 octets, of which the first 7 tell the host and the others are
/// noise. Hosts that follow each other have nothing in common.
pub fn label(host: u32, out: &mut Vec<u8>) {
    let mut noise = scramble(u64::from(host) ^ 0x5eed);
    let len = 8 + (noise % 13) as usize;
    // An odd factor makes another number of 33 bits out of each.
    let mut own = u64::from(host).wrapping_mul(0x1_2345_6789) & 0x1_ffff_ffff;
    out.push(len as u8);
    for _ in 0..7 {
        out.push(digit(own));
        own /= 36;
    }
    for _ in 7..len {
        noise = scramble(noise);
        out.push(digit(noise >> 40));
    }
}

/// The addresses of a host: the number is part of both.
pub fn addresses(host: u32) -> ([u8; 4], [u8; 16]) {
    let mut v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    v6[8..12].copy_from_slice(&host.to_be_bytes());
    (host.to_be_bytes(), v6)
}

/// A zone with so many hosts, each with an A and an AAAA record.
pub fn fill(apex: &Name, hosts: u32) -> Result<Zone, NameError> {
    let zone = Zone::new(apex, Serial(1));
    let mut loader = zone.loader();
    let soa = Rdata::soa(&Soa {
        mname: apex.child(b"ns")?,
        rname: apex.child(b"hostmaster")?,
        serial: 1,
        refresh_s: 3600,
        retry_s: 600,
        expire_s: 86_400,
        minimum_s: 60,
    });
    let ns = Rdata::name(&apex.child(b"ns")?);
    let (soa, ns) = (packed(soa.as_wire()), packed(ns.as_wire()));
    loader.put(apex.as_wire(), &[set(Rtype::NS, &ns), set(Rtype::SOA, &soa)]);
    let mut owner = Vec::new();
    for host in 0..hosts {
        owner.clear();
        label(host, &mut owner);
        owner.extend_from_slice(apex.as_wire());
        let (a, aaaa) = addresses(host);
        let (a, aaaa) = ([&[0, 4], &a[..]].concat(), [&[0, 16], &aaaa[..]].concat());
        loader.put(&owner, &[set(Rtype::A, &a), set(Rtype::AAAA, &aaaa)]);
    }
    drop(loader);
    Ok(zone)
}

/// Writes the query for a host's A record, or for a name beside it that does not exist.
pub fn query(id: u16, host: u32, exists: bool, apex: &Name, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    label(host, out);
    if !exists && let Some(first) = out.get_mut(13) {
        // No label has it.
        *first = b'_';
    }
    out.extend_from_slice(apex.as_wire());
    out.extend_from_slice(&[0, 1, 0, 1]);
}

/// A well mixed number out of another one.
pub fn scramble(number: u64) -> u64 {
    let mixed = (number.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ number >> 30)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) ^ mixed >> 31
}

fn set(rtype: Rtype, records: &[u8]) -> SetRef<'_> {
    SetRef { rtype, ttl_s: 60, records }
}

fn digit(number: u64) -> u8 {
    b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize]
}

fn packed(data: &[u8]) -> Vec<u8> {
    // Far fewer than 65,536 octets.
    [&(data.len() as u16).to_be_bytes()[..], data].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn hosts_have_names_of_their_own_of_8_to_20_octets() {
        let names: HashSet<Vec<u8>> = (0..200_000)
            .map(|host| {
                let mut name = Vec::new();
                label(host, &mut name);
                assert!((9..=21).contains(&name.len()) && usize::from(name[0]) + 1 == name.len());
                name
            })
            .collect();
        assert_eq!(names.len(), 200_000);
    }

    #[test]
    fn a_filled_zone_answers_with_the_address_of_the_number() {
        let apex = Name::parse("dyn.example").unwrap();
        let zone = fill(&apex, 1000).unwrap();
        assert_eq!(zone.rrset_count(), 2002);
        let mut message = Vec::new();
        for (host, exists) in [(0, true), (999, true), (7, false)] {
            query(5, host, exists, &apex, &mut message);
            let query = wire::Query::parse(&message).unwrap();
            let mut buffer = Vec::new();
            let mut response = wire::Writer::reply(&mut buffer, 512, &query, 1232);
            zone.answer(&query, &mut response);
            response.finish();
            assert_eq!(buffer.ends_with(&addresses(host).0), exists);
            assert_eq!(buffer[3] & 15, if exists { 0 } else { 3 });
        }
    }
}
