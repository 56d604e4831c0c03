//! From what a request wants to one change for each host.

mod family;
mod together;
mod txt;

use std::net::IpAddr;

use account::address::{Verdict, verdict};
use account::policy::{Denied, TokenEdit, authorize_edit};
use account::{Actions, Directory, Host, Timestamp, TokenActor, ZoneEntry};
use dialect::{Ask, Code, Deleted, Hint, Hosts, Own, Verb, is_fqdn};
use engine::{Live, Refused};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Edit, View};

use crate::outcome::refusal;
use family::{ADDRESSES, Family, address, rdata, rests_on_source};

/// What shall happen for one host of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing: the answer is known, and why.
    Answer {
        /// The answer.
        code: Code,
        /// The reason, for the log.
        why: String,
    },
    /// Nothing is to be changed.
    Stands {
        /// The host, when it counts as seen.
        seen: Option<Name>,
        /// The answer.
        code: Code,
        /// Its addresses, for the answer.
        addresses: Vec<IpAddr>,
    },
    /// A change goes to the engine.
    Submit {
        /// The host, and whichever others share the change.
        hosts: Vec<Name>,
        /// The change.
        change: Change,
        /// Its addresses, for the answer.
        addresses: Vec<IpAddr>,
        /// What is deleted, for the answer.
        deleted: Deleted,
    },
    /// The same as for an earlier host of this request, by its place.
    Same(usize),
}

/// One host that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meant {
    /// As it was named, or its full name.
    pub(crate) text: String,
    /// Its name, or the answer when there is none.
    name: Result<Name, Code>,
}

/// A request and what is the same for all its hosts.
pub(crate) struct Asked<'a> {
    /// Who asks.
    actor: &'a TokenActor,
    /// What for.
    ask: &'a Ask,
    /// The source's address, by family.
    source: Option<IpAddr>,
    /// The moment.
    now: Timestamp,
}

