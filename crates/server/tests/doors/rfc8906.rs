//! RFC 8906: a well-formed query is always answered, and rightly.

use server::Transport::{self, Tcp, Udp};
use wire::{Class, Rtype};

use crate::raw::{
    AA, AD, CD, QR, RA, RD, TC, Z, header, message, opcode, opt, opt_with, query, query_with,
    question, question_in, record, summary,
};
use crate::world::{ask, ask_when};

const SOA: Rtype = Rtype::SOA;
const ZONE: &str = "t.example";
const UNKNOWN: Rtype = Rtype(1000);
/// DO in the TTL field of OPT.
const DO: u32 = 0x8000;
const VERSION_1: u32 = 0x0001_0000;

/// Checks rows of what is asked and the summary of the answer, over UDP and TCP.
fn check(rows: &[(&str, Vec<u8>, &str)]) {
    for (row, asked, expected) in rows {
        for transport in [Udp, Tcp] {
            let answer = ask(transport, asked).expect(row);
            assert_eq!(summary(&answer), *expected, "{row} ({transport:?})");
        }
    }
}

fn soa(flags: u16) -> Vec<u8> {
    message(flags, [&[question(ZONE, SOA)], &[], &[], &[]])
}

#[test]
fn rfc8906_8_1_basic_dns_tests() {
    let bare = |flags| header(flags, [0; 4]);
    check(&[
        ("8.1.1 the zone is served", soa(0), "NOERROR qr aa 1/1/0/0"),
        ("8.1.2 unknown type", query(ZONE, UNKNOWN), "NOERROR qr aa 1/0/1/0"),
        ("8.1.3.1 CD", soa(CD), "NOERROR qr aa 1/1/0/0"),
        ("8.1.3.2 AD", soa(AD), "NOERROR qr aa 1/1/0/0"),
        ("8.1.3.3 reserved bit", soa(Z), "NOERROR qr aa 1/1/0/0"),
        ("8.1.3.4 RD", soa(RD), "NOERROR qr aa rd 1/1/0/0"),
        ("bits of answers in a query", soa(AA | TC | RA | 0x0f), "NOERROR qr aa 1/1/0/0"),
        ("8.1.4 unknown opcode", bare(opcode(15)), "NOTIMP opcode15 qr 0/0/0/0"),
        ("unknown opcode with all bits", bare(opcode(15) | 0x07ff), "NOTIMP opcode15 qr 0/0/0/0"),
    ]);
}

#[test]
fn rfc8906_8_2_edns_tests() {
    let with = |ttl, options: &[(u16, &[u8])]| query_with(ZONE, SOA, opt_with(4096, ttl, options));
    let everything: &[(u16, &[u8])] =
        &[(3, b""), (10, b"01234567"), (9, b""), (8, &[0, 1, 0, 0]), (11, b""), (12, &[0; 32])];
    let answered = "NOERROR qr aa 1/1/0/0 opt1232";
    let badvers = "BADVERS qr 1/0/0/0 opt1232";
    check(&[
        ("8.2.1 minimal EDNS", with(0, &[]), answered),
        ("8.2.2 unknown version", with(VERSION_1, &[]), badvers),
        ("8.2.3 unknown option", with(0, &[(100, b"")]), answered),
        ("8.2.4 unknown flags", with(0x0040, &[]), answered),
        ("all unknown flags", with(0x7fff, &[]), answered),
        ("8.2.5 version and flags", with(VERSION_1 | 0x0040, &[]), badvers),
        ("8.2.6 version and option", with(VERSION_1, &[(100, b"")]), badvers),
        ("8.2.8 DO", with(DO, &[]), "NOERROR qr aa 1/1/0/0 opt1232 do"),
        ("8.2.9 version and DO", with(VERSION_1 | DO, &[]), "BADVERS qr 1/0/0/0 opt1232 do"),
        ("version 255", with(0x00ff_0000, &[]), badvers),
        ("extended code in a query", with(0xff00_0000, &[]), answered),
        ("8.2.10 defined options", with(0, everything), answered),
        ("an option twice", with(0, &[(100, b"a"), (100, b"b")]), answered),
        ("keepalive (RFC 7828)", with(0, &[(11, &[0, 10])]), answered),
    ]);
    let cut = ask(Udp, &query_with("big.t.example", Rtype::TXT, opt_with(512, DO, &[])));
    assert_eq!(summary(&cut.expect("8.2.7")), "NOERROR qr aa tc 1/0/0/0 opt1232 do");
}

