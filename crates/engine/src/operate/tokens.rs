//! Tokens.

use std::collections::{BTreeMap, BTreeSet};

use account::policy::{self, Denied, Standing};
use account::{
    Account, AccountId, AuthError, Directory, Entity, Host, NamePattern, Rule, Terms, Timestamp,
    Token, TokenId,
};
use store::Fact;
use wire::Name;

use super::{Operate, changed, check_label, created, most, removed, replaced};
use crate::engine::Judged;
use crate::request::{NewToken, Refused};

impl Operate<'_> {
    pub(super) fn revoke_token(&self, id: TokenId) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let token = directory.token(id).ok_or(Refused::Missing("token"))?;
        if token.revoked.is_some() {
            return Ok(Judged::default());
        }
        let after = Token { revoked: Some(self.at), ..token.clone() };
        Ok(Judged {
            facts: changed(Entity::Token(token.clone()), Entity::Token(after)),
            ..Judged::default()
        })
    }

    pub(super) fn expose_token(&self, id: TokenId) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let token = directory.token(id).ok_or(Refused::Missing("token"))?;
        if token.exposed.is_some() {
            return Ok(Judged::default());
        }
        let after = Token { exposed: Some(self.at), ..token.clone() };
        Ok(Judged {
            facts: changed(Entity::Token(token.clone()), Entity::Token(after)),
            ..Judged::default()
        })
    }

    pub(super) fn add_token(
        &self,
        standing: Standing,
        (hosts, account): (&[Name], Option<AccountId>),
        new: &NewToken,
    ) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        if hosts.len() > TOKEN_HOSTS_MAX {
            return Err(Refused::Limit("hosts of one token: 1 to 1000"));
        }
        if hosts.is_empty() && new.terms.rules.is_empty() && new.terms.role.is_none() {
            return Err(Refused::Invalid("a token is for hosts, by a rule or in a role"));
        }
        let mut names = Vec::with_capacity(hosts.len());
        let mut owner = account;
        for name in hosts {
            let host = directory.host(name).ok_or(Refused::Missing("host"))?;
            same_owner(&mut owner, host.account)?;
            self.check_room(&directory, name)?;
            names.push(host.name.clone());
        }
        for name in new.terms.rules.iter().flat_map(|rule| &rule.names) {
            let name = name.name().ok_or(Refused::Invalid(NO_SELF))?;
            let of =
                policy::owner(&directory, name).ok_or(Refused::Missing("zone for this name"))?;
            same_owner(&mut owner, of.account)?;
            if let Some(host) = directory.host_over(name) {
                self.check_room(&directory, &host.name)?;
            }
        }
        let account = owner.ok_or(Refused::Invalid("a token without names needs an account"))?;
        let owner = directory.account(account).ok_or(Refused::Missing("account"))?;
        self.check_tokens(&directory, owner, standing)?;
        let mut facts = self.forget_dead_tokens(&directory, &names);
        let token = self.token(&directory, account, names, new)?;
        let made = Some(token.id.0);
        facts.push(created(Entity::Token(token)));
        Ok(Judged { facts, serial: None, made })
    }

    pub(super) fn rotate_token(
        &self,
        id: TokenId,
        new: &NewToken,
        overlap_s: u32,
    ) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let old = directory.token(id).ok_or(Refused::Missing("token"))?;
        directory.usable(old, self.at).map_err(Denied::from)?;
        let label = if new.label.is_empty() { &old.label } else { &new.label };
        let terms = old.terms.as_deref().cloned().unwrap_or_default();
        let new = NewToken { label: label.clone(), terms, ..new.clone() };
        let token = self.token(&directory, old.account, old.hosts.clone(), &new)?;
        let made = Some(token.id.0);
        let facts = vec![self.end(old, overlap_s)?, created(Entity::Token(token))];
        Ok(Judged { facts, serial: None, made })
    }

    /// A host that goes leaves no token that covers the next host of its name.
    pub(super) fn uncover(&self, directory: &Directory, host: &Name) -> Vec<Fact> {
        let belongs = |name: &Name| {
            name.is_subdomain_of(host)
                && directory.host_over(name).is_none_or(|over| over.name == *host)
        };
        let without = |token: &Token| {
            let hosts: Vec<Name> =
                token.hosts.iter().filter(|&name| name != host).cloned().collect();
            let terms = token.terms.as_deref().map(|terms| without_names(terms, &belongs));
            let is_for_nothing = hosts.is_empty()
                && terms.as_ref().is_none_or(|t| t.rules.is_empty() && t.role.is_none());
            if is_for_nothing {
                return removed(Entity::Token(token.clone()));
            }
            let after = Token { hosts, terms: terms.map(Box::new), ..token.clone() };
            replaced(Entity::Token(token.clone()), Entity::Token(after))
        };
        directory.tokens_of(host).map(without).collect()
    }

    /// Ends the tokens that are for the addresses of one host and nothing else.
    pub(super) fn end_sole_tokens(
        &self,
        directory: &Directory,
        host: &Host,
        overlap_s: u32,
    ) -> Result<Vec<Fact>, Refused> {
        let is_sole = |token: &&Token| {
            token.hosts == [host.name.clone()] && token.rules().is_empty() && token.role().is_none()
        };
        let tokens = directory.tokens_of(&host.name).filter(is_sole);
        let alive = tokens.filter(|token| !is_dead(directory, token, self.at));
        alive.map(|token| self.end(token, overlap_s)).collect()
    }

    /// Ends a token, now or in a while.
    fn end(&self, token: &Token, overlap_s: u32) -> Result<Fact, Refused> {
        let mut after = token.clone();
        if overlap_s == 0 {
            after.revoked = Some(self.at);
        } else if overlap_s > OVERLAP_S_MAX {
            return Err(Refused::Invalid("tokens overlap for a year at most"));
        } else {
            let mut terms = after.terms.take().unwrap_or_default();
            let end = Timestamp(self.at.0 + i64::from(overlap_s) * 1000);
            terms.expires = Some(terms.expires.map_or(end, |known| known.min(end)));
            after.terms = Some(terms);
        }
        Ok(replaced(Entity::Token(token.clone()), Entity::Token(after)))
    }

    fn check_room(&self, directory: &Directory, host: &Name) -> Result<(), Refused> {
        let tokens = directory.tokens_of(host);
        let alive = tokens.filter(|token| directory.usable(token, self.at).is_ok());
        if alive.count() >= HOST_TOKENS_MAX {
            return Err(Refused::Limit("tokens of one host: 100"));
        }
        Ok(())
    }

    /// Whether the account may have one more token. Counted one by one only when there are many.
    pub(super) fn check_tokens(
        &self,
        directory: &Directory,
        owner: &Account,
        standing: Standing,
    ) -> Result<(), Refused> {
        let Some(most) = most(owner.limits.tokens, TOKENS_MAX, standing) else { return Ok(()) };
        if directory.token_count_of(owner.id) < most {
            return Ok(());
        }
        let tokens = directory.tokens_owned(owner.id, None);
        let alive = tokens.filter(|token| !is_dead(directory, token, self.at));
        if alive.count() < most { Ok(()) } else { Err(Refused::Limit("tokens of the account")) }
    }

    /// Tokens of these hosts that are dead already: history has them, and they must not pile up.
    pub(super) fn forget_dead_tokens(&self, directory: &Directory, hosts: &[Name]) -> Vec<Fact> {
        let tokens = hosts.iter().flat_map(|host| directory.tokens_of(host));
        let dead: BTreeMap<TokenId, &Token> = tokens
            .filter(|token| is_dead(directory, token, self.at))
            .map(|token| (token.id, token))
            .take(TOKENS_FORGOTTEN_MAX)
            .collect();
        dead.into_values().map(|token| removed(Entity::Token(token.clone()))).collect()
    }

    pub(super) fn token(
        &self,
        directory: &Directory,
        account: AccountId,
        hosts: Vec<Name>,
        new: &NewToken,
    ) -> Result<Token, Refused> {
        check_label(&new.label)?;
        if directory.has_secret(&new.hash) {
            return Err(Refused::Exists("token with this secret"));
        }
        let void_until = match directory.account(account) {
            Some(account) if !account.frozen => account.tokens_void_until,
            Some(_) | None => return Err(Denied::Frozen.into()),
        };
        check_terms(&new.terms, self.at)?;
        // The clock may stand still: what is made after a lockdown is not revoked by it.
        let created = void_until.map_or(self.at, |void| self.at.max(Timestamp(void.0 + 1)));
        let hosts: BTreeSet<Name> = hosts.into_iter().collect();
        let is_plain = new.terms == Terms::default();
        // The position is unique in the log, so it serves as the number.
        Ok(Token {
            hosts: hosts.into_iter().collect(),
            label: new.label.clone(),
            verify_key: new.verify_key,
            terms: (!is_plain).then(|| Box::new(new.terms.clone())),
            ..Token::new(TokenId(self.next_pos.0), account, new.hash, created)
        })
    }
}

