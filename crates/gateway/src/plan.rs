//! From what an update wants to one change for each host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use account::address::{Verdict, verdict};
use account::policy::{Denied, authorize_edit};
use account::{Directory, Host, Timestamp, TokenActor, ZoneEntry};
use dialect::dyndns2::{Code, Update, Wanted, is_fqdn};
use engine::{Live, Refused};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Edit, View};

use crate::outcome::refusal;

/// What shall happen for one host of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing: the answer is known, and why.
    Answer {
        /// The answer.
        code: Code,
        /// The reason, for the log.
        why: String,
    },
    /// The host was seen, but nothing is to be published.
    Seen {
        /// The host.
        host: Name,
        /// The answer.
        code: Code,
    },
    /// A change goes to the engine.
    Submit {
        /// The host.
        host: Name,
        /// The change.
        change: Change,
        /// Its addresses, for the answer.
        addresses: Vec<IpAddr>,
    },
    /// The same as for an earlier host of this update, by its place.
    Same(usize),
}

/// The parts of an update that are the same for all its hosts.
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub(crate) actor: &'a TokenActor,
    /// What is wanted of IPv4 addresses.
    pub(crate) ipv4: Family<Ipv4Addr>,
    /// What is wanted of IPv6 addresses.
    pub(crate) ipv6: Family<Ipv6Addr>,
    /// The moment.
    pub(crate) now: Timestamp,
}

/// What is wanted of the addresses of one family, once the source is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Family<A> {
    /// They stay as they are.
    Keep,
    /// These replace them.
    Put(Vec<A>),
    /// They go.
    Delete,
}

impl<A: Copy> Family<A> {
    /// Puts the source's address in, when that is what is wanted and it has one of this family.
    fn resolve(wanted: &Wanted<A>, source: Option<A>) -> Family<A> {
        match (wanted, source) {
            (Wanted::Addresses(addresses), _) if addresses.is_empty() => Family::Keep,
            (Wanted::Addresses(addresses), _) => Family::Put(addresses.clone()),
            (Wanted::Source, Some(source)) => Family::Put(vec![source]),
            (Wanted::Source, None) | (Wanted::Preserve, _) => Family::Keep,
            (Wanted::Delete, _) => Family::Delete,
        }
    }
}

impl<'a> Asked<'a> {
    /// What an update from this source wants. `None` when that rests on a source that is unknown:
    /// then nothing is published or deleted.
    pub(crate) fn new(
        actor: &'a TokenActor,
        update: &Update,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<Asked<'a>> {
        let (source_v4, source_v6) = match source {
            Some(IpAddr::V4(address)) => (Some(address), None),
            Some(IpAddr::V6(address)) => (None, Some(address)),
            None => (None, None),
        };
        let ipv4 = Family::resolve(&update.ipv4, source_v4);
        let ipv6 = Family::resolve(&update.ipv6, source_v6);
        let nothing_left = matches!((&ipv4, &ipv6), (Family::Keep, Family::Keep));
        (source.is_some() || !nothing_left).then_some(Asked { actor, ipv4, ipv6, now })
    }

    /// The hosts that are meant: those that are named, or else the only one of the token. None when
    /// there is no telling.
    pub(crate) fn hosts(&self, update: &Update) -> Vec<String> {
        match (update.hosts.as_slice(), self.actor.hosts()) {
            ([], [only]) => vec![only.to_string()],
            (named, _) => named.to_vec(),
        }
    }

    /// One plan for each host, in order.
    pub(crate) fn plans(&self, live: &Live, hosts: &[String]) -> Vec<Plan> {
        let directory = live.directory();
        let mut names: Vec<Option<Name>> = Vec::with_capacity(hosts.len());
        let mut plans = Vec::with_capacity(hosts.len());
        for text in hosts {
            let name = host_name(text);
            let twin = names.iter().position(|earlier| name.is_some() && *earlier == name);
            plans.push(match (&name, twin) {
                (_, Some(twin)) => Plan::Same(twin),
                (None, None) => {
                    Plan::Answer { code: Code::Notfqdn, why: "not a host name".to_owned() }
                }
                (Some(name), None) => self.plan(live, &directory, name),
            });
            names.push(name);
        }
        plans
    }

