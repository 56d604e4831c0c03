//! Opening the door for updates over HTTP, and closing it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use account::Network;
use socket2::{Domain, Protocol, Socket, Type};
use tls::Certificates;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::Client;
use crate::clock::after;
use crate::connection::{self, Arrival};
use crate::door::Door;
use crate::handover::Handover;
use crate::handshake::Handshakes;
use crate::rates::RateSettings;

/// How updates are taken over HTTP.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Addresses to listen at; port 0 lets the system choose one.
    pub addresses: Vec<SocketAddr>,
    /// Addresses to listen at for HTTPS; there must be none without certificates.
    pub https: Vec<SocketAddr>,
    /// The certificates of those; they may still be to come.
    pub certificates: Option<Arc<Certificates>>,
    /// Most handshakes of TLS at once.
    pub handshakes: usize,
    /// A handshake must be complete within so long; within less when all places are taken.
    pub handshake: Duration,
    /// Networks from which a token in clear is not marked as exposed, and which may read the
    /// metrics. Loopback always is one.
    pub trusted_networks: Vec<Network>,
    /// Proxies whose PROXY header (version 2) counts, and whose `X-Forwarded-For` (its last hop
    /// that is not one of them) and `X-Forwarded-Proto` do.
    pub trusted_proxies: Vec<Network>,
    /// Whether connections of trusted proxies must begin with a PROXY header; otherwise they may.
    pub proxy_protocol: bool,
    /// Most connections at once.
    pub connections: usize,
    /// Most of them from one source: an IPv4 address, or an IPv6 /64. Trusted proxies are exempt;
    /// a client that a PROXY header names is not.
    pub per_source: usize,
    /// How long a connection may be idle between requests; much less when most places are taken.
    pub idle: Duration,
    /// A request must be complete so long after its first octet.
    pub request: Duration,
    /// An answer must be taken within so long.
    pub write: Duration,
    /// Failed authentications of one source in a minute, after which further ones are put off.
    /// Valid tokens are not.
    pub failures_per_minute: u32,
    /// Who takes over what is of another language.
    pub other: Option<Arc<dyn Handover>>,
    /// How often changes may be asked for.
    pub rates: RateSettings,
}

impl Default for HttpSettings {
    fn default() -> HttpSettings {
        HttpSettings {
            addresses: Vec::new(),
            https: Vec::new(),
            certificates: None,
            handshakes: 1_000,
            handshake: Duration::from_secs(10),
            trusted_networks: Vec::new(),
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            connections: 10_000,
            per_source: 200,
            idle: Duration::from_secs(10),
            request: Duration::from_secs(10),
            write: Duration::from_secs(10),
            failures_per_minute: 60,
            other: None,
            rates: RateSettings::default(),
        }
    }
}

/// An address that cannot be listened at.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for {} at {address}: {why}", if *https { "HTTPS" } else { "HTTP" })]
pub struct HttpListenError {
    /// The address.
    pub address: SocketAddr,
    /// Whether it is one for HTTPS.
    pub https: bool,
    /// Why.
    pub why: io::Error,
}

/// The text of all metrics, made when they are read.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// An open door. Dropping it closes it without grace.
#[derive(Debug)]
pub struct Http {
    addresses: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    /// When connections must have ended; `None` as long as the door is open.
    stop: watch::Sender<Option<Instant>>,
    /// Yields an error when the last connection has ended; in a mutex only to be `Sync`.
    ended: Mutex<Receiver<()>>,
}

