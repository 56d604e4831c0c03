//! The TSIG record: finding it in a message and appending one.

use wire::{Class, MessageError, Name, Rtype, Tail, TsigAlgorithm};

use crate::key::{Key, Mac};

/// A message that carries TSIG; nothing of it is checked yet.
#[derive(Clone, Debug)]
pub struct Signed<'a> {
    pub(crate) message: &'a [u8],
    /// The name of the key, as it came.
    pub(crate) key: Name,
    /// The algorithm in wire form, as it came.
    pub(crate) algorithm: &'a [u8],
    pub(crate) time_s: u64,
    pub(crate) fudge_s: u16,
    pub(crate) mac: &'a [u8],
    pub(crate) original_id: u16,
    pub(crate) error: u16,
    pub(crate) other: &'a [u8],
}

/// TSIG that is not what RFC 8945 §4.2 describes, or not where §5.1 wants it: FORMERR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the TSIG record is malformed")]
pub struct Malformed;

impl From<MessageError> for Malformed {
    fn from(_: MessageError) -> Malformed {
        Malformed
    }
}

impl<'a> Signed<'a> {
    /// Looks for TSIG at the end of a message; `None` when it ends otherwise.
    pub fn find(message: &'a [u8]) -> Result<Option<Signed<'a>>, Malformed> {
        match Tail::find(message)? {
            Some(tail) if tail.rtype == Rtype::TSIG => Signed::read(tail).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// Reads the record at the end of a message, which must be TSIG.
    pub fn read(tail: Tail<'a>) -> Result<Signed<'a>, Malformed> {
        if tail.class != Class::ANY || tail.ttl != 0 || tail.rtype != Rtype::TSIG {
            return Err(Malformed);
        }
        let read = |data: &'a [u8]| {
            let (algorithm, data) = data.split_at_checked(Name::length_of(data)?)?;
            let (&[t0, t1, t2, t3, t4, t5, f0, f1], data) = data.split_first_chunk::<8>()?;
            let (mac, data) = split_counted(data)?;
            let (&[i0, i1, e0, e1], data) = data.split_first_chunk::<4>()?;
            let (other, rest) = split_counted(data)?;
            rest.is_empty().then_some(Signed {
                message: tail.before,
                key: tail.owner.clone(),
                algorithm,
                time_s: u64::from_be_bytes([0, 0, t0, t1, t2, t3, t4, t5]),
                fudge_s: u16::from_be_bytes([f0, f1]),
                mac,
                original_id: u16::from_be_bytes([i0, i1]),
                error: u16::from_be_bytes([e0, e1]),
                other,
            })
        };
        read(tail.data).ok_or(Malformed)
    }

    /// The name of the key that it names.
    pub fn key(&self) -> &Name {
        &self.key
    }

    /// The fields that the signer chose.
    pub(crate) fn stamp(&self) -> Stamp<'a> {
        Stamp {
            time_s: self.time_s,
            fudge_s: self.fudge_s,
            original_id: self.original_id,
            error: self.error,
            other: self.other,
        }
    }

    /// The message as it was when it was signed, in parts: the header with its original id and without
    /// counting TSIG, and what follows (RFC 8945 §4.3.2).
    pub(crate) fn as_signed(&self) -> ([u8; HEADER], &'a [u8]) {
        let (&header, body) = self.message.split_first_chunk().unwrap_or((&[0; HEADER], &[]));
        let mut header = header;
        let [i0, i1, .., a0, a1] = &mut header;
        [*i0, *i1] = self.original_id.to_be_bytes();
        [*a0, *a1] = u16::from_be_bytes([*a0, *a1]).saturating_sub(1).to_be_bytes();
        (header, body)
    }
}

/// Octets after two that count them, and what follows.
fn split_counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*count)))
}

