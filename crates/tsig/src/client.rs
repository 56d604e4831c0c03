//! The client's end: signing requests, and checking what is said to them.

use std::sync::Arc;

use wire::Rcode;

use crate::key::{Key, Mac};
use crate::record::{self, HEADER, Signed, Stamp};
use crate::verify::{FUDGE_S, Problem, check_length, mac_of_next};

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
    /// The signature was truncated, and our key does not allow that.
    #[error("the signature of the answer was truncated")]
    BadTrunc,
    /// The server did not accept the request's signature: the code, and whether it proved to know
    /// the key.
    #[error("the server did not accept the signature: error {code}")]
    Refused {
        /// The error field (RFC 8945 §3).
        code: u16,
        /// The refusal is signed.
        signed: bool,
        /// The server's clock, in seconds since 1970-01-01 00:00 UTC, when it is what ours does not
        /// agree with: for the log, never for setting a clock (§5.4.3).
        server_s: Option<u64>,
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
    /// is only certain when a later one was accepted: see [`Client::is_certain`].
    ///
    /// Anybody can send an answer that is not signed: after any error but a signed
    /// [`ClientError::Refused`] the caller does well to wait for another answer (§5.4).
    pub fn verify(&mut self, message: &[u8], now_s: u64) -> Result<(), ClientError> {
        let signed = Signed::find(message).map_err(|_| ClientError::Unsigned)?;
        let Some(signed) = signed else { return self.pass(message) };
        let is_ours = signed.key == *self.key.name()
            && record::algorithm(&signed) == Some(self.key.algorithm());
        if !is_ours {
            return Err(ClientError::Unsigned);
        }
        let refused = |is_signed| ClientError::Refused {
            code: signed.error,
            signed: is_signed,
            server_s: server_time(&signed),
        };
        if signed.mac.is_empty() && signed.error != 0 {
            // §5.4: only in answers that say so in their header as well.
            let is_refusal = rcode(message) == Rcode::NOTAUTH;
            return Err(if is_refusal { refused(false) } else { ClientError::Unsigned });
        }
        check_length(self.key.algorithm(), signed.mac.len()).map_err(|_| ClientError::BadSig)?;
        if !self.expected(&signed).begins_with(signed.mac) {
            return Err(ClientError::BadSig);
        }
        if signed.error != 0 {
            return Err(refused(true));
        }
        if signed.time_s.abs_diff(now_s) > u64::from(signed.fudge_s) {
            return Err(ClientError::BadTime);
        }
        if signed.mac.len() < self.key.algorithm().mac_octets() && !self.key.truncated_ok() {
            return Err(ClientError::BadTrunc);
        }
        self.previous = Mac::new(signed.mac);
        self.messages = self.messages.saturating_add(1);
        self.unsigned.clear();
        self.unsigned_count = 0;
        Ok(())
    }

    /// Whether every message so far is covered by a signature that was accepted: the last one of a
    /// response must be (RFC 8945 §5.3.1).
    pub fn is_certain(&self) -> bool {
        self.messages > 0 && self.unsigned_count == 0
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

    /// The MAC that a message must have.
    fn expected(&self, signed: &Signed<'_>) -> Mac {
        let stamp = signed.stamp();
        let (head, body) = signed.as_signed();
        if self.messages == 0 {
            return stamp.mac(&self.key, Some(&self.previous), (&head, body));
        }
        let since = [&self.unsigned, &head[..], body].concat();
        mac_of_next(&self.key, &self.previous, &[&since], &stamp)
    }
}

/// The clock of a server that says BADTIME (RFC 8945 §5.2.3).
fn server_time(signed: &Signed<'_>) -> Option<u64> {
    let &[t0, t1, t2, t3, t4, t5] = <&[u8; 6]>::try_from(signed.other).ok()?;
    let is_told = signed.error == Problem::BadTime.code();
    is_told.then_some(u64::from_be_bytes([0, 0, t0, t1, t2, t3, t4, t5]))
}

fn rcode(message: &[u8]) -> Rcode {
    Rcode(message.get(3).map_or(0, |octet| u16::from(octet & 0x0f)))
}

/// Messages in a row that may go without a signature (RFC 8945 §5.3.1).
const UNSIGNED_MAX: u32 = 99;

#[cfg(test)]
mod tests;
