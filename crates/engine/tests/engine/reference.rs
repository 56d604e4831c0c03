//! What the engine should do, said as simply as possible: one request after another, over ordered
//! maps of plain text and octets. It calls nothing of `zone`, `account` or `engine`.

use std::collections::{BTreeMap, BTreeSet};

/// One record set: TTL and the data of its records.
pub(crate) type Set = (u32, BTreeSet<Vec<u8>>);
/// Record sets by owner and type. The serial in the SOA is kept apart.
pub(crate) type Records = BTreeMap<(String, u16), Set>;

pub(crate) const A: u16 = 1;
pub(crate) const NS: u16 = 2;
pub(crate) const CNAME: u16 = 5;
pub(crate) const SOA: u16 = 6;
pub(crate) const AAAA: u16 = 28;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Who {
    Operator,
    Token(u64),
    Key,
}

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    InUse(String),
    NotInUse(String),
    Exists(String, u16),
    Missing(String, u16),
    Equals(String, u16, BTreeSet<Vec<u8>>),
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Add(String, u16, u32, Vec<u8>),
    DeleteSet(String, u16),
    DeleteName(String),
    DeleteOne(String, u16, Vec<u8>),
    Replace(String, u16, Set),
    /// A SOA with this serial and these other octets.
    NewSoa(u32, Vec<u8>),
}

#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Change(Who, String, Vec<Condition>, Vec<Step>),
    /// A change that holds only under a SOA with this serial and these other octets.
    IfSerial(String, u32, Vec<u8>, Vec<Step>),
    AddZone(String, Records),
    RemoveZone(String),
    Stage(Option<u64>, String, Records),
    Import(u64, String, u32),
    DropImport(u64),
    AddHost(String, u64),
    Rotate(String),
    RemoveHost(String),
    AddToken(Vec<String>),
    Revoke(u64),
    Lock(u64, bool),
    AddKey(String, Policy),
    RemoveKey,
    Seen,
    Jump(u32),
}

/// What should come of a wish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expect {
    /// An event is written.
    Done,
    /// Nothing is to be written.
    Unchanged,
    /// Refused, with the kind of reason.
    No(&'static str),
    /// Either of the first two: it depends on when hosts were seen.
    Any,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Zone {
    pub(crate) records: Records,
    pub(crate) serial: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) account: u64,
    pub(crate) hosts: BTreeSet<String>,
    /// Revoked, by itself or by a lockdown.
    pub(crate) dead: bool,
    /// Revoked by itself.
    pub(crate) marked: bool,
}

/// The whole state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    pub(crate) pos: u64,
    pub(crate) zones: BTreeMap<String, Zone>,
    /// Host to zone and account.
    pub(crate) hosts: BTreeMap<String, (String, u64)>,
    /// The same of names that were given up, which no other account gets.
    pub(crate) released: BTreeMap<String, (String, u64)>,
    pub(crate) tokens: BTreeMap<u64, Token>,
    pub(crate) frozen: BTreeSet<u64>,
    /// Zones of the one key, and what it may do there.
    pub(crate) key: Option<(BTreeSet<String>, Policy)>,
    pub(crate) staged: BTreeMap<u64, (String, Records)>,
    /// Serials that a SOA or an operation asks for, until they are seen.
    pub(crate) asked_serial: BTreeMap<String, u32>,
}

/// What the key may do in its zones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Policy {
    Everything,
    /// Only addresses, and not at the apex.
    AddressesBelow,
    /// Only add.
    Add,
    /// Only delete, at the apex and at one name.
    DeleteAt(&'static str),
}

type Answer = Result<bool, &'static str>;

impl Reference {
    /// Judges a wish and, when it is done, carries it out.
    pub(crate) fn judge(&mut self, wish: &Wish) -> Expect {
        let answer = match wish {
            Wish::Seen => return Expect::Any,
            Wish::Change(who, zone, conditions, steps) => self.change(who, zone, conditions, steps),
            Wish::IfSerial(zone, serial, soa, steps) => {
                let holds = |found: &Zone| {
                    let set = found.records.get(&(zone.clone(), SOA));
                    found.serial == *serial && set.is_some_and(|(_, set)| set.contains(soa))
                };
                match self.zones.get(zone) {
                    None => Err("NoSuchZone"),
                    Some(found) if !holds(found) => Err("RrsetMissing"),
                    Some(_) => self.change(&Who::Operator, zone, &[], steps),
                }
            }
            other => self.operation(other),
        };
        match answer {
            Ok(true) => {
                self.pos += 1;
                Expect::Done
            }
            Ok(false) => Expect::Unchanged,
            Err(why) => Expect::No(why),
        }
    }

