//! Version 1 of the bodies of events and of items. Frozen: it reads what is on people's disks.

use account::{
    Account, AccountId, Entity, Host, Scope, Timestamp, Token, TokenId, TsigAlgorithm, TsigKey,
    ZoneEntry,
};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::Delta;

use super::CodecError;
use super::octets::{Octets, put_counted, put_name, put_name_under, put_signed, put_varint};
use crate::event::{ActorRef, EventBody, Fact, Hash, ImportId, Pos};
use crate::item::Item;
use crate::part::Part;

pub(super) const VERSION: u8 = 1;

pub(super) fn put_body(out: &mut Vec<u8>, body: &EventBody) {
    put_signed(out, body.at.0);
    put_actor(out, &body.actor);
    put_option(out, body.origin_commitment.as_ref(), |out, hash| out.extend_from_slice(hash));
    put_varint(out, body.facts.len() as u64);
    for fact in &body.facts {
        put_fact(out, fact);
    }
}

pub(super) fn body(octets: &[u8]) -> Result<EventBody, CodecError> {
    let mut octets = Octets::new(octets);
    let at = Timestamp(octets.signed()?);
    let actor = actor(&mut octets)?;
    let origin_commitment = option(&mut octets, |octets| octets.array())?;
    let facts = list(&mut octets, fact)?;
    octets.end()?;
    Ok(EventBody { at, actor, facts, origin_commitment })
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
    }
}

