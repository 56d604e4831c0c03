//! Records and RRsets.

use crate::name::Name;
use crate::rdata::Rdata;
use crate::types::{Class, Rtype};

/// A resource record (RFC 1035 §3.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Owner.
    pub owner: Name,
    /// Type.
    pub rtype: Rtype,
    /// Class.
    pub class: Class,
    /// TTL in seconds, at most 2^31 - 1 (RFC 2181 §8).
    pub ttl_s: u32,
    /// Data.
    pub rdata: Rdata,
}

/// The records of one owner and type, which are its key and not repeated here.
///
/// Never empty; one TTL for all (RFC 2181 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrset {
    /// TTL in seconds.
    pub ttl_s: u32,
    /// Data of each record, no two equal.
    pub rdata: Vec<Rdata>,
}
