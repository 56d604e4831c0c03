//! Version 2: leases of records, keys with a policy, hosts that expire, zones that are scavenged.
//! What it says of everything else is what version 1 says.

use std::net::IpAddr;

use account::{
    Actions, Credential, Entity, Host, HostExpiry, KeyPolicy, NamePattern, OnExpiry, Scavenge,
    Scope, Timestamp, Token, TsigAlgorithm, TsigKey, ZoneEntry,
};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::Delta;

use super::octets::{
    Octets, list, moment, option, put_counted, put_moment, put_name, put_name_under, put_option,
    put_signed, put_varint,
};
use super::{CodecError, v1};
use crate::event::{ActorRef, EventBody, Fact, ImportId, RecordLease};
use crate::item::Item;
use crate::part::Part;

pub(super) const VERSION: u8 = 2;

pub(super) fn body(octets: &[u8]) -> Result<EventBody, CodecError> {
    v1::body_of(octets, fact)
}

pub(super) fn item(octets: &[u8]) -> Result<Item, CodecError> {
    let mut octets = Octets::new(octets);
    let item = match octets.octet()? {
        LEASE => {
            let zone = octets.name()?;
            let lease = lease(&mut octets, &zone)?;
            Item::Lease { zone, lease }
        }
        kind => v1::item_of(kind, &mut octets, entity)?,
    };
    octets.end()?;
    Ok(item)
}

fn fact(octets: &mut Octets<'_>) -> Result<Fact, CodecError> {
    match octets.octet()? {
        LEASED => {
            let zone = octets.name()?;
            let leases = list(octets, |octets| lease(octets, &zone))?;
            Ok(Fact::Leased { zone, leases })
        }
        kind => v1::fact_of(kind, octets, entity),
    }
}

fn lease(octets: &mut Octets<'_>, zone: &Name) -> Result<RecordLease, CodecError> {
    let owner = octets.name_under(zone)?;
    let rtype = v1::rtype(octets)?;
    let rdata = Rdata::new(rtype, octets.counted()?);
    Ok(RecordLease {
        owner,
        rtype,
        rdata: rdata.map_err(|_| CodecError::Malformed("rdata"))?,
        from: Timestamp(octets.signed()?),
        lease_s: octets.u32()?,
        until: Timestamp(octets.signed()?),
    })
}

fn entity(octets: &mut Octets<'_>) -> Result<Entity, CodecError> {
    match octets.octet()? {
        ZONE => zone(octets).map(Entity::Zone),
        HOST => host(octets).map(Entity::Host),
        KEY => key(octets).map(Entity::Key),
        kind => v1::entity_of(kind, octets),
    }
}

fn zone(octets: &mut Octets<'_>) -> Result<ZoneEntry, CodecError> {
    let zone = v1::zone(octets)?;
    let scavenge = option(octets, |octets| {
        Ok(Scavenge { no_refresh_s: octets.u32()?, refresh_s: octets.u32()? })
    })?;
    Ok(ZoneEntry { scavenge, ..zone })
}

fn host(octets: &mut Octets<'_>) -> Result<Host, CodecError> {
    let host = v1::host(octets)?;
    let expiry = option(octets, expiry)?.map(Box::new);
    Ok(Host { expiry, parked: moment(octets)?, ..host })
}

fn expiry(octets: &mut Octets<'_>) -> Result<HostExpiry, CodecError> {
    let after_s = octets.u32()?;
    let then = match octets.octet()? {
        0 => OnExpiry::Withdraw,
        1 => OnExpiry::Park(list(octets, address)?),
        2 => OnExpiry::Cname(octets.name()?),
        _ => return Err(CodecError::Malformed("what happens to a host that is gone")),
    };
    Ok(HostExpiry { after_s, then })
}

fn address(octets: &mut Octets<'_>) -> Result<IpAddr, CodecError> {
    match octets.octet()? {
        4 => Ok(octets.array::<4>()?.into()),
        6 => Ok(octets.array::<16>()?.into()),
        _ => Err(CodecError::Malformed("family of an address")),
    }
}

fn key(octets: &mut Octets<'_>) -> Result<TsigKey, CodecError> {
    Ok(TsigKey {
        name: octets.name()?,
        credential: match octets.octet()? {
            0 => Credential::Sig0,
            1 => v1::shared(octets)?,
            _ => return Err(CodecError::Malformed("kind of a key")),
        },
        zones: list(octets, Octets::name)?,
        update: octets.flag()?,
        transfer: octets.flag()?,
        policy: KeyPolicy {
            names: list(octets, pattern)?,
            types: list(octets, v1::rtype)?,
            actions: Actions { add: octets.flag()?, delete: octets.flag()? },
        },
        truncated_ok: octets.flag()?,
        created: Timestamp(octets.signed()?),
    })
}

fn pattern(octets: &mut Octets<'_>) -> Result<NamePattern, CodecError> {
    Ok(match octets.octet()? {
        1 => NamePattern::Exact(octets.name()?),
        2 => NamePattern::Below(octets.name()?),
        3 => NamePattern::SelfName,
        4 => NamePattern::SelfSubtree,
        _ => return Err(CodecError::Malformed("kind of a name pattern")),
    })
}