#[test]
fn rfc8906_3_1_4_other_opcodes_are_answered_with_notimp() {
    let update = message(opcode(5), [&[question(ZONE, SOA)], &[], &[], &[]]);
    let tsig = record("key.example", Rtype::TSIG, 255, 0, &[0; 20]);
    let signed = message(opcode(5), [&[question(ZONE, SOA)], &[], &[], &[opt(1232), tsig]]);
    let notify = message(opcode(4) | AA, [&[question(ZONE, SOA)], &[], &[], &[]]);
    let inverse =
        message(opcode(1), [&[], &[record(".", Rtype::A, 1, 0, &[192, 0, 2, 1])], &[], &[]]);
    check(&[
        ("IQUERY", inverse, "NOTIMP opcode1 qr 0/0/0/0"),
        ("STATUS", header(opcode(2), [0; 4]), "NOTIMP opcode2 qr 0/0/0/0"),
        ("NOTIFY", notify, "NOTIMP opcode4 qr 0/0/0/0"),
        ("UPDATE", update, "NOTIMP opcode5 qr 0/0/0/0"),
        ("UPDATE, signed, with OPT", signed, "NOTIMP opcode5 qr 0/0/0/0 opt1232"),
        ("UPDATE of nothing but a header", header(opcode(5), [0; 4]), "NOTIMP opcode5 qr 0/0/0/0"),
        ("DSO", header(opcode(6), [0; 4]), "NOTIMP opcode6 qr 0/0/0/0"),
        (
            "an opcode with OPT",
            message(opcode(9), [&[], &[], &[], &[opt_with(1232, DO, &[])]]),
            "NOTIMP opcode9 qr 0/0/0/0 opt1232 do",
        ),
        ("an opcode, then garbage", [header(opcode(9), [9; 4]), vec![0xff; 40]].concat(), {
            "NOTIMP opcode9 qr 0/0/0/0"
        }),
    ]);
}

#[test]
fn what_cannot_be_a_query_is_met_with_silence() {
    for transport in [Udp, Tcp] {
        let whole = soa(0);
        for length in 0..12 {
            let cut = whole.get(..length).expect("a part");
            assert_eq!(ask(transport, cut), None, "{length} octets");
        }
        for code in 0..16 {
            assert_eq!(ask(transport, &soa(QR | opcode(code))), None, "a response to {code}");
        }
        assert_eq!(ask(transport, &header(QR, [0; 4])), None);
        assert_eq!(ask(transport, &[0xff; 600]), None);
    }
}

#[test]
fn malformed_queries_are_answered_with_formerr() {
    let with = |qd: &[Vec<u8>], ar: &[Vec<u8>]| message(RD, [qd, &[], &[], ar]);
    let one = question(ZONE, SOA);
    let plain = "FORMERR qr rd 0/0/0/0";
    let beyond = [soa(RD), vec![0]].concat();
    let pointer = [header(RD, [1, 0, 0, 0]), vec![0xc0, 0x0c, 0, 6, 0, 1]].concat();
    let label = [header(RD, [1, 0, 0, 0]), vec![0x40; 70]].concat();
    let long = [1, b'a'].repeat(128);
    let long = [header(RD, [1, 0, 0, 0]), long, vec![0, 0, 6, 0, 1]].concat();
    let tsig = record("key.example", Rtype::TSIG, 255, 0, &[0; 20]);
    check(&[
        ("header only", header(RD, [0; 4]), plain),
        ("RFC 9619: no question", with(&[], &[]), plain),
        ("RFC 9619: two questions", with(&[one.clone(), one.clone()], &[]), plain),
        ("a count without its question", header(RD, [1, 0, 0, 0]), plain),
        ("a count without its record", [header(RD, [1, 0, 0, 1]), one.clone()].concat(), plain),
        ("65,535 of everything", header(RD, [0xffff; 4]), plain),
        ("octets after the question", beyond, plain),
        ("a pointer in the question", pointer, plain),
        ("a label type that is not used", label, plain),
        ("a name of more than 255 octets", long, plain),
        ("RFC 8945 §5.1: TSIG is not last", with(&[one], &[tsig.clone(), tsig]), plain),
    ]);
    let whole = soa(RD);
    for length in 12..whole.len() {
        let answer = ask(Udp, whole.get(..length).expect("a part")).expect("an answer");
        assert_eq!(summary(&answer), plain, "cut at {length}");
    }
}