/// The fields of TSIG that a signer chooses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp<'a> {
    pub(crate) time_s: u64,
    pub(crate) fudge_s: u16,
    pub(crate) original_id: u16,
    pub(crate) error: u16,
    pub(crate) other: &'a [u8],
}

impl Stamp<'_> {
    /// Time and fudge as they stand in the record and in digests.
    pub(crate) fn timers(&self) -> [u8; 8] {
        let [_, _, t0, t1, t2, t3, t4, t5] = self.time_s.to_be_bytes();
        let [f0, f1] = self.fudge_s.to_be_bytes();
        [t0, t1, t2, t3, t4, t5, f0, f1]
    }

    /// Error, and the length of the other data.
    fn error_and_length(&self) -> [u8; 4] {
        let [e0, e1] = self.error.to_be_bytes();
        // Other data are six octets, or come from a record that counts them in sixteen bits.
        let [l0, l1] = (self.other.len() as u16).to_be_bytes();
        [e0, e1, l0, l1]
    }

    /// The MAC of a message with all variables of TSIG (RFC 8945 §4.3.3). `before`: what the digest
    /// begins with, the MAC of the request for a response.
    pub(crate) fn mac(&self, key: &Key, before: Option<&Mac>, (head, body): (&[u8], &[u8])) -> Mac {
        let length = before.map(Mac::length);
        let timers = self.timers();
        let tail = self.error_and_length();
        key.mac(&[
            length.as_ref().map_or(&[], |length| &length[..]),
            before.map_or(&[], Mac::as_octets),
            head,
            body,
            // `Key` keeps its name in lower case, as the digest wants it.
            key.name().as_wire(),
            &CLASS_ANY_TTL_0,
            key.algorithm().as_wire(),
            &timers,
            &tail,
            self.other,
        ])
    }

    /// Appends TSIG to the message that begins at `start`, and counts it there.
    pub(crate) fn append(
        &self,
        (owner, algorithm): (&Name, &[u8]),
        mac: &[u8],
        message: &mut Vec<u8>,
        start: usize,
    ) {
        let Some(count) = message.get_mut(start + ARCOUNT..).and_then(<[u8]>::first_chunk_mut)
        else {
            return;
        };
        *count = u16::from_be_bytes(*count).saturating_add(1).to_be_bytes();
        let data = algorithm.len() + DATA_FIXED + mac.len() + self.other.len();
        message.extend_from_slice(owner.as_wire());
        message.extend_from_slice(&Rtype::TSIG.0.to_be_bytes());
        message.extend_from_slice(&CLASS_ANY_TTL_0);
        message.extend_from_slice(&(data as u16).to_be_bytes());
        message.extend_from_slice(algorithm);
        message.extend_from_slice(&self.timers());
        message.extend_from_slice(&(mac.len() as u16).to_be_bytes());
        message.extend_from_slice(mac);
        message.extend_from_slice(&self.original_id.to_be_bytes());
        message.extend_from_slice(&self.error_and_length());
        message.extend_from_slice(self.other);
    }
}

/// Octets of a TSIG record.
pub(crate) fn octets(owner: &Name, algorithm: &[u8], mac: usize, other: usize) -> usize {
    owner.as_wire().len() + FIELDS + algorithm.len() + DATA_FIXED + mac + other
}

/// The algorithm of a message, when it is one that there is.
pub(crate) fn algorithm(signed: &Signed<'_>) -> Option<TsigAlgorithm> {
    TsigAlgorithm::from_wire(signed.algorithm)
}

/// Class and TTL of TSIG.
const CLASS_ANY_TTL_0: [u8; 6] = [0, 255, 0, 0, 0, 0];
/// Octets of a header.
pub(crate) const HEADER: usize = 12;
/// Where the number of additional records stands.
const ARCOUNT: usize = 10;
/// Type, class, TTL and length of a record.
const FIELDS: usize = 10;
/// The data of TSIG without algorithm, MAC and other data.
const DATA_FIXED: usize = 16;
