//! The text of a token: `byn_`, 22 characters of base 62 (128 random bits and a little more room),
//! 6 characters of checksum. 32 characters in all, as old firmware often has no room for more.
//!
//! The prefix and the checksum let secret scanners find leaked tokens without asking us, and let
//! us turn away mistyped ones before any look-up.

use std::fmt;

use ring::hkdf::{HKDF_SHA256, Salt};
use ring::signature::{Ed25519KeyPair, KeyPair};

/// A token's secret text. Shown once to its owner, never logged: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes the text of a token from 16 random octets.
    pub fn from_random(random: [u8; 16]) -> Secret {
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        push_base62(&mut text, u128::from_be_bytes(random), RANDOM_CHARS);
        let checksum = crc32fast::hash(text.as_bytes());
        push_base62(&mut text, u128::from(checksum), CHECKSUM_CHARS);
        Secret(text)
    }

    /// Reads a token's text as a client sent it; `None` when its form or checksum is wrong, so
    /// that it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Secret> {
        if text.len() != LENGTH || !text.is_ascii() || !text.starts_with(PREFIX) {
            return None;
        }
        let (body, checksum) = text.split_at(LENGTH - CHECKSUM_CHARS);
        let mut expected = String::with_capacity(CHECKSUM_CHARS);
        push_base62(&mut expected, u128::from(crc32fast::hash(body.as_bytes())), CHECKSUM_CHARS);
        (expected == checksum).then(|| Secret(text.to_owned()))
    }

    /// The text, for showing it to its owner once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The Ed25519 public key of the pair that signed requests are made and checked with: its seed is
    /// HKDF-SHA256 (RFC 5869) of the text. `None` never happens with a seed of the right length.
    pub fn verify_key(&self) -> Option<[u8; 32]> {
        let pair = self.sign_key()?;
        pair.public_key().as_ref().try_into().ok()
    }

    /// The pair itself.
    pub fn sign_key(&self) -> Option<Ed25519KeyPair> {
        let extracted = Salt::new(HKDF_SHA256, &[]).extract(self.0.as_bytes());
        let mut seed = [0; 32];
        extracted.expand(&[SIGN_INFO], HKDF_SHA256).ok()?.fill(&mut seed).ok()?;
        Ed25519KeyPair::from_seed_unchecked(&seed).ok()
    }

    /// SHA-256 of the text: what is stored. One fast hash is enough for 128 random bits.
    pub fn hash(&self) -> [u8; 32] {
        hash(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of any text that a client sent as a token.
pub(crate) fn hash(text: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, text);
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

fn push_base62(text: &mut String, mut value: u128, chars: usize) {
    let mut digits = [b'0'; RANDOM_CHARS];
    for digit in digits.iter_mut().take(chars).rev() {
        let rest = usize::try_from(value % 62).unwrap_or(0);
        *digit = ALPHABET.get(rest).copied().unwrap_or(b'0');
        value /= 62;
    }
    text.extend(digits.iter().take(chars).map(|&digit| char::from(digit)));
}

/// What the seed of a pair of keys is for (RFC 5869 §3.2).
const SIGN_INFO: &[u8] = b"byname signed request v1";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX: &str = "byn_";
/// 62^22 is more than 2^128.
const RANDOM_CHARS: usize = 22;
/// 62^6 is more than 2^32.
const CHECKSUM_CHARS: usize = 6;
/// Characters of a token's text.
pub const LENGTH: usize = PREFIX.len() + RANDOM_CHARS + CHECKSUM_CHARS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_round_trips_and_hides() {
        for random in [[0; 16], [0xff; 16], *b"0123456789abcdef"] {
            let secret = Secret::from_random(random);
            assert_eq!(secret.reveal().len(), 32);
            assert_eq!(Secret::parse(secret.reveal()).as_ref(), Some(&secret));
            assert!(!format!("{secret:?}").contains("byn_"));
        }
        assert_ne!(Secret::from_random([1; 16]), Secret::from_random([2; 16]));
    }

    #[test]
    fn secret_with_one_wrong_character_is_turned_away() {
        let secret = Secret::from_random(*b"fedcba9876543210");
        for at in 0..LENGTH {
            let mut text = secret.reveal().as_bytes().to_vec();
            text[at] = if text[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(Secret::parse(std::str::from_utf8(&text).unwrap()), None, "at {at}");
        }
        assert_eq!(Secret::parse(""), None);
        assert_eq!(Secret::parse(&format!("{} ", secret.reveal())), None);
    }

    /// A token's text stays what it is: scanners and devices hold it.
    #[test]
    fn secret_has_a_prefix_a_body_and_a_checksum_that_never_change() {
        for (random, text) in [
            ([0; 16], "byn_0000000000000000000000"),
            ([0xff; 16], "byn_7n42DGM5Tflk9n8mt7Fhc7"),
            (*b"0123456789abcdef", "byn_1Sw75eItjWvn5aWJbDTr2E"),
        ] {
            let secret = Secret::from_random(random);
            let (body, checksum) = secret.reveal().split_at(26);
            assert_eq!(body, text);
            assert!(checksum.bytes().all(|octet| octet.is_ascii_alphanumeric()), "{checksum}");
            // Base 62 of the CRC-32 of what stands before it, as a scanner computes it.
            let value = checksum.bytes().fold(0_u64, |value, octet| {
                value * 62 + ALPHABET.iter().position(|&digit| digit == octet).unwrap() as u64
            });
            assert_eq!(value, u64::from(crc32fast::hash(body.as_bytes())));
        }
    }

    #[test]
    fn secret_hash_is_sha256_of_the_whole_text() {
        // FIPS 180-2, appendix B.1.
        let digest = hash(b"abc");
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        let secret = Secret::from_random([7; 16]);
        assert_eq!(secret.hash(), hash(secret.reveal().as_bytes()));
    }
    /// HKDF-SHA256 and Ed25519 by another implementation: a signer makes the same pair of the token.
    #[test]
    fn secret_makes_the_key_that_any_signer_makes_of_it() {
        for (text, key) in [
            (
                "byn_00000000000000000000003ubTlY",
                "0e578a874272deb7c28ec0d70cd4ce0785c61faff398fea3e24beb165261d8d3",
            ),
            (
                "byn_1Sw75eItjWvn5aWJbDTr2E33UXx5",
                "3ee7883f88959e146bba7ad7d1741a40bfe84c0f2116106cbd76f67437ffe1dd",
            ),
        ] {
            let made = Secret::parse(text).unwrap().verify_key().unwrap();
            let made: String = made.iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(made, key);
        }
    }
}
