//! Judging a change of DNS data: may the actor, do the prerequisites hold, what comes of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use account::address::{self, AddressRefusal};
use account::policy::{self, Denied, KeyEdit, Standing};
use account::{Actions, Actor, Entity, Host, Role, Scope, Timestamp};
use store::Fact;
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::{Change, Delta, Edit, Prerequisite, View, Zone};

use crate::engine::{BatchNo, Judged};
use crate::live::Live;
use crate::overlay::{Overlay, Paced};
use crate::request::{Lease, Operation, Refused};
use crate::weigh;

mod leases;
mod parked;
mod token;

use leases::leased;
use parked::{returned, without_parked};

/// A judge of changes for one batch.
pub(crate) struct Judge<'a> {
    pub(crate) live: &'a Live,
    pub(crate) overlay: &'a mut Overlay,
    pub(crate) exposed_changes: &'a HashMap<Paced, Timestamp>,
    pub(crate) batch: BatchNo,
    pub(crate) at: Timestamp,
}

impl Judge<'_> {
    /// Judges a change of DNS data and, when it is accepted, notes what it decides.
    pub(crate) fn operation(
        &mut self,
        actor: &Actor,
        operation: &Operation,
    ) -> Result<Judged, Refused> {
        match (operation, actor) {
            (Operation::Change { change, lease }, _) => self.change(actor, change, *lease),
            (Operation::EndLeases { zone, leases }, Actor::System) => self.end_leases(zone, leases),
            _ => Err(Denied::OperatorOnly.into()),
        }
    }

    fn change(
        &mut self,
        actor: &Actor,
        change: &Change,
        lease: Option<Lease>,
    ) -> Result<Judged, Refused> {
        let zone = self.live.zones().get(&change.zone).ok_or(zone::Refusal::NoSuchZone)?;
        let actor = &*self.standing(actor)?;
        let change = self.authorize(actor, &zone, change)?;
        let parked = self.parked(actor, &change);
        let change = returned(change, &parked);
        self.answered(actor, &zone, &change)?;
        let deltas = zone::judge(&self.overlay.over(&zone), &change)?;
        let leases = self.leases(actor, &zone, (&change, lease), &deltas);
        if deltas.is_empty() {
            let mut facts = self.unpark(parked);
            self.overlay.decide_leases(self.batch, &change.zone, &leases);
            facts.append(&mut leased(&change.zone, leases));
            self.heard(&change, actor);
            return Ok(Judged { facts, ..Judged::default() });
        }
        self.unmixed(actor, &deltas)?;
        self.unreplaced(actor, without_parked(&deltas, &parked))?;
        if weigh::deltas(&deltas) > CHANGE_WEIGHT_MAX {
            return Err(Refused::Limit("octets of one change"));
        }
        self.pace(actor, &deltas)?;
        let serial = self.serial(&zone, &deltas);
        self.overlay.decide(self.batch, &change.zone, serial, &deltas);
        let unparked = self.unpark(parked);
        let turned = self.scopes(&zone, &deltas);
        self.end_with_records(&change.zone, &deltas);
        let lease_s = lease.map(|lease| lease.lease_s);
        // Most of the time it is the only one.
        let mut facts = Vec::with_capacity(1);
        facts.push(Fact::Changed { zone: change.zone.clone(), serial, lease_s, deltas });
        facts.extend(unparked.into_iter().chain(turned));
        self.overlay.decide_leases(self.batch, &change.zone, &leases);
        facts.append(&mut leased(&change.zone, leases));
        self.heard(&change, actor);
        Ok(Judged { facts, serial: Some(serial), made: None })
    }

    /// Whether a change that leaves every RRset as it is leaves everything else so too.
    pub(crate) fn leaves_all(&self, actor: &Actor, change: &Change) -> Result<bool, Refused> {
        let zone = self.live.zones().get(&change.zone).ok_or(zone::Refusal::NoSuchZone)?;
        let actor = &*self.standing(actor)?;
        let allowed = self.authorize(actor, &zone, change)?;
        self.answered(actor, &zone, change)?;
        let is_whole = matches!(allowed, Cow::Borrowed(_)) && self.parked(actor, change).is_empty();
        Ok(is_whole && self.leases(actor, &zone, (change, None), &[]).is_empty())
    }

    /// A token that stands for the operator is the operator.
    fn standing<'a>(&self, actor: &'a Actor) -> Result<Cow<'a, Actor>, Denied> {
        if let Actor::Token(token) = actor
            && token.role() == Some(Role::Owner)
            && policy::standing(&self.live.directory(), actor, self.at)? == Standing::Operator
        {
            return Ok(Cow::Owned(Actor::Operator));
        }
        Ok(Cow::Borrowed(actor))
    }

    /// The change as the actor may make it.
    fn authorize<'c>(
        &self,
        actor: &Actor,
        zone: &Zone,
        change: &'c Change,
    ) -> Result<Cow<'c, Change>, Denied> {
        match actor {
            Actor::System | Actor::Operator => Ok(Cow::Borrowed(change)),
            Actor::Key(name) => {
                self.authorize_key(name, zone, change)?;
                Ok(Cow::Borrowed(change))
            }
            Actor::Token(token) => self.authorize_token(token, zone, change),
        }
    }

    fn authorize_key(&self, name: &Name, zone: &Zone, change: &Change) -> Result<(), Denied> {
        let directory = self.live.directory();
        let key = policy::updating_key(&directory, name, &change.zone)?;
        let asked = change.prerequisites.iter().map(Prerequisite::name);
        asked.into_iter().try_for_each(|name| policy::authorize_key_name(key, name))?;
        let view = self.overlay.over(zone);
        for edit in &change.edits {
            let owner = edit.owner();
            let all;
            let rtype = edit.rtype();
            let types = match &rtype {
                Some(rtype) => std::slice::from_ref(rtype),
                None if key.policy.types.is_empty() => &[],
                None => {
                    all = deletable(&view, zone.apex(), owner);
                    &all[..]
                }
            };
            let edit = KeyEdit { owner, types, actions: actions(edit) };
            policy::authorize_key_edit(&directory, key, edit)?;
        }
        Ok(())
    }

    /// Of some types a name has one record, and what is added takes the place of it (RFC 2136
    /// §3.4.2.2): that deletes as well.
    fn unreplaced<'d>(
        &self,
        actor: &Actor,
        mut deltas: impl Iterator<Item = &'d Delta>,
    ) -> Result<(), Denied> {
        let Actor::Key(name) = actor else { return Ok(()) };
        let directory = self.live.directory();
        let may_delete = directory.key(name).is_some_and(|key| key.policy.actions.delete);
        if !may_delete && deltas.any(takes_away) {
            return Err(Denied::KeyAction("delete"));
        }
        Ok(())
    }

    /// An exposed token changes an RRset once a minute; counted when a change is really made. Each
    /// RRset has a minute of its own, as many routers send IPv4 and IPv6 one after the other.
    fn pace(&mut self, actor: &Actor, deltas: &[Delta]) -> Result<(), Denied> {
        let Actor::Token(actor) = actor else { return Ok(()) };
        let directory = self.live.directory();
        let token = policy::usable_token(&directory, actor, self.at)?;
        if token.exposed.is_none() {
            return Ok(());
        }
        let paced = |delta: &Delta| (token.id, delta.owner.clone(), delta.rtype);
        for paced in deltas.iter().map(paced) {
            let visible = self.exposed_changes.get(&paced).copied();
            policy::exposed_pace(token, self.overlay.pace(&paced).max(visible), self.at)?;
        }
        for paced in deltas.iter().map(paced) {
            self.overlay.decide_pace(self.batch, paced, self.at);
        }
        Ok(())
    }

    /// A token publishes nothing that no query is answered with: it would be acknowledged and never
    /// seen. Keys and imports may put a delegation above a host at any time.
    fn answered(&self, actor: &Actor, zone: &Zone, change: &Change) -> Result<(), Refused> {
        let Actor::Token(_) = actor else { return Ok(()) };
        let view = self.overlay.over(zone);
        let published = change.edits.iter().filter(|edit| actions(edit).add);
        let mut owners = published.map(Edit::owner);
        if owners.any(|owner| is_hidden(&view, zone.apex(), owner)) {
            return Err(Refused::Invalid(HIDDEN));
        }
        Ok(())
    }

    /// A token publishes no RRset with public and private addresses side by side: a client that is
    /// given both may go from one to the other, which is DNS rebinding in one answer.
    fn unmixed(&self, actor: &Actor, deltas: &[Delta]) -> Result<(), Denied> {
        let Actor::Token(_) = actor else { return Ok(()) };
        for delta in deltas {
            let rdata = delta.after.as_ref().map_or(&[][..], |rrset| &rrset.rdata);
            let scopes = rdata.iter().filter_map(|rdata| address_of(delta.rtype, rdata));
            let mut scopes = scopes.map(address::scope);
            let first = scopes.next();
            let is_mixed = scopes.any(|scope| Some(scope) != first);
            if is_mixed && self.host_over(&delta.owner).is_none_or(|host| !host.private_ok) {
                return Err(AddressRefusal::Rebinding.into());
            }
        }
        Ok(())
    }

    /// One serial for all that a batch changes in a zone: readers see the batch as one.
    fn serial(&self, zone: &Zone, deltas: &[Delta]) -> Serial {
        match self.overlay.serial(zone.apex()) {
            Some((batch, serial)) if batch == self.batch => serial,
            Some((_, serial)) => zone::next_serial(serial, deltas),
            None => zone::next_serial(zone.serial(), deltas),
        }
    }

    /// Hosts that turn public or private with these deltas, whoever made them, as facts.
    fn scopes(&mut self, zone: &Zone, deltas: &[Delta]) -> Vec<Fact> {
        let mut turned = Vec::new();
        for delta in deltas {
            let published = matches!(delta.rtype, Rtype::A | Rtype::AAAA) && delta.after.is_some();
            // What is taken away turns nothing: a host does not become private by publishing less.
            let Some(before) = published.then(|| self.host(&delta.owner)).flatten() else {
                continue;
            };
            let scope = published_scope(&self.overlay.over(zone), &delta.owner);
            if before.scope.is_some_and(|(known, _)| known == scope) {
                continue;
            }
            let after = Host { scope: Some((scope, self.at)), ..before.clone() };
            self.overlay.decide_host(self.batch, after.clone());
            turned.push(Fact::Entity {
                before: Some(Entity::Host(before)),
                after: Some(Entity::Host(after)),
            });
        }
        turned
    }

    /// The host that a name belongs to.
    fn host_over(&self, name: &Name) -> Option<Host> {
        let host = self.live.directory().host_over(name)?.clone();
        Some(self.overlay.host(&host.name).cloned().unwrap_or(host))
    }

    fn host(&self, name: &Name) -> Option<Host> {
        let decided = self.overlay.host(name).cloned();
        decided.or_else(|| self.live.directory().host(name).cloned())
    }
}

