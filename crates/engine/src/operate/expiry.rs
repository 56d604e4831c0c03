//! What becomes of hosts that nothing is heard of.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use account::address::{self, Verdict};
use account::policy::Denied;
use account::{Entity, Host, HostExpiry, OnExpiry, Timestamp, ZoneEntry};
use store::Fact;
use wire::{Name, Rdata, Rtype};
use zone::{Change, Delta, Edit};

use super::{Operate, replaced};
use crate::engine::Judged;
use crate::expiry::{gone_at, is_frozen};
use crate::request::Refused;

impl Operate<'_> {
    /// Puts what their expiry says in place of the addresses of hosts that are gone at this moment.
    pub(super) fn expire_hosts(
        &self,
        hosts: &[Name],
        started: Timestamp,
    ) -> Result<Judged, Refused> {
        if hosts.len() > HOSTS_MAX {
            return Err(Refused::Limit("hosts that expire at once"));
        }
        let mut zones: BTreeMap<Name, Vec<Host>> = BTreeMap::new();
        for name in hosts.iter().collect::<BTreeSet<_>>() {
            let last_seen = self.live.last_seen(name);
            let directory = self.live.directory();
            let Some(host) = directory.host(name) else { continue };
            let is_gone = gone_at(host, last_seen, started).is_some_and(|at| at <= self.at);
            if is_gone && !is_frozen(&directory, host) {
                zones.entry(host.zone.clone()).or_default().push(host.clone());
            }
        }
        let facts = zones.into_iter().flat_map(|(apex, hosts)| self.park(&apex, hosts)).collect();
        Ok(Judged { facts, ..Judged::default() })
    }

    fn park(&self, apex: &Name, hosts: Vec<Host>) -> Vec<Fact> {
        let directory = self.live.directory();
        let zone = self.live.zones().get(apex);
        let (Some(entry), Some(zone)) = (directory.zone(apex), zone) else { return Vec::new() };
        // Each at its own name, so that none is in the way of another.
        let deltas = hosts.iter().flat_map(|host| {
            let change = Change::new(apex.clone(), in_place(host, entry));
            zone::judge(&*zone, &change).unwrap_or_default()
        });
        let deltas: Vec<Delta> = deltas.collect();
        let mut facts = Vec::new();
        if !deltas.is_empty() {
            let serial = zone::next_serial(zone.serial(), &deltas);
            facts.push(Fact::Changed { zone: apex.clone(), serial, lease_s: None, deltas });
        }
        facts.extend(hosts.into_iter().map(|host| {
            let after = Host { parked: Some(self.at), ..host.clone() };
            replaced(Entity::Host(host), Entity::Host(after))
        }));
        facts
    }
}

/// The addresses go, and what the expiry of a host says comes. What cannot stand beside other records
/// of the name is passed over in silence: an alias, or addresses beside one (RFC 2136 §3.4.2.2).
fn in_place(host: &Host, entry: &ZoneEntry) -> Vec<Edit> {
    let ttl_s = entry.ttl_s(host);
    let add = |rtype, rdata| Edit::Add { owner: host.name.clone(), rtype, ttl_s, rdata };
    let gone = |rtype| Edit::DeleteRrset { owner: host.name.clone(), rtype };
    let mut edits = ADDRESSES.map(gone).to_vec();
    match host.expiry.as_ref().map(|expiry| &expiry.then) {
        Some(OnExpiry::Withdraw) | None => {}
        Some(OnExpiry::Park(addresses)) => {
            edits.extend(addresses.iter().map(|address| match address {
                IpAddr::V4(address) => add(Rtype::A, Rdata::a(*address)),
                IpAddr::V6(address) => add(Rtype::AAAA, Rdata::aaaa(*address)),
            }))
        }
        Some(OnExpiry::Cname(target)) => edits.push(add(Rtype::CNAME, Rdata::name(target))),
    }
    edits
}

/// What makes the name of a parked host its own again, before its addresses are published.
pub(crate) fn unpark(host: &Name) -> impl Iterator<Item = Edit> {
    let rtypes = ADDRESSES.into_iter().chain([Rtype::CNAME]);
    rtypes.map(|rtype| Edit::DeleteRrset { owner: host.clone(), rtype })
}

/// Whether an expiry makes sense for a host.
pub(super) fn check(expiry: &HostExpiry, host: &Host, zone: &ZoneEntry) -> Result<(), Refused> {
    if !(1..=AFTER_S_MAX).contains(&expiry.after_s) {
        return Err(Refused::Invalid("a host expires after one second to ten years"));
    }
    match &expiry.then {
        OnExpiry::Withdraw => Ok(()),
        OnExpiry::Park(addresses) => check_addresses(addresses, host, zone),
        OnExpiry::Cname(target) if *target == host.name => {
            Err(Refused::Invalid("a name cannot be an alias of itself"))
        }
        OnExpiry::Cname(_) if host.name == zone.apex => {
            Err(Refused::Invalid("the apex of a zone cannot be an alias (CNAME)"))
        }
        OnExpiry::Cname(_) => Ok(()),
    }
}

/// The rules of updates, but for what a host may turn to: it does not say so itself.
fn check_addresses(addresses: &[IpAddr], host: &Host, zone: &ZoneEntry) -> Result<(), Refused> {
    if addresses.is_empty() || addresses.len() > PARK_ADDRESSES_MAX {
        return Err(Refused::Limit("addresses to park a host at: 1 to 16"));
    }
    let fresh = Host { scope: None, ..host.clone() };
    for address in addresses {
        if let Verdict::Refuse(why) = address::verdict(*address, &fresh, zone, Timestamp(0)) {
            return Err(Denied::from(why).into());
        }
    }
    Ok(())
}

const ADDRESSES: [Rtype; 2] = [Rtype::A, Rtype::AAAA];
/// Most hosts that expire in one change.
const HOSTS_MAX: usize = 1024;
/// Longest silence that a host may be allowed, in seconds: ten years.
const AFTER_S_MAX: u32 = 10 * 366 * 86_400;
/// Most addresses that stand in place of those of a host.
const PARK_ADDRESSES_MAX: usize = 16;
