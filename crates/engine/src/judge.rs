//! Judging a change of DNS data: may the actor, do the prerequisites hold, what comes of it.

use std::collections::HashMap;

use account::address::{self, Verdict};
use account::policy::{self, Denied};
use account::{Actor, Entity, Host, Scope, Timestamp, TokenActor, TokenId};
use store::Fact;
use wire::{Name, Rtype, Serial};
use zone::{Change, Delta, Edit, Zone};

use crate::engine::{BatchNo, Judged};
use crate::live::Live;
use crate::overlay::Overlay;
use crate::request::Refused;

/// A judge of changes for one batch.
pub(crate) struct Judge<'a> {
    pub(crate) live: &'a Live,
    pub(crate) overlay: &'a mut Overlay,
    pub(crate) exposed_changes: &'a mut HashMap<TokenId, Timestamp>,
    pub(crate) batch: BatchNo,
    pub(crate) at: Timestamp,
}

impl Judge<'_> {
    /// Judges one change and, when it is accepted, notes what it decides.
    pub(crate) fn change(
        &mut self,
        actor: &Actor,
        change: &Change,
        lease_s: Option<u32>,
    ) -> Result<Judged, Refused> {
        let zone = self.live.zones().get(&change.zone).ok_or(zone::Refusal::NoSuchZone)?;
        self.authorize(actor, change)?;
        let deltas = zone::judge(&self.overlay.over(&zone), change)?;
        if deltas.is_empty() {
            return Ok(Judged::default());
        }
        self.pace(actor)?;
        let serial = self.serial(&zone, &deltas);
        let mut facts = self.scopes(actor, &deltas);
        self.overlay.decide(self.batch, &change.zone, serial, &deltas);
        facts.insert(0, Fact::Changed { zone: change.zone.clone(), serial, lease_s, deltas });
        Ok(Judged { facts, serial: Some(serial), made: None })
    }

    fn authorize(&self, actor: &Actor, change: &Change) -> Result<(), Denied> {
        match actor {
            Actor::System | Actor::Operator => Ok(()),
            Actor::Key(name) => self.authorize_key(name, change),
            Actor::Token(token) => self.authorize_token(token, change),
        }
    }

    fn authorize_key(&self, name: &Name, change: &Change) -> Result<(), Denied> {
        let directory = self.live.directory();
        let key = directory.key(name).ok_or(Denied::NotCovered)?;
        if key.update && key.zones.contains(&change.zone) {
            Ok(())
        } else {
            Err(Denied::NotCovered)
        }
    }

    fn authorize_token(&self, token: &TokenActor, change: &Change) -> Result<(), Denied> {
        if !change.prerequisites.is_empty() {
            // A prerequisite tells whether a name exists: more than a token for addresses may know.
            return Err(Denied::Type);
        }
        let directory = self.live.directory();
        for edit in &change.edits {
            let owner = edit.owner().to_lowercase();
            let host = policy::authorize_edit(&directory, token, &owner, edit.rtype())?;
            let host = self.overlay.host(&owner).unwrap_or(host);
            let zone = directory.zone(&host.zone).filter(|zone| zone.apex == change.zone);
            let zone = zone.ok_or(Denied::NotCovered)?;
            for address in addresses(edit) {
                match address::verdict(address, host, zone, self.at) {
                    Verdict::Publish | Verdict::Dummy => {}
                    Verdict::Refuse(why) => return Err(why.into()),
                }
            }
        }
        Ok(())
    }

    /// An exposed token makes one change a minute; counted when a change is really made.
    fn pace(&mut self, actor: &Actor) -> Result<(), Denied> {
        let Actor::Token(actor) = actor else { return Ok(()) };
        let directory = self.live.directory();
        let token = policy::usable_token(&directory, actor)?;
        policy::exposed_pace(token, self.exposed_changes.get(&token.id).copied(), self.at)?;
        if token.exposed.is_some() {
            self.exposed_changes.insert(token.id, self.at);
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

    /// Hosts whose addresses turn public or private with these deltas, as facts.
    fn scopes(&mut self, actor: &Actor, deltas: &[Delta]) -> Vec<Fact> {
        if !matches!(actor, Actor::Token(_)) {
            return Vec::new();
        }
        let mut turned = Vec::new();
        for delta in deltas {
            let Some(scope) = published_scope(delta) else { continue };
            let Some(before) = self.host(&delta.owner) else { continue };
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

    fn host(&self, name: &Name) -> Option<Host> {
        let decided = self.overlay.host(name).cloned();
        decided.or_else(|| self.live.directory().host(name).cloned())
    }
}

/// Addresses that an edit would publish.
fn addresses(edit: &Edit) -> Vec<std::net::IpAddr> {
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

/// Private as soon as one address is: that is what the rebinding rule guards.
fn published_scope(delta: &Delta) -> Option<Scope> {
    let rrset = delta.after.as_ref()?;
    let scopes = rrset.rdata.iter().filter_map(|rdata| address_of(delta.rtype, rdata));
    scopes.map(address::scope).max_by_key(|scope| *scope == Scope::Private)
}

fn address_of(rtype: Rtype, rdata: &wire::Rdata) -> Option<std::net::IpAddr> {
    match rtype {
        Rtype::A => rdata.ipv4().map(Into::into),
        Rtype::AAAA => rdata.ipv6().map(Into::into),
        _ => None,
    }
}
