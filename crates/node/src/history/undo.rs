//! Undoing: the inverse change, made only if what is there is still what the change has left.

use std::collections::BTreeMap;

use account::{Actor, Entity};
use engine::{Operation, Outcome, Refused, Request};
use gateway::SubmitError;
use store::{Event, Fact, Origin, Pos, ShardId, Store, Subject, belongs};
use wire::{Name, Rrset, Rtype};
use zone::{Change, Edit, Prerequisite, View};

use super::walk::Walk;
use super::{HistoryError, Order};
use crate::node::Node;

/// What is to be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// What the event at this position changed.
    Event(Pos),
    /// Everything that changed a name, and what hangs below it by labels like `_acme-challenge`, after
    /// this position.
    NameTo(Name, Pos),
}

/// An order to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// What is to be undone.
    pub target: Target,
    /// Also when something else is there now: that is overwritten.
    pub force: bool,
    /// Say what would be done and do nothing.
    pub dry_run: bool,
    /// Who asks. A token can do only what it could do by any change.
    pub actor: Actor,
    /// Where from.
    pub origin: Option<Origin>,
}

/// An RRset that an undo is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The zone.
    pub zone: Name,
    /// Its owner.
    pub owner: Name,
    /// Its type.
    pub rtype: Rtype,
    /// What should be there before: what the change has left.
    pub left: Option<Rrset>,
    /// What is there.
    pub now: Option<Rrset>,
    /// What shall be there.
    pub to: Option<Rrset>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Position of the change that was made, the last one where there was one for each of several
    /// zones; `None`: all was as it should be, or nothing was to be done.
    pub pos: Option<Pos>,
    /// What was set back.
    pub set_back: Vec<Difference>,
    /// What the event did as well and is not undone, in words.
    pub left_out: Vec<&'static str>,
}

/// Why nothing was undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The log cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The log has no such event (any more).
    #[error("the log has no event at this position (any more)")]
    NoSuchEvent,
    /// Nothing of it can be undone.
    #[error("{0}")]
    Cannot(&'static str),
    /// Something else is there now.
    #[error("what is there now is not what the change has left; nothing was undone")]
    Moved(Vec<Difference>),
    /// The engine refused the change.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The change could not be handed in.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The store cannot write.
    #[error("the store cannot write now; nothing was changed")]
    Unavailable,
}

/// Undoes what an event changed in records, or all that changed a name after a position, by a change of
/// its own, which can be undone in turn. Settings, tokens and keys are never set back.
///
/// # Errors
/// [`UndoError::Moved`] says what is there in place of what the change has left.
pub fn undo(node: &Node, order: &Undo) -> Result<Undone, UndoError> {
    let (mut wanted, left_out) = match &order.target {
        Target::Event(pos) => of_event(node, *pos)?,
        Target::NameTo(name, pos) => to_position(node, name, *pos)?,
    };
    for difference in &mut wanted {
        difference.now = now(node, difference)?;
        if matches!(order.target, Target::NameTo(..)) {
            difference.left = difference.now.clone();
        }
    }
    let moved = |difference: &&Difference| !same(&difference.now, &difference.left);
    let moved: Vec<Difference> = wanted.iter().filter(moved).cloned().collect();
    if !moved.is_empty() && !order.force {
        return Err(UndoError::Moved(moved));
    }
    wanted.retain(|difference| !same(&difference.now, &difference.to));
    let mut pos = None;
    if !order.dry_run {
        for change in changes(&wanted) {
            pos = submit(node, order, change, &wanted)?.or(pos);
        }
    }
    Ok(Undone { pos, set_back: wanted, left_out })
}

/// What an event changed, the other way round.
fn of_event(node: &Node, pos: Pos) -> Result<(Vec<Difference>, Vec<&'static str>), UndoError> {
    let commit = node.store().commit_with(pos).map_err(HistoryError::from)?;
    let commit = commit.ok_or(UndoError::NoSuchEvent)?;
    let event = commit.event(pos).map_err(HistoryError::from)?.ok_or(UndoError::NoSuchEvent)?;
    let left_out = left_out(&event)?;
    let mut wanted = Vec::new();
    for fact in event.body.facts {
        let Fact::Changed { zone, deltas, .. } = fact else { continue };
        // The SOA goes forward only.
        let deltas = deltas.into_iter().filter(|delta| delta.rtype != Rtype::SOA);
        wanted.extend(deltas.map(|delta| Difference {
            zone: zone.clone(),
            owner: delta.owner,
            rtype: delta.rtype,
            left: delta.after,
            now: None,
            to: delta.before,
        }));
    }
    if wanted.is_empty() {
        return Err(UndoError::Cannot(
            "this event changed no records: settings, tokens, keys and imports are not undone",
        ));
    }
    Ok((wanted, left_out))
}

/// What an event did that cannot be undone with its records; an error when the records alone make no
/// sense.
fn left_out(event: &Event) -> Result<Vec<&'static str>, UndoError> {
    let mut words = Vec::new();
    for fact in &event.body.facts {
        let Fact::Entity { before, after } = fact else {
            if matches!(fact, Fact::Leased { .. }) {
                words.push("leases: what comes back stays until somebody removes it");
            }
            continue;
        };
        match (before, after) {
            (Some(Entity::Host(_)), None) => {
                return Err(UndoError::Cannot(
                    "this event removed a host: add it again, then set its name back with `--to`",
                ));
            }
            (Some(Entity::Host(before)), Some(Entity::Host(after)))
                if before.parked != after.parked =>
            {
                return Err(UndoError::Cannot(
                    "a host went silent or came back: it comes back with its next update",
                ));
            }
            (Some(Entity::Host(_)), Some(Entity::Host(_))) => {}
            (Some(Entity::Token(_)), _) | (_, Some(Entity::Token(_))) => words.push("tokens"),
            _ => words.push("settings"),
        }
    }
    words.dedup();
    Ok(words)
}

