//! A server small enough to be checked by reading it beside the RFCs. It knows nothing of the crates
//! under test: names are labels in lower case, root first; everything else is octets and maps.
//!
//! Where the RFCs leave a choice, ours is marked "choice".

#![expect(clippy::expect_used, reason = "a model of what is no zone is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub(crate) type Labels = Vec<Vec<u8>>;
/// Owner, type, TTL, data with names in lower case.
pub(crate) type Rr = (Labels, u16, u32, Vec<u8>);

/// A zone's content without the order of records.
pub(crate) type Sorted = BTreeMap<(Labels, u16), (u32, BTreeSet<Vec<u8>>)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) ttl: u32,
    pub(crate) data: Vec<Vec<u8>>,
}

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) apex: Labels,
    pub(crate) sets: BTreeMap<(Labels, u16), Set>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((owner, rtype), set) in &self.sets {
            for label in owner.iter().rev() {
                write!(f, "{}.", label.escape_ascii())?;
            }
            for data in &set.data {
                write!(f, " {} TYPE{rtype} {}", set.ttl, data.escape_ascii())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) rcode: u16,
    pub(crate) aa: bool,
    pub(crate) answer: BTreeSet<Rr>,
    pub(crate) authority: BTreeSet<Rr>,
    pub(crate) additional: BTreeSet<Rr>,
    /// Additional records without which a referral is useless (RFC 9471 §3.1).
    pub(crate) required: BTreeSet<Rr>,
}

pub(crate) const A: u16 = 1;
pub(crate) const NS: u16 = 2;
pub(crate) const CNAME: u16 = 5;
pub(crate) const SOA: u16 = 6;
pub(crate) const PTR: u16 = 12;
pub(crate) const MX: u16 = 15;
pub(crate) const TXT: u16 = 16;
pub(crate) const KEY: u16 = 25;
pub(crate) const AAAA: u16 = 28;
pub(crate) const SRV: u16 = 33;
pub(crate) const DNAME: u16 = 39;
pub(crate) const DS: u16 = 43;
pub(crate) const RRSIG: u16 = 46;
pub(crate) const NSEC: u16 = 47;
pub(crate) const ANY: u16 = 255;

const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const NXDOMAIN: u16 = 3;
const YXDOMAIN: u16 = 6;
const YXRRSET: u16 = 7;
const NXRRSET: u16 = 8;
const NOTZONE: u16 = 10;

/// Choice: so many names of a chain are looked up.
const CHAIN: usize = 16;

impl Model {
    fn set(&self, name: &[Vec<u8>], rtype: u16) -> Option<&Set> {
        self.sets.get(&(name.to_vec(), rtype))
    }

    /// RFC 4592 §2.2.2, RFC 8020: a name exists when it or something below it owns a record.
    fn exists(&self, name: &[Vec<u8>]) -> bool {
        self.sets.keys().any(|(owner, _)| owner.starts_with(name))
    }

    fn types(&self, name: &[Vec<u8>]) -> Vec<u16> {
        self.sets.keys().filter(|(owner, _)| owner == name).map(|(_, rtype)| *rtype).collect()
    }

    fn rrs(&self, source: &[Vec<u8>], owner: &[Vec<u8>], rtype: u16) -> Vec<Rr> {
        let Some(set) = self.set(source, rtype) else { return Vec::new() };
        let rr = |data: &Vec<u8>| (owner.to_vec(), rtype, set.ttl, fold(rtype, data));
        set.data.iter().map(rr).collect()
    }

    /// RFC 1034 §4.3.2 with RFC 6672 §3.2 in it.
    pub(crate) fn answer(&self, qname: &Labels, qtype: u16) -> Reply {
        let mut reply = Reply { aa: true, ..Reply::default() };
        let mut qname = qname.clone();
        let mut seen = Vec::new();
        while seen.len() < CHAIN && qname.starts_with(&self.apex) && !seen.contains(&qname) {
            seen.push(qname.clone());
            match self.one_name(&qname, qtype, &mut reply) {
                Some(target) => qname = target,
                None => break,
            }
        }
        reply
    }

