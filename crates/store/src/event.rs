//! The durable event: what happened, when, by whom, from where, chained to the event before.

use std::net::IpAddr;

use account::{Entity, Timestamp, TokenId};
use wire::{Name, Rdata, Rtype, Serial};
use zone::Delta;

use crate::part::Part;

/// Position of an event in the log of its shard: dense, 1, 2, 3 …; 0 is "before the first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos(pub u64);

/// SHA-256 that chains an event to the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

/// One event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where it stands in the log.
    pub pos: Pos,
    /// What it says; covered by the hash.
    pub body: EventBody,
    /// Where the request came from; personal data, so only a commitment to it is covered by the
    /// hash, and it can be erased without breaking the chain.
    pub origin: Option<Origin>,
    /// SHA-256 over the hash of the event before, the position, the encoded body and the
    /// commitment to the origin.
    pub hash: Hash,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBody {
    /// When it was judged.
    pub at: Timestamp,
    /// Who made the request.
    pub actor: ActorRef,
    /// What it changed, in order; at least one fact. All take effect together.
    pub facts: Vec<Fact>,
    /// Commitment to the origin: SHA-256 of salt and address; `None` when there is no origin.
    pub origin_commitment: Option<[u8; 32]>,
}

/// Who made a request, as history keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorRef {
    /// The service itself.
    System,
    /// The operator.
    Operator,
    /// A token.
    Token(TokenId),
    /// A TSIG key.
    Key(Name),
}

/// The source address of a request, with the salt of its commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Random octets, so that the address cannot be found by trying all addresses once the origin
    /// is erased.
    pub salt: [u8; 16],
    /// The address.
    pub address: IpAddr,
}

/// One durable effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "few live at a time, and most are `Changed`")]
pub enum Fact {
    /// RRsets of a zone changed.
    Changed {
        /// Apex of the zone.
        zone: Name,
        /// Its serial from this event on.
        serial: Serial,
        /// Lease of the records in seconds (RFC 9664), when the change carries one.
        lease_s: Option<u32>,
        /// RRsets before and after.
        deltas: Vec<Delta>,
    },
    /// An entity was made, changed or removed. At least one side is there; both have the same key.
    Entity {
        /// As it was.
        before: Option<Entity>,
        /// As it is now.
        after: Option<Entity>,
    },
    /// A zone and all that was in it is gone. Its entity goes with a fact of its own.
    ZoneDropped {
        /// Apex of the zone.
        zone: Name,
    },
    /// A part of an import; nothing of it is visible before `Imported`.
    Staged {
        /// The import.
        import: ImportId,
        /// Apex of the zone to be.
        zone: Name,
        /// RRsets of the zone to be. Of several of one owner and type in an import the last one counts.
        part: Part,
    },
    /// All staged parts of an import become the content of the zone, replacing what was there.
    Imported {
        /// The import.
        import: ImportId,
        /// Apex of the zone.
        zone: Name,
        /// Its serial from this event on.
        serial: Serial,
    },
    /// An import was given up; its staged parts are void.
    ImportDropped {
        /// The import.
        import: ImportId,
    },
    /// When hosts were last seen, written in bulk.
    Seen {
        /// Host and moment.
        hosts: Vec<(Name, Timestamp)>,
    },
    /// When tokens were last used, written in bulk.
    Used {
        /// Token and moment.
        tokens: Vec<(TokenId, Timestamp)>,
    },
    /// Leases of records of a zone begin, go on or end. Stands after the fact that adds the records.
    Leased {
        /// Apex of the zone.
        zone: Name,
        /// The leases; one of 0 seconds says that its record stays for ever from now on.
        leases: Vec<RecordLease>,
    },
}

/// For how long a record stays (RFC 9664). It ends as well when the record goes otherwise, when its
/// zone goes, and when an import replaces the content of its zone.
///
/// Two leases are of one record when owner, type and data are the same in canonical form (RFC 4034
/// §6.2); they are kept in that form, however they are written in a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLease {
    /// Owner of the record.
    pub owner: Name,
    /// Its type.
    pub rtype: Rtype,
    /// Its data.
    pub rdata: Rdata,
    /// When the lease was granted.
    pub from: Timestamp,
    /// For how long, in seconds; 0: the record has no lease any more.
    pub lease_s: u32,
    /// When the record is to be removed: never earlier than was promised.
    pub until: Timestamp,
}

impl RecordLease {
    /// The same in canonical form.
    pub fn canonical(&self) -> RecordLease {
        RecordLease {
            owner: self.owner.to_lowercase(),
            rdata: self.rdata.canonical(self.rtype),
            ..*self
        }
    }
}

/// Number of an import: the position of its first `Staged` event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportId(pub u64);

impl Fact {
    /// What it changes in RRsets, one by one; empty for all but `Changed`.
    pub fn deltas(&self) -> &[Delta] {
        match self {
            Fact::Changed { deltas, .. } => deltas,
            Fact::Entity { .. }
            | Fact::ZoneDropped { .. }
            | Fact::Staged { .. }
            | Fact::Imported { .. }
            | Fact::ImportDropped { .. }
            | Fact::Seen { .. }
            | Fact::Used { .. }
            | Fact::Leased { .. } => &[],
        }
    }
}
