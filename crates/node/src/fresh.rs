//! Zones that are made from nothing.

use account::AccountId;
use engine::NewZone;
use wire::{Name, Rdata, Rrset, Rtype, Serial, Soa};

use crate::writer;

/// A zone of the operator's with a SOA and NS records; `ns1` below the apex is its name server when none
/// is given.
pub fn fresh_zone(apex: &Name, servers: &[Name]) -> NewZone {
    // Wraps in 2106 as serials do (RFC 1982).
    let seconds = (writer::now().0 / 1000) & i64::from(u32::MAX);
    let serial = Serial(seconds.try_into().unwrap_or_default());
    let first = below(apex, b"ns1");
    let servers = if servers.is_empty() { std::slice::from_ref(&first) } else { servers };
    let soa = Soa {
        mname: servers.first().cloned().unwrap_or_else(Name::root),
        rname: below(apex, b"hostmaster"),
        serial: serial.0,
        refresh_s: 3600,
        retry_s: 600,
        expire_s: 1_209_600,
        // Negative answers live as long as a host's address: a new host is seen soon.
        minimum_s: DEFAULT_TTL_S,
    };
    let soa = Rrset { ttl_s: APEX_TTL_S, rdata: vec![Rdata::soa(&soa)] };
    let ns = Rrset { ttl_s: APEX_TTL_S, rdata: servers.iter().map(Rdata::name).collect() };
    NewZone {
        apex: apex.clone(),
        account: AccountId(0),
        suffix: false,
        host_ttl_s: DEFAULT_TTL_S,
        rrsets: vec![(apex.clone(), Rtype::SOA, soa), (apex.clone(), Rtype::NS, ns)],
        serial,
    }
}

/// A name below the apex; the apex itself when it is too long for that.
fn below(apex: &Name, label: &[u8]) -> Name {
    apex.child(label).unwrap_or_else(|_| apex.clone())
}

/// TTL of hosts and of negative answers when nothing else is said, in seconds.
const DEFAULT_TTL_S: u32 = 60;
/// TTL of SOA and NS of a new zone, in seconds.
const APEX_TTL_S: u32 = 3600;
