//! What of an event concerns whom, and who may see it.

use std::collections::HashMap;

use account::{AccountId, Directory, Entity, Timestamp, Token, TokenId};
use store::{ActorRef, Event, Fact, Pos, Subject, belongs};
use store_sqlite::SqliteStore;
use wire::{Name, Serial};

use super::entity;
use super::entry::{By, Changed, Entry, Source};
use super::{ByFilter, HistoryError, Kind, Of, Viewer};
use crate::node::Node;

/// Decides what of an event is shown.
pub(crate) struct Scope<'n> {
    node: &'n Node,
    of: Of,
    viewer: Viewer,
    /// Nothing older is for this viewer: the host had another owner then.
    since: Option<Timestamp>,
    /// Tokens that were looked up.
    tokens: HashMap<TokenId, (Option<String>, Option<AccountId>)>,
}

impl<'n> Scope<'n> {
    /// What a viewer sees of somebody.
    pub(crate) fn new(node: &'n Node, of: &Of, viewer: Viewer) -> Result<Scope<'n>, HistoryError> {
        let since = check(&node.live().directory(), of, viewer)?;
        Ok(Scope { node, of: of.clone(), viewer, since, tokens: HashMap::new() })
    }

    /// Whom to look up in the index; `None`: every event is looked at.
    pub(crate) fn subjects(&self) -> Option<Vec<Subject>> {
        match &self.of {
            Of::All => None,
            Of::Host(name) => Some(vec![Subject::name(name)]),
            Of::Zone(apex) => Some(vec![Subject::zone(apex)]),
            Of::Account(id) => {
                let directory = self.node.live().directory();
                let mut found = vec![Subject::account(*id)];
                let zones = directory.zones();
                let zones = zones.iter().filter(|zone| zone.account == *id);
                found.extend(zones.map(|zone| Subject::zone(&zone.apex)));
                if *id == AccountId(0) {
                    // The operator's hosts are not kept apart.
                    return None;
                }
                let hosts = directory.hosts_of(*id, None).take(SUBJECTS_MAX + 1);
                found.extend(hosts.map(|host| Subject::name(&host.name)));
                (found.len() <= SUBJECTS_MAX).then_some(found)
            }
        }
    }

    /// What is shown of an event; `None`: nothing.
    pub(crate) fn entry(&mut self, event: &Event, kinds: &[Kind]) -> Option<Entry> {
        if self.since.is_some_and(|since| event.body.at < since) {
            return None;
        }
        let (mut changes, serial) = self.changes(event);
        changes.retain(|changed| kinds.is_empty() || kinds.contains(&changed.kind()));
        if changes.is_empty() {
            return None;
        }
        let by = self.by(&event.body.actor);
        let source = match &event.origin {
            Some(_) if !self.may_see_source(&by) => Source::Erased,
            Some(origin) => Source::Known(origin.address),
            None if event.body.origin_commitment.is_some() => Source::Erased,
            None => Source::None,
        };
        let (pos, at, hash) = (event.pos, event.body.at, event.hash);
        Some(Entry { pos, at, by, source, serial, changes, hash })
    }

    fn changes(&self, event: &Event) -> (Vec<Changed>, Option<Serial>) {
        let directory = self.node.live().directory();
        let (of, at, facts) = (&self.of, event.body.at, &event.body.facts);
        let concern = Concern { of, at, facts, directory: &directory };
        let mut changes = Vec::new();
        let mut serial = None;
        for fact in &event.body.facts {
            match fact {
                Fact::Changed { zone, serial: new, deltas, .. } => {
                    let before = changes.len();
                    let concerned = deltas.iter().filter(|d| concern.records(zone, &d.owner));
                    changes.extend(concerned.map(|delta| Changed::Records {
                        zone: zone.clone(),
                        owner: delta.owner.clone(),
                        rtype: delta.rtype,
                        before: delta.before.clone(),
                        after: delta.after.clone(),
                    }));
                    if deltas.is_empty() && concern.zone(zone) {
                        changes.push(Changed::Moved { zone: zone.clone() });
                    }
                    serial = (changes.len() > before).then_some(*new).or(serial);
                }
                Fact::Entity { before, after } => {
                    let sides = [before.as_ref(), after.as_ref()];
                    if sides.into_iter().flatten().any(|entity| concern.entity(entity)) {
                        changes.extend(entity::changed(before.as_ref(), after.as_ref()));
                    }
                }
                Fact::Imported { zone, serial: new, .. } if concern.zone(zone) => {
                    changes.push(Changed::Imported { zone: zone.clone() });
                    serial = Some(*new);
                }
                Fact::ZoneDropped { zone } if concern.zone(zone) => {
                    changes.push(Changed::Dropped { zone: zone.clone() });
                }
                Fact::Imported { .. }
                | Fact::ZoneDropped { .. }
                | Fact::Staged { .. }
                | Fact::ImportDropped { .. }
                | Fact::Seen { .. }
                | Fact::Used { .. }
                | Fact::Leased { .. } => {}
            }
        }
        (changes, serial)
    }

    fn by(&mut self, actor: &ActorRef) -> By {
        match actor {
            ActorRef::System => By::System,
            ActorRef::Operator => By::Operator,
            ActorRef::Key(name) => By::Key(name.clone()),
            ActorRef::Token(id) => {
                let node = self.node;
                let known = self.tokens.entry(*id).or_insert_with(|| token(node, *id));
                let (label, account) = known.clone();
                By::Token { id: *id, label, account }
            }
        }
    }

    fn may_see_source(&self, by: &By) -> bool {
        match (self.viewer, &self.of, by) {
            (Viewer::Operator, ..) => true,
            (Viewer::Account(viewer), _, By::Token { account, .. }) => *account == Some(viewer),
            // Whoever holds a key of the zone, or the operator.
            (Viewer::Account(_), Of::Host(_) | Of::Account(_), _) => true,
            (Viewer::Account(_), Of::Zone(_) | Of::All, _) => false,
        }
    }
}

/// Whether an event was made by the one who is looked for.
pub(crate) fn made_by(actor: &ActorRef, wanted: &ByFilter) -> bool {
    match (wanted, actor) {
        (ByFilter::System, ActorRef::System) | (ByFilter::Operator, ActorRef::Operator) => true,
        (ByFilter::Token(wanted), ActorRef::Token(id)) => wanted.is_none_or(|w| w == id.0),
        (ByFilter::Key(wanted), ActorRef::Key(name)) => wanted.as_ref().is_none_or(|w| w == name),
        _ => false,
    }
}

/// Whether there is somebody to look at, for this viewer, and from when on.
fn check(
    directory: &Directory,
    of: &Of,
    viewer: Viewer,
) -> Result<Option<Timestamp>, HistoryError> {
    let Viewer::Account(viewer) = viewer else {
        return match of {
            Of::Account(id) if directory.account(*id).is_none() => {
                Err(HistoryError::Missing("account"))
            }
            // What was removed still has a history.
            _ => Ok(None),
        };
    };
    match of {
        Of::All => Err(HistoryError::OperatorOnly),
        Of::Host(name) => match directory.host(name) {
            Some(host) if host.account == viewer => Ok(Some(host.created)),
            Some(_) | None => Err(HistoryError::Missing("host")),
        },
        Of::Zone(apex) => match directory.zone(apex) {
            Some(zone) if zone.account == viewer => Ok(Some(zone.created)),
            Some(_) | None => Err(HistoryError::Missing("zone")),
        },
        Of::Account(id) if *id == viewer => Ok(None),
        Of::Account(_) => Err(HistoryError::Missing("account")),
    }
}

/// What concerns the one that is looked at.
struct Concern<'a> {
    of: &'a Of,
    at: Timestamp,
    facts: &'a [Fact],
    directory: &'a Directory,
}