    fn change(&mut self, who: &Who, zone: &str, needs: &[Condition], steps: &[Step]) -> Answer {
        let found = self.zones.get(zone).ok_or("NoSuchZone")?;
        self.may(who, zone, needs, steps)?;
        let (with_values, plain): (Vec<_>, Vec<_>) =
            needs.iter().partition(|need| matches!(need, Condition::Equals(..)));
        for need in plain.into_iter().chain(with_values) {
            need.holds(&found.records)?;
        }
        // RFC 2136 §3.4.1 comes after §3.2.
        if steps.iter().any(|step| !step.owner(zone).ends_with(zone)) {
            return Err("OutsideZone");
        }
        let mut after = found.clone();
        for step in steps {
            step.apply(zone, &mut after)?;
        }
        let changed = after != *found;
        let takes_away = |(key, (_, set)): (&(String, u16), &Set)| {
            after.records.get(key).is_none_or(|(_, left)| !set.is_subset(left))
        };
        if *who == Who::Key && self.key.as_ref().is_some_and(|(_, may)| *may == Policy::Add) {
            let soa_goes = after.serial != found.serial;
            if soa_goes || found.records.iter().any(takes_away) {
                return Err("denied");
            }
        }
        if after.serial != found.serial {
            self.asked_serial.insert(zone.to_owned(), after.serial);
        }
        self.zones.insert(zone.to_owned(), after);
        Ok(changed)
    }

