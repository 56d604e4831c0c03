//! The state of a zone in the middle of a change: a view with the edits so far over it.

use std::collections::{BTreeMap, HashMap};

use wire::{Name, Rdata, Rrset, Rtype, Serial};

use crate::change::{Delta, Edit, Refusal};
use crate::judge::View;
use crate::records::Records;

/// A view with the edits so far over it. Each edit costs the same, however many came before it and
/// however many records its RRset has: a change of 64 KiB must not keep the writer from others.
pub(crate) struct Draft<'a> {
    view: &'a dyn View,
    apex: &'a Name,
    /// In order of first touch.
    touched: Vec<Touched>,
    /// Their places, once there are more than a few.
    places: Option<HashMap<Name, BTreeMap<Rtype, usize>>>,
}

struct Touched {
    owner: Name,
    rtype: Rtype,
    before: Option<Rrset>,
    /// What it has become, once it is changed.
    now: Option<Records>,
    is_changed: bool,
}

impl Touched {
    /// The records, to be changed.
    fn now(&mut self) -> &mut Option<Records> {
        if !self.is_changed {
            self.is_changed = true;
            self.now = self.before.as_ref().map(|rrset| Records::of(self.rtype, rrset));
        }
        &mut self.now
    }

    fn exists(&self) -> bool {
        if self.is_changed { self.now.is_some() } else { self.before.is_some() }
    }

    /// Makes it another one, whatever it was.
    fn become_of(&mut self, records: Option<Records>) {
        (self.now, self.is_changed) = (records, true);
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn new(view: &'a dyn View, apex: &'a Name) -> Draft<'a> {
        Draft { view, apex, touched: Vec::with_capacity(1), places: None }
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
    pub(crate) fn deltas(self) -> Result<Vec<Delta>, Refusal> {
        let mut deltas = Vec::with_capacity(self.touched.len());
        for Touched { owner, rtype, before, now, is_changed } in self.touched {
            if !is_changed {
                continue;
            }
            let after = now.map(Records::into_rrset);
            if is_same(before.as_ref(), after.as_ref()) {
                continue;
            }
            if after.as_ref().is_some_and(|rrset| octets(rrset) > RRSET_OCTETS_MAX) {
                return Err(Refusal::Malformed("an RRset that no message can carry"));
            }
            deltas.push(Delta { owner: owner.into_lowercase(), rtype, before, after });
        }
        Ok(deltas)
    }

    /// §3.4.2.2: conflicts with CNAME and misplaced SOA are passed over in silence.
    fn add(&mut self, owner: &Name, rtype: Rtype, ttl_s: u32, rdata: &Rdata) {
        if self.conflicts(owner, rtype) {
            return;
        }
        let now = self.touch(owner, rtype).now();
        match now {
            Some(current) if rtype == Rtype::SOA && !is_newer_soa(rdata, current) => {}
            Some(records) if !is_singleton(rtype) => {
                records.ttl_s = ttl_s;
                records.insert(rdata);
            }
            Some(_) | None => {
                let mut records = Records::new(rtype, ttl_s);
                records.insert(rdata);
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
        let touched = self.touch(owner, rtype);
        if rtype == Rtype::SOA
            && let (Some(new), Some(current)) = (rrset.rdata.first(), &*touched.now())
            && !is_newer_soa(new, current)
        {
            return Ok(());
        }
        touched.become_of(Some(Records::of(rtype, rrset)));
        Ok(())
    }

    /// §3.4.2.3: SOA and NS of the apex stay.
    fn delete_rrset(&mut self, owner: &Name, rtype: Rtype) {
        let protected = owner == self.apex && matches!(rtype, Rtype::SOA | Rtype::NS);
        if !protected {
            self.touch(owner, rtype).become_of(None);
        }
    }

    /// §3.4.2.4: the SOA and the last NS of the apex stay.
    fn delete_record(&mut self, owner: &Name, rtype: Rtype, rdata: &Rdata) {
        let keeps_last = owner == self.apex && rtype == Rtype::NS;
        let now = self.touch(owner, rtype).now();
        let Some(records) = now else { return };
        if rtype == Rtype::SOA || keeps_last && records.len() == 1 {
            return;
        }
        records.remove(rdata);
        if records.len() == 0 {
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
        match self.place(owner, rtype).and_then(|place| self.touched.get(place)) {
            Some(touched) => touched.exists(),
            None => self.view.rrset(owner, rtype).is_some(),
        }
    }

    fn types(&self, owner: &Name) -> Vec<Rtype> {
        let mut types = self.view.types(owner);
        let mut change = |touched: &Touched| {
            types.retain(|rtype| *rtype != touched.rtype);
            if touched.exists() {
                types.push(touched.rtype);
            }
        };
        match &self.places {
            None => {
                self.touched.iter().filter(|touched| touched.owner == *owner).for_each(change);
            }
            Some(places) => {
                let places = places.get(owner).into_iter().flat_map(BTreeMap::values);
                places.filter_map(|place| self.touched.get(*place)).for_each(&mut change);
            }
        }
        types
    }

    fn touch(&mut self, owner: &Name, rtype: Rtype) -> &mut Touched {
        let place = match self.place(owner, rtype) {
            Some(place) => place,
            None => {
                let before = self.view.rrset(owner, rtype);
                let owner = owner.clone();
                self.touched.push(Touched { owner, rtype, before, now: None, is_changed: false });
                let last = self.touched.len() - 1;
                self.note_place(last);
                last
            }
        };
        &mut self.touched[place]
    }

    fn place(&self, owner: &Name, rtype: Rtype) -> Option<usize> {
        match &self.places {
            None => self.touched.iter().position(|one| one.rtype == rtype && one.owner == *owner),
            Some(places) => places.get(owner)?.get(&rtype).copied(),
        }
    }

    /// Keeps places in mind, from the moment that looking through all would take too long.
    fn note_place(&mut self, last: usize) {
        let from = match &self.places {
            None if last < FEW => return,
            None => 0,
            Some(_) => last,
        };
        let places = self.places.get_or_insert_default();
        for (place, touched) in self.touched.iter().enumerate().skip(from) {
            places.entry(touched.owner.clone()).or_default().insert(touched.rtype, place);
        }
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
    let current = current.first().and_then(serial);
    match (serial(new), current) {
        (Some(new), Some(current)) => new.is_newer_than(current),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Touched RRsets that are looked through one by one.
const FEW: usize = 8;
/// Octets of a record beside its data, owner compressed.
const RECORD_OVERHEAD: usize = 12;
/// An RRset must fit into one message with header, question and OPT.
const RRSET_OCTETS_MAX: usize = 65_535 - 12 - 259 - 11;
