//! A worker that answers what arrives by one queue.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use server::{Asked, Context, Counters, Served, Tally, Transport, read_ahead};

use crate::frame::Query;
use crate::ring::Packet;
use crate::socket::XdpSocket;

/// What one worker needs.
pub(crate) struct Worker {
    pub(crate) socket: XdpSocket,
    pub(crate) served: Served,
    /// Readable once the worker shall stop.
    pub(crate) stop: Arc<OwnedFd>,
    /// What all doors count.
    pub(crate) counters: Arc<Counters>,
    pub(crate) passed: Arc<Passed>,
}

/// What one worker counts for itself. Only that worker adds.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Passed {
    pub(crate) answers: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) lost: AtomicU64,
}

/// What came together and is answered together; nothing is allocated while it is used.
struct Batch {
    queries: Vec<(Packet, Query)>,
    answers: Vec<Vec<u8>>,
    tally: Tally,
}

impl Batch {
    fn new() -> Batch {
        let answer = || Vec::with_capacity(ANSWER_OCTETS);
        Batch {
            queries: Vec::with_capacity(BATCH),
            answers: std::iter::repeat_with(answer).take(BATCH).collect(),
            tally: Tally::default(),
        }
    }
}

impl Worker {
    /// Answers until it is told to stop, or its interface goes away.
    pub(crate) fn run(mut self) {
        let mut batch = Batch::new();
        for round in 0_u64.. {
            let answered = self.answer_waiting(&mut batch);
            if let Err(why) = self.socket.flush() {
                tracing::debug!(%why, "answers wait to be sent past the kernel");
            }
            if round.is_multiple_of(ROUNDS_PER_COUNT) {
                self.passed.lost.store(self.socket.lost(), Ordering::Relaxed);
            }
            if answered > 0 {
                continue;
            }
            match self.wait() {
                Ok(true) => {}
                Ok(false) => break,
                Err(why) => {
                    tracing::warn!(%why, "a queue of AF_XDP failed; it is answered over sockets");
                    break;
                }
            }
        }
    }

    /// Answers what is waiting, at most one batch; how many packets that were.
    fn answer_waiting(&mut self, batch: &mut Batch) -> usize {
        let received = self.take(&mut batch.queries);
        self.compose(batch);
        for (&(packet, query), answer) in batch.queries.iter().zip(&batch.answers) {
            let room = self.socket.room(packet).filter(|_| !answer.is_empty());
            let length = room.and_then(|room| query.reply(room, answer));
            match length.and_then(|length| u32::try_from(length).ok()) {
                Some(length) => {
                    let sent = self.socket.send(Packet { length, ..packet });
                    let count = if sent { &self.passed.answers } else { &self.passed.dropped };
                    count.fetch_add(1, Ordering::Relaxed);
                }
                None => self.discard(packet),
            }
        }
        received
    }

    /// Takes at most one batch of packets, and keeps those with a query; how many came.
    fn take(&mut self, queries: &mut Vec<(Packet, Query)>) -> usize {
        queries.clear();
        for received in 0..BATCH {
            let Some(packet) = self.socket.receive() else { return received };
            match self.socket.octets(packet).and_then(Query::parse) {
                Some(query) => queries.push((packet, query)),
                None => self.discard(packet),
            }
        }
        BATCH
    }

    /// Composes an answer to each query; an empty one where nothing shall be said.
    fn compose(&self, batch: &mut Batch) {
        let (serving, keys) = (self.served.zones.serving(), self.served.keys.load());
        let context = Context::new(&self.served, &keys, Transport::Udp);
        let mut messages = batch
            .queries
            .iter()
            .map(|(packet, query)| query.message(self.socket.octets(*packet).unwrap_or_default()));
        let asked: [Asked<'_, '_>; BATCH] = std::array::from_fn(|_| {
            messages.next().map_or_else(Asked::nothing, |message| Asked::read(&serving, message))
        });
        let asked = asked.get(..batch.queries.len()).unwrap_or_default();
        read_ahead(asked);
        for (asked, answer) in asked.iter().zip(&mut batch.answers) {
            answer.clear();
            // Where nothing is said, the answer stays empty.
            let _ = asked.answer(&context, (answer, &mut batch.tally));
        }
        self.counters.add(&mut batch.tally);
    }

    /// Gives back a packet that gets no answer.
    fn discard(&mut self, packet: Packet) {
        self.socket.release(packet);
        self.passed.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits for packets; false when it shall stop.
    fn wait(&mut self) -> io::Result<bool> {
        // What the kernel could not send at once is offered again soon.
        let soon = Timespec { tv_sec: 0, tv_nsec: SEND_AGAIN_NS };
        let timeout = self.socket.is_sending().then_some(&soon);
        let mut both =
            [PollFd::new(self.socket.fd(), PollFlags::IN), PollFd::new(&*self.stop, PollFlags::IN)];
        match poll(&mut both, timeout) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
        let [_, stop] = &both;
        Ok(!stop.revents().contains(PollFlags::IN))
    }
}

/// Packets that are answered before the answers are sent.
const BATCH: usize = 32;
/// How many batches there are between two questions to the kernel about what was lost.
const ROUNDS_PER_COUNT: u64 = 256;
/// Room for an answer, so that its buffer need not grow.
const ANSWER_OCTETS: usize = 2048;
const SEND_AGAIN_NS: i64 = 10_000_000;