#[test]
fn rfc8906_7_questions_that_are_not_ours_or_not_offered() {
    let table = [
        ("another zone", question("other.example", Rtype::A), "REFUSED", " ede20"),
        ("the zone above", question("example", SOA), "REFUSED", " ede20"),
        ("the root", question(".", Rtype::NS), "REFUSED", " ede20"),
        ("class CH", question_in("version.bind", Rtype::TXT, Class::CH), "REFUSED", " ede20"),
        ("class CH, our name", question_in(ZONE, SOA, Class::CH), "REFUSED", " ede20"),
        ("class ANY", question_in(ZONE, SOA, Class::ANY), "REFUSED", " ede20"),
        ("class NONE", question_in(ZONE, SOA, Class::NONE), "REFUSED", " ede20"),
        ("class 0", question_in(ZONE, SOA, Class(0)), "REFUSED", " ede20"),
        ("AXFR", question(ZONE, Rtype::AXFR), "REFUSED", " ede18"),
        ("IXFR without its SOA", question(ZONE, Rtype::IXFR), "REFUSED", " ede18"),
        ("MAILB", question(ZONE, Rtype::MAILB), "NOTIMP", " ede21"),
        ("MAILA", question(ZONE, Rtype::MAILA), "NOTIMP", " ede21"),
        ("TKEY", question(ZONE, Rtype::TKEY), "NOTIMP", " ede21"),
        ("type OPT", question(ZONE, Rtype::OPT), "FORMERR", " ede30"),
        ("type TSIG", question(ZONE, Rtype::TSIG), "FORMERR", " ede30"),
        ("RFC 9824 §3.5: NXNAME", question(ZONE, Rtype::NXNAME), "FORMERR", " ede30"),
    ];
    for (row, question, rcode, ede) in table {
        let (plain, edns) = (format!("{rcode} qr 1/0/0/0"), "opt1232".to_owned() + ede);
        let one = [question];
        check(&[
            (row, message(0, [&one, &[], &[], &[]]), &plain),
            (row, message(0, [&one, &[], &[], &[opt(512)]]), &format!("{plain} {edns}")),
        ]);
    }
}

#[test]
fn rfc1995_2_ixfr_with_its_soa_is_refused_over_udp_and_tcp() {
    let data = [&[0, 0][..], &[0; 20]].concat();
    let soa = record(ZONE, SOA, 1, 0, &data);
    let asked = message(0, [&[question(ZONE, Rtype::IXFR)], &[], &[soa], &[]]);
    check(&[("IXFR", asked, "REFUSED qr 1/0/0/0")]);
}

#[test]
fn records_that_mean_nothing_in_a_query_are_passed_over() {
    let a = record("www.t.example", Rtype::A, 1, 0, &[192, 0, 2, 1]);
    let one = question(ZONE, SOA);
    let all = [a.clone(), a];
    check(&[("records", message(0, [&[one], &all, &all, &all]), "NOERROR qr aa 1/1/0/0")]);
}

#[test]
fn while_zones_are_being_loaded_no_query_is_refused_or_denied() {
    let table = [
        (query(ZONE, SOA), "SERVFAIL qr 1/0/0/0"),
        (query("other.example", SOA), "SERVFAIL qr 1/0/0/0"),
        (query("nothing.t.example", SOA), "SERVFAIL qr 1/0/0/0"),
        (query_with(ZONE, SOA, opt(1232)), "SERVFAIL qr 1/0/0/0 opt1232 ede14"),
        (query_with(ZONE, SOA, opt_with(512, VERSION_1, &[])), "BADVERS qr 1/0/0/0 opt1232"),
        (query(ZONE, Rtype::OPT), "FORMERR qr 1/0/0/0"),
        (header(opcode(2), [0; 4]), "NOTIMP opcode2 qr 0/0/0/0"),
        (signed_query(), "SERVFAIL qr 1/0/0/0"),
    ];
    for (asked, expected) in table {
        for transport in [Transport::Udp, Transport::Tcp] {
            let answer = ask_when(false, transport, &asked).expect("an answer");
            assert_eq!(summary(&answer), expected);
        }
    }
}

#[test]
fn the_question_is_repeated_letter_by_letter() {
    for qname in ["wWw.T.eXaMpLe", "nOtHiNg.t.EXAMPLE", "OTHER.example", "ALIAS.t.example"] {
        let asked = query(qname, Rtype::A);
        let answer = ask(Udp, &asked).expect("an answer");
        assert_eq!(answer.get(12..asked.len()), asked.get(12..), "{qname}");
    }
}

#[test]
fn rfc1034_4_3_2_every_kind_of_answer_passes_the_door() {
    let a = |qname| query(qname, Rtype::A);
    check(&[
        ("address", a("www.t.example"), "NOERROR qr aa 1/1/0/0"),
        ("no such name", a("no.t.example"), "NXDOMAIN qr aa 1/0/1/0"),
        ("no such type", query("www.t.example", Rtype::TXT), "NOERROR qr aa 1/0/1/0"),
        ("empty non-terminal", a("ent.t.example"), "NOERROR qr aa 1/0/1/0"),
        ("wildcard", a("x.wild.t.example"), "NOERROR qr aa 1/1/0/0"),
        ("alias", a("alias.t.example"), "NOERROR qr aa 1/2/0/0"),
        ("DNAME", a("x.moved.t.example"), "NXDOMAIN qr aa 1/2/1/0"),
        ("referral", a("x.sub.t.example"), "NOERROR qr 1/0/1/1"),
        ("servers and their addresses", query(ZONE, Rtype::NS), "NOERROR qr aa 1/2/0/3"),
        ("RFC 8482 §4.1: ANY", query("www.t.example", Rtype::ANY), "NOERROR qr aa 1/1/0/0"),
    ]);
}

fn signed_query() -> Vec<u8> {
    let tsig = record("key.example", Rtype::TSIG, 255, 0, &[0; 20]);
    message(0, [&[question(ZONE, SOA)], &[], &[], &[tsig]])
}
