//! The client's end: signing requests, and checking what is said to them.

use std::sync::Arc;

use crate::key::{Key, Mac};
use crate::record::{self, HEADER, Signed, Stamp};
use crate::verify::{FUDGE_S, check_length, mac_of_next};

/// A request that was signed: what its response is checked with.
#[derive(Clone, Debug)]
pub struct Client {
    key: Arc<Key>,
    /// The MAC that the next message's digest begins with.
    previous: Mac,
    /// Messages of the response so far.
    messages: u32,
    /// Messages since the last one that was signed, one after the other: they count in its digest.
    unsigned: Vec<u8>,
    unsigned_count: u32,
}

/// Why a response is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// It carries no signature, or a malformed one, or of another key.
    #[error("the answer is not signed with our key")]
    Unsigned,
    /// The signature does not fit.
    #[error("the signature of the answer does not fit")]
    BadSig,
    /// The signature is too old, or of the future.
    #[error("the time of the answer's signature is too far from ours")]
    BadTime,
    /// The server did not accept the request's signature: the code, and whether it proved to know
    /// the key.
    #[error("the server did not accept the signature: error {code}")]
    Refused {
        /// The error field (RFC 8945 §3).
        code: u16,
        /// The refusal is signed.
        signed: bool,
    },
}

impl Client {
    /// Signs a request. `now_s`: seconds since 1970-01-01 00:00 UTC.
    pub fn sign(key: &Arc<Key>, message: &mut Vec<u8>, now_s: u64) -> Client {
        let original_id = message.first_chunk::<2>().map_or(0, |id| u16::from_be_bytes(*id));
        let stamp = Stamp { time_s: now_s, fudge_s: FUDGE_S, original_id, error: 0, other: &[] };
        let mac = stamp.mac(key, None, (message, &[]));
        stamp.append((key.name(), key.algorithm().as_wire()), mac.as_octets(), message, 0);
        Client {
            key: Arc::clone(key),
            previous: mac,
            messages: 0,
            unsigned: Vec::new(),
            unsigned_count: 0,
        }
    }

    /// Checks a message of the response. Of a response of several messages all are given in order;
    /// between two signatures there may be 99 messages without (RFC 8945 §5.3.1), so what they say
    /// is only certain when a later one was accepted.
    pub fn verify(&mut self, message: &[u8], now_s: u64) -> Result<(), ClientError> {
        let signed = Signed::find(message).map_err(|_| ClientError::Unsigned)?;
        let Some(signed) = signed else { return self.pass(message) };
        let is_ours = signed.key == *self.key.name()
            && record::algorithm(&signed) == Some(self.key.algorithm());
        if !is_ours {
            return Err(ClientError::Unsigned);
        }
        if signed.mac.is_empty() && signed.error != 0 {
            return Err(ClientError::Refused { code: signed.error, signed: false });
        }
        check_length(self.key.algorithm(), signed.mac.len()).map_err(|_| ClientError::BadSig)?;
        if !self.expected(&signed).is_some_and(|expected| expected.begins_with(signed.mac)) {
            return Err(ClientError::BadSig);
        }
        if signed.error != 0 {
            return Err(ClientError::Refused { code: signed.error, signed: true });
        }
        if signed.time_s.abs_diff(now_s) > u64::from(signed.fudge_s) {
            return Err(ClientError::BadTime);
        }
        self.previous = Mac::new(signed.mac);
        self.messages = self.messages.saturating_add(1);
        self.unsigned.clear();
        self.unsigned_count = 0;
        Ok(())
    }

    /// A message without a signature: not the first one, and not too many.
    fn pass(&mut self, message: &[u8]) -> Result<(), ClientError> {
        if self.messages == 0 || self.unsigned_count >= UNSIGNED_MAX || message.len() < HEADER {
            return Err(ClientError::Unsigned);
        }
        self.unsigned.extend_from_slice(message);
        self.unsigned_count += 1;
        Ok(())
    }

    /// The MAC that a message must have; `None` when its other data are longer than they can be.
    fn expected(&self, signed: &Signed<'_>) -> Option<Mac> {
        u8::try_from(signed.other.len()).ok()?;
        let stamp = Stamp {
            time_s: signed.time_s,
            fudge_s: signed.fudge_s,
            original_id: signed.original_id,
            error: signed.error,
            other: signed.other,
        };
        let (head, body) = signed.as_signed();
        if self.messages == 0 {
            return Some(stamp.mac(&self.key, Some(&self.previous), (&head, body)));
        }
        let since = [&self.unsigned, &head[..], body].concat();
        Some(mac_of_next(&self.key, &self.previous, &since, &stamp))
    }
}

/// Messages in a row that may go without a signature (RFC 8945 §5.3.1).
const UNSIGNED_MAX: u32 = 99;
