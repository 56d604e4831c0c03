//! Connections that speak another language than the update languages, and who takes them over.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use account::TokenActor;
use dialect::http::{Limits, Reader, Response};
use tokio::sync::watch;

use crate::caller::Caller;
use crate::client::Client;
use crate::clock;
use crate::door::Door;
use crate::route;
use crate::source::{Forwarded, Source};
use crate::stream::Stream;
use crate::update::expose;

/// Another language at the same door.
pub trait Handover: std::fmt::Debug + Send + Sync {
    /// Whether a request that begins with these octets is of this language; `None`: more of them are
    /// needed to tell. Whatever is of no language is not of this one.
    fn takes(&self, octets: &[u8]) -> Option<bool>;

    /// Serves a connection to its end, all its requests in turn: [`Visit::answer`] knows those that
    /// are of the door's own languages.
    fn converse(&self, handed: Handed) -> Conversation;
}

/// A connection being served.
pub type Conversation = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A connection that is handed over.
#[derive(Debug)]
pub struct Handed {
    /// Its octets from the first one on of the request that was recognized.
    pub stream: Stream,
    /// Who calls, and what the door allows.
    pub visit: Visit,
}

/// A caller at the door, as long as the connection lasts: it keeps the place.
pub struct Visit {
    pub(crate) door: Arc<Door>,
    pub(crate) caller: Caller,
    pub(crate) stop: watch::Receiver<Option<tokio::time::Instant>>,
}

/// Why a secret was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// It is not one that is accepted.
    Away,
    /// The source has failed too often; it is told nothing for so long.
    Off(Duration),
}

impl Visit {
    /// The writer and the visible state.
    pub fn client(&self) -> &Client {
        &self.door.client
    }

    /// Whether the state is loaded.
    pub fn is_ready(&self) -> bool {
        self.door.is_ready()
    }

    /// How long the connection may be idle now.
    pub fn idle(&self) -> Duration {
        self.door.idle()
    }

    /// How long after its first octet a request must be complete now.
    pub fn request(&self) -> Duration {
        self.door.request()
    }

    /// An answer must be taken within so long.
    pub fn write(&self) -> Duration {
        self.door.write
    }

    /// When the connection must have ended, once the door closes.
    pub fn stopping(&self) -> watch::Receiver<Option<tokio::time::Instant>> {
        self.stop.clone()
    }

    /// Where a request came from.
    pub fn source(&self, forwarded: &Forwarded) -> Source {
        self.caller.source(&self.door, forwarded)
    }

    /// The text of all metrics.
    pub fn metrics(&self) -> String {
        (self.door.metrics)()
    }

    /// Who has this secret. Costs the same whether there is such a token or not, and writes nothing;
    /// a failure is counted for its source.
    ///
    /// # Errors
    /// [`Turned`] when nobody has.
    pub fn authenticate(&self, secret: &[u8], source: IpAddr) -> Result<TokenActor, Turned> {
        let (live, at) = (self.door.client.live(), clock::now());
        let checked = live.directory().authenticate(secret, at, source);
        let why = match checked {
            Ok(actor) => {
                live.note_use(&actor, at);
                return Ok(actor);
            }
            Err(why) => why,
        };
        let now = Instant::now();
        let mut attempts = self.door.attempts();
        if let Some(wait) = attempts.wait(source, now) {
            metrics::counter!("byname_auth_paused_total").increment(1);
            return Err(Turned::Off(wait));
        }
        attempts.failed(source, now);
        drop(attempts);
        metrics::counter!("byname_auth_failures_total").increment(1);
        if self.door.may_log() {
            tracing::info!(%source, %why, "a token was not accepted");
        }
        Err(Turned::Away)
    }

    /// Marks a token that somebody on the way may have read.
    pub fn expose(&self, actor: &TokenActor, source: Source) {
        if source.is_exposed() {
            expose(&self.door, actor);
        }
    }

    /// Answers a whole request of the door's own languages; malformed ones as well.
    pub async fn answer(&self, octets: &[u8]) -> Response {
        let mut reader = Reader::new(Limits::default());
        reader.push(octets);
        match reader.end() {
            Ok(Some(request)) => {
                let source = self.source(&route::forwarded(&request));
                route::respond(&self.door, &request, source).await
            }
            Ok(None) => Response::text(404, "there is nothing here\n"),
            Err(malformed) => malformed.response(),
        }
    }
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("caller", &self.caller).finish_non_exhaustive()
    }
}
