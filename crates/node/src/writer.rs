//! The one thread that writes: it drives the engine's step function.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use account::{Actor, Entity, Timestamp};
use engine::{Engine, Operation, Reply, Request, Settled, Submission, Ticket};
use gateway::{Letters, Random, ReplyTo};
use store::{AppendError, BatchId, Event, Fact, NodeId, Store, Writer as Fence};

use crate::appender::{self, Appender, Job};
use crate::expirer::Expirer;
use crate::tide::Tide;

/// What the writer thread owns.
pub(crate) struct Writer {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) fence: Fence,
    pub(crate) letters: Letters,
    /// Wakes the folder after a commit.
    pub(crate) wake_folder: SyncSender<()>,
    pub(crate) writable: Arc<AtomicBool>,
    /// The node stops: nothing is waited for without end.
    pub(crate) stopping: Arc<AtomicBool>,
    /// When it was last seen whether the store can write.
    pub(crate) probed: Instant,
    /// Who we are in the store.
    pub(crate) owner: NodeId,
    pub(crate) random: Random,
    pub(crate) expirer: Expirer,
    /// Since when there is memory to give back to the system.
    pub(crate) freed: Option<Instant>,
    pub(crate) appender: Appender,
    pub(crate) flying: Option<Flying>,
    pub(crate) tide: Arc<Tide>,
}

/// A batch that is being written.
pub(crate) struct Flying {
    job: Job,
    since: Instant,
}

/// Replies that are owed, by ticket: tickets follow each other, and most are answered in order.
#[derive(Default)]
struct Owed {
    /// The last ticket that was answered with all before it.
    done: u64,
    replies: VecDeque<Option<ReplyTo>>,
}

/// The writer cannot go on: whoever waits for an answer learns that there is none.
struct Ended;

impl Writer {
    /// Runs until all clients are gone and everything queued is answered, or until the log is not
    /// ours any more, or not known when the node stops.
    pub(crate) fn run(mut self) {
        let mut owed = Owed::default();
        let mut flushed = Instant::now();
        let mut closing = false;
        self.set_writable(true);
        loop {
            let open = if self.is_idle() { self.collect(&mut owed) } else { self.take(&mut owed) };
            let ends = !open && !closing;
            closing |= ends;
            self.look_after(&mut owed);
            if ends || flushed.elapsed() >= SEEN_FLUSH {
                flushed = Instant::now();
                for _ in 0..self.engine.live().flushes_due() {
                    self.push(system(Operation::FlushSeen), &mut owed);
                }
            }
            if !self.is_idle()
                && let Err(Ended) = self.step(&mut owed)
            {
                return self.set_writable(false);
            }
            if closing && self.is_idle() {
                return;
            }
        }
    }

    /// Whether nothing waits to be judged, and nothing is being written.
    fn is_idle(&self) -> bool {
        self.engine.waiting() == 0 && self.flying.is_none()
    }

    /// What is to be done from time to time.
    fn look_after(&mut self, owed: &mut Owed) {
        if self.flying.is_none() {
            self.probe();
        }
        // Later, as queries may still hold what was freed; and once for all that goes meanwhile.
        if self.freed.is_some_and(|since| since.elapsed() >= GIVE_BACK) {
            self.freed = None;
            memory::give_back();
        }
        if self.writable.load(Ordering::Relaxed) {
            for request in self.expirer.due(self.engine.live(), now()) {
                self.push(request, owed);
            }
        }
    }

    /// After a failed write: finds out whether the store can write again, even when no change comes
    /// by, because nobody sends changes to a node that says it takes none.
    fn probe(&mut self) {
        if self.writable.load(Ordering::Relaxed) || self.probed.elapsed() < PROBE {
            return;
        }
        self.probed = Instant::now();
        // Becoming the writer once more is the smallest durable write.
        match self.store.acquire(self.fence.shard, &self.owner) {
            Ok(fence) => {
                tracing::info!("the store can write again");
                self.fence = fence;
                self.set_writable(true);
            }
            Err(error) => tracing::warn!(%error, "the store still cannot write"),
        }
    }

    fn set_writable(&mut self, writable: bool) {
        self.probed = Instant::now();
        self.writable.store(writable, Ordering::Relaxed);
        metrics::gauge!("byname_store_writable").set(if writable { 1.0 } else { 0.0 });
    }

    /// Waits for a letter and takes all that are there; whether more can come.
    fn collect(&mut self, owed: &mut Owed) -> bool {
        let wait = if self.writable.load(Ordering::Relaxed) {
            let freed = self.freed.map_or(SEEN_FLUSH, |_| GIVE_BACK);
            freed.min(self.expirer.wait(self.engine.live(), now()))
        } else {
            PROBE
        };
        self.letters.wait(wait) && self.take(owed)
    }

