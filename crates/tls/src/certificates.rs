//! All certificates, and which one a client is shown.

use std::cmp::Reverse;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SignatureScheme};

use crate::pair::{Fit, Pair};

/// The pairs of a service, each in a place that was given a name. A place may be empty: then its
/// certificate is still to come.
pub struct Certificates {
    places: Vec<String>,
    /// Read by handshakes without a lock; written by whoever has a newer pair.
    pairs: ArcSwap<Vec<Option<Arc<Pair>>>>,
    writing: Mutex<()>,
}

impl Certificates {
    /// Empty places with these names. When a client names none that any certificate is for, it gets
    /// the first.
    pub fn new(places: Vec<String>) -> Certificates {
        let pairs = ArcSwap::from_pointee(vec![None; places.len()]);
        Certificates { places, pairs, writing: Mutex::new(()) }
    }

    /// Puts a pair into a place. Handshakes from now on see it; connections that are open stay.
    pub fn put(&self, place: usize, pair: Pair) {
        let Some(name) = self.places.get(place) else { return };
        gauge(name, &pair);
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = self.pairs.load().as_ref().clone();
        if let Some(own) = pairs.get_mut(place) {
            *own = Some(Arc::new(pair));
        }
        self.pairs.store(Arc::new(pairs));
    }

    /// The pair in a place.
    pub fn get(&self, place: usize) -> Option<Arc<Pair>> {
        self.pairs.load().get(place).cloned().flatten()
    }

    /// The names of the places.
    pub fn places(&self) -> &[String] {
        &self.places
    }

    /// Whether no certificate is there yet.
    pub fn is_empty(&self) -> bool {
        self.pairs.load().iter().all(Option::is_none)
    }

    /// The pair for a client: one that it can check, for the name that it asks for, that is valid,
    /// in this order; of several the first.
    fn choose(
        &self,
        name: Option<&str>,
        schemes: &[SignatureScheme],
        at_s: i64,
    ) -> Option<Arc<CertifiedKey>> {
        let pairs = self.pairs.load();
        let usable = pairs.iter().flatten().enumerate();
        let rank = |(index, pair): &(usize, &Arc<Pair>)| {
            let signs = pair.key.key.choose_scheme(schemes).is_some();
            let fit: Option<Fit> = name.and_then(|name| pair.fits(name));
            (signs, fit, pair.is_valid(at_s), Reverse(*index))
        };
        usable.max_by_key(rank).map(|(_, pair)| Arc::clone(&pair.key))
    }
}

/// How TLS is spoken with these certificates: versions 1.2 and 1.3, HTTP/1.1 inside, sessions
/// resumed by tickets (1.3) and from memory (1.2), no early data, which could be replayed.
///
/// # Errors
/// The system gives no random octets for the keys of tickets.
pub fn settings(certificates: Arc<Certificates>) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let mut settings = builder.with_no_client_auth().with_cert_resolver(certificates);
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    settings.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
    settings.ticketer = Ticketer::new()?;
    Ok(settings)
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes(), now_s())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.places).finish()
    }
}

/// The moment, in seconds since 1970.
pub(crate) fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a gauge has 53 bits; seconds take 33")]
fn gauge(place: &str, pair: &Pair) {
    let place = place.to_owned();
    metrics::gauge!("byname_certificate_not_after_timestamp_seconds", "certificate" => place)
        .set(pair.not_after_s() as f64);
}

/// Sessions of TLS 1.2 that are kept for clients to resume.
const SESSIONS_MAX: usize = 4096;

#[cfg(test)]
mod tests;
