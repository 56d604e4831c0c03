//! What an actor may change: pure rules, asked by the engine when it judges a change.

use wire::{Name, Rtype};

mod standing;
mod token;

pub use standing::{Standing, standing};
pub use token::{Owner, TokenEdit, authorize_edit, authorize_name, owner, usable_token};

use crate::address::AddressRefusal;
use crate::directory::{AuthError, Directory};
use crate::entity::{AccountId, Timestamp};
use crate::key::{Actions, KeyPolicy, NamePattern, TsigKey};
use crate::token::Token;

/// Why an actor may not make a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The token is no longer accepted.
    #[error("the token is not accepted: {0}")]
    Token(#[from] AuthError),
    /// The name is not a host, or the zone not one, that the actor covers.
    #[error("the credential does not cover this name")]
    NotCovered,
    /// The token may not change records of this type.
    #[error("the token may not change records of this type here")]
    Type,
    /// The token may not add here, or not delete.
    #[error("the token may not {0} these records")]
    Action(&'static str),
    /// The token may not publish an address outside its networks.
    #[error("the token may not publish this address")]
    Value,
    /// Records here live longer than that.
    #[error("records of this zone have a TTL of at least {0} seconds")]
    Ttl(u32),
    /// The key may not change records of this type.
    #[error("the key may not change records of this type")]
    KeyType,
    /// The key may not add here, or not delete.
    #[error("the key may not {0} records")]
    KeyAction(&'static str),
    /// The account of the host is frozen.
    #[error("the account of this name is frozen")]
    Frozen,
    /// The token was seen in clear, so it may change an RRset once a minute only.
    #[error(
        "the token was sent in clear over an untrusted network: each address family once a minute"
    )]
    ExposedTooSoon,
    /// The address may not be published.
    #[error(transparent)]
    Address(#[from] AddressRefusal),
    /// The actor may not do this at all.
    #[error("only the operator may do this")]
    OperatorOnly,
}

/// What a change does to records at one name, as far as the policy of a key is concerned.
#[derive(Clone, Copy, Debug)]
pub struct KeyEdit<'a> {
    /// Their owner.
    pub owner: &'a Name,
    /// Their types; of an edit of all types those that are there.
    pub types: &'a [Rtype],
    /// What is done to them; both for a replacement.
    pub actions: Actions,
}

/// The key as it is now, when it may send UPDATE for this zone at all.
///
/// A lockdown holds for keys as well: names of a frozen account stay as they are.
pub fn updating_key<'d>(
    directory: &'d Directory,
    key: &Name,
    zone: &Name,
) -> Result<&'d TsigKey, Denied> {
    let key = directory.key(key).ok_or(Denied::NotCovered)?;
    let zone = directory.zone(zone).ok_or(Denied::NotCovered)?;
    // A zone that was given up and is served again is another zone: old keys do not cover it.
    if !key.update || !key.zones.contains(&zone.apex) || key.created < zone.created {
        return Err(Denied::NotCovered);
    }
    check_not_frozen(directory, zone.account)?;
    Ok(key)
}

/// Whether a key that may send UPDATE for a zone may do this in it.
pub fn authorize_key_edit(
    directory: &Directory,
    key: &TsigKey,
    edit: KeyEdit<'_>,
) -> Result<(), Denied> {
    let KeyPolicy { types, actions, .. } = &key.policy;
    authorize_key_name(key, edit.owner)?;
    if edit.actions.add && !actions.add {
        return Err(Denied::KeyAction("add"));
    }
    if edit.actions.delete && !actions.delete {
        return Err(Denied::KeyAction("delete"));
    }
    if !types.is_empty() && edit.types.iter().any(|rtype| !types.contains(rtype)) {
        return Err(Denied::KeyType);
    }
    directory.host(edit.owner).map_or(Ok(()), |host| check_not_frozen(directory, host.account))
}

/// Whether a key covers a name: then it may state prerequisites on it, of whatever type. They tell
/// what is there, which is no more than a key may know of a name that it changes.
pub fn authorize_key_name(key: &TsigKey, name: &Name) -> Result<(), Denied> {
    let is_below = |name: &Name, of: &Name| name != of && name.is_subdomain_of(of);
    let patterns = &key.policy.names;
    let covers = |pattern: &NamePattern| match pattern {
        NamePattern::Exact(exact) => name == exact,
        NamePattern::Below(top) => is_below(name, top),
        NamePattern::SelfName => *name == key.name,
        NamePattern::SelfSubtree => name.is_subdomain_of(&key.name),
    };
    if patterns.is_empty() || patterns.iter().any(covers) {
        Ok(())
    } else {
        Err(Denied::NotCovered)
    }
}

fn check_not_frozen(directory: &Directory, account: AccountId) -> Result<(), Denied> {
    match directory.account(account) {
        Some(account) if !account.frozen => Ok(()),
        Some(_) | None => Err(Denied::Frozen),
    }
}

/// Whether an exposed token must wait: it may change an RRset once in [`EXPOSED_CHANGE_MS`].
/// `last_change` is that of the RRset.
pub fn exposed_pace(
    token: &Token,
    last_change: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Denied> {
    match (token.exposed, last_change) {
        (Some(_), Some(last)) if now.ms_since(last) < EXPOSED_CHANGE_MS => {
            Err(Denied::ExposedTooSoon)
        }
        _ => Ok(()),
    }
}

/// Least time between two changes of one RRset by an exposed token, in milliseconds.
pub const EXPOSED_CHANGE_MS: u64 = 60_000;

#[cfg(test)]
mod tests;