    /// Takes all letters that are there; whether more can come.
    fn take(&mut self, owed: &mut Owed) -> bool {
        let room = COLLECT_MAX.saturating_sub(self.engine.waiting());
        let engine = &mut self.engine;
        self.letters.take(room, |letter| {
            engine.push(Submission {
                ticket: owed.note(Some(letter.reply)),
                request: letter.request,
            });
        })
    }

    fn push(&mut self, request: Request, owed: &mut Owed) {
        self.engine.push(Submission { ticket: owed.note(None), request });
    }

    /// One round: judge, write, make visible, answer. While a batch is being written, what has come
    /// since is judged already; it is written once that one is settled.
    fn step(&mut self, owed: &mut Owed) -> Result<(), Ended> {
        let step = self.engine.step(now());
        answer(step.replies, owed);
        if let Some(flying) = self.flying.take() {
            let written = self.appender.end();
            // When it was not, what was judged meanwhile is void, and judged again.
            if self.settle(&flying, written, owed)? != Settled::Durable {
                return Ok(());
            }
        }
        let Some(batch) = step.batch else { return Ok(()) };
        let id = match self.random.octets() {
            Ok(octets) => BatchId(octets),
            Err(error) => {
                tracing::error!(%error, "changes are refused");
                answer(self.engine.settle(batch.number, Settled::NotWritten), owed);
                return Ok(());
            }
        };
        let flying =
            Flying { job: Job { fence: self.fence.clone(), id, batch }, since: Instant::now() };
        self.take(owed);
        if self.engine.waiting() > 0 {
            self.appender.begin(flying.job.clone());
            self.flying = Some(flying);
        } else {
            // Nothing to judge meanwhile: another thread would only cost time.
            let written = appender::append(&*self.store, &flying.job);
            self.settle(&flying, written, owed)?;
        }
        Ok(())
    }