impl<'a> Asked<'a> {
    /// What a request from this source wants. `None` when that rests on a source that is unknown:
    /// then nothing is published or deleted.
    pub(crate) fn new(
        actor: &'a TokenActor,
        ask: &'a Ask,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Option<Asked<'a>> {
        let asked = Asked { actor, ask, source, now };
        if source.is_none() && (rests_on_source(&ask.ipv4) || rests_on_source(&ask.ipv6)) {
            return None;
        }
        let stays = |own: Option<&Own>| asked.families(own) == [Family::Keep, Family::Keep];
        let nothing_left = ask.verb == Verb::Update
            && ask.txt.is_empty()
            && ask.prefix.is_none()
            && stays(None)
            && ask.own.iter().all(|own| stays(Some(own)));
        (source.is_some() || !nothing_left).then_some(asked)
    }

    /// The hosts that are meant, in order. None when there is no telling.
    pub(crate) fn hosts(&self, directory: &Directory) -> Vec<Meant> {
        let of_token = |name: &Name| Meant { text: shown(name), name: Ok(name.clone()) };
        match (&self.ask.hosts, self.actor.hosts()) {
            (Hosts::Only, [only]) => vec![of_token(only)],
            (Hosts::Only, _) => Vec::new(),
            (Hosts::Group, all) => all.iter().map(of_token).collect(),
            (Hosts::Named(named), _) => named.iter().map(|text| Meant::named(text)).collect(),
            (Hosts::Labels(labels), _) => {
                let all = self.near(directory);
                labels.iter().map(|text| Meant::labelled(text, &all)).collect()
            }
        }
    }

    /// The hosts of the token, and those with names below that its rules have: a token that may only
    /// prove a host for a certificate names nothing but that host's `_acme-challenge`.
    fn near(&self, directory: &Directory) -> Vec<Name> {
        let token = directory.token(self.actor.token());
        let named = token.into_iter().flat_map(|token| token.names());
        let over = named.filter_map(|name| directory.host_over(name)).map(|host| host.name.clone());
        let mut near: Vec<Name> = self.actor.hosts().iter().cloned().chain(over).collect();
        near.sort();
        near.dedup();
        near
    }

    /// One plan for each host, in order.
    pub(crate) fn plans(&self, live: &Live, hosts: &[Meant]) -> Vec<Plan> {
        let directory = live.directory();
        let mut plans = Vec::with_capacity(hosts.len());
        for (place, host) in hosts.iter().enumerate() {
            let name = match &host.name {
                Ok(name) => name,
                Err(code) => {
                    plans.push(Plan::Answer { code: *code, why: "not a host name".to_owned() });
                    continue;
                }
            };
            let twin = hosts[..place].iter().position(|earlier| earlier.name == host.name);
            plans.push(match twin {
                Some(twin) => Plan::Same(twin),
                None => self.plan(live, &directory, name),
            });
        }
        if self.ask.together { together::join(plans) } else { plans }
    }

    fn plan(&self, live: &Live, directory: &Directory, name: &Name) -> Plan {
        let (host, zone) = match self.covered(directory, name) {
            Ok(found) => found,
            Err(denied) => return answer(denied),
        };
        if self.ask.verb == Verb::List {
            return Plan::Stands {
                seen: None,
                code: Code::Nochg,
                addresses: standing(live, zone, host),
            };
        }
        let mut draft = Draft::default();
        let own = self.own(name);
        for (rtype, family) in ADDRESSES.into_iter().zip(self.families(own)) {
            let family = family.over(|| {
                let all = standing(live, zone, host).into_iter();
                all.filter(|address| address.is_ipv4() == (rtype == Rtype::A)).collect()
            });
            if let Err(denied) = self.address(&mut draft, (host, zone), (rtype, family)) {
                return answer(denied);
            }
        }
        if let Err(why) = self.txt(&mut draft, live, (name, host, zone)) {
            return Plan::Answer { code: Code::Dnserr, why: why.to_owned() };
        }
        self.finish(draft, live, (host, zone))
    }

    /// Adds what is wanted of one family.
    fn address(
        &self,
        draft: &mut Draft,
        (host, zone): (&Host, &ZoneEntry),
        (rtype, family): (Rtype, Family),
    ) -> Result<(), Denied> {
        let owner = host.name.clone();
        let addresses = match family {
            Family::Keep | Family::Renumber(..) => return Ok(()),
            Family::Put(addresses) => addresses,
            Family::Delete => {
                draft.edits.push(Edit::DeleteRrset { owner, rtype });
                draft.deleted.ipv4 |= rtype == Rtype::A;
                draft.deleted.ipv6 |= rtype == Rtype::AAAA;
                return Ok(());
            }
        };
        let (real, dummy) = self.published(host, zone, addresses)?;
        if !real.is_empty() {
            let rdata = real.iter().copied().map(rdata).collect();
            let rrset = Rrset { ttl_s: ttl_s(host, zone), rdata };
            draft.edits.push(Edit::Replace { owner, rtype, rrset });
        }
        draft.addresses.extend(real);
        draft.dummies.extend(dummy);
        Ok(())
    }

    /// Adds what is wanted of TXT, at the name that was asked for or below it.
    fn txt(
        &self,
        draft: &mut Draft,
        live: &Live,
        (name, host, zone): (&Name, &Host, &ZoneEntry),
    ) -> Result<(), &'static str> {
        if self.ask.txt.is_empty() {
            return Ok(());
        }
        let index = live.zones().get(&zone.apex).ok_or("the zone is not served")?;
        for edit in &self.ask.txt {
            let owner = txt::owner(name, edit).ok_or("the name is too long")?;
            let edits = txt::edits(&*index, &owner, ttl_s(host, zone), &edit.action);
            draft.edits.extend(edits.ok_or("the text fits into no record")?);
        }
        Ok(())
    }

    fn finish(&self, draft: Draft, live: &Live, (host, zone): (&Host, &ZoneEntry)) -> Plan {
        let Draft { edits, addresses, dummies, deleted } = draft;
        if !edits.is_empty() {
            let change = Change::new(zone.apex.clone(), edits);
            let hosts = vec![host.name.clone()];
            return Plan::Submit { hosts, change, addresses, deleted };
        }
        if !dummies.is_empty() {
            let seen = Some(host.name.clone());
            return Plan::Stands { seen, code: Code::Good, addresses: dummies };
        }
        if self.ask.prefix.is_some() {
            // To say `good` to what moves nothing would leave the hosts behind it where they were.
            return Plan::Answer { code: Code::Dnserr, why: Hint::PrefixAlone.to_string() };
        }
        untouched(live, zone, host)
    }

    /// What is wanted of IPv4 and of IPv6, for all or for a host of its own.
    fn families(&self, own: Option<&Own>) -> [Family; 2] {
        let (v4, v6) = match self.source {
            Some(IpAddr::V4(address)) => (Some(address), None),
            Some(IpAddr::V6(address)) => (None, Some(address)),
            None => (None, None),
        };
        let ipv4 = own.and_then(|own| own.ipv4.as_ref()).unwrap_or(&self.ask.ipv4);
        let ipv6 = own.and_then(|own| own.ipv6.as_ref()).unwrap_or(&self.ask.ipv6);
        [Family::resolve(ipv4, v4), Family::resolve(ipv6, v6)]
    }

