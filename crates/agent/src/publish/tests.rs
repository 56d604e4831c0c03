//! The path is read back by the service's end of the same dialect.

use dialect::http::{Limits, Reader};
use dialect::{Ask, Hosts, Profile, Wanted};

use super::*;
use crate::address::Addresses;
use crate::desired::Desired;

fn hold(text: &str) -> Want {
    Want::Hold(Addresses::one(text.parse().unwrap()))
}

fn understood(update: &Update) -> Ask {
    let mut reader = Reader::new(Limits::default());
    let target = path("nas.dyn.example", update);
    reader.push(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let request = reader.next().unwrap().unwrap();
    Profile::detect(&request).unwrap().parse(&request).unwrap()
}

#[test]
fn the_service_understands_what_is_meant_and_preserves_what_is_not_mentioned() {
    let v4 = Wanted::Addresses(vec!["9.0.0.1".parse().unwrap()]);
    let v6 = Wanted::Addresses(vec!["2a00::1".parse().unwrap()]);
    for (ipv4, ipv6, expected_v4, expected_v6) in [
        (hold("9.0.0.1"), hold("2a00::1"), v4.clone(), v6.clone()),
        (hold("9.0.0.1"), Want::Keep, v4.clone(), Wanted::Preserve),
        (Want::Keep, hold("2a00::1"), Wanted::Preserve, v6.clone()),
        (hold("9.0.0.1"), Want::Remove, v4, Wanted::Delete),
        (Want::Remove, hold("2a00::1"), Wanted::Delete, v6),
        (Want::Remove, Want::Keep, Wanted::Delete, Wanted::Preserve),
        (Want::Keep, Want::Remove, Wanted::Preserve, Wanted::Delete),
        (Want::Remove, Want::Remove, Wanted::Delete, Wanted::Delete),
    ] {
        let update = Desired { ipv4, ipv6 };
        let read = understood(&update);
        let hosts = Hosts::Named(vec!["nas.dyn.example".to_owned()]);
        assert_eq!(read.hosts, hosts, "{update:?}");
        assert_eq!((read.ipv4, read.ipv6), (expected_v4, expected_v6), "{update:?}");
    }
}
