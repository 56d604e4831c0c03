//! Opening the doors, and closing them.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use datagram::Socket;
use nix::sys::socket::{setsockopt, sockopt};
use rustix::process::{Resource, getrlimit};
use socket2::{Domain, Protocol, Type};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::counters::Counters;
use crate::served::Served;
use crate::tcp::{self, Limits, Open, Shared};
use crate::udp::Worker;

/// How queries are served.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses to listen at, over UDP and TCP; port 0 lets the system choose one for both.
    pub addresses: Vec<SocketAddr>,
    /// UDP workers for each address.
    pub workers: usize,
    /// Most TCP connections at once; never more than half of the files that the process may open.
    pub tcp_connections: usize,
    /// Most TCP connections from one source: an IPv4 address, or an IPv6 /64.
    pub tcp_per_source: usize,
    /// How long a TCP connection may be idle, and take for its answers.
    pub tcp_idle: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            addresses: Vec::new(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            tcp_connections: 10_000,
            tcp_per_source: 200,
            tcp_idle: Duration::from_secs(10),
        }
    }
}

/// An address that cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for DNS at {address}: {why}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// Why.
    pub why: io::Error,
}

/// Open doors. Dropping it closes them.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    counters: Vec<Arc<Counters>>,
    stopping: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
    acceptors: JoinSet<()>,
}

