//! Any octets from a device, in pieces: nothing panics, how they are cut does not matter, and what
//! is understood as an update keeps its limits.
#![no_main]

use dialect::dyndns2;
use dialect::http::{Limits, Reader, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&cut, octets)) = octets.split_first() else { return };
    let whole = read(octets, octets.len().max(1));
    let pieces = read(octets, usize::from(cut).max(1));
    assert_eq!(whole.len(), pieces.len(), "how the octets are cut does not matter");
    for (whole, pieces) in whole.iter().zip(&pieces) {
        match (whole, pieces) {
            (Ok(whole), Ok(pieces)) => {
                assert_eq!(whole.path, pieces.path);
                assert_eq!(whole.parameters, pieces.parameters);
                assert_eq!(whole.persistent, pieces.persistent);
                let _ = dyndns2::parse(whole);
            }
            (Err(whole), Err(pieces)) => assert_eq!(whole, pieces),
            _ => panic!("how the octets are cut does not matter"),
        }
    }
});

/// All requests of a connection, up to the first that is malformed or the last.
fn read(octets: &[u8], piece: usize) -> Vec<Result<Request, u16>> {
    let mut reader = Reader::new(Limits::default());
    let mut requests = Vec::new();
    for piece in octets.chunks(piece) {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(None) => break,
                Ok(Some(request)) => {
                    let persistent = request.persistent;
                    requests.push(Ok(request));
                    if !persistent {
                        return requests;
                    }
                }
                Err(malformed) => {
                    requests.push(Err(malformed.status));
                    return requests;
                }
            }
        }
    }
    match reader.end() {
        Ok(Some(request)) => requests.push(Ok(request)),
        Ok(None) => {}
        Err(malformed) => requests.push(Err(malformed.status)),
    }
    requests
}
