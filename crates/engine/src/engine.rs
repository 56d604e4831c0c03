//! The step function: judge, write elsewhere, make visible, reply.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use account::policy::EXPOSED_CHANGE_MS;
use account::{Actor, Timestamp};
use store::{ActorRef, Event, EventBody, Fact, Hash, Item, Part, Pos};
use wire::{Name, Rtype};
use zone::{Delta, Prerequisite};

use crate::fold;
use crate::live::Live;
use crate::overlay::{Overlay, Paced};
use crate::request::{Operation, Outcome, Refused, Reply, Request, Submission};
use crate::staging::Staging;
use crate::{judge, operate, weigh};

/// Number of a batch within one run of the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchNo(u64);

/// Events to be appended as one.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its number, for [`Engine::settle`].
    pub number: BatchNo,
    /// Position of the event before the first one.
    pub expect_head: Pos,
    /// The events, sealed.
    pub events: Arc<Vec<Event>>,
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is in the log for good.
    Durable,
    /// It is not in the log and will never be.
    NotWritten,
    /// The same, because it is larger than the store takes: what it holds goes into smaller ones, and a
    /// change that is too large all by itself is refused.
    TooLarge,
}

/// Result of one step.
#[derive(Debug, Default)]
pub struct Step {
    /// A batch to append, after all batches handed out before it.
    pub batch: Option<Batch>,
    /// Replies that wait for nothing.
    pub replies: Vec<Reply>,
}

/// The engine of one shard: its judged state and what waits.
#[derive(Debug)]
pub struct Engine {
    live: Arc<Live>,
    pub(crate) overlay: Overlay,
    staging: Staging,
    waiting: VecDeque<Submission>,
    in_flight: VecDeque<InFlight>,
    last_batch: u64,
    /// The last event judged.
    judged: Tip,
    /// The last event that is durable and visible.
    durable: Tip,
    /// When tokens that are marked as exposed last changed an RRset that is visible.
    exposed_changes: HashMap<Paced, Timestamp>,
    /// Most events of a batch: fewer, after one was too large.
    events_max: usize,
}

/// Where the chain of events stands.
#[derive(Clone, Copy, Debug, Default)]
struct Tip {
    pos: Pos,
    hash: Hash,
    at: Timestamp,
}

/// A batch that is being written, and the submissions whose replies wait for it.
#[derive(Debug)]
struct InFlight {
    number: BatchNo,
    /// Whether it holds an operation: then nothing is judged until it is visible.
    alone: bool,
    events: Arc<Vec<Event>>,
    tip: Tip,
    parked: Vec<Parked>,
}

#[derive(Debug)]
struct Parked {
    submission: Submission,
    outcome: Outcome,
}

/// What a judge says of one request: facts to write, or the reason why there are none.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What shall be written; empty: all is as asked already.
    pub(crate) facts: Vec<Fact>,
    /// Serial of the zone after it.
    pub(crate) serial: Option<wire::Serial>,
    /// Number of what is made.
    pub(crate) made: Option<u64>,
}

/// A batch in the making.
#[derive(Default)]
struct Draft {
    alone: bool,
    events: Vec<Event>,
    weight: usize,
    parked: Vec<Parked>,
}

impl Draft {
    fn with_room(submissions: usize) -> Draft {
        Draft {
            events: Vec::with_capacity(submissions),
            parked: Vec::with_capacity(submissions),
            ..Draft::default()
        }
    }
}

impl Engine {
    /// An engine over an empty state.
    pub fn new(live: Arc<Live>) -> Engine {
        Engine {
            live,
            overlay: Overlay::default(),
            staging: Staging::default(),
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            last_batch: 0,
            judged: Tip::default(),
            durable: Tip::default(),
            exposed_changes: HashMap::new(),
            events_max: STEP_MAX,
        }
    }

    /// Takes over one piece of a snapshot or of folded tables. Only before the first step.
    pub fn load(&mut self, item: Item) {
        if let Item::At { pos, hash, at } = item {
            self.durable = Tip { pos, hash, at };
            self.judged = self.durable;
        }
        fold::load(&self.live, &mut self.staging, item);
    }

