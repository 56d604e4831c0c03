//! What each account owns of one kind.

use std::collections::{BTreeSet, HashMap};

use crate::entity::AccountId;

/// Keys of what accounts own. Of account 0, which on most services owns nearly everything, only the
/// number is kept.
#[derive(Debug)]
pub(super) struct Owned<K> {
    counts: HashMap<AccountId, usize>,
    keys: HashMap<AccountId, BTreeSet<K>>,
}

impl<K> Default for Owned<K> {
    fn default() -> Owned<K> {
        Owned { counts: HashMap::new(), keys: HashMap::new() }
    }
}

impl<K: Ord + Clone> Owned<K> {
    /// Notes what is new.
    pub(super) fn put(&mut self, account: AccountId, key: &K) {
        *self.counts.entry(account).or_default() += 1;
        if account != AccountId(0) {
            self.keys.entry(account).or_default().insert(key.clone());
        }
    }

    /// Forgets what was noted.
    pub(super) fn remove(&mut self, account: AccountId, key: &K) {
        let Some(count) = self.counts.get_mut(&account) else { return };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&account);
        }
        if let Some(keys) = self.keys.get_mut(&account) {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&account);
            }
        }
    }

    /// How many the account owns.
    pub(super) fn count(&self, account: AccountId) -> usize {
        self.counts.get(&account).copied().unwrap_or(0)
    }

    /// Those after `after`, in order. None of account 0.
    pub(super) fn of(&self, account: AccountId, after: Option<&K>) -> impl Iterator<Item = &K> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, |after| Excluded(after.clone()));
        self.keys
            .get(&account)
            .into_iter()
            .flat_map(move |keys| keys.range((from.clone(), Unbounded)))
    }
}
