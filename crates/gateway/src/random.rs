//! The system's random source.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

/// Cryptographically strong random octets.
#[derive(Clone, Debug)]
pub struct Random(SystemRandom);

impl Random {
    /// Opens the source.
    pub fn new() -> Random {
        Random(SystemRandom::new())
    }

    /// 16 random octets; an error when the system has none.
    pub fn octets(&self) -> std::io::Result<[u8; 16]> {
        let mut octets = [0; 16];
        match self.0.fill(&mut octets) {
            Ok(()) => Ok(octets),
            Err(_) => Err(std::io::Error::other("the system gives no random octets")),
        }
    }
}

impl Default for Random {
    fn default() -> Random {
        Random::new()
    }
}

/// Salts, taken from the system many at a time: one call for each change would cost more than the
/// hash that the salt is for.
pub(crate) struct Salts {
    random: Random,
    ahead: Mutex<Ahead>,
}

/// Random octets that nobody has had yet.
struct Ahead {
    octets: [[u8; 16]; SALTS_AHEAD],
    left: usize,
}

impl Salts {
    pub(crate) fn new(random: Random) -> Salts {
        Salts { random, ahead: Mutex::new(Ahead { octets: [[0; 16]; SALTS_AHEAD], left: 0 }) }
    }

    /// A salt that nobody else has; `None` when the system has no random octets.
    pub(crate) fn next(&self) -> Option<[u8; 16]> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if ahead.left == 0 {
            self.random.0.fill(ahead.octets.as_flattened_mut()).ok()?;
            ahead.left = SALTS_AHEAD;
        }
        ahead.left -= 1;
        let left = ahead.left;
        // It is nowhere in memory but with the one who has it.
        ahead.octets.get_mut(left).map(std::mem::take)
    }
}

impl fmt::Debug for Salts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salts")
    }
}

/// Salts that are taken at once.
const SALTS_AHEAD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_salt_comes_twice() {
        let salts = Salts::new(Random::new());
        let some: Vec<[u8; 16]> = (0..3 * SALTS_AHEAD).filter_map(|_| salts.next()).collect();
        let different: std::collections::HashSet<&[u8; 16]> = some.iter().collect();
        assert_eq!(different.len(), 3 * SALTS_AHEAD);
        assert!(!different.contains(&[0; 16]));
    }
}