    /// Step 3: down, label by label. The name to go on with, if there is one.
    fn one_name(&self, qname: &Labels, qtype: u16, reply: &mut Reply) -> Option<Labels> {
        for depth in self.apex.len()..=qname.len() {
            let (node, whole) = (&qname[..depth], depth == qname.len());
            // 3b. RFC 4035 §3.1.4.1: DS at the cut is ours to answer.
            let is_cut = depth > self.apex.len() && self.set(node, NS).is_some();
            if is_cut && !(whole && qtype == DS) {
                self.refer(node, reply);
                return None;
            }
            if whole {
                return self.match_at(node, qname, qtype, reply);
            }
            // 3c. What stands below a DNAME does not count (RFC 6672 §2.4).
            if let Some(dname) = self.set(node, DNAME) {
                reply.answer.extend(self.rrs(node, node, DNAME));
                let target = [labels(&dname.data[0]), qname[depth..].to_vec()].concat();
                if wire(&target).len() > 255 {
                    reply.rcode = YXDOMAIN;
                    return None;
                }
                reply.answer.insert((qname.clone(), CNAME, dname.ttl, wire(&target)));
                // Choice: the CNAME answers questions for CNAME and ANY.
                return (qtype != CNAME && qtype != ANY).then_some(target);
            }
            if !self.exists(&qname[..=depth]) {
                let star = [node, &[b"*".to_vec()]].concat();
                if self.exists(&star) {
                    return self.match_at(&star, qname, qtype, reply);
                }
                // RFC 6604 §3: the code is that of the last name.
                reply.rcode = NXDOMAIN;
                self.deny(reply);
                return None;
            }
        }
        None
    }

    /// Step 3a: the node matches; the owner is the name that was asked for.
    fn match_at(
        &self,
        node: &[Vec<u8>],
        owner: &Labels,
        qtype: u16,
        reply: &mut Reply,
    ) -> Option<Labels> {
        if qtype == ANY {
            // RFC 8482 §4.1. Choice: the lowest type.
            match self.types(node).first() {
                Some(lowest) => reply.answer.extend(self.rrs(node, owner, *lowest)),
                None => self.deny(reply),
            }
            return None;
        }
        if let Some(set) = self.set(node, qtype) {
            reply.answer.extend(self.rrs(node, owner, qtype));
            for target in set.data.iter().filter_map(|data| target(qtype, data)) {
                if qtype == NS || self.is_ours(&target) {
                    reply.additional.extend(self.addresses(&target));
                }
            }
            return None;
        }
        // RFC 4035 §2.5, RFC 3007: these stand beside a CNAME and are not aliased.
        let aliased = ![CNAME, KEY, RRSIG, NSEC].contains(&qtype);
        match self.set(node, CNAME) {
            Some(cname) if aliased => {
                reply.answer.extend(self.rrs(node, owner, CNAME));
                Some(labels(&cname.data[0]))
            }
            _ => {
                self.deny(reply);
                None
            }
        }
    }

    fn refer(&self, cut: &[Vec<u8>], reply: &mut Reply) {
        reply.aa = !reply.answer.is_empty();
        reply.authority.extend(self.rrs(cut, cut, NS));
        let set = self.set(cut, NS).expect("a cut has NS");
        for target in set.data.iter().filter_map(|data| target(NS, data)) {
            let addresses = self.addresses(&target);
            if target.starts_with(cut) {
                reply.required.extend(addresses.clone());
            }
            reply.additional.extend(addresses);
        }
    }

    /// RFC 2308 §3: the SOA, its TTL no longer than its MINIMUM.
    fn deny(&self, reply: &mut Reply) {
        for (owner, rtype, ttl, data) in self.rrs(&self.apex, &self.apex, SOA) {
            let minimum = data.last_chunk::<4>().map_or(0, |four| u32::from_be_bytes(*four));
            reply.authority.insert((owner, rtype, ttl.min(minimum), data));
        }
    }

    fn addresses(&self, name: &Labels) -> Vec<Rr> {
        if !name.starts_with(&self.apex) {
            return Vec::new();
        }
        [self.rrs(name, name, A), self.rrs(name, name, AAAA)].concat()
    }

    /// Not at or below a cut, not below a DNAME.
    fn is_ours(&self, name: &Labels) -> bool {
        name.starts_with(&self.apex)
            && (self.apex.len() + 1..=name.len()).all(|d| self.set(&name[..d], NS).is_none())
            && (self.apex.len()..name.len()).all(|d| self.set(&name[..d], DNAME).is_none())
    }
}

/// One record of an UPDATE's sections, as RFC 2136 §2.4 and §2.5 write them: ANY and NONE are
/// spelt out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prerequisite {
    InUse(Labels),
    NotInUse(Labels),
    Exists(Labels, u16),
    Missing(Labels, u16),
    Equals(Labels, u16, Vec<Vec<u8>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Add(Labels, u16, u32, Vec<u8>),
    DeleteSet(Labels, u16),
    DeleteName(Labels),
    DeleteRecord(Labels, u16, Vec<u8>),
    /// Not of RFC 2136: exactly these.
    Replace(Labels, u16, u32, Vec<Vec<u8>>),
}

