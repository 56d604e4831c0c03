//! A worker that answers datagrams, as many at once as are there.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datagram::{Asker, BATCH, Batch, Socket};

use crate::counters::{Counters, Tally};
use crate::respond::{Asked, Context, Transport, UDP_OCTETS_MAX, read_ahead};
use crate::served::{Parcel, Served};

/// What one worker needs.
pub(crate) struct Worker {
    pub(crate) socket: Arc<Socket>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    pub(crate) served: Served,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) counters: Arc<Counters>,
}

/// Room for the answers to one batch; nothing is allocated while it is used.
struct Answers {
    buffers: Vec<Vec<u8>>,
    tally: Tally,
}

impl Worker {
    /// Answers until it is told to stop; a stop is seen at the socket's next timeout at the latest.
    pub(crate) fn run(self) {
        let mut batch = Batch::new();
        let buffer = || Vec::with_capacity(usize::from(UDP_OCTETS_MAX));
        let buffers = std::iter::repeat_with(buffer).take(BATCH).collect();
        let mut answers = Answers { buffers, tally: Tally::default() };
        while !self.stopping.load(Ordering::Relaxed) {
            match self.socket.receive(&mut batch) {
                Ok(()) => self.answer_all(&batch, &mut answers),
                Err(why) if is_routine(&why) => {}
                Err(why) => {
                    tracing::warn!(%why, "a UDP socket failed; going on");
                    std::thread::park_timeout(PAUSE);
                }
            }
        }
    }

    fn answer_all(&self, batch: &Batch, answers: &mut Answers) {
        self.counters.set_dropped(batch.dropped());
        // What came may be more than one batch: datagrams of one asker come joined.
        let mut messages = batch.messages().peekable();
        while messages.peek().is_some() {
            self.answer_some(messages.by_ref().take(BATCH), answers);
        }
    }

    fn answer_some<'m>(
        &self,
        messages: impl Iterator<Item = (&'m [u8], Asker)>,
        answers: &mut Answers,
    ) {
        let serving = self.served.zones.serving();
        let keys = self.served.keys.load();
        let context = Context::new(&self.served, &keys, Transport::Udp);
        let mut messages = messages;
        let mut parcels = Vec::new();
        let mut askers = [None; BATCH];
        let mut count = 0;
        let asked: [Asked<'_, '_>; BATCH] = std::array::from_fn(|_| {
            let Some((message, asker)) = messages.next() else { return Asked::nothing() };
            if let Some(place) = askers.get_mut(count) {
                *place = Some(asker);
            }
            count += 1;
            Asked::read(&serving, message)
        });
        let asked = asked.get(..count).unwrap_or_default();
        read_ahead(asked);
        for ((asked, asker), buffer) in asked.iter().zip(&mut askers).zip(&mut answers.buffers) {
            buffer.clear();
            // Nobody can be answered at port 0.
            let Some(back) = asker.filter(|asker| asker.from().port() != 0) else {
                *asker = None;
                continue;
            };
            if self.served.updates.is_some() && asked.is_update() {
                parcels.push(Parcel::udp(asked.message(), (&self.socket, back), self.address));
                *asker = None;
            } else if asked.answer(&context, (buffer, &mut answers.tally)).is_none() {
                *asker = None;
            }
        }
        if let Some(updates) = self.served.updates.as_ref().filter(|_| !parcels.is_empty()) {
            updates.take(parcels);
        }
        self.counters.add(&mut answers.tally);
        let answered = answers.buffers.iter().zip(askers);
        let answered = answered.filter_map(|(buffer, asker)| Some((buffer.as_slice(), asker?)));
        self.counters.failed_sends(self.socket.send(answered));
    }
}

/// Timeouts, signals, and errors that an earlier answer's receiver caused.
fn is_routine(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::WouldBlock
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionRefused
    )
}

/// Pause after a failure that is not routine, so that it does not fill the log at once.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);