    fn plan(&self, live: &Live, directory: &Directory, name: &Name) -> Plan {
        let (host, zone) = match self.covered(directory, name) {
            Ok(found) => found,
            Err(denied) => return answer(denied),
        };
        let (mut edits, mut addresses, mut dummies) = (Vec::new(), Vec::new(), Vec::new());
        let ttl_s = host.ttl_s.unwrap_or(zone.host_ttl_s);
        let families =
            [(Rtype::A, as_addresses(&self.ipv4)), (Rtype::AAAA, as_addresses(&self.ipv6))];
        for (rtype, family) in families {
            let owner = host.name.clone();
            match family {
                Family::Keep => {}
                Family::Delete => edits.push(Edit::DeleteRrset { owner, rtype }),
                Family::Put(wanted) => {
                    let (real, dummy) = match self.published(host, zone, wanted) {
                        Ok(sorted) => sorted,
                        Err(denied) => return answer(denied),
                    };
                    if !real.is_empty() {
                        let rdata = real.iter().copied().map(rdata).collect();
                        edits.push(Edit::Replace { owner, rtype, rrset: Rrset { ttl_s, rdata } });
                    }
                    addresses.extend(real);
                    dummies.extend(dummy);
                }
            }
        }
        let is_parked = host.parked.is_some();
        let host = host.name.clone();
        if !edits.is_empty() {
            let change = Change::new(zone.apex.clone(), edits);
            return Plan::Submit { host, change, addresses };
        }
        if dummies.is_empty() {
            return untouched(live, zone, host, is_parked);
        }
        Plan::Seen { host, code: Code::Good(dummies) }
    }

    /// The host, when the token may change it: the same rule as the engine's, which has the last
    /// word.
    fn covered<'d>(
        &self,
        directory: &'d Directory,
        name: &Name,
    ) -> Result<(&'d Host, &'d ZoneEntry), Denied> {
        let host = authorize_edit(directory, self.actor, name, Some(Rtype::A))?;
        let zone = directory.zone(&host.zone).ok_or(Denied::NotCovered)?;
        Ok((host, zone))
    }

    /// Sorts addresses into those to be published and dummies; the first that may not be published
    /// is an error.
    fn published(
        &self,
        host: &Host,
        zone: &ZoneEntry,
        wanted: Vec<IpAddr>,
    ) -> Result<(Vec<IpAddr>, Vec<IpAddr>), Denied> {
        let (mut real, mut dummies) = (Vec::new(), Vec::new());
        for address in wanted {
            match verdict(address, host, zone, self.now) {
                Verdict::Publish => real.push(address),
                Verdict::Dummy => dummies.push(address),
                Verdict::Refuse(why) => return Err(why.into()),
            }
        }
        Ok((real, dummies))
    }
}

fn answer(denied: Denied) -> Plan {
    let refused = Refused::from(denied);
    Plan::Answer { code: refusal(&refused), why: refused.to_string() }
}

/// Nothing is asked of this host: say `IPv6 from the source` over IPv4. What is published stands.
/// For a host that was gone something else may stand there, which it must not take for its addresses.
fn untouched(live: &Live, zone: &ZoneEntry, host: Name, is_parked: bool) -> Plan {
    let zone = live.zones().get(&zone.apex).filter(|_| !is_parked);
    let published = zone.map(|zone| {
        let rrsets =
            [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| zone.rrset(&host, rtype));
        let rdata: Vec<Rdata> = rrsets.flat_map(|rrset| rrset.rdata).collect();
        rdata.iter().filter_map(address).collect::<Vec<IpAddr>>()
    });
    match published {
        Some(addresses) if !addresses.is_empty() => {
            Plan::Seen { host, code: Code::Nochg(addresses) }
        }
        Some(_) | None => Plan::Answer {
            code: Code::Dnserr,
            why: "the update has no address of the family that it asks for".to_owned(),
        },
    }
}

/// The name of a host as clients write it; upper case and a final dot do not matter, IDN come in
/// their ASCII form.
fn host_name(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let name = Name::parse(text).ok().filter(|_| is_fqdn(text))?;
    Some(name.to_lowercase())
}

fn as_addresses<A: Copy + Into<IpAddr>>(family: &Family<A>) -> Family<IpAddr> {
    match family {
        Family::Keep => Family::Keep,
        Family::Put(addresses) => Family::Put(addresses.iter().map(|&a| a.into()).collect()),
        Family::Delete => Family::Delete,
    }
}

fn rdata(address: IpAddr) -> Rdata {
    match address {
        IpAddr::V4(address) => Rdata::a(address),
        IpAddr::V6(address) => Rdata::aaaa(address),
    }
}

fn address(rdata: &Rdata) -> Option<IpAddr> {
    rdata.ipv4().map(IpAddr::V4).or_else(|| rdata.ipv6().map(IpAddr::V6))
}

#[cfg(test)]
mod tests;
