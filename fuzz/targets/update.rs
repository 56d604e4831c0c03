//! Any octets as a dynamic update. What is read is written and read again as the same; what is said is
//! a message within its limit; signatures are found where the whole reader sees the last record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tsig::sig0::Sig0;
use tsig::{Keys, Rejected, Signed};
use update::{Unread, Verdict};
use wire::{Message, Opcode, Rcode, Rdata, Rtype, Section, TsigAlgorithm, UpdateLease};
use zone::{Change, Prerequisite};

fuzz_target!(|octets: &[u8]| {
    check_signatures(octets);
    let (about, verdict) = match update::parse(octets) {
        Err(Unread::Silence) => {
            assert!(octets.len() < 12 || octets[2] & 0x80 != 0);
            return;
        }
        Err(Unread::Refuse(about, rcode, why)) => (about, Verdict { rcode, why, lease: None }),
        Ok(read) => {
            check_change(read.change, read.lease);
            let lease = read.lease;
            (read.about, Verdict { rcode: Rcode::NOERROR, why: None, lease })
        }
    };
    let limit = 300 + usize::from(about.envelope.id) % 1000;
    let mut answer = vec![7; 3];
    let len = update::answer(&mut answer, &about.envelope, about.zone, &verdict, (limit, 1232));
    assert!(len == answer.len() - 3 && len <= limit);
    let answer = Message::parse(&answer[3..]).expect("what we send is a message");
    let header = answer.header();
    assert!(header.qr && header.opcode == Opcode::UPDATE && answer.rcode() == verdict.rcode);
});

/// Composed and read again, a change is what it was. Of a message with a flaw only the sound part is.
fn check_change(mut change: Change, lease: Option<UpdateLease>) {
    change.flaw = None;
    let composed = update::compose(1, &change, lease);
    if composed.len() > usize::from(u16::MAX) {
        return;
    }
    let again = update::parse(&composed).expect("what we compose is an update");
    assert_eq!((plain(again.change), again.lease), (plain(change), lease));
}

/// Records of one RRset may have stood apart: then their places move when they are composed.
fn plain(mut change: Change) -> Change {
    change.prerequisites.sort_by_key(|prerequisite| match prerequisite {
        Prerequisite::RrsetEquals(..) => 1,
        _ => 0,
    });
    change
}

fn check_signatures(octets: &[u8]) {
    let key = |algorithm| tsig::Key::new(wire::Name::root(), algorithm, b"secret", true);
    let keys = Keys::from_iter([key(TsigAlgorithm::HmacSha256)]);
    let signed = Signed::find(octets);
    if let Ok(Some(signed)) = &signed {
        match signed.verify(&keys, 1_700_000_000) {
            Ok(_) => panic!("a MAC was guessed"),
            Err(Rejected::Malformed) => {}
            Err(Rejected::Fault(fault)) => {
                let mut answer = vec![0; 12];
                fault.append(&mut answer, 0, 1_700_000_000);
                assert_eq!(answer.len(), 12 + fault.room());
                let found = Signed::find(&answer).expect("what we append is TSIG");
                assert_eq!(found.expect("TSIG").key(), signed.key());
            }
        }
    }
    if let Ok(Some(sig)) = Sig0::find(octets) {
        assert!(sig.verify(std::iter::empty::<&Rdata>(), 1_700_000_000).is_err());
    }
    let Ok(message) = Message::parse(octets) else { return };
    let last = message.records(Section::Additional).last();
    let is_tsig = last.is_some_and(|record| record.rtype == Rtype::TSIG);
    assert!(is_tsig || !matches!(signed, Ok(Some(_))));
}
