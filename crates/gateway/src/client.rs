//! Handing requests to the writer and waiting for their outcome.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use account::{Actor, Timestamp};
use engine::{Live, Operation, Outcome, Request};
use store::Origin;
use tokio::sync::oneshot;

use crate::notices::Notices;
use crate::random::Random;
use crate::updates::Inbox;

/// A request on its way to the writer.
pub struct Letter {
    /// What is asked.
    pub request: Request,
    /// Where the outcome goes.
    pub reply: ReplyTo,
}

/// Where the outcome of a request goes.
pub enum ReplyTo {
    /// To one who waits for it.
    One(oneshot::Sender<Outcome>),
    /// To the door for dynamic updates, with its number there.
    Updates(Arc<Inbox>, u64),
}

impl ReplyTo {
    /// Tells the outcome. Whoever asked may have gone away; the outcome stands all the same.
    pub fn send(self, outcome: Outcome) {
        match self {
            ReplyTo::One(sender) => {
                let _ = sender.send(outcome);
            }
            ReplyTo::Updates(inbox, number) => inbox.decided(number, outcome),
        }
    }
}

/// A door's access to the one writer. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    live: Arc<Live>,
    /// `None` once the node stops.
    letters: Arc<Mutex<Option<SyncSender<Letter>>>>,
    writable: Arc<AtomicBool>,
    random: Random,
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
        letters: SyncSender<Letter>,
        writable: Arc<AtomicBool>,
        random: Random,
    ) -> Client {
        let letters = Arc::new(Mutex::new(Some(letters)));
        Client { live, letters, writable, random, notices: Arc::default() }
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
        let salt = self.random.octets().ok()?;
        Some(Origin { salt, address })
    }

    /// Random octets.
    pub(crate) fn random(&self) -> std::io::Result<[u8; 16]> {
        self.random.octets()
    }

    /// Queues a request. The receiver yields its outcome, or an error when the writer ended first.
    pub fn submit(&self, request: Request) -> Result<oneshot::Receiver<Outcome>, SubmitError> {
        let (reply, outcome) = oneshot::channel();
        self.post(Letter { request, reply: ReplyTo::One(reply) })?;
        Ok(outcome)
    }

    /// Queues a request whose outcome goes where the letter says.
    pub(crate) fn post(&self, letter: Letter) -> Result<(), SubmitError> {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        let letters = letters.as_ref().ok_or(SubmitError::Stopping)?;
        match letters.try_send(letter) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                metrics::counter!("byname_submit_refused_total", "why" => "queue full")
                    .increment(1);
                Err(SubmitError::Busy)
            }
            Err(TrySendError::Disconnected(_)) => Err(SubmitError::Stopping),
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
