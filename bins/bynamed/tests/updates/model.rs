//! The reference: a zone and RFC 2136, §3, as one reads it there, over plain maps. Nothing of the
//! service is used here, and nothing of it may be.

use std::collections::{BTreeMap, BTreeSet};

/// The owner (absolute, in lower case) and type of an RRset.
pub(crate) type Place = (String, u16);
/// RRsets: TTL and data.
pub(crate) type Sets = BTreeMap<Place, (u32, BTreeSet<Vec<u8>>)>;

/// A record of a message.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) owner: String,
    pub(crate) rtype: u16,
    pub(crate) class: u16,
    pub(crate) ttl_s: u32,
    pub(crate) data: Vec<u8>,
}

/// An UPDATE message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Name, type and class of the zone section.
    pub(crate) zone: (String, u16, u16),
    pub(crate) prerequisites: Vec<Record>,
    pub(crate) updates: Vec<Record>,
}

/// What a key may do; empty lists: everything.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) names: Vec<Names>,
    pub(crate) types: Vec<u16>,
    pub(crate) add: bool,
    pub(crate) delete: bool,
}

/// Names that a key may change.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    /// This one.
    At(&'static str),
    /// Those below this one.
    Below(&'static str),
    /// This one and those below it.
    Under(&'static str),
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) apex: String,
    pub(crate) sets: Sets,
}

impl Zone {
    pub(crate) fn serial(&self) -> u32 {
        let soa = self.sets.get(&(self.apex.clone(), SOA));
        soa.and_then(|(_, data)| data.first()).map_or(0, |data| serial_of(data))
    }

    /// What the response to a message says; the zone is as it is after it.
    pub(crate) fn update(&mut self, policy: &Policy, message: &Message) -> u8 {
        // §3.1.
        let (zone, rtype, class) = &message.zone;
        match (*rtype, *class) {
            (SOA, IN) if zone.eq_ignore_ascii_case(&self.apex) => {}
            (SOA, _) => return NOTAUTH,
            _ => return FORMERR,
        }
        // §3.3, before §3.2: see decision 0014.
        if self.is_denied(policy, message) {
            return REFUSED;
        }
        let prescan = |record: &Record| self.flaw_of_update(record);
        let said = self.prerequisites(&message.prerequisites);
        let said = said.or_else(|| message.updates.iter().find_map(prescan));
        if let Some(rcode) = said {
            return rcode;
        }
        let mut after = self.clone();
        message.updates.iter().for_each(|record| after.apply(record));
        if after == *self {
            return NOERROR;
        }
        if !policy.delete && after.lacks_something_of(self) {
            return REFUSED;
        }
        if !newer(after.serial(), self.serial()) {
            after.set_serial(self.serial().wrapping_add(1));
        }
        *self = after;
        NOERROR
    }

    /// What can be read of a message, up to the first record that is malformed, has to be allowed.
    fn is_denied(&self, policy: &Policy, message: &Message) -> bool {
        let read = |flaw: &dyn Fn(&Record) -> Option<u8>, records: &[Record]| {
            records.iter().position(|record| flaw(record).is_some()).unwrap_or(records.len())
        };
        let count = read(&|record| self.flaw_of_prerequisite(record), &message.prerequisites);
        let mut asked = message.prerequisites.iter().take(count);
        if asked.any(|record| !policy.covers(&record.owner)) {
            return true;
        }
        if count < message.prerequisites.len() {
            return false;
        }
        let count = read(&|record| self.flaw_of_update(record), &message.updates);
        message.updates.iter().take(count).any(|record| {
            let may = if record.class == IN { policy.add } else { policy.delete };
            let owner = record.owner.to_ascii_lowercase();
            let mut types: Vec<u16> = vec![record.rtype];
            if record.rtype == ANY {
                types = self.types(&owner);
                types.retain(|rtype| owner != self.apex || ![SOA, NS].contains(rtype));
            }
            let wrong = |rtype: &u16| !policy.types.is_empty() && !policy.types.contains(rtype);
            !may || !policy.covers(&record.owner) || types.iter().any(wrong)
        })
    }

    /// §3.2.
    fn prerequisites(&self, records: &[Record]) -> Option<u8> {
        let mut wanted: Vec<(Place, BTreeSet<Vec<u8>>)> = Vec::new();
        for record in records {
            if let Some(flaw) = self.flaw_of_prerequisite(record) {
                return Some(flaw);
            }
            let key = (record.owner.to_ascii_lowercase(), record.rtype);
            let is_used = !self.types(&key.0).is_empty();
            let is_there = self.sets.contains_key(&key);
            match (record.class, record.rtype) {
                (CLASS_ANY, ANY) if !is_used => return Some(NXDOMAIN),
                (CLASS_NONE, ANY) if is_used => return Some(YXDOMAIN),
                (CLASS_ANY, rtype) if rtype != ANY && !is_there => return Some(NXRRSET),
                (CLASS_NONE, rtype) if rtype != ANY && is_there => return Some(YXRRSET),
                (IN, _) => match wanted.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, data)) => {
                        data.insert(record.data.clone());
                    }
                    None => wanted.push((key, BTreeSet::from([record.data.clone()]))),
                },
                _ => {}
            }
        }
        let differs = |(key, data): &(Place, BTreeSet<Vec<u8>>)| {
            self.sets.get(key).is_none_or(|(_, there)| there != data)
        };
        wanted.iter().any(differs).then_some(NXRRSET)
    }

    fn flaw_of_prerequisite(&self, record: &Record) -> Option<u8> {
        let is_empty = record.data.is_empty();
        match record.class {
            _ if record.ttl_s != 0 => Some(FORMERR),
            _ if !is_under(&record.owner, &self.apex) => Some(NOTZONE),
            CLASS_ANY | CLASS_NONE => (!is_empty).then_some(FORMERR),
            IN => (!is_valid(record)).then_some(FORMERR),
            _ => Some(FORMERR),
        }
    }

    /// §3.4.1.
    fn flaw_of_update(&self, record: &Record) -> Option<u8> {
        let Record { owner, rtype, class, ttl_s, data } = record;
        let is_meta = (128..=255).contains(rtype) || *rtype == OPT;
        let is_good = match *class {
            _ if !is_under(owner, &self.apex) => return Some(NOTZONE),
            IN => !is_meta && is_valid(record) && *ttl_s < 1 << 31,
            CLASS_ANY => *ttl_s == 0 && data.is_empty() && (!is_meta || *rtype == ANY),
            CLASS_NONE => *ttl_s == 0 && !is_meta && is_valid(record),
            _ => false,
        };
        (!is_good).then_some(FORMERR)
    }

    /// §3.4.2.
    fn apply(&mut self, record: &Record) {
        let Record { rtype, ttl_s, data, .. } = record;
        let owner = record.owner.to_ascii_lowercase();
        let key = (owner.clone(), *rtype);
        let at_apex = owner == self.apex;
        match record.class {
            IN => self.add(key, *ttl_s, data),
            CLASS_ANY => {
                let stays = |of: u16| at_apex && [SOA, NS].contains(&of);
                let goes = |of: u16| (of == *rtype || *rtype == ANY) && !stays(of);
                self.sets.retain(|(name, of), _| *name != owner || !goes(*of));
            }
            _ => {
                let Some((_, there)) = self.sets.get_mut(&key) else { return };
                if *rtype == SOA || at_apex && *rtype == NS && there.len() == 1 {
                    return;
                }
                there.remove(data);
                if there.is_empty() {
                    self.sets.remove(&key);
                }
            }
        }
    }

    fn add(&mut self, key: Place, ttl_s: u32, data: &[u8]) {
        let (owner, rtype) = (&key.0, key.1);
        // RFC 4035 §2.5: what may stand beside CNAME.
        let is_beside = |of: u16| [RRSIG, NSEC, KEY].contains(&of);
        let types = self.types(owner);
        let is_passed_over = match rtype {
            SOA => *owner != self.apex || !newer(serial_of(data), self.serial()),
            CNAME => types.iter().any(|of| *of != CNAME && !is_beside(*of)),
            _ => types.contains(&CNAME) && !is_beside(rtype),
        };
        if is_passed_over {
            return;
        }
        let set = self.sets.entry(key).or_default();
        if [SOA, CNAME, DNAME].contains(&rtype) {
            set.1.clear();
        }
        set.0 = ttl_s;
        set.1.insert(data.to_vec());
    }

    fn types(&self, owner: &str) -> Vec<u16> {
        let owner = owner.to_ascii_lowercase();
        let own = self.sets.keys().filter(|(name, _)| *name == owner);
        own.map(|(_, rtype)| *rtype).collect()
    }

    fn lacks_something_of(&self, before: &Zone) -> bool {
        before.sets.iter().any(|(key, (_, data))| match self.sets.get(key) {
            Some((_, there)) => !data.is_subset(there),
            None => true,
        })
    }

    fn set_serial(&mut self, serial: u32) {
        let Some((_, data)) = self.sets.get_mut(&(self.apex.clone(), SOA)) else { return };
        let Some(mut soa) = data.pop_first() else { return };
        let at = soa.len() - 20;
        soa.splice(at..at + 4, serial.to_be_bytes());
        data.insert(soa);
    }
}

