//! Any octets as an event, an item and a whole state: nothing panics, and what is accepted is
//! written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use store::codec::{
    StateReader, VERSION, decode_event, decode_item, decode_rrset, encode_event, encode_item,
    encode_rrset, without_origins,
};
use wire::Rtype;

fuzz_target!(|octets: &[u8]| {
    let Some((&kind, octets)) = octets.split_first() else { return };
    match kind % 4 {
        0 => {
            if let Ok((event, rest)) = decode_event(octets) {
                let mut written = Vec::new();
                encode_event(&event, &mut written);
                let (again, _) = decode_event(&written).expect("what we write");
                assert_eq!(again, event);
                assert!(rest.len() < octets.len());
            }
            let _ = without_origins(octets);
        }
        1 => {
            for version in 1..=VERSION {
                if let Ok(item) = decode_item(version, octets) {
                    let mut written = Vec::new();
                    encode_item(&item, &mut written);
                    assert_eq!(decode_item(VERSION, &written).expect("what we write"), item);
                }
            }
        }
        2 => {
            let Some((&[high, low], octets)) = octets.split_first_chunk::<2>() else { return };
            let rtype = Rtype(u16::from_be_bytes([high, low]));
            if let Ok(rrset) = decode_rrset(rtype, octets) {
                let mut written = Vec::new();
                encode_rrset(&rrset, &mut written);
                assert_eq!(decode_rrset(rtype, &written).expect("what we write"), rrset);
            }
        }
        _ => {
            let Ok(items) = StateReader::new(octets) else { return };
            // A reader that has failed says no more.
            let results: Vec<_> = items.collect();
            assert!(results.iter().rev().skip(1).all(Result::is_ok));
        }
    }
});