impl Model {
    /// The zone after a change under its new serial, or the code of the refusal; `Ok(None)` when
    /// nothing is altered.
    pub(crate) fn change(
        &self,
        wanted: &[Prerequisite],
        edits: &[Edit],
    ) -> Result<Option<Model>, u16> {
        self.prerequisites(wanted)?;
        for edit in edits {
            self.prescan(edit)?;
        }
        let mut after = self.clone();
        for edit in edits {
            after.edit(edit)?;
        }
        if after.sorted() == self.sorted() {
            return Ok(None);
        }
        let (old, new) = (self.serial(), after.serial());
        let mut serial = old.wrapping_add(1).max(1);
        if is_newer(new, old) {
            serial = new;
        }
        let apex = after.apex.clone();
        let soa = after.sets.get_mut(&(apex, SOA)).expect("a zone has a SOA");
        let at = soa.data[0].len() - 20;
        soa.data[0][at..at + 4].copy_from_slice(&serial.to_be_bytes());
        Ok(Some(after))
    }

    pub(crate) fn serial(&self) -> u32 {
        serial(&self.set(&self.apex, SOA).expect("a zone has a SOA").data[0])
    }

    /// The content, order of records left out.
    pub(crate) fn sorted(&self) -> Sorted {
        let sorted = |set: &Set| (set.ttl, set.data.iter().cloned().collect());
        self.sets.iter().map(|(key, set)| (key.clone(), sorted(set))).collect()
    }

    /// RFC 2136 §3.2.5.
    fn prerequisites(&self, wanted: &[Prerequisite]) -> Result<(), u16> {
        for prerequisite in wanted {
            let (name, holds, code) = match prerequisite {
                Prerequisite::InUse(name) => (name, !self.types(name).is_empty(), NXDOMAIN),
                Prerequisite::NotInUse(name) => (name, self.types(name).is_empty(), YXDOMAIN),
                Prerequisite::Exists(n, rtype) => (n, self.set(n, *rtype).is_some(), NXRRSET),
                Prerequisite::Missing(n, rtype) => (n, self.set(n, *rtype).is_none(), YXRRSET),
                Prerequisite::Equals(name, ..) => (name, true, NOERROR),
            };
            if !name.starts_with(&self.apex) {
                return Err(NOTZONE);
            }
            if !holds {
                return Err(code);
            }
        }
        for prerequisite in wanted {
            if let Prerequisite::Equals(name, rtype, data) = prerequisite {
                let folded = |data: &[Vec<u8>]| -> BTreeSet<Vec<u8>> {
                    data.iter().map(|data| fold(*rtype, data)).collect()
                };
                let found = self.set(name, *rtype).map(|set| folded(&set.data));
                if found != Some(folded(data)) {
                    return Err(NXRRSET);
                }
            }
        }
        Ok(())
    }

    /// RFC 2136 §3.4.1.3.
    fn prescan(&self, edit: &Edit) -> Result<(), u16> {
        let (name, rtype) = match edit {
            Edit::Add(name, rtype, ..)
            | Edit::DeleteSet(name, rtype)
            | Edit::DeleteRecord(name, rtype, _)
            | Edit::Replace(name, rtype, ..) => (name, *rtype),
            Edit::DeleteName(name) => (name, A),
        };
        if !name.starts_with(&self.apex) {
            return Err(NOTZONE);
        }
        let is_meta = matches!(rtype, 0 | 41 | 128..=255 | 65535);
        let no_record = matches!(edit, Edit::Replace(_, _, _, data) if data.is_empty());
        if is_meta || no_record { Err(FORMERR) } else { Ok(()) }
    }

