//! How much of what is under way each key has: one that is stolen, or whose client has gone mad, keeps
//! nobody else from sending.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use wire::Name;

/// Messages under way and what they take in memory, in octets, by key and together.
#[derive(Debug, Default)]
pub(super) struct Shares {
    by_key: HashMap<Name, Share, RandomState>,
    weight: usize,
}

#[derive(Debug, Default)]
struct Share {
    messages: usize,
    weight: usize,
}

/// There is no room for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Its key has its share under way already.
    Key,
    /// All keys together have.
    All,
}

impl Shares {
    /// Counts a message in, and says whether there is room for it. Either way it counts until
    /// [`Shares::give_back`].
    pub(super) fn take(&mut self, key: &Name, weight: usize) -> Result<(), Full> {
        self.weight += weight;
        let share = match self.by_key.get_mut(key) {
            Some(share) => share,
            None => self.by_key.entry(key.clone()).or_default(),
        };
        share.messages += 1;
        share.weight += weight;
        if share.messages > KEY_MESSAGES_MAX || share.weight > KEY_WEIGHT_MAX {
            return Err(Full::Key);
        }
        if self.weight > WEIGHT_MAX { Err(Full::All) } else { Ok(()) }
    }

    /// A message that was counted in is under way no more.
    pub(super) fn give_back(&mut self, key: &Name, weight: usize) {
        self.weight -= weight;
        let Some(share) = self.by_key.get_mut(key) else { return };
        share.messages -= 1;
        share.weight -= weight;
        if share.messages == 0 {
            self.by_key.remove(key);
        }
    }
}

/// Most messages of one key under way: an eighth of what waits for the writer at most.
const KEY_MESSAGES_MAX: usize = 8192;
/// Most octets that messages under way take in memory, and those of one key.
const WEIGHT_MAX: usize = 256 * 1024 * 1024;
const KEY_WEIGHT_MAX: usize = WEIGHT_MAX / 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_key_has_its_share_and_no_more() {
        let mut shares = Shares::default();
        let (stolen, other) = (key("stolen.test"), key("other.test"));
        for _ in 0..KEY_MESSAGES_MAX {
            assert_eq!(shares.take(&stolen, 1), Ok(()));
        }
        assert_eq!(shares.take(&stolen, 1), Err(Full::Key));
        shares.give_back(&stolen, 1);
        assert_eq!(shares.take(&other, 1), Ok(()));
        shares.give_back(&stolen, 1);
        assert_eq!(shares.take(&stolen, 1), Ok(()));
    }

    #[test]
    fn large_messages_are_bounded_by_their_octets() {
        let mut shares = Shares::default();
        let keys: Vec<Name> = (0..5).map(|number| key(&format!("k{number}.test"))).collect();
        for key in &keys[..4] {
            assert_eq!(shares.take(key, KEY_WEIGHT_MAX), Ok(()));
            assert_eq!(shares.take(key, 1), Err(Full::Key));
            shares.give_back(key, 1);
        }
        assert_eq!(shares.take(&keys[4], 1), Err(Full::All));
    }

    #[test]
    fn keys_with_nothing_under_way_take_no_room() {
        let mut shares = Shares::default();
        for number in 0..100 {
            let key = key(&format!("k{number}.test"));
            assert_eq!(shares.take(&key, 7), Ok(()));
            shares.give_back(&key, 7);
        }
        assert!(shares.by_key.is_empty() && shares.weight == 0);
    }
}
