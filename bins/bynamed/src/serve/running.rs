//! A service with open doors.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::Api;
use engine::Live;
use gateway::{Client, Handover, Http, HttpSettings, Inbox, MetricsText, Updates};
use metrics_exporter_prometheus::PrometheusHandle;
use node::Node;
use node::admin::{self, AdminSocket};
use node::webhook::Courier;
use server::{Intake, Served, Server};
use tls::Certificates;
use tokio::runtime::Runtime;

use super::encryption::{self, Encryption};
use super::process;
use super::signals::Asked;
use crate::configuration::Settings;
use crate::doors::{self, Chosen};
use crate::fault::Fault;
use crate::{measure, order};

/// Where the doors shall be.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    pub(crate) dns: Chosen,
    pub(crate) http: Chosen,
    pub(crate) https: Chosen,
}

/// A service that answers. [`Running::stop`] ends it well.
pub(crate) struct Running {
    runtime: Runtime,
    /// `None` once it was asked to stop.
    asked: Option<Asked>,
    node: Arc<Node>,
    server: Arc<Mutex<Server>>,
    xdp: Option<Arc<Mutex<xdp::Door>>>,
    dns: Vec<SocketAddr>,
    http: Option<Http>,
    encryption: Arc<Encryption>,
    updates: Updates,
    admin: AdminSocket,
    courier: Courier,
}

impl Running {
    /// Takes the data directory, opens the doors, loads the state, and is ready.
    ///
    /// While the state is loaded, queries get SERVFAIL and `/readyz` says 503.
    pub(crate) fn start(
        settings: &Settings,
        doors: &Doors,
        recorder: PrometheusHandle,
    ) -> Result<Running, Fault> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime =
            runtime.map_err(|why| Fault::failed(format!("cannot start threads: {why}")))?;
        let claimed = Node::claim(&settings.node_options()).map_err(|why| order::opened(&why))?;
        let ready = Arc::new(AtomicBool::new(false));
        let client = claimed.client().clone();
        let inbox = Arc::new(Inbox::new());
        let served = Served {
            zones: Arc::clone(client.live().zones()),
            ready: Arc::clone(&ready),
            keys: Arc::clone(client.live().keys()),
            updates: Some(Arc::clone(&inbox) as Arc<dyn Intake>),
        };
        let mut server = open_dns(settings, &doors.dns, &served, &runtime)?;
        let updates =
            Updates::start(settings.updates.clone(), client.clone(), inbox, Arc::clone(&ready));
        let updates =
            updates.map_err(|why| Fault::failed(format!("cannot start threads: {why}")))?;
        let dns = server.addresses().to_vec();
        let xdp = settings.xdp.as_ref().and_then(|interface| {
            let door = open_xdp(interface, &dns, &served)?;
            server.count_also(door.counters());
            Some(Arc::new(Mutex::new(door)))
        });
        let server = Arc::new(Mutex::new(server));
        runtime.spawn(sum_up(recorder.clone()));
        let metrics = metrics_text(recorder, (&server, xdp.as_ref()), client.live());
        let certificates = encryption::certificates(settings)?;
        let api = Api::new();
        let opening = Opening {
            client: client.clone(),
            ready: Arc::clone(&ready),
            metrics,
            api: api.clone(),
            certificates: certificates.clone(),
        };
        let http = open_http(settings, doors, opening, &runtime)?;
        let node = Arc::new(claimed.load().map_err(|why| order::opened(&why))?);
        api.attach(Arc::clone(&node));
        // A start that is stopped before this has nothing to lose: the signal just ends it.
        let asked = Some(Asked::listen(&runtime)?);
        ready.store(true, Ordering::Release);
        let encryption =
            Encryption::start(settings, certificates.as_ref(), &client, runtime.handle())?;
        let courier = Courier::start(&node).map_err(|why| order::opened(&why))?;
        let admin = admin::serve(Arc::clone(&node)).map_err(|why| {
            let fault = Fault::failed(format!("cannot open the admin socket: {why}"));
            // sun_path of unix(7) has room for 108 octets.
            fault.hint("it lies in the data directory, whose path must be short and writable")
        })?;
        tracing::info!(data = %settings.data.display(), "ready");
        Ok(Running {
            runtime,
            asked,
            node,
            server,
            xdp,
            dns,
            http,
            encryption,
            updates,
            admin,
            courier,
        })
    }

    /// Where DNS is answered.
    pub(crate) fn dns(&self) -> &[SocketAddr] {
        &self.dns
    }

    /// Where updates are taken.
    pub(crate) fn http(&self) -> &[SocketAddr] {
        self.http.as_ref().map(Http::addresses).unwrap_or_default()
    }

    /// Where updates are taken over HTTPS.
    pub(crate) fn https(&self) -> &[SocketAddr] {
        self.http.as_ref().map(Http::https).unwrap_or_default()
    }

    /// The node behind the doors.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Waits until it is asked to stop.
    pub(crate) fn wait(mut self) -> Running {
        if let Some(asked) = self.asked.take() {
            asked.wait(&self.runtime);
        }
        self
    }

    /// Closes the doors, answers what was read, writes down what is only in memory.
    pub(crate) fn stop(self) {
        let Running {
            runtime,
            node,
            server,
            xdp,
            http,
            mut updates,
            admin,
            encryption,
            courier,
            ..
        } = self;
        // Orders and updates first: what they change is still answered.
        drop((admin, encryption));
        courier.stop();
        if let Some(mut http) = http {
            http.stop(GRACE);
        }
        if let Some(xdp) = xdp {
            lock(&xdp).stop();
        }
        let closed = {
            let mut server = lock(&server);
            server.stop();
            server.closed()
        };
        // Answers that are on their way still reach who reads them.
        if runtime.block_on(async { tokio::time::timeout(GRACE, closed).await }).is_err() {
            tracing::warn!("DNS connections that did not read their answers were cut off");
        }
        updates.stop();
        node.stop();
        runtime.shutdown_timeout(GRACE);
        tracing::info!("stopped");
    }
}

