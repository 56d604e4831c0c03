//! What all connections share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::attempts::Attempts;
use crate::client::Client;
use crate::handover::Handover;
use crate::http::{HttpSettings, MetricsText};
use crate::quota::{Quota, Taken};
use crate::rates::Rates;
use crate::seats::{Seat, Seats};
use crate::source::Trust;
use crate::tally::Tally;

/// The door: its settings, its limits, and what stands behind it.
pub(crate) struct Door {
    pub(crate) client: Client,
    pub(crate) trust: Trust,
    /// Connections of trusted proxies must begin with a PROXY header.
    pub(crate) proxy_protocol: bool,
    /// An answer must be taken within so long.
    pub(crate) write: Duration,
    pub(crate) metrics: MetricsText,
    pub(crate) tally: Tally,
    /// Who takes over what is of another language.
    pub(crate) other: Option<Arc<dyn Handover>>,
    idle: Duration,
    request: Duration,
    ready: Arc<AtomicBool>,
    seats: Arc<Seats>,
    attempts: Mutex<Attempts>,
    quota: Mutex<Quota>,
    change_quota: Mutex<Quota>,
    pub(crate) rates: Rates,
}

impl Door {
    pub(crate) fn new(
        settings: &HttpSettings,
        client: Client,
        ready: Arc<AtomicBool>,
        metrics: MetricsText,
    ) -> Door {
        Door {
            client,
            trust: Trust {
                networks: settings.trusted_networks.clone(),
                proxies: settings.trusted_proxies.clone(),
            },
            proxy_protocol: settings.proxy_protocol,
            write: settings.write,
            metrics,
            tally: Tally::new(),
            other: settings.other.clone(),
            idle: settings.idle,
            request: settings.request,
            ready,
            seats: Seats::new(settings.connections, settings.per_source),
            attempts: Mutex::new(Attempts::new(settings.failures_per_minute)),
            quota: Mutex::new(Quota::of_strangers()),
            change_quota: Mutex::new(Quota::of_changes()),
            rates: Rates::new(settings.rates),
        }
    }

    /// A place for a connection of this peer, if there is one.
    pub(crate) fn admit(&self, peer: IpAddr) -> Option<Seat> {
        let mut seat = self.seats.take()?;
        // Behind a proxy are many; each is counted when the proxy names it.
        (self.trust.is_proxy(peer) || seat.belongs_to(peer)).then_some(seat)
    }

    /// Whether the index is loaded.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// How long a connection may be idle now.
    pub(crate) fn idle(&self) -> Duration {
        if self.seats.is_crowded() { IDLE_CROWDED.min(self.idle) } else { self.idle }
    }

    /// How long after its first octet a request must be complete now.
    pub(crate) fn request(&self) -> Duration {
        if self.seats.is_crowded() { REQUEST_CROWDED.min(self.request) } else { self.request }
    }

    /// Whether a line about somebody without a valid token is written.
    pub(crate) fn may_log(&self) -> bool {
        let taken = self.quota.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        if let Taken::Write { left_out: left_out @ 1.. } = taken {
            tracing::warn!(left_out, "lines about clients without a valid token were left out");
        }
        taken != Taken::LeaveOut
    }

    /// Whether a line about an update with a valid token is written.
    pub(crate) fn may_log_update(&self) -> bool {
        let quota = self.change_quota.lock();
        let taken = quota.unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        if let Taken::Write { left_out: left_out @ 1.. } = taken {
            tracing::info!(left_out, "lines about updates were left out; history has all changes");
        }
        taken != Taken::LeaveOut
    }

    /// Failed authentications; hold it for a few lines only.
    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Idle time when most places are taken.
const IDLE_CROWDED: Duration = Duration::from_millis(500);
/// Time for a whole request when most places are taken: enough for a slow line, too little for who
/// only wants to hold the place.
const REQUEST_CROWDED: Duration = Duration::from_secs(2);
