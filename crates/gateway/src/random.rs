//! The system's random source.

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