impl Http {
    /// Opens the door. `ready` is watched: as long as it is false no update is taken.
    pub fn start(
        settings: &HttpSettings,
        client: Client,
        ready: Arc<AtomicBool>,
        metrics: MetricsText,
        runtime: &Handle,
    ) -> Result<Http, HttpListenError> {
        let _inside = runtime.enter();
        let door = Arc::new(Door::new(settings, client, ready, metrics));
        let (stop, stopped) = watch::channel(None);
        let (alive, ended) = sync_channel(1);
        let handshakes = settings.certificates.clone().map(|certificates| {
            Handshakes::new(certificates, settings.handshakes, settings.handshake).map(Arc::new)
        });
        let (clear, addresses) = listen_all(&settings.addresses, false)?;
        let (encrypted, https) = listen_all(&settings.https, true)?;
        let mut listeners: Vec<_> = clear.into_iter().map(|listener| (listener, None)).collect();
        if let Some(&address) = settings.https.first() {
            let none = || Err(io::Error::other("there is no certificate"));
            let handshakes = handshakes.unwrap_or_else(none);
            let handshakes =
                handshakes.map_err(|why| HttpListenError { address, https: true, why })?;
            let with = |listener| (listener, Some(Arc::clone(&handshakes)));
            listeners.extend(encrypted.into_iter().map(with));
        }
        for (listener, tls) in listeners {
            let place = Place { door: Arc::clone(&door), tls };
            runtime.spawn(accept(listener, place, stopped.clone(), alive.clone()));
        }
        Ok(Http { addresses, https, stop, ended: Mutex::new(ended) })
    }

    /// Where it listens, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where it listens for HTTPS.
    pub fn https(&self) -> &[SocketAddr] {
        &self.https
    }

    /// Closes the door: no new connections; what was begun is answered if it is complete within
    /// `grace`; then all is closed. Blocks until then, so it is not to be called on a thread that
    /// drives asynchronous tasks.
    pub fn stop(&mut self, grace: Duration) {
        self.stop.send_replace(Some(after(Instant::now(), grace)));
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        match ended.recv_timeout(grace.saturating_add(GRACE_EXTRA)) {
            // All ends are gone: nothing runs any more.
            Err(RecvTimeoutError::Disconnected) | Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!("connections for HTTP did not end in time");
            }
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.stop.send_if_modified(|until| {
            let open = until.is_none();
            if open {
                *until = Some(Instant::now());
            }
            open
        });
    }
}

/// What a listener leads to.
struct Place {
    door: Arc<Door>,
    /// TLS has to be spoken here.
    tls: Option<Arc<Handshakes>>,
}

/// Accepts connections until the door closes, then sees them to their end. `_alive` goes with it.
async fn accept(
    listener: TcpListener,
    Place { door, tls }: Place,
    mut stop: watch::Receiver<Option<Instant>>,
    _alive: SyncSender<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = connections.join_next() => {
                report(ended);
                continue;
            }
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((tcp, peer)) => match door.admit(peer.ip()) {
                Some(seat) => {
                    let (door, stop) = (Arc::clone(&door), stop.clone());
                    let arrival = Arrival { tcp, peer: peer.ip(), seat, tls: tls.clone() };
                    connections.spawn(connection::converse(arrival, door, stop));
                }
                None => metrics::counter!("byname_http_refused_connections_total").increment(1),
            },
            Err(why) => {
                // For example: out of file descriptors. Waiting lets some be closed.
                tracing::warn!(%why, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let until = stop.borrow().unwrap_or_else(Instant::now) + GRACE_EXTRA / 2;
    while let Ok(Some(ended)) = tokio::time::timeout_at(until, connections.join_next()).await {
        report(ended);
    }
    connections.shutdown().await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(why) = ended
        && why.is_panic()
    {
        tracing::error!("a connection for HTTP panicked");
    }
}

/// Listens at all addresses; also gives them back with the ports that the system chose.
fn listen_all(
    addresses: &[SocketAddr],
    https: bool,
) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), HttpListenError> {
    let one = |&address: &SocketAddr| {
        let listener = listen(address).and_then(|listener| {
            let at = listener.local_addr()?;
            Ok((listener, at))
        });
        listener.map_err(|why| HttpListenError { address, https, why })
    };
    addresses.iter().map(one).collect()
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // IPv4 has a socket of its own, so that addresses never look mapped.
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
/// What closing may take beyond the grace that connections get.
const GRACE_EXTRA: Duration = Duration::from_secs(1);