pub(super) fn item(octets: &[u8]) -> Result<Item, CodecError> {
    let mut octets = Octets::new(octets);
    let octets = &mut octets;
    let item = match octets.octet()? {
        1 => Item::At {
            pos: Pos(octets.varint()?),
            hash: Hash(octets.array()?),
            at: Timestamp(octets.signed()?),
        },
        2 => Item::Entity(entity(octets)?),
        3 => Item::Zone { apex: octets.name()?, serial: Serial(octets.u32()?) },
        4 => {
            let zone = octets.name()?;
            let (owner, rtype, rrset) = keyed(octets, &zone)?;
            Item::Rrset { zone, owner, rtype, rrset }
        }
        5 => {
            let (import, zone, part) = staged(octets)?;
            Item::Staged { import, zone, part }
        }
        _ => return Err(CodecError::Malformed("kind of an item")),
    };
    octets.end()?;
    Ok(item)
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

fn actor(octets: &mut Octets<'_>) -> Result<ActorRef, CodecError> {
    match octets.octet()? {
        0 => Ok(ActorRef::System),
        1 => Ok(ActorRef::Operator),
        2 => Ok(ActorRef::Token(TokenId(octets.varint()?))),
        3 => Ok(ActorRef::Key(octets.name()?)),
        _ => Err(CodecError::Malformed("kind of an actor")),
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
    }
}

fn fact(octets: &mut Octets<'_>) -> Result<Fact, CodecError> {
    Ok(match octets.octet()? {
        1 => {
            let zone = octets.name()?;
            let serial = Serial(octets.u32()?);
            let lease_s = option(octets, Octets::u32)?;
            let deltas = list(octets, |octets| delta(octets, &zone))?;
            Fact::Changed { zone, serial, lease_s, deltas }
        }
        2 => Fact::Entity { before: option(octets, entity)?, after: option(octets, entity)? },
        3 => Fact::ZoneDropped { zone: octets.name()? },
        4 => {
            let (import, zone, part) = staged(octets)?;
            Fact::Staged { import, zone, part }
        }
        5 => Fact::Imported {
            import: ImportId(octets.varint()?),
            zone: octets.name()?,
            serial: Serial(octets.u32()?),
        },
        6 => Fact::ImportDropped { import: ImportId(octets.varint()?) },
        7 => Fact::Seen {
            hosts: list(octets, |octets| Ok((octets.name()?, Timestamp(octets.signed()?))))?,
        },
        _ => return Err(CodecError::Malformed("kind of a fact")),
    })
}

fn put_delta(out: &mut Vec<u8>, zone: &Name, delta: &Delta) {
    put_name_under(out, &delta.owner, zone);
    put_varint(out, u64::from(delta.rtype.0));
    put_option(out, delta.before.as_ref(), put_rrset);
    put_option(out, delta.after.as_ref(), put_rrset);
}

fn delta(octets: &mut Octets<'_>, zone: &Name) -> Result<Delta, CodecError> {
    let owner = octets.name_under(zone)?;
    let rtype = rtype(octets)?;
    let before = option(octets, |octets| rrset(octets, rtype))?;
    let after = option(octets, |octets| rrset(octets, rtype))?;
    Ok(Delta { owner, rtype, before, after })
}

pub(super) fn put_rrset(out: &mut Vec<u8>, rrset: &Rrset) {
    put_varint(out, u64::from(rrset.ttl_s));
    put_varint(out, rrset.rdata.len() as u64);
    for rdata in &rrset.rdata {
        put_counted(out, rdata.as_wire());
    }
}

pub(super) fn rrset_alone(octets: &[u8], rtype: Rtype) -> Result<Rrset, CodecError> {
    let mut octets = Octets::new(octets);
    let rrset = rrset(&mut octets, rtype)?;
    octets.end()?;
    Ok(rrset)
}

fn rrset(octets: &mut Octets<'_>, rtype: Rtype) -> Result<Rrset, CodecError> {
    let ttl_s = octets.u32()?;
    let rdata = list(octets, |octets| {
        Rdata::new(rtype, octets.counted()?).map_err(|_| CodecError::Malformed("rdata"))
    })?;
    if rdata.is_empty() {
        return Err(CodecError::Malformed("RRset without records"));
    }
    Ok(Rrset { ttl_s, rdata })
}

fn rtype(octets: &mut Octets<'_>) -> Result<Rtype, CodecError> {
    let rtype = u16::try_from(octets.varint()?);
    rtype.map(Rtype).map_err(|_| CodecError::Malformed("type"))
}

fn put_keyed(out: &mut Vec<u8>, zone: &Name, owner: &Name, rtype: Rtype, rrset: &Rrset) {
    put_name_under(out, owner, zone);
    put_varint(out, u64::from(rtype.0));
    put_rrset(out, rrset);
}

fn keyed(octets: &mut Octets<'_>, zone: &Name) -> Result<(Name, Rtype, Rrset), CodecError> {
    let owner = octets.name_under(zone)?;
    let rtype = rtype(octets)?;
    Ok((owner, rtype, rrset(octets, rtype)?))
}

fn put_staged(out: &mut Vec<u8>, import: ImportId, zone: &Name, part: &Part) {
    put_varint(out, import.0);
    put_name(out, zone);
    part.put(out);
}

fn staged(octets: &mut Octets<'_>) -> Result<(ImportId, Name, Part), CodecError> {
    let import = ImportId(octets.varint()?);
    let zone = octets.name()?;
    let part = Part::read(octets, &zone)?;
    Ok((import, zone, part))
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
            out.push(2);
            put_name(out, &zone.apex);
            put_varint(out, zone.account.0);
            put_signed(out, zone.created.0);
            out.push(u8::from(zone.suffix));
            put_varint(out, u64::from(zone.host_ttl_s));
        }
        Entity::Host(host) => {
            out.push(3);
            put_host(out, host);
        }
        Entity::Token(token) => {
            out.push(4);
            put_token(out, token);
        }
        Entity::Key(key) => {
            out.push(5);
            put_key(out, key);
        }
    }
}

fn entity(octets: &mut Octets<'_>) -> Result<Entity, CodecError> {
    Ok(match octets.octet()? {
        1 => Entity::Account(Account {
            id: AccountId(octets.varint()?),
            name: octets.text()?,
            created: Timestamp(octets.signed()?),
            frozen: octets.flag()?,
            tokens_void_until: moment(octets)?,
        }),
        2 => Entity::Zone(ZoneEntry {
            apex: octets.name()?,
            account: AccountId(octets.varint()?),
            created: Timestamp(octets.signed()?),
            suffix: octets.flag()?,
            host_ttl_s: octets.u32()?,
        }),
        3 => Entity::Host(host(octets)?),
        4 => Entity::Token(token(octets)?),
        5 => Entity::Key(key(octets)?),
        _ => return Err(CodecError::Malformed("kind of an entity")),
    })
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
}

