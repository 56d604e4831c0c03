use std::sync::Arc;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;
use crate::{Client, ClientError};

/// An UPDATE and the response to it, and for each algorithm the MACs that dnspython 2.8 made for
/// both with [`SECRET`] and the name `Key.Example.` at [`NOW_S`].
const REQUEST: &str = "1234280000010000000200000364796e076578616d706c650000060001\
                       036e6173c00c000100ff000000000000c01d000100010000003c0004c0000207";
const RESPONSE: &str = "1234a80000010000000000000364796e076578616d706c650000060001";
/// The same response with NOTAUTH for its code.
const NOTAUTH: &str = "1234a80900010000000000000364796e076578616d706c650000060001";
const SECRET: &[u8] = b"a secret that everybody may know";
const NOW_S: u64 = 1_700_000_000;
#[rustfmt::skip]
const MACS: [(TsigAlgorithm, &str, &str); 6] = [
    (
        TsigAlgorithm::HmacMd5,
        "1b7fc017f52affff3cbd94e8cc971c17",
        "d389d60c7366e27c9f437e7051e70740",
    ),
    (
        TsigAlgorithm::HmacSha1,
        "ef149640262088be062eb2829bc62fb484721a4b",
        "080f242aa28e6ebf76139e1f3c6e080db998f3f1",
    ),
    (
        TsigAlgorithm::HmacSha224,
        "4cdfe31e7fff52fc04d0c3df1037e16ae935b29f80e48a1c7e4dad9a",
        "76a1c8b76a86fd066cbf80141c68d95b65b83c0ef9b1646d3a010028",
    ),
    (
        TsigAlgorithm::HmacSha256,
        "6054088f71347a907b7ffb93c3735a108d7129552a7430d92eab37a1f9afd6ab",
        "89e656631d0f02b9642c1642e182a52594d77fef86b9fda3372e0dbacfc0fa1e",
    ),
    (
        TsigAlgorithm::HmacSha384,
        "057388d44bc7abc5bdc7f1b007f5931f570ea77eb3baf1193745f70a134bf788f095ee63412d\
         8129a20f11cc85aa8045",
        "2081ab2948f8e8bc60689f2b90e817ecb588961053bb989abe5964d533251373bb96d161237a\
         64f0c6390c1f631a0155",
    ),
    (
        TsigAlgorithm::HmacSha512,
        "51bb6fce8b30a617647ec116a98b0b53aa7392b51b8e9bb8f038f68d701913036a8e55598437\
         78a61ecd23f5c59181eccb96290ae3326686f8749e433214ef08",
        "8bc52ae67c14b5bb3aa6d8c0db99960229d4754e3153f3303192725a1f80859802194e02fede\
         15f1cd2d683f607a0ec251bb67b6e8f789b9cdbb4a832c57d3ee",
    ),
];
/// The MACs of the same response sent three times, as one response of three messages, with
/// hmac-sha256, by dnspython.
const STREAM: [&str; 3] = [
    "89e656631d0f02b9642c1642e182a52594d77fef86b9fda3372e0dbacfc0fa1e",
    "70600f092e59c7fbf20445e8c695dc3dc0932d167d14c20dd5167d42e588ac1f",
    "5f8d79b6edff651967bb3167ee2fbaca102edd1493dd82832aa4008e7f35e7ba",
];
/// The MACs of [`NOTAUTH`] with hmac-sha256, by dnspython: with BADTIME, a day later, to the request
/// with a fudge of 60 seconds; with BADTRUNC, 5 seconds later, to one with 16 octets of its MAC.
const OF_BADTIME: &str = "d846b8da33f12140ec251c0c1511947a18ac01fc149c7d9fa9b7174634c45ac3";
const OF_BADTRUNC: &str = "5ac92229913097ef943708afe33f736a492953f042227edd66c96944f1c7cbdb";
/// The MAC of [`RESPONSE`] to the request with 16 octets of its MAC, with hmac-sha256, by dnspython.
const TO_TRUNCATED: &str = "dd1f3b204fca0a68bdc0cb496e91142daf7d4559be186da71efed4ca2040823a";
/// The request with its TSIG as dnspython writes it: the name of the key is compressed.
const COMPRESSED: &str = "034b6579c01000fa00ff00000000003d0b686d61632d7368613235360000006553f100\
                          012c00206054088f71347a907b7ffb93c3735a108d7129552a7430d92eab37a1f9afd6ab\
                          123400000000";

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn key(algorithm: TsigAlgorithm, truncated_ok: bool) -> Key {
    Key::new(Name::parse("Key.Example.").unwrap(), algorithm, SECRET, truncated_ok)
}

