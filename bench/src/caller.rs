//! Somebody who updates hosts at random over HTTP and checks each answer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

use crate::hosts::scramble;
use crate::updates::{new_address, own_address, request};

/// What the updates ask for, and so what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Workload {
    /// A new address each time: `good`, and durable before it is answered.
    Changed,
    /// The address that is there already: `nochg`.
    Nochg,
    /// As `nochg`, of a server that always says the same and looks at nothing.
    Constant,
}

/// What to send, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// How many hosts there are.
    pub hosts: u32,
    /// What is asked for.
    pub workload: Workload,
    /// Connections at once, each with one request under way.
    pub connections: usize,
    /// Each request has a connection of its own.
    pub closing: bool,
    /// How long.
    pub time: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Answers that came, whether right or not.
    pub answered: u64,
    /// Answers that were not right.
    pub wrong: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Of all looks for answers, the part that found none: near 0, we are what limits.
    pub idle: f64,
    /// How long each answer took, in microseconds, sorted.
    pub latencies_us: Vec<u32>,
}

impl Figures {
    /// The latency that so many of a thousand answers did not exceed, in microseconds.
    pub fn latency_us(&self, per_mille: usize) -> u32 {
        let last = self.latencies_us.len().saturating_sub(1);
        let at = self.latencies_us.len() * per_mille / 1000;
        self.latencies_us.get(at.min(last)).copied().unwrap_or(0)
    }
}

/// Gives every host its own address, so that nothing changes when that is asked for again.
///
/// # Errors
/// When the server cannot be reached or does not answer.
pub fn settle(server: SocketAddr, hosts: u32) -> io::Result<()> {
    let plan = Plan {
        server,
        hosts,
        workload: Workload::Nochg,
        connections: SETTLING,
        closing: false,
        time: Duration::ZERO,
    };
    let mut run = Run::new(&plan)?;
    run.settling = true;
    run.next = 0;
    run.last = u64::from(hosts);
    run.go()
}

/// Sends updates until the time is over.
///
/// # Errors
/// When the server cannot be reached or does not answer.
pub fn call(plan: &Plan) -> io::Result<Figures> {
    let mut run = Run::new(plan)?;
    run.until = Instant::now().checked_add(plan.time);
    let begun = Instant::now();
    run.go()?;
    run.figures.seconds = begun.elapsed().as_secs_f64();
    run.figures.idle = run.empty as f64 / run.looks.max(1) as f64;
    run.figures.latencies_us.sort_unstable();
    Ok(run.figures)
}

/// A connection with a request under way.
struct Call {
    stream: TcpStream,
    address: Ipv4Addr,
    asked: Instant,
    answer: Vec<u8>,
}

struct Run<'p> {
    plan: &'p Plan,
    epoll: OwnedFd,
    calls: Vec<Option<Call>>,
    open: usize,
    /// Every host in turn, whatever is answered.
    settling: bool,
    /// Number of the next request.
    next: u64,
    /// Requests in all.
    last: u64,
    until: Option<Instant>,
    looks: u64,
    empty: u64,
    octets: Vec<u8>,
    figures: Figures,
}

impl<'p> Run<'p> {
    fn new(plan: &'p Plan) -> io::Result<Run<'p>> {
        Ok(Run {
            plan,
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            calls: Vec::new(),
            open: 0,
            settling: false,
            next: std::process::id().into(),
            last: u64::MAX,
            until: None,
            looks: 0,
            empty: 0,
            octets: Vec::new(),
            figures: Figures::default(),
        })
    }

    fn go(&mut self) -> io::Result<()> {
        for place in 0..self.plan.connections {
            let call = self.begin(place)?;
            self.calls.push(call);
        }
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 256];
        let mut heard = Instant::now();
        while self.open > 0 {
            // Not waiting costs only our own processor; being woken would cost the server.
            let ready = epoll::wait(&self.epoll, &mut events[..], Some(&NOT_AT_ALL))?;
            self.looks += 1;
            if ready == 0 {
                self.empty += 1;
                if heard.elapsed() > LOST {
                    return Err(io::Error::new(ErrorKind::TimedOut, "no answer came"));
                }
                continue;
            }
            heard = Instant::now();
            for event in events.iter().take(ready) {
                self.look(event.data.u64() as usize, heard)?;
            }
        }
        Ok(())
    }