impl Concern<'_> {
    fn records(&self, zone: &Name, owner: &Name) -> bool {
        match self.of {
            Of::All => true,
            Of::Host(name) => belongs(owner, name),
            Of::Zone(apex) => zone == apex,
            Of::Account(id) => self.zone(zone) || self.is_hosts(*id, owner),
        }
    }

    /// Whether a name belongs to a host that the account had then.
    fn is_hosts(&self, id: AccountId, owner: &Name) -> bool {
        let mut candidate = Some(owner.clone());
        while let Some(name) = candidate {
            if !belongs(owner, &name) {
                break;
            }
            if let Some(host) = self.directory.host(&name) {
                return host.account == id && host.created <= self.at;
            }
            candidate = name.parent();
        }
        self.facts.iter().any(|fact| match fact {
            // A host goes with its addresses.
            Fact::Entity { before: Some(Entity::Host(host)), after: None } => {
                host.account == id && belongs(owner, &host.name)
            }
            _ => false,
        })
    }

    fn zone(&self, zone: &Name) -> bool {
        match self.of {
            Of::All => true,
            Of::Host(_) => false,
            Of::Zone(apex) => zone == apex,
            Of::Account(id) => {
                let entry = self.directory.zone(zone);
                entry.is_some_and(|entry| entry.account == *id && entry.created <= self.at)
            }
        }
    }

    fn entity(&self, entity: &Entity) -> bool {
        match self.of {
            Of::All => true,
            Of::Host(name) => match entity {
                Entity::Host(host) => host.name == *name,
                Entity::Token(token) => token.names().any(|named| belongs(named, name)),
                Entity::Released(released) => released.name == *name,
                Entity::Account(_) | Entity::Zone(_) | Entity::Key(_) | Entity::Webhook(_) => false,
            },
            Of::Zone(apex) => match entity {
                Entity::Zone(zone) => zone.apex == *apex,
                Entity::Host(host) => host.zone == *apex,
                Entity::Key(key) => key.zones.contains(apex),
                Entity::Released(released) => released.zone == *apex,
                Entity::Account(_) | Entity::Token(_) | Entity::Webhook(_) => false,
            },
            Of::Account(id) => match entity {
                Entity::Account(account) => account.id == *id,
                Entity::Zone(zone) => zone.account == *id,
                Entity::Host(host) => host.account == *id,
                Entity::Token(token) => token.account == *id,
                Entity::Released(released) => released.account == *id,
                Entity::Webhook(webhook) => webhook.account == *id,
                Entity::Key(_) => false,
            },
        }
    }
}

/// What a token was for and whose it is. One that is gone is looked up where it was made: its number
/// is the position of that.
fn token(node: &Node, id: TokenId) -> (Option<String>, Option<AccountId>) {
    let told = |token: &Token| (Some(token.label.clone()), Some(token.account));
    if let Some(token) = node.live().directory().token(id) {
        return told(token);
    }
    made_at(node.store(), id).as_ref().map(told).unwrap_or_default()
}

fn made_at(store: &SqliteStore, id: TokenId) -> Option<Token> {
    let at = Pos(id.0);
    let event = store.commit_with(at).ok()??.event(at).ok()??;
    event.body.facts.into_iter().find_map(|fact| match fact {
        Fact::Entity { after: Some(Entity::Token(token)), .. } if token.id == id => Some(token),
        _ => None,
    })
}

/// Most hosts and zones of an account that are looked up one by one; of more, every event is looked
/// at.
const SUBJECTS_MAX: usize = 512;