fn keys(algorithm: TsigAlgorithm) -> Keys {
    Keys::from_iter([key(algorithm, false)])
}

/// The request, signed by our own client.
fn request(algorithm: TsigAlgorithm, now_s: u64) -> (Vec<u8>, Client) {
    let mut message = hex(REQUEST);
    let client = Client::sign(&Arc::new(key(algorithm, false)), &mut message, now_s);
    (message, client)
}

fn verify(message: &[u8], keys: &Keys, now_s: u64) -> Result<Verified, Rejected> {
    Signed::find(message)?.ok_or(Rejected::Malformed)?.verify(keys, now_s)
}

fn problem(message: &[u8], keys: &Keys, now_s: u64) -> Option<Problem> {
    match verify(message, keys, now_s) {
        Err(Rejected::Fault(fault)) => Some(fault.problem()),
        Ok(_) | Err(Rejected::Malformed) => None,
    }
}

/// A request whose TSIG is as given.
fn with_tsig(algorithm: &[u8], mac: &[u8], stamp: Stamp<'_>) -> Vec<u8> {
    let mut message = hex(REQUEST);
    let owner = Name::parse("key.example.").unwrap();
    stamp.append((&owner, algorithm), mac, &mut message, 0);
    message
}

fn stamp() -> Stamp<'static> {
    Stamp { time_s: NOW_S, fudge_s: FUDGE_S, original_id: 0x1234, error: 0, other: &[] }
}

#[test]
fn rfc8945_4_3_macs_of_requests_and_responses_are_those_of_another_implementation() {
    for (algorithm, of_request, of_response) in MACS {
        let (message, mut client) = request(algorithm, NOW_S);
        let signed = Signed::find(&message).unwrap().unwrap();
        assert_eq!(HEXLOWER.encode(signed.mac), of_request, "{algorithm:?}");
        let verified = signed.verify(&keys(algorithm), NOW_S).unwrap();
        assert_eq!(HEXLOWER.encode(verified.mac().as_octets()), of_request);

        let mut response = hex(RESPONSE);
        let before = response.len();
        verified.sign(&mut response, 0, NOW_S);
        assert_eq!(response.len(), before + verified.room());
        assert_eq!(HEXLOWER.encode(Signed::find(&response).unwrap().unwrap().mac), of_response);
        assert_eq!(client.verify(&response, NOW_S), Ok(()));
    }
}

#[test]
fn rfc8945_4_2_the_name_of_the_key_may_be_compressed_and_in_any_letters() {
    let mut message = [hex(REQUEST), hex(COMPRESSED)].concat();
    message[11] = 1;
    assert!(verify(&message, &keys(TsigAlgorithm::HmacSha256), NOW_S).is_ok());
}

#[test]
fn rfc8945_4_3_2_the_id_is_the_original_one_whatever_a_forwarder_made_of_it() {
    let (mut message, mut client) = request(TsigAlgorithm::HmacSha256, NOW_S);
    message[0] ^= 0xff;
    let verified = verify(&message, &keys(TsigAlgorithm::HmacSha256), NOW_S).unwrap();
    // The reply has the forwarder's id; the client sees its own again.
    let mut response = hex(RESPONSE);
    response[0] ^= 0xff;
    verified.sign(&mut response, 0, NOW_S);
    assert_eq!(client.clone().verify(&response, NOW_S), Ok(()));
    response[0] ^= 0xff;
    assert_eq!(client.verify(&response, NOW_S), Ok(()));
}

