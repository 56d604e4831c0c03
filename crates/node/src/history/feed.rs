//! Changes as they become visible, for those who listen: server-sent events and the like.
//!
//! One thread reads the log once for all who listen, and only while somebody does; the writer does
//! nothing for it. What was read last stands in a ring of bounded size. Who is slower than the ring is
//! cut off, and may come again and name the last position that it has seen: what lies between is read
//! from the log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::{Event, Fact, Pos, ShardId, Store};
use tokio::sync::watch;

use super::scope::Scope;
use super::{Entry, Filter, HistoryError, Of, Order, Query, Viewer, read};
use crate::node::Node;
use crate::tide::Tide;

/// Where those who listen get events from.
#[derive(Debug)]
pub(crate) struct Feed {
    ring: Mutex<Ring>,
    /// The last position in the ring.
    end: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    listeners: usize,
    /// A thread fills the ring.
    is_filled: bool,
    /// The last events up to `end`, without a gap.
    events: VecDeque<(Arc<Event>, usize)>,
    /// Octets of them, more or less.
    octets: usize,
    end: Pos,
}

/// Somebody who listens. Dropping it ends that.
pub struct Subscription {
    node: Arc<Node>,
    of: Of,
    viewer: Viewer,
    /// The last position that was looked at.
    after: Pos,
    end: watch::Receiver<u64>,
    /// It has reached the ring; from then on it has to be quick enough.
    is_live: bool,
    /// Read from the log, not told yet; then everything up to `looked` is.
    entries: VecDeque<Entry>,
    looked: Pos,
    /// Taken from the ring, not looked at yet.
    events: VecDeque<Arc<Event>>,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something changed.
    Entry(Box<Entry>),
    /// The listener was too slow, and is not told what follows this position. It may subscribe anew
    /// behind it. Nothing comes after this.
    CutOff(Pos),
    /// The service stops, or there is nothing to see for this viewer any more. Nothing comes after
    /// this; the position is the last one that was looked at.
    Ended(Pos),
}

/// Why nobody can listen.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The log does not reach back so far: something in between is not known any more.
    #[error("the log starts at {}: what was before it is not known any more", .oldest.0)]
    TooOld {
        /// Its oldest position.
        oldest: Pos,
    },
    /// There are too many already.
    #[error("too many are listening; try again later")]
    TooMany,
    /// There is nothing to see.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The thread that reads the log cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl Default for Feed {
    fn default() -> Feed {
        Feed { ring: Mutex::default(), end: watch::Sender::new(0) }
    }
}

/// Listens to what happens to somebody, from now on or from behind a position: of everything that is
/// visible after it, what concerns this viewer is told once and in order. Blocks for a short look at
/// the store.
///
/// # Errors
/// [`SubscribeError`].
pub fn subscribe(
    node: &Arc<Node>,
    of: Of,
    viewer: Viewer,
    after: Option<Pos>,
) -> Result<Subscription, SubscribeError> {
    // Whether there is anything to see at all.
    Scope::new(node, &of, viewer)?;
    let oldest = node.store().oldest().map_err(HistoryError::from)?;
    if after.is_some_and(|after| after.0 + 1 < oldest.0) {
        return Err(SubscribeError::TooOld { oldest });
    }
    let feed = node.feed();
    let mut ring = feed.lock();
    if ring.listeners >= LISTENERS_MAX {
        metrics::counter!("byname_feed_refused_total").increment(1);
        return Err(SubscribeError::TooMany);
    }
    if !ring.is_filled {
        (ring.end, ring.octets) = (node.tide().visible(), 0);
        ring.events.clear();
        let (own, store, tide) = (Arc::clone(feed), node.store_handle(), Arc::clone(node.tide()));
        let fill = move || own.fill(&*store, &tide);
        std::thread::Builder::new()
            .name("feed".to_owned())
            .spawn(fill)
            .map_err(SubscribeError::Thread)?;
        ring.is_filled = true;
    }
    ring.listeners += 1;
    let now = ring.end;
    drop(ring);
    // A position that is ahead of us is of another log, or invented.
    let after = after.map_or(now, |after| after.min(node.tide().visible()));
    metrics::gauge!("byname_feed_listeners").increment(1.0);
    Ok(Subscription {
        node: Arc::clone(node),
        of,
        viewer,
        after,
        end: feed.end.subscribe(),
        is_live: false,
        entries: VecDeque::new(),
        looked: Pos(0),
        events: VecDeque::new(),
    })
}

impl Subscription {
    /// The last position that was looked at: all before it was told.
    pub fn position(&self) -> Pos {
        self.after
    }

