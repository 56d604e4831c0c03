//! The visible state: what doors read while the engine writes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use account::{Credential, Directory, Timestamp, TokenActor, TokenId, TsigKey};
use arc_swap::ArcSwap;
use tsig::Keys;
use wire::Name;
use zone::Zones;

use crate::expiry::{self, Expiries};
use crate::leases::Leases;

/// Zones, directory, leases and the hosts seen since the last bulk write.
///
/// Doors only read it, but for [`Live::touch`]; the engine alone changes it.
#[derive(Debug, Default)]
pub struct Live {
    zones: Arc<Zones>,
    directory: RwLock<Directory>,
    leases: RwLock<Leases>,
    /// The shared keys of the directory, ready to be used.
    keys: Arc<ArcSwap<Keys>>,
    /// They were made ready once: from then on each change of one is followed.
    keys_ready: AtomicBool,
    /// Hosts seen and not written down yet; no more than there are hosts.
    seen: Mutex<HashMap<Name, Timestamp>>,
    /// Tokens used and not written down yet; no more than there are tokens.
    used: Mutex<HashMap<TokenId, Timestamp>>,
    /// Hosts that may come to be gone.
    expiries: Mutex<Expiries>,
}

impl Live {
    /// Nothing yet.
    pub fn new() -> Live {
        Live::default()
    }

    /// The zones that are served.
    pub fn zones(&self) -> &Arc<Zones> {
        &self.zones
    }

    /// The directory, for reading; hold it for a few lines only, and call nothing else of `Live`
    /// that reads it meanwhile: the engine may be waiting to write.
    pub fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys that messages are signed with, ready to be used; without a lock for readers.
    pub fn keys(&self) -> &Arc<ArcSwap<Keys>> {
        &self.keys
    }

    /// Makes the keys ready anew, after the directory was loaded.
    pub fn prepare_keys(&self) {
        let keys: Keys = self.directory().keys().into_iter().filter_map(prepare).collect();
        self.keys.store(Arc::new(keys));
        self.keys_ready.store(true, Ordering::Relaxed);
    }

    pub(crate) fn put_key(&self, key: &TsigKey) {
        if !self.keys_ready.load(Ordering::Relaxed) {
            return;
        }
        let keys = self.keys.load();
        let keys = prepare(key).map_or_else(|| keys.without(&key.name), |key| keys.with(key));
        self.keys.store(Arc::new(keys));
    }

    pub(crate) fn remove_key(&self, name: &Name) {
        let keys = self.keys.load().without(name);
        self.keys.store(Arc::new(keys));
    }

    /// The leases of records, for reading; hold it for a few lines only.
    pub fn leases(&self) -> RwLockReadGuard<'_, Leases> {
        self.leases.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn leases_mut(&self) -> RwLockWriteGuard<'_, Leases> {
        self.leases.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a client sent a valid update for a host. Kept in memory; written in bulk. A name
    /// that is no host is passed over. Reads the directory.
    pub fn touch(&self, host: &Name, at: Timestamp) {
        if self.directory().host(host).is_none() {
            return;
        }
        let mut seen = self.seen();
        match seen.get_mut(host) {
            Some(last) => *last = at.max(*last),
            None => {
                seen.insert(host.to_lowercase(), at);
            }
        }
    }

    /// When a host was last seen, written down or not. Reads the directory.
    pub fn last_seen(&self, host: &Name) -> Option<Timestamp> {
        let written = self.directory().host(host)?.last_seen;
        let noted = self.seen().get(host).copied();
        written.max(noted)
    }

    /// Notes that a token was used. Kept in memory; written in bulk, and once an hour at most, so
    /// that most uses cost nothing.
    pub fn note_use(&self, actor: &TokenActor, at: Timestamp) {
        if actor.is_use_due() {
            let mut used = self.used();
            let last = used.entry(actor.token()).or_insert(at);
            *last = at.max(*last);
        }
    }

    /// How many [`crate::Operation::FlushSeen`] it takes to write down all hosts seen and tokens
    /// used so far.
    pub fn flushes_due(&self) -> usize {
        let seen = self.seen().len().div_ceil(SEEN_HOSTS_MAX);
        seen.max(self.used().len().div_ceil(SEEN_HOSTS_MAX))
    }