pub(super) fn put_body(out: &mut Vec<u8>, body: &EventBody) {
    put_signed(out, body.at.0);
    put_actor(out, &body.actor);
    put_option(out, body.origin_commitment.as_ref(), |out, hash| out.extend_from_slice(hash));
    put_varint(out, body.facts.len() as u64);
    for fact in &body.facts {
        put_fact(out, fact);
    }
}

pub(super) fn put_item(out: &mut Vec<u8>, item: &Item) {
    match item {
        Item::At { pos, hash, at } => {
            out.push(1);
            put_varint(out, pos.0);
            out.extend_from_slice(&hash.0);
            put_signed(out, at.0);
        }
        Item::Entity(entity) => {
            out.push(2);
            put_entity(out, entity);
        }
        Item::Zone { apex, serial } => {
            out.push(3);
            put_name(out, apex);
            put_varint(out, u64::from(serial.0));
        }
        Item::Rrset { zone, owner, rtype, rrset } => {
            out.push(4);
            put_name(out, zone);
            put_keyed(out, zone, owner, *rtype, rrset);
        }
        Item::Staged { import, zone, part } => {
            out.push(5);
            put_staged(out, *import, zone, part);
        }
        Item::Lease { zone, lease } => {
            out.push(LEASE);
            put_name(out, zone);
            put_lease(out, zone, lease);
        }
    }
}

fn put_actor(out: &mut Vec<u8>, actor: &ActorRef) {
    match actor {
        ActorRef::System => out.push(0),
        ActorRef::Operator => out.push(1),
        ActorRef::Token(id) => {
            out.push(2);
            put_varint(out, id.0);
        }
        ActorRef::Key(name) => {
            out.push(3);
            put_name(out, name);
        }
    }
}

fn put_fact(out: &mut Vec<u8>, fact: &Fact) {
    match fact {
        Fact::Changed { zone, serial, lease_s, deltas } => {
            out.push(1);
            put_name(out, zone);
            put_varint(out, u64::from(serial.0));
            put_option(out, lease_s.as_ref(), |out, lease| put_varint(out, u64::from(*lease)));
            put_varint(out, deltas.len() as u64);
            for delta in deltas {
                put_delta(out, zone, delta);
            }
        }
        Fact::Entity { before, after } => {
            out.push(2);
            put_option(out, before.as_ref(), put_entity);
            put_option(out, after.as_ref(), put_entity);
        }
        Fact::ZoneDropped { zone } => {
            out.push(3);
            put_name(out, zone);
        }
        Fact::Staged { import, zone, part } => {
            out.push(4);
            put_staged(out, *import, zone, part);
        }
        Fact::Imported { import, zone, serial } => {
            out.push(5);
            put_varint(out, import.0);
            put_name(out, zone);
            put_varint(out, u64::from(serial.0));
        }
        Fact::ImportDropped { import } => {
            out.push(6);
            put_varint(out, import.0);
        }
        Fact::Seen { hosts } => {
            out.push(7);
            put_varint(out, hosts.len() as u64);
            for (host, at) in hosts {
                put_name(out, host);
                put_signed(out, at.0);
            }
        }
        Fact::Leased { zone, leases } => {
            out.push(LEASED);
            put_name(out, zone);
            put_varint(out, leases.len() as u64);
            for lease in leases {
                put_lease(out, zone, lease);
            }
        }
    }
}

fn put_delta(out: &mut Vec<u8>, zone: &Name, delta: &Delta) {
    put_name_under(out, &delta.owner, zone);
    put_varint(out, u64::from(delta.rtype.0));
    put_option(out, delta.before.as_ref(), put_rrset);
    put_option(out, delta.after.as_ref(), put_rrset);
}

pub(super) fn put_rrset(out: &mut Vec<u8>, rrset: &Rrset) {
    put_varint(out, u64::from(rrset.ttl_s));
    put_varint(out, rrset.rdata.len() as u64);
    for rdata in &rrset.rdata {
        put_counted(out, rdata.as_wire());
    }
}

fn put_keyed(out: &mut Vec<u8>, zone: &Name, owner: &Name, rtype: Rtype, rrset: &Rrset) {
    put_name_under(out, owner, zone);
    put_varint(out, u64::from(rtype.0));
    put_rrset(out, rrset);
}

fn put_staged(out: &mut Vec<u8>, import: ImportId, zone: &Name, part: &Part) {
    put_varint(out, import.0);
    put_name(out, zone);
    part.put(out);
}

fn put_lease(out: &mut Vec<u8>, zone: &Name, lease: &RecordLease) {
    put_name_under(out, &lease.owner, zone);
    put_varint(out, u64::from(lease.rtype.0));
    put_counted(out, lease.rdata.as_wire());
    put_signed(out, lease.from.0);
    put_varint(out, u64::from(lease.lease_s));
    put_signed(out, lease.until.0);
}