    /// Whether there is another request, and which: the host, its address.
    fn draw(&mut self) -> Option<(u32, Ipv4Addr)> {
        if self.next >= self.last || self.until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let host = match self.settling {
            true => number,
            false => scramble(number) % u64::from(self.plan.hosts),
        } as u32;
        match self.plan.workload {
            Workload::Changed => Some((host, new_address(number))),
            Workload::Nochg | Workload::Constant => Some((host, own_address(host))),
        }
    }

    /// A new connection with its first request.
    fn begin(&mut self, place: usize) -> io::Result<Option<Call>> {
        let Some((host, address)) = self.draw() else { return Ok(None) };
        // The time of a connection of its own is part of the answer's.
        let asked = Instant::now();
        let mut stream = TcpStream::connect(self.plan.server)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        request(host, address, self.plan.closing, &mut self.octets);
        stream.write_all(&self.octets)?;
        epoll::add(&self.epoll, &stream, EventData::new_u64(place as u64), EventFlags::IN)?;
        self.open += 1;
        Ok(Some(Call { stream, address, asked, answer: Vec::new() }))
    }

    /// Reads what has come, and when the answer is whole sends the next request.
    fn look(&mut self, place: usize, now: Instant) -> io::Result<()> {
        let Some(mut call) = self.calls.get_mut(place).and_then(Option::take) else {
            return Ok(());
        };
        let mut buffer = [0; 4096];
        let ended = match call.stream.read(&mut buffer) {
            Ok(count) => {
                call.answer.extend(buffer.iter().take(count));
                count == 0
            }
            Err(why) if why.kind() == ErrorKind::WouldBlock => false,
            Err(why) => return Err(why),
        };
        // On a connection of its own the answer is what came until its end.
        let whole = if self.plan.closing { ended } else { is_whole(&call.answer) };
        if ended && !whole {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server hung up"));
        }
        let next = if whole { self.follow(place, call, now)? } else { Some(call) };
        if let Some(at) = self.calls.get_mut(place) {
            *at = next;
        }
        Ok(())
    }

    /// What follows an answer: the next request, on this connection or a new one.
    fn follow(&mut self, place: usize, mut call: Call, now: Instant) -> io::Result<Option<Call>> {
        let took = now.duration_since(call.asked).as_micros();
        self.figures.latencies_us.push(u32::try_from(took).unwrap_or(u32::MAX));
        self.figures.answered += 1;
        self.figures.wrong += u64::from(!self.settling && !self.is_right(&call));
        if self.plan.closing {
            self.open -= 1;
            drop(call);
            return self.begin(place);
        }
        let Some((host, address)) = self.draw() else {
            self.open -= 1;
            return Ok(None);
        };
        request(host, address, false, &mut self.octets);
        call.answer.clear();
        (call.address, call.asked) = (address, now);
        call.stream.write_all(&self.octets)?;
        Ok(Some(call))
    }

    fn is_right(&self, call: &Call) -> bool {
        let (head, body) = split(&call.answer).unwrap_or_default();
        let body = std::str::from_utf8(body).unwrap_or_default().trim_ascii_end();
        let (word, address) = body.split_once(' ').unwrap_or_default();
        let has_address = address.parse() == Ok(call.address);
        head.starts_with(b"HTTP/1.1 200 ")
            && match self.plan.workload {
                Workload::Changed => word == "good" && has_address,
                Workload::Nochg => word == "nochg" && has_address,
                Workload::Constant => word == "nochg",
            }
    }
}

/// Whether an answer with `Content-Length` is all there.
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = split(answer) else { return false };
    let head = std::str::from_utf8(head).unwrap_or_default();
    let field = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    field.and_then(|length| length.parse().ok()).is_some_and(|length: usize| body.len() >= length)
}

/// Head and body.
fn split(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.windows(4).position(|octets| octets == b"\r\n\r\n")?;
    Some((answer.get(..end)?, answer.get(end + 4..)?))
}

const NOT_AT_ALL: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// Connections over which hosts get their own addresses.
const SETTLING: usize = 64;
/// After so long an answer will not come.
const LOST: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_whole_when_their_body_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nnochg\n";
        for cut in 0..answer.len() {
            assert!(!is_whole(&answer[..cut]), "{cut}");
        }
        assert!(is_whole(answer));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\n\r\nnochg\n"), "no length");
    }
}