    /// Makes a batch visible when it was written, and answers.
    fn settle(
        &mut self,
        flying: &Flying,
        written: Result<(), AppendError>,
        owed: &mut Owed,
    ) -> Result<Settled, Ended> {
        let settled = self.settled(flying.job.id, written)?;
        let batch = &flying.job.batch;
        metrics::histogram!("byname_commit_seconds").record(flying.since.elapsed().as_secs_f64());
        self.set_writable(settled != Settled::NotWritten);
        if settled == Settled::Durable {
            metrics::counter!("byname_commits_total").increment(1);
            metrics::counter!("byname_events_total").increment(batch.events.len() as u64);
            batch.events.iter().for_each(tell_of_hosts);
        }
        let replies = self.engine.settle(batch.number, settled);
        // Whoever is answered and listens from then on is not told of what was answered.
        self.tide.rise(self.engine.stands_at().0);
        answer(replies, owed);
        if settled == Settled::Durable && batch.events.iter().any(is_of_webhooks) {
            self.tide.wake();
        }
        if settled == Settled::Durable && batch.events.iter().any(frees_much) {
            self.freed.get_or_insert_with(Instant::now);
        }
        match self.wake_folder.try_send(()) {
            Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
        Ok(settled)
    }

    /// Whether a batch is in the log.
    fn settled(&mut self, id: BatchId, written: Result<(), AppendError>) -> Result<Settled, Ended> {
        match written {
            Ok(()) => Ok(Settled::Durable),
            Err(AppendError::Unknown(why)) => {
                tracing::error!(why, "could not confirm a commit; asking the store");
                self.settle_unknown(id)
            }
            // Somebody else wrote: what we have in memory is not the log's state any more, and taking
            // the log back would let two writers take turns.
            Err(error @ (AppendError::Fenced | AppendError::HeadMoved(_))) => {
                tracing::error!(
                    %error,
                    hint = "find out who writes to the data directory, then start the service again",
                    "the log is not ours any more; no change is taken until the service is restarted"
                );
                Err(Ended)
            }
            // The disk is fine, and so are the other changes.
            Err(error @ AppendError::TooLarge { .. }) => {
                metrics::counter!("byname_commit_failures_total").increment(1);
                tracing::warn!(%error, "a commit was too large; its changes go into smaller ones");
                Ok(Settled::TooLarge)
            }
            Err(error) => {
                metrics::counter!("byname_commit_failures_total").increment(1);
                // Every change fails as long as the disk is full: once is enough.
                if self.writable.load(Ordering::Relaxed) {
                    tracing::error!(
                        %error,
                        hint = "changes are refused until the store can write; queries are answered",
                        "a commit was not written"
                    );
                }
                Ok(Settled::NotWritten)
            }
        }
    }

    /// Asks until the store knows: nothing is answered before. When the node stops, only for so long
    /// as a stop may take: the next start finds out, and nobody has been told anything.
    fn settle_unknown(&mut self, id: BatchId) -> Result<Settled, Ended> {
        self.set_writable(false);
        let mut pause = UNKNOWN_PAUSE_MIN;
        let mut stopping: Option<Instant> = None;
        loop {
            match self.store.outcome(self.fence.shard, id) {
                Ok(Some(_)) => return Ok(Settled::Durable),
                Ok(None) => return Ok(Settled::NotWritten),
                Err(error) => tracing::error!(%error, "the store does not say yet"),
            }
            if self.stopping.load(Ordering::Relaxed)
                && stopping.get_or_insert_with(Instant::now).elapsed() >= UNKNOWN_STOP
            {
                tracing::error!(
                    hint = "look at the disk; the next start finds out whether it was written",
                    "stopping without knowing whether the last commit was written; nobody was told \
                     that it was"
                );
                return Err(Ended);
            }
            std::thread::park_timeout(pause);
            pause = (pause * 2).min(UNKNOWN_PAUSE_MAX);
        }
    }
}

/// Whether an event makes the content of a whole zone go away.
fn frees_much(event: &Event) -> bool {
    let frees = |fact: &Fact| match fact {
        Fact::Imported { .. } | Fact::ImportDropped { .. } | Fact::ZoneDropped { .. } => true,
        Fact::Changed { .. }
        | Fact::Leased { .. }
        | Fact::Entity { .. }
        | Fact::Staged { .. }
        | Fact::Seen { .. }
        | Fact::Used { .. } => false,
    };
    event.body.facts.iter().any(frees)
}

/// Whether somebody else is to be called from now on, or nobody.
fn is_of_webhooks(event: &Event) -> bool {
    let is_one = |entity: &Entity| matches!(entity, Entity::Webhook(_));
    event.body.facts.iter().any(|fact| match fact {
        Fact::Entity { before, after } => before.iter().chain(after).any(is_one),
        _ => false,
    })
}

/// Says which hosts were taken for gone, and which of them are there again.
fn tell_of_hosts(event: &Event) {
    for fact in &event.body.facts {
        let Fact::Entity { before: Some(Entity::Host(before)), after: Some(Entity::Host(after)) } =
            fact
        else {
            continue;
        };
        let host = &after.name;
        match (before.parked, after.parked) {
            (None, Some(_)) => {
                tracing::info!(%host, "nothing was heard of this host: its addresses are withdrawn");
                metrics::counter!("byname_hosts_expired_total").increment(1);
            }
            (Some(_), None) => tracing::info!(%host, "this host is there again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
}

fn system(operation: Operation) -> Request {
    Request { actor: Actor::System, origin: None, operation }
}

fn answer(replies: Vec<Reply>, owed: &mut Owed) {
    gateway::tell(replies.into_iter().filter_map(|reply| {
        let to = owed.take(reply.ticket)?;
        Some((to, reply.outcome))
    }));
}

impl Owed {
    /// The next ticket.
    fn note(&mut self, reply: Option<ReplyTo>) -> Ticket {
        self.replies.push_back(reply);
        Ticket(self.done + self.replies.len() as u64)
    }

    /// Whom a ticket's outcome is owed to.
    fn take(&mut self, Ticket(ticket): Ticket) -> Option<ReplyTo> {
        let place = usize::try_from(ticket.checked_sub(self.done + 1)?).ok()?;
        let to = self.replies.get_mut(place)?.take();
        // Those that nobody waits for are never answered to anybody: they go with the others.
        while let Some(None) = self.replies.front() {
            self.replies.pop_front();
            self.done += 1;
        }
        to
    }
}

/// The moment, by the system's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Most submissions taken before a step.
const COLLECT_MAX: usize = 4096;
/// How often "last seen" is written down.
const SEEN_FLUSH: Duration = Duration::from_secs(60);
/// How long after a zone's content went memory is given back.
const GIVE_BACK: Duration = Duration::from_secs(3);
/// How often a store that could not write is tried again.
const PROBE: Duration = Duration::from_secs(5);
/// Pauses between questions about a commit that could not be confirmed.
const UNKNOWN_PAUSE_MIN: Duration = Duration::from_millis(20);
const UNKNOWN_PAUSE_MAX: Duration = Duration::from_secs(2);
/// How long that may keep a node from stopping.
const UNKNOWN_STOP: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
