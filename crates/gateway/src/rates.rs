//! How often changes may be asked for, counted by who asks and for what. Kept in memory alone: who is
//! told to wait costs the store nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use account::{AccountId, Directory, TokenActor, TokenId, source_block};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use wire::Name;

/// How often what may be asked for; 0: as often as anybody likes.
///
/// An hour's worth may come at once; after that it comes back bit by bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSettings {
    /// Changes of one host in an hour.
    pub host_per_hour: u32,
    /// Changes by one token in an hour.
    pub token_per_hour: u32,
    /// Changes by all tokens of one account in an hour, where nothing is said of the account. Of
    /// account 0, the operator's own, there are as many as there are hosts.
    pub account_per_hour: u32,
    /// Changes from one source, an IPv4 address or an IPv6 /64, in an hour.
    pub source_per_hour: u32,
}

impl Default for RateSettings {
    fn default() -> RateSettings {
        // A line that is renumbered every minute all day long still changes its host; whoever asks
        // for more has a fault, or a secret that is not theirs. Behind one source may be a whole town
        // or a proxy that nobody has listed.
        RateSettings {
            host_per_hour: 120,
            token_per_hour: 1200,
            account_per_hour: 6000,
            source_per_hour: 0,
        }
    }
}

/// Who asked too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many changes by this {by}: try again in {} seconds", .wait.as_secs())]
pub struct TooOften {
    /// What was counted: `host`, `token`, `account` or `source`.
    pub by: &'static str,
    /// When to ask again, at the earliest; at least a second.
    pub wait: Duration,
}

/// What was asked for lately. The host of a change, its token, the account and the source are each
/// counted; only changes are, not requests that find everything as it is to be.
#[derive(Debug)]
pub struct Rates<C: Clock = MonotonicClock> {
    clock: C,
    hosts: Option<Keyed<Name, C>>,
    tokens: Option<Keyed<TokenId, C>>,
    sources: Option<Keyed<IpAddr, C>>,
    account_per_hour: u32,
    /// By the limit that is said of accounts, as each counter has one limit.
    accounts: Mutex<HashMap<u32, Keyed<AccountId, C>>>,
}

impl Rates {
    /// Nobody has asked yet.
    pub fn new(settings: RateSettings) -> Rates {
        Rates::with_clock(settings, MonotonicClock)
    }
}

impl<C: Clock + Clone> Rates<C> {
    fn with_clock(settings: RateSettings, clock: C) -> Rates<C> {
        Rates {
            hosts: Keyed::new(settings.host_per_hour, &clock),
            tokens: Keyed::new(settings.token_per_hour, &clock),
            sources: Keyed::new(settings.source_per_hour, &clock),
            account_per_hour: settings.account_per_hour,
            accounts: Mutex::default(),
            clock,
        }
    }

    /// Counts a change of a host, or says who asked too often. What one of them has left is not given
    /// back when another has none.
    pub fn change(
        &self,
        directory: &Directory,
        actor: &TokenActor,
        (host, source): (&Name, IpAddr),
    ) -> Result<(), TooOften> {
        let account = actor.account();
        let said = directory.account(account).and_then(|known| known.limits.changes_per_hour);
        let counted = self
            .check(self.sources.as_ref(), "source", &source_block(source))
            .and_then(|()| self.check(self.tokens.as_ref(), "token", &actor.token()))
            .and_then(|()| self.account(account, said))
            .and_then(|()| self.check(self.hosts.as_ref(), "host", &host.to_lowercase()));
        counted.inspect_err(|why| {
            metrics::counter!("byname_changes_put_off_total", "by" => why.by).increment(1);
        })
    }

    fn account(&self, account: AccountId, said: Option<u32>) -> Result<(), TooOften> {
        if said == Some(0) {
            return Err(TooOften { by: "account", wait: HOUR });
        }
        let usual = if account == AccountId(0) { 0 } else { self.account_per_hour };
        let limit = said.unwrap_or(usual);
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= LIMITS_MAX && !accounts.contains_key(&limit) {
            accounts.clear();
        }
        if !accounts.contains_key(&limit)
            && let Some(keyed) = Keyed::new(limit, &self.clock)
        {
            accounts.insert(limit, keyed);
        }
        self.check(accounts.get(&limit), "account", &account)
    }

    fn check<K: Hash + Eq + Clone>(
        &self,
        keyed: Option<&Keyed<K, C>>,
        by: &'static str,
        key: &K,
    ) -> Result<(), TooOften> {
        let wait = keyed.map_or(Ok(()), |keyed| keyed.check(key, &self.clock));
        wait.map_err(|wait| TooOften { by, wait: wait.max(Duration::from_secs(1)) })
    }
}

/// A counter for each key.
#[derive(Debug)]
struct Keyed<K: Hash + Eq + Clone, C: Clock> {
    limiter: RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Keyed<K, C> {
    fn new(per_hour: u32, clock: &C) -> Option<Keyed<K, C>> {
        let quota = Quota::per_hour(NonZeroU32::new(per_hour)?);
        let limiter = RateLimiter::new(quota, HashMapStateStore::default(), clock.clone());
        Some(Keyed { limiter })
    }

    /// When there is no room for one more key, it is not counted: the other counters are.
    fn check(&self, key: &K, clock: &C) -> Result<(), Duration> {
        if self.limiter.len() >= KEYS_MAX {
            self.limiter.retain_recent();
            if self.limiter.len() >= KEYS_MAX {
                metrics::counter!("byname_rates_untracked_total").increment(1);
                return Ok(());
            }
        }
        self.limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(clock.now()))
    }
}

const HOUR: Duration = Duration::from_secs(3600);
/// Most keys that one counter counts.
const KEYS_MAX: usize = 100_000;
/// Most limits of accounts that differ; beyond that all are counted afresh.
const LIMITS_MAX: usize = 64;

#[cfg(test)]
mod tests;
