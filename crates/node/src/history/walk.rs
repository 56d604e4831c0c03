//! Paging through the log.

use std::sync::PoisonError;

use account::Timestamp;
use store::{Event, Pos, ShardId, Store, Subject};
use store_sqlite::{SqliteStore, StoredCommit, block, bounds};

use super::scope::{Scope, made_by};
use super::{HistoryError, LIMIT_MAX, Order, Page, Query};
use crate::node::Node;

/// Reads a page of a history. What a call costs is bounded, however little it finds: then the page
/// is short, and says where to go on.
///
/// # Errors
/// [`HistoryError`]; nobody learns whether a host of another account exists.
pub fn read(node: &Node, query: &Query) -> Result<Page, HistoryError> {
    let mut scope = Scope::new(node, &query.of, query.viewer)?;
    let store = node.store();
    let (oldest, head) = (store.oldest()?, store.head(ShardId(0))?);
    let mut page = Page { entries: Vec::new(), next: None, oldest, head };
    let (low, high) = range(store, query, (oldest, head))?;
    let limit = query.limit.clamp(1, LIMIT_MAX);
    let mut walk = Walk::new(node, scope.subjects(), query.order, (low, high));
    while let Some(event) = walk.next()? {
        let by = &query.filter.by;
        if by.as_ref().is_some_and(|by| !made_by(&event.body.actor, by)) {
            continue;
        }
        page.entries.extend(scope.entry(&event, &query.filter.kinds));
        if page.entries.len() >= limit {
            page.next = walk.rest(event.pos);
            return Ok(page);
        }
    }
    page.next = walk.stopped;
    Ok(page)
}

/// First and last position that the query can find.
fn range(
    store: &SqliteStore,
    query: &Query,
    (oldest, head): (Pos, Pos),
) -> Result<(Pos, Pos), HistoryError> {
    let (mut low, mut high) = (oldest.max(Pos(1)), head);
    if let Some(since) = query.filter.since {
        let before = store.last_before(Timestamp(since.0.saturating_sub(1)))?;
        low = low.max(Pos(before.0.saturating_add(1)));
    }
    if let Some(until) = query.filter.until {
        high = high.min(store.last_before(until)?);
    }
    match (query.order, query.from) {
        (_, None) => {}
        (Order::NewestFirst, Some(from)) => high = high.min(Pos(from.0.saturating_sub(1))),
        (Order::OldestFirst, Some(from)) => low = low.max(Pos(from.0.saturating_add(1))),
    }
    Ok((low, high))
}

/// Events that may be about somebody, one after the other.
pub(super) struct Walk<'n> {
    node: &'n Node,
    subjects: Option<Vec<Subject>>,
    order: Order,
    low: Pos,
    high: Pos,
    /// The next block; `None`: there is no more.
    block: Option<u64>,
    /// Ranges of the block that are to be looked at, the next one last.
    ranges: Vec<(Pos, Pos)>,
    commit: Option<StoredCommit>,
    events: usize,
    octets: usize,
    blocks: usize,
    /// Where to go on, when enough was looked at.
    pub(super) stopped: Option<Pos>,
}

impl<'n> Walk<'n> {
    pub(super) fn new(
        node: &'n Node,
        subjects: Option<Vec<Subject>>,
        order: Order,
        (low, high): (Pos, Pos),
    ) -> Walk<'n> {
        let first = match order {
            Order::NewestFirst => block(high),
            Order::OldestFirst => block(low),
        };
        Walk {
            node,
            subjects,
            order,
            low,
            high,
            block: (low <= high).then_some(first),
            ranges: Vec::new(),
            commit: None,
            events: 0,
            octets: 0,
            blocks: 0,
            stopped: None,
        }
    }

    /// The next event; `None` at the end, or when enough was looked at.
    pub(super) fn next(&mut self) -> Result<Option<Event>, HistoryError> {
        while self.stopped.is_none() {
            let Some(pos) = self.position()? else { return Ok(None) };
            if self.events >= EVENTS_MAX || self.octets >= OCTETS_MAX {
                self.stopped = Some(self.before(pos));
                return Ok(None);
            }
            self.events += 1;
            if let Some(event) = self.event(pos)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Where to go on behind a position; `None` when nothing can be there.
    pub(super) fn rest(&self, pos: Pos) -> Option<Pos> {
        let is_end = match self.order {
            Order::NewestFirst => pos <= self.low,
            Order::OldestFirst => pos >= self.high,
        };
        (!is_end).then_some(pos)
    }

    /// What to name so that a position is the next one.
    fn before(&self, pos: Pos) -> Pos {
        match self.order {
            Order::NewestFirst => Pos(pos.0 + 1),
            Order::OldestFirst => Pos(pos.0.saturating_sub(1)),
        }
    }

    /// The next position to be looked at.
    fn position(&mut self) -> Result<Option<Pos>, HistoryError> {
        loop {
            if let Some((first, last)) = self.ranges.last_mut() {
                let pos = match self.order {
                    Order::NewestFirst => *last,
                    Order::OldestFirst => *first,
                };
                if first == last {
                    self.ranges.pop();
                } else {
                    match self.order {
                        Order::NewestFirst => last.0 -= 1,
                        Order::OldestFirst => first.0 += 1,
                    }
                }
                return Ok(Some(pos));
            }
            let Some(block) = self.block else { return Ok(None) };
            if self.blocks >= BLOCKS_MAX {
                let (first, last) = bounds(block);
                self.stopped = Some(match self.order {
                    Order::NewestFirst => Pos(last.min(self.high).0 + 1),
                    Order::OldestFirst => Pos(first.max(self.low).0.saturating_sub(1)),
                });
                return Ok(None);
            }
            self.blocks += 1;
            self.ranges = self.ranges_of(block)?;
            self.block = match self.order {
                Order::NewestFirst => block.checked_sub(1),
                Order::OldestFirst => Some(block + 1),
            };
            let (first, last) = self.block.map(bounds).unwrap_or_default();
            if last < self.low || first > self.high {
                self.block = None;
            }
        }
    }

    /// What is to be looked at in a block.
    fn ranges_of(&self, block: u64) -> Result<Vec<(Pos, Pos)>, HistoryError> {
        let mut ranges = match &self.subjects {
            None => vec![bounds(block)],
            Some(subjects) => {
                let index = self.node.index().lock().unwrap_or_else(PoisonError::into_inner);
                index.find(block, subjects)?
            }
        };
        for (first, last) in &mut ranges {
            (*first, *last) = ((*first).max(self.low), (*last).min(self.high));
        }
        ranges.retain(|(first, last)| first <= last);
        if self.order == Order::OldestFirst {
            ranges.reverse();
        }
        Ok(ranges)
    }

    fn event(&mut self, pos: Pos) -> Result<Option<Event>, HistoryError> {
        let holds = |commit: &StoredCommit| (commit.first()..=commit.last()).contains(&pos);
        if !self.commit.as_ref().is_some_and(holds) {
            self.commit = self.node.store().commit_with(pos)?;
            self.octets += self.commit.as_ref().map_or(0, StoredCommit::octets);
        }
        // What was trimmed meanwhile is passed over.
        let Some(commit) = &self.commit else { return Ok(None) };
        Ok(commit.event(pos)?)
    }
}

/// Most events that one call looks at.
const EVENTS_MAX: usize = 20_000;
/// Octets of the log at which one call stops.
const OCTETS_MAX: usize = 64 * 1024 * 1024;
/// Most blocks of the index that one call looks into: 65,536 events each.
const BLOCKS_MAX: usize = 2048;
