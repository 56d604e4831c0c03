//! RFC 6891: OPT in every answer to a message that has it, and in no other.

use proptest::prelude::*;
use server::Transport::{Tcp, Udp};
use wire::Rtype;

use crate::raw::{header, message, opt, opt_with, query, question, record, summary};
use crate::world::ask;

/// The answer to a query for the SOA with these additional records.
fn asked_with(additional: &[Vec<u8>]) -> String {
    let asked = message(0, [&[question("t.example", Rtype::SOA)], &[], &[], additional]);
    summary(&ask(Udp, &asked).expect("an answer"))
}

#[test]
fn rfc6891_6_1_1_more_than_one_opt_is_formerr_with_opt() {
    assert_eq!(asked_with(&[opt(512), opt(512)]), "FORMERR qr 0/0/0/0 opt1232");
}

#[test]
fn rfc6891_6_1_1_opt_may_stand_anywhere_among_the_additional_records() {
    let a = record("www.t.example", Rtype::A, 1, 0, &[192, 0, 2, 1]);
    let answered = "NOERROR qr aa 1/1/0/0 opt1232";
    assert_eq!(asked_with(&[opt(512), a.clone()]), answered);
    assert_eq!(asked_with(&[a.clone(), opt(512)]), answered);
    assert_eq!(asked_with(&[a.clone(), opt(512), a]), answered);
}

#[test]
fn rfc6891_6_1_2_opt_belongs_to_the_root() {
    let owned = record("www.t.example", Rtype::OPT, 512, 0, &[]);
    assert_eq!(asked_with(&[owned]), "FORMERR qr 0/0/0/0 opt1232");
}

#[test]
fn rfc6891_6_1_1_opt_in_another_section_is_formerr() {
    let one = [question("t.example", Rtype::SOA)];
    for sections in [[&one[..], &[opt(512)], &[], &[]], [&one, &[], &[opt(512)], &[]]] {
        let answer = ask(Udp, &message(0, sections)).expect("an answer");
        assert_eq!(summary(&answer), "FORMERR qr 0/0/0/0 opt1232");
    }
}

#[test]
fn rfc6891_7_malformed_options_are_formerr_with_opt() {
    for data in [&[0][..], &[0, 3, 0], &[0, 3, 0, 1], &[0, 3, 0, 0, 9]] {
        let opt = record(".", Rtype::OPT, 1232, 0x8000, data);
        assert_eq!(asked_with(&[opt]), "FORMERR qr 0/0/0/0 opt1232 do", "{data:?}");
    }
}

#[test]
fn rfc6891_7_opt_that_reaches_beyond_the_message_is_formerr_with_opt() {
    let mut asked = message(0, [&[question("t.example", Rtype::SOA)], &[], &[], &[opt(512)]]);
    asked.pop();
    asked.push(9);
    let answer = ask(Udp, &asked).expect("an answer");
    assert_eq!(summary(&answer), "FORMERR qr 0/0/0/0 opt1232");
}

#[test]
fn rfc6891_6_1_1_errors_about_the_question_have_opt_too() {
    let two = [question("t.example", Rtype::SOA), question("t.example", Rtype::A)];
    for questions in [&[][..], &two] {
        let asked = message(0, [questions, &[], &[], &[opt(512)]]);
        for transport in [Udp, Tcp] {
            let answer = ask(transport, &asked).expect("an answer");
            assert_eq!(summary(&answer), "FORMERR qr 0/0/0/0 opt1232");
        }
    }
}

#[test]
fn rfc6891_6_1_3_the_version_is_judged_before_options_and_question() {
    let opt = record(".", Rtype::OPT, 1232, 0x0001_0000, &[0, 3, 0]);
    let asked = message(0, [&[question("t.example", Rtype::OPT)], &[], &[], &[opt]]);
    let answer = ask(Udp, &asked).expect("an answer");
    assert_eq!(summary(&answer), "BADVERS qr 1/0/0/0 opt1232");
}

proptest! {
    #[test]
    fn rfc6891_6_1_1_opt_is_in_the_answer_exactly_when_it_was_in_the_query(
        qtype: u16,
        udp_size: u16,
        ttl: u32,
        with: bool,
        option in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let opt = opt_with(udp_size, ttl, &[(65_001, &option)]);
        let additional = if with { vec![opt] } else { Vec::new() };
        let question = question("www.t.example", Rtype(qtype));
        let asked = message(0, [&[question], &[], &[], &additional]);
        let answer = summary(&ask(Udp, &asked).expect("an answer"));
        prop_assert_eq!(answer.contains("opt1232"), with, "{}", answer);
        prop_assert_eq!(answer.contains(" do"), with && ttl & 0x8000 != 0, "{}", answer);
    }

    #[test]
    fn rfc8906_3_whatever_has_the_header_of_a_query_is_answered(
        flags in 0..0x8000_u16,
        counts in proptest::array::uniform4(0..4_u16),
        body in proptest::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..80),
    ) {
        let asked = [header(flags, counts), body].concat();
        for transport in [Udp, Tcp] {
            let answer = ask(transport, &asked).expect("an answer");
            summary(&answer);
        }
    }
}

#[test]
fn a_query_without_opt_gets_none_even_with_an_error() {
    for qname in ["t.example", "other.example", "no.t.example"] {
        let answer = ask(Udp, &query(qname, Rtype::AXFR)).expect("an answer");
        assert!(!summary(&answer).contains("opt"), "{qname}");
    }
}
