//! All entities in memory: fold of the log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;

use subtle::ConstantTimeEq;
use wire::Name;

use crate::actor::TokenActor;
use crate::entity::{
    Account, AccountId, Entity, EntityKey, Host, Released, Timestamp, TokenId, Webhook, WebhookId,
    ZoneEntry,
};
use crate::key::TsigKey;
use crate::secret;
use crate::token::{Role, Token};
use owned::Owned;

mod owned;

/// Accounts, zones, hosts, tokens, keys and the like, by their keys.
///
/// It holds whatever was put into it: rules are judged before an entity gets here.
pub struct Directory {
    accounts: HashMap<AccountId, Account>,
    account_by_name: HashMap<String, AccountId>,
    zones: HashMap<Name, ZoneEntry>,
    hosts: HashMap<Name, Host>,
    /// Names of hosts in canonical order (RFC 4034 §6.1): those of one zone stand together.
    host_order: BTreeSet<Name>,
    hosts_of: Owned<Name>,
    tokens: HashMap<TokenId, Token>,
    token_by_hash: HashMap<[u8; 32], TokenId>,
    tokens_by_host: HashMap<Name, Vec<TokenId>>,
    /// Tokens by the names of their rules, which few have, in canonical order.
    tokens_by_rule: BTreeMap<Name, Vec<TokenId>>,
    tokens_of: Owned<TokenId>,
    keys: HashMap<Name, TsigKey>,
    /// In canonical order: what belonged to a host stands behind it.
    released: BTreeMap<Name, Released>,
    /// The same by when they end.
    released_until: BTreeSet<(Timestamp, Name)>,
    webhooks: BTreeMap<WebhookId, Webhook>,
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
    /// The token has expired.
    #[error("expired token")]
    Expired,
    /// The token was not used for longer than its terms allow.
    #[error("token that was not used for too long")]
    Unused,
    /// The token is not accepted from this source.
    #[error("token that is not accepted from this source")]
    Source,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("accounts", &self.accounts.len())
            .field("zones", &self.zones.len())
            .field("hosts", &self.hosts.len())
            .field("tokens", &self.tokens.len())
            .field("keys", &self.keys.len())
            .field("released", &self.released.len())
            .field("webhooks", &self.webhooks.len())
            .finish_non_exhaustive()
    }
}

impl Default for Directory {
    /// A directory with nothing but the operator's own account.
    fn default() -> Directory {
        let operator = Account::new(AccountId(0), "operator", Timestamp(0));
        Directory {
            account_by_name: HashMap::from([(operator.name.clone(), operator.id)]),
            accounts: HashMap::from([(operator.id, operator)]),
            zones: HashMap::new(),
            hosts: HashMap::new(),
            host_order: BTreeSet::new(),
            hosts_of: Owned::default(),
            tokens: HashMap::new(),
            token_by_hash: HashMap::new(),
            tokens_by_host: HashMap::new(),
            tokens_by_rule: BTreeMap::new(),
            tokens_of: Owned::default(),
            keys: HashMap::new(),
            released: BTreeMap::new(),
            released_until: BTreeSet::new(),
            webhooks: BTreeMap::new(),
        }
    }
}

impl Directory {
    /// Checks a secret as a client sent it, at this moment from this source.
    ///
    /// Always costs one hash and one look-up by that hash, whether or not such a token exists;
    /// the stored hash is compared in constant time.
    pub fn authenticate(
        &self,
        text: &[u8],
        now: Timestamp,
        source: IpAddr,
    ) -> Result<TokenActor, AuthError> {
        let hash = secret::hash(text);
        let found = self.token_by_hash.get(&hash).and_then(|id| self.tokens.get(id));
        let token = found.filter(|token| bool::from(token.hash.ct_eq(&hash)));
        let token = token.ok_or(AuthError::Unknown)?;
        self.accept(token, now, source)
    }

    /// Accepts a request that was proved otherwise to come from the holder of a token, at this
    /// moment from this source.
    pub fn accept(
        &self,
        token: &Token,
        now: Timestamp,
        source: IpAddr,
    ) -> Result<TokenActor, AuthError> {
        self.usable(token, now)?;
        let networks = token.networks();
        if !networks.is_empty() && !networks.iter().any(|network| network.contains(source)) {
            return Err(AuthError::Source);
        }
        Ok(TokenActor::new(token, now))
    }