#[test]
fn rfc8945_5_1_tsig_stands_last_and_once() {
    let (message, _) = request(TsigAlgorithm::HmacSha256, NOW_S);
    let tsig = message[hex(REQUEST).len()..].to_vec();
    let mut twice = [message.clone(), tsig.clone()].concat();
    twice[11] = 2;
    let mut as_edit = message.clone();
    (as_edit[9], as_edit[11]) = (3, 0);
    let mut with_more = [message.clone(), b"\0\0\x01\0\x01\0\0\0\0\0\0".to_vec()].concat();
    with_more[11] = 2;
    let mut with_ttl = message.clone();
    let ttl = hex(REQUEST).len() + "\x03key\x07example\0".len() + 4;
    with_ttl[ttl + 3] = 1;
    let mut of_class_in = message.clone();
    (of_class_in[ttl - 2], of_class_in[ttl - 1]) = (0, 1);
    let mut cut = message.clone();
    cut.pop();
    let longer = [message.clone(), vec![0]].concat();
    for (what, message) in [
        ("twice", twice),
        ("as an edit", as_edit),
        ("not last", with_more),
        ("with a TTL", with_ttl),
        ("of class IN", of_class_in),
        ("cut", cut),
        ("octets behind", longer),
    ] {
        assert!(Signed::find(&message).is_err(), "{what}");
    }
    assert!(Signed::find(&hex(REQUEST)).unwrap().is_none());
}

#[test]
fn rfc8945_5_2_1_an_unknown_key_is_told_without_a_signature() {
    let other = Keys::from_iter([Key::new(
        Name::parse("other.example.").unwrap(),
        TsigAlgorithm::HmacSha256,
        SECRET,
        false,
    )]);
    // The right name with another algorithm is no key either.
    for keys in [other, keys(TsigAlgorithm::HmacSha512)] {
        let (message, mut client) = request(TsigAlgorithm::HmacSha256, NOW_S);
        let Err(Rejected::Fault(fault)) = verify(&message, &keys, NOW_S) else { panic!() };
        assert_eq!((fault.problem(), Problem::RCODE), (Problem::BadKey, Rcode::NOTAUTH));
        let mut response = hex(NOTAUTH);
        let before = response.len();
        fault.append(&mut response, 0, NOW_S + 7);
        assert_eq!(response.len(), before + fault.room());
        let signed = Signed::find(&response).unwrap().unwrap();
        assert_eq!((signed.mac, signed.error, signed.time_s), (&[][..], 17, NOW_S));
        let refused = ClientError::Refused { code: 17, signed: false, server_s: None };
        assert_eq!(client.verify(&response, NOW_S), Err(refused));
    }
}

#[test]
fn rfc8945_5_2_1_an_unknown_algorithm_is_repeated_in_the_answer() {
    let message = with_tsig(b"\x08gss-tsig\0", b"token", stamp());
    let Err(Rejected::Fault(fault)) = verify(&message, &Keys::default(), NOW_S) else { panic!() };
    let mut response = hex(NOTAUTH);
    fault.append(&mut response, 0, NOW_S);
    assert_eq!(Signed::find(&response).unwrap().unwrap().algorithm, b"\x08gss-tsig\0");
}

#[test]
fn rfc8945_5_2_2_a_wrong_mac_is_told_without_a_signature() {
    let (mut message, mut client) = request(TsigAlgorithm::HmacSha256, NOW_S);
    // An octet of the address.
    let address = hex(REQUEST).len() - 1;
    message[address] ^= 1;
    let keys = keys(TsigAlgorithm::HmacSha256);
    let Err(Rejected::Fault(fault)) = verify(&message, &keys, NOW_S) else { panic!() };
    assert_eq!(fault.problem(), Problem::BadSig);
    let mut response = hex(NOTAUTH);
    fault.append(&mut response, 0, NOW_S);
    let refused = ClientError::Refused { code: 16, signed: false, server_s: None };
    assert_eq!(client.verify(&response, NOW_S), Err(refused));
}

#[test]
fn rfc8945_4_2_other_data_of_a_request_may_be_anything() {
    // As made by another implementation.
    let mac = hex("073444f1bdc82efe1e25d949a4bd3136854c0542d56d715881afb39ee6edf4ae");
    let algorithm = TsigAlgorithm::HmacSha256;
    let message = with_tsig(algorithm.as_wire(), &mac, Stamp { other: &[0xab; 300], ..stamp() });
    assert!(verify(&message, &keys(algorithm), NOW_S).is_ok());
}

