//! Judging a change: prerequisites and edits against a view of the zone, without touching it.

use wire::{Name, Rdata, Rrset, Rtype, Serial};

use crate::change::{Change, Delta, Edit, Flaw, Prerequisite, Refusal};
use crate::draft::Draft;

/// The state of one zone as a judge sees it: what is served, plus what has been decided already
/// but is not served yet.
pub trait View {
    /// The RRset of this owner and type.
    fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<Rrset>;
    /// The types that exist at this owner, in ascending order; empty when it owns no record.
    fn types(&self, owner: &Name) -> Vec<Rtype>;
}

/// Judges a change against a view (RFC 2136 §3.2 to §3.4): its net effect on each RRset that it
/// alters, in order of first touch; empty when nothing changes.
///
/// The serial of the SOA is not judged here: it moves when the deltas are applied. An edit of the
/// SOA replaces its other fields when its serial is newer, and is passed over otherwise
/// (§3.4.2.2).
pub fn judge(view: &dyn View, change: &Change) -> Result<Vec<Delta>, Refusal> {
    check_size(change)?;
    // §3.2.5: one by one, and those that name values after all others.
    for prerequisite in &change.prerequisites {
        check_zone(&change.zone, prerequisite.name())?;
        check_presence(view, prerequisite)?;
    }
    if let Some(Flaw::Prerequisites(refusal)) = &change.flaw {
        return Err(*refusal);
    }
    for prerequisite in &change.prerequisites {
        check_value(view, prerequisite)?;
    }
    // §3.4.1.3: nothing is edited before all edits have been looked at.
    for edit in &change.edits {
        check_zone(&change.zone, edit.owner())?;
        prescan(edit)?;
    }
    if let Some(Flaw::Edits(refusal)) = &change.flaw {
        return Err(*refusal);
    }
    let mut draft = Draft::new(view, &change.zone);
    for edit in &change.edits {
        draft.edit(edit)?;
    }
    draft.deltas()
}

/// The serial of a zone after these deltas: the next one, or the newer one that a new SOA carries.
pub fn next_serial(current: Serial, deltas: &[Delta]) -> Serial {
    let carried = deltas
        .iter()
        .filter(|delta| delta.rtype == Rtype::SOA)
        .filter_map(|delta| delta.after.as_ref()?.rdata.first()?.soa_fields())
        .map(|soa| Serial(soa.serial))
        .find(|serial| serial.is_newer_than(current));
    carried.unwrap_or_else(|| current.next())
}

fn check_size(change: &Change) -> Result<(), Refusal> {
    if change.prerequisites.len() > PREREQUISITES_MAX {
        return Err(Refusal::Malformed("too many prerequisites"));
    }
    if change.edits.len() > EDITS_MAX {
        return Err(Refusal::Malformed("too many edits"));
    }
    Ok(())
}

fn check_zone(apex: &Name, name: &Name) -> Result<(), Refusal> {
    if name.is_subdomain_of(apex) { Ok(()) } else { Err(Refusal::OutsideZone) }
}

/// RFC 2136 §3.2.5, without the RRsets whose values must be equal.
fn check_presence(view: &dyn View, prerequisite: &Prerequisite) -> Result<(), Refusal> {
    let holds = |holds: bool, refusal| if holds { Ok(()) } else { Err(refusal) };
    match prerequisite {
        Prerequisite::NameInUse(name) => holds(!view.types(name).is_empty(), Refusal::NameMissing),
        Prerequisite::NameNotInUse(name) => holds(view.types(name).is_empty(), Refusal::NameExists),
        Prerequisite::RrsetExists(name, rtype) => {
            holds(view.rrset(name, *rtype).is_some(), Refusal::RrsetMissing)
        }
        Prerequisite::RrsetDoesNotExist(name, rtype) => {
            holds(view.rrset(name, *rtype).is_none(), Refusal::RrsetExists)
        }
        Prerequisite::RrsetEquals(..) => Ok(()),
    }
}

fn check_value(view: &dyn View, prerequisite: &Prerequisite) -> Result<(), Refusal> {
    let Prerequisite::RrsetEquals(name, rtype, wanted) = prerequisite else { return Ok(()) };
    let found = view.rrset(name, *rtype).ok_or(Refusal::RrsetMissing)?;
    if canonical_set(*rtype, wanted) == canonical_set(*rtype, &found.rdata) {
        Ok(())
    } else {
        Err(Refusal::RrsetMissing)
    }
}

fn canonical_set(rtype: Rtype, rdata: &[Rdata]) -> Vec<Rdata> {
    let mut set: Vec<Rdata> = rdata.iter().map(|rdata| rdata.canonical(rtype)).collect();
    set.sort();
    set.dedup();
    set
}

/// RFC 2136 §3.4.1: what can be told from the edits alone.
fn prescan(edit: &Edit) -> Result<(), Refusal> {
    if edit.rtype().is_some_and(Rtype::is_meta) {
        return Err(Refusal::Malformed("a type that no zone can hold"));
    }
    match edit {
        Edit::Add { ttl_s, .. } if *ttl_s > TTL_S_MAX => {
            Err(Refusal::Malformed("a TTL over 31 bits"))
        }
        Edit::Replace { rrset, .. } if rrset.ttl_s > TTL_S_MAX => {
            Err(Refusal::Malformed("a TTL over 31 bits"))
        }
        Edit::Replace { rrset, .. } if rrset.rdata.is_empty() => {
            Err(Refusal::Malformed("an RRset without a record"))
        }
        Edit::Add { .. }
        | Edit::Replace { .. }
        | Edit::DeleteRrset { .. }
        | Edit::DeleteName { .. }
        | Edit::DeleteRecord { .. } => Ok(()),
    }
}

/// Most prerequisites of one change.
const PREREQUISITES_MAX: usize = 1000;
/// Most edits of one change; a message of 64 KiB holds fewer.
const EDITS_MAX: usize = 6000;
/// RFC 2181 §8.
const TTL_S_MAX: u32 = (1 << 31) - 1;
