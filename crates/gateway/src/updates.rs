//! The door for DNS UPDATE: messages that the DNS doors hand over, and what is said to them.
//!
//! One thread does it all: it checks signatures, reads, submits, and signs what is said when the
//! writer has decided. It never waits for one message while others are there.

mod desk;
mod replies;
mod said;
mod shares;
mod signature;
mod under_way;

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use account::Network;
use engine::Outcome;
use server::{Intake, Parcel, Replies};
use wire::{Envelope, Opcode, Rcode, Writer};

use crate::client::Client;
use desk::Desk;

/// Who may send UPDATE messages, beside having a key.
#[derive(Clone, Debug, Default)]
pub struct UpdateSettings {
    /// From these networks; `None`: from everywhere.
    pub networks: Option<Vec<Network>>,
    /// To these listeners; `None`: to all.
    pub listeners: Option<Vec<std::net::SocketAddr>>,
}

/// The door for UPDATE messages. Dropping it closes it.
#[derive(Debug)]
pub struct Updates {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

/// Where messages and outcomes wait for the door's thread.
#[derive(Debug, Default)]
pub struct Inbox {
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    arrived: Vec<Parcel>,
    octets: usize,
    /// What the writer said; never more than there are messages under way.
    decided: Vec<(u64, Outcome)>,
    closed: bool,
}

impl Updates {
    /// Opens the door. `inbox` is what the DNS doors hand messages to; `ready` is watched: as long as
    /// it is false every update gets SERVFAIL.
    pub fn start(
        settings: UpdateSettings,
        client: Client,
        inbox: Arc<Inbox>,
        ready: Arc<AtomicBool>,
    ) -> io::Result<Updates> {
        let desk = Desk::new(settings, client, Arc::clone(&inbox), ready);
        let thread = std::thread::Builder::new().name("dns-update".to_owned());
        let thread = thread.spawn(move || desk.run())?;
        Ok(Updates { inbox, thread: Some(thread) })
    }

    /// Closes the door; what was taken is answered, unless the writer has ended.
    pub fn stop(&mut self) {
        self.inbox.lock().closed = true;
        self.inbox.filled.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread for DNS updates panicked");
        }
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inbox {
    /// Nothing yet.
    pub fn new() -> Inbox {
        Inbox::default()
    }

    /// Notes what the writer says of messages.
    pub(crate) fn decided(&self, outcomes: Vec<(u64, Outcome)>) {
        let mut queue = self.lock();
        let was_empty = queue.is_empty();
        if queue.decided.is_empty() {
            queue.decided = outcomes;
        } else {
            queue.decided.extend(outcomes);
        }
        drop(queue);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Waits until something is there, or so long, and takes all of it; whether the door is open.
    /// `closing`: that it was closed is known, and no reason to return.
    fn take_all(
        &self,
        (arrived, decided): (&mut Vec<Parcel>, &mut Vec<(u64, Outcome)>),
        (wait, closing): (Duration, bool),
    ) -> bool {
        let queue = self.lock();
        let idle = |queue: &mut Queue| queue.is_empty() && (closing || !queue.closed);
        let waited = self.filled.wait_timeout_while(queue, wait, idle);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.octets = 0;
        std::mem::swap(arrived, &mut queue.arrived);
        std::mem::swap(decided, &mut queue.decided);
        !queue.closed
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intake for Inbox {
    fn take(&self, parcels: Vec<Parcel>) {
        let mut queue = self.lock();
        let was_empty = queue.is_empty();
        let mut refused = Vec::new();
        for parcel in parcels {
            let octets = parcel.message().len();
            if queue.closed
                || queue.arrived.len() >= WAITING_MAX
                || queue.octets + octets > WAITING_OCTETS_MAX
            {
                refused.push(parcel);
                continue;
            }
            queue.octets += octets;
            queue.arrived.push(parcel);
        }
        drop(queue);
        if was_empty {
            self.filled.notify_one();
        }
        if !refused.is_empty() {
            let count = refused.len() as u64;
            metrics::counter!("byname_dns_updates_total", "outcome" => "busy").increment(count);
            let mut answers = Replies::new();
            for parcel in refused {
                let busy = busy(parcel.message());
                answers.push(parcel, busy.as_deref());
            }
            answers.send();
        }
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.decided.is_empty()
    }
}

/// SERVFAIL, without a look at anything but the header: the sender may try again.
fn busy(message: &[u8]) -> Option<Vec<u8>> {
    let [i0, i1, flags, ..] = *message.first_chunk::<12>()?;
    if flags & 0x80 != 0 {
        return None;
    }
    let id = u16::from_be_bytes([i0, i1]);
    let about = Envelope { id, opcode: Opcode::UPDATE, rd: false, do_bit: None };
    let mut answer = Vec::new();
    Writer::header_only(&mut answer, &about, Rcode::SERVFAIL, 512).finish();
    Some(answer)
}

/// Most messages that wait for the thread, and most octets of them.
const WAITING_MAX: usize = 16_384;
const WAITING_OCTETS_MAX: usize = 32 * 1024 * 1024;
