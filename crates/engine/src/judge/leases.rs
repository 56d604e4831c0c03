//! For how long the records of a change stay (RFC 9664), and taking away those whose time is over.

use std::collections::{HashMap, HashSet};

use account::{Actor, Scavenge, Timestamp};
use store::{Fact, RecordLease};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Delta, Edit, View, Zone};

use super::Judge;
use crate::engine::Judged;
use crate::request::{Lease, Refused};
use crate::weigh;

/// A record that a change adds or repeats.
struct Stated<'a> {
    owner: &'a Name,
    rtype: Rtype,
    rdata: Rdata,
    /// It was not there before.
    is_new: bool,
}

impl Judge<'_> {
    /// The leases that a change grants, renews or ends, as far as they have to be written.
    ///
    /// A record that stands without a lease stays so, whoever repeats it with one: somebody wanted it
    /// for ever. Who states a record again and asks for no lease ends the one that it has.
    pub(super) fn leases(
        &self,
        actor: &Actor,
        zone: &Zone,
        (change, lease): (&Change, Option<Lease>),
        deltas: &[Delta],
    ) -> Vec<RecordLease> {
        let scavenge = match actor {
            Actor::Key(_) if lease.is_none() => {
                let directory = self.live.directory();
                directory.zone(zone.apex()).and_then(|zone| zone.scavenge)
            }
            _ => None,
        };
        let has_leases = self.overlay.has_leases() || !self.live.leases().is_empty();
        if lease.is_none() && scavenge.is_none() && !has_leases {
            return Vec::new();
        }
        let stated = self.stated(zone, change, deltas);
        let written = stated.into_iter().filter_map(|stated| {
            let known = self.lease(zone.apex(), &stated).filter(|_| !stated.is_new);
            let granted = match (lease, scavenge) {
                (Some(lease), _) => self.granted(&stated, lease, known.as_ref()),
                (None, Some(scavenge)) => self.implied(&stated, scavenge, known.as_ref()),
                // It stays for ever from now on.
                (None, None) => known.as_ref().map(|_| (0, self.at)),
            };
            let (lease_s, until) = granted?;
            let Stated { owner, rtype, rdata, .. } = stated;
            let owner = owner.to_lowercase();
            Some(RecordLease { owner, rtype, rdata, from: self.at, lease_s, until })
        });
        written.collect()
    }

    /// Takes away records whose leases have ended and were not granted anew.
    pub(super) fn end_leases(
        &mut self,
        apex: &Name,
        leases: &[RecordLease],
    ) -> Result<Judged, Refused> {
        let zone = self.live.zones().get(apex).ok_or(zone::Refusal::NoSuchZone)?;
        let is_over = |lease: &&RecordLease| {
            let RecordLease { owner, rtype, rdata, .. } = (*lease).clone();
            let stated = Stated { owner: &owner, rtype, rdata, is_new: false };
            self.lease(apex, &stated).is_some_and(|known| known.until <= self.at)
        };
        let over: Vec<&RecordLease> = leases.iter().filter(is_over).collect();
        let delete = |lease: &&RecordLease| Edit::DeleteRecord {
            owner: lease.owner.clone(),
            rtype: lease.rtype,
            rdata: lease.rdata.clone(),
        };
        // What is too much for one change waits for the next round.
        let (mut count, mut deltas) = (over.len(), Vec::new());
        while count > 0 {
            let edits = over.iter().take(count).map(delete).collect();
            let change = Change::new(apex.clone(), edits);
            deltas = zone::judge(&self.overlay.over(&zone), &change)?;
            if weigh::deltas(&deltas) <= ENDED_WEIGHT_MAX || count == 1 {
                break;
            }
            count /= 2;
        }
        let mut after = Sides::of(&deltas);
        let view = self.overlay.over(&zone);
        // What is gone already, and what a zone cannot be without, has no lease any more.
        let stays = over.iter().take(count).filter(|lease| {
            let sides = after.get((&lease.owner, lease.rtype), &view);
            sides.after.contains(&lease.rdata) || !sides.before.contains(&lease.rdata)
        });
        let ended: Vec<RecordLease> =
            stays.map(|lease| RecordLease { lease_s: 0, ..(*lease).clone() }).collect();
        self.end_with_records(apex, &deltas);
        self.overlay.decide_leases(self.batch, apex, &ended);
        let mut facts = Vec::new();
        let mut serial = None;
        if !deltas.is_empty() {
            let next = self.serial(&zone, &deltas);
            self.overlay.decide(self.batch, apex, next, &deltas);
            facts = self.scopes(&zone, &deltas);
            let changed = Fact::Changed { zone: apex.clone(), serial: next, lease_s: None, deltas };
            facts.insert(0, changed);
            serial = Some(next);
        }
        facts.append(&mut leased(apex, ended));
        Ok(Judged { facts, serial, made: None })
    }

    /// Notes that the leases of records end that these deltas take away: what follows in the same batch
    /// must not see them.
    pub(super) fn end_with_records(&mut self, apex: &Name, deltas: &[Delta]) {
        if !self.overlay.has_leases() && self.live.leases().is_empty() {
            return;
        }
        let mut ended = Vec::new();
        for delta in deltas {
            let (before, after) = (canonical(delta, &delta.before), canonical(delta, &delta.after));
            for rdata in before.difference(&after) {
                let owner = &delta.owner;
                let gone =
                    Stated { owner, rtype: delta.rtype, rdata: rdata.clone(), is_new: false };
                let known = self.lease(apex, &gone);
                ended.extend(known.map(|known| RecordLease { lease_s: 0, ..known }));
            }
        }
        self.overlay.decide_leases(self.batch, apex, &ended);
    }

    /// The records that a change states and that are there after it.
    fn stated<'c>(&self, zone: &Zone, change: &'c Change, deltas: &[Delta]) -> Vec<Stated<'c>> {
        let view = self.overlay.over(zone);
        let mut sides = Sides::of(deltas);
        let mut stated = Vec::new();
        for edit in &change.edits {
            let (owner, rtype, rdata) = match edit {
                Edit::Add { owner, rtype, rdata, .. } => {
                    (owner, *rtype, std::slice::from_ref(rdata))
                }
                Edit::Replace { owner, rtype, rrset } => (owner, *rtype, &rrset.rdata[..]),
                Edit::DeleteRrset { .. } | Edit::DeleteName { .. } | Edit::DeleteRecord { .. } => {
                    continue;
                }
            };
            if rtype == Rtype::SOA {
                continue;
            }
            let sides = sides.get((owner, rtype), &view);
            let there = rdata.iter().map(|rdata| rdata.canonical(rtype));
            let there = there.filter(|rdata| sides.after.contains(rdata));
            stated.extend(there.map(|rdata| {
                let is_new = !sides.before.contains(&rdata);
                Stated { owner, rtype, rdata, is_new }
            }));
        }
        stated
    }

    /// The lease that a record has, decided or visible.
    fn lease(&self, zone: &Name, stated: &Stated<'_>) -> Option<RecordLease> {
        let Stated { owner, rtype, rdata, .. } = stated;
        let owner = owner.to_lowercase();
        match self.overlay.lease(zone, &owner, (*rtype, rdata)) {
            Some(decided) => (decided.lease_s > 0).then(|| decided.clone()),
            None => self.live.leases().get(zone, &owner, *rtype, rdata),
        }
    }

    /// What was asked for, and a little more before the record goes. A repetition is only written when
    /// the record would go before the time that is promised now.
    fn granted(
        &self,
        stated: &Stated<'_>,
        lease: Lease,
        known: Option<&RecordLease>,
    ) -> Option<(u32, Timestamp)> {
        let key_lease_s = lease.key_lease_s.filter(|_| stated.rtype == Rtype::KEY);
        let lease_s = key_lease_s.unwrap_or(lease.lease_s).max(1);
        let ms = i64::from(lease_s) * 1000;
        let promised = Timestamp(self.at.0.saturating_add(ms));
        let until = Timestamp(promised.0.saturating_add(ms / SLACK));
        match known {
            Some(known) if known.lease_s == lease_s && known.until >= promised => None,
            Some(_) => Some((lease_s, until)),
            None => stated.is_new.then_some((lease_s, until)),
        }
    }

    /// Scavenging: for some time repetitions are not written.
    fn implied(
        &self,
        stated: &Stated<'_>,
        scavenge: Scavenge,
        known: Option<&RecordLease>,
    ) -> Option<(u32, Timestamp)> {
        let lease_s = scavenge.no_refresh_s.saturating_add(scavenge.refresh_s).max(1);
        let until = Timestamp(self.at.0.saturating_add(i64::from(lease_s) * 1000));
        let quiet_ms = u64::from(scavenge.no_refresh_s) * 1000;
        match known {
            Some(known) if self.at.ms_since(known.from) < quiet_ms => None,
            Some(_) => Some((lease_s, until)),
            None => stated.is_new.then_some((lease_s, until)),
        }
    }
}

