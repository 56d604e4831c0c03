//! Version 2: leases of records, keys with a policy, hosts that expire, zones that are scavenged.
//! What it says of everything else is what version 1 says.
//!
//! Nothing is written in it any more. A later version reads with it what has stayed the same.

use std::net::IpAddr;

use account::{
    Actions, Credential, Entity, Host, HostExpiry, KeyPolicy, NamePattern, OnExpiry, Scavenge,
    Timestamp, TsigKey, ZoneEntry,
};
use wire::{Name, Rdata};

use super::octets::{Octets, list, moment, option};
use super::v1::Read;
use super::{CodecError, v1};
use crate::event::{EventBody, Fact, RecordLease};
use crate::item::Item;

pub(super) const VERSION: u8 = 2;

pub(super) fn body(octets: &[u8]) -> Result<EventBody, CodecError> {
    v1::body_of(octets, fact)
}

pub(super) fn item(octets: &[u8]) -> Result<Item, CodecError> {
    item_of(octets, entity)
}

/// An item, with entities of some version.
pub(super) fn item_of(octets: &[u8], entity: Read<Entity>) -> Result<Item, CodecError> {
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
    let kind = octets.octet()?;
    fact_of(kind, octets, entity)
}

/// A fact of this kind, with entities of some version.
pub(super) fn fact_of(
    kind: u8,
    octets: &mut Octets<'_>,
    entity: Read<Entity>,
) -> Result<Fact, CodecError> {
    match kind {
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
    let kind = octets.octet()?;
    entity_of(kind, octets)
}

/// An entity of this kind.
pub(super) fn entity_of(kind: u8, octets: &mut Octets<'_>) -> Result<Entity, CodecError> {
    match kind {
        ZONE => zone(octets).map(Entity::Zone),
        HOST => host(octets).map(Entity::Host),
        KEY => key(octets).map(Entity::Key),
        kind => v1::entity_of(kind, octets),
    }
}

pub(super) fn zone(octets: &mut Octets<'_>) -> Result<ZoneEntry, CodecError> {
    let zone = v1::zone(octets)?;
    let scavenge = option(octets, |octets| {
        Ok(Scavenge { no_refresh_s: octets.u32()?, refresh_s: octets.u32()? })
    })?;
    Ok(ZoneEntry { scavenge, ..zone })
}

pub(super) fn host(octets: &mut Octets<'_>) -> Result<Host, CodecError> {
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

pub(super) fn address(octets: &mut Octets<'_>) -> Result<IpAddr, CodecError> {
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

pub(super) fn pattern(octets: &mut Octets<'_>) -> Result<NamePattern, CodecError> {
    Ok(match octets.octet()? {
        1 => NamePattern::Exact(octets.name()?),
        2 => NamePattern::Below(octets.name()?),
        3 => NamePattern::SelfName,
        4 => NamePattern::SelfSubtree,
        _ => return Err(CodecError::Malformed("kind of a name pattern")),
    })
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
