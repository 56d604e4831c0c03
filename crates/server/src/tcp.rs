//! Connections: pipelined queries, answered in order (RFC 7766).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::counters::{Counters, Tally};
use crate::respond::{Asked, Context, Transport, read_ahead};
use crate::served::{Bundle, Parcel, Served};

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections at once.
    pub(crate) connections: usize,
    /// Most of them from one source: an IPv4 address, or an IPv6 /64.
    pub(crate) per_source: usize,
    /// How long a connection may be idle, and take for its answers.
    pub(crate) idle: Duration,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) served: Served,
    pub(crate) counters: Arc<Counters>,
    pub(crate) limits: Limits,
    pub(crate) open: Mutex<Open>,
}

/// The connections that are open.
#[derive(Debug, Default)]
pub(crate) struct Open {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// Accepts connections until `stop` changes, then waits for those that are open: they end after
/// their next answer.
pub(crate) async fn accept(
    (listener, address): (TcpListener, SocketAddr),
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((stream, from)) => match Seat::take(&shared, (from, address)) {
                Some(seat) => {
                    shared.counters.connections.fetch_add(1, Ordering::Relaxed);
                    let stop = stop.clone();
                    open.spawn(async move {
                        // The other side went away or was too slow: nobody is left to be told.
                        let _ = converse(stream, &seat, stop).await;
                    });
                }
                None => {
                    shared.counters.refused_connections.fetch_add(1, Ordering::Relaxed);
                }
            },
            Err(why) => {
                // For example: out of file descriptors. Waiting lets some be closed.
                tracing::warn!(%why, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// A connection's place among those that are allowed.
struct Seat {
    shared: Arc<Shared>,
    source: IpAddr,
    /// The other end, and ours.
    ends: (SocketAddr, SocketAddr),
}

impl Seat {
    fn take(shared: &Arc<Shared>, ends: (SocketAddr, SocketAddr)) -> Option<Seat> {
        let source = source(ends.0.ip());
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = open.by_source.get(&source).copied().unwrap_or(0);
        if open.total >= shared.limits.connections || of_source >= shared.limits.per_source {
            return None;
        }
        open.total += 1;
        open.by_source.insert(source, of_source + 1);
        Some(Seat { shared: Arc::clone(shared), source, ends })
    }

    /// How long this connection may be idle now: when most places are taken, not for long
    /// (RFC 7766 §6.2.3).
    fn idle(&self) -> Duration {
        let open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let crowded = open.total > self.shared.limits.connections * 3 / 4;
        if crowded { IDLE_CROWDED.min(self.shared.limits.idle) } else { self.shared.limits.idle }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let left = open.by_source.get(&self.source).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            open.by_source.remove(&self.source);
        } else {
            open.by_source.insert(self.source, left);
        }
    }
}

/// What a connection waits for.
enum Next {
    /// A message is complete.
    Message,
    /// Answers to updates.
    Answers(Bundle),
    /// No message will come.
    End,
}

/// The updates of a connection that are under way: others answer them, in whatever order.
struct UnderWay {
    back: mpsc::Sender<Bundle>,
    answers: mpsc::Receiver<Bundle>,
    count: usize,
}

impl UnderWay {
    fn new() -> UnderWay {
        let (back, answers) = mpsc::channel(UNDER_WAY_MAX);
        UnderWay { back, answers, count: 0 }
    }

    /// Whether so many may be added as are read together.
    fn has_room(&self) -> bool {
        self.count + BURST <= UNDER_WAY_MAX
    }

    /// Puts answers, and those that came with them, behind what is sent next.
    fn take(&mut self, answers: Bundle, out: &mut Vec<u8>) {
        let mut next = Some(answers);
        while let Some(Bundle { octets, count }) = next {
            out.extend_from_slice(&octets);
            self.count = self.count.saturating_sub(count);
            next = self.answers.try_recv().ok();
        }
    }
}

async fn converse(
    mut stream: TcpStream,
    seat: &Seat,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = Vec::with_capacity(READ_OCTETS);
    let mut outgoing = Vec::new();
    let mut under_way = UnderWay::new();
    let mut sensible = true;
    while sensible || under_way.count > 0 {
        let next = if sensible {
            receive(&mut stream, (&mut incoming, seat.idle()), &mut stop, &mut under_way).await?
        } else {
            last(&mut under_way).await
        };
        match next {
            Next::Message => {
                let (used, good) = answer_all(&incoming, seat, (&mut outgoing, &mut under_way));
                incoming.drain(..used);
                sensible = good;
            }
            Next::Answers(answers) => under_way.take(answers, &mut outgoing),
            Next::End if sensible => sensible = false,
            Next::End => break,
        }
        if !outgoing.is_empty() {
            timeout(seat.shared.limits.idle, stream.write_all(&outgoing)).await??;
            outgoing.clear();
        }
        // Large messages do not keep their memory while the connection is idle.
        for buffer in [&mut incoming, &mut outgoing] {
            buffer.shrink_to(READ_OCTETS);
        }
    }
    stream.shutdown().await?;
    // Closing with octets unread would reset the connection, and answers on their way with it.
    let discard = async {
        while stream.read_buf(&mut incoming).await? > 0 {
            incoming.clear();
        }
        Ok(())
    };
    timeout(LINGER, discard).await?
}

/// Reads until a message is complete or an update is answered.
async fn receive(
    stream: &mut TcpStream,
    (incoming, idle): (&mut Vec<u8>, Duration),
    stop: &mut watch::Receiver<bool>,
    under_way: &mut UnderWay,
) -> io::Result<Next> {
    // A message that was begun must be complete in time, however slowly it trickles. Who waits for
    // an update is not idle.
    let whole = MESSAGE.min(idle);
    let patience = if under_way.count > 0 { CONFIRM } else { idle };
    let mut deadline = Instant::now() + if incoming.is_empty() { patience } else { whole };
    loop {
        let full = !under_way.has_room();
        if split(incoming).is_some() && !full {
            return Ok(Next::Message);
        }
        if full {
            // Nothing is read before there is room: the sender has to wait.
            return Ok(last(under_way).await);
        }
        let begins = incoming.is_empty();
        let read = tokio::select! {
            read = timeout_at(deadline, stream.read_buf(incoming)) => match read {
                Ok(read) => read?,
                // Who is too slow still gets the answers to what it sent before.
                Err(_) if under_way.count > 0 => return Ok(Next::End),
                Err(late) => return Err(late.into()),
            },
            answer = under_way.answers.recv(), if under_way.count > 0 => {
                return Ok(answer.map_or(Next::End, Next::Answers));
            }
            _ = stop.changed() => return Ok(Next::End),
        };
        if read == 0 {
            return Ok(Next::End);
        }
        if begins {
            deadline = Instant::now() + whole;
        }
    }
}

/// Waits for the answer to an update, and for nothing else.
async fn last(under_way: &mut UnderWay) -> Next {
    match timeout(CONFIRM, under_way.answers.recv()).await {
        Ok(Some(answers)) => Next::Answers(answers),
        Ok(None) | Err(_) => Next::End,
    }
}

/// Answers every message that is complete: the number of octets that those took, and whether all of
/// them made sense. A stream that carries what is never answered is not worth its place.
fn answer_all(
    incoming: &[u8],
    seat: &Seat,
    (out, under_way): (&mut Vec<u8>, &mut UnderWay),
) -> (usize, bool) {
    let mut rest = incoming;
    let mut sensible = true;
    let mut parcels = Vec::new();
    // What was asked is answered before more is composed: memory stays bounded.
    while sensible && out.len() <= OUT_OCTETS_MAX && under_way.has_room() && split(rest).is_some() {
        let before = parcels.len();
        (rest, sensible) = answer_some(rest, seat, (out, &mut parcels), &under_way.back);
        under_way.count += parcels.len() - before;
    }
    if let Some(updates) = seat.shared.served.updates.as_ref().filter(|_| !parcels.is_empty()) {
        updates.take(parcels);
    }
    (incoming.len() - rest.len(), sensible)
}

/// Answers some messages, straight into what is sent next: what follows them, and whether all of
/// them made sense.
fn answer_some<'m>(
    stream: &'m [u8],
    seat: &Seat,
    (out, parcels): (&mut Vec<u8>, &mut Vec<Parcel>),
    back: &mpsc::Sender<Bundle>,
) -> (&'m [u8], bool) {
    let served = &seat.shared.served;
    let (serving, keys) = (served.zones.serving(), served.keys.load());
    let mut rest = stream;
    let mut count = 0;
    let asked: [Asked<'_, '_>; BURST] = std::array::from_fn(|_| {
        let Some((message, after)) = split(rest) else { return Asked::nothing() };
        rest = after;
        count += 1;
        Asked::read(&serving, message)
    });
    let asked = asked.get(..count).unwrap_or_default();
    read_ahead(asked);
    let context = Context::new(served, &keys, Transport::Tcp);
    let mut tally = Tally::default();
    let sensible = asked.iter().all(|asked| {
        if served.updates.is_some() && asked.is_update() {
            parcels.push(Parcel::tcp(asked.message(), seat.ends, back.clone()));
            return true;
        }
        let start = out.len();
        out.extend_from_slice(&[0, 0]);
        let length = asked.answer(&context, (out, &mut tally)).map(u16::try_from);
        match (length, out.get_mut(start..start + 2)) {
            (Some(Ok(length)), Some(place)) => place.copy_from_slice(&length.to_be_bytes()),
            _ => out.truncate(start),
        }
        out.len() > start
    });
    seat.shared.counters.add(&mut tally);
    (rest, sensible)
}

/// The first message of a stream, after its two octets of length, and what follows it.
fn split(stream: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = stream.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// What counts as one source.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

/// Octets that a connection reads at once.
const READ_OCTETS: usize = 4096;
/// Messages that are read together.
const BURST: usize = 16;
/// Answers that are composed before they are sent, in octets.
const OUT_OCTETS_MAX: usize = 128 * 1024;
/// A message that was begun must be complete after so long.
const MESSAGE: Duration = Duration::from_secs(5);
/// Most updates of one connection that are under way.
const UNDER_WAY_MAX: usize = 1024;
/// How long a connection waits for the answer to an update: longer than who answers them does.
const CONFIRM: Duration = Duration::from_secs(40);
/// How long a connection that we end may take to end its side.
const LINGER: Duration = Duration::from_millis(500);
/// Idle time when most places are taken.
const IDLE_CROWDED: Duration = Duration::from_millis(500);
/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_ipv4_address_however_written_or_an_ipv6_network() {
        let table = [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
            ("2001:db8:1:3::", "2001:db8:1:3::"),
        ];
        for (address, expected) in table {
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(source(address.parse().unwrap()), expected, "{address}");
        }
    }
}