    fn may(
        &self,
        who: &Who,
        zone: &str,
        needs: &[Condition],
        steps: &[Step],
    ) -> Result<(), &'static str> {
        let owners = || steps.iter().map(|step| step.owner(zone));
        let ok = match who {
            Who::Operator => true,
            // The zones' account is 0.
            Who::Key => {
                let held = |owner: &str| {
                    self.hosts.get(owner).is_some_and(|(_, account)| self.frozen.contains(account))
                };
                let records = self.zones.get(zone).map(|zone| &zone.records);
                self.key.as_ref().is_some_and(|(zones, policy)| {
                    zones.contains(zone)
                        && needs.iter().all(|need| policy.covers(zone, need.name()))
                        && steps.iter().all(|step| policy.allows(zone, step, records))
                }) && !self.frozen.contains(&0)
                    && !owners().any(held)
            }
            Who::Token(id) => {
                let token = self.tokens.get(id).filter(|token| {
                    needs.is_empty() && !token.dead && !self.frozen.contains(&token.account)
                });
                let covered = |owner: &str| {
                    token.is_some_and(|token| token.hosts.contains(owner))
                        && self.hosts.get(owner).is_some_and(|(of, _)| of == zone)
                };
                let addresses = steps.iter().all(|step| step.is_address());
                token.is_some() && addresses && owners().all(covered)
            }
        };
        if ok { Ok(()) } else { Err("denied") }
    }

    fn operation(&mut self, wish: &Wish) -> Answer {
        let id = self.pos + 1;
        match wish {
            Wish::AddZone(zone, records) => self.add_zone(zone, records)?,
            Wish::RemoveZone(zone) => self.remove_zone(zone)?,
            Wish::Stage(import, zone, records) => {
                self.stage(import.unwrap_or(id), zone, records)?;
            }
            Wish::Import(import, zone, serial) => self.import(*import, zone, *serial)?,
            Wish::DropImport(import) => drop(self.staged.remove(import).ok_or("missing")?),
            Wish::AddHost(host, account) => self.add_host(id, host, *account)?,
            Wish::Rotate(host) => self.rotate(id, host)?,
            Wish::RemoveHost(host) => {
                let (zone, account) = self.hosts.remove(host).ok_or("missing")?;
                self.released.insert(host.clone(), (zone.clone(), account));
                let records = &mut self.zones.get_mut(&zone).ok_or("missing")?.records;
                records.retain(|(owner, rtype), _| owner != host || ![A, AAAA].contains(rtype));
                self.uncover(host);
            }
            Wish::AddToken(hosts) => self.add_token(id, hosts)?,
            Wish::Revoke(token) => {
                let token = self.tokens.get_mut(token).ok_or("missing")?;
                if token.marked {
                    return Ok(false);
                }
                // A lockdown revokes without a mark on the token, so the mark can still be made.
                (token.dead, token.marked) = (true, true);
            }
            Wish::Lock(account, true) => {
                if !self.frozen.insert(*account) {
                    return Ok(false);
                }
                let theirs = self.tokens.values_mut().filter(|token| token.account == *account);
                theirs.for_each(|token| token.dead = true);
            }
            Wish::Lock(account, false) => return Ok(self.frozen.remove(account)),
            Wish::AddKey(zone, policy) => {
                if self.key.is_some() {
                    return Err("exists");
                }
                self.zones.get(zone).ok_or("missing")?;
                self.key = Some((BTreeSet::from([zone.clone()]), *policy));
            }
            Wish::RemoveKey => drop(self.key.take().ok_or("missing")?),
            Wish::Jump(by) => {
                for (name, zone) in &mut self.zones {
                    zone.serial = match zone.serial.wrapping_add(*by) {
                        0 => 1,
                        serial => serial,
                    };
                    self.asked_serial.insert(name.clone(), zone.serial);
                }
                return Ok(!self.zones.is_empty());
            }
            Wish::Change(..) | Wish::IfSerial(..) | Wish::Seen => {}
        }
        Ok(true)
    }

    fn add_zone(&mut self, zone: &str, records: &Records) -> Result<(), &'static str> {
        if self.zones.contains_key(zone) {
            return Err("exists");
        }
        self.check_new_zone(zone)?;
        self.zones.insert(zone.to_owned(), Zone { records: records.clone(), serial: 100 });
        self.asked_serial.insert(zone.to_owned(), 100);
        Ok(())
    }

    fn remove_zone(&mut self, zone: &str) -> Result<(), &'static str> {
        self.zones.remove(zone).ok_or("missing")?;
        self.hosts.retain(|_, (of, _)| of != zone);
        self.released.retain(|_, (of, _)| of != zone);
        let left = self.key.as_mut().is_none_or(|(zones, _)| {
            zones.remove(zone);
            !zones.is_empty()
        });
        if !left {
            self.key = None;
        }
        Ok(())
    }

    fn stage(&mut self, import: u64, zone: &str, records: &Records) -> Result<(), &'static str> {
        let is_new = import == self.pos + 1;
        if !is_new && !self.staged.contains_key(&import) {
            return Err("missing");
        }
        if is_new && self.staged.len() >= 16 {
            return Err("limit");
        }
        let new = (zone.to_owned(), Records::new());
        let (of, staged) = self.staged.entry(import).or_insert(new);
        if of != zone {
            return Err("invalid");
        }
        staged.extend(records.clone());
        Ok(())
    }

    fn check_new_zone(&self, zone: &str) -> Result<(), &'static str> {
        let below = format!(".{zone}");
        let inside = |name: &str| name == zone || name.ends_with(&below);
        let stranded = self.hosts.iter().any(|(host, (of, _))| inside(host) && !inside(of));
        if stranded { Err("invalid") } else { Ok(()) }
    }

    fn import(&mut self, import: u64, zone: &str, serial: u32) -> Result<(), &'static str> {
        let (of, records) = self.staged.get(&import).ok_or("missing")?;
        let has = |rtype| records.contains_key(&(zone.to_owned(), rtype));
        if of != zone || !has(SOA) || !has(NS) {
            return Err("invalid");
        }
        let serial = match self.zones.get(zone) {
            Some(served) if !newer(serial, served.serial) => served.serial.wrapping_add(1).max(1),
            Some(_) => serial,
            None => {
                self.check_new_zone(zone)?;
                serial
            }
        };
        let (_, records) = self.staged.remove(&import).ok_or("missing")?;
        self.zones.insert(zone.to_owned(), Zone { records, serial });
        self.asked_serial.insert(zone.to_owned(), serial);
        Ok(())
    }

    /// Zones belong to account 0 and are suffixes; the names of hosts here have no others above or
    /// below, and nothing is delegated.
    fn add_host(&mut self, id: u64, host: &str, account: u64) -> Result<(), &'static str> {
        let is_above = |zone: &&String| host.ends_with(&format!(".{zone}"));
        let zone = self.zones.keys().filter(is_above).max_by_key(|zone| zone.len());
        let zone = zone.ok_or("missing")?.clone();
        if self.hosts.contains_key(host) {
            return Err("exists");
        }
        let records = self.zones.get(&zone).map(|zone| &zone.records).ok_or("missing")?;
        if records.contains_key(&(host.to_owned(), CNAME)) {
            return Err("invalid");
        }
        if self.released.get(host).is_some_and(|(_, of)| *of != account) {
            return Err("invalid");
        }
        if account != 0 && records.keys().any(|(owner, _)| owner == host) {
            return Err("exists");
        }
        if self.frozen.contains(&account) {
            return Err("denied");
        }
        self.uncover(host);
        self.released.remove(host);
        self.hosts.insert(host.to_owned(), (zone, account));
        self.make_token(id, account, [host.to_owned()]);
        Ok(())
    }

    fn rotate(&mut self, id: u64, host: &str) -> Result<(), &'static str> {
        let (_, account) = self.hosts.get(host).cloned().ok_or("missing")?;
        if self.frozen.contains(&account) {
            return Err("denied");
        }
        self.forget_dead(&[host.to_owned()]);
        for token in self.tokens.values_mut() {
            let sole = token.hosts.len() == 1 && token.hosts.contains(host);
            (token.dead, token.marked) = (token.dead || sole, token.marked || sole);
        }
        self.make_token(id, account, [host.to_owned()]);
        Ok(())
    }

    fn add_token(&mut self, id: u64, hosts: &[String]) -> Result<(), &'static str> {
        let mut accounts = BTreeSet::new();
        for host in hosts {
            accounts.insert(self.hosts.get(host).ok_or("missing")?.1);
            if accounts.len() > 1 {
                return Err("invalid");
            }
        }
        let account = accounts.first().copied().ok_or("missing")?;
        if self.frozen.contains(&account) {
            return Err("denied");
        }
        self.forget_dead(hosts);
        self.make_token(id, account, hosts.to_vec());
        Ok(())
    }

    fn make_token(&mut self, id: u64, account: u64, hosts: impl IntoIterator<Item = String>) {
        let hosts = hosts.into_iter().collect();
        self.tokens.insert(id, Token { account, hosts, dead: false, marked: false });
    }

    fn forget_dead(&mut self, hosts: &[String]) {
        self.tokens
            .retain(|_, token| !token.dead || !hosts.iter().any(|h| token.hosts.contains(h)));
    }

    fn uncover(&mut self, host: &str) {
        self.tokens.retain(|_, token| !token.hosts.remove(host) || !token.hosts.is_empty());
    }
}