/// The records of a name as they were at a position.
fn to_position(
    node: &Node,
    name: &Name,
    pos: Pos,
) -> Result<(Vec<Difference>, Vec<&'static str>), UndoError> {
    let store = node.store();
    let head = store.head(ShardId(0)).map_err(HistoryError::from)?;
    let oldest = store.oldest().map_err(HistoryError::from)?;
    if pos > head || pos.0 + 1 < oldest.0 {
        return Err(UndoError::NoSuchEvent);
    }
    let served = node.live().directory().zone_of(name).map(|zone| zone.apex.clone());
    let apex = served.ok_or(UndoError::Cannot("no zone is served for this name"))?;
    let subjects = Some(vec![Subject::name(name), Subject::zone(&apex)]);
    let mut walk = Walk::new(node, subjects, Order::NewestFirst, (Pos(pos.0 + 1), head));
    let mut found = BTreeMap::new();
    while let Some(event) = walk.next()? {
        for fact in event.body.facts {
            match fact {
                Fact::Changed { zone, deltas, .. } if zone == apex => {
                    let deltas = deltas.into_iter().filter(|delta| belongs(&delta.owner, name));
                    for delta in deltas.filter(|delta| delta.rtype != Rtype::SOA) {
                        // Backwards: the oldest one counts.
                        found.insert((delta.owner, delta.rtype), delta.before);
                    }
                }
                Fact::Imported { zone, .. } | Fact::ZoneDropped { zone } if zone == apex => {
                    return Err(UndoError::Cannot(
                        "the zone was imported or removed since: what was before is not known",
                    ));
                }
                _ => {}
            }
        }
    }
    if walk.stopped.is_some() {
        return Err(UndoError::Cannot("too much has happened since: undo it in smaller steps"));
    }
    let difference = |((owner, rtype), to)| {
        let zone = apex.clone();
        Difference { zone, owner, rtype, left: None, now: None, to }
    };
    Ok((found.into_iter().map(difference).collect(), Vec::new()))
}

fn now(node: &Node, difference: &Difference) -> Result<Option<Rrset>, UndoError> {
    let zone = node.live().zones().get(&difference.zone);
    let zone = zone.ok_or(UndoError::Cannot("the zone is not served any more"))?;
    Ok(zone.rrset(&difference.owner, difference.rtype))
}

/// The same records, in whatever order, with the same TTL.
fn same(a: &Option<Rrset>, b: &Option<Rrset>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            a.ttl_s == b.ttl_s
                && a.rdata.len() == b.rdata.len()
                && a.rdata.iter().all(|rdata| b.rdata.contains(rdata))
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// One change for each zone. What is there must still be what was looked at: somebody may change it
/// meanwhile.
fn changes(wanted: &[Difference]) -> Vec<Change> {
    let mut zones: BTreeMap<&Name, Change> = BTreeMap::new();
    for difference in wanted {
        let zone = &difference.zone;
        let change = zones.entry(zone).or_insert_with(|| Change::new(zone.clone(), Vec::new()));
        let (owner, rtype) = (difference.owner.clone(), difference.rtype);
        change.prerequisites.push(match &difference.now {
            Some(now) => Prerequisite::RrsetEquals(owner.clone(), rtype, now.rdata.clone()),
            None => Prerequisite::RrsetDoesNotExist(owner.clone(), rtype),
        });
        change.edits.push(match &difference.to {
            Some(to) => Edit::Replace { owner, rtype, rrset: to.clone() },
            None => Edit::DeleteRrset { owner, rtype },
        });
    }
    // What goes makes room for what comes: an alias stands alone.
    for change in zones.values_mut() {
        change.edits.sort_by_key(|edit| matches!(edit, Edit::Replace { .. }));
    }
    zones.into_values().collect()
}

fn submit(
    node: &Node,
    order: &Undo,
    change: Change,
    wanted: &[Difference],
) -> Result<Option<Pos>, UndoError> {
    let mut change = change;
    if matches!(order.actor, Actor::Token(_)) {
        // A token may not state prerequisites: what was just looked at has to do.
        change.prerequisites.clear();
    }
    let operation = Operation::Change { change, lease: None };
    let request = Request { actor: order.actor.clone(), origin: order.origin, operation };
    let outcome = node.client().submit(request)?.blocking_recv();
    match outcome.map_err(|_| SubmitError::Unconfirmed)? {
        Outcome::Done { pos, .. } => Ok(Some(pos)),
        Outcome::Unchanged => Ok(None),
        // Somebody was quicker.
        Outcome::Refused(Refused::Change(
            zone::Refusal::RrsetMissing | zone::Refusal::RrsetExists,
        )) => Err(UndoError::Moved(wanted.to_vec())),
        Outcome::Refused(why) => Err(why.into()),
        Outcome::Unavailable => Err(UndoError::Unavailable),
    }
}
