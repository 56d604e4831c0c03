//! The last record of a message, where signatures stand.

use crate::message::{MessageError, read_name};
use crate::name::Name;
use crate::query::skip_name;
use crate::types::{Class, Rtype};

/// The last record of the additional section, found without looking at what the others say.
#[derive(Clone, Debug)]
pub struct Tail<'a> {
    /// The message before this record.
    pub before: &'a [u8],
    /// Owner.
    pub owner: Name,
    /// Type.
    pub rtype: Rtype,
    /// Class.
    pub class: Class,
    /// TTL field.
    pub ttl: u32,
    /// The data, names in it perhaps compressed.
    pub data: &'a [u8],
}

impl<'a> Tail<'a> {
    /// Walks over a message to the last record of its additional section; `None` when that section is
    /// empty. A TSIG record in any other place is [`MessageError::Misplaced`] (RFC 8945 §5.1).
    ///
    /// Names before that record are skipped, not checked.
    pub fn find(message: &'a [u8]) -> Result<Option<Tail<'a>>, MessageError> {
        let (header, mut rest) = message.split_first_chunk::<12>().ok_or(MessageError::Short)?;
        let &[_, _, _, _, qd0, qd1, an0, an1, ns0, ns1, ar0, ar1] = header;
        let count = |high, low| u32::from(u16::from_be_bytes([high, low]));
        for _ in 0..count(qd0, qd1) {
            let (_, after) = skip_name(rest).ok_or(MessageError::Truncated)?;
            rest = after.get(4..).ok_or(MessageError::Truncated)?;
        }
        let additional = count(ar0, ar1);
        let records = count(an0, an1) + count(ns0, ns1) + additional;
        let mut last = None;
        for index in 1..=records {
            let start = message.len() - rest.len();
            let (fields, after) = read_fields(rest).ok_or(MessageError::Truncated)?;
            if fields.rtype == Rtype::TSIG && (index < records || additional == 0) {
                return Err(MessageError::Misplaced(Rtype::TSIG));
            }
            last = Some((start, fields));
            rest = after;
        }
        if !rest.is_empty() {
            return Err(MessageError::Trailing);
        }
        let Some((start, fields)) = last.filter(|_| additional > 0) else { return Ok(None) };
        let (owner, _) = read_name(message, start)?;
        let before = message.get(..start).unwrap_or_default();
        let Fields { rtype, class, ttl, data } = fields;
        Ok(Some(Tail { before, owner, rtype, class, ttl, data }))
    }
}

/// A record without its owner.
struct Fields<'a> {
    rtype: Rtype,
    class: Class,
    ttl: u32,
    data: &'a [u8],
}

/// The record at the beginning of some octets, and what follows it.
fn read_fields(octets: &[u8]) -> Option<(Fields<'_>, &[u8])> {
    let (_, after) = skip_name(octets)?;
    let (&[t0, t1, c0, c1, l0, l1, l2, l3, d0, d1], after) = after.split_first_chunk::<10>()?;
    let (data, after) = after.split_at_checked(usize::from(u16::from_be_bytes([d0, d1])))?;
    let rtype = Rtype(u16::from_be_bytes([t0, t1]));
    let class = Class(u16::from_be_bytes([c0, c1]));
    Some((Fields { rtype, class, ttl: u32::from_be_bytes([l0, l1, l2, l3]), data }, after))
}
