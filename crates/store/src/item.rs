//! The pieces of a state: what snapshots and tables consist of.

use account::{Entity, Timestamp};
use wire::{Name, Rrset, Rtype, Serial};

use crate::event::{Hash, ImportId, Pos, RecordLease};
use crate::part::Part;

/// One piece of the state folded from a log. A state is its items: `At` first, a zone before its
/// RRsets and leases, otherwise in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The position that the state stands at, and the hash of the event there.
    At {
        /// Position.
        pos: Pos,
        /// Hash of that event; all zero at position 0.
        hash: Hash,
        /// Moment of that event: later events are never older, whatever the clock says after a
        /// restart.
        at: Timestamp,
    },
    /// An entity.
    Entity(Entity),
    /// A zone is served under this serial.
    Zone {
        /// Its apex.
        apex: Name,
        /// Its serial.
        serial: Serial,
    },
    /// An RRset of a zone.
    Rrset {
        /// Apex of the zone.
        zone: Name,
        /// Owner.
        owner: Name,
        /// Type.
        rtype: Rtype,
        /// TTL and records.
        rrset: Rrset,
    },
    /// A part of an import that is not visible yet.
    Staged {
        /// The import.
        import: ImportId,
        /// Apex of the zone to be.
        zone: Name,
        /// RRsets of the zone to be. Of several of one owner and type in an import the last one counts.
        part: Part,
    },
    /// The lease of a record of a zone, in canonical form and not of 0 seconds.
    Lease {
        /// Apex of the zone.
        zone: Name,
        /// The lease.
        lease: RecordLease,
    },
}
