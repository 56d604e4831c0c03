//! Hosts that are updated over HTTP: their names, tokens, addresses and requests are computed from
//! their numbers, never listed.

use std::error::Error;
use std::net::Ipv4Addr;
use std::path::Path;

use account::secret::Secret;
use account::{AccountId, Actor};
use data_encoding::BASE64;
use engine::{HostPatch, NewToken, NewZone, Operation, Outcome, Request};
use node::{Node, Options};
use wire::{Name, Rdata, Rrset, Rtype, Serial, Soa};

use crate::hosts::{label, scramble};

/// The zone that the hosts lie in.
pub const ZONE: &str = "dyn.example";

/// Makes a data directory with so many hosts, each with a token of its own.
///
/// # Errors
/// When the directory cannot be opened, or something of this is in it already.
pub fn prepare(data: &Path, hosts: u32) -> Result<(), Box<dyn Error>> {
    let options =
        Options { data: data.to_owned(), name: "bench".to_owned(), log_ms: None, origins_ms: None };
    let node = Node::open(&options)?;
    let apex = Name::parse(ZONE)?;
    operate(&node, [Ok(Operation::AddZone(zone(&apex)?))])?;
    operate(&node, (0..hosts).map(|host| add(&apex, host)))?;
    node.stop();
    Ok(())
}

/// The whole request that gives a host an address. `closing`: it is the last one of its connection.
pub fn request(host: u32, address: Ipv4Addr, closing: bool, out: &mut Vec<u8>) {
    let mut name = Vec::new();
    label(host, &mut name);
    out.clear();
    out.extend_from_slice(b"GET /nic/update?hostname=");
    out.extend(name.iter().skip(1));
    out.extend_from_slice(b".");
    out.extend_from_slice(ZONE.as_bytes());
    out.extend_from_slice(b"&myip=");
    out.extend_from_slice(address.to_string().as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1\r\n");
    out.extend_from_slice(b"Authorization: Basic ");
    let credentials = format!("bench:{}", secret(host).reveal());
    out.extend_from_slice(BASE64.encode(credentials.as_bytes()).as_bytes());
    out.extend_from_slice(if closing { CLOSE } else { b"\r\n\r\n" });
}

/// The address that a host has when nothing changes.
pub fn own_address(host: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0900_0000 | host & 0x00ff_ffff)
}

/// The address of a change: another one than that of the changes before it, and than the own
/// address of any host.
pub fn new_address(change: u64) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0800_0000 | (change & 0x00ff_ffff) as u32)
}

fn secret(host: u32) -> Secret {
    let half = scramble(u64::from(host) ^ 0x70ce).to_be_bytes();
    let other = scramble(u64::from(host) ^ 0xecef).to_be_bytes();
    let mut random = [0; 16];
    random.iter_mut().zip(half.into_iter().chain(other)).for_each(|(to, from)| *to = from);
    Secret::from_random(random)
}

fn add(apex: &Name, host: u32) -> Result<Operation, Box<dyn Error>> {
    let mut own = Vec::new();
    label(host, &mut own);
    Ok(Operation::AddHost {
        name: apex.child(own.get(1..).unwrap_or_default())?,
        account: AccountId(0),
        policy: HostPatch::default(),
        token: NewToken { hash: secret(host).hash(), ..NewToken::default() },
    })
}

fn zone(apex: &Name) -> Result<NewZone, Box<dyn Error>> {
    let ns = apex.child(b"ns1")?;
    let soa = Rdata::soa(&Soa {
        mname: ns.clone(),
        rname: apex.child(b"hostmaster")?,
        serial: 1,
        refresh_s: 3600,
        retry_s: 600,
        expire_s: 86_400,
        minimum_s: 60,
    });
    let one = |rdata| Rrset { ttl_s: 3600, rdata: vec![rdata] };
    let rrsets = vec![
        (apex.clone(), Rtype::SOA, one(soa)),
        (apex.clone(), Rtype::NS, one(Rdata::name(&ns))),
        (ns, Rtype::A, one(Rdata::a(Ipv4Addr::new(192, 0, 2, 53)))),
    ];
    let apex = apex.clone();
    let serial = Serial(1);
    Ok(NewZone { apex, account: AccountId(0), suffix: false, host_ttl_s: 60, rrsets, serial })
}

/// Submits operations of the operator, many at once, and waits for all of them.
fn operate(
    node: &Node,
    operations: impl IntoIterator<Item = Result<Operation, Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>> {
    let mut operations = operations.into_iter().peekable();
    while operations.peek().is_some() {
        let mut waiting = Vec::with_capacity(WINDOW);
        for operation in operations.by_ref().take(WINDOW) {
            let operation = operation?;
            let request = Request { actor: Actor::Operator, origin: None, operation };
            waiting.push(node.client().submit(request)?);
        }
        for outcome in waiting {
            match outcome.blocking_recv()? {
                Outcome::Done { .. } => {}
                other => return Err(format!("not done: {other:?}").into()),
            }
        }
    }
    Ok(())
}

const CLOSE: &[u8] = b"\r\nConnection: close\r\n\r\n";
/// Operations that wait at once.
const WINDOW: usize = 1024;

#[cfg(test)]
mod tests {
    use dialect::http::{Limits, Reader};
    use dialect::{Hosts, Profile, Wanted};

    use super::*;

    #[test]
    fn requests_are_read_as_what_they_mean_and_are_not_odd() {
        for closing in [false, true] {
            let mut octets = Vec::new();
            request(7, Ipv4Addr::new(8, 1, 2, 3), closing, &mut octets);
            let mut reader = Reader::new(Limits::default());
            reader.push(&octets);
            let request = reader.next().unwrap().unwrap();
            assert_eq!(request.persistent, !closing);
            assert!(request.hints.is_empty(), "{:?}", request.hints);
            let profile = Profile::detect(&request).unwrap();
            let ask = profile.parse(&request).unwrap();
            assert!(matches!(ask.hosts, Hosts::Named(hosts) if hosts[0].ends_with(ZONE)));
            assert_eq!(ask.ipv4, Wanted::Addresses(vec![Ipv4Addr::new(8, 1, 2, 3)]));
            assert_eq!(profile.credentials(&request).unwrap().password, secret(7).reveal());
        }
    }

    #[test]
    fn prepared_hosts_can_be_updated_with_their_tokens() {
        let data = tempfile::tempdir().unwrap();
        prepare(data.path(), 3).unwrap();
        let options = Options {
            data: data.path().to_owned(),
            name: "test".to_owned(),
            log_ms: None,
            origins_ms: None,
        };
        let node = Node::open(&options).unwrap();
        let directory = node.live().directory();
        for host in 0..3 {
            let here = std::net::Ipv4Addr::LOCALHOST.into();
            let text = secret(host);
            let actor = directory.authenticate(text.reveal().as_bytes(), node.now(), here).unwrap();
            assert_eq!(actor.hosts().len(), 1);
        }
    }
}
