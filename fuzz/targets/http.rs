//! Any octets from a device, in pieces: nothing panics, how they are cut does not matter, and what
//! is understood as an update keeps its limits.
#![no_main]

use dialect::http::{Limits, Reader, Request};
use dialect::{
    Ask, Code, HOSTS_MAX, Hosts, Outcome, Profile, TXT_MAX, TXT_OCTETS_MAX, TxtAction,
};
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
                understand(whole);
            }
            (Err(whole), Err(pieces)) => assert_eq!(whole, pieces),
            _ => panic!("how the octets are cut does not matter"),
        }
    }
});

/// Every profile reads any request, whether it is meant or not, and answers it.
fn understand(request: &Request) {
    let _ = Profile::detect(request);
    for profile in Profile::ALL {
        let _ = profile.credentials(request);
        let outcome = match profile.parse(request) {
            Ok(ask) => {
                check(&ask);
                Outcome::bare("h.example", Code::Good)
            }
            Err(refusal) => Outcome::whole(refusal.code),
        };
        assert!((200..600).contains(&profile.render(request, &[outcome]).status));
    }
}

/// What is understood keeps its limits.
fn check(ask: &Ask) {
    if let Hosts::Named(hosts) | Hosts::Labels(hosts) = &ask.hosts {
        assert!((1..=HOSTS_MAX).contains(&hosts.len()));
    }
    assert!(ask.own.len() <= HOSTS_MAX && ask.txt.len() <= TXT_MAX);
    for edit in &ask.txt {
        if let TxtAction::Replace(value) | TxtAction::Add { value, .. } = &edit.action {
            assert!((1..=TXT_OCTETS_MAX).contains(&value.len()));
        }
    }
}

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
