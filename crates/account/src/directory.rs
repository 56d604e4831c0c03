//! All entities in memory: fold of the log.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use subtle::ConstantTimeEq;
use wire::Name;

use crate::actor::TokenActor;
use crate::entity::{
    Account, AccountId, Entity, EntityKey, Host, Timestamp, Token, TokenId, ZoneEntry,
};
use crate::key::TsigKey;
use crate::secret;

/// Accounts, zones, hosts, tokens and keys, by their keys.
///
/// It holds whatever was put into it: rules are judged before an entity gets here.
pub struct Directory {
    accounts: HashMap<AccountId, Account>,
    account_by_name: HashMap<String, AccountId>,
    zones: HashMap<Name, ZoneEntry>,
    hosts: HashMap<Name, Host>,
    /// Names of hosts in canonical order (RFC 4034 §6.1): those of one zone stand together.
    host_order: BTreeSet<Name>,
    tokens: HashMap<TokenId, Token>,
    token_by_hash: HashMap<[u8; 32], TokenId>,
    tokens_by_host: HashMap<Name, Vec<TokenId>>,
    keys: HashMap<Name, TsigKey>,
}

/// A secret that is not accepted. Why is for the log only: a client is told the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token has this secret.
    #[error("unknown token")]
    Unknown,
    /// The token was revoked, by itself or by a lockdown of its account.
    #[error("revoked token")]
    Revoked,
    /// The account is frozen.
    #[error("frozen account")]
    Frozen,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("accounts", &self.accounts.len())
            .field("zones", &self.zones.len())
            .field("hosts", &self.hosts.len())
            .field("tokens", &self.tokens.len())
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Default for Directory {
    /// A directory with nothing but the operator's own account.
    fn default() -> Directory {
        let operator = Account {
            id: AccountId(0),
            name: "operator".to_owned(),
            created: Timestamp(0),
            frozen: false,
            tokens_void_until: None,
        };
        Directory {
            account_by_name: HashMap::from([(operator.name.clone(), operator.id)]),
            accounts: HashMap::from([(operator.id, operator)]),
            zones: HashMap::new(),
            hosts: HashMap::new(),
            host_order: BTreeSet::new(),
            tokens: HashMap::new(),
            token_by_hash: HashMap::new(),
            tokens_by_host: HashMap::new(),
            keys: HashMap::new(),
        }
    }
}

impl Directory {
    /// Checks a secret as a client sent it.
    ///
    /// Always costs one hash and one look-up by that hash, whether or not such a token exists;
    /// the stored hash is compared in constant time.
    pub fn authenticate(&self, text: &[u8]) -> Result<TokenActor, AuthError> {
        let hash = secret::hash(text);
        let found = self.token_by_hash.get(&hash).and_then(|id| self.tokens.get(id));
        let token = found.filter(|token| bool::from(token.hash.ct_eq(&hash)));
        let token = token.ok_or(AuthError::Unknown)?;
        self.usable(token)?;
        Ok(TokenActor { token: token.id, account: token.account, hosts: token.hosts.clone() })
    }

    /// Whether a token is neither revoked nor locked down.
    pub fn usable(&self, token: &Token) -> Result<(), AuthError> {
        let account = self.accounts.get(&token.account);
        check_usable(token, account)
    }

    /// Puts an entity in place of the one with its key.
    pub fn put(&mut self, entity: Entity) {
        match entity {
            Entity::Account(account) => self.put_account(account),
            Entity::Zone(zone) => {
                self.zones.insert(zone.apex.clone(), zone);
            }
            Entity::Host(host) => {
                if !self.hosts.contains_key(&host.name) {
                    self.host_order.insert(host.name.clone());
                }
                self.hosts.insert(host.name.clone(), host);
            }
            Entity::Token(token) => self.put_token(token),
            Entity::Key(key) => {
                self.keys.insert(key.name.clone(), key);
            }
        }
    }

    /// Removes the entity with this key, if there is one.
    pub fn remove(&mut self, key: &EntityKey) {
        match key {
            EntityKey::Account(id) => self.remove_account(*id),
            EntityKey::Zone(apex) => {
                self.zones.remove(apex);
            }
            EntityKey::Host(name) => {
                self.hosts.remove(name);
                self.host_order.remove(name);
            }
            EntityKey::Token(id) => self.remove_token(*id),
            EntityKey::Key(name) => {
                self.keys.remove(name);
            }
        }
    }

    fn put_account(&mut self, account: Account) {
        self.remove_account(account.id);
        self.account_by_name.insert(account.name.clone(), account.id);
        self.accounts.insert(account.id, account);
    }

    fn remove_account(&mut self, id: AccountId) {
        let Some(account) = self.accounts.remove(&id) else { return };
        if self.account_by_name.get(&account.name) == Some(&id) {
            self.account_by_name.remove(&account.name);
        }
    }

    fn put_token(&mut self, token: Token) {
        self.remove_token(token.id);
        self.token_by_hash.insert(token.hash, token.id);
        for host in &token.hosts {
            self.tokens_by_host.entry(host.clone()).or_default().push(token.id);
        }
        self.tokens.insert(token.id, token);
    }

    fn remove_token(&mut self, id: TokenId) {
        let Some(token) = self.tokens.remove(&id) else { return };
        if self.token_by_hash.get(&token.hash) == Some(&id) {
            self.token_by_hash.remove(&token.hash);
        }
        for host in &token.hosts {
            let Some(tokens) = self.tokens_by_host.get_mut(host) else { continue };
            tokens.retain(|&other| other != id);
            if tokens.is_empty() {
                self.tokens_by_host.remove(host);
            }
        }
    }

