//! Any octets as a signed message. Where TSIG stands and what its check comes to is what a plain reading
//! of RFC 8945 over `wire::Message` says, with the MACs of `ring`; what one end signs the other believes,
//! and not with a bit turned.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ring::hmac;
use tsig::sig0::Sig0;
use tsig::{Client, Key, Keys, Rejected, Signed};
use wire::{Class, Message, Name, Rdata, RecordRef, Rtype, Section, TsigAlgorithm};

const NOW_S: u64 = 1_700_000_000;
const SECRET: &[u8] = b"a secret that everybody may know";
const SECTIONS: [Section; 3] = [Section::Answer, Section::Authority, Section::Additional];

fuzz_target!(|octets: &[u8]| {
    let Some((&[choice, at, bit], octets)) = octets.split_first_chunk() else { return };
    let key = Key::new(name("KEY"), TsigAlgorithm::HmacSha256, SECRET, choice & 1 != 0);
    sig0(octets);
    let mut octets = octets.to_vec();
    if choice & 2 != 0
        && let Some(Reference::Signed(tsig)) = read(&octets)
    {
        repair(&mut octets, &tsig);
    }
    // Read after that: a name that points into what lies around it may reach into the MAC.
    let Some(reference) = read(&octets) else { return };
    let found = Signed::find(&octets);
    match &reference {
        Reference::Malformed => assert!(found.is_err()),
        Reference::Unsigned => {
            assert!(found.expect("nothing is wrong").is_none());
            round_trip(&octets, key, (at, bit));
        }
        Reference::Signed(tsig) => {
            let signed = found.expect("nothing is wrong").expect("it is signed");
            assert_eq!(signed.key(), &tsig.owner);
            check(&octets, &signed, tsig, (key, choice & 1 != 0));
        }
    }
});

/// What a plain reading says of a message.
enum Reference {
    Unsigned,
    Malformed,
    Signed(Tsig),
}

/// The record, and where it and its MAC begin.
struct Tsig {
    owner: Name,
    start: usize,
    algorithm: Vec<u8>,
    timers: Vec<u8>,
    mac: std::ops::Range<usize>,
    original_id: [u8; 2],
    error_and_other: Vec<u8>,
}

fn read(octets: &[u8]) -> Option<Reference> {
    let message = Message::parse(octets).ok()?;
    let all = SECTIONS.map(|section| message.records(section).collect::<Vec<_>>());
    let tsigs = all.iter().flatten().filter(|record| record.rtype == Rtype::TSIG).count();
    if tsigs == 0 {
        return Some(Reference::Unsigned);
    }
    let last = all[2].last().filter(|last| last.rtype == Rtype::TSIG && tsigs == 1);
    Some(last.and_then(|last| fields(octets, last)).map_or(Reference::Malformed, Reference::Signed))
}

fn fields(octets: &[u8], record: &RecordRef<'_>) -> Option<Tsig> {
    if record.class != Class::ANY || record.ttl != 0 {
        return None;
    }
    let data = record.raw_data();
    let (_, at) = Name::split_from(data).ok()?;
    let counted =
        |at: usize| Some(usize::from(u16::from_be_bytes(*data.get(at..)?.first_chunk()?)));
    let mac = at + 10..at + 10 + counted(at + 8)?;
    let ends = mac.end + 6 + counted(mac.end + 4)?;
    if ends != data.len() {
        return None;
    }
    let data_at = octets.len() - data.len();
    Some(Tsig {
        owner: record.owner.clone(),
        start: start_of_last(octets),
        algorithm: data[..at].to_vec(),
        timers: data[at..at + 8].to_vec(),
        mac: data_at + mac.start..data_at + mac.end,
        original_id: data[mac.end..mac.end + 2].try_into().ok()?,
        error_and_other: data[mac.end + 2..].to_vec(),
    })
}

/// Where the last record of a message begins.
fn start_of_last(octets: &[u8]) -> usize {
    let number = |at: usize| usize::from(u16::from_be_bytes([octets[at], octets[at + 1]]));
    let skip_name = |at: usize| {
        let labels = |at: &usize| Some(at + 1 + usize::from(octets[*at]));
        let end =
            std::iter::successors(Some(at), labels).find(|at| !(1..64).contains(&octets[*at]));
        end.map_or(at, |end| end + if octets[end] == 0 { 1 } else { 2 })
    };
    let questions = (0..number(4)).fold(12, |at, _| skip_name(at) + 4);
    let records = number(6) + number(8) + number(10);
    (1..records).fold(questions, |at, _| skip_name(at) + 10 + number(skip_name(at) + 8))
}

