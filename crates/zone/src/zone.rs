//! One zone: readers see it whole, under one serial.

use std::fmt;

use wire::{Name, QName, Rrset, Rtype, Serial, Soa, fold_into};

use crate::change::Delta;
use crate::index::commit::Commit;
use crate::index::image::Image;
use crate::index::key::relative_to;
use crate::index::set::{Set, SetRef};
use crate::index::{Index, Kept, loader};
use crate::judge::View;

/// A zone that is served: many readers, one writer.
///
/// Every call sees one state of the zone, that of some serial; nothing that is handed out refers
/// into it. Reading takes no lock and waits for nobody. The cost of a change does not depend on the
/// size of the zone.
pub struct Zone {
    apex: Name,
    pub(crate) index: Index,
}

/// The state of a zone at a serial; later changes do not touch it.
///
/// While it is held, the first change of a part of the zone copies that part, which has a few
/// thousand names.
#[derive(Debug)]
pub struct Snapshot {
    apex: Name,
    state: Kept,
}

/// Takes many RRsets into a zone; all become visible when it is dropped. Others who want to write
/// wait meanwhile; readers do not.
#[derive(Debug)]
pub struct Loader<'z> {
    apex: &'z Name,
    into: loader::Loader<'z>,
}

impl Zone {
    /// An empty zone.
    pub fn new(apex: &Name, serial: Serial) -> Zone {
        Zone { apex: apex.to_lowercase(), index: Index::new(serial) }
    }

    /// Its apex, lower-cased.
    pub fn apex(&self) -> &Name {
        &self.apex
    }

    /// Its serial.
    pub fn serial(&self) -> Serial {
        serial(self.index.consistent(|state| Ok(state.facts())).serial)
    }

    /// Number of RRsets.
    pub fn rrset_count(&self) -> usize {
        self.index.consistent(|state| Ok(state.facts())).rrsets as usize
    }

    /// Octets of memory that its names and records take, room to grow included.
    pub fn octets(&self) -> usize {
        self.index.octets()
    }

    /// Makes deltas visible, all at once, under a serial, which the SOA carries from then on.
    /// Owners outside the zone are passed over.
    pub fn apply<'d>(&self, serial: Serial, deltas: impl IntoIterator<Item = &'d Delta>) {
        self.index.commit(|commit| {
            for delta in deltas {
                let after = delta.after.as_ref();
                self.put(commit, &delta.owner, delta.rtype, after);
            }
            commit.set_serial(serial);
            renew_soa(commit, serial);
        });
    }

    /// Takes RRsets in, in place of those of the same owners and types, without another serial.
    pub fn load(&self, rrsets: impl IntoIterator<Item = (Name, Rtype, Rrset)>) {
        self.index.commit(|commit| {
            for (owner, rtype, rrset) in rrsets {
                self.put(commit, &owner, rtype, Some(&rrset));
            }
        });
    }

    /// Takes in more than a few RRsets.
    pub fn loader(&self) -> Loader<'_> {
        Loader { apex: &self.apex, into: self.index.loader() }
    }

    /// The state as it is now, for transfers, exports and backups. Takes the same time however large
    /// the zone is: nothing is copied, and readers go on.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { apex: self.apex.clone(), state: self.index.keep() }
    }

    /// Reads ahead what answers about these names will read, up to 64 of them: memory that is far
    /// away is then fetched for all of them at the same time. Names outside the zone do no harm.
    pub fn touch<'q>(&self, names: impl Iterator<Item = &'q QName>) {
        self.index.touch(names.map(|name| self.relative(name.folded())));
    }

    /// The labels before the apex, of a folded name that lies in the zone.
    pub(crate) fn relative<'n>(&self, folded: &'n [u8]) -> &'n [u8] {
        let len = folded.len().saturating_sub(self.apex.as_wire().len());
        folded.get(..len).unwrap_or_default()
    }

    fn put(&self, commit: &mut Commit<'_>, owner: &Name, rtype: Rtype, rrset: Option<&Rrset>) {
        let Some(relative) = owner.strip_suffix(&self.apex) else { return };
        let mut folded = [0; 255];
        let name = fold_into(relative, &mut folded);
        match rrset {
            Some(rrset) => commit.put(name, Set::pack(rtype, rrset)),
            None => commit.remove(name, rtype),
        }
    }

    /// Reads the image of a name.
    fn look<T>(&self, owner: &Name, read: impl Fn(Image<'_>) -> T) -> Option<T> {
        let relative = owner.strip_suffix(&self.apex)?;
        let mut folded = [0; 255];
        let name = fold_into(relative, &mut folded);
        self.index.consistent(|state| Ok(state.node(name).map(&read)))
    }
}

impl View for Zone {
    fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<Rrset> {
        self.look(owner, |image| image.set(rtype))?.map(|set| set.rrset())
    }

    fn types(&self, owner: &Name) -> Vec<Rtype> {
        let types = self.look(owner, |image| image.types().collect::<Vec<Rtype>>());
        let mut types = types.unwrap_or_default();
        types.sort_unstable();
        types
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.index.consistent(|state| Ok(state.facts()));
        f.debug_struct("Zone").field("apex", &self.apex).field("facts", &facts).finish()
    }
}

impl Loader<'_> {
    /// Takes RRsets of one owner in, in place of those of the same types. The owner is in wire form,
    /// folded, root label included; one outside the zone is passed over. Owners may come in any
    /// order, and several times.
    pub fn put(&mut self, owner: &[u8], sets: &[SetRef<'_>]) {
        let Some(name) = relative_to(owner, self.apex.as_wire()) else { return };
        self.into.put(name, sets);
    }
}

impl Snapshot {
    /// Its serial.
    pub fn serial(&self) -> Serial {
        serial(self.state.facts.serial)
    }

    /// Number of RRsets.
    pub fn rrset_count(&self) -> usize {
        self.state.facts.rrsets as usize
    }

    /// All RRsets, in no particular order.
    pub fn rrsets(&self) -> impl Iterator<Item = (Name, Rtype, Rrset)> + '_ {
        self.state.images().flat_map(|image| {
            let owner = Name::join(&image.name(), &self.apex).ok();
            let sets = image.sets().into_iter();
            sets.filter_map(move |set| Some((owner.clone()?, set.rtype, set.rrset())))
        })
    }
}

fn serial(number: u64) -> Serial {
    // It came from a serial.
    Serial(number as u32)
}

/// Makes the SOA carry a serial.
fn renew_soa(commit: &mut Commit<'_>, serial: Serial) {
    let soa = commit.node(&[]).and_then(|apex| apex.set(Rtype::SOA)).map(Set::rrset);
    let Some(rrset) = soa else { return };
    let Some(soa) = rrset.rdata.first().and_then(|rdata| rdata.soa_fields()) else { return };
    let rdata = vec![wire::Rdata::soa(&Soa { serial: serial.0, ..soa })];
    commit.put(&[], Set::pack(Rtype::SOA, &Rrset { ttl_s: rrset.ttl_s, rdata }));
}