    /// Forgets all hosts of a zone. Tokens keep their names, but a token older than a host of that
    /// name does not cover it (see [`crate::policy::authorize_edit`]).
    pub fn remove_hosts_of(&mut self, zone: &Name) {
        let names: Vec<Name> = self
            .hosts(Some(zone), None)
            .filter(|host| host.zone == *zone)
            .map(|host| host.name.clone())
            .collect();
        for name in names {
            self.remove(&EntityKey::Host(name));
        }
    }

    /// A copy of the entity with this key.
    pub fn entity(&self, key: &EntityKey) -> Option<Entity> {
        match key {
            EntityKey::Account(id) => self.accounts.get(id).cloned().map(Entity::Account),
            EntityKey::Zone(apex) => self.zones.get(apex).cloned().map(Entity::Zone),
            EntityKey::Host(name) => self.hosts.get(name).cloned().map(Entity::Host),
            EntityKey::Token(id) => self.tokens.get(id).cloned().map(Entity::Token),
            EntityKey::Key(name) => self.keys.get(name).cloned().map(Entity::Key),
        }
    }

    /// Notes when a host was last seen; unknown hosts are passed over.
    pub fn seen(&mut self, host: &Name, at: Timestamp) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.last_seen = host.last_seen.max(Some(at));
        }
    }

    /// The account with this number.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// The account with this name.
    pub fn account_named(&self, name: &str) -> Option<&Account> {
        self.account_by_name.get(name).and_then(|id| self.accounts.get(id))
    }

    /// All accounts, by number.
    pub fn accounts(&self) -> Vec<&Account> {
        let mut all: Vec<_> = self.accounts.values().collect();
        all.sort_by_key(|account| account.id);
        all
    }

    /// The zone with this apex.
    pub fn zone(&self, apex: &Name) -> Option<&ZoneEntry> {
        self.zones.get(apex)
    }

    /// The zone that a name lies in: the one with the longest apex.
    pub fn zone_of(&self, name: &Name) -> Option<&ZoneEntry> {
        let mut candidate = Some(name.clone());
        while let Some(apex) = candidate {
            if let Some(zone) = self.zones.get(&apex) {
                return Some(zone);
            }
            candidate = apex.parent();
        }
        None
    }

    /// All zones, by apex.
    pub fn zones(&self) -> Vec<&ZoneEntry> {
        let mut all: Vec<_> = self.zones.values().collect();
        all.sort_by(|a, b| a.apex.cmp(&b.apex));
        all
    }

    /// The host with this name.
    pub fn host(&self, name: &Name) -> Option<&Host> {
        self.hosts.get(name)
    }

    /// Number of hosts.
    pub fn host_count(&self) -> usize {
        self.hosts.len()
    }

    /// Hosts after `after` in canonical order of their names, at or below `under` when given.
    pub fn hosts<'a>(
        &'a self,
        under: Option<&'a Name>,
        after: Option<&Name>,
    ) -> impl Iterator<Item = &'a Host> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let from = match (after, under) {
            (Some(after), _) => Excluded(after.clone()),
            (None, Some(under)) => Included(under.clone()),
            (None, None) => Unbounded,
        };
        self.host_order
            .range((from, Unbounded))
            .take_while(move |name| under.is_none_or(|under| name.is_subdomain_of(under)))
            .filter_map(|name| self.hosts.get(name))
    }

    /// The token with this number.
    pub fn token(&self, id: TokenId) -> Option<&Token> {
        self.tokens.get(&id)
    }

    /// Whether some token has a secret with this hash.
    pub fn has_secret(&self, hash: &[u8; 32]) -> bool {
        self.token_by_hash.contains_key(hash)
    }

    /// The tokens that name a host.
    pub fn tokens_of<'a>(&'a self, host: &Name) -> impl Iterator<Item = &'a Token> + use<'a> {
        let ids = self.tokens_by_host.get(host).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.tokens.get(id))
    }

    /// All tokens, by number.
    pub fn tokens(&self) -> Vec<&Token> {
        let mut all: Vec<_> = self.tokens.values().collect();
        all.sort_by_key(|token| token.id);
        all
    }

    /// The key with this name.
    pub fn key(&self, name: &Name) -> Option<&TsigKey> {
        self.keys.get(name)
    }

    /// All keys, by name.
    pub fn keys(&self) -> Vec<&TsigKey> {
        let mut all: Vec<_> = self.keys.values().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Every entity, in no particular order: for snapshots.
    pub fn entities(&self) -> impl Iterator<Item = Entity> + '_ {
        let accounts = self.accounts.values().cloned().map(Entity::Account);
        let zones = self.zones.values().cloned().map(Entity::Zone);
        let hosts = self.hosts.values().cloned().map(Entity::Host);
        let tokens = self.tokens.values().cloned().map(Entity::Token);
        let keys = self.keys.values().cloned().map(Entity::Key);
        accounts.chain(zones).chain(hosts).chain(tokens).chain(keys)
    }
}

/// Whether a token may be used, given the account that owns it.
pub(crate) fn check_usable(token: &Token, account: Option<&Account>) -> Result<(), AuthError> {
    let account = account.ok_or(AuthError::Unknown)?;
    if token.revoked.is_some() || account.tokens_void_until.is_some_and(|at| token.created <= at) {
        return Err(AuthError::Revoked);
    }
    if account.frozen {
        return Err(AuthError::Frozen);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