impl Policy {
    fn covers(self, zone: &str, name: &str) -> bool {
        match self {
            Policy::Everything | Policy::Add => true,
            Policy::AddressesBelow => name != zone && name.ends_with(&format!(".{zone}")),
            Policy::DeleteAt(label) => name == zone || name == format!("{label}.{zone}"),
        }
    }

    fn allows(self, zone: &str, step: &Step, records: Option<&Records>) -> bool {
        let owner = step.owner(zone);
        let adds = matches!(step, Step::Add(..) | Step::Replace(..) | Step::NewSoa(..));
        let deletes = !matches!(step, Step::Add(..));
        let mut there =
            records.into_iter().flat_map(Records::keys).filter(|(name, _)| name == owner);
        let is_allowed = match self {
            Policy::Everything => true,
            Policy::Add => !deletes,
            Policy::DeleteAt(_) => !adds,
            // The apex, where some would stay, is not covered.
            Policy::AddressesBelow => match step {
                Step::DeleteName(_) => there.all(|(_, rtype)| [A, AAAA].contains(rtype)),
                step => step.is_address(),
            },
        };
        self.covers(zone, owner) && is_allowed
    }
}

impl Condition {
    fn name(&self) -> &str {
        match self {
            Condition::InUse(name)
            | Condition::NotInUse(name)
            | Condition::Exists(name, _)
            | Condition::Missing(name, _)
            | Condition::Equals(name, ..) => name,
        }
    }

