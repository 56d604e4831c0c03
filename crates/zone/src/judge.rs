//! Judging a change: prerequisites and edits against a view of the zone, without touching it.

use std::collections::HashMap;

use wire::{Name, Rdata, Rrset, Rtype, Serial};

use crate::change::{Change, Delta, Edit, Prerequisite, Refusal};

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
    check_zone(change)?;
    // §3.2: prerequisites that name no values come first: they cost least.
    for prerequisite in &change.prerequisites {
        check_presence(view, prerequisite)?;
    }
    for prerequisite in &change.prerequisites {
        check_value(view, prerequisite)?;
    }
    for edit in &change.edits {
        prescan(edit)?;
    }
    let mut draft = Draft { view, apex: &change.zone, order: Vec::new(), touched: HashMap::new() };
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

fn check_zone(change: &Change) -> Result<(), Refusal> {
    let named = change.prerequisites.iter().map(|prerequisite| match prerequisite {
        Prerequisite::NameInUse(name)
        | Prerequisite::NameNotInUse(name)
        | Prerequisite::RrsetExists(name, _)
        | Prerequisite::RrsetDoesNotExist(name, _)
        | Prerequisite::RrsetEquals(name, ..) => name,
    });
    let mut all = named.chain(change.edits.iter().map(Edit::owner));
    if all.all(|name| name.is_subdomain_of(&change.zone)) {
        Ok(())
    } else {
        Err(Refusal::OutsideZone)
    }
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

/// The view with the edits so far over it.
struct Draft<'a> {
    view: &'a dyn View,
    apex: &'a Name,
    /// Keys in order of first touch.
    order: Vec<(Name, Rtype)>,
    touched: HashMap<(Name, Rtype), Touched>,
}

struct Touched {
    before: Option<Rrset>,
    now: Option<Rrset>,
}

