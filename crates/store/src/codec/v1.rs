//! Version 1 of the bodies of events and of items. Frozen: it reads what is on people's disks.
//!
//! Nothing is written in it any more. A later version reads with it what has stayed the same.

use account::{
    Account, AccountId, Credential, Entity, Host, KeyPolicy, Limits, Scope, Timestamp, Token,
    TokenId, TsigAlgorithm, TsigKey, ZoneEntry,
};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::Delta;

use super::CodecError;
use super::octets::{Octets, list, moment, option};
use crate::event::{ActorRef, EventBody, Fact, Hash, ImportId, Pos};
use crate::item::Item;
use crate::part::Part;

pub(super) const VERSION: u8 = 1;

/// Reads what only a later version may read otherwise.
pub(super) type Read<T> = fn(&mut Octets<'_>) -> Result<T, CodecError>;

pub(super) fn body(octets: &[u8]) -> Result<EventBody, CodecError> {
    body_of(octets, fact)
}

pub(super) fn item(octets: &[u8]) -> Result<Item, CodecError> {
    let mut octets = Octets::new(octets);
    let kind = octets.octet()?;
    let item = item_of(kind, &mut octets, entity)?;
    octets.end()?;
    Ok(item)
}

fn fact(octets: &mut Octets<'_>) -> Result<Fact, CodecError> {
    let kind = octets.octet()?;
    fact_of(kind, octets, entity)
}

fn entity(octets: &mut Octets<'_>) -> Result<Entity, CodecError> {
    let kind = octets.octet()?;
    entity_of(kind, octets)
}

/// A body with facts of some version.
pub(super) fn body_of(octets: &[u8], fact: Read<Fact>) -> Result<EventBody, CodecError> {
    let mut octets = Octets::new(octets);
    let at = Timestamp(octets.signed()?);
    let actor = actor(&mut octets)?;
    let origin_commitment = option(&mut octets, |octets| octets.array())?;
    let facts = list(&mut octets, fact)?;
    octets.end()?;
    Ok(EventBody { at, actor, facts, origin_commitment })
}

/// An item of this kind, with entities of some version.
pub(super) fn item_of(
    kind: u8,
    octets: &mut Octets<'_>,
    entity: Read<Entity>,
) -> Result<Item, CodecError> {
    Ok(match kind {
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
    })
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

/// A fact of this kind, with entities of some version.
pub(super) fn fact_of(
    kind: u8,
    octets: &mut Octets<'_>,
    entity: Read<Entity>,
) -> Result<Fact, CodecError> {
    Ok(match kind {
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

fn delta(octets: &mut Octets<'_>, zone: &Name) -> Result<Delta, CodecError> {
    let owner = octets.name_under(zone)?;
    let rtype = rtype(octets)?;
    let before = option(octets, |octets| rrset(octets, rtype))?;
    let after = option(octets, |octets| rrset(octets, rtype))?;
    Ok(Delta { owner, rtype, before, after })
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

pub(super) fn rtype(octets: &mut Octets<'_>) -> Result<Rtype, CodecError> {
    let rtype = u16::try_from(octets.varint()?);
    rtype.map(Rtype).map_err(|_| CodecError::Malformed("type"))
}

fn keyed(octets: &mut Octets<'_>, zone: &Name) -> Result<(Name, Rtype, Rrset), CodecError> {
    let owner = octets.name_under(zone)?;
    let rtype = rtype(octets)?;
    Ok((owner, rtype, rrset(octets, rtype)?))
}

fn staged(octets: &mut Octets<'_>) -> Result<(ImportId, Name, Part), CodecError> {
    let import = ImportId(octets.varint()?);
    let zone = octets.name()?;
    let part = Part::read(octets, &zone)?;
    Ok((import, zone, part))
}

/// An entity of this kind.
pub(super) fn entity_of(kind: u8, octets: &mut Octets<'_>) -> Result<Entity, CodecError> {
    Ok(match kind {
        1 => Entity::Account(account(octets)?),
        2 => Entity::Zone(zone(octets)?),
        3 => Entity::Host(host(octets)?),
        4 => Entity::Token(token(octets)?),
        5 => Entity::Key(key(octets)?),
        _ => return Err(CodecError::Malformed("kind of an entity")),
    })
}

pub(super) fn account(octets: &mut Octets<'_>) -> Result<Account, CodecError> {
    Ok(Account {
        id: AccountId(octets.varint()?),
        name: octets.text()?,
        created: Timestamp(octets.signed()?),
        frozen: octets.flag()?,
        tokens_void_until: moment(octets)?,
        limits: Limits::default(),
    })
}

pub(super) fn zone(octets: &mut Octets<'_>) -> Result<ZoneEntry, CodecError> {
    let apex = octets.name()?;
    let account = AccountId(octets.varint()?);
    let zone = ZoneEntry::new(apex, account, Timestamp(octets.signed()?));
    Ok(ZoneEntry { suffix: octets.flag()?, host_ttl_s: octets.u32()?, ..zone })
}

pub(super) fn host(octets: &mut Octets<'_>) -> Result<Host, CodecError> {
    let (name, zone) = (octets.name()?, octets.name()?);
    let account = AccountId(octets.varint()?);
    let host = Host::new(name, zone, account, Timestamp(octets.signed()?));
    Ok(Host {
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
        ..host
    })
}

pub(super) fn token(octets: &mut Octets<'_>) -> Result<Token, CodecError> {
    let id = TokenId(octets.varint()?);
    let account = AccountId(octets.varint()?);
    let hash = octets.array()?;
    let hosts = list(octets, Octets::name)?;
    let label = octets.text()?;
    let token = Token::new(id, account, hash, Timestamp(octets.signed()?));
    let (revoked, exposed) = (moment(octets)?, moment(octets)?);
    Ok(Token { hosts, label, revoked, exposed, ..token })
}

fn key(octets: &mut Octets<'_>) -> Result<TsigKey, CodecError> {
    Ok(TsigKey {
        name: octets.name()?,
        credential: shared(octets)?,
        zones: list(octets, Octets::name)?,
        update: octets.flag()?,
        transfer: octets.flag()?,
        // There was nothing else that a key could do.
        policy: KeyPolicy::everything(),
        truncated_ok: false,
        created: Timestamp(octets.signed()?),
    })
}

/// An algorithm and a secret.
pub(super) fn shared(octets: &mut Octets<'_>) -> Result<Credential, CodecError> {
    let algorithm = match octets.octet()? {
        1 => TsigAlgorithm::HmacMd5,
        2 => TsigAlgorithm::HmacSha1,
        3 => TsigAlgorithm::HmacSha224,
        4 => TsigAlgorithm::HmacSha256,
        5 => TsigAlgorithm::HmacSha384,
        6 => TsigAlgorithm::HmacSha512,
        _ => return Err(CodecError::Malformed("algorithm of a key")),
    };
    Ok(Credential::Shared { algorithm, secret: octets.counted()?.to_vec() })
}
