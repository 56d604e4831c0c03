//! The server's end: checking requests, and signing what is said to them.

use std::sync::Arc;

use wire::{Name, Rcode, TsigAlgorithm};

use crate::key::{Key, Keys, Mac};
use crate::record::{self, HEADER, Malformed, Signed, Stamp};

/// A request whose signature is good: who it is from, and the only thing that can sign the reply.
#[derive(Clone, Debug)]
pub struct Verified {
    key: Arc<Key>,
    mac: Mac,
    /// As it came, perhaps truncated: what the reply's digest begins with.
    mac_as_sent: Mac,
    original_id: u16,
    time_s: u64,
}

/// A request whose signature is not accepted, and what the reply says of it.
#[derive(Clone, Debug)]
pub struct Fault {
    problem: Problem,
    owner: Name,
    algorithm: Box<[u8]>,
    time_s: u64,
    fudge_s: u16,
    original_id: u16,
    /// The key and the request's MAC, where the reply is signed.
    signer: Option<(Arc<Key>, Mac)>,
}

/// Why a signature is not accepted (RFC 8945 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The key, or this algorithm with it, is not known here.
    #[error("no key of this name and algorithm is known")]
    BadKey,
    /// The MAC is not that of this message and key.
    #[error("the signature does not fit the message")]
    BadSig,
    /// It was signed too long ago, or in the future.
    #[error("the time of the signature is too far from ours")]
    BadTime,
    /// The MAC was truncated, and this key does not allow that.
    #[error("the signature was truncated")]
    BadTrunc,
}

/// A request that is not believed.
#[derive(Clone, Debug)]
pub enum Rejected {
    /// Its TSIG record is malformed: FORMERR.
    Malformed,
    /// Its signature is not accepted, and the reply says why.
    Fault(Box<Fault>),
}

impl From<Malformed> for Rejected {
    fn from(_: Malformed) -> Rejected {
        Rejected::Malformed
    }
}

/// The signer of a response of several messages (RFC 8945 §5.3.1); each gets a signature.
#[derive(Clone, Debug)]
pub struct Stream {
    request: Verified,
    previous: Option<Mac>,
}

impl Signed<'_> {
    /// Checks key, MAC, time and truncation, in this order (RFC 8945 §5.2). `now_s`: seconds since
    /// 1970-01-01 00:00 UTC.
    ///
    /// A request is not refused for being signed before another one that came earlier, as §5.2.3 would
    /// like it: datagrams overtake each other. Repetitions are told by [`Verified::mac`].
    pub fn verify(&self, keys: &Keys, now_s: u64) -> Result<Verified, Rejected> {
        let algorithm = record::algorithm(self);
        let key = keys.get(&self.key).filter(|key| Some(key.algorithm()) == algorithm);
        let Some(key) = key else { return Err(self.fault(Problem::BadKey, None)) };
        check_length(key.algorithm(), self.mac.len())?;
        let (head, body) = self.as_signed();
        let whole = self.stamp().mac(key, None, (&head, body));
        if !whole.begins_with(self.mac) {
            return Err(self.fault(Problem::BadSig, None));
        }
        let mac_as_sent = Mac::new(self.mac);
        let signer = || Some((Arc::clone(key), mac_as_sent));
        if self.time_s.abs_diff(now_s) > u64::from(self.fudge_s) {
            return Err(self.fault(Problem::BadTime, signer()));
        }
        if self.mac.len() < key.algorithm().mac_octets() && !key.truncated_ok() {
            return Err(self.fault(Problem::BadTrunc, signer()));
        }
        Ok(Verified {
            key: Arc::clone(key),
            mac: whole,
            mac_as_sent,
            original_id: self.original_id,
            time_s: self.time_s,
        })
    }

    /// The fault of a request that was signed too long ago to be told from a repetition: its signature
    /// is good, and so the answer is signed.
    pub fn too_late(&self, verified: &Verified) -> Fault {
        let signer = Some((Arc::clone(&verified.key), verified.mac_as_sent));
        self.fault_of(Problem::BadTime, signer)
    }

    fn fault(&self, problem: Problem, signer: Option<(Arc<Key>, Mac)>) -> Rejected {
        Rejected::Fault(Box::new(self.fault_of(problem, signer)))
    }

    fn fault_of(&self, problem: Problem, signer: Option<(Arc<Key>, Mac)>) -> Fault {
        Fault {
            problem,
            owner: self.key.clone(),
            algorithm: self.algorithm.into(),
            time_s: self.time_s,
            fudge_s: self.fudge_s,
            original_id: self.original_id,
            signer,
        }
    }
}

/// RFC 8945 §5.2.2.1: longer than the hash, or so short that it says nothing, is malformed.
pub(crate) fn check_length(algorithm: TsigAlgorithm, mac: usize) -> Result<(), Malformed> {
    let whole = algorithm.mac_octets();
    let least = (whole / 2).max(MAC_OCTETS_MIN);
    if (least..=whole).contains(&mac) { Ok(()) } else { Err(Malformed) }
}

impl Verified {
    /// The key.
    pub fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// The MAC of the request: with the key's name it tells a repetition from a new request. It is
    /// whole even where the request's was truncated, so that who cuts off more makes no new request.
    pub fn mac(&self) -> &Mac {
        &self.mac
    }

    /// When the request was signed, by its client's clock, in seconds since 1970-01-01 00:00 UTC.
    pub fn time_s(&self) -> u64 {
        self.time_s
    }

    /// Octets that the signature of a reply takes.
    pub fn room(&self) -> usize {
        let algorithm = self.key.algorithm();
        record::octets(self.key.name(), algorithm.as_wire(), algorithm.mac_octets(), 0)
    }

