//! Any octets as an Ethernet frame: a query lies inside of it, and the frame of the answer can be read
//! as one with the way turned round and checksums that come out.
#![no_main]

#[path = "../../crates/xdp/src/checksum.rs"]
mod checksum;
#[path = "../../crates/xdp/src/frame.rs"]
mod frame;

use frame::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some(query) = Query::parse(octets) else { return };
    let message = query.message(octets).to_vec();
    assert!(message.len() < octets.len());
    let mut room = octets.to_vec();
    room.resize(octets.len().max(1792), 0xee);
    let answer: Vec<u8> = message.iter().rev().copied().chain([1, 2, 3]).collect();
    let Some(length) = query.reply(&mut room, &answer) else {
        assert_eq!(&room[..octets.len()], octets);
        return;
    };
    let (from, to) = octets[..12].split_at(6);
    assert_eq!(&room[..12], [to, from].concat());
    check_sums(&room[14..length]);
    // Addresses that nobody can be answered at are refused as senders, so this may be nothing.
    if let Some(back) = Query::parse(&room[..length]) {
        assert_eq!(back.message(&room[..length]), answer);
    }
});

/// The sums of what a receiver checks are all ones.
fn check_sums(packet: &[u8]) {
    let (addresses, datagram) = if packet[0] >> 4 == 4 {
        assert_eq!(sum(&[&packet[..20]]), 0xffff);
        (&packet[12..20], &packet[20..])
    } else {
        (&packet[8..40], &packet[40..])
    };
    assert_eq!(sum(&[addresses, &[0, 17], &datagram[4..6], datagram]), 0xffff);
}

fn sum(parts: &[&[u8]]) -> u64 {
    let octets = parts.concat();
    let words = octets.chunks(2).map(|pair| {
        u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0))
    });
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}
