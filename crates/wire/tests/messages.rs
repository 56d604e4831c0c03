//! Reading whole messages, above all hostile ones.

use wire::{Message, MessageError, Name, Opcode, Rcode, Rtype, Section};

/// A header with these counts, and what follows it.
fn message(counts: [u16; 4], body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xab, 0xcd, 0x85, 0xb3];
    counts.iter().for_each(|count| octets.extend_from_slice(&count.to_be_bytes()));
    octets.extend_from_slice(body);
    octets
}

fn error(counts: [u16; 4], body: &[u8]) -> Option<MessageError> {
    Message::parse(&message(counts, body)).err()
}

/// The fixed part of a record of class IN behind its owner.
fn fixed(rtype: Rtype, data: &[u8]) -> Vec<u8> {
    let head = [rtype.0.to_be_bytes(), [0, 1], [0, 0], [0, 60], (data.len() as u16).to_be_bytes()];
    [head.concat(), data.to_vec()].concat()
}

#[test]
fn rfc1035_4_1_1_header() {
    let octets = message([0; 4], b"");
    let header = Message::parse(&octets).expect("a header is a message").header();
    assert_eq!((header.id, header.opcode, header.rcode), (0xabcd, Opcode::QUERY, Rcode::NXDOMAIN));
    assert!(header.qr && header.aa && !header.tc && header.rd);
    assert!(header.ra && header.ad && header.cd);
    assert_eq!(Message::parse(&octets[..11]).err(), Some(MessageError::Short));
    assert_eq!(Message::parse(b"").err(), Some(MessageError::Short));
}

#[test]
fn rfc1035_4_1_4_compression_is_followed_backwards() {
    // a.example, then b.<example>, whose data is <b.example>.
    let record = [&b"\x01b\xc0\x0e"[..], &fixed(Rtype::CNAME, b"\xc0\x1b")].concat();
    let octets = message([1, 1, 0, 0], &[&b"\x01a\x07example\0\0\x01\0\x01"[..], &record].concat());
    let message = Message::parse(&octets).expect("a message");
    assert_eq!(message.question().map(|q| q.qname), Name::parse("a.example").ok());
    let record = message.records(Section::Answer).next().expect("a record");
    assert_eq!(Ok(record.owner.clone()), Name::parse("b.example"));
    let target = record.rdata().expect("a name").target(Rtype::CNAME);
    assert_eq!(target, Some(record.owner.clone()));
    assert_eq!(record.raw_data(), b"\xc0\x1b");
}

#[test]
fn rfc1035_4_1_4_pointers_that_do_not_lead_backwards_are_refused() {
    let question = |name: &[u8]| error([1, 0, 0, 0], &[name, b"\0\x01\0\x01"].concat());
    for name in [
        &b"\xc0\x0c"[..], // to itself
        b"\xc0\x0e",      // forwards
        b"\x01a\xc0\x0c", // to the name that it belongs to
        b"\xc0\x00",      // into the header
        b"\x01a\xc0\x0b", // into the header
        b"\xff\xff",      // beyond the end
        b"\x80\x0c",      // label types that do not exist (RFC 6891 §5)
        b"\x41a",
    ] {
        assert_eq!(question(name), Some(MessageError::Name), "{name:?}");
    }
    // Two that point to each other.
    assert_eq!(
        error([2, 0, 0, 0], b"\xc0\x12\0\x01\0\x01\xc0\x0c\0\x01\0\x01"),
        Some(MessageError::Name)
    );
}

#[test]
fn a_long_way_along_pointers_is_refused() {
    // Pointer behind pointer, each to the one before: legal by the letter, of use to nobody.
    let chain = |pointers: u16| {
        let mut body = b"\x01a\0\0\x01\0\x01".to_vec();
        body.extend_from_slice(b"\0");
        body.extend_from_slice(&fixed(Rtype(65_280), &[0xc0, 12]));
        let mut at = 12 + body.len() as u16 - 2;
        let mut data = vec![0xc0, 12];
        for _ in 1..pointers {
            data.extend_from_slice(&(0xc000 | at).to_be_bytes());
            at += 2;
        }
        let mut body = b"\x01a\0\0\x01\0\x01\0".to_vec();
        body.extend_from_slice(&fixed(Rtype(65_280), &data));
        body.extend_from_slice(&(0xc000 | at).to_be_bytes());
        body.extend_from_slice(&fixed(Rtype::A, &[192, 0, 2, 1]));
        error([1, 2, 0, 0], &body)
    };
    assert_eq!(chain(100), None);
    assert_eq!(chain(126), None);
    assert_eq!(chain(127), Some(MessageError::Name));
    assert_eq!(chain(8000), Some(MessageError::Name));
}

#[test]
fn a_name_of_more_than_255_octets_by_pointers_is_refused() {
    let label = [&[63][..], &[b'l'; 63]].concat();
    let long = [label.repeat(3), b"\0\0\x01\0\x01".to_vec()].concat();
    let with = |label: &[u8]| {
        let body = [&long[..], label, b"\xc0\x0c\0\x01\0\x01"].concat();
        error([2, 0, 0, 0], &body)
    };
    assert_eq!(with(&[&[61][..], &[b'm'; 61]].concat()), None);
    assert_eq!(with(&[&[62][..], &[b'm'; 62]].concat()), Some(MessageError::Name));
}

