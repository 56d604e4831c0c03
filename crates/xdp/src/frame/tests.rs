use proptest::prelude::*;

use super::*;

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9];

/// A frame as a neighbour sends it, with right checksums.
fn frame(v6: bool, (from, to): (u16, u16), message: &[u8]) -> Vec<u8> {
    let udp_length = u16::try_from(UDP + message.len()).unwrap().to_be_bytes();
    let mut udp =
        [&from.to_be_bytes()[..], &to.to_be_bytes(), &udp_length, &[0, 0], message].concat();
    let (addresses, ip) = if v6 {
        let source = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        let destination = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let addresses = [source, destination].concat();
        let fixed = [0x6a, 0xbc, 0xde, 0xf0, udp_length[0], udp_length[1], 17, 7];
        (addresses.clone(), [&fixed[..], &addresses].concat())
    } else {
        let addresses = vec![192, 0, 2, 9, 192, 0, 2, 1];
        let [l0, l1] = u16::try_from(IPV4 + udp.len()).unwrap().to_be_bytes();
        let mut ip =
            [&[0x45, 0x10, l0, l1, 0x12, 0x34, 0, 0, 7, 17, 0, 0][..], &addresses].concat();
        let checksum = slow(&[&ip]).to_be_bytes();
        ip[10..12].copy_from_slice(&checksum);
        (addresses, ip)
    };
    let checksum = slow(&[&addresses, &[0, 17], &udp_length, &udp]).to_be_bytes();
    udp[6..8].copy_from_slice(&checksum);
    let kind: [u8; 2] = if v6 { [0x86, 0xdd] } else { [8, 0] };
    [&MACS[..], &kind, &ip, &udp].concat()
}