    /// Whether a token is accepted at this moment: neither revoked nor locked down nor ended.
    pub fn usable(&self, token: &Token, now: Timestamp) -> Result<(), AuthError> {
        let account = self.accounts.get(&token.account);
        check_usable(token, account)?;
        match token.ends() {
            Some(end) if end <= now => {
                let expires = token.terms.as_ref().and_then(|terms| terms.expires);
                Err(if expires.is_some_and(|at| at <= now) {
                    AuthError::Expired
                } else {
                    AuthError::Unused
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Puts an entity in place of the one with its key.
    pub fn put(&mut self, entity: Entity) {
        match entity {
            Entity::Account(account) => self.put_account(account),
            Entity::Zone(zone) => {
                self.zones.insert(zone.apex.clone(), zone);
            }
            Entity::Host(host) => self.put_host(host),
            Entity::Token(token) => self.put_token(token),
            Entity::Key(key) => {
                self.keys.insert(key.name.clone(), key);
            }
            Entity::Released(released) => {
                self.remove_released(&released.name);
                self.released_until.insert((released.until, released.name.clone()));
                self.released.insert(released.name.clone(), released);
            }
            Entity::Webhook(webhook) => {
                self.webhooks.insert(webhook.id, webhook);
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
                if let Some(host) = self.hosts.remove(name) {
                    self.host_order.remove(name);
                    self.hosts_of.remove(host.account, name);
                }
            }
            EntityKey::Token(id) => self.remove_token(*id),
            EntityKey::Key(name) => {
                self.keys.remove(name);
            }
            EntityKey::Released(name) => self.remove_released(name),
            EntityKey::Webhook(id) => {
                self.webhooks.remove(id);
            }
        }
    }

    fn put_host(&mut self, host: Host) {
        let name = host.name.clone();
        let account = host.account;
        match self.hosts.insert(name.clone(), host) {
            Some(before) if before.account == account => return,
            Some(before) => self.hosts_of.remove(before.account, &name),
            None => {
                self.host_order.insert(name.clone());
            }
        }
        self.hosts_of.put(account, &name);
    }

    fn remove_released(&mut self, name: &Name) {
        if let Some(before) = self.released.remove(name) {
            self.released_until.remove(&(before.until, before.name));
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
        for name in token.ruled() {
            let tokens = self.tokens_by_rule.entry(name.clone()).or_default();
            if !tokens.contains(&token.id) {
                tokens.push(token.id);
            }
        }
        self.tokens_of.put(token.account, &token.id);
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
        for name in token.ruled() {
            let Some(tokens) = self.tokens_by_rule.get_mut(name) else { continue };
            tokens.retain(|&other| other != id);
            if tokens.is_empty() {
                self.tokens_by_rule.remove(name);
            }
        }
        self.tokens_of.remove(token.account, &id);
    }

    /// Forgets all hosts of a zone, and the names that were given up in it. Tokens keep their names, but a token older than a host of that
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
        let released = self.released.values().filter(|released| released.zone == *zone);
        let names: Vec<Name> = released.map(|released| released.name.clone()).collect();
        names.iter().for_each(|name| self.remove_released(name));
    }

    /// A copy of the entity with this key.
    pub fn entity(&self, key: &EntityKey) -> Option<Entity> {
        match key {
            EntityKey::Account(id) => self.accounts.get(id).cloned().map(Entity::Account),
            EntityKey::Zone(apex) => self.zones.get(apex).cloned().map(Entity::Zone),
            EntityKey::Host(name) => self.hosts.get(name).cloned().map(Entity::Host),
            EntityKey::Token(id) => self.tokens.get(id).cloned().map(Entity::Token),
            EntityKey::Key(name) => self.keys.get(name).cloned().map(Entity::Key),
            EntityKey::Released(name) => self.released.get(name).cloned().map(Entity::Released),
            EntityKey::Webhook(id) => self.webhooks.get(id).cloned().map(Entity::Webhook),
        }
    }

    /// Notes when a host was last seen; unknown hosts are passed over.
    pub fn seen(&mut self, host: &Name, at: Timestamp) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.last_seen = host.last_seen.max(Some(at));
        }
    }

    /// Notes when a token was last used; unknown tokens are passed over.
    pub fn used(&mut self, token: TokenId, at: Timestamp) {
        if let Some(token) = self.tokens.get_mut(&token) {
            token.last_used = token.last_used.max(Some(at));
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

    /// Number of hosts of an account.
    pub fn host_count_of(&self, account: AccountId) -> usize {
        self.hosts_of.count(account)
    }

    /// Hosts of an account after `after` in canonical order of their names. Those of account 0 are
    /// looked for among all.
    pub fn hosts_of<'a>(
        &'a self,
        account: AccountId,
        after: Option<&'a Name>,
    ) -> Box<dyn Iterator<Item = &'a Host> + 'a> {
        if account == AccountId(0) {
            return Box::new(self.hosts(None, after).filter(move |host| host.account == account));
        }
        Box::new(self.hosts_of.of(account, after).filter_map(|name| self.hosts.get(name)))
    }

    /// The host that a name belongs to: the one at it or next above it in its zone.
    pub fn host_over(&self, name: &Name) -> Option<&Host> {
        let mut at = Some(name.clone());
        while let Some(name) = at {
            if let Some(host) = self.hosts.get(&name) {
                return Some(host);
            }
            // What lies above the apex is of another zone.
            at = if self.zones.contains_key(&name) { None } else { name.parent() };
        }
        None
    }

    /// The token with this number.
    pub fn token(&self, id: TokenId) -> Option<&Token> {
        self.tokens.get(&id)
    }

    /// Whether some token has a secret with this hash.
    pub fn has_secret(&self, hash: &[u8; 32]) -> bool {
        self.token_by_hash.contains_key(hash)
    }

    /// The tokens that name a host, or by their rules a name that belongs to it; each once.
    pub fn tokens_of<'a>(&'a self, host: &Name) -> impl Iterator<Item = &'a Token> + use<'a> {
        let mut ids = self.tokens_by_host.get(host).cloned().unwrap_or_default();
        let named = self.tokens_by_rule.range(host.clone()..);
        for (name, ruled) in named.take_while(|(name, _)| name.is_subdomain_of(host)) {
            if self.host_over(name).is_some_and(|over| over.name == *host) {
                ids.extend(ruled);
            }
        }
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        ids.into_iter().filter_map(|id| self.tokens.get(&id))
    }

    /// Number of tokens of an account, accepted or not.
    pub fn token_count_of(&self, account: AccountId) -> usize {
        self.tokens_of.count(account)
    }

    /// The tokens of an account after `after`, by number. Those of account 0 are looked for among
    /// all.
    pub fn tokens_owned<'a>(
        &'a self,
        account: AccountId,
        after: Option<TokenId>,
    ) -> Box<dyn Iterator<Item = &'a Token> + 'a> {
        if account == AccountId(0) {
            let all = self.tokens().into_iter();
            return Box::new(
                all.filter(move |token| token.account == account && Some(token.id) > after),
            );
        }
        let ids = self.tokens_of.of(account, after.as_ref()).copied().collect::<Vec<_>>();
        Box::new(ids.into_iter().filter_map(|id| self.tokens.get(&id)))
    }

    /// What is kept of the name of a host that was given up.
    pub fn released(&self, name: &Name) -> Option<&Released> {
        self.released.get(name)
    }

    /// Names that were given up and are free again at this moment, those that are longest first.
    pub fn freed(&self, now: Timestamp) -> impl Iterator<Item = &Released> {
        let ended = self.released_until.iter().take_while(move |(until, _)| *until <= now);
        ended.filter_map(|(_, name)| self.released.get(name))
    }

    /// All names that were given up and are kept, by name.
    pub fn all_released(&self) -> Vec<&Released> {
        self.released.values().collect()
    }

    /// What is kept of names at a name, below it, and above it in its zone.
    pub fn released_around<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Released> {
        let below = self.released.range(name.clone()..);
        let below = below.take_while(move |(at, _)| at.is_subdomain_of(name));
        let above = std::iter::successors(name.parent(), Name::parent);
        let above = above.take_while(|at| !self.zones.contains_key(at));
        let above = above.filter_map(|at| self.released.get(&at));
        below.map(|(_, released)| released).chain(above)
    }

    /// The webhook with this number.
    pub fn webhook(&self, id: WebhookId) -> Option<&Webhook> {
        self.webhooks.get(&id)
    }

    /// All webhooks, by number.
    pub fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.values()
    }

    /// Whether an actor has a role, by the token as it is now.
    pub fn role(&self, actor: &TokenActor) -> Option<(Role, AccountId)> {
        let token = self.token(actor.token())?;
        Some((token.role()?, token.account))
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
        let released = self.released.values().cloned().map(Entity::Released);
        let webhooks = self.webhooks.values().cloned().map(Entity::Webhook);
        let known = accounts.chain(zones).chain(hosts).chain(tokens).chain(keys);
        known.chain(released).chain(webhooks)
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