#[test]
fn counts_that_lie_are_refused() {
    let question = b"\x01a\0\0\x01\0\x01";
    let record = [&b"\0"[..], &fixed(Rtype::A, &[1, 2, 3, 4])].concat();
    let body = [&question[..], &record].concat();
    assert_eq!(error([1, 1, 0, 0], &body), None);
    assert_eq!(error([1, 0, 0, 1], &body), None);
    assert_eq!(error([1, 0, 0, 0], &body), Some(MessageError::Trailing));
    assert_eq!(error([0, 0, 0, 0], &body), Some(MessageError::Trailing));
    for counts in [[2, 1, 0, 0], [1, 2, 0, 0], [1, 1, 1, 0], [1, 1, 0, 1], [0xffff; 4]] {
        assert!(error(counts, &body).is_some(), "{counts:?}");
    }
}

#[test]
fn a_message_that_is_cut_anywhere_is_refused() {
    let record = [&b"\xc0\x0c"[..], &fixed(Rtype::MX, b"\0\x0a\x01m\xc0\x0c")].concat();
    let body = [&b"\x01a\0\0\x01\0\x01"[..], &record].concat();
    let octets = message([1, 1, 0, 0], &body);
    assert!(Message::parse(&octets).is_ok());
    for len in 0..octets.len() {
        assert!(Message::parse(&octets[..len]).is_err(), "{len}");
    }
    assert_eq!(error([1, 1, 0, 0], &[&body[..], b"\0"].concat()), Some(MessageError::Trailing));
}

#[test]
fn data_that_is_not_of_its_type_is_refused_when_it_is_read() {
    for (rtype, data) in [
        (Rtype::A, &b"\x01\x02\x03"[..]),
        (Rtype::AAAA, b"\x01"),
        (Rtype::CNAME, b"\x01a"),
        (Rtype::CNAME, b"\0\0"),
        // A name may not reach beyond its data, whatever stands there.
        (Rtype::CNAME, b"\x03a"),
        (Rtype::MX, b"\0"),
        (Rtype::SOA, b"\0\0\x01\x02"),
        (Rtype::TXT, b""),
        (Rtype::TXT, b"\x05abc"),
        (Rtype::SRV, b"\0\0\0\0\0\0"),
        // Not compressed in these types (RFC 3597 §4).
        (Rtype::DNAME, b"\xc0\x0c"),
        (Rtype::SVCB, b"\0\x01\xc0\x0c"),
    ] {
        let record = [&b"\xc0\x0c"[..], &fixed(rtype, data)].concat();
        let octets = message([1, 1, 0, 0], &[&b"\x01a\0\0\x01\0\x01"[..], &record].concat());
        let message = Message::parse(&octets).expect("lengths are right");
        let record = message.records(Section::Answer).next().expect("a record");
        assert_eq!(record.rdata(), Err(MessageError::Rdata(rtype)), "{rtype} {data:?}");
        assert_eq!(record.raw_data(), data);
    }
}

#[test]
fn rfc3597_4_names_in_data_of_old_types_are_decompressed() {
    for (rtype, data, expected) in [
        (Rtype::SRV, &b"\0\0\0\0\0\x01\xc0\x0c"[..], &b"\0\0\0\0\0\x01\x01a\0"[..]),
        (Rtype::RP, b"\xc0\x0c\xc0\x0c", b"\x01a\0\x01a\0"),
        (Rtype::AFSDB, b"\0\x01\xc0\x0c", b"\0\x01\x01a\0"),
        (Rtype::NAPTR, b"\0\0\0\0\0\0\0\xc0\x0c", b"\0\0\0\0\0\0\0\x01a\0"),
    ] {
        let record = [&b"\xc0\x0c"[..], &fixed(rtype, data)].concat();
        let octets = message([1, 1, 0, 0], &[&b"\x01a\0\0\x01\0\x01"[..], &record].concat());
        let message = Message::parse(&octets).expect("a message");
        let record = message.records(Section::Answer).next().expect("a record");
        assert_eq!(record.rdata().expect("data").as_wire(), expected, "{rtype}");
    }
}

#[test]
fn data_that_grows_over_its_length_field_is_refused() {
    // SIG: 18 octets, a name that is compressed, and a signature that fills the message.
    let label = [&[63][..], &[b'l'; 63]].concat();
    let question = [label.repeat(3), b"\0\0\x01\0\x01".to_vec()].concat();
    let room = 65_535 - 12 - question.len() - 1 - 10;
    let data = [&[0; 18][..], b"\xc0\x0c", &vec![7; room - 20]].concat();
    let body = [&question[..], b"\0", &fixed(Rtype::SIG, &data)].concat();
    let octets = message([1, 1, 0, 0], &body);
    let message = Message::parse(&octets).expect("a message");
    let record = message.records(Section::Answer).next().expect("a record");
    assert_eq!(record.rdata().is_err(), data.len() - 2 + 193 > 65_535);
}

#[test]
fn rfc6891_6_1_3_the_code_of_a_message_has_the_bits_of_opt() {
    let opt = [&b"\0"[..], &Rtype::OPT.0.to_be_bytes(), &[4, 0xd0, 1, 0, 0, 0, 0, 0]].concat();
    let octets = message([0, 0, 0, 1], &opt);
    assert_eq!(Message::parse(&octets).expect("a message").rcode(), Rcode(0x13));
}