fn put_entity(out: &mut Vec<u8>, entity: &Entity) {
    match entity {
        Entity::Account(account) => {
            out.push(1);
            put_varint(out, account.id.0);
            put_counted(out, account.name.as_bytes());
            put_signed(out, account.created.0);
            out.push(u8::from(account.frozen));
            put_moment(out, account.tokens_void_until);
        }
        Entity::Zone(zone) => {
            out.push(ZONE);
            put_zone(out, zone);
        }
        Entity::Host(host) => {
            out.push(HOST);
            put_host(out, host);
        }
        Entity::Token(token) => {
            out.push(4);
            put_token(out, token);
        }
        Entity::Key(key) => {
            out.push(KEY);
            put_key(out, key);
        }
    }
}

fn put_zone(out: &mut Vec<u8>, zone: &ZoneEntry) {
    put_name(out, &zone.apex);
    put_varint(out, zone.account.0);
    put_signed(out, zone.created.0);
    out.push(u8::from(zone.suffix));
    put_varint(out, u64::from(zone.host_ttl_s));
    put_option(out, zone.scavenge.as_ref(), |out, scavenge| {
        put_varint(out, u64::from(scavenge.no_refresh_s));
        put_varint(out, u64::from(scavenge.refresh_s));
    });
}

fn put_host(out: &mut Vec<u8>, host: &Host) {
    put_name(out, &host.name);
    put_name(out, &host.zone);
    put_varint(out, host.account.0);
    put_signed(out, host.created.0);
    put_option(out, host.ttl_s.as_ref(), |out, ttl| put_varint(out, u64::from(*ttl)));
    out.push(u8::from(host.private_ok));
    put_option(out, host.scope.as_ref(), |out, (scope, since)| {
        out.push(match scope {
            Scope::Public => 0,
            Scope::Private => 1,
        });
        put_signed(out, since.0);
    });
    put_moment(out, host.last_seen);
    put_option(out, host.expiry.as_deref(), put_expiry);
    put_moment(out, host.parked);
}

fn put_expiry(out: &mut Vec<u8>, expiry: &HostExpiry) {
    put_varint(out, u64::from(expiry.after_s));
    match &expiry.then {
        OnExpiry::Withdraw => out.push(0),
        OnExpiry::Park(addresses) => {
            out.push(1);
            put_varint(out, addresses.len() as u64);
            for address in addresses {
                put_address(out, *address);
            }
        }
        OnExpiry::Cname(target) => {
            out.push(2);
            put_name(out, target);
        }
    }
}

fn put_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            out.push(4);
            out.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            out.push(6);
            out.extend_from_slice(&address.octets());
        }
    }
}

fn put_token(out: &mut Vec<u8>, token: &Token) {
    put_varint(out, token.id.0);
    put_varint(out, token.account.0);
    out.extend_from_slice(&token.hash);
    put_varint(out, token.hosts.len() as u64);
    for host in &token.hosts {
        put_name(out, host);
    }
    put_counted(out, token.label.as_bytes());
    put_signed(out, token.created.0);
    put_moment(out, token.revoked);
    put_moment(out, token.exposed);
}

fn put_key(out: &mut Vec<u8>, key: &TsigKey) {
    put_name(out, &key.name);
    match &key.credential {
        Credential::Sig0 => out.push(0),
        Credential::Shared { algorithm, secret } => {
            out.push(1);
            out.push(match algorithm {
                TsigAlgorithm::HmacMd5 => 1,
                TsigAlgorithm::HmacSha1 => 2,
                TsigAlgorithm::HmacSha224 => 3,
                TsigAlgorithm::HmacSha256 => 4,
                TsigAlgorithm::HmacSha384 => 5,
                TsigAlgorithm::HmacSha512 => 6,
            });
            put_counted(out, secret);
        }
    }
    put_varint(out, key.zones.len() as u64);
    for zone in &key.zones {
        put_name(out, zone);
    }
    out.push(u8::from(key.update));
    out.push(u8::from(key.transfer));
    put_policy(out, &key.policy);
    out.push(u8::from(key.truncated_ok));
    put_signed(out, key.created.0);
}

fn put_policy(out: &mut Vec<u8>, policy: &KeyPolicy) {
    put_varint(out, policy.names.len() as u64);
    for pattern in &policy.names {
        match pattern {
            NamePattern::Exact(name) => {
                out.push(1);
                put_name(out, name);
            }
            NamePattern::Below(name) => {
                out.push(2);
                put_name(out, name);
            }
            NamePattern::SelfName => out.push(3),
            NamePattern::SelfSubtree => out.push(4),
        }
    }
    put_varint(out, policy.types.len() as u64);
    for rtype in &policy.types {
        put_varint(out, u64::from(rtype.0));
    }
    out.push(u8::from(policy.actions.add));
    out.push(u8::from(policy.actions.delete));
}

/// Kind of an item that is a lease.
const LEASE: u8 = 6;
/// Kind of a fact about leases.
const LEASED: u8 = 8;
/// Kind of an entity that is a zone.
const ZONE: u8 = 2;
/// Kind of an entity that is a host.
const HOST: u8 = 3;
/// Kind of an entity that is a key.
const KEY: u8 = 5;
