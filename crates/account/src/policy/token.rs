//! What a token may change.

use std::net::IpAddr;

use wire::{Name, Rtype};

use super::{Denied, check_not_frozen};
use crate::actor::TokenActor;
use crate::directory::{AuthError, Directory};
use crate::entity::{AccountId, Host, Timestamp, ZoneEntry};
use crate::key::{Actions, NamePattern};
use crate::token::{Role, Rule, Token};

/// Who a name belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'d> {
    /// The account.
    pub account: AccountId,
    /// The zone that the name lies in.
    pub zone: &'d ZoneEntry,
    /// The host at the name or next above it; `None`: the name is the zone's own.
    pub host: Option<&'d Host>,
    /// Since when: no older credential covers the name.
    pub since: Timestamp,
}

/// Who a name belongs to: names below a host are its owner's, all others the zone's.
pub fn owner<'d>(directory: &'d Directory, name: &Name) -> Option<Owner<'d>> {
    let zone = directory.zone_of(name)?;
    let host = directory.host_over(name);
    let (account, since) =
        host.map_or((zone.account, zone.created), |host| (host.account, host.created));
    Some(Owner { account, zone, host, since })
}

/// The token of an actor as it is now, when it is still accepted.
pub fn usable_token<'d>(
    directory: &'d Directory,
    actor: &TokenActor,
    now: Timestamp,
) -> Result<&'d Token, Denied> {
    let token = directory.token(actor.token()).ok_or(AuthError::Unknown)?;
    directory.usable(token, now)?;
    Ok(token)
}

/// What a change does to records at one name, as far as the terms of a token are concerned.
#[derive(Clone, Copy, Debug)]
pub struct TokenEdit<'a> {
    /// Their owner.
    pub owner: &'a Name,
    /// Their types; of an edit of all types those that are there.
    pub types: &'a [Rtype],
    /// What is done to them; both for a replacement.
    pub actions: Actions,
    /// The addresses among what is added.
    pub addresses: &'a [IpAddr],
}

/// Whether a token may do this now, and whom the name belongs to.
///
/// The token is looked up afresh: it may have been revoked, changed or locked down since the
/// request was authenticated. What one rule lacks another may allow, but each record needs one rule
/// that allows all that is done to it.
pub fn authorize_edit<'d>(
    directory: &'d Directory,
    actor: &TokenActor,
    edit: TokenEdit<'_>,
    now: Timestamp,
) -> Result<Owner<'d>, Denied> {
    let token = usable_token(directory, actor, now)?;
    // Nearly all come for the addresses of a host of theirs.
    let own = own_host(directory, token, edit.owner);
    if let Some(owner) = own
        && edit.types.iter().all(|rtype| is_address(*rtype))
    {
        check_not_frozen(directory, owner.account)?;
        return Ok(owner);
    }
    let owner = owner(directory, edit.owner).ok_or(Denied::NotCovered)?;
    let nearest = if own.is_some() { Denied::Type } else { Denied::NotCovered };
    for &rtype in edit.types {
        if own.is_none() || !is_address(rtype) {
            allowed(token, &owner, (rtype, edit), nearest)?;
        }
    }
    if edit.types.is_empty() {
        // Nothing is there, so nothing is done; but who may not look is told the same as ever.
        names_it(token, &owner, edit.owner).then_some(()).ok_or(nearest)?;
    }
    check_not_frozen(directory, owner.account)?;
    Ok(owner)
}

/// Whether a token may do anything at a name: then it may state prerequisites on it. For the
/// addresses of hosts alone it may not: a prerequisite tells what is there.
pub fn authorize_name(
    directory: &Directory,
    actor: &TokenActor,
    name: &Name,
    now: Timestamp,
) -> Result<(), Denied> {
    let token = usable_token(directory, actor, now)?;
    if own_host(directory, token, name).is_some() && token.terms.is_none() {
        return Err(Denied::Type);
    }
    let owner = owner(directory, name).ok_or(Denied::NotCovered)?;
    names_it(token, &owner, name).then_some(()).ok_or(Denied::NotCovered)
}

