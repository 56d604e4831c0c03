//! The hot path: which octets are a query, and what is said to all others.

use wire::{Class, Opcode, Query, QueryError, Rcode, Rtype};

const QUESTION: &[u8] = b"\x01A\x07eXample\0\0\x1c\0\x01";

fn message(flags: [u8; 2], counts: [u8; 4], body: &[&[u8]]) -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, flags[0], flags[1]];
    counts.iter().for_each(|&count| octets.extend_from_slice(&[0, count]));
    body.iter().for_each(|part| octets.extend_from_slice(part));
    octets
}

/// OPT with this payload size, upper TTL octets and options.
fn opt(size: u16, ttl: [u8; 4], options: &[u8]) -> Vec<u8> {
    let length = (options.len() as u16).to_be_bytes();
    [&[0, 0, 41][..], &size.to_be_bytes(), &ttl, &length, options].concat()
}

fn code(octets: &[u8]) -> Option<(Rcode, Option<bool>)> {
    match Query::parse(octets) {
        Err(QueryError::Header(envelope, rcode)) => {
            assert_eq!(envelope.id, 0x1234);
            Some((rcode, envelope.do_bit))
        }
        Ok(_) | Err(QueryError::Silence | QueryError::Update(_)) => None,
    }
}

#[test]
fn a_query_is_read_with_its_question_letter_by_letter() {
    let octets = message([1, 0x10], [1, 0, 0, 0], &[QUESTION]);
    let query = Query::parse(&octets).expect("a query");
    assert_eq!((query.id, query.rd, query.signed), (0x1234, true, false));
    assert_eq!(query.qname.folded(), b"\x01a\x07example\0");
    assert_eq!((query.qtype, query.qclass), (Rtype::AAAA, Class::IN));
    assert_eq!(query.question, QUESTION);
    assert!(query.edns.is_none());
}

#[test]
fn rfc8906_3_responses_and_less_than_a_header_get_no_answer() {
    assert_eq!(Query::parse(b"").err(), Some(QueryError::Silence));
    assert_eq!(Query::parse(&[0; 11]).err(), Some(QueryError::Silence));
    for flags in [[0x80, 0], [0x84, 0], [0xa8, 0]] {
        let octets = message(flags, [1, 0, 0, 0], &[QUESTION]);
        assert_eq!(Query::parse(&octets).err(), Some(QueryError::Silence));
    }
}

#[test]
fn rfc9619_3_a_query_has_one_question() {
    assert_eq!(code(&message([0, 0], [0, 0, 0, 0], &[])), Some((Rcode::FORMERR, None)));
    let two = message([0, 0], [2, 0, 0, 0], &[QUESTION, QUESTION]);
    assert_eq!(code(&two), Some((Rcode::FORMERR, None)));
    let edns = message([0, 0], [0, 0, 0, 1], &[&opt(1232, [0, 0, 0x80, 0], b"")]);
    assert_eq!(code(&edns), Some((Rcode::FORMERR, Some(true))));
}

#[test]
fn rfc1035_4_1_1_other_opcodes_are_not_implemented_and_update_is_for_others() {
    for opcode in [1, 2, 3, 4, 6, 15] {
        let octets = message([opcode << 3, 0], [1, 0, 0, 0], &[QUESTION]);
        assert_eq!(code(&octets), Some((Rcode::NOTIMP, None)), "{opcode}");
    }
    let update = message([5 << 3, 0], [1, 0, 0, 0], &[QUESTION]);
    let Err(QueryError::Update(envelope)) = Query::parse(&update) else {
        panic!("an update is for others");
    };
    assert_eq!((envelope.id, envelope.opcode, envelope.rd), (0x1234, Opcode::UPDATE, false));
}

#[test]
fn rfc6891_6_1_1_opt_is_one_and_in_its_place() {
    let plain = opt(4096, [0, 0, 0x80, 0], b"\0\x0a\0\x08cookie12");
    let octets = message([0, 0], [1, 0, 0, 1], &[QUESTION, &plain]);
    let edns = Query::parse(&octets).expect("a query").edns.expect("EDNS");
    assert_eq!((edns.udp_size, edns.version, edns.do_bit), (4096, 0, true));
    let options: Vec<_> = edns.options().map(|option| (option.code, option.data)).collect();
    assert_eq!(options, [(10, &b"cookie12"[..])]);

    let owned = [&b"\x01a"[..], &plain].concat();
    for (counts, body) in [
        ([1, 0, 0, 2], vec![QUESTION, &plain[..], &plain]),
        ([1, 0, 0, 1], vec![QUESTION, &owned[..]]),
        ([1, 1, 0, 0], vec![QUESTION, &plain[..]]),
        ([1, 0, 1, 0], vec![QUESTION, &plain[..]]),
    ] {
        assert_eq!(code(&message([0, 0], counts, &body)), Some((Rcode::FORMERR, Some(true))));
    }
}

#[test]
fn rfc6891_6_1_2_malformed_options_are_formerr() {
    for options in [&b"\0"[..], b"\0\x0a\0", b"\0\x0a\0\x05abc"] {
        let octets = message([0, 0], [1, 0, 0, 1], &[QUESTION, &opt(1232, [0; 4], options)]);
        assert_eq!(code(&octets), Some((Rcode::FORMERR, Some(false))), "{options:?}");
    }
}

#[test]
fn rfc6891_6_1_3_other_versions_are_left_to_who_answers() {
    let octets = message([0, 0], [1, 0, 0, 1], &[QUESTION, &opt(1232, [0, 1, 0, 0], b"")]);
    assert_eq!(Query::parse(&octets).expect("a query").edns.map(|edns| edns.version), Some(1));
}

#[test]
fn rfc6891_6_2_3_small_payload_sizes_count_as_512() {
    for (said, counts) in [(0, 512), (511, 512), (512, 512), (1232, 1232), (65_535, 65_535)] {
        let octets = message([0, 0], [1, 0, 0, 1], &[QUESTION, &opt(said, [0; 4], b"")]);
        assert_eq!(Query::parse(&octets).expect("a query").edns.map(|e| e.udp_size), Some(counts));
    }
}

#[test]
fn malformed_queries_are_formerr_not_silence() {
    for body in [
        &b""[..],
        b"\x01a",
        b"\x01a\0\0\x01\0",
        b"\xc0\x0c\0\x01\0\x01",
        b"\x40a\0\0\x01\0\x01",
        b"\x01a\0\0\x01\0\x01\0",
    ] {
        let octets = message([0, 0], [1, 0, 0, 0], &[body]);
        assert_eq!(code(&octets), Some((Rcode::FORMERR, None)), "{body:?}");
    }
    let long = [[&[63][..], &[b'l'; 63]].concat().repeat(4), b"\0\0\x01\0\x01".to_vec()].concat();
    assert_eq!(code(&message([0, 0], [1, 0, 0, 0], &[&long])), Some((Rcode::FORMERR, None)));
    let missing = message([0, 0], [1, 0, 0, 1], &[QUESTION]);
    assert_eq!(code(&missing), Some((Rcode::FORMERR, None)));
}

#[test]
fn rfc1995_3_the_soa_of_an_ixfr_is_passed_over() {
    let soa = [&b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x16"[..], &[0; 22]].concat();
    let octets = message([0, 0], [1, 0, 1, 0], &[b"\x01a\0\0\xfb\0\x01", &soa]);
    assert_eq!(Query::parse(&octets).expect("a query").qtype, Rtype::IXFR);
}