#[test]
fn rfc8945_5_2_2_1_lengths_of_truncated_macs() {
    // Octets of the MAC: formed wrongly, refused by the key's policy, accepted by it.
    let table: [(TsigAlgorithm, &[usize], &[usize], usize); 3] = [
        (TsigAlgorithm::HmacMd5, &[0, 9, 17], &[10, 15], 16),
        (TsigAlgorithm::HmacSha256, &[0, 10, 15, 33], &[16, 31], 32),
        (TsigAlgorithm::HmacSha512, &[0, 31, 65], &[32, 63], 64),
    ];
    for (algorithm, malformed, truncated, whole) in table {
        let strict = keys(algorithm);
        let lenient = Keys::from_iter([key(algorithm, true)]);
        let request = hex(REQUEST);
        let mac = stamp().mac(&key(algorithm, true), None, (&request, &[]));
        let mut octets = mac.as_octets().to_vec();
        octets.push(0);
        let with = |len: usize| with_tsig(algorithm.as_wire(), &octets[..len], stamp());
        for &len in malformed {
            let result = verify(&with(len), &lenient, NOW_S);
            assert!(matches!(result, Err(Rejected::Malformed)), "{algorithm:?} {len}");
        }
        for &len in truncated {
            assert_eq!(problem(&with(len), &strict, NOW_S), Some(Problem::BadTrunc), "{len}");
            assert!(verify(&with(len), &lenient, NOW_S).is_ok(), "{algorithm:?} {len}");
        }
        assert!(verify(&with(whole), &strict, NOW_S).is_ok());
    }
}

#[test]
fn rfc8945_5_2_4_a_truncated_mac_that_is_refused_is_told_with_a_signature() {
    let algorithm = TsigAlgorithm::HmacSha256;
    let mac = hex(MACS[3].1);
    let message = with_tsig(algorithm.as_wire(), &mac[..16], stamp());
    let Err(Rejected::Fault(fault)) = verify(&message, &keys(algorithm), NOW_S) else { panic!() };
    let mut response = hex(NOTAUTH);
    let before = response.len();
    fault.append(&mut response, 0, NOW_S + 5);
    assert_eq!(response.len(), before + fault.room());
    let signed = Signed::find(&response).unwrap().unwrap();
    assert_eq!((signed.error, signed.time_s, signed.fudge_s), (22, NOW_S + 5, 300));
    assert_eq!(HEXLOWER.encode(signed.mac), OF_BADTRUNC);
}

#[test]
fn a_truncated_mac_is_no_other_request_than_the_whole_one() {
    let algorithm = TsigAlgorithm::HmacSha256;
    let lenient = Keys::from_iter([key(algorithm, true)]);
    let mac = hex(MACS[3].1);
    for len in 16..=32 {
        let message = with_tsig(algorithm.as_wire(), &mac[..len], stamp());
        let verified = verify(&message, &lenient, NOW_S).unwrap();
        assert_eq!(verified.mac().as_octets(), mac);
    }
}

#[test]
fn rfc8945_5_2_2_1_the_mac_of_a_reply_covers_the_truncated_one_of_the_request() {
    let lenient = key(TsigAlgorithm::HmacSha256, true);
    let message = with_tsig(lenient.algorithm().as_wire(), &hex(MACS[3].1)[..16], stamp());
    let keys = Keys::from_iter([lenient]);
    let verified = verify(&message, &keys, NOW_S).unwrap();
    let (mut alone, mut first) = (hex(RESPONSE), hex(RESPONSE));
    verified.sign(&mut alone, 0, NOW_S);
    verified.stream().sign(&mut first, 0, NOW_S);
    for response in [alone, first] {
        let signed = Signed::find(&response).unwrap().unwrap();
        assert_eq!(HEXLOWER.encode(signed.mac), TO_TRUNCATED);
    }
}

#[test]
fn rfc8945_5_2_3_times_that_are_too_far_apart_are_told_with_ours() {
    let algorithm = TsigAlgorithm::HmacSha256;
    let keys = keys(algorithm);
    for (now_s, expected) in [
        (NOW_S - 301, Some(Problem::BadTime)),
        (NOW_S - 300, None),
        (NOW_S + 300, None),
        (NOW_S + 301, Some(Problem::BadTime)),
    ] {
        let (message, _) = request(algorithm, NOW_S);
        assert_eq!(problem(&message, &keys, now_s), expected, "{now_s}");
    }
}