/// What an edit does, as far as it says so itself.
fn actions(edit: &Edit) -> Actions {
    match edit {
        Edit::Add { .. } => Actions::ADD,
        Edit::Replace { .. } => Actions::ALL,
        Edit::DeleteRrset { .. } | Edit::DeleteName { .. } | Edit::DeleteRecord { .. } => {
            Actions::DELETE
        }
    }
}

/// The types that the deletion of a name would take away: SOA and NS of the apex stay (RFC 2136
/// §3.4.2.3). What the same change has added before was judged then.
fn deletable(view: &dyn View, apex: &Name, owner: &Name) -> Vec<Rtype> {
    let mut types = view.types(owner);
    types.retain(|rtype| owner != apex || !matches!(*rtype, Rtype::SOA | Rtype::NS));
    types
}

/// Whether a record goes.
fn takes_away(delta: &Delta) -> bool {
    let records = |rrset: &Option<Rrset>| -> HashSet<Rdata> {
        let rdata = rrset.iter().flat_map(|rrset| &rrset.rdata);
        rdata.map(|rdata| rdata.canonical(delta.rtype)).collect()
    };
    !records(&delta.before).is_subset(&records(&delta.after))
}

/// Addresses that an edit would publish.
fn addresses(edit: &Edit) -> Vec<IpAddr> {
    match edit {
        Edit::Add { rtype, rdata, .. } => address_of(*rtype, rdata).into_iter().collect(),
        Edit::Replace { rtype, rrset, .. } => {
            rrset.rdata.iter().filter_map(|rdata| address_of(*rtype, rdata)).collect()
        }
        Edit::DeleteRrset { .. } | Edit::DeleteName { .. } | Edit::DeleteRecord { .. } => {
            Vec::new()
        }
    }
}

