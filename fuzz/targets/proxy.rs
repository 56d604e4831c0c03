//! Any octets as the beginning of a connection from a proxy: more octets never change what was told
//! from fewer.
#![no_main]

#[path = "../../crates/gateway/src/proxy.rs"]
#[allow(dead_code, reason = "only the reader is called")]
mod proxy;

use libfuzzer_sys::fuzz_target;
use proxy::{Opening, opening};

fuzz_target!(|octets: &[u8]| {
    let whole = opening(octets);
    if let Opening::Header { octets: len, .. } = whole {
        assert!(len <= octets.len());
    }
    for end in 0..octets.len().min(64) {
        match opening(&octets[..end]) {
            Opening::Incomplete => {}
            told => assert_eq!(told, whole),
        }
    }
});