#[test]
fn rfc8945_5_2_3_bad_time_is_told_with_time_and_fudge_of_the_request_and_our_clock() {
    let algorithm = TsigAlgorithm::HmacSha256;
    let now_s = NOW_S + 86_400;
    let stamp = Stamp { fudge_s: 60, ..stamp() };
    let mac = stamp.mac(&key(algorithm, false), None, (&hex(REQUEST), &[]));
    let message = with_tsig(algorithm.as_wire(), mac.as_octets(), stamp);
    let Err(Rejected::Fault(fault)) = verify(&message, &keys(algorithm), now_s) else { panic!() };
    assert_eq!(fault.problem(), Problem::BadTime);
    let mut response = hex(NOTAUTH);
    let before = response.len();
    fault.append(&mut response, 0, now_s);
    assert_eq!(response.len(), before + fault.room());
    let signed = Signed::find(&response).unwrap().unwrap();
    assert_eq!((signed.error, signed.time_s, signed.fudge_s), (18, NOW_S, 60));
    assert_eq!(signed.other, &now_s.to_be_bytes()[2..]);
    assert_eq!(HEXLOWER.encode(signed.mac), OF_BADTIME);
}

#[test]
fn rfc8945_5_2_the_mac_is_checked_before_the_time() {
    let (mut message, _) = request(TsigAlgorithm::HmacSha256, NOW_S - 10_000);
    message[20] ^= 1;
    let problem = problem(&message, &keys(TsigAlgorithm::HmacSha256), NOW_S);
    assert_eq!(problem, Some(Problem::BadSig));
}

#[test]
fn rfc8945_5_3_1_every_message_of_a_stream_is_signed() {
    let algorithm = TsigAlgorithm::HmacSha256;
    let (message, mut client) = request(algorithm, NOW_S);
    let mut stream = verify(&message, &keys(algorithm), NOW_S).unwrap().stream();
    for expected in STREAM {
        // Behind other octets: those of the length over TCP.
        let mut response = [vec![0, 0], hex(RESPONSE)].concat();
        stream.sign(&mut response, 2, NOW_S);
        let signed = Signed::find(&response[2..]).unwrap().unwrap();
        assert_eq!(HEXLOWER.encode(signed.mac), expected);
        assert_eq!(client.verify(&response[2..], NOW_S), Ok(()));
    }
    let mut again = hex(RESPONSE);
    stream.clone().sign(&mut again, 0, NOW_S);
    assert_eq!(client.verify(&again, NOW_S), Ok(()));
    assert_eq!(client.verify(&again, NOW_S), Err(ClientError::BadSig), "the same once more");
}

#[test]
fn secrets_are_not_shown() {
    let key = Key::new(Name::root(), TsigAlgorithm::HmacSha256, b"visible", false);
    let shown = format!("{key:?} {:?}", Mac::new(b"visible"));
    assert!(!shown.contains("visible") && !shown.contains("118"), "{shown}");
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let keys = keys(TsigAlgorithm::HmacSha256);
        prop_assert!(verify(&octets, &keys, NOW_S).is_err());
    }
}

#[test]
fn no_bit_of_a_signed_message_can_be_turned() {
    let algorithm = TsigAlgorithm::HmacSha256;
    let (message, _) = request(algorithm, NOW_S);
    // Names of key and algorithm are the same in other letters (RFC 8945 §4.3.3), and the message has
    // an id beside its original one.
    let key_name = hex(REQUEST).len()..hex(REQUEST).len() + b"\x03key\x07example\0".len();
    let algorithm_name = key_name.end + 10..key_name.end + 10 + algorithm.as_wire().len();
    for (at, bit) in (0..message.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut turned = message.clone();
        turned[at] ^= 1 << bit;
        let is_name = key_name.contains(&at) || algorithm_name.contains(&at);
        let is_same = at < 2 || is_name && turned[at].eq_ignore_ascii_case(&message[at]);
        let good = verify(&turned, &keys(algorithm), NOW_S).is_ok();
        assert_eq!(good, is_same, "bit {bit} of octet {at}");
    }
}