    fn own(&self, name: &Name) -> Option<&Own> {
        self.ask.own.iter().find(|own| host_name(&own.host).as_ref() == Some(name))
    }

    /// Whether nothing but TXT is to change at a name.
    fn is_only_txt(&self, name: &Name) -> bool {
        let keeps = self.families(self.own(name)) == [Family::Keep, Family::Keep];
        keeps && !self.ask.txt.is_empty()
    }

    /// The host, when the token may change it: the same rule as the engine's, which has the last
    /// word. With nothing but TXT the name may be one below a host, such as `_acme-challenge`.
    fn covered<'d>(
        &self,
        directory: &'d Directory,
        name: &Name,
    ) -> Result<(&'d Host, &'d ZoneEntry), Denied> {
        let may = |owner: &Name, rtype| {
            let (types, actions) = (&[rtype], Actions { add: false, delete: false });
            let edit = TokenEdit { owner, types, actions, addresses: &[] };
            authorize_edit(directory, self.actor, edit, self.now)
        };
        let only = self.ask.txt.first().filter(|_| self.is_only_txt(name));
        let owner = match only.and_then(|edit| txt::owner(name, edit)) {
            Some(owner) => may(&owner, Rtype::TXT),
            None => may(name, Rtype::A).or_else(|_| may(name, Rtype::AAAA)),
        }?;
        let host = owner.host.filter(|host| host.name == *name).ok_or(Denied::NotCovered)?;
        Ok((host, owner.zone))
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
fn untouched(live: &Live, zone: &ZoneEntry, host: &Host) -> Plan {
    let addresses = standing(live, zone, host);
    if addresses.is_empty() {
        return Plan::Answer {
            code: Code::Dnserr,
            why: "the update has no address of the family that it asks for".to_owned(),
        };
    }
    Plan::Stands { seen: Some(host.name.clone()), code: Code::Nochg, addresses }
}

/// The addresses of a host's own that are published, IPv4 first.
fn standing(live: &Live, zone: &ZoneEntry, host: &Host) -> Vec<IpAddr> {
    if host.parked.is_some() {
        return Vec::new();
    }
    published(live, &zone.apex, &host.name)
}

/// The addresses that are published at a name, IPv4 first.
pub(crate) fn published(live: &Live, apex: &Name, name: &Name) -> Vec<IpAddr> {
    let Some(zone) = live.zones().get(apex) else { return Vec::new() };
    let rrsets = ADDRESSES.into_iter().filter_map(|rtype| zone.rrset(name, rtype));
    let rdata: Vec<Rdata> = rrsets.flat_map(|rrset| rrset.rdata).collect();
    rdata.iter().filter_map(address).collect()
}

fn ttl_s(host: &Host, zone: &ZoneEntry) -> u32 {
    zone.ttl_s(host)
}

impl Meant {
    fn named(text: &str) -> Meant {
        Meant { text: text.to_owned(), name: host_name(text).ok_or(Code::Notfqdn) }
    }

    /// A host of the token by its full name or its first label.
    fn labelled(text: &str, all: &[Name]) -> Meant {
        if text.contains('.') {
            return Meant::named(text);
        }
        let is_first = |name: &&Name| {
            name.labels().next().is_some_and(|label| label.eq_ignore_ascii_case(text.as_bytes()))
        };
        let mut found = all.iter().filter(is_first);
        let name = match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.clone()),
            // Of two there is no telling which is meant.
            (Some(_), Some(_)) | (None, _) => Err(Code::Nohost),
        };
        Meant { text: text.to_owned(), name }
    }
}

/// A name as clients write it.
fn shown(name: &Name) -> String {
    let text = name.to_string();
    text.strip_suffix('.').map(str::to_owned).unwrap_or(text)
}

/// The name of a host as clients write it; upper case and a final dot do not matter, IDN come in
/// their ASCII form.
fn host_name(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let name = Name::parse(text).ok().filter(|_| is_fqdn(text))?;
    Some(name.to_lowercase())
}

/// What has come together for one host.
#[derive(Default)]
struct Draft {
    edits: Vec<Edit>,
    addresses: Vec<IpAddr>,
    dummies: Vec<IpAddr>,
    deleted: Deleted,
}

#[cfg(test)]
mod tests;