    /// Waits for what there is to be told next. May be dropped and called again: nothing is lost.
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some(entry) = self.entries.pop_front() {
                self.after = self.after.max(entry.pos);
                return Told::Entry(Box::new(entry));
            }
            self.after = self.after.max(self.looked);
            while let Some(event) = self.events.pop_front() {
                self.after = event.pos;
                let Ok(mut scope) = Scope::new(&self.node, &self.of, self.viewer) else {
                    return Told::Ended(self.after);
                };
                if let Some(entry) = scope.entry(&event, &[]) {
                    return Told::Entry(Box::new(entry));
                }
            }
            let seen = *self.end.borrow_and_update();
            if self.node.tide().has_ended() {
                return Told::Ended(self.after);
            }
            match self.node.feed().take(self.after) {
                Some(events) if !events.is_empty() => {
                    self.is_live = true;
                    self.events = events;
                }
                Some(_) => {
                    self.is_live = true;
                    if seen <= self.after.0 && self.end.changed().await.is_err() {
                        return Told::Ended(self.after);
                    }
                }
                None if self.is_live => {
                    metrics::counter!("byname_feed_cut_off_total").increment(1);
                    return Told::CutOff(self.after);
                }
                None => {
                    if let Some(ended) = self.catch_up().await {
                        return ended;
                    }
                }
            }
        }
    }

    /// Reads what the ring does not have any more.
    async fn catch_up(&mut self) -> Option<Told> {
        let (node, after) = (Arc::clone(&self.node), self.after);
        let visible = node.tide().visible();
        let query = Query {
            of: self.of.clone(),
            viewer: self.viewer,
            order: Order::OldestFirst,
            from: Some(after),
            filter: Filter::default(),
            limit: PAGE,
        };
        let page = tokio::task::spawn_blocking(move || read(&node, &query)).await;
        let Ok(Ok(page)) = page else { return Some(Told::Ended(self.after)) };
        if page.oldest.0 > after.0 + 1 {
            // It was trimmed meanwhile.
            return Some(Told::CutOff(self.after));
        }
        self.looked = page.next.unwrap_or(visible).min(visible);
        self.entries = page.entries.into_iter().filter(|entry| entry.pos <= visible).collect();
        None
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        metrics::gauge!("byname_feed_listeners").decrement(1.0);
        let mut ring = self.node.feed().lock();
        ring.listeners = ring.listeners.saturating_sub(1);
        let is_last = ring.listeners == 0;
        drop(ring);
        if is_last {
            self.node.tide().wake();
        }
    }
}

impl Feed {
    /// Everybody who listens looks up.
    pub(crate) fn close(&self) {
        self.end.send_modify(|_| {});
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some events behind a position; `None` when the ring does not reach back to it.
    fn take(&self, after: Pos) -> Option<VecDeque<Arc<Event>>> {
        let ring = self.lock();
        let first = ring.end.0 - ring.events.len() as u64 + 1;
        let skip = (after.0 + 1).checked_sub(first)?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Some(ring.events.iter().skip(skip).take(TAKEN).map(|(e, _)| Arc::clone(e)).collect())
    }

    /// Fills the ring while somebody listens.
    fn fill(&self, store: &dyn Store, tide: &Tide) {
        loop {
            let after = {
                let mut ring = self.lock();
                if ring.listeners == 0 || tide.has_ended() {
                    *ring = Ring { listeners: ring.listeners, ..Ring::default() };
                    drop(ring);
                    return self.close();
                }
                ring.end
            };
            let visible = tide.visible();
            if visible <= after {
                tide.wait_past(after, PAUSE);
                continue;
            }
            match store.read(ShardId(0), after, READ_OCTETS) {
                Ok(commits) => {
                    let events = commits.into_iter().flat_map(|commit| commit.events);
                    let new = |event: &Event| event.pos > after && event.pos <= visible;
                    self.put(events.filter(new));
                }
                Err(why) => {
                    tracing::warn!(%why, "those who listen to changes hear nothing for a moment");
                    std::thread::park_timeout(PAUSE);
                }
            }
        }
    }

    fn put(&self, events: impl Iterator<Item = Event>) {
        let mut ring = self.lock();
        for event in events {
            let octets = octets(&event);
            ring.end = event.pos;
            ring.octets += octets;
            ring.events.push_back((Arc::new(event), octets));
            while ring.events.len() > RING_EVENTS
                || (ring.octets > RING_OCTETS && ring.events.len() > 1)
            {
                let gone = ring.events.pop_front().map_or(0, |(_, octets)| octets);
                ring.octets -= gone;
            }
        }
        let end = ring.end.0;
        drop(ring);
        self.end.send_replace(end);
    }
}

/// How much memory an event takes, more or less.
fn octets(event: &Event) -> usize {
    let of_rrset = |rrset: &wire::Rrset| {
        rrset.rdata.iter().map(|rdata| rdata.as_wire().len() + 32).sum::<usize>()
    };
    let of_fact = |fact: &Fact| match fact {
        Fact::Changed { deltas, .. } => {
            let sides = deltas.iter().flat_map(|delta| delta.before.iter().chain(&delta.after));
            sides.map(of_rrset).sum::<usize>() + deltas.len() * 96
        }
        Fact::Staged { part, .. } => part.as_octets().len(),
        Fact::Seen { hosts } => hosts.len() * 64,
        Fact::Used { tokens } => tokens.len() * 16,
        Fact::Leased { leases, .. } => leases.len() * 192,
        Fact::Entity { .. }
        | Fact::ZoneDropped { .. }
        | Fact::Imported { .. }
        | Fact::ImportDropped { .. } => 512,
    };
    256 + event.body.facts.iter().map(of_fact).sum::<usize>()
}

/// Most who listen at once.
const LISTENERS_MAX: usize = 1024;
/// Most events in the ring.
const RING_EVENTS: usize = 8192;
/// Octets of them, more or less.
const RING_OCTETS: usize = 16 * 1024 * 1024;
/// Events that one who listens takes at once.
const TAKEN: usize = 64;
/// Entries that are read at once from the log.
const PAGE: usize = 200;
/// Octets that are read at once from the log.
const READ_OCTETS: usize = 1024 * 1024;
/// How long the thread waits at most until it looks whether anybody still listens.
const PAUSE: Duration = Duration::from_secs(1);
