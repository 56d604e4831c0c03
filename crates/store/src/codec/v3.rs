//! Version 3: what tokens may do and until when, limits of accounts, what is reserved and given up,
//! households, webhooks. What it says of everything else is what version 2 says.

mod write;

use account::{
    Account, AccountId, Actions, Entity, Host, Limits, Member, Network, Prefix, Released, Role,
    Rule, Terms, Timestamp, Token, TokenId, Webhook, WebhookId, ZoneEntry,
};

use super::octets::{Octets, list, moment, option};
use super::{CodecError, v1, v2};
use crate::event::{EventBody, Fact};
use crate::item::Item;

pub(super) use write::{put_body, put_item, put_rrset};

pub(super) const VERSION: u8 = 3;

pub(super) fn body(octets: &[u8]) -> Result<EventBody, CodecError> {
    v1::body_of(octets, fact)
}

pub(super) fn item(octets: &[u8]) -> Result<Item, CodecError> {
    v2::item_of(octets, entity)
}

fn fact(octets: &mut Octets<'_>) -> Result<Fact, CodecError> {
    match octets.octet()? {
        USED => {
            let used = |octets: &mut Octets<'_>| {
                Ok((TokenId(octets.varint()?), Timestamp(octets.signed()?)))
            };
            Ok(Fact::Used { tokens: list(octets, used)? })
        }
        kind => v2::fact_of(kind, octets, entity),
    }
}

fn entity(octets: &mut Octets<'_>) -> Result<Entity, CodecError> {
    match octets.octet()? {
        ACCOUNT => account(octets).map(Entity::Account),
        ZONE => zone(octets).map(Entity::Zone),
        HOST => host(octets).map(Entity::Host),
        TOKEN => token(octets).map(Entity::Token),
        RELEASED => released(octets).map(Entity::Released),
        WEBHOOK => webhook(octets).map(Entity::Webhook),
        kind => v2::entity_of(kind, octets),
    }
}

fn account(octets: &mut Octets<'_>) -> Result<Account, CodecError> {
    let account = v1::account(octets)?;
    let limits = Limits {
        hosts: option(octets, Octets::u32)?,
        tokens: option(octets, Octets::u32)?,
        webhooks: option(octets, Octets::u32)?,
        changes_per_hour: option(octets, Octets::u32)?,
    };
    Ok(Account { limits, ..account })
}

fn zone(octets: &mut Octets<'_>) -> Result<ZoneEntry, CodecError> {
    let zone = v2::zone(octets)?;
    Ok(ZoneEntry {
        reserved: list(octets, Octets::text)?,
        quarantine_s: option(octets, Octets::u32)?,
        ttl_min_s: octets.u32()?,
        ..zone
    })
}

fn host(octets: &mut Octets<'_>) -> Result<Host, CodecError> {
    let host = v2::host(octets)?;
    let number = |octets: &mut Octets<'_>| {
        u16::try_from(octets.varint()?).map_err(|_| CodecError::Malformed("number of a dialect"))
    };
    let dialect = option(octets, number)?;
    let member = option(octets, |octets| {
        Ok(Member { household: octets.name()?, interface_id: octets.array()?, ptr: octets.flag()? })
    })?;
    let prefix = option(octets, |octets| {
        Ok(Prefix { address: octets.array::<16>()?.into(), length: octets.octet()? })
    })?;
    Ok(Host { dialect, member: member.map(Box::new), prefix: prefix.map(Box::new), ..host })
}

fn token(octets: &mut Octets<'_>) -> Result<Token, CodecError> {
    let token = v1::token(octets)?;
    Ok(Token {
        last_used: moment(octets)?,
        verify_key: option(octets, Octets::array)?,
        terms: option(octets, terms)?.map(Box::new),
        ..token
    })
}

fn terms(octets: &mut Octets<'_>) -> Result<Terms, CodecError> {
    Ok(Terms {
        rules: list(octets, rule)?,
        networks: list(octets, network)?,
        expires: moment(octets)?,
        unused_s: option(octets, Octets::u32)?,
        role: match octets.octet()? {
            0 => None,
            1 => Some(Role::Reader),
            2 => Some(Role::Owner),
            _ => return Err(CodecError::Malformed("role of a token")),
        },
    })
}

fn rule(octets: &mut Octets<'_>) -> Result<Rule, CodecError> {
    Ok(Rule {
        names: list(octets, v2::pattern)?,
        types: list(octets, v1::rtype)?,
        actions: Actions { add: octets.flag()?, delete: octets.flag()? },
        values: list(octets, network)?,
    })
}

fn network(octets: &mut Octets<'_>) -> Result<Network, CodecError> {
    let base = v2::address(octets)?;
    let network = Network::new(base, octets.octet()?);
    network.map_err(|_| CodecError::Malformed("network"))
}

fn released(octets: &mut Octets<'_>) -> Result<Released, CodecError> {
    Ok(Released {
        name: octets.name()?,
        zone: octets.name()?,
        account: AccountId(octets.varint()?),
        until: Timestamp(octets.signed()?),
    })
}

fn webhook(octets: &mut Octets<'_>) -> Result<Webhook, CodecError> {
    Ok(Webhook {
        id: WebhookId(octets.varint()?),
        account: AccountId(octets.varint()?),
        url: octets.text()?,
        secret: octets.counted()?.to_vec(),
        events: octets.counted()?.to_vec(),
        label: octets.text()?,
        created: Timestamp(octets.signed()?),
        paused: moment(octets)?,
        host: option(octets, Octets::name)?,
        private_ok: octets.flag()?,
    })
}

/// Kind of a fact about tokens that were used.
const USED: u8 = 9;
/// Kind of an entity that is an account.
const ACCOUNT: u8 = 1;
/// Kind of an entity that is a zone.
const ZONE: u8 = 2;
/// Kind of an entity that is a host.
const HOST: u8 = 3;
/// Kind of an entity that is a token.
const TOKEN: u8 = 4;
/// Kind of an entity that is the name of a host that was given up.
const RELEASED: u8 = 6;
/// Kind of an entity that is a webhook.
const WEBHOOK: u8 = 7;
