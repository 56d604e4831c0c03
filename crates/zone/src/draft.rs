//! The state of a zone in the middle of a change: a view with the edits so far over it.

use std::collections::{BTreeMap, HashMap};

use wire::{Name, Rdata, Rrset, Rtype, Serial};

use crate::change::{Delta, Edit, Refusal};
use crate::judge::View;

/// A view with the edits so far over it. Each edit costs the same, however many came before it and
/// however many records its RRset has: a change of 64 KiB must not keep the writer from others.
pub(crate) struct Draft<'a> {
    view: &'a dyn View,
    apex: &'a Name,
    /// Keys in order of first touch.
    order: Vec<(Name, Rtype)>,
    touched: HashMap<Name, BTreeMap<Rtype, Touched>>,
}

struct Touched {
    before: Option<Rrset>,
    now: Option<Records>,
}

/// The records of an RRset by their canonical data, each with its place in the order.
struct Records {
    ttl_s: u32,
    by_canonical: HashMap<Rdata, (usize, Rdata)>,
    next_place: usize,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(view: &'a dyn View, apex: &'a Name) -> Draft<'a> {
        Draft { view, apex, order: Vec::new(), touched: HashMap::new() }
    }

    /// Carries out one edit that has been looked at (RFC 2136 §3.4.2).
    pub(crate) fn edit(&mut self, edit: &Edit) -> Result<(), Refusal> {
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

    /// What the edits so far amount to, in order of first touch.
    pub(crate) fn deltas(mut self) -> Result<Vec<Delta>, Refusal> {
        let mut deltas = Vec::with_capacity(self.order.len());
        for (owner, rtype) in std::mem::take(&mut self.order) {
            let touched = self.touched.get_mut(&owner).and_then(|types| types.remove(&rtype));
            let Some(Touched { before, now }) = touched else { continue };
            let after = now.map(Records::into_rrset);
            if is_same(before.as_ref(), after.as_ref()) {
                continue;
            }
            if after.as_ref().is_some_and(|rrset| octets(rrset) > RRSET_OCTETS_MAX) {
                return Err(Refusal::Malformed("an RRset that no message can carry"));
            }
            deltas.push(Delta { owner: owner.to_lowercase(), rtype, before, after });
        }
        Ok(deltas)
    }

    /// §3.4.2.2: conflicts with CNAME and misplaced SOA are passed over in silence.
    fn add(&mut self, owner: &Name, rtype: Rtype, ttl_s: u32, rdata: &Rdata) {
        if self.conflicts(owner, rtype) {
            return;
        }
        let now = &mut self.touch(owner, rtype).now;
        match now {
            Some(current) if rtype == Rtype::SOA && !is_newer_soa(rdata, current) => {}
            Some(records) if !is_singleton(rtype) => {
                records.ttl_s = ttl_s;
                records.insert(rtype, rdata);
            }
            Some(_) | None => {
                let mut records = Records::new(ttl_s);
                records.insert(rtype, rdata);
                *now = Some(records);
            }
        }
    }

    fn replace(&mut self, owner: &Name, rtype: Rtype, rrset: &Rrset) -> Result<(), Refusal> {
        if self.conflicts(owner, rtype) {
            return Err(Refusal::Malformed("CNAME and other data at one name"));
        }
        if is_singleton(rtype) && rrset.rdata.len() > 1 {
            return Err(Refusal::Malformed("more than one record of a type that allows one"));
        }
        let now = &mut self.touch(owner, rtype).now;
        if rtype == Rtype::SOA
            && let (Some(new), Some(current)) = (rrset.rdata.first(), &*now)
            && !is_newer_soa(new, current)
        {
            return Ok(());
        }
        *now = Some(Records::of(rtype, rrset));
        Ok(())
    }

    /// §3.4.2.3: SOA and NS of the apex stay.
    fn delete_rrset(&mut self, owner: &Name, rtype: Rtype) {
        let protected = owner == self.apex && matches!(rtype, Rtype::SOA | Rtype::NS);
        if !protected {
            self.touch(owner, rtype).now = None;
        }
    }

    /// §3.4.2.4: the SOA and the last NS of the apex stay.
    fn delete_record(&mut self, owner: &Name, rtype: Rtype, rdata: &Rdata) {
        let keeps_last = owner == self.apex && rtype == Rtype::NS;
        let now = &mut self.touch(owner, rtype).now;
        let Some(records) = now else { return };
        if rtype == Rtype::SOA || keeps_last && records.by_canonical.len() == 1 {
            return;
        }
        records.by_canonical.remove(&rdata.canonical(rtype));
        if records.by_canonical.is_empty() {
            *now = None;
        }
    }

    /// Whether a record of this type may not stand at this name.
    fn conflicts(&self, owner: &Name, rtype: Rtype) -> bool {
        let beside_cname = |rtype| matches!(rtype, Rtype::RRSIG | Rtype::NSEC | Rtype::KEY);
        match rtype {
            Rtype::SOA => owner != self.apex,
            Rtype::CNAME => {
                let mut types = self.types(owner).into_iter();
                types.any(|there| there != Rtype::CNAME && !beside_cname(there))
            }
            rtype => !beside_cname(rtype) && self.exists(owner, Rtype::CNAME),
        }
    }

    fn exists(&self, owner: &Name, rtype: Rtype) -> bool {
        match self.touched.get(owner).and_then(|types| types.get(&rtype)) {
            Some(touched) => touched.now.is_some(),
            None => self.view.rrset(owner, rtype).is_some(),
        }
    }

    fn types(&self, owner: &Name) -> Vec<Rtype> {
        let mut types = self.view.types(owner);
        let Some(touched) = self.touched.get(owner) else { return types };
        types.retain(|rtype| !touched.contains_key(rtype));
        types.extend(touched.iter().filter(|(_, touched)| touched.now.is_some()).map(|(t, _)| *t));
        types
    }

    fn touch(&mut self, owner: &Name, rtype: Rtype) -> &mut Touched {
        let Draft { view, order, touched, .. } = self;
        let types = touched.entry(owner.clone()).or_default();
        types.entry(rtype).or_insert_with(|| {
            order.push((owner.clone(), rtype));
            let before = view.rrset(owner, rtype);
            let now = before.as_ref().map(|rrset| Records::of(rtype, rrset));
            Touched { before, now }
        })
    }
}

