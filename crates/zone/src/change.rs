//! A change: prerequisites and edits on one zone, with the semantics of RFC 2136.

use wire::{Name, Rdata, Rrset, Rtype};

/// What somebody wants done to one zone: the only currency of writing DNS data.
///
/// The prerequisites and the edits are judged together against one state of the zone, and either
/// all edits take effect at once or none does (RFC 2136 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The apex of the zone.
    pub zone: Name,
    /// Conditions on the zone as it is before the edits; all must hold.
    pub prerequisites: Vec<Prerequisite>,
    /// Edits, in order; each sees the result of those before it.
    pub edits: Vec<Edit>,
    /// The message said more, and that is wrong: the change is refused when it comes to it.
    pub flaw: Option<Flaw>,
}

/// What is wrong with the rest of a message, in which part of it. What stands before it is judged
/// first: it may be refused for another reason (RFC 2136 §3.2.5, §3.4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// After the prerequisites that the change has; its edits were not read.
    Prerequisites(Refusal),
    /// After the edits that the change has.
    Edits(Refusal),
}

impl Change {
    /// A change without prerequisites.
    pub fn new(zone: Name, edits: Vec<Edit>) -> Change {
        Change { zone, prerequisites: Vec::new(), edits, flaw: None }
    }
}

/// A condition on the state of the zone (RFC 2136 §2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prerequisite {
    /// The name owns at least one record (§2.4.4).
    NameInUse(Name),
    /// The name owns no record (§2.4.5).
    NameNotInUse(Name),
    /// The RRset exists, whatever its records (§2.4.1).
    RrsetExists(Name, Rtype),
    /// The RRset does not exist (§2.4.3).
    RrsetDoesNotExist(Name, Rtype),
    /// The RRset consists of exactly these records, in any order; TTLs do not count (§2.4.2).
    RrsetEquals(Name, Rtype, Vec<Rdata>),
}

/// One edit (RFC 2136 §2.5), plus `Replace`, which RFC 2136 writes as a deletion and additions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Adds one record; a record with the same data only takes the new TTL (§2.5.1, §3.4.2.2).
    Add {
        /// Owner of the record.
        owner: Name,
        /// Its type.
        rtype: Rtype,
        /// TTL of the whole RRset from now on, in seconds.
        ttl_s: u32,
        /// Its data.
        rdata: Rdata,
    },
    /// Deletes an RRset (§2.5.2); at the apex SOA and NS stay (§3.4.2.3).
    DeleteRrset {
        /// Owner of the RRset.
        owner: Name,
        /// Its type.
        rtype: Rtype,
    },
    /// Deletes all RRsets of a name (§2.5.3); at the apex SOA and NS stay.
    DeleteName {
        /// The name.
        owner: Name,
    },
    /// Deletes one record (§2.5.4); the SOA and the last NS of the apex stay.
    DeleteRecord {
        /// Owner of the record.
        owner: Name,
        /// Its type.
        rtype: Rtype,
        /// Its data, compared in canonical form.
        rdata: Rdata,
    },
    /// Replaces a whole RRset: exactly these records remain.
    Replace {
        /// Owner of the RRset.
        owner: Name,
        /// Its type.
        rtype: Rtype,
        /// The records that remain.
        rrset: Rrset,
    },
}

impl Prerequisite {
    /// The name that the condition is about.
    pub fn name(&self) -> &Name {
        match self {
            Prerequisite::NameInUse(name)
            | Prerequisite::NameNotInUse(name)
            | Prerequisite::RrsetExists(name, _)
            | Prerequisite::RrsetDoesNotExist(name, _)
            | Prerequisite::RrsetEquals(name, ..) => name,
        }
    }
}

impl Edit {
    /// The name that the edit touches.
    pub fn owner(&self) -> &Name {
        match self {
            Edit::Add { owner, .. }
            | Edit::DeleteRrset { owner, .. }
            | Edit::DeleteName { owner }
            | Edit::DeleteRecord { owner, .. }
            | Edit::Replace { owner, .. } => owner,
        }
    }

    /// The type that the edit touches; `None` when it touches all types of the name.
    pub fn rtype(&self) -> Option<Rtype> {
        match self {
            Edit::Add { rtype, .. }
            | Edit::DeleteRrset { rtype, .. }
            | Edit::DeleteRecord { rtype, .. }
            | Edit::Replace { rtype, .. } => Some(*rtype),
            Edit::DeleteName { .. } => None,
        }
    }
}

/// The net effect of a judged change on one RRset. `before` and `after` are never both `None` and
/// never equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// Owner of the RRset, lower-cased.
    pub owner: Name,
    /// Type of the RRset.
    pub rtype: Rtype,
    /// The RRset before the change; `None`: it did not exist.
    pub before: Option<Rrset>,
    /// The RRset after the change; `None`: it is gone.
    pub after: Option<Rrset>,
}

/// Why a change was not accepted. Each maps to one response code of RFC 2136 §2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A name or RRset that must be absent is present: a name (YXDOMAIN).
    #[error("a name that must not exist does exist")]
    NameExists,
    /// An RRset that must be absent is present (YXRRSET).
    #[error("an RRset that must not exist does exist")]
    RrsetExists,
    /// An RRset that must be present (or equal) is not (NXRRSET).
    #[error("an RRset that must exist does not exist as stated")]
    RrsetMissing,
    /// A name that must be in use is not (NXDOMAIN).
    #[error("a name that must exist does not exist")]
    NameMissing,
    /// A name of the change lies outside the zone (NOTZONE).
    #[error("a name lies outside the zone")]
    OutsideZone,
    /// The zone is not ours (NOTAUTH).
    #[error("the zone is not served here")]
    NoSuchZone,
    /// The change is not meaningful: a meta type, an empty RRset, too many edits (FORMERR).
    #[error("the change is malformed: {0}")]
    Malformed(&'static str),
}
