//! Handing requests to the writer and waiting for their outcome.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use account::{Actor, Timestamp};
use engine::{Live, Operation, Outcome, Request};
use store::Origin;
use tokio::sync::oneshot;

use crate::letters::{Letterbox, NotTaken};
use crate::notices::Notices;
use crate::random::{Random, Salts};
use crate::updates::Inbox;

/// A request on its way to the writer.
#[derive(Debug)]
pub struct Letter {
    /// What is asked.
    pub request: Request,
    /// Where the outcome goes.
    pub reply: ReplyTo,
}

/// Where the outcome of a request goes.
#[derive(Debug)]
pub enum ReplyTo {
    /// To one who waits for it.
    One(oneshot::Sender<Outcome>),
    /// To the door for dynamic updates, with its number there.
    Updates(Arc<Inbox>, u64),
}

/// Outcomes for the door for dynamic updates, with their numbers there.
pub(crate) type Decided = Vec<(u64, Outcome)>;

/// Tells outcomes, in order; those of one door together. Whoever asked may have gone away; the
/// outcome stands all the same.
pub fn tell(outcomes: impl IntoIterator<Item = (ReplyTo, Outcome)>) {
    let mut together: Option<(Arc<Inbox>, Decided)> = None;
    let mut outcomes = outcomes.into_iter();
    while let Some((to, outcome)) = outcomes.next() {
        match to {
            ReplyTo::One(sender) => {
                let _ = sender.send(outcome);
            }
            ReplyTo::Updates(inbox, number) => match &mut together {
                Some((same, decided)) if Arc::ptr_eq(same, &inbox) => {
                    decided.push((number, outcome));
                }
                other => {
                    let mut decided = Vec::with_capacity(1 + outcomes.size_hint().1.unwrap_or(0));
                    decided.push((number, outcome));
                    if let Some((inbox, decided)) = other.replace((inbox, decided)) {
                        inbox.decided(decided);
                    }
                }
            },
        }
    }
    if let Some((inbox, decided)) = together {
        inbox.decided(decided);
    }
}

/// A door's access to the one writer. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    live: Arc<Live>,
    /// `None` once the node stops.
    letters: Arc<Mutex<Option<Letterbox>>>,
    writable: Arc<AtomicBool>,
    salts: Arc<Salts>,
    notices: Arc<Notices>,
}

/// Why a request got no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full. Nothing was done; try again later.
    #[error("too many changes are waiting")]
    Busy,
    /// The service is stopping. Nothing was done.
    #[error("the service is stopping")]
    Stopping,
    /// The writer ended before it answered: the change may or may not have been made.
    #[error("could not confirm the change: the service stopped while it was under way")]
    Unconfirmed,
}

impl Client {
    /// A client that puts letters into this queue.
    pub fn new(
        live: Arc<Live>,
        letters: Letterbox,
        writable: Arc<AtomicBool>,
        random: Random,
    ) -> Client {
        let (letters, salts) = (Arc::new(Mutex::new(Some(letters))), Arc::new(Salts::new(random)));
        Client { live, letters, writable, salts, notices: Arc::default() }
    }

    /// The visible state.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// What doors have refused, for those who want to be told.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Whether the last write succeeded, so that the next one is likely to.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    /// Whether a change asks for what is there already, so that the writer need not be asked. While
    /// nothing can be written it is: it knows whether the log is still ours.
    pub(crate) fn stands(&self, actor: &Actor, operation: &Operation, now: Timestamp) -> bool {
        self.is_writable() && self.live.stands(actor, operation, now)
    }

    /// The origin of a request from this address, with a fresh salt.
    pub fn origin(&self, address: std::net::IpAddr) -> Option<Origin> {
        Some(Origin { salt: self.salts.next()?, address })
    }

    /// Random octets that nobody has had yet; `None` when the system gives none.
    pub(crate) fn random(&self) -> Option<[u8; 16]> {
        self.salts.next()
    }

    /// Queues a request. The receiver yields its outcome, or an error when the writer ended first.
    pub fn submit(&self, request: Request) -> Result<oneshot::Receiver<Outcome>, SubmitError> {
        let (reply, outcome) = oneshot::channel();
        self.post(Letter { request, reply: ReplyTo::One(reply) })?;
        Ok(outcome)
    }

    /// Queues a request whose outcome goes where the letter says.
    pub(crate) fn post(&self, letter: Letter) -> Result<(), SubmitError> {
        self.post_all(vec![letter]).map_err(|(why, _)| why)
    }

    /// Queues requests, in order, as far as there is room; those for which there is none come back.
    pub(crate) fn post_all(&self, letters: Vec<Letter>) -> Result<(), (SubmitError, Vec<Letter>)> {
        let line = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(line) = line.as_ref() else { return Err((SubmitError::Stopping, letters)) };
        match line.put(letters) {
            Ok(()) => Ok(()),
            Err(NotTaken::Full(left)) => {
                metrics::counter!("byname_submit_refused_total", "why" => "queue full")
                    .increment(left.len() as u64);
                Err((SubmitError::Busy, left))
            }
            Err(NotTaken::Ended(left)) => Err((SubmitError::Stopping, left)),
        }
    }

    /// Queues an operation of an actor, with the address that it came from for history.
    pub(crate) fn send(
        &self,
        actor: Actor,
        from: Option<std::net::IpAddr>,
        operation: Operation,
    ) -> Result<oneshot::Receiver<Outcome>, SubmitError> {
        let origin = from.and_then(|address| self.origin(address));
        self.submit(Request { actor, origin, operation })
    }

    /// Queues an operation of the operator and waits for its outcome. Not to be called on a thread
    /// that drives asynchronous tasks.
    pub fn operate(&self, operation: Operation) -> Result<Outcome, SubmitError> {
        self.operate_as(Actor::Operator, operation)
    }

    /// The same for another actor.
    pub fn operate_as(&self, actor: Actor, operation: Operation) -> Result<Outcome, SubmitError> {
        let request = Request { actor, origin: None, operation };
        self.submit(request)?.blocking_recv().map_err(|_| SubmitError::Unconfirmed)
    }

    /// Lets the writer finish what is queued and end; later submissions are refused.
    pub fn close(&self) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