    /// RFC 2136 §3.4.2.7.
    fn edit(&mut self, edit: &Edit) -> Result<(), u16> {
        match edit {
            Edit::Add(name, rtype, ttl, data) => {
                if !self.conflicts(name, *rtype) && !self.is_stale_soa(*rtype, data) {
                    self.add(name, *rtype, *ttl, data);
                }
            }
            Edit::Replace(name, rtype, ttl, data) => {
                if self.conflicts(name, *rtype) || single(*rtype) && data.len() > 1 {
                    return Err(FORMERR);
                }
                if !self.is_stale_soa(*rtype, &data[0]) {
                    self.sets.remove(&(name.clone(), *rtype));
                    data.iter().for_each(|data| self.add(name, *rtype, *ttl, data));
                }
            }
            Edit::DeleteSet(name, rtype) => self.delete_set(name, *rtype),
            Edit::DeleteName(name) => {
                self.types(name).into_iter().for_each(|rtype| self.delete_set(name, rtype));
            }
            Edit::DeleteRecord(name, rtype, data) => self.delete_record(name, *rtype, data),
        }
        Ok(())
    }

    fn add(&mut self, name: &Labels, rtype: u16, ttl: u32, data: &[u8]) {
        let empty = Set { ttl, data: Vec::new() };
        let set = self.sets.entry((name.clone(), rtype)).or_insert(empty);
        // RFC 2181 §5.2: one TTL.
        set.ttl = ttl;
        match set.data.iter_mut().find(|known| fold(rtype, known) == fold(rtype, data)) {
            Some(known) => *known = data.to_vec(),
            None if single(rtype) => set.data = vec![data.to_vec()],
            None => set.data.push(data.to_vec()),
        }
    }

    fn delete_set(&mut self, name: &Labels, rtype: u16) {
        if !(*name == self.apex && (rtype == SOA || rtype == NS)) {
            self.sets.remove(&(name.clone(), rtype));
        }
    }

    fn delete_record(&mut self, name: &Labels, rtype: u16, data: &[u8]) {
        let is_last_ns = *name == self.apex && rtype == NS;
        let key = (name.clone(), rtype);
        let Some(set) = self.sets.get_mut(&key) else { return };
        if rtype == SOA || is_last_ns && set.data.len() == 1 {
            return;
        }
        set.data.retain(|known| fold(rtype, known) != fold(rtype, data));
        if set.data.is_empty() {
            self.sets.remove(&key);
        }
    }

    /// RFC 2136 §3.4.2.2: CNAME and other data, SOA away from the apex.
    fn conflicts(&self, name: &Labels, rtype: u16) -> bool {
        let beside = |rtype: u16| [KEY, RRSIG, NSEC].contains(&rtype);
        match rtype {
            SOA => *name != self.apex,
            CNAME => self.types(name).iter().any(|&there| there != CNAME && !beside(there)),
            other => !beside(other) && self.set(name, CNAME).is_some(),
        }
    }

    fn is_stale_soa(&self, rtype: u16, data: &[u8]) -> bool {
        rtype == SOA && !is_newer(serial(data), self.serial())
    }
}

/// RFC 1982 §3.2.
fn is_newer(new: u32, old: u32) -> bool {
    new != old && new.wrapping_sub(old) < 1 << 31
}

fn serial(soa: &[u8]) -> u32 {
    let numbers = soa.last_chunk::<20>().expect("a SOA ends in five numbers");
    u32::from_be_bytes([numbers[0], numbers[1], numbers[2], numbers[3]])
}

fn single(rtype: u16) -> bool {
    [CNAME, SOA, DNAME].contains(&rtype)
}

/// The name that an RRset leads to.
fn target(rtype: u16, data: &[u8]) -> Option<Labels> {
    match rtype {
        NS => Some(labels(data)),
        MX => Some(labels(&data[2..])),
        SRV => Some(labels(&data[6..])),
        _ => None,
    }
}

/// Data with its names in lower case, for the types that the tests use.
pub(crate) fn fold(rtype: u16, data: &[u8]) -> Vec<u8> {
    let names = match rtype {
        NS | CNAME | DNAME | PTR => 0..data.len(),
        MX => 2..data.len(),
        SRV => 6..data.len(),
        SOA => 0..data.len() - 20,
        _ => 0..0,
    };
    let mut folded = data.to_vec();
    folded[names].make_ascii_lowercase();
    folded
}

/// A name in wire form as labels, root first, in lower case.
pub(crate) fn labels(wire: &[u8]) -> Labels {
    let mut labels = Vec::new();
    let mut rest = wire;
    while let [len @ 1..=63, after @ ..] = rest {
        let (label, after) = after.split_at(usize::from(*len));
        labels.insert(0, label.to_ascii_lowercase());
        rest = after;
    }
    labels
}

/// The reverse of `labels`.
pub(crate) fn wire(labels: &[Vec<u8>]) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in labels.iter().rev() {
        wire.push(label.len() as u8);
        wire.extend_from_slice(label);
    }
    wire.push(0);
    wire
}