impl Draft<'_> {
    fn edit(&mut self, edit: &Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Add { owner, rtype, ttl_s, rdata } => self.add(owner, *rtype, *ttl_s, rdata),
            Edit::DeleteRrset { owner, rtype } => self.delete_rrset(owner, *rtype),
            Edit::DeleteName { owner } => {
                for rtype in self.types(owner) {
                    self.delete_rrset(owner, rtype);
                }
            }
            Edit::DeleteRecord { owner, rtype, rdata } => self.delete_record(owner, *rtype, rdata),
            Edit::Replace { owner, rtype, rrset } => return self.replace(owner, *rtype, rrset),
        }
        Ok(())
    }

    /// §3.4.2.2: conflicts with CNAME and misplaced SOA are passed over in silence.
    fn add(&mut self, owner: &Name, rtype: Rtype, ttl_s: u32, rdata: &Rdata) {
        if self.conflicts(owner, rtype) {
            return;
        }
        let mut rrset = match self.rrset(owner, rtype) {
            Some(rrset) if !is_singleton(rtype) => rrset,
            Some(current) if rtype == Rtype::SOA && !is_newer_soa(rdata, &current) => return,
            Some(_) | None => Rrset { ttl_s, rdata: Vec::new() },
        };
        rrset.ttl_s = ttl_s;
        let canonical = rdata.canonical(rtype);
        if !rrset.rdata.iter().any(|known| known.canonical(rtype) == canonical) {
            rrset.rdata.push(rdata.clone());
        }
        self.set(owner, rtype, Some(rrset));
    }

    fn replace(&mut self, owner: &Name, rtype: Rtype, rrset: &Rrset) -> Result<(), Refusal> {
        if self.conflicts(owner, rtype) {
            return Err(Refusal::Malformed("CNAME and other data at one name"));
        }
        if is_singleton(rtype) && rrset.rdata.len() > 1 {
            return Err(Refusal::Malformed("more than one record of a type that allows one"));
        }
        if rtype == Rtype::SOA
            && let (Some(new), Some(current)) = (rrset.rdata.first(), self.rrset(owner, rtype))
            && !is_newer_soa(new, &current)
        {
            return Ok(());
        }
        let mut kept = Rrset { ttl_s: rrset.ttl_s, rdata: Vec::with_capacity(rrset.rdata.len()) };
        for rdata in &rrset.rdata {
            let canonical = rdata.canonical(rtype);
            if !kept.rdata.iter().any(|known| known.canonical(rtype) == canonical) {
                kept.rdata.push(rdata.clone());
            }
        }
        self.set(owner, rtype, Some(kept));
        Ok(())
    }

    /// §3.4.2.3: SOA and NS of the apex stay.
    fn delete_rrset(&mut self, owner: &Name, rtype: Rtype) {
        let protected = owner == self.apex && matches!(rtype, Rtype::SOA | Rtype::NS);
        if !protected {
            self.set(owner, rtype, None);
        }
    }

    /// §3.4.2.4: the SOA and the last NS of the apex stay.
    fn delete_record(&mut self, owner: &Name, rtype: Rtype, rdata: &Rdata) {
        let Some(mut rrset) = self.rrset(owner, rtype) else { return };
        let at_apex = owner == self.apex;
        if rtype == Rtype::SOA || at_apex && rtype == Rtype::NS && rrset.rdata.len() == 1 {
            return;
        }
        let canonical = rdata.canonical(rtype);
        rrset.rdata.retain(|known| known.canonical(rtype) != canonical);
        let left = (!rrset.rdata.is_empty()).then_some(rrset);
        self.set(owner, rtype, left);
    }

    /// Whether a record of this type may not stand at this name.
    fn conflicts(&self, owner: &Name, rtype: Rtype) -> bool {
        if rtype == Rtype::SOA {
            return owner != self.apex;
        }
        let beside_cname = |rtype| matches!(rtype, Rtype::RRSIG | Rtype::NSEC | Rtype::KEY);
        if beside_cname(rtype) {
            return false;
        }
        let types = self.types(owner);
        if rtype == Rtype::CNAME {
            types.iter().any(|&there| there != Rtype::CNAME && !beside_cname(there))
        } else {
            types.contains(&Rtype::CNAME)
        }
    }

    fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<Rrset> {
        match self.touched.get(&(owner.to_lowercase(), rtype)) {
            Some(touched) => touched.now.clone(),
            None => self.view.rrset(owner, rtype),
        }
    }

    fn types(&self, owner: &Name) -> Vec<Rtype> {
        let mut types = self.view.types(owner);
        for ((name, rtype), touched) in &self.touched {
            if name != owner {
                continue;
            }
            match (types.binary_search(rtype), &touched.now) {
                (Ok(at), None) => {
                    types.remove(at);
                }
                (Err(at), Some(_)) => types.insert(at, *rtype),
                (Ok(_), Some(_)) | (Err(_), None) => {}
            }
        }
        types
    }

    fn set(&mut self, owner: &Name, rtype: Rtype, now: Option<Rrset>) {
        let key = (owner.to_lowercase(), rtype);
        if let Some(touched) = self.touched.get_mut(&key) {
            touched.now = now;
            return;
        }
        let before = self.view.rrset(owner, rtype);
        self.order.push(key.clone());
        self.touched.insert(key, Touched { before, now });
    }

    fn deltas(mut self) -> Result<Vec<Delta>, Refusal> {
        let mut deltas = Vec::with_capacity(self.order.len());
        for key in std::mem::take(&mut self.order) {
            let Some(Touched { before, now: after }) = self.touched.remove(&key) else { continue };
            if is_same(before.as_ref(), after.as_ref()) {
                continue;
            }
            let octets: usize = after
                .iter()
                .flat_map(|rrset| &rrset.rdata)
                .map(|rdata| rdata.as_wire().len() + RECORD_OVERHEAD)
                .sum();
            if octets > RRSET_OCTETS_MAX {
                return Err(Refusal::Malformed("an RRset that no message can carry"));
            }
            let (owner, rtype) = key;
            deltas.push(Delta { owner, rtype, before, after });
        }
        Ok(deltas)
    }
}

/// Whether two RRsets are the same; the order of records does not count.
fn is_same(before: Option<&Rrset>, after: Option<&Rrset>) -> bool {
    let sorted = |rrset: &Rrset| {
        let mut rdata = rrset.rdata.clone();
        rdata.sort();
        rdata
    };
    match (before, after) {
        (None, None) => true,
        (Some(a), Some(b)) => a == b || a.ttl_s == b.ttl_s && sorted(a) == sorted(b),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Types of which a name owns one record at most (RFC 2181 §10.1, RFC 1035 §3.3.13, RFC 6672 §2.4).
fn is_singleton(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::CNAME | Rtype::SOA | Rtype::DNAME)
}

fn is_newer_soa(new: &Rdata, current: &Rrset) -> bool {
    let serial = |rdata: &Rdata| rdata.soa_fields().map(|soa| Serial(soa.serial));
    match (serial(new), current.rdata.first().and_then(serial)) {
        (Some(new), Some(current)) => new.is_newer_than(current),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Most prerequisites of one change.
const PREREQUISITES_MAX: usize = 1000;
/// Most edits of one change; a message of 64 KiB holds fewer.
const EDITS_MAX: usize = 6000;
/// RFC 2181 §8.
const TTL_S_MAX: u32 = (1 << 31) - 1;
/// Octets of a record beside its data, owner compressed.
const RECORD_OVERHEAD: usize = 12;
/// An RRset must fit into one message with header, question and OPT.
const RRSET_OCTETS_MAX: usize = 65_535 - 12 - 259 - 11;
