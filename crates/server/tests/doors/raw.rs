//! Messages put together by hand, and answers told in one line.

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use wire::{Class, Name, Rtype};

/// The id of every message here that does not need another one.
pub(crate) const ID: u16 = 0xbeef;

// Bits of the header.
pub(crate) const QR: u16 = 0x8000;
pub(crate) const AA: u16 = 0x0400;
pub(crate) const TC: u16 = 0x0200;
pub(crate) const RD: u16 = 0x0100;
pub(crate) const RA: u16 = 0x0080;
pub(crate) const Z: u16 = 0x0040;
pub(crate) const AD: u16 = 0x0020;
pub(crate) const CD: u16 = 0x0010;

/// An opcode where the header has it.
pub(crate) fn opcode(number: u16) -> u16 {
    number << 11
}

/// A message of questions and records that are in wire form already.
pub(crate) fn message(flags: u16, sections: [&[Vec<u8>]; 4]) -> Vec<u8> {
    let counts = sections.map(|section| u16::try_from(section.len()).expect("a small count"));
    let mut octets = header(flags, counts);
    octets.extend(sections.concat().concat());
    octets
}

/// A header.
pub(crate) fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [&[ID, flags][..], &counts].concat().into_iter().flat_map(u16::to_be_bytes).collect()
}

/// A question of class IN.
pub(crate) fn question(qname: &str, qtype: Rtype) -> Vec<u8> {
    question_in(qname, qtype, Class::IN)
}

/// A question.
pub(crate) fn question_in(qname: &str, qtype: Rtype, qclass: Class) -> Vec<u8> {
    let qname = Name::parse(qname).expect("a name");
    [qname.as_wire(), &qtype.0.to_be_bytes(), &qclass.0.to_be_bytes()].concat()
}

/// A record.
pub(crate) fn record(owner: &str, rtype: Rtype, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let owner = Name::parse(owner).expect("a name");
    let length = u16::try_from(data.len()).expect("short data").to_be_bytes();
    let (rtype, class) = (rtype.0.to_be_bytes(), class.to_be_bytes());
    [owner.as_wire(), &rtype, &class, &ttl.to_be_bytes(), &length, data].concat()
}

/// OPT of version 0 without flags and options.
pub(crate) fn opt(udp_size: u16) -> Vec<u8> {
    opt_with(udp_size, 0, &[])
}

/// OPT with its TTL field (extended code, version, flags) and options.
pub(crate) fn opt_with(udp_size: u16, ttl: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (code, option) in options {
        let length = u16::try_from(option.len()).expect("a short option");
        data.extend([code.to_be_bytes(), length.to_be_bytes()].concat());
        data.extend_from_slice(option);
    }
    record(".", Rtype::OPT, udp_size, ttl, &data)
}

/// A plain query.
pub(crate) fn query(qname: &str, qtype: Rtype) -> Vec<u8> {
    message(0, [&[question(qname, qtype)], &[], &[], &[]])
}

/// A query with OPT.
pub(crate) fn query_with(qname: &str, qtype: Rtype, opt: Vec<u8>) -> Vec<u8> {
    message(0, [&[question(qname, qtype)], &[], &[], &[opt]])
}

/// The same message under another id.
pub(crate) fn with_id(message: &[u8], id: u16) -> Vec<u8> {
    [&id.to_be_bytes(), message.get(2..).expect("a header")].concat()
}

/// Reads an answer with two readers, which must both be content.
pub(crate) fn read(answer: &[u8]) -> Message {
    wire::Message::parse(answer).expect("an answer that our reader takes");
    Message::from_vec(answer).expect("an answer that another reader takes")
}

/// An answer in one line: response code, opcode if it is not QUERY, bits that are set, the numbers
/// of questions, answers, authority and additional records (without OPT), and OPT with its size, DO
/// and codes of extended errors.
pub(crate) fn summary(answer: &[u8]) -> String {
    let read = read(answer);
    assert_eq!(answer.get(..2), Some(&ID.to_be_bytes()[..]), "the id is repeated");
    let mut words = vec![wire::Rcode(read.metadata.response_code.into()).to_string()];
    if read.metadata.op_code != OpCode::Query {
        words.push(format!("opcode{}", answer.get(2).expect("a header") >> 3 & 0x0f));
    }
    let flags = u16::from_be_bytes([answer[2], answer[3]]);
    let bits = [(QR, "qr"), (AA, "aa"), (TC, "tc"), (RD, "rd"), (RA, "ra"), (Z, "z"), (AD, "ad")];
    for (bit, word) in bits.into_iter().chain([(CD, "cd")]) {
        if flags & bit != 0 {
            words.push(word.to_owned());
        }
    }
    let (an, ns, ar) = (read.answers.len(), read.authorities.len(), read.additionals.len());
    words.push(format!("{}/{an}/{ns}/{ar}", read.queries.len()));
    if let Some(edns) = &read.edns {
        words.push(format!("opt{}", edns.max_payload()));
        assert_eq!((edns.version(), edns.flags().z), (0, 0), "version 0 and no unknown flags");
        if edns.flags().dnssec_ok {
            words.push("do".to_owned());
        }
        for (code, option) in &edns.options().options {
            words.push(match option {
                EdnsOption::Unknown(15, data) => format!("ede{}", data.get(1).expect("a code")),
                _ => format!("option{}", u16::from(*code)),
            });
        }
    }
    words.join(" ")
}