/// Public as soon as one address of either family is. The rebinding rule guards against a host
/// that was public and turns private: a private address beside public ones does not end that.
fn published_scope(view: &dyn View, owner: &Name) -> Scope {
    let is_public = [Rtype::A, Rtype::AAAA].into_iter().any(|rtype| {
        let rdata = view.rrset(owner, rtype).map(|rrset| rrset.rdata).unwrap_or_default();
        let mut addresses = rdata.iter().filter_map(|rdata| address_of(rtype, rdata));
        addresses.any(|address| address::scope(address) == Scope::Public)
    });
    if is_public { Scope::Public } else { Scope::Private }
}

/// Whether queries for addresses of a name are answered from elsewhere: by a delegation at the name or
/// above it, or a DNAME above it.
pub(crate) fn is_hidden(view: &dyn View, apex: &Name, name: &Name) -> bool {
    let below_apex = std::iter::successors(Some(name.clone()), Name::parent);
    below_apex.take_while(|at| at != apex).any(|at| {
        view.rrset(&at, Rtype::NS).is_some()
            || at != *name && view.rrset(&at, Rtype::DNAME).is_some()
    }) || name != apex && view.rrset(apex, Rtype::DNAME).is_some()
}

fn address_of(rtype: Rtype, rdata: &Rdata) -> Option<IpAddr> {
    match rtype {
        Rtype::A => rdata.ipv4().map(Into::into),
        Rtype::AAAA => rdata.ipv6().map(Into::into),
        _ => None,
    }
}

/// Why such a name is refused.
pub(crate) const HIDDEN: &str = "the name lies at or below a delegation or DNAME";
/// Most octets that one change may alter: a batch with it still fits into any store.
const CHANGE_WEIGHT_MAX: usize = 8 * 1024 * 1024;