    /// Takes over RRsets of a zone, in place of what was taken over before. Only before the first
    /// step.
    ///
    /// # Errors
    /// The first error among the parts; those before it have been taken over.
    pub fn load_parts<E>(
        &mut self,
        zone: &Name,
        parts: impl IntoIterator<Item = Result<Part, E>>,
    ) -> Result<(), E> {
        fold::load_parts(&self.live, zone, parts)
    }

    /// Takes over what has changed in a zone. Only before the first step.
    pub fn load_deltas(&mut self, zone: &Name, deltas: &[Delta]) {
        fold::load_deltas(&self.live, zone, deltas);
    }

    /// Forgets all that was taken over, for a source that failed half way. Only before the first
    /// step.
    pub fn forget(&mut self) {
        self.staging.clear();
        fold::forget(&self.live);
        (self.judged, self.durable) = (Tip::default(), Tip::default());
    }

    /// Takes over the events of one commit of the log, in order. Only before the first step.
    ///
    /// Events at or before the position that the state stands at are passed over.
    pub fn replay(&mut self, events: &[Event]) {
        let skip = events.partition_point(|event| event.pos <= self.durable.pos);
        let events = events.get(skip..).unwrap_or_default();
        fold::fold(&self.live, &mut self.staging, events);
        self.note_exposed(events);
        if let Some(last) = events.last() {
            let at = self.durable.at.max(last.body.at);
            self.durable = Tip { pos: last.pos, hash: last.hash, at };
            self.judged = self.durable;
        }
    }

    /// The visible state.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// The position and hash that the visible state stands at.
    pub fn stands_at(&self) -> (Pos, Hash) {
        (self.durable.pos, self.durable.hash)
    }

    /// Imports that were begun and neither finished nor given up.
    pub fn unfinished_imports(&self) -> Vec<store::ImportId> {
        self.staging.keys().copied().collect()
    }