impl Server {
    /// Opens the doors.
    pub fn start(
        settings: &Settings,
        served: &Served,
        runtime: &Handle,
    ) -> Result<Server, ListenError> {
        let _inside = runtime.enter();
        let tcp_counters = Arc::new(Counters::new());
        let (stop, stopped) = watch::channel(false);
        let mut server = Server {
            addresses: Vec::new(),
            counters: vec![Arc::clone(&tcp_counters)],
            stopping: Arc::new(AtomicBool::new(false)),
            stop,
            workers: Vec::new(),
            acceptors: JoinSet::new(),
        };
        let shared = Arc::new(Shared {
            served: served.clone(),
            counters: tcp_counters,
            limits: Limits {
                connections: affordable(
                    settings.tcp_connections,
                    getrlimit(Resource::Nofile).current,
                ),
                per_source: settings.tcp_per_source,
                idle: settings.tcp_idle,
            },
            open: Mutex::new(Open::default()),
        });
        for &asked in &settings.addresses {
            let refuse = |why| ListenError { address: asked, why };
            let (sockets, listener) = bind(asked, settings.workers.max(1)).map_err(refuse)?;
            let address = listener.local_addr().map_err(refuse)?;
            server.addresses.push(address);
            let accepting = tcp::accept((listener, address), Arc::clone(&shared), stopped.clone());
            server.acceptors.spawn_on(accepting, runtime);
            for socket in sockets {
                let counters = Arc::new(Counters::new());
                server.counters.push(Arc::clone(&counters));
                let worker = Worker {
                    socket: Arc::new(Socket::new(socket).map_err(refuse)?),
                    address,
                    served: served.clone(),
                    stopping: Arc::clone(&server.stopping),
                    counters,
                };
                let thread = std::thread::Builder::new().name("dns-udp".to_owned());
                server.workers.push(thread.spawn(move || worker.run()).map_err(refuse)?);
            }
        }
        Ok(server)
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Counts for a door that answers elsewhere, published together with those of the sockets.
    pub fn count_also(&mut self, counters: &[Arc<Counters>]) {
        self.counters.extend_from_slice(counters);
    }

    /// Publishes what was counted as metrics; to be called when they are read.
    pub fn publish(&self) {
        Counters::publish(self.counters.iter().map(|counters| &**counters));
    }

    /// Closes the doors; what was read is answered. The UDP workers have ended when this returns;
    /// TCP connections end after their next answer, see [`Server::closed`].
    pub fn stop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Nobody listens when all connections have ended.
        let _ = self.stop.send(true);
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("a worker for DNS panicked");
            }
        }
    }

    /// Waits until nothing listens any more and all TCP connections have ended. After
    /// [`Server::stop`] that takes as long as the slowest reader of an answer, and no longer than
    /// the idle limit. Who drops the future before ends the connections as they are.
    pub fn closed(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let mut acceptors = std::mem::take(&mut self.acceptors);
        async move {
            while let Some(ended) = acceptors.join_next().await {
                if ended.is_err() {
                    tracing::error!("accepting DNS over TCP panicked");
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.acceptors.detach_all();
    }
}

/// How many connections there may be when so many files may be open: others need some too, above all
/// the store. `None` is no limit.
fn affordable(wanted: usize, files: Option<u64>) -> usize {
    let half = files.and_then(|files| usize::try_from(files / 2).ok()).unwrap_or(usize::MAX);
    if half < wanted {
        tracing::warn!(wanted, allowed = half, "fewer DNS connections: too few files may be open");
    }
    wanted.min(half)
}

/// UDP sockets and a TCP listener at one address and port, which nobody else listens at.
fn bind(asked: SocketAddr, workers: usize) -> io::Result<(Vec<UdpSocket>, TcpListener)> {
    let mut last = None;
    // With port 0 the port that TCP got may be taken for UDP: then another one is tried.
    let attempts = if asked.port() == 0 { PORT_ATTEMPTS } else { 1 };
    for _ in 0..attempts {
        let listener = tcp_listener(asked)?;
        match udp_sockets(listener.local_addr()?, workers) {
            Ok(sockets) => return Ok((sockets, listener)),
            Err(why) => last = Some(why),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("no port is free")))
}

/// One socket for each worker; the system spreads the askers over them.
fn udp_sockets(address: SocketAddr, workers: usize) -> io::Result<Vec<UdpSocket>> {
    // The first one is bound alone: it fails where anybody else is bound, even another service that
    // would share the port and get a part of our queries.
    let first = udp(address)?;
    first.bind(&address.into())?;
    if workers > 1 {
        first.set_reuse_port(true)?;
    }
    let others = (1..workers).map(|_| {
        let socket = udp(address)?;
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        Ok(socket)
    });
    std::iter::once(Ok(first)).chain(others).map(|socket| socket.map(UdpSocket::from)).collect()
}

fn udp(address: SocketAddr) -> io::Result<socket2::Socket> {
    let socket =
        socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // IPv4 has a socket of its own, so that addresses never look mapped.
        socket.set_only_v6(true)?;
    }
    size_buffers(&socket);
    socket.set_read_timeout(Some(STOP_CHECK))?;
    Ok(socket)
}

/// Asks for room for bursts, past the system's limit where we may.
fn size_buffers(socket: &socket2::Socket) {
    let octets = BUFFER_OCTETS;
    if setsockopt(socket, sockopt::RcvBufForce, &octets).is_err()
        && let Err(why) = socket.set_recv_buffer_size(octets)
    {
        tracing::warn!(%why, "UDP receive buffer stays as it is: bursts may be lost");
    }
    // An answer that finds no room is lost, as any datagram may be: no word about that.
    if setsockopt(socket, sockopt::SndBufForce, &octets).is_err() {
        let _ = socket.set_send_buffer_size(octets);
    }
    // The system counts its own needs too and says twice what it was asked for.
    let got = socket.recv_buffer_size().unwrap_or(0) / 2;
    static WARNED: std::sync::Once = std::sync::Once::new();
    if got < octets {
        WARNED.call_once(|| {
            tracing::warn!(
                octets = got,
                wanted = octets,
                hint = "set net.core.rmem_max to 4194304 with sysctl, or give the service CAP_NET_ADMIN",
                "UDP receive buffers are small: bursts of queries may be lost"
            );
        });
    }
}

fn tcp_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket =
        socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// How many ports are tried when the system may choose.
const PORT_ATTEMPTS: usize = 20;
/// Receive and send buffers that are asked for, in octets: room for bursts.
const BUFFER_OCTETS: usize = 4 * 1024 * 1024;
/// How often a worker that has nothing to do looks whether it shall stop.
const STOP_CHECK: Duration = Duration::from_millis(100);
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

#[cfg(test)]
mod tests;
