//! A node with its HTTP door, in a folder of its own.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use gateway::{Http, HttpSettings};
use node::admin::{self, Command, HostSettings, TokenSettings, ZoneSettings};
use node::{Node, Options};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wire::{Name, Rtype};
use zone::View;

use crate::caller::Caller;

/// A zone of the operator's own, where any address may be published.
pub(crate) const OWN: &str = "own.example";
/// A suffix, where only public addresses may be.
pub(crate) const SUFFIX: &str = "dyn.example";

/// A running service. Dropping it stops it.
pub(crate) struct Service {
    http: Http,
    node: Arc<Node>,
    ready: Arc<AtomicBool>,
    // Dropped after what runs on it.
    _runtime: Runtime,
    folder: TempDir,
}

impl Service {
    /// With the zones [`OWN`] and [`SUFFIX`].
    pub(crate) fn start() -> Service {
        Service::start_with(|_| {})
    }

    /// The same with settings of the caller's.
    pub(crate) fn start_with(settings: impl FnOnce(&mut HttpSettings)) -> Service {
        let folder = tempfile::tempdir().expect("a folder");
        let service = Service::open(folder, settings);
        for (zone, suffix) in [(OWN, false), (SUFFIX, true)] {
            let settings = ZoneSettings { suffix, ..ZoneSettings::default() };
            service.order(Command::ZoneAdd { zone: zone.to_owned(), ns: Vec::new(), settings });
        }
        service
    }

    fn open(folder: TempDir, settings: impl FnOnce(&mut HttpSettings)) -> Service {
        capture();
        let node = Node::open(&Options {
            data: folder.path().join("data"),
            name: "test".to_owned(),
            log_ms: None,
            origins_ms: None,
        });
        let node = Arc::new(node.expect("a node"));
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let runtime = threads.worker_threads(2).enable_all().build().expect("a runtime");
        let mut chosen = HttpSettings {
            addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            ..HttpSettings::default()
        };
        settings(&mut chosen);
        let ready = Arc::new(AtomicBool::new(true));
        let metrics = Arc::new(|| "byname_test_total 1\n".to_owned());
        let client = node.client().clone();
        let http = Http::start(&chosen, client, Arc::clone(&ready), metrics, runtime.handle());
        Service { http: http.expect("a door"), node, ready, _runtime: runtime, folder }
    }

    /// Stops it in good order and starts it anew on the same data.
    pub(crate) fn restart(mut self) -> Service {
        self.http.stop(Duration::from_secs(5));
        self.node.stop();
        let Service { http, node, folder, _runtime, .. } = self;
        drop((http, node, _runtime));
        Service::open(folder, |_| {})
    }

    /// Closes the door for HTTP only.
    pub(crate) fn close(&mut self, grace: Duration) {
        self.http.stop(grace);
    }

    /// Says whether the zones are loaded.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Where it takes updates.
    pub(crate) fn address(&self) -> SocketAddr {
        *self.http.addresses().first().expect("an address")
    }

    /// A new connection from another address of the loopback network to where HTTPS is spoken.
    pub(crate) fn call_https(&self, from: &str) -> Caller {
        let to = *self.http.https().first().expect("an address for HTTPS");
        Caller::connect(to, from.parse().expect("an address"))
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        self.node.data()
    }

    /// The node behind the door.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// A new connection from 127.0.0.1.
    pub(crate) fn call(&self) -> Caller {
        Caller::connect(self.address(), IpAddr::from([127, 0, 0, 1]))
    }

    /// A new connection from ::1 to the last of its addresses.
    pub(crate) fn call_v6(&self) -> Caller {
        let to = *self.http.addresses().last().expect("an address");
        Caller::connect(to, IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16]))
    }

    /// A new connection from another address of the loopback network.
    pub(crate) fn call_from(&self, from: &str) -> Caller {
        Caller::connect(self.address(), from.parse().expect("an address"))
    }

    /// Carries out an order of the operator's.
    pub(crate) fn order(&self, command: Command) -> Value {
        let done = admin::execute(&self.node, &command, &mut std::io::empty());
        done.unwrap_or_else(|why| panic!("{command:?}: {why}")).value
    }

    /// A new host; its token.
    pub(crate) fn host(&self, host: &str) -> String {
        self.host_of(host, None)
    }

    /// A new host of an account; its token.
    pub(crate) fn host_of(&self, host: &str, account: Option<&str>) -> String {
        token(&self.order(Command::HostAdd {
            host: host.to_owned(),
            account: account.map(str::to_owned),
            settings: HostSettings::default(),
        }))
    }

    /// A token for several hosts.
    pub(crate) fn token_for(&self, hosts: &[&str]) -> String {
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        token(&self.order(Command::TokenAdd {
            hosts,
            label: String::new(),
            settings: TokenSettings::default(),
        }))
    }

    /// What is published, as `TTL data`, IPv4 first.
    pub(crate) fn published(&self, host: &str) -> Vec<String> {
        let name = Name::parse(host).expect("a name");
        let zones = self.node.live().zones().all();
        let zone = zones.iter().find(|zone| name.is_subdomain_of(zone.apex())).expect("a zone");
        let mut all = Vec::new();
        for rtype in [Rtype::A, Rtype::AAAA] {
            let Some(rrset) = zone.rrset(&name, rtype) else { continue };
            let addresses = rrset.rdata.iter().map(|rdata| match rdata.ipv4() {
                Some(v4) => v4.to_string(),
                None => rdata.ipv6().expect("an address").to_string(),
            });
            all.extend(addresses.map(|address| format!("{} {address}", rrset.ttl_s)));
        }
        all
    }

    /// The values of the TXT records of a name, in their order; each is one string.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let name = Name::parse(name).expect("a name");
        let zones = self.node.live().zones().all();
        let zone = zones.iter().find(|zone| name.is_subdomain_of(zone.apex())).expect("a zone");
        let rdata = zone.rrset(&name, Rtype::TXT).map_or(Vec::new(), |rrset| rrset.rdata);
        let text = |octets: &[u8]| String::from_utf8_lossy(&octets[1..]).into_owned();
        rdata.iter().map(|rdata| text(rdata.as_wire())).collect()
    }

    /// When a host was last seen, in milliseconds since 1970.
    pub(crate) fn last_seen(&self, host: &str) -> Option<i64> {
        let name = Name::parse(host).expect("a name");
        self.node.live().last_seen(&name).map(|at| at.0)
    }
}

fn token(added: &Value) -> String {
    added["token"].as_str().expect("a token").to_owned()
}

/// Everything that has been logged by this process, at every level.
pub(crate) fn logged() -> String {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&log).into_owned()
}

/// Keeps everything that is logged from now on.
fn capture() {
    static ONCE: LazyLock<()> = LazyLock::new(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Capture)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");
    });
    LazyLock::force(&ONCE);
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Capture;

impl std::io::Write for Capture {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
