//! The records of an RRset while it is changed.

use std::collections::HashMap;

use wire::{Rdata, Rrset, Rtype};

/// Records in order; none stands twice in canonical form. Putting one in or taking one out costs the
/// same however many there are.
pub(crate) struct Records {
    pub(crate) ttl_s: u32,
    rtype: Rtype,
    /// `None`: it was taken out.
    places: Vec<Option<Rdata>>,
    /// Where each stands, by its canonical form, once there are more than a few.
    by_canonical: Option<HashMap<Rdata, usize>>,
    count: usize,
}

impl Records {
    pub(crate) fn new(rtype: Rtype, ttl_s: u32) -> Records {
        Records { ttl_s, rtype, places: Vec::with_capacity(1), by_canonical: None, count: 0 }
    }

    pub(crate) fn of(rtype: Rtype, rrset: &Rrset) -> Records {
        let mut records = Records::new(rtype, rrset.ttl_s);
        records.places.reserve(rrset.rdata.len());
        for rdata in &rrset.rdata {
            records.insert(rdata);
        }
        records
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The first one.
    pub(crate) fn first(&self) -> Option<&Rdata> {
        self.places.iter().flatten().next()
    }

    /// Puts a record in; in place of the one that is the same but for the case of its names.
    pub(crate) fn insert(&mut self, rdata: &Rdata) {
        let known = self.place(rdata).and_then(|place| self.places.get_mut(place));
        match known {
            Some(known) => *known = Some(rdata.clone()),
            None => {
                self.places.push(Some(rdata.clone()));
                self.count += 1;
                self.note_place();
            }
        }
    }

    /// Takes out the record that is the same but for the case of its names.
    pub(crate) fn remove(&mut self, rdata: &Rdata) {
        let Some(place) = self.place(rdata) else { return };
        if let Some(known) = self.places.get_mut(place) {
            *known = None;
            self.count -= 1;
        }
        if let Some(by_canonical) = &mut self.by_canonical {
            by_canonical.remove(&rdata.canonical(self.rtype));
        }
    }

    pub(crate) fn into_rrset(self) -> Rrset {
        Rrset { ttl_s: self.ttl_s, rdata: self.places.into_iter().flatten().collect() }
    }

    fn place(&self, rdata: &Rdata) -> Option<usize> {
        match &self.by_canonical {
            None => {
                let is_same = |known: &Rdata| known.is_same(rdata, self.rtype);
                self.places.iter().position(|known| known.as_ref().is_some_and(is_same))
            }
            Some(by_canonical) => by_canonical.get(&rdata.canonical(self.rtype)).copied(),
        }
    }

    /// Keeps in mind where the last record stands, from the moment that looking through all of them
    /// would take too long.
    fn note_place(&mut self) {
        let last = self.places.len() - 1;
        let from = match &self.by_canonical {
            None if last < FEW => return,
            None => 0,
            Some(_) => last,
        };
        let by_canonical = self.by_canonical.get_or_insert_default();
        for (place, rdata) in self.places.iter().enumerate().skip(from) {
            if let Some(rdata) = rdata {
                by_canonical.insert(rdata.canonical(self.rtype), place);
            }
        }
    }
}

/// Records that are looked through one by one.
const FEW: usize = 8;
