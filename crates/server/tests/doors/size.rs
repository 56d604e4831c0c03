//! How long answers may be, and what gives way.

use server::Transport::{Tcp, Udp};
use wire::Rtype;

use crate::raw::{opt, query, query_with, read, summary};
use crate::world::ask;

#[test]
fn rfc6891_6_2_3_the_size_of_udp_answers_is_what_both_sides_take() {
    // The RRset of MX has about 500 octets with its question, each address behind it 16.
    let table = [
        (None, 512),
        (Some(0), 512),
        (Some(511), 512),
        (Some(512), 512),
        (Some(600), 600),
        (Some(1232), 1232),
        (Some(4096), 1232),
        (Some(65_535), 1232),
    ];
    for (announced, limit) in table {
        for qname in ["post.t.example", "big.t.example", "huge.t.example"] {
            for qtype in [Rtype::MX, Rtype::TXT, Rtype::ANY] {
                let asked = match announced {
                    None => query(qname, qtype),
                    Some(size) => query_with(qname, qtype, opt(size)),
                };
                let answer = ask(Udp, &asked).expect("an answer");
                assert!(answer.len() <= limit, "{qname} {qtype} {announced:?}: {}", answer.len());
            }
        }
    }
}

#[test]
fn rfc2181_9_additional_records_are_left_out_without_a_mark() {
    let tight = ask(Udp, &query("post.t.example", Rtype::MX)).expect("an answer");
    let tight = read(&tight);
    assert_eq!((tight.answers.len(), tight.metadata.truncation), (20, false));
    assert!(tight.additionals.len() < 20, "{}", tight.additionals.len());
    let roomy = ask(Udp, &query_with("post.t.example", Rtype::MX, opt(1232))).expect("an answer");
    let roomy = read(&roomy);
    assert_eq!((roomy.answers.len(), roomy.additionals.len()), (20, 20));
    assert!(!roomy.metadata.truncation);
}

#[test]
fn rfc2181_9_an_rrset_that_does_not_fit_is_left_out_whole_and_marked() {
    let asked = query_with("big.t.example", Rtype::TXT, opt(1232));
    assert_eq!(summary(&ask(Udp, &asked).expect("cut")), "NOERROR qr aa tc 1/0/0/0 opt1232");
    assert_eq!(summary(&ask(Tcp, &asked).expect("whole")), "NOERROR qr aa 1/12/0/0 opt1232");
}

#[test]
fn what_leads_to_an_rrset_that_does_not_fit_is_kept() {
    let asked = query("tobig.t.example", Rtype::TXT);
    assert_eq!(summary(&ask(Udp, &asked).expect("cut")), "NOERROR qr aa tc 1/1/0/0");
    assert_eq!(summary(&ask(Tcp, &asked).expect("whole")), "NOERROR qr aa 1/13/0/0");
}

#[test]
fn rfc7766_5_a_tcp_answer_is_whole_whatever_edns_announces() {
    for asked in
        [query("huge.t.example", Rtype::TXT), query_with("huge.t.example", Rtype::TXT, opt(512))]
    {
        let answer = ask(Tcp, &asked).expect("an answer");
        assert!(answer.len() > 60_000, "{}", answer.len());
        let read = read(&answer);
        assert_eq!((read.answers.len(), read.metadata.truncation), (240, false));
    }
}

#[test]
fn rfc8482_4_1_any_over_udp_answers_with_one_rrset_and_never_amplifies() {
    let asked = query_with("www.t.example", Rtype::ANY, opt(4096));
    let answer = ask(Udp, &asked).expect("an answer");
    assert_eq!(summary(&answer), "NOERROR qr aa 1/1/0/0 opt1232");
    assert!(answer.len() < 2 * asked.len());
}