    fn holds(&self, records: &Records) -> Result<(), &'static str> {
        let in_use = |name: &String| records.keys().any(|(owner, _)| owner == name);
        let set = |name: &String, rtype: &u16| records.get(&(name.clone(), *rtype));
        let (holds, why) = match self {
            Condition::InUse(name) => (in_use(name), "NameMissing"),
            Condition::NotInUse(name) => (!in_use(name), "NameExists"),
            Condition::Exists(name, rtype) => (set(name, rtype).is_some(), "RrsetMissing"),
            Condition::Missing(name, rtype) => (set(name, rtype).is_none(), "RrsetExists"),
            Condition::Equals(name, rtype, data) => {
                (set(name, rtype).is_some_and(|(_, found)| found == data), "RrsetMissing")
            }
        };
        if holds { Ok(()) } else { Err(why) }
    }
}

impl Step {
    fn owner<'s>(&'s self, zone: &'s str) -> &'s str {
        match self {
            Step::Add(owner, ..)
            | Step::DeleteSet(owner, _)
            | Step::DeleteName(owner)
            | Step::DeleteOne(owner, ..)
            | Step::Replace(owner, ..) => owner,
            Step::NewSoa(..) => zone,
        }
    }

    fn is_address(&self) -> bool {
        match self {
            Step::Add(_, rtype, ..)
            | Step::DeleteSet(_, rtype)
            | Step::DeleteOne(_, rtype, _)
            | Step::Replace(_, rtype, _) => [A, AAAA].contains(rtype),
            Step::DeleteName(_) | Step::NewSoa(..) => false,
        }
    }

    /// RFC 2136 §3.4.2, for the few types that occur here.
    fn apply(&self, apex: &str, zone: &mut Zone) -> Result<(), &'static str> {
        let records = &mut zone.records;
        let fixed = |owner: &str, rtype: u16| owner == apex && [SOA, NS].contains(&rtype);
        match self {
            Step::NewSoa(serial, octets) if newer(*serial, zone.serial) => {
                zone.serial = *serial;
                records.insert((apex.to_owned(), SOA), (60, BTreeSet::from([octets.clone()])));
            }
            Step::NewSoa(..) => {}
            Step::DeleteSet(owner, rtype) if fixed(owner, *rtype) => {}
            Step::DeleteSet(owner, rtype) => drop(records.remove(&(owner.clone(), *rtype))),
            Step::DeleteName(owner) => {
                records.retain(|(name, rtype), _| name != owner || fixed(owner, *rtype));
            }
            Step::DeleteOne(owner, rtype, data) => {
                let key = (owner.clone(), *rtype);
                let Some((_, set)) = records.get_mut(&key) else { return Ok(()) };
                if !(fixed(owner, *rtype) && set.len() == 1) {
                    set.remove(data);
                }
                if set.is_empty() {
                    records.remove(&key);
                }
            }
            Step::Add(owner, rtype, ttl, data) => {
                if clashes(records, owner, *rtype) {
                    return Ok(());
                }
                let (known, set) = records.entry((owner.clone(), *rtype)).or_default();
                if *rtype == CNAME {
                    set.clear();
                }
                set.insert(data.clone());
                *known = *ttl;
            }
            Step::Replace(owner, rtype, _) if clashes(records, owner, *rtype) => {
                return Err("malformed");
            }
            Step::Replace(owner, rtype, set) => {
                records.insert((owner.clone(), *rtype), set.clone());
            }
        }
        Ok(())
    }
}

fn clashes(records: &Records, owner: &str, rtype: u16) -> bool {
    let there = records.keys().filter(|(name, _)| name == owner);
    there.into_iter().any(|(_, other)| (*other == CNAME) != (rtype == CNAME))
}

/// RFC 1982 §3.2.
pub(crate) fn newer(new: u32, old: u32) -> bool {
    new != old && new.wrapping_sub(old) < 1 << 31
}