/// All that one token names belongs to one account.
fn same_owner(owner: &mut Option<AccountId>, of: AccountId) -> Result<(), Refused> {
    if owner.replace(of).is_some_and(|before| before != of) {
        return Err(Refused::Invalid("the names belong to different accounts"));
    }
    Ok(())
}

/// Terms without rules for some names.
fn without_names(terms: &Terms, gone: &dyn Fn(&Name) -> bool) -> Terms {
    let left = |rule: &Rule| {
        let keeps = |pattern: &&NamePattern| !pattern.name().is_some_and(gone);
        let names: Vec<NamePattern> = rule.names.iter().filter(keeps).cloned().collect();
        // A rule without names would be one for every name.
        (!names.is_empty() || rule.names.is_empty()).then(|| Rule { names, ..rule.clone() })
    };
    Terms { rules: terms.rules.iter().filter_map(left).collect(), ..terms.clone() }
}

/// What makes no sense is a mistake that its owner wants to hear of now.
fn check_terms(terms: &Terms, now: Timestamp) -> Result<(), Refused> {
    if terms.rules.len() > RULES_MAX || terms.networks.len() > NETWORKS_MAX {
        return Err(Refused::Limit("rules and networks of one token: 100 each"));
    }
    for rule in &terms.rules {
        if rule.names.len() > NAMES_MAX || rule.types.len() > TYPES_MAX {
            return Err(Refused::Limit("names and types of one rule: 100 each"));
        }
        if rule.values.len() > NETWORKS_MAX {
            return Err(Refused::Limit("networks of one rule: 100"));
        }
        if rule.types.is_empty() {
            return Err(Refused::Invalid("a rule of a token names the types that it is for"));
        }
        if rule.types.iter().any(|rtype| rtype.is_meta()) {
            return Err(Refused::Invalid("a type that no zone can hold"));
        }
        if !rule.actions.add && !rule.actions.delete {
            return Err(Refused::Invalid("a rule of a token is to add or to delete"));
        }
        if rule.names.iter().any(|pattern| pattern.name().is_none()) {
            return Err(Refused::Invalid(NO_SELF));
        }
    }
    if terms.expires.is_some_and(|at| at <= now) {
        return Err(Refused::Invalid("a token expires later than now"));
    }
    if terms.unused_s.is_some_and(|seconds| !UNUSED_S.contains(&seconds)) {
        return Err(Refused::Invalid("a token ends unused after a day to ten years"));
    }
    Ok(())
}