    /// Tokens used and not written down, as many as one bulk write takes.
    pub(crate) fn unwritten_uses(&self) -> Vec<(TokenId, Timestamp)> {
        self.used().iter().take(SEEN_HOSTS_MAX).map(|(id, at)| (*id, *at)).collect()
    }

    /// Forgets uses that are written down, but for later ones.
    pub(crate) fn used_written(&self, tokens: &[(TokenId, Timestamp)]) {
        let mut used = self.used();
        for (id, at) in tokens {
            if used.get(id).is_some_and(|last| last <= at) {
                used.remove(id);
            }
        }
    }

    /// Forgets what was noted of a token that is gone.
    pub(crate) fn forget_token(&self, id: TokenId) {
        self.used().remove(&id);
    }

    fn used(&self) -> MutexGuard<'_, HashMap<TokenId, Timestamp>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hosts seen and not written down, as many as one bulk write takes. They stay noted until
    /// [`Live::written`]: a write may fail.
    pub(crate) fn unwritten(&self) -> Vec<(Name, Timestamp)> {
        let seen = self.seen();
        seen.iter().take(SEEN_HOSTS_MAX).map(|(name, at)| (name.clone(), *at)).collect()
    }

    /// Forgets hosts that are written down, but for those seen again since.
    pub(crate) fn written(&self, hosts: &[(Name, Timestamp)]) {
        let mut seen = self.seen();
        for (name, at) in hosts {
            if seen.get(name).is_some_and(|last| last <= at) {
                seen.remove(name);
            }
        }
    }

    /// Before when no host is gone of which nothing is heard; `None`: there is none with an expiry.
    pub fn next_gone(&self) -> Option<Timestamp> {
        self.expiries().first()
    }

    /// Hosts of which nothing was heard for as long as their expiry says, or since the service
    /// started; at most so many, and no more than a few thousand are looked at. They are named again
    /// until what has to be done about them is visible. Reads the directory.
    pub fn gone(&self, now: Timestamp, started: Timestamp, max: usize) -> Vec<Name> {
        let due = self.expiries().due(now, LOOKS_MAX);
        let is_gone = |name: &Name| {
            let last_seen = self.last_seen(name);
            let (at, is_frozen) = {
                let directory = self.directory();
                let host = directory.host(name);
                let at = host.and_then(|host| expiry::gone_at(host, last_seen, started));
                (at, host.is_some_and(|host| expiry::is_frozen(&directory, host)))
            };
            let Some(at) = at else {
                self.expiries().remove(name);
                return false;
            };
            let at = if is_frozen { Timestamp(now.0.saturating_add(FROZEN_MS)) } else { at };
            if at > now {
                self.expiries().place(name, at);
            }
            at <= now
        };
        due.into_iter().filter(is_gone).take(max).collect()
    }

    /// Whether some host has an expiry and is not gone.
    pub(crate) fn has_expiries(&self) -> bool {
        !self.expiries().is_empty()
    }

    pub(crate) fn expiries(&self) -> MutexGuard<'_, Expiries> {
        self.expiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was noted of a host that is gone.
    pub(crate) fn forget(&self, host: &Name) {
        self.seen().remove(host);
        self.expiries().remove(host);
    }

    /// The same for all hosts that went with their zone.
    pub(crate) fn forget_strays(&self) {
        let mut seen = self.seen();
        let directory = self.directory();
        seen.retain(|name, _| directory.host(name).is_some());
        self.expiries().retain(&directory);
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Name, Timestamp>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key of ours as one that signatures are checked with; `None`: it is not a shared one.
fn prepare(key: &TsigKey) -> Option<tsig::Key> {
    match &key.credential {
        Credential::Shared { algorithm, secret } => {
            Some(tsig::Key::new(key.name.clone(), *algorithm, secret, key.truncated_ok))
        }
        Credential::Sig0 => None,
    }
}

/// Most hosts in one bulk write of what was last seen, and most tokens.
const SEEN_HOSTS_MAX: usize = 20_000;
/// Most hosts that are looked at at once, for whether they are gone.
const LOOKS_MAX: usize = 4096;
/// After so many milliseconds it is looked again whether an account is locked down.
const FROZEN_MS: i64 = 3_600_000;
