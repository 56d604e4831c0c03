//! Hosts that were gone and that somebody publishes addresses for again.

use std::borrow::Cow;

use account::{Actor, Entity, Host};
use store::Fact;
use wire::Rtype;
use zone::{Change, Delta, Edit};

use super::{Judge, addresses};
use crate::operate::unpark;

impl Judge<'_> {
    /// The parked hosts that a change makes their own again: whatever a token says of its host does,
    /// and the addresses that anybody else publishes.
    pub(super) fn parked(&self, actor: &Actor, change: &Change) -> Vec<Host> {
        let mut parked: Vec<Host> = Vec::new();
        let directory = self.live.directory();
        for edit in &change.edits {
            let speaks = || matches!(actor, Actor::Token(_)) || !addresses(edit).is_empty();
            let decided = self.overlay.host(edit.owner());
            let host = decided.or_else(|| directory.host(edit.owner()));
            let host =
                host.filter(|host| host.parked.is_some() && host.zone == change.zone && speaks());
            if let Some(host) = host
                && parked.iter().all(|known| known.name != host.name)
            {
                parked.push(host.clone());
            }
        }
        parked
    }

    /// They are there again, as facts.
    pub(super) fn unpark(&mut self, parked: Vec<Host>) -> Vec<Fact> {
        let mut facts = Vec::with_capacity(parked.len());
        for before in parked {
            let after = Host { parked: None, ..before.clone() };
            self.overlay.decide_host(self.batch, after.clone());
            let (before, after) = (Some(Entity::Host(before)), Some(Entity::Host(after)));
            facts.push(Fact::Entity { before, after });
        }
        facts
    }

    /// Hosts that would expire have been heard of. Doors note it as well, but only when the change is
    /// visible: meanwhile a host could be taken for gone.
    pub(super) fn heard(&self, change: &Change, actor: &Actor) {
        if matches!(actor, Actor::System) {
            return;
        }
        for edit in &change.edits {
            let expires = {
                let directory = self.live.directory();
                directory.host(edit.owner()).is_some_and(|host| host.expiry.is_some())
            };
            if expires {
                self.live.touch(edit.owner(), self.at);
            }
        }
    }
}

/// The change with what takes away first that stands in place of addresses of these hosts.
pub(super) fn returned<'c>(change: Cow<'c, Change>, parked: &[Host]) -> Cow<'c, Change> {
    if parked.is_empty() {
        return change;
    }
    let mut edits: Vec<Edit> = parked.iter().flat_map(|host| unpark(&host.name)).collect();
    edits.extend(change.edits.iter().cloned());
    Cow::Owned(Change { edits, ..change.into_owned() })
}

/// Deltas but for those of parked hosts that come back: the service has put there what goes.
pub(super) fn without_parked<'d>(
    deltas: &'d [Delta],
    parked: &[Host],
) -> impl Iterator<Item = &'d Delta> {
    let is_parked = |delta: &&Delta| {
        let own = matches!(delta.rtype, Rtype::A | Rtype::AAAA | Rtype::CNAME);
        own && parked.iter().any(|host| host.name == delta.owner)
    };
    deltas.iter().filter(move |delta| !is_parked(delta))
}