fn host(octets: &mut Octets<'_>) -> Result<Host, CodecError> {
    Ok(Host {
        name: octets.name()?,
        zone: octets.name()?,
        account: AccountId(octets.varint()?),
        created: Timestamp(octets.signed()?),
        ttl_s: option(octets, Octets::u32)?,
        private_ok: octets.flag()?,
        scope: option(octets, |octets| {
            let scope = match octets.octet()? {
                0 => Scope::Public,
                1 => Scope::Private,
                _ => return Err(CodecError::Malformed("scope")),
            };
            Ok((scope, Timestamp(octets.signed()?)))
        })?,
        last_seen: moment(octets)?,
    })
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

fn token(octets: &mut Octets<'_>) -> Result<Token, CodecError> {
    Ok(Token {
        id: TokenId(octets.varint()?),
        account: AccountId(octets.varint()?),
        hash: octets.array()?,
        hosts: list(octets, Octets::name)?,
        label: octets.text()?,
        created: Timestamp(octets.signed()?),
        revoked: moment(octets)?,
        exposed: moment(octets)?,
    })
}

fn put_key(out: &mut Vec<u8>, key: &TsigKey) {
    put_name(out, &key.name);
    out.push(match key.algorithm {
        TsigAlgorithm::HmacMd5 => 1,
        TsigAlgorithm::HmacSha1 => 2,
        TsigAlgorithm::HmacSha224 => 3,
        TsigAlgorithm::HmacSha256 => 4,
        TsigAlgorithm::HmacSha384 => 5,
        TsigAlgorithm::HmacSha512 => 6,
    });
    put_counted(out, &key.secret);
    put_varint(out, key.zones.len() as u64);
    for zone in &key.zones {
        put_name(out, zone);
    }
    out.push(u8::from(key.update));
    out.push(u8::from(key.transfer));
    put_signed(out, key.created.0);
}

fn key(octets: &mut Octets<'_>) -> Result<TsigKey, CodecError> {
    Ok(TsigKey {
        name: octets.name()?,
        algorithm: match octets.octet()? {
            1 => TsigAlgorithm::HmacMd5,
            2 => TsigAlgorithm::HmacSha1,
            3 => TsigAlgorithm::HmacSha224,
            4 => TsigAlgorithm::HmacSha256,
            5 => TsigAlgorithm::HmacSha384,
            6 => TsigAlgorithm::HmacSha512,
            _ => return Err(CodecError::Malformed("algorithm of a key")),
        },
        secret: octets.counted()?.to_vec(),
        zones: list(octets, Octets::name)?,
        update: octets.flag()?,
        transfer: octets.flag()?,
        created: Timestamp(octets.signed()?),
    })
}

fn put_moment(out: &mut Vec<u8>, moment: Option<Timestamp>) {
    put_option(out, moment.as_ref(), |out, moment| put_signed(out, moment.0));
}

fn moment(octets: &mut Octets<'_>) -> Result<Option<Timestamp>, CodecError> {
    option(octets, |octets| Ok(Timestamp(octets.signed()?)))
}

fn put_option<T>(out: &mut Vec<u8>, value: Option<&T>, put: impl FnOnce(&mut Vec<u8>, &T)) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            put(out, value);
        }
    }
}

fn option<'a, T>(
    octets: &mut Octets<'a>,
    read: impl FnOnce(&mut Octets<'a>) -> Result<T, CodecError>,
) -> Result<Option<T>, CodecError> {
    if octets.flag()? { read(octets).map(Some) } else { Ok(None) }
}

fn list<'a, T>(
    octets: &mut Octets<'a>,
    mut read: impl FnMut(&mut Octets<'a>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let count = octets.count()?;
    // A hostile count costs at most this much memory before it is found out.
    let mut list = Vec::with_capacity(count.min(1024));
    for _ in 0..count {
        list.push(read(octets)?);
    }
    Ok(list)
}
