use wire::{Name, TsigAlgorithm};

use super::*;
use crate::{Keys, Verified};

const ALGORITHM: TsigAlgorithm = TsigAlgorithm::HmacSha256;
const NOW_S: u64 = 1_700_000_000;

fn key(name: &str, truncated_ok: bool) -> Key {
    Key::new(Name::parse(name).unwrap(), ALGORITHM, b"a secret", truncated_ok)
}

/// A question for the address of `a.`, or a response to it.
fn message(flags: [u8; 2]) -> Vec<u8> {
    let [f0, f1] = flags;
    [&[7, 9, f0, f1, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x01a\0\0\x01\0\x01"].concat()
}

fn response() -> Vec<u8> {
    message([0x84, 0])
}

/// A question that was signed, and what a server makes of it.
fn asked() -> (Client, Verified) {
    let mut message = message([0, 0]);
    let client = Client::sign(&Arc::new(key("key", false)), &mut message, NOW_S);
    let keys = Keys::from_iter([key("key", false)]);
    let verified = Signed::find(&message).unwrap().unwrap().verify(&keys, NOW_S).unwrap();
    (client, verified)
}

fn stamp(error: u16, other: &[u8]) -> Stamp<'_> {
    Stamp { time_s: NOW_S, fudge_s: FUDGE_S, original_id: 0x0709, error, other }
}

/// A response whose TSIG holds so many octets of the right MAC.
fn with_mac(client: &Client, stamp: Stamp<'_>, (rcode, octets): (u8, usize)) -> Vec<u8> {
    let mut message = message([0x84, rcode]);
    let mac = stamp.mac(&client.key, Some(&client.previous), (&message, &[]));
    let octets = mac.as_octets().get(..octets).unwrap();
    stamp.append((client.key.name(), ALGORITHM.as_wire()), octets, &mut message, 0);
    message
}

#[test]
fn rfc8945_5_3_1_some_messages_of_a_stream_may_go_without() {
    let (mut client, verified) = asked();
    assert_eq!(client.verify(&response(), NOW_S), Err(ClientError::Unsigned), "the first one");
    assert!(!client.is_certain());
    let mut first = response();
    verified.sign(&mut first, 0, NOW_S);
    client.verify(&first, NOW_S).unwrap();
    assert!(client.is_certain());
    let previous = Mac::new(Signed::find(&first).unwrap().unwrap().mac);
    for _ in 0..99 {
        assert_eq!(client.verify(&response(), NOW_S), Ok(()));
        assert!(!client.is_certain());
    }
    assert_eq!(client.clone().verify(&response(), NOW_S), Err(ClientError::Unsigned));
    let mut last = response();
    let mac = mac_of_next(&client.key, &previous, &[&response().repeat(100)], &stamp(0, &[]));
    stamp(0, &[]).append((client.key.name(), ALGORITHM.as_wire()), mac.as_octets(), &mut last, 0);
    assert_eq!(client.verify(&last, NOW_S), Ok(()));
    assert!(client.is_certain());
}

#[test]
fn rfc8945_5_4_a_client_believes_only_its_own_key_and_time() {
    let (client, verified) = asked();
    let mut good = response();
    verified.sign(&mut good, 0, NOW_S);
    let verify = |message: &[u8], now_s| client.clone().verify(message, now_s);
    assert_eq!(verify(&good, NOW_S), Ok(()));
    assert_eq!(verify(&good, NOW_S + 301), Err(ClientError::BadTime));
    let mut changed = good.clone();
    changed[3] ^= 1;
    assert_eq!(verify(&changed, NOW_S), Err(ClientError::BadSig));
    assert_eq!(verify(&[0; 5], NOW_S), Err(ClientError::Unsigned));
    assert_eq!(verify(&good[..good.len() - 1], NOW_S), Err(ClientError::Unsigned), "cut");
    // The response to another request, a second later.
    let mut request = message([0, 0]);
    let mut other = Client::sign(&client.key, &mut request, NOW_S + 1);
    assert_eq!(other.verify(&good, NOW_S), Err(ClientError::BadSig));
    // Another key with the same secret.
    let mut request = message([0, 0]);
    let mut other = Client::sign(&Arc::new(key("other", false)), &mut request, NOW_S);
    assert_eq!(other.verify(&good, NOW_S), Err(ClientError::Unsigned));
}

#[test]
fn rfc8945_5_2_2_1_truncated_answers_are_for_keys_that_allow_them() {
    let mut request = message([0, 0]);
    for (truncated_ok, octets, expected) in [
        (false, 32, Ok(())),
        (false, 31, Err(ClientError::BadTrunc)),
        (false, 15, Err(ClientError::BadSig)),
        (true, 31, Ok(())),
        (true, 16, Ok(())),
        (true, 15, Err(ClientError::BadSig)),
        (true, 0, Err(ClientError::BadSig)),
    ] {
        let key = Arc::new(key("key", truncated_ok));
        let mut client = Client::sign(&key, &mut request, NOW_S);
        let answer = with_mac(&client, stamp(0, &[]), (0, octets));
        assert_eq!(client.verify(&answer, NOW_S), expected, "{truncated_ok} {octets}");
    }
}

#[test]
fn rfc8945_5_4_refusals_by_their_signature_and_response_code() {
    let clock = [0, 0, 0, 0, 1, 2];
    let refused = |code, signed, server_s| Err(ClientError::Refused { code, signed, server_s });
    for (error, other, (rcode, octets), expected) in [
        (16, &[][..], (9, 0), refused(16, false, None)),
        (17, &[], (9, 0), refused(17, false, None)),
        (17, &[], (0, 0), Err(ClientError::Unsigned)),
        (17, &[], (5, 0), Err(ClientError::Unsigned)),
        (18, &clock, (9, 32), refused(18, true, Some(258))),
        (18, &clock[1..], (9, 32), refused(18, true, None)),
        (18, &clock, (9, 0), refused(18, false, Some(258))),
        (22, &clock, (9, 32), refused(22, true, None)),
        (0, &[], (9, 0), Err(ClientError::BadSig)),
        (0, &[], (9, 32), Ok(())),
    ] {
        let (mut client, _) = asked();
        let answer = with_mac(&client, stamp(error, other), (rcode, octets));
        assert_eq!(client.verify(&answer, NOW_S), expected, "{error} {rcode} {octets}");
    }
}
