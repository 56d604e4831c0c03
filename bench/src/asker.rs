//! Somebody who asks for hosts at random and checks each answer.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use datagram::{Asker, BATCH, Batch, Socket};
use wire::Name;

use crate::hosts::{addresses, query, scramble};

/// What to ask, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// The apex of the zone.
    pub apex: Name,
    /// How many hosts there are.
    pub hosts: u32,
    /// Of a hundred questions, how many are for names that do not exist.
    pub missing: u64,
    /// How long.
    pub time: Duration,
    /// Questions for each second; `None`: as many as are answered.
    pub rate: Option<u64>,
    /// Hosts have other addresses than at first: what comes is taken.
    pub changing: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Answers that came.
    pub answered: u64,
    /// Answers that were not right.
    pub wrong: u64,
    /// Questions without an answer.
    pub lost: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// How long each answer took, in nanoseconds, sorted.
    pub latencies_ns: Vec<u32>,
}

impl Figures {
    /// The latency that so many of a thousand answers did not exceed, in microseconds.
    pub fn latency_us(&self, per_mille: usize) -> f64 {
        let last = self.latencies_ns.len().saturating_sub(1);
        let at = self.latencies_ns.len() * per_mille / 1000;
        self.latencies_ns.get(at.min(last)).map_or(0.0, |&ns| f64::from(ns) / 1000.0)
    }
}

/// A question on its way.
#[derive(Clone, Copy)]
struct Pending {
    host: u32,
    exists: bool,
    asked: Option<Instant>,
}

/// Asks until the time is over.
pub fn ask(plan: &Plan) -> io::Result<Figures> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(LOST))?;
    let socket = Socket::new(socket)?;
    let mut run = Run {
        plan,
        socket,
        to: Asker::at(plan.server),
        pending: vec![None; 1 << 16],
        waiting: 0,
        next: 0,
        figures: Figures::default(),
        asked: Vec::new(),
    };
    run.go()?;
    run.figures.latencies_ns.sort_unstable();
    Ok(run.figures)
}

struct Run<'p> {
    plan: &'p Plan,
    socket: Socket,
    to: Asker,
    /// By id.
    pending: Vec<Option<Pending>>,
    waiting: usize,
    /// Number of the next question; its id is the lower half.
    next: u64,
    figures: Figures,
    /// Room for a question that is compared.
    asked: Vec<u8>,
}

impl Run<'_> {
    fn go(&mut self) -> io::Result<()> {
        let mut batch = Batch::new();
        let mut buffers = vec![Vec::new(); BATCH];
        let begun = Instant::now();
        while begun.elapsed() < self.plan.time {
            let room = WINDOW - self.waiting;
            let due = match self.plan.rate {
                None => room,
                Some(rate) => {
                    let due = begun.elapsed().as_micros() as u64 * rate / 1_000_000;
                    room.min(due.saturating_sub(self.next) as usize)
                }
            };
            let count = due.min(BATCH);
            self.send(buffers.get_mut(..count).unwrap_or_default());
            if self.waiting > 0
                && (count == 0 || self.plan.rate.is_some() || self.waiting + BATCH > WINDOW)
            {
                self.receive(&mut batch)?;
            }
        }
        self.figures.seconds = begun.elapsed().as_secs_f64();
        while self.waiting > 0 {
            self.receive(&mut batch)?;
        }
        Ok(())
    }

    fn send(&mut self, buffers: &mut [Vec<u8>]) {
        for buffer in &mut *buffers {
            let id = self.next as u16;
            let chance = scramble(self.next);
            let host = (chance % u64::from(self.plan.hosts)) as u32;
            let exists = chance >> 33 & 127 >= self.plan.missing * 128 / 100;
            query(id, host, exists, &self.plan.apex, buffer);
            if let Some(place) = self.pending.get_mut(usize::from(id)) {
                *place =
                    Some(Pending { host, exists, asked: self.plan.rate.map(|_| Instant::now()) });
            }
            self.next += 1;
            self.waiting += 1;
        }
        let to = self.to;
        self.socket.send(buffers.iter().map(|buffer| (buffer.as_slice(), to)));
    }

    fn receive(&mut self, batch: &mut Batch) -> io::Result<()> {
        match self.socket.receive(batch) {
            Ok(()) => {}
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                self.figures.lost += self.waiting as u64;
                self.waiting = 0;
                return Ok(());
            }
            Err(why) => return Err(why),
        }
        let now = Instant::now();
        for (message, _) in batch.messages() {
            let id = message.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            let pending = self.pending.get_mut(usize::from(id)).and_then(Option::take);
            let Some(pending) = pending else {
                self.figures.wrong += 1;
                continue;
            };
            self.waiting = self.waiting.saturating_sub(1);
            self.figures.answered += 1;
            self.figures.wrong += u64::from(!self.is_right(message, id, &pending));
            if let Some(asked) = pending.asked {
                let took = now.duration_since(asked).as_nanos();
                self.figures.latencies_ns.push(u32::try_from(took).unwrap_or(u32::MAX));
            }
        }
        Ok(())
    }

    /// Whether an answer repeats its question and has the address, or says that there is no such name.
    fn is_right(&mut self, message: &[u8], id: u16, pending: &Pending) -> bool {
        let mut asked = std::mem::take(&mut self.asked);
        query(id, pending.host, pending.exists, &self.plan.apex, &mut asked);
        let repeated = message.get(12..asked.len()) == asked.get(12..);
        self.asked = asked;
        let rcode = message.get(3).map(|flags| flags & 15);
        let (address, _) = addresses(pending.host);
        repeated
            && match pending.exists {
                true if self.plan.changing => rcode == Some(0) && message.get(7) == Some(&1),
                true => rcode == Some(0) && message.ends_with(&address),
                false => rcode == Some(3),
            }
    }
}

/// Questions that are on their way at once.
const WINDOW: usize = 256;
/// After so long an answer will not come.
const LOST: Duration = Duration::from_millis(500);