    /// Every piece of the visible state, `At` first: for snapshots. Only with nothing in flight.
    pub fn items(&self) -> impl Iterator<Item = Item> + '_ {
        let Tip { pos, hash, at } = self.durable;
        let at = Item::At { pos, hash, at };
        std::iter::once(at).chain(fold::items(&self.live, &self.staging))
    }

    /// Queues a submission. Callers bound the queue.
    pub fn push(&mut self, submission: Submission) {
        self.waiting.push_back(submission);
    }

    /// Number of submissions that have not been judged.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Number of batches handed out and not settled.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether everything that was judged is visible: nothing is in flight, nothing decided beside
    /// the visible state.
    pub fn is_settled(&self) -> bool {
        self.in_flight.is_empty() && self.overlay.is_empty()
    }

    /// Judges waiting submissions, in order, into at most one batch.
    ///
    /// `now` may stand still or go back; moments of events never do.
    pub fn step(&mut self, now: Timestamp) -> Step {
        if self.in_flight.iter().any(|batch| batch.alone) {
            return Step::default();
        }
        let at = now.max(self.judged.at);
        let expect_head = self.judged.pos;
        let number = BatchNo(self.last_batch + 1);
        let mut draft = Draft::with_room(self.waiting.len().min(STEP_MAX));
        while draft.parked.len() < STEP_MAX
            && draft.events.len() < self.events_max
            && draft.weight < BATCH_WEIGHT_MAX
        {
            let Some(next) = self.waiting.front() else { break };
            let alone = needs_quiet(&next.request);
            if alone && !(self.in_flight.is_empty() && draft.events.is_empty()) {
                break;
            }
            let Some(submission) = self.waiting.pop_front() else { break };
            self.judge_one(number, at, submission, &mut draft);
            if alone && !draft.events.is_empty() {
                draft.alone = true;
                break;
            }
        }
        self.hand_out(number, expect_head, draft)
    }

    /// Ends the oldest batch in flight and hands out the replies that waited for it.
    ///
    /// After `NotWritten` every batch in flight is void: what wrote in the lost batch is answered
    /// [`Outcome::Unavailable`], all others are judged again by the next step. After `TooLarge` it is
    /// the same, but what wrote is judged again as well, unless it was alone.
    pub fn settle(&mut self, number: BatchNo, settled: Settled) -> Vec<Reply> {
        match self.in_flight.front() {
            Some(front) if front.number == number => {}
            _ => return Vec::new(),
        }
        let Some(batch) = self.in_flight.pop_front() else { return Vec::new() };
        match settled {
            Settled::Durable => self.make_visible(batch),
            Settled::NotWritten => self.judge_again(batch, Some(&Outcome::Unavailable)),
            Settled::TooLarge => self.divide(batch),
        }
    }

    /// Half as many go into the next batch; of one that was alone nothing smaller can be made.
    fn divide(&mut self, batch: InFlight) -> Vec<Reply> {
        if let [_] = batch.events.as_slice() {
            let refused = Outcome::Refused(Refused::Limit("octets of one change"));
            return self.judge_again(batch, Some(&refused));
        }
        self.events_max = (batch.events.len() / 2).max(1);
        self.judge_again(batch, None)
    }

    fn judge_one(
        &mut self,
        number: BatchNo,
        at: Timestamp,
        submission: Submission,
        draft: &mut Draft,
    ) {
        let outcome = match self.judge(number, at, &submission.request) {
            Err(refused) => Outcome::Refused(refused),
            Ok(judged) if judged.facts.is_empty() => Outcome::Unchanged,
            Ok(judged) => {
                draft.weight += judged.facts.iter().map(weigh::fact).sum::<usize>();
                let event = self.seal(at, &submission.request, judged.facts);
                let outcome =
                    Outcome::Done { pos: event.pos, at, serial: judged.serial, made: judged.made };
                draft.events.push(event);
                outcome
            }
        };
        draft.parked.push(Parked { submission, outcome });
    }

    fn judge(
        &mut self,
        number: BatchNo,
        at: Timestamp,
        request: &Request,
    ) -> Result<Judged, Refused> {
        match &request.operation {
            Operation::Change { .. } | Operation::EndLeases { .. } => {
                let mut judge = judge::Judge {
                    live: &self.live,
                    overlay: &mut self.overlay,
                    exposed_changes: &self.exposed_changes,
                    batch: number,
                    at,
                };
                judge.operation(&request.actor, &request.operation)
            }
            operation => {
                let operator = operate::Operate {
                    live: &self.live,
                    staging: &self.staging,
                    next_pos: Pos(self.judged.pos.0 + 1),
                    at,
                };
                operator.judge(&request.actor, operation)
            }
        }
    }

    fn seal(&mut self, at: Timestamp, request: &Request, facts: Vec<Fact>) -> Event {
        let pos = Pos(self.judged.pos.0 + 1);
        let body = EventBody {
            at,
            actor: actor_ref(&request.actor),
            facts,
            origin_commitment: request.origin.as_ref().map(store::Origin::commitment),
        };
        let event = Event::seal(self.judged.hash, pos, body, request.origin);
        self.judged = Tip { pos, hash: event.hash, at };
        event
    }

    fn hand_out(&mut self, number: BatchNo, expect_head: Pos, draft: Draft) -> Step {
        if draft.events.is_empty() {
            // Refusals and "no change" rest on what is in flight: they wait for it.
            return match self.in_flight.back_mut() {
                Some(last) => {
                    last.parked.extend(draft.parked);
                    Step::default()
                }
                None => Step { batch: None, replies: replies(draft.parked) },
            };
        }
        self.last_batch = number.0;
        let events = Arc::new(draft.events);
        self.in_flight.push_back(InFlight {
            number,
            alone: draft.alone,
            events: Arc::clone(&events),
            tip: self.judged,
            parked: draft.parked,
        });
        Step { batch: Some(Batch { number, expect_head, events }), replies: Vec::new() }
    }

    fn make_visible(&mut self, batch: InFlight) -> Vec<Reply> {
        fold::fold(&self.live, &mut self.staging, &batch.events);
        self.overlay.visible(batch.number, &batch.events);
        self.note_exposed(&batch.events);
        self.durable = batch.tip;
        self.events_max = (self.events_max * 2).min(STEP_MAX);
        replies(batch.parked)
    }

    /// Keeps in mind when exposed tokens changed something.
    fn note_exposed(&mut self, events: &[Event]) {
        let directory = self.live.directory();
        for event in events {
            let ActorRef::Token(id) = event.body.actor else { continue };
            if directory.token(id).is_none_or(|token| token.exposed.is_none()) {
                continue;
            }
            for delta in event.body.facts.iter().flat_map(Fact::deltas) {
                let paced = (id, delta.owner.clone(), delta.rtype);
                self.exposed_changes.insert(paced, event.body.at);
            }
        }
        if self.exposed_changes.len() > EXPOSED_KEPT
            && let Some(last) = events.last()
        {
            let recent = |at: &Timestamp| last.body.at.ms_since(*at) < EXPOSED_CHANGE_MS;
            self.exposed_changes.retain(|_, at| recent(at));
        }
    }

    /// Everything that is judged and not visible waits again, in order. `outcome`: what those are told
    /// that wrote in the lost batch; `None`: they are judged again, too.
    fn judge_again(&mut self, lost: InFlight, outcome: Option<&Outcome>) -> Vec<Reply> {
        let mut told = Vec::new();
        let mut again = VecDeque::new();
        for parked in lost.parked {
            let wrote = matches!(parked.outcome, Outcome::Done { .. });
            match outcome.filter(|_| wrote) {
                Some(outcome) => {
                    let (ticket, outcome) = (parked.submission.ticket, outcome.clone());
                    told.push(Reply { ticket, outcome });
                }
                None => again.push_back(parked.submission),
            }
        }
        for later in self.in_flight.drain(..) {
            again.extend(later.parked.into_iter().map(|parked| parked.submission));
        }
        again.append(&mut self.waiting);
        self.waiting = again;
        self.overlay.clear();
        self.judged = self.durable;
        told
    }
}