    /// Signs the reply that begins at `start`. `now_s`: seconds since 1970-01-01 00:00 UTC.
    pub fn sign(&self, message: &mut Vec<u8>, start: usize, now_s: u64) {
        sign_reply(&self.key, &self.mac_as_sent, self.stamp(now_s), (message, start));
    }

    /// The signer of a response of several messages.
    pub fn stream(self) -> Stream {
        Stream { request: self, previous: None }
    }

    fn stamp(&self, now_s: u64) -> Stamp<'static> {
        Stamp {
            time_s: now_s,
            fudge_s: FUDGE_S,
            original_id: self.original_id,
            error: 0,
            other: &[],
        }
    }
}

impl Stream {
    /// Octets that the signature of a message takes.
    pub fn room(&self) -> usize {
        self.request.room()
    }

    /// Signs the next message of the response, which begins at `start`.
    pub fn sign(&mut self, message: &mut Vec<u8>, start: usize, now_s: u64) {
        let request = &self.request;
        let stamp = request.stamp(now_s);
        let (id, rest) = as_asked(message, start, &stamp);
        let mac = match &self.previous {
            None => stamp.mac(&request.key, Some(&request.mac_as_sent), (&id, rest)),
            Some(previous) => mac_of_next(&request.key, previous, &[&id, rest], &stamp),
        };
        let names = (request.key.name(), request.key.algorithm().as_wire());
        stamp.append(names, mac.as_octets(), message, start);
        self.previous = Some(mac);
    }
}

/// RFC 8945 §5.3.1: what was signed before, the message, and the timers only.
pub(crate) fn mac_of_next(key: &Key, previous: &Mac, message: &[&[u8]], stamp: &Stamp<'_>) -> Mac {
    let length = previous.length();
    let timers = stamp.timers();
    let mut parts: Vec<&[u8]> = vec![&length, previous.as_octets()];
    parts.extend_from_slice(message);
    parts.push(&timers);
    key.mac(&parts)
}

/// A reply as its receiver sees it: with the id that the client gave, whatever a forwarder made of it
/// (RFC 8945 §4.3.2). In parts: the id, and what follows.
fn as_asked<'m>(message: &'m [u8], start: usize, stamp: &Stamp<'_>) -> ([u8; 2], &'m [u8]) {
    (stamp.original_id.to_be_bytes(), message.get(start + 2..).unwrap_or_default())
}

fn sign_reply(key: &Key, request: &Mac, stamp: Stamp<'_>, place: (&mut Vec<u8>, usize)) {
    let (message, start) = place;
    if message.len() < start + HEADER {
        return;
    }
    let (id, rest) = as_asked(message, start, &stamp);
    let mac = stamp.mac(key, Some(request), (&id, rest));
    stamp.append((key.name(), key.algorithm().as_wire()), mac.as_octets(), message, start);
}

impl Fault {
    /// Why.
    pub fn problem(&self) -> Problem {
        self.problem
    }

    /// The name of the key that the request named.
    pub fn key(&self) -> &Name {
        &self.owner
    }

    /// Octets that its record takes in the reply.
    pub fn room(&self) -> usize {
        let mac = self.signer.as_ref().map_or(0, |(key, _)| key.algorithm().mac_octets());
        record::octets(&self.owner, &self.algorithm, mac, self.other_octets())
    }

    /// Appends the TSIG record that says what is wrong to the reply that begins at `start`; the
    /// response code of that reply is [`Problem::RCODE`]. It is signed where the request's signature
    /// was good as such (RFC 8945 §5.3.2).
    pub fn append(&self, message: &mut Vec<u8>, start: usize, now_s: u64) {
        let [_, _, now @ ..] = now_s.to_be_bytes();
        // §5.2.3: time and fudge are the request's, ours goes into the other data: a client whose clock
        // is wrong must find the reply good. Where nothing is signed they mean nothing.
        let (time_s, fudge_s) = match self.problem {
            Problem::BadTrunc => (now_s, FUDGE_S),
            Problem::BadTime | Problem::BadKey | Problem::BadSig => (self.time_s, self.fudge_s),
        };
        let stamp = Stamp {
            time_s,
            fudge_s,
            original_id: self.original_id,
            error: self.problem.code(),
            other: now.get(..self.other_octets()).unwrap_or_default(),
        };
        match &self.signer {
            Some((key, mac)) => sign_reply(key, mac, stamp, (message, start)),
            None => stamp.append((&self.owner, &self.algorithm), &[], message, start),
        }
    }

    fn other_octets(&self) -> usize {
        if self.problem == Problem::BadTime { TIME_OCTETS } else { 0 }
    }
}

impl Problem {
    /// The response code of a message with any of them.
    pub const RCODE: Rcode = Rcode::NOTAUTH;

    /// The number in the error field (RFC 8945 §3).
    pub fn code(self) -> u16 {
        match self {
            Problem::BadSig => 16,
            Problem::BadKey => 17,
            Problem::BadTime => 18,
            Problem::BadTrunc => 22,
        }
    }

    /// A word for it that stays: for metrics and logs.
    pub fn word(self) -> &'static str {
        match self {
            Problem::BadSig => "badsig",
            Problem::BadKey => "badkey",
            Problem::BadTime => "badtime",
            Problem::BadTrunc => "badtrunc",
        }
    }
}

/// How far clocks may be apart (RFC 8945 §10: 300 seconds are recommended).
pub(crate) const FUDGE_S: u16 = 300;
/// Fewer octets of a MAC are never accepted (RFC 8945 §5.2.2.1).
const MAC_OCTETS_MIN: usize = 10;
/// Octets of a time.
const TIME_OCTETS: usize = 6;

#[cfg(test)]
mod tests;
