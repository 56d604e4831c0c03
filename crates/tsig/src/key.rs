//! Keys that are ready to be used, and MACs.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit};
use rpds::HashTrieMapSync;
use subtle::ConstantTimeEq;
use wire::{Name, TsigAlgorithm};

/// A shared key with the state of its MAC prepared: signing hashes the message and nothing else.
/// `Debug` hides it.
pub struct Key {
    name: Arc<Name>,
    algorithm: TsigAlgorithm,
    state: State,
    truncated_ok: bool,
}

/// The prepared state of each algorithm, behind a pointer: they are large. Who has it can sign, so it
/// is wiped when it is dropped, as is each copy that a message is hashed with.
enum State {
    Md5(Box<Hmac<md5::Md5>>),
    Sha1(Box<Hmac<sha1::Sha1>>),
    Sha224(Box<Hmac<sha2::Sha224>>),
    Sha256(Box<Hmac<sha2::Sha256>>),
    Sha384(Box<Hmac<sha2::Sha384>>),
    Sha512(Box<Hmac<sha2::Sha512>>),
}

/// A MAC, perhaps truncated.
#[derive(Clone, Copy)]
pub struct Mac {
    octets: [u8; MAC_OCTETS_MAX],
    len: u8,
}

/// Keys by their names. One more or less costs the same, however many there are: what has not changed
/// is shared with the keys from before.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    by_name: HashTrieMapSync<Name, Arc<Key>>,
}

impl Key {
    /// Prepares a key. `truncated_ok`: a MAC that was truncated is accepted, as far as RFC 8945
    /// §5.2.2.1 allows it to be.
    pub fn new(name: Name, algorithm: TsigAlgorithm, secret: &[u8], truncated_ok: bool) -> Key {
        let name = Arc::new(name.to_lowercase());
        Key { name, algorithm, state: State::new(algorithm, secret), truncated_ok }
    }

    /// Its name, in lower case.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The same, to be kept.
    pub fn shared_name(&self) -> &Arc<Name> {
        &self.name
    }

    /// Its algorithm, the only one that messages with this key may use.
    pub fn algorithm(&self) -> TsigAlgorithm {
        self.algorithm
    }

    pub(crate) fn truncated_ok(&self) -> bool {
        self.truncated_ok
    }

    /// The MAC of some octets one after the other.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Mac {
        self.state.mac(parts)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl State {
    fn new(algorithm: TsigAlgorithm, secret: &[u8]) -> State {
        match algorithm {
            TsigAlgorithm::HmacMd5 => State::Md5(prepare(secret)),
            TsigAlgorithm::HmacSha1 => State::Sha1(prepare(secret)),
            TsigAlgorithm::HmacSha224 => State::Sha224(prepare(secret)),
            TsigAlgorithm::HmacSha256 => State::Sha256(prepare(secret)),
            TsigAlgorithm::HmacSha384 => State::Sha384(prepare(secret)),
            TsigAlgorithm::HmacSha512 => State::Sha512(prepare(secret)),
        }
    }

    fn mac(&self, parts: &[&[u8]]) -> Mac {
        match self {
            State::Md5(state) => mac(state.as_ref(), parts),
            State::Sha1(state) => mac(state.as_ref(), parts),
            State::Sha224(state) => mac(state.as_ref(), parts),
            State::Sha256(state) => mac(state.as_ref(), parts),
            State::Sha384(state) => mac(state.as_ref(), parts),
            State::Sha512(state) => mac(state.as_ref(), parts),
        }
    }
}

fn prepare<H: KeyInit>(secret: &[u8]) -> Box<H> {
    // A secret may have any length: longer ones are hashed, shorter ones padded (RFC 2104 §2). The
    // other branch does not exist for HMAC; an empty secret would be the result, which nobody has.
    let empty = hmac::digest::Key::<H>::default();
    Box::new(H::new_from_slice(secret).unwrap_or_else(|_| H::new(&empty)))
}

fn mac<H: hmac::Mac + Clone>(state: &H, parts: &[&[u8]]) -> Mac {
    let mut state = state.clone();
    for part in parts {
        state.update(part);
    }
    Mac::new(&state.finalize().into_bytes())
}

impl Mac {
    /// The MAC, or another signature, that consists of these octets; of longer ones the first 64.
    pub fn of(octets: &[u8]) -> Mac {
        Mac::new(octets)
    }

    pub(crate) fn new(octets: &[u8]) -> Mac {
        let len = octets.len().min(MAC_OCTETS_MAX);
        let mut mac = Mac { octets: [0; MAC_OCTETS_MAX], len: len as u8 };
        for (to, from) in mac.octets.iter_mut().zip(octets) {
            *to = *from;
        }
        mac
    }

    /// Its octets.
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Its length as it stands before it in a digest (RFC 8945 §4.3.1).
    pub(crate) fn length(&self) -> [u8; 2] {
        [0, self.len]
    }

    /// Whether some octets are this MAC, or a truncation of it; in constant time for their length.
    pub(crate) fn begins_with(&self, octets: &[u8]) -> bool {
        let own = self.as_octets().get(..octets.len());
        own.is_some_and(|own| own.ct_eq(octets).into())
    }
}

impl PartialEq for Mac {
    fn eq(&self, other: &Mac) -> bool {
        self.as_octets().ct_eq(other.as_octets()).into()
    }
}

impl Eq for Mac {}

impl std::hash::Hash for Mac {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_octets().hash(state);
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({} octets)", self.len)
    }
}

impl Keys {
    /// The key of this name.
    pub fn get(&self, name: &Name) -> Option<&Arc<Key>> {
        self.by_name.get(name)
    }

    /// These keys and another one, in place of the one of its name.
    pub fn with(&self, key: Key) -> Keys {
        Keys { by_name: self.by_name.insert((*key.name).clone(), Arc::new(key)) }
    }

    /// These keys without the one of a name.
    pub fn without(&self, name: &Name) -> Keys {
        Keys { by_name: self.by_name.remove(name) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Keys {
        let by_name = keys.into_iter().map(|key| ((*key.name).clone(), Arc::new(key))).collect();
        Keys { by_name }
    }
}

/// The longest MAC, that of HMAC-SHA512, in octets.
const MAC_OCTETS_MAX: usize = 64;

#[cfg(test)]
mod tests;
