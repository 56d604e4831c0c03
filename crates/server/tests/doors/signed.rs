//! RFC 8945: signed queries, as long as there are no keys.

use server::Transport::{Tcp, Udp};
use wire::Rtype;

use crate::raw::{message, opt, opt_with, question, record, summary};
use crate::world::ask;

/// Data of TSIG: algorithm, time, fudge, MAC, original id, error, other data.
fn data(algorithm: &[u8]) -> Vec<u8> {
    let fixed: &[u8] = &[0, 0, 0x65, 0, 0, 1, 1, 0x2c, 0, 4, 9, 9, 9, 9, 0xbe, 0xef, 0, 0, 0, 0];
    [algorithm, fixed].concat()
}

fn tsig() -> Vec<u8> {
    record("Key.example", Rtype::TSIG, 255, 0, &data(b"\x0bhmac-sha256\0"))
}

fn asked(answers: &[Vec<u8>], additional: &[Vec<u8>]) -> Vec<u8> {
    message(0, [&[question("t.example", Rtype::SOA)], answers, &[], additional])
}

fn told(asked: &[u8]) -> String {
    summary(&ask(Udp, asked).expect("an answer"))
}

#[test]
fn rfc8945_5_2_1_an_unknown_key_is_notauth_with_badkey_and_no_mac() {
    let fixed = [0, 0, 0x65, 0, 0, 1, 1, 0x2c, 0, 0, 0xbe, 0xef, 0, 17, 0, 0];
    let expected =
        record("Key.example", Rtype::TSIG, 255, 0, &[b"\x0bhmac-sha256\0", &fixed[..]].concat());
    for (additional, told) in [
        (vec![tsig()], "NOTAUTH qr 1/0/0/1"),
        (vec![opt(512), tsig()], "NOTAUTH qr 1/0/0/1 opt1232"),
    ] {
        for transport in [Udp, Tcp] {
            let answer = ask(transport, &asked(&[], &additional)).expect("an answer");
            assert_eq!(summary(&answer), told);
            assert!(answer.ends_with(&expected), "{answer:?}");
        }
    }
}

#[test]
fn rfc8945_5_1_tsig_is_the_last_additional_record() {
    assert_eq!(told(&asked(&[], &[tsig(), opt(512)])), "FORMERR qr 0/0/0/0 opt1232");
    assert_eq!(told(&asked(&[], &[tsig(), tsig()])), "FORMERR qr 0/0/0/0");
    assert_eq!(told(&asked(&[tsig()], &[])), "FORMERR qr 0/0/0/0");
}

#[test]
fn rfc8945_5_2_malformed_tsig_is_formerr() {
    let whole = data(b"\x0bhmac-sha256\0");
    for length in 0..whole.len() {
        let tsig = record("key.example", Rtype::TSIG, 255, 0, &whole[..length]);
        assert_eq!(told(&asked(&[], &[tsig])), "FORMERR qr 1/0/0/0", "cut at {length}");
    }
    let beyond = record("key.example", Rtype::TSIG, 255, 0, &[&whole[..], &[0]].concat());
    assert_eq!(told(&asked(&[], &[beyond])), "FORMERR qr 1/0/0/0");
}

#[test]
fn the_version_of_edns_and_the_type_are_judged_before_the_key() {
    let version_1 = opt_with(512, 0x0001_0000, &[]);
    assert_eq!(told(&asked(&[], &[version_1, tsig()])), "BADVERS qr 1/0/0/0 opt1232");
    let nxname = message(0, [&[question("t.example", Rtype::NXNAME)], &[], &[], &[tsig()]]);
    assert_eq!(told(&nxname), "FORMERR qr 1/0/0/0");
}

#[test]
fn tsig_that_does_not_fit_into_the_answer_is_left_out() {
    let long = [b"\x3f".as_slice(), &[b'k'; 63]].concat().repeat(3);
    let name = [&long[..], &[0]].concat();
    let mut tsig = tsig();
    // The owner of 13 octets is replaced by a longer one, and so is the algorithm.
    tsig.splice(..13, name.clone());
    let at = name.len() + 8;
    let data = data(&name);
    let length = u16::try_from(data.len()).expect("short data").to_be_bytes();
    tsig.truncate(at);
    tsig.extend([&length[..], &data].concat());
    let qname = format!("{}.t.example", ["q".repeat(60), "r".repeat(60)].join("."));
    let asked = message(0, [&[question(&qname, Rtype::A)], &[], &[], &[tsig]]);
    let over_udp = ask(Udp, &asked).expect("an answer");
    assert!(over_udp.len() <= 512);
    assert_eq!(summary(&over_udp), "NOTAUTH qr 1/0/0/0");
    assert_eq!(summary(&ask(Tcp, &asked).expect("an answer")), "NOTAUTH qr 1/0/0/1");
}
