//! Hosts and their tokens.

use std::collections::BTreeMap;

use account::policy::Denied;
use account::{
    AccountId, AuthError, Directory, Entity, Host, Timestamp, Token, TokenId, ZoneEntry,
};
use store::Fact;
use wire::{Name, Rtype};
use zone::{Delta, View};

use super::claim::Claim;
use super::expiry;
use super::{Operate, changed, check_ttl, created, removed, replaced};
use crate::engine::Judged;
use crate::request::{HostPatch, NewToken, Refused};

impl Operate<'_> {
    pub(super) fn add_host(
        &self,
        name: &Name,
        account: AccountId,
        policy: &HostPatch,
        token: &NewToken,
    ) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        directory.account(account).ok_or(Refused::Missing("account"))?;
        let zone = directory.zone_of(name).ok_or(Refused::Missing("zone for this name"))?;
        if directory.host(name).is_some() {
            return Err(Refused::Exists("host"));
        }
        let served = self.live.zones().get(&zone.apex).ok_or(Refused::Missing("zone"))?;
        Claim { name, account, entry: zone, zone: &served }.check(&directory)?;
        let name = name.to_lowercase();
        // Left from an earlier host of this name that went with its zone.
        let mut facts = self.uncover(&directory, &name);
        let host = Host {
            name: name.clone(),
            zone: zone.apex.clone(),
            account,
            created: self.at,
            ttl_s: None,
            private_ok: false,
            scope: None,
            last_seen: None,
            expiry: None,
            parked: None,
        };
        let host = patched(host, policy, zone)?;
        let token = self.token(&directory, account, vec![name], token)?;
        let made = Some(token.id.0);
        facts.extend([created(Entity::Host(host)), created(Entity::Token(token))]);
        Ok(Judged { facts, serial: None, made })
    }

    pub(super) fn set_host(&self, name: &Name, policy: &HostPatch) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let zone = directory.zone(&host.zone).ok_or(Refused::Missing("zone"))?;
        let after = patched(host.clone(), policy, zone)?;
        Ok(Judged {
            facts: changed(Entity::Host(host.clone()), Entity::Host(after)),
            ..Judged::default()
        })
    }

    pub(super) fn rotate_host(&self, name: &Name, new: &NewToken) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let names = vec![host.name.clone()];
        let mut facts = self.forget_dead_tokens(&directory, &names);
        facts.extend(self.revoke_sole_tokens(&directory, host));
        let token = self.token(&directory, host.account, names, new)?;
        let made = Some(token.id.0);
        facts.push(created(Entity::Token(token)));
        Ok(Judged { facts, serial: None, made })
    }

    pub(super) fn remove_host(&self, name: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let mut facts = self.withdraw(host)?;
        facts.extend(self.uncover(&directory, &host.name));
        facts.push(removed(Entity::Host(host.clone())));
        Ok(Judged { facts, ..Judged::default() })
    }

    /// The addresses of a host go with it.
    fn withdraw(&self, host: &Host) -> Result<Vec<Fact>, Refused> {
        let zone = self.live.zones().get(&host.zone).ok_or(Refused::Missing("zone"))?;
        let gone = |rtype| {
            let before = zone.rrset(&host.name, rtype)?;
            Some(Delta { owner: host.name.clone(), rtype, before: Some(before), after: None })
        };
        // Of a host that is gone an alias may stand there.
        let alias = host.parked.map(|_| Rtype::CNAME);
        let rtypes = [Rtype::A, Rtype::AAAA].into_iter().chain(alias);
        let deltas: Vec<Delta> = rtypes.filter_map(gone).collect();
        if deltas.is_empty() {
            return Ok(Vec::new());
        }
        let serial = zone::next_serial(zone.serial(), &deltas);
        Ok(vec![Fact::Changed { zone: host.zone.clone(), serial, lease_s: None, deltas }])
    }

    /// A host that goes leaves no token that covers the next host of its name.
    fn uncover(&self, directory: &Directory, host: &Name) -> Vec<Fact> {
        let without = |token: &Token| {
            let hosts: Vec<Name> =
                token.hosts.iter().filter(|&name| name != host).cloned().collect();
            if hosts.is_empty() {
                return removed(Entity::Token(token.clone()));
            }
            replaced(Entity::Token(token.clone()), Entity::Token(Token { hosts, ..token.clone() }))
        };
        directory.tokens_of(host).map(without).collect()
    }

    fn revoke_sole_tokens(&self, directory: &Directory, host: &Host) -> Vec<Fact> {
        let tokens = directory.tokens_of(&host.name);
        let sole = tokens.filter(|token| token.hosts.len() == 1 && !is_dead(directory, token));
        sole.map(|token| {
            let after = Token { revoked: Some(self.at), ..token.clone() };
            replaced(Entity::Token(token.clone()), Entity::Token(after))
        })
        .collect()
    }

    /// Tokens of these hosts that are dead already: history has them, and they must not pile up.
    fn forget_dead_tokens(&self, directory: &Directory, hosts: &[Name]) -> Vec<Fact> {
        let tokens = hosts.iter().flat_map(|host| directory.tokens_of(host));
        let dead: BTreeMap<TokenId, &Token> = tokens
            .filter(|token| is_dead(directory, token))
            .map(|token| (token.id, token))
            .take(TOKENS_FORGOTTEN_MAX)
            .collect();
        dead.into_values().map(|token| removed(Entity::Token(token.clone()))).collect()
    }

    pub(super) fn add_token(&self, hosts: &[Name], new: &NewToken) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        if hosts.is_empty() || hosts.len() > TOKEN_HOSTS_MAX {
            return Err(Refused::Limit("hosts of one token: 1 to 1000"));
        }
        let mut names = Vec::with_capacity(hosts.len());
        let mut account = None;
        for name in hosts {
            let host = directory.host(name).ok_or(Refused::Missing("host"))?;
            if account.replace(host.account).is_some_and(|before| before != host.account) {
                return Err(Refused::Invalid("the hosts belong to different accounts"));
            }
            let alive = directory.tokens_of(name).filter(|token| directory.usable(token).is_ok());
            if alive.count() >= HOST_TOKENS_MAX {
                return Err(Refused::Limit("tokens of one host: 100"));
            }
            names.push(host.name.clone());
        }
        let account = account.ok_or(Refused::Missing("host"))?;
        let mut facts = self.forget_dead_tokens(&directory, &names);
        let token = self.token(&directory, account, names, new)?;
        let made = Some(token.id.0);
        facts.push(created(Entity::Token(token)));
        Ok(Judged { facts, serial: None, made })
    }

    fn token(
        &self,
        directory: &Directory,
        account: AccountId,
        mut hosts: Vec<Name>,
        new: &NewToken,
    ) -> Result<Token, Refused> {
        if new.label.chars().count() > LABEL_CHARS_MAX || new.label.chars().any(char::is_control) {
            return Err(Refused::Invalid("a label has at most 128 printable characters"));
        }
        if directory.has_secret(&new.hash) {
            return Err(Refused::Exists("token with this secret"));
        }
        let void_until = match directory.account(account) {
            Some(account) if !account.frozen => account.tokens_void_until,
            Some(_) | None => return Err(Denied::Frozen.into()),
        };
        // The clock may stand still: what is made after a lockdown is not revoked by it.
        let created = void_until.map_or(self.at, |void| self.at.max(Timestamp(void.0 + 1)));
        hosts.sort();
        hosts.dedup();
        // The position is unique in the log, so it serves as the number.
        Ok(Token {
            id: TokenId(self.next_pos.0),
            account,
            hash: new.hash,
            hosts,
            label: new.label.clone(),
            created,
            revoked: None,
            exposed: None,
        })
    }
}

/// Revoked for good, by itself or by a lockdown.
fn is_dead(directory: &Directory, token: &Token) -> bool {
    directory.usable(token) == Err(AuthError::Revoked)
}

fn patched(host: Host, policy: &HostPatch, zone: &ZoneEntry) -> Result<Host, Refused> {
    let ttl_s = policy.ttl_s.unwrap_or(host.ttl_s);
    if let Some(ttl_s) = ttl_s {
        check_ttl(ttl_s)?;
    }
    let private_ok = policy.private_ok.unwrap_or(host.private_ok);
    let host = Host { ttl_s, private_ok, ..host };
    let Some(expiry) = &policy.expiry else { return Ok(host) };
    expiry.as_ref().map_or(Ok(()), |expiry| expiry::check(expiry, &host, zone))?;
    Ok(Host { expiry: expiry.clone().map(Box::new), ..host })
}

/// Most characters of a token's label.
const LABEL_CHARS_MAX: usize = 128;
/// Most hosts of one token.
const TOKEN_HOSTS_MAX: usize = 1000;
/// Most tokens of one host that are accepted.
const HOST_TOKENS_MAX: usize = 100;
/// Most dead tokens that one operation forgets.
const TOKENS_FORGOTTEN_MAX: usize = 100;
