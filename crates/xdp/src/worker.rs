//! A worker that answers what arrives by one queue.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use server::{Counters, Transport, respond};
use zone::Zones;

use crate::frame::Query;
use crate::ring::Packet;
use crate::socket::XdpSocket;

/// What one worker needs.
pub(crate) struct Worker {
    pub(crate) socket: XdpSocket,
    pub(crate) zones: Arc<Zones>,
    pub(crate) ready: Arc<AtomicBool>,
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

impl Worker {
    /// Answers until it is told to stop, or its interface goes away.
    pub(crate) fn run(mut self) {
        let mut buffer = Vec::with_capacity(BUFFER_OCTETS);
        for round in 0_u64.. {
            let answered = self.answer_waiting(&mut buffer);
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
    fn answer_waiting(&mut self, buffer: &mut Vec<u8>) -> usize {
        let mut taken = 0;
        while taken < BATCH
            && let Some(packet) = self.socket.receive()
        {
            taken += 1;
            match self.answer(packet, buffer) {
                Some(length) => {
                    let sent = self.socket.send(Packet { length, ..packet });
                    let count = if sent { &self.passed.answers } else { &self.passed.dropped };
                    count.fetch_add(1, Ordering::Relaxed);
                }
                None => {
                    self.socket.release(packet);
                    self.passed.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        taken
    }

    /// Turns a packet into its answer, in place; the new length.
    fn answer(&mut self, packet: Packet, buffer: &mut Vec<u8>) -> Option<u32> {
        let room = self.socket.room(packet)?;
        let frame = room.get(..usize::try_from(packet.length).ok()?)?;
        let query = Query::parse(frame)?;
        let ready = self.ready.load(Ordering::Relaxed);
        let into = (&mut *buffer, &*self.counters);
        respond(&self.zones, ready, Transport::Udp, query.message(frame), into)?;
        let length = query.reply(room, buffer)?;
        u32::try_from(length).ok()
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
const BATCH: usize = 64;
/// How many batches there are between two questions to the kernel about what was lost.
const ROUNDS_PER_COUNT: u64 = 256;
/// Room for an answer, which makes the buffer grow no more.
const BUFFER_OCTETS: usize = 2048;
const SEND_AGAIN_NS: i64 = 10_000_000;