/// Over for good: revoked, by itself or by a lockdown, or ended by its terms.
fn is_dead(directory: &Directory, token: &Token, now: Timestamp) -> bool {
    use AuthError::{Expired, Revoked, Unused};
    matches!(directory.usable(token, now), Err(Revoked | Expired | Unused))
}

const NO_SELF: &str = "a token has no name that `self` could stand for";
/// Most hosts of one token.
const TOKEN_HOSTS_MAX: usize = 1000;
/// Most tokens of one host that are accepted.
const HOST_TOKENS_MAX: usize = 100;
/// Most dead tokens that one operation forgets.
const TOKENS_FORGOTTEN_MAX: usize = 100;
/// Most rules of one token: all may be looked at for each edit.
const RULES_MAX: usize = 100;
/// Most name patterns of one rule.
const NAMES_MAX: usize = 100;
/// Most types of one rule.
const TYPES_MAX: usize = 100;
/// Most networks of one token, and of one rule.
const NETWORKS_MAX: usize = 100;
/// Longest time that a token goes on beside the one in its place, in seconds: a year.
const OVERLAP_S_MAX: u32 = 366 * 86_400;
/// Seconds after which a token may end unused: no less than it takes to write down uses, by far.
const UNUSED_S: std::ops::RangeInclusive<u32> = 86_400..=10 * 366 * 86_400;
/// Most tokens of an account of which nothing else is said, as far as it makes them itself.
const TOKENS_MAX: usize = 2000;
