//! The visible state: what doors read while the engine writes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use account::{Directory, Timestamp};
use wire::Name;
use zone::Zones;

/// Zones, directory and the hosts seen since the last bulk write.
///
/// Doors only read it, but for [`Live::touch`]; the engine alone changes it.
#[derive(Debug, Default)]
pub struct Live {
    zones: Arc<Zones>,
    directory: RwLock<Directory>,
    seen: Mutex<HashMap<Name, Timestamp>>,
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

    /// The directory, for reading; hold it for a few lines only.
    pub fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn directory_mut(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a client sent a valid update for a host. Kept in memory; written in bulk.
    pub fn touch(&self, host: &Name, at: Timestamp) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get_mut(host) {
            Some(last) => *last = at.max(*last),
            None => {
                seen.insert(host.clone(), at);
            }
        }
    }

    /// When a host was last seen, written down or not.
    pub fn last_seen(&self, host: &Name) -> Option<Timestamp> {
        let written = self.directory().host(host).and_then(|host| host.last_seen);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        written.max(seen.get(host).copied())
    }

    /// Takes up to `most` of the hosts seen since they were last taken.
    pub(crate) fn take_seen(&self, most: usize) -> Vec<(Name, Timestamp)> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<Name> = seen.keys().take(most).cloned().collect();
        names.into_iter().filter_map(|name| seen.remove_entry(&name)).collect()
    }
}