impl Policy {
    fn covers(&self, name: &str) -> bool {
        let one = |names: &Names| match names {
            Names::At(at) => name.eq_ignore_ascii_case(at),
            Names::Under(top) => is_under(name, top),
            Names::Below(top) => is_under(name, top) && !name.eq_ignore_ascii_case(top),
        };
        self.names.is_empty() || self.names.iter().any(one)
    }
}

/// Whether a name is this one or below it.
fn is_under(name: &str, top: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == top || name.ends_with(&format!(".{top}"))
}

/// Of the data that are sent here only addresses can be malformed.
fn is_valid(record: &Record) -> bool {
    match record.rtype {
        A => record.data.len() == 4,
        AAAA => record.data.len() == 16,
        _ => true,
    }
}

/// RFC 1982 §3.2.
fn newer(new: u32, old: u32) -> bool {
    new != old && new.wrapping_sub(old) < 1 << 31
}

fn serial_of(soa: &[u8]) -> u32 {
    let fields = soa.len().checked_sub(20).and_then(|at| soa.get(at..)?.first_chunk());
    fields.map_or(0, |serial| u32::from_be_bytes(*serial))
}

pub(crate) const A: u16 = 1;
pub(crate) const NS: u16 = 2;
pub(crate) const CNAME: u16 = 5;
pub(crate) const SOA: u16 = 6;
pub(crate) const MX: u16 = 15;
pub(crate) const TXT: u16 = 16;
pub(crate) const KEY: u16 = 25;
pub(crate) const AAAA: u16 = 28;
pub(crate) const DNAME: u16 = 39;
const OPT: u16 = 41;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
pub(crate) const AXFR: u16 = 252;
pub(crate) const ANY: u16 = 255;
pub(crate) const IN: u16 = 1;
pub(crate) const CLASS_NONE: u16 = 254;
pub(crate) const CLASS_ANY: u16 = 255;
pub(crate) const NOERROR: u8 = 0;
const FORMERR: u8 = 1;
const NXDOMAIN: u8 = 3;
pub(crate) const REFUSED: u8 = 5;
pub(crate) const YXDOMAIN: u8 = 6;
const YXRRSET: u8 = 7;
const NXRRSET: u8 = 8;
pub(crate) const NOTAUTH: u8 = 9;
const NOTZONE: u8 = 10;
/// All that can be said to an update whose sender can be told from others.
pub(crate) const RCODES: [u8; 9] =
    [NOERROR, FORMERR, NXDOMAIN, REFUSED, YXDOMAIN, YXRRSET, NXRRSET, NOTAUTH, NOTZONE];