/// The host of this name, when the token is for its addresses.
fn own_host<'d>(directory: &'d Directory, token: &Token, name: &Name) -> Option<Owner<'d>> {
    token.hosts.binary_search(name).ok()?;
    let host = directory.host(name)?;
    // A name that was given up and claimed again is another host: old tokens do not cover it.
    if token.account != host.account || token.created < host.created {
        return None;
    }
    let zone = directory.zone(&host.zone)?;
    Some(Owner { account: host.account, zone, host: Some(host), since: host.created })
}

/// Whether a rule or the role of the token allows all of an edit of one type; else what comes
/// nearest to it.
fn allowed(
    token: &Token,
    owner: &Owner<'_>,
    (rtype, edit): (Rtype, TokenEdit<'_>),
    mut nearest: Denied,
) -> Result<(), Denied> {
    if !is_of_its_account(token, owner) {
        return Err(nearest);
    }
    // Under another's suffix a name stays a leaf of the tree: it is neither delegated nor signed
    // apart, whoever it belongs to.
    let is_guest = owner.zone.account != token.account && token.account != AccountId(0);
    if is_guest && is_structure(rtype) {
        return Err(Denied::Type);
    }
    if token.role() == Some(Role::Owner) {
        return Ok(());
    }
    let naming = token.rules().iter().filter(|rule| names(rule, edit.owner));
    for rule in naming {
        match denied_by(rule, rtype, edit) {
            None => return Ok(()),
            Some(why) if rank(&why) > rank(&nearest) => nearest = why,
            Some(_) => {}
        }
    }
    Err(nearest)
}

fn denied_by(rule: &Rule, rtype: Rtype, edit: TokenEdit<'_>) -> Option<Denied> {
    if !rule.types.contains(&rtype) {
        return Some(Denied::Type);
    }
    if edit.actions.add && !rule.actions.add {
        return Some(Denied::Action("add"));
    }
    if edit.actions.delete && !rule.actions.delete {
        return Some(Denied::Action("delete"));
    }
    let lies_in = |address: &IpAddr| rule.values.iter().any(|network| network.contains(*address));
    if !rule.values.is_empty() && !edit.addresses.iter().all(lies_in) {
        return Some(Denied::Value);
    }
    None
}

/// How near a denial is to an allowance: people are told what is left to mend.
fn rank(denied: &Denied) -> u8 {
    match denied {
        Denied::NotCovered => 0,
        Denied::Type => 1,
        Denied::Action(_) => 2,
        _ => 3,
    }
}

fn names_it(token: &Token, owner: &Owner<'_>, name: &Name) -> bool {
    let by_rule = || token.rules().iter().any(|rule| names(rule, name));
    is_of_its_account(token, owner) && (token.role() == Some(Role::Owner) || by_rule())
}

/// A zone that was given up and is served again is another zone. A host that is given up is taken
/// out of all rules.
fn is_of_its_account(token: &Token, owner: &Owner<'_>) -> bool {
    let is_operator = token.role() == Some(Role::Owner) && token.account == AccountId(0);
    is_operator || (token.account == owner.account && token.created >= owner.zone.created)
}

fn names(rule: &Rule, name: &Name) -> bool {
    let matches = |pattern: &NamePattern| match pattern {
        NamePattern::Exact(exact) => name == exact,
        NamePattern::Below(top) => name != top && name.is_subdomain_of(top),
        // There is no key whose name it could be.
        NamePattern::SelfName | NamePattern::SelfSubtree => false,
    };
    rule.names.is_empty() || rule.names.iter().any(matches)
}

fn is_address(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::A | Rtype::AAAA)
}

/// Types that make the tree of names: delegations, what redirects whole subtrees, and DNSSEC.
fn is_structure(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::SOA | Rtype::NS | Rtype::DNAME)
        || STRUCTURE.binary_search(&rtype.0).is_ok()
}

/// SIG, DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, CDS, CDNSKEY, CSYNC, ZONEMD; in order.
const STRUCTURE: &[u16] = &[24, 43, 46, 47, 48, 50, 51, 59, 60, 62, 63];
