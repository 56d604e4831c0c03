//! RFC 8945: signed queries.

use std::sync::Arc;

use arc_swap::ArcSwap;
use server::Transport::{Tcp, Udp};
use server::{Counters, Served, respond};
use tsig::{Client, Key, Keys};
use wire::{Name, Rtype, TsigAlgorithm};

use crate::raw::{message, opt, opt_with, question, record, summary};
use crate::world::{ask, zones};

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
fn tsig_that_says_what_is_wrong_comes_before_the_question_and_is_left_out_where_nothing_helps() {
    let label = |length: u8| [&[length][..], &vec![b'k'; length.into()]].concat();
    for (labels, over_udp) in
        [(vec![63, 63, 63], "NOTAUTH qr 0/0/0/1"), (vec![63, 63, 63, 61], "NOTAUTH qr 1/0/0/0")]
    {
        let name = [labels.into_iter().flat_map(label).collect(), vec![0]].concat();
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
        let answer = ask(Udp, &asked).expect("an answer");
        assert!(answer.len() <= 512);
        assert_eq!(summary(&answer), over_udp);
        assert_eq!(summary(&ask(Tcp, &asked).expect("an answer")), "NOTAUTH qr 1/0/0/1");
    }
}

#[test]
fn rfc8945_5_3_answers_with_their_signature_are_as_long_as_the_client_takes() {
    let long = |octets: usize| {
        let labels = vec!["k".repeat(63); octets / 64].join(".");
        format!("{labels}.t.example")
    };
    let name = |text: &str| Name::parse(text).expect("a name");
    let short_key = name("k.test");
    let long_key = name(&[vec!["k".repeat(63); 3], vec!["k".repeat(40)]].concat().join("."));
    let (middle, whole) = (long(128), long(192));
    for (key, qname, edns, over_udp) in [
        // It fits.
        (&short_key, "www.t.example", None, "NOERROR qr aa 1/1/0/1"),
        // Truncated for the sake of the signature: the question, NOERROR, and TC.
        (&short_key, "big.t.example", None, "NOERROR qr tc 1/0/0/1"),
        (&long_key, middle.as_str(), None, "NOERROR qr tc 1/0/0/1"),
        // Not even the question fits with it.
        (&long_key, whole.as_str(), None, "NOERROR qr tc 0/0/0/1"),
        (&long_key, whole.as_str(), Some(512), "NOERROR qr tc 0/0/0/1 opt1232"),
        (&long_key, whole.as_str(), Some(1232), "NXDOMAIN qr aa 1/0/1/1 opt1232"),
    ] {
        let key = || Key::new(key.clone(), TsigAlgorithm::HmacSha512, b"secret", false);
        let keys = Arc::new(ArcSwap::from_pointee(Keys::default().with(key())));
        let served = Served { keys, ..Served::new(zones()) };
        let rtype = if qname == "big.t.example" { Rtype::TXT } else { Rtype::A };
        let additional: Vec<Vec<u8>> = edns.into_iter().map(opt).collect();
        let mut asked = message(0, [&[question(qname, rtype)], &[], &[], &additional]);
        let now_s = now_s();
        let mut client = Client::sign(&Arc::new(key()), &mut asked, now_s);
        let mut answer = Vec::new();
        respond(&served, Udp, &asked, (&mut answer, &Counters::new())).expect("an answer");
        let limit = edns.map_or(512, usize::from);
        assert!(answer.len() <= limit, "{qname}: {} octets", answer.len());
        assert_eq!(client.verify(&answer, now_s), Ok(()), "{qname}");
        assert_eq!(summary(&answer), over_udp, "{qname}");
    }
}

fn now_s() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}