fn open_dns(
    settings: &Settings,
    chosen: &Chosen,
    served: &Served,
    runtime: &Runtime,
) -> Result<Server, Fault> {
    let wanted =
        server::Settings { addresses: chosen.addresses.clone(), ..settings.server.clone() };
    let server = Server::start(&wanted, served, runtime.handle())
        .map_err(|why| doors::refused(&why.why, why.to_string(), "--dns"))?;
    tell("DNS", server.addresses(), chosen);
    Ok(server)
}

/// Answers past the kernel; where that cannot be had, everything is answered over sockets.
fn open_xdp(interface: &str, listening: &[SocketAddr], served: &Served) -> Option<xdp::Door> {
    let settings = xdp::Settings { interface: interface.to_owned(), addresses: listening.to_vec() };
    match xdp::Door::open(&settings, served) {
        Ok(door) => {
            let (mode, queues, places) = (door.mode(), door.queues(), door.places());
            tracing::info!(
                interface,
                ?mode,
                queues,
                places,
                "DNS over UDP is answered past the kernel"
            );
            if places == 0 {
                let hint = "name the interface that has the addresses, or listen at one of them";
                tracing::warn!(
                    interface,
                    hint,
                    "AF_XDP: this interface has no address for DNS yet"
                );
            }
            Some(door)
        }
        Err(why) => {
            let hint = why.hint();
            tracing::warn!(interface, %why, hint, "AF_XDP is not available; all is answered over sockets");
            None
        }
    }
}

/// What the door for updates needs.
struct Opening {
    client: Client,
    ready: Arc<AtomicBool>,
    metrics: MetricsText,
    api: Api,
    certificates: Option<Arc<Certificates>>,
}

fn open_http(
    settings: &Settings,
    doors: &Doors,
    opening: Opening,
    runtime: &Runtime,
) -> Result<Option<Http>, Fault> {
    let (clear, encrypted) = (&doors.http, &doors.https);
    if clear.addresses.is_empty() && encrypted.addresses.is_empty() {
        return Ok(None);
    }
    let Opening { client, ready, metrics, api, certificates } = opening;
    let other: Option<Arc<dyn Handover>> = Some(Arc::new(api));
    let wanted = HttpSettings {
        addresses: clear.addresses.clone(),
        https: encrypted.addresses.clone(),
        certificates,
        other,
        connections: process::http_connections(settings.gateway.connections),
        ..settings.gateway.clone()
    };
    let http = Http::start(&wanted, client, ready, metrics, runtime.handle()).map_err(|why| {
        let flag = if why.https { "--https" } else { "--http" };
        doors::refused(&why.why, why.to_string(), flag)
    })?;
    if !http.addresses().is_empty() {
        tell("HTTP", http.addresses(), clear);
    }
    if !http.https().is_empty() {
        tell("HTTPS", http.https(), encrypted);
    }
    Ok(Some(http))
}

fn metrics_text(
    recorder: PrometheusHandle,
    (server, xdp): (&Arc<Mutex<Server>>, Option<&Arc<Mutex<xdp::Door>>>),
    live: &Arc<Live>,
) -> MetricsText {
    let (server, xdp, live) = (Arc::clone(server), xdp.map(Arc::clone), Arc::clone(live));
    Arc::new(move || {
        lock(&server).publish();
        if let Some(xdp) = &xdp {
            lock(xdp).publish();
        }
        measure::refresh(&live);
        recorder.render()
    })
}

/// Histograms keep every value until they are summed up, and nobody may ever ask for them.
async fn sum_up(recorder: PrometheusHandle) {
    loop {
        tokio::time::sleep(measure::UPKEEP).await;
        recorder.run_upkeep();
    }
}

fn tell(what: &str, open: &[SocketAddr], chosen: &Chosen) {
    let addresses: Vec<String> = open.iter().map(SocketAddr::to_string).collect();
    let addresses = addresses.join(", ");
    match chosen.why {
        Some(why) => tracing::info!(addresses, why, "{what} is open"),
        None => tracing::info!(addresses, "{what} is open"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long connections may take to end.
const GRACE: Duration = Duration::from_secs(5);