/// The records of the RRsets that a change touches, before and after it, in canonical form: each looked
/// up once, however many edits there are.
struct Sides<'d> {
    deltas: HashMap<(&'d Name, Rtype), &'d Delta>,
    known: HashMap<(Name, Rtype), Side>,
}

struct Side {
    before: HashSet<Rdata>,
    after: HashSet<Rdata>,
}

impl<'d> Sides<'d> {
    fn of(deltas: &'d [Delta]) -> Sides<'d> {
        let deltas = deltas.iter().map(|delta| ((&delta.owner, delta.rtype), delta)).collect();
        Sides { deltas, known: HashMap::new() }
    }

    fn get(&mut self, (owner, rtype): (&Name, Rtype), view: &dyn View) -> &Side {
        let Sides { deltas, known } = self;
        known.entry((owner.clone(), rtype)).or_insert_with(|| match deltas.get(&(owner, rtype)) {
            Some(delta) => Side {
                before: canonical(delta, &delta.before),
                after: canonical(delta, &delta.after),
            },
            None => {
                let there = view.rrset(owner, rtype).map(|rrset| rrset.rdata).unwrap_or_default();
                let there: HashSet<Rdata> =
                    there.iter().map(|rdata| rdata.canonical(rtype)).collect();
                Side { before: there.clone(), after: there }
            }
        })
    }
}

fn canonical(delta: &Delta, side: &Option<Rrset>) -> HashSet<Rdata> {
    let records = side.iter().flat_map(|rrset| &rrset.rdata);
    records.map(|rdata| rdata.canonical(delta.rtype)).collect()
}

/// Leases as facts.
pub(super) fn leased(zone: &Name, leases: Vec<RecordLease>) -> Vec<Fact> {
    let fact = |leases| Fact::Leased { zone: zone.clone(), leases };
    Some(leases).filter(|leases| !leases.is_empty()).map(fact).into_iter().collect()
}

/// A record stays for this part of its lease longer: so long a refresh may be late, and so much time
/// passes before a refresh has to be written.
const SLACK: i64 = 8;
/// Most octets that ending leases alters at once: a batch with it still fits into any store.
const ENDED_WEIGHT_MAX: usize = 1024 * 1024;