/// Word for word, as RFC 1071 defines it.
fn slow(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for pair in parts.concat().chunks(2) {
        sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

/// What a receiver checks: nothing is left over when the checksums are summed up too.
fn assert_checksums(frame: &[u8]) {
    let packet = &frame[ETHERNET..];
    let (addresses, udp) = if packet[0] >> 4 == 4 {
        assert_eq!(slow(&[&packet[..IPV4]]), 0, "the header of {frame:02x?}");
        (&packet[12..IPV4], &packet[IPV4..])
    } else {
        (&packet[8..IPV6], &packet[IPV6..])
    };
    assert_ne!(udp[6..8], [0, 0], "a checksum is there");
    assert_eq!(slow(&[addresses, &[0, 17], &udp[4..6], udp]), 0, "{frame:02x?}");
}

#[test]
fn a_query_is_found_and_its_answer_goes_the_way_back() {
    for v6 in [false, true] {
        let mut room = frame(v6, (4096, 53), b"a query");
        assert_checksums(&room);
        let length = room.len();
        room.resize(1792, 0xee);
        let query = Query::parse(&room[..length]).unwrap();
        assert_eq!(query.message(&room), b"a query");
        let length = query.reply(&mut room, b"an answer, longer").unwrap();
        let answer = &room[..length];
        assert_checksums(answer);
        assert_eq!(answer[..6], MACS[6..]);
        assert_eq!(answer[6..12], MACS[..6]);
        // The answer read as a query: the other way round, with a full number of hops.
        let back = Query::parse(answer).unwrap();
        assert_eq!(back.message(answer), b"an answer, longer");
        let packet = &answer[ETHERNET..];
        let hops = if v6 { packet[7] } else { packet[8] };
        assert_eq!(hops, 64);
        let (addresses, ports) = if v6 { (8..IPV6, 40..44) } else { (12..IPV4, 20..24) };
        assert_eq!(packet[ports], [0, 53, 0x10, 0]);
        let half = addresses.len() / 2;
        assert_eq!(packet[addresses.start + half - 1], 1, "from the address that was asked");
        assert_eq!(packet[addresses.end - 1], 9);
    }
}

#[test]
fn what_the_kernel_would_drop_is_no_query() {
    // Which octet of the IP packet becomes what; the header is summed up anew.
    let table_v4: &[(&str, usize, u8)] = &[
        ("another version", 0, 0x65),
        ("options", 0, 0x46),
        ("a header that is too short", 0, 0x44),
        ("longer than the frame", 3, 0xff),
        ("shorter than the headers", 3, 27),
        ("more fragments", 6, 0x20),
        ("a later fragment", 7, 1),
        ("TCP", 9, 6),
        ("from this network", 12, 0),
        ("from loopback", 12, 127),
        ("from a group", 12, 224),
        ("from everywhere", 12, 255),
        ("UDP longer than the packet", 25, 0xff),
        ("UDP shorter than its header", 25, 7),
    ];
    for (what, at, octet) in table_v4 {
        let mut frame = frame(false, (4096, 53), b"a query");
        frame[ETHERNET + at] = *octet;
        frame[ETHERNET + 10..ETHERNET + 12].fill(0);
        let checksum = slow(&[&frame[ETHERNET..ETHERNET + IPV4]]).to_be_bytes();
        frame[ETHERNET + 10..ETHERNET + 12].copy_from_slice(&checksum);
        assert_eq!(Query::parse(&frame), None, "{what}");
    }
    let table_v6: &[(&str, usize, u8)] = &[
        ("another version", 0, 0x45),
        ("longer than the frame", 5, 0xff),
        ("shorter than UDP's header", 5, 7),
        ("a fragment", 6, 44),
        ("from a group", 8, 0xff),
        ("UDP longer than the packet", 45, 0xff),
    ];
    for (what, at, octet) in table_v6 {
        let mut frame = frame(true, (4096, 53), b"a query");
        frame[ETHERNET + at] = *octet;
        assert_eq!(Query::parse(&frame), None, "{what}");
    }
    for what in [[0; 16], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]] {
        let mut frame = frame(true, (4096, 53), b"a query");
        frame[ETHERNET + 8..ETHERNET + 24].copy_from_slice(&what);
        assert_eq!(Query::parse(&frame), None, "from {what:?}");
    }
}

#[test]
fn broken_header_missing_checksum_other_protocol_and_port_zero_are_no_query() {
    let mut broken = frame(false, (4096, 53), b"a query");
    broken[ETHERNET + 10] ^= 1;
    assert_eq!(Query::parse(&broken), None);
    let mut unsummed = frame(true, (4096, 53), b"a query");
    unsummed[ETHERNET + IPV6 + 6..ETHERNET + IPV6 + 8].fill(0);
    assert_eq!(Query::parse(&unsummed), None);
    // Over IPv4 a sender may leave the checksum out.
    let mut unsummed = frame(false, (4096, 53), b"a query");
    unsummed[ETHERNET + IPV4 + 6..ETHERNET + IPV4 + 8].fill(0);
    assert!(Query::parse(&unsummed).is_some());
    let mut tagged = frame(false, (4096, 53), b"a query");
    tagged[12..14].copy_from_slice(&[0x81, 0]);
    assert_eq!(Query::parse(&tagged), None);
    for v6 in [false, true] {
        assert_eq!(Query::parse(&frame(v6, (0, 53), b"a query")), None);
    }
}

#[test]
fn padding_of_a_short_frame_is_no_part_of_the_query() {
    let mut padded = frame(false, (4096, 53), b"q");
    padded.resize(60, 0);
    assert_eq!(Query::parse(&padded).unwrap().message(&padded), b"q");
}

#[test]
fn an_answer_without_room_leaves_the_frame_as_it_was() {
    let mut short = frame(false, (4096, 53), b"a query");
    let before = short.clone();
    let query = Query::parse(&short).unwrap();
    assert_eq!(query.reply(&mut short, b"an answer that is longer"), None);
    assert_eq!(short, before);
}

proptest! {
    #[test]
    fn any_octets_are_a_query_with_an_answer_or_nothing(
        octets in proptest::collection::vec(any::<u8>(), 0..200),
        at in proptest::option::of((0_usize..80, any::<u8>())),
        v6 in any::<bool>(),
        answer in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        // Pure noise, and a good frame with one octet changed.
        let mut changed = frame(v6, (4096, 53), &octets);
        if let Some((at, octet)) = at && let Some(place) = changed.get_mut(at) {
            *place = octet;
        }
        for frame in [octets, changed] {
            let Some(query) = Query::parse(&frame) else { continue };
            prop_assert!(query.headers() + query.message(&frame).len() <= frame.len());
            let mut room = frame.clone();
            room.resize(1792, 0);
            let length = query.reply(&mut room, &answer).unwrap();
            assert_checksums(&room[..length]);
            let back = Query::parse(&room[..length]);
            prop_assert!(back.is_none_or(|back| back.message(&room) == answer));
        }
    }
}
