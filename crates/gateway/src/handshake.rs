//! The beginning of a connection over TLS: so many at once, and within so long.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tls::{Certificates, Failure};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::clock::after;
use crate::stream::Stream;

/// How handshakes are made.
pub(crate) struct Handshakes {
    acceptor: TlsAcceptor,
    places: Semaphore,
    time: Duration,
}

impl Handshakes {
    /// At most so many at once, each within `time`.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub(crate) fn new(
        certificates: Arc<Certificates>,
        at_once: usize,
        time: Duration,
    ) -> io::Result<Handshakes> {
        let settings = tls::settings(certificates).map_err(io::Error::other)?;
        let acceptor = TlsAcceptor::from(Arc::new(settings));
        Ok(Handshakes { acceptor, places: Semaphore::new(at_once.clamp(1, PLACES_MAX)), time })
    }

    /// Makes one over a stream.
    pub(crate) async fn make(&self, stream: Stream) -> Result<Stream, Failure> {
        let began = Instant::now();
        let crowded = self.places.available_permits() == 0;
        let time = if crowded { TIME_CROWDED.min(self.time) } else { self.time };
        let deadline = after(began, time);
        let made = timeout_at(deadline, async {
            // The places are never closed.
            let _place = self.places.acquire().await.map_err(io::Error::other)?;
            self.acceptor.accept(stream).await
        });
        let made = match made.await {
            Ok(Ok(tls)) => Ok(Stream::tls(tls)),
            Ok(Err(why)) => Err(Failure::of(&why)),
            Err(_) => Err(Failure::Late),
        };
        let outcome = made.as_ref().err().map_or("ok", |failure| failure.word());
        metrics::counter!("byname_tls_handshakes_total", "outcome" => outcome).increment(1);
        if made.is_ok() {
            metrics::histogram!("byname_tls_handshake_seconds").record(began.elapsed());
        }
        made
    }
}

/// Time for a handshake when all places are taken.
const TIME_CROWDED: Duration = Duration::from_secs(2);
/// More places are of no use to anybody; the semaphore has a limit of its own far above.
const PLACES_MAX: usize = 1_000_000;
