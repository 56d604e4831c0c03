//! Connections: pipelined queries, answered in order (RFC 7766).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use zone::Zones;

use crate::counters::Counters;
use crate::respond::{Transport, respond};

/// Limits of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Most connections at once.
    pub(crate) connections: usize,
    /// Most of them from one source: an IPv4 address, or an IPv6 /64.
    pub(crate) per_source: usize,
    /// How long a connection may be idle.
    pub(crate) idle: Duration,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) zones: Arc<Zones>,
    pub(crate) ready: Arc<AtomicBool>,
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

/// Accepts connections until `stop` changes; those that are open end after their next answer.
pub(crate) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        match accepted {
            Ok((stream, from)) => match Seat::take(&shared, from) {
                Some(seat) => {
                    shared.counters.connections.fetch_add(1, Ordering::Relaxed);
                    let stop = stop.clone();
                    tokio::spawn(async move {
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
}

/// A connection's place among those that are allowed.
struct Seat {
    shared: Arc<Shared>,
    source: IpAddr,
}

impl Seat {
    fn take(shared: &Arc<Shared>, from: SocketAddr) -> Option<Seat> {
        let source = source(from.ip());
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = open.by_source.get(&source).copied().unwrap_or(0);
        if open.total >= shared.limits.connections || of_source >= shared.limits.per_source {
            return None;
        }
        open.total += 1;
        open.by_source.insert(source, of_source + 1);
        Some(Seat { shared: Arc::clone(shared), source })
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

async fn converse(
    mut stream: TcpStream,
    seat: &Seat,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = Vec::with_capacity(READ_OCTETS);
    let mut outgoing = Vec::new();
    let mut answer = Vec::new();
    loop {
        let used = answer_all(&incoming, seat, &mut outgoing, &mut answer);
        incoming.drain(..used);
        if !outgoing.is_empty() {
            timeout(WRITE, stream.write_all(&outgoing)).await??;
            outgoing.clear();
            // A burst of large answers does not keep its memory for ever.
            outgoing.shrink_to(READ_OCTETS);
        }
        // A message that was begun must be complete in time, however slowly it trickles.
        let wait = if incoming.is_empty() { seat.idle() } else { MESSAGE };
        let deadline = Instant::now() + wait;
        while split(&incoming).is_none() {
            let read = tokio::select! {
                read = timeout_at(deadline, stream.read_buf(&mut incoming)) => read??,
                _ = stop.changed() => return Ok(()),
            };
            if read == 0 {
                return Ok(());
            }
        }
    }
}

/// Answers every message that is complete; the number of octets that those took.
fn answer_all(incoming: &[u8], seat: &Seat, out: &mut Vec<u8>, answer: &mut Vec<u8>) -> usize {
    let shared = &seat.shared;
    let mut rest = incoming;
    while let Some((message, after)) = split(rest) {
        // What was asked is answered before more is composed: memory stays bounded.
        if out.len() > OUT_OCTETS_MAX {
            break;
        }
        let ready = shared.ready.load(Ordering::Relaxed);
        let into = (&mut *answer, &*shared.counters);
        if let Some(length) = respond(&shared.zones, ready, Transport::Tcp, message, into)
            && let Ok(length) = u16::try_from(length)
        {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(answer);
        }
        rest = after;
    }
    incoming.len() - rest.len()
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
/// Answers that are composed before they are sent, in octets.
const OUT_OCTETS_MAX: usize = 128 * 1024;
/// A message that was begun must be complete after so long.
const MESSAGE: Duration = Duration::from_secs(5);
/// Answers must be taken within so long.
const WRITE: Duration = Duration::from_secs(10);
/// Idle time when most places are taken.
const IDLE_CROWDED: Duration = Duration::from_millis(500);
/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