/// Whether a request is judged against the visible state only, with nothing else undecided:
/// everything but plain changes. It gets a batch of its own, and nothing is judged beside it.
fn needs_quiet(request: &Request) -> bool {
    match &request.operation {
        // A new SOA may carry any newer serial, so it does not share a batch. A prerequisite on the
        // SOA names a serial: it must not hold by one that nobody has seen.
        Operation::Change { change, .. } => {
            let is_soa = |owner: &wire::Name, rtype: Option<Rtype>| {
                *owner == change.zone && rtype.is_none_or(|rtype| rtype == Rtype::SOA)
            };
            change.edits.iter().any(|edit| is_soa(edit.owner(), edit.rtype()))
                || change.prerequisites.iter().any(|prerequisite| match prerequisite {
                    Prerequisite::RrsetEquals(owner, rtype, _) => is_soa(owner, Some(*rtype)),
                    Prerequisite::NameInUse(_)
                    | Prerequisite::NameNotInUse(_)
                    | Prerequisite::RrsetExists(..)
                    | Prerequisite::RrsetDoesNotExist(..) => false,
                })
        }
        Operation::EndLeases { .. } => false,
        _ => true,
    }
}

fn actor_ref(actor: &Actor) -> ActorRef {
    match actor {
        Actor::System => ActorRef::System,
        Actor::Operator => ActorRef::Operator,
        Actor::Token(token) => ActorRef::Token(token.token()),
        Actor::Key(name) => ActorRef::Key(name.clone()),
    }
}

fn replies(parked: Vec<Parked>) -> Vec<Reply> {
    let reply =
        |parked: Parked| Reply { ticket: parked.submission.ticket, outcome: parked.outcome };
    parked.into_iter().map(reply).collect()
}

/// Most submissions judged in one step, and so most events in a batch.
const STEP_MAX: usize = 4096;
/// Exposed tokens at which those are forgotten that may change something again.
const EXPOSED_KEPT: usize = 65_536;
/// Weight at which a batch is closed, in octets.
const BATCH_WEIGHT_MAX: usize = 2 * 1024 * 1024;
