//! Hosts and their tokens.

use account::policy::Standing;
use account::{AccountId, Directory, Entity, Host, Member, Released, Timestamp, ZoneEntry};
use store::Fact;
use wire::{Name, Rtype};
use zone::{Delta, View};

use super::claim::Claim;
use super::expiry;
use super::{Operate, changed, check_ttl, created, most, removed};
use crate::engine::Judged;
use crate::request::{HostPatch, NewToken, Refused};

impl Operate<'_> {
    pub(super) fn add_host(
        &self,
        standing: Standing,
        (name, account): (&Name, AccountId),
        policy: &HostPatch,
        token: &NewToken,
    ) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let owner = directory.account(account).ok_or(Refused::Missing("account"))?;
        let zone = directory.zone_of(name).ok_or(Refused::Missing("zone for this name"))?;
        if directory.host(name).is_some() {
            return Err(Refused::Exists("host"));
        }
        let served = self.live.zones().get(&zone.apex).ok_or(Refused::Missing("zone"))?;
        let claim = Claim { name, account, entry: zone, zone: &served, at: self.at };
        claim.check(&directory, standing)?;
        let known = directory.host_count_of(account);
        if most(owner.limits.hosts, HOSTS_MAX, standing).is_some_and(|most| known >= most) {
            return Err(Refused::Limit("hosts of the account"));
        }
        let name = name.to_lowercase();
        // Left from an earlier host of this name that went with its zone.
        let mut facts = self.uncover(&directory, &name);
        let host = Host::new(name.clone(), zone.apex.clone(), account, self.at);
        let host = patched(&directory, host, policy, zone)?;
        facts.extend(directory.released(&name).cloned().map(Entity::Released).map(removed));
        self.check_tokens(&directory, owner, standing)?;
        let token = self.token(&directory, account, vec![name], token)?;
        let made = Some(token.id.0);
        facts.extend([created(Entity::Host(host)), created(Entity::Token(token))]);
        Ok(Judged { facts, serial: None, made })
    }

    pub(super) fn set_host(&self, name: &Name, policy: &HostPatch) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let zone = directory.zone(&host.zone).ok_or(Refused::Missing("zone"))?;
        let after = patched(&directory, host.clone(), policy, zone)?;
        Ok(Judged {
            facts: changed(Entity::Host(host.clone()), Entity::Host(after)),
            ..Judged::default()
        })
    }

    pub(super) fn rotate_host(
        &self,
        name: &Name,
        new: &NewToken,
        overlap_s: u32,
    ) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let names = vec![host.name.clone()];
        let mut facts = self.forget_dead_tokens(&directory, &names);
        facts.extend(self.end_sole_tokens(&directory, host, overlap_s)?);
        let token = self.token(&directory, host.account, names, new)?;
        let made = Some(token.id.0);
        facts.push(created(Entity::Token(token)));
        Ok(Judged { facts, serial: None, made })
    }

    pub(super) fn remove_host(&self, name: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let host = directory.host(name).ok_or(Refused::Missing("host"))?;
        let mut facts = self.withdraw(host)?;
        facts.extend(self.uncover(&directory, &host.name));
        facts.push(removed(Entity::Host(host.clone())));
        facts.extend(self.release(&directory, host));
        Ok(Judged { facts, ..Judged::default() })
    }

    /// Keeps the name from others for a while, and forgets some of those whose time is over.
    fn release(&self, directory: &Directory, host: &Host) -> Vec<Fact> {
        let over = directory.freed(self.at).filter(|released| released.name != host.name);
        let over = over.take(FREED_MAX).cloned().map(Entity::Released).map(removed);
        let mut facts: Vec<Fact> = over.collect();
        let quarantine_s = directory.zone(&host.zone).map_or(0, ZoneEntry::quarantine_s);
        if quarantine_s > 0 {
            let until = Timestamp(self.at.0 + i64::from(quarantine_s) * 1000);
            let (name, zone) = (host.name.clone(), host.zone.clone());
            let released = Released { name, zone, account: host.account, until };
            facts.push(created(Entity::Released(released)));
        }
        facts
    }

    pub(super) fn free_name(&self, name: &Name) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let released = directory.released(name);
        let released = released.ok_or(Refused::Missing("name that was given up"))?;
        let facts = vec![removed(Entity::Released(released.clone()))];
        Ok(Judged { facts, ..Judged::default() })
    }

    /// The addresses of a host go with it.
    fn withdraw(&self, host: &Host) -> Result<Vec<Fact>, Refused> {
        let zone = self.live.zones().get(&host.zone).ok_or(Refused::Missing("zone"))?;
        let gone = |rtype| {
            let before = zone.rrset(&host.name, rtype)?;
            Some(Delta { owner: host.name.clone(), rtype, before: Some(before), after: None })
        };
        // Of a host that is gone an alias may stand there.
        let alias = host.parked.map(|_| Rtype::CNAME);
        let rtypes = [Rtype::A, Rtype::AAAA].into_iter().chain(alias);
        let deltas: Vec<Delta> = rtypes.filter_map(gone).collect();
        if deltas.is_empty() {
            return Ok(Vec::new());
        }
        let serial = zone::next_serial(zone.serial(), &deltas);
        Ok(vec![Fact::Changed { zone: host.zone.clone(), serial, lease_s: None, deltas }])
    }
}

fn patched(
    directory: &Directory,
    host: Host,
    policy: &HostPatch,
    zone: &ZoneEntry,
) -> Result<Host, Refused> {
    let ttl_s = policy.ttl_s.unwrap_or(host.ttl_s);
    if let Some(ttl_s) = ttl_s {
        check_ttl(ttl_s)?;
    }
    let private_ok = policy.private_ok.unwrap_or(host.private_ok);
    let dialect = policy.dialect.unwrap_or(host.dialect);
    let host = Host { ttl_s, private_ok, dialect, ..host };
    if let Some(Some(Member { household, .. })) = &policy.member {
        let known = directory.host(household).filter(|known| known.account == host.account);
        known.ok_or(Refused::Missing("household of the account"))?;
    }
    if policy.prefix.flatten().is_some_and(|prefix| prefix.length > 128) {
        return Err(Refused::Invalid("an IPv6 prefix has at most 128 bits"));
    }
    let member = policy.member.clone().map_or(host.member.clone(), |member| member.map(Box::new));
    let prefix = policy.prefix.map_or(host.prefix.clone(), |prefix| prefix.map(Box::new));
    let host = Host { member, prefix, ..host };
    let Some(expiry) = &policy.expiry else { return Ok(host) };
    expiry.as_ref().map_or(Ok(()), |expiry| expiry::check(expiry, &host, zone))?;
    Ok(Host { expiry: expiry.clone().map(Box::new), ..host })
}

/// Most hosts of an account of which nothing else is said, as far as it makes them itself.
const HOSTS_MAX: usize = 1000;
/// Most names that are forgotten at once whose time is over.
const FREED_MAX: usize = 100;
