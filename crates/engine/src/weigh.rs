//! Rough sizes of facts in octets: they keep batches below what stores take, so that no request
//! can make a commit fail that holds others as well.

use store::{Fact, RecordLease};
use wire::Rrset;
use zone::Delta;

/// Weight of one fact.
pub(crate) fn fact(fact: &Fact) -> usize {
    FACT + match fact {
        Fact::Changed { deltas: all, .. } => deltas(all),
        Fact::Staged { part, .. } => part.as_octets().len(),
        Fact::Seen { hosts } => hosts.iter().map(|(name, _)| name.as_wire().len() + 12).sum(),
        Fact::Used { tokens } => tokens.len() * USE,
        Fact::Leased { leases, .. } => leases.iter().map(lease).sum(),
        Fact::Entity { .. }
        | Fact::ZoneDropped { .. }
        | Fact::Imported { .. }
        | Fact::ImportDropped { .. } => 0,
    }
}

fn lease(lease: &RecordLease) -> usize {
    lease.owner.as_wire().len() + lease.rdata.as_wire().len() + LEASE
}

/// Weight of the deltas of one change.
pub(crate) fn deltas(deltas: &[Delta]) -> usize {
    let side = |rrset: &Option<Rrset>| rrset.as_ref().map_or(0, self::rrset);
    let delta = |d: &Delta| d.owner.as_wire().len() + side(&d.before) + side(&d.after) + RRSET;
    deltas.iter().map(delta).sum()
}

fn rrset(rrset: &Rrset) -> usize {
    rrset.rdata.iter().map(|rdata| rdata.as_wire().len() + RECORD).sum()
}

/// Octets of a fact beside what it holds: the names and numbers that stand in every one.
const FACT: usize = 256;
/// Octets of an RRset beside its owner and records: type, TTL, lengths.
const RRSET: usize = 16;
/// Octets of a lease beside its owner and data: type, length, moments.
const LEASE: usize = 32;
/// Octets of the use of a token: number and moment.
const USE: usize = 20;
/// Octets of a record beside its data: its length.
const RECORD: usize = 8;