impl Records {
    fn new(ttl_s: u32) -> Records {
        Records { ttl_s, by_canonical: HashMap::new(), next_place: 0 }
    }

    fn of(rtype: Rtype, rrset: &Rrset) -> Records {
        let mut records = Records::new(rrset.ttl_s);
        for rdata in &rrset.rdata {
            records.insert(rtype, rdata);
        }
        records
    }

    /// Puts a record in; in place of the one that is the same but for the case of its names.
    fn insert(&mut self, rtype: Rtype, rdata: &Rdata) {
        let place = self.next_place;
        self.next_place += 1;
        self.by_canonical
            .entry(rdata.canonical(rtype))
            .and_modify(|(_, known)| *known = rdata.clone())
            .or_insert_with(|| (place, rdata.clone()));
    }

    fn into_rrset(self) -> Rrset {
        let mut placed: Vec<(usize, Rdata)> = self.by_canonical.into_values().collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        Rrset { ttl_s: self.ttl_s, rdata: placed.into_iter().map(|(_, rdata)| rdata).collect() }
    }
}

/// Octets that the records of an RRset take in a message.
fn octets(rrset: &Rrset) -> usize {
    rrset.rdata.iter().map(|rdata| rdata.as_wire().len() + RECORD_OVERHEAD).sum()
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

fn is_newer_soa(new: &Rdata, current: &Records) -> bool {
    let serial = |rdata: &Rdata| rdata.soa_fields().map(|soa| Serial(soa.serial));
    let current = current.by_canonical.values().next().and_then(|(_, rdata)| serial(rdata));
    match (serial(new), current) {
        (Some(new), Some(current)) => new.is_newer_than(current),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Octets of a record beside its data, owner compressed.
const RECORD_OVERHEAD: usize = 12;
/// An RRset must fit into one message with header, question and OPT.
const RRSET_OCTETS_MAX: usize = 65_535 - 12 - 259 - 11;