/// What a MAC is made of (RFC 8945 §4.3), for a request.
fn digest_of(octets: &[u8], tsig: &Tsig) -> Vec<u8> {
    let mut digest = octets[..tsig.start].to_vec();
    digest[..2].copy_from_slice(&tsig.original_id);
    let count = u16::from_be_bytes([digest[10], digest[11]]) - 1;
    digest[10..12].copy_from_slice(&count.to_be_bytes());
    digest.extend_from_slice(tsig.owner.to_lowercase().as_wire());
    digest.extend_from_slice(&[0, 255, 0, 0, 0, 0]);
    digest.extend_from_slice(&tsig.algorithm.to_ascii_lowercase());
    digest.extend_from_slice(&tsig.timers);
    digest.extend_from_slice(&tsig.error_and_other);
    digest
}

fn mac_of(octets: &[u8], tsig: &Tsig) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), &digest_of(octets, tsig))
}

/// Puts the right MAC in place of the one that is there, as far as there is room for it.
fn repair(octets: &mut [u8], tsig: &Tsig) {
    let mac = mac_of(octets, tsig);
    for (to, from) in octets[tsig.mac.clone()].iter_mut().zip(mac.as_ref()) {
        *to = *from;
    }
}

/// The result of the check against that of the reference, and the reply to it.
fn check(octets: &[u8], signed: &Signed<'_>, tsig: &Tsig, (key, truncated_ok): (Key, bool)) {
    let is_ours = tsig.owner == name("key")
        && tsig.algorithm.eq_ignore_ascii_case(TsigAlgorithm::HmacSha256.as_wire());
    let mac = mac_of(octets, tsig);
    let sent = &octets[tsig.mac.clone()];
    let time = u64::from_be_bytes([&[0; 2], &tsig.timers[..6]].concat().try_into().expect("eight"));
    let fudge = u64::from(u16::from_be_bytes([tsig.timers[6], tsig.timers[7]]));
    let in_time = (time.saturating_sub(fudge)..=time + fudge).contains(&NOW_S);
    let expected = match () {
        () if !is_ours => "badkey",
        () if !(16..=32).contains(&sent.len()) => "malformed",
        () if sent != &mac.as_ref()[..sent.len()] => "badsig",
        () if !in_time => "badtime",
        () if sent.len() < 32 && !truncated_ok => "badtrunc",
        () => "good",
    };
    let mut reply = vec![0; 12];
    match signed.verify(&Keys::from_iter([key]), NOW_S) {
        Ok(verified) => {
            assert_eq!(expected, "good");
            assert_eq!(verified.mac().as_octets(), mac.as_ref());
            verified.sign(&mut reply, 0, NOW_S);
            assert_eq!(reply.len(), 12 + verified.room());
        }
        Err(Rejected::Malformed) => assert_eq!(expected, "malformed"),
        Err(Rejected::Fault(fault)) => {
            assert_eq!(fault.problem().word(), expected);
            fault.append(&mut reply, 0, NOW_S);
            assert_eq!(reply.len(), 12 + fault.room());
        }
    }
    if expected != "malformed" {
        let reply = Message::parse(&reply).expect("what we send is a message");
        let last = reply.records(Section::Additional).last().expect("TSIG");
        assert_eq!((last.owner, last.rtype), (tsig.owner.clone(), Rtype::TSIG));
    }
}

/// Both ends with a message of any kind, as the request and as the response.
fn round_trip(octets: &[u8], key: Key, (at, bit): (u8, u8)) {
    let keys = Keys::from_iter([key]);
    let key = keys.get(&name("key")).expect("the key");
    let mut request = octets.to_vec();
    let mut client = Client::sign(key, &mut request, NOW_S);
    let verify = |message: &[u8]| match Signed::find(message) {
        Ok(Some(signed)) => signed.verify(&keys, NOW_S).ok(),
        Ok(None) | Err(_) => None,
    };
    let mut stream = verify(&request).expect("the server believes it").stream();
    for _ in 0..3 {
        let mut response = [&[1, 2], octets].concat();
        stream.sign(&mut response, 2, NOW_S);
        assert_eq!(response.len(), 2 + octets.len() + stream.room());
        client.verify(&response[2..], NOW_S).expect("the client believes it");
        assert!(client.is_certain());
    }
    // The id is not signed, nor in which letters the names of key and algorithm are.
    let at = 2 + usize::from(at) * (request.len() - 2) / 256;
    let names = octets.len()..octets.len() + 5 + 10 + 13;
    let before = request[at];
    request[at] ^= 1 << (bit & 7);
    let is_same = names.contains(&at) && request[at].eq_ignore_ascii_case(&before);
    assert_eq!(verify(&request).is_some(), is_same, "octet {at}");
}

/// A signature by nobody's key is never good.
fn sig0(octets: &[u8]) {
    let Ok(Some(sig)) = Sig0::find(octets) else { return };
    let _ = (sig.signer(), sig.identity());
    let data = [&[2, 0, 3, 15][..], &[7; 32]].concat();
    let key = Rdata::new(Rtype::KEY, &data).expect("a key");
    assert!(sig.verify([&key], NOW_S).is_err());
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}
