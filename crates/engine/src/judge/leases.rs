//! For how long the records of a change stay (RFC 9664), and taking away those whose time is over.

use account::{Actor, Scavenge, Timestamp};
use store::{Fact, RecordLease};
use wire::{Name, Rdata, Rtype};
use zone::{Change, Delta, Edit, View, Zone};

use super::Judge;
use crate::engine::Judged;
use crate::request::{Lease, Refused};

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
        let change = Change::new(apex.clone(), over.iter().map(delete).collect());
        let deltas = zone::judge(&self.overlay.over(&zone), &change)?;
        let goes = |lease: &RecordLease| {
            deltas.iter().any(|delta| {
                let canonical = |rdata: &Rdata| rdata.canonical(delta.rtype) == lease.rdata;
                let after = delta.after.iter().flat_map(|rrset| &rrset.rdata);
                delta.rtype == lease.rtype
                    && delta.owner == lease.owner
                    && !after.into_iter().any(canonical)
            })
        };
        // What is gone already, and what a zone cannot be without, has no lease any more.
        let stays = over.iter().filter(|lease| !goes(lease));
        let ended: Vec<RecordLease> =
            stays.map(|lease| RecordLease { lease_s: 0, ..(*lease).clone() }).collect();
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

    /// The records that a change states and that are there after it.
    fn stated<'c>(&self, zone: &Zone, change: &'c Change, deltas: &[Delta]) -> Vec<Stated<'c>> {
        let view = self.overlay.over(zone);
        let one = |owner: &'c Name, rtype: Rtype, rdata: &Rdata| {
            let rdata = rdata.canonical(rtype);
            let holds = |rrset: &Option<wire::Rrset>| {
                let all = rrset.iter().flat_map(|rrset| &rrset.rdata);
                all.into_iter().any(|one| one.canonical(rtype) == rdata)
            };
            let delta = deltas.iter().find(|d| d.rtype == rtype && d.owner == *owner);
            let (before, after) = match delta {
                Some(delta) => (holds(&delta.before), holds(&delta.after)),
                None => {
                    let there = holds(&view.rrset(owner, rtype));
                    (there, there)
                }
            };
            after.then_some(Stated { owner, rtype, rdata, is_new: !before })
        };
        let mut stated = Vec::new();
        for edit in &change.edits {
            match edit {
                Edit::Add { owner, rtype, rdata, .. } => stated.extend(one(owner, *rtype, rdata)),
                Edit::Replace { owner, rtype, rrset } => {
                    stated.extend(rrset.rdata.iter().filter_map(|rdata| one(owner, *rtype, rdata)));
                }
                Edit::DeleteRrset { .. } | Edit::DeleteName { .. } | Edit::DeleteRecord { .. } => {}
            }
        }
        stated.retain(|stated| stated.rtype != Rtype::SOA);
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

/// Leases as facts.
pub(super) fn leased(zone: &Name, leases: Vec<RecordLease>) -> Vec<Fact> {
    let fact = |leases| Fact::Leased { zone: zone.clone(), leases };
    Some(leases).filter(|leases| !leases.is_empty()).map(fact).into_iter().collect()
}

/// A record stays for this part of its lease longer: so long a refresh may be late, and so much time
/// passes before a refresh has to be written.
const SLACK: i64 = 8;
