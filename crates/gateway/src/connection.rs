//! One connection: requests one at a time, each answered before the next is looked at.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use dialect::http::{Limits, Malformed, Reader, Request, Response};
use tls::Failure;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::caller::{Begun, Caller, LATE};
use crate::clock::after;
use crate::door::Door;
use crate::handover::{Handed, Visit};
use crate::handshake::Handshakes;
use crate::line::{Line, Read};
use crate::route;
use crate::seats::Seat;
use crate::stream::Stream;

/// A connection that was let in.
pub(crate) struct Arrival {
    pub(crate) tcp: TcpStream,
    pub(crate) peer: IpAddr,
    pub(crate) seat: Seat,
    /// TLS has to be spoken here.
    pub(crate) tls: Option<Arc<Handshakes>>,
}

/// Serves a connection to its end.
pub(crate) async fn converse(
    arrival: Arrival,
    door: Arc<Door>,
    stop: watch::Receiver<Option<Instant>>,
) {
    let Arrival { tcp, peer, seat, tls } = arrival;
    // Answers are whole when they are written. A socket that is gone already says so when it is read.
    let _ = tcp.set_nodelay(true);
    let line = Line::new(Stream::clear(tcp), stop);
    let connection = Connection { line, caller: Caller::new(peer, seat), door, out: Vec::new() };
    // The other side went away or was too slow: nobody is left to be told.
    let _ = connection.run(tls).await;
}

struct Connection {
    line: Line,
    caller: Caller,
    door: Arc<Door>,
    /// Room for answers.
    out: Vec<u8>,
}

impl Connection {
    async fn run(mut self, tls: Option<Arc<Handshakes>>) -> io::Result<()> {
        let mut first = match self.caller.begin(&mut self.line, &self.door).await? {
            Begun::With(octets) => octets,
            Begun::Gone => return Ok(()),
            Begun::Refused(refusal) => return self.refuse(refusal).await,
        };
        let is_tls = first.starts_with(&TLS);
        match tls {
            None if is_tls => return self.refuse(SPEAKS_TLS).await,
            None => {}
            Some(_) if !is_tls && !first.is_empty() => return self.refuse(SPEAKS_CLEAR).await,
            Some(handshakes) => {
                self.line.stream.put_back(&first);
                self.line = match self.line.encrypt(&handshakes).await {
                    Ok(line) => line,
                    Err(failure) => {
                        tell(failure, &self.caller, &self.door);
                        return Ok(());
                    }
                };
                self.caller.tls = true;
                first.clear();
            }
        }
        // Here it is known who calls. Every request is read from its first octet on.
        self.line.stream.put_back(&first);
        let Some(octets) = self.converse().await? else { return Ok(()) };
        self.hand_over(&octets).await;
        Ok(())
    }

    /// Gives the connection to who speaks its language; `octets` were read of the next request.
    async fn hand_over(mut self, octets: &[u8]) {
        let Some(other) = self.door.other.clone() else { return };
        self.line.stream.put_back(octets);
        let (stream, stop) = self.line.into_parts();
        let visit = Visit { door: self.door, caller: self.caller, stop };
        other.converse(Handed { stream, visit }).await;
    }

    /// Whether the next request is of another language; `None`: more of it is needed to tell.
    fn is_other(&self, reader: &Reader) -> Option<bool> {
        match (&self.door.other, reader.unread()) {
            (Some(other), Some(octets)) => other.takes(octets),
            (None, _) | (_, None) => Some(false),
        }
    }

    /// Answers requests, one after the other, until the end or one of another language: then what was
    /// read of it.
    async fn converse(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut reader = Reader::new(Limits::default());
        let mut begun = Instant::now();
        loop {
            let is_other = self.is_other(&reader);
            if is_other == Some(true) {
                return Ok(reader.unread().map(<[u8]>::to_vec));
            }
            let next = if is_other.is_none() { Ok(None) } else { reader.next() };
            match next {
                Ok(Some(request)) => {
                    if !self.answer(&request).await? {
                        self.line.finish().await?;
                        return Ok(None);
                    }
                    begun = Instant::now();
                    continue;
                }
                Ok(None) => {}
                Err(malformed) => return self.refuse(malformed).await.map(|()| None),
            }
            let idle = reader.is_idle();
            let wait = if idle { self.door.idle() } else { self.door.request() };
            match self.line.read(after(begun, wait), idle, reader.room()).await? {
                Read::Octets(count) => {
                    if idle {
                        begun = Instant::now();
                    }
                    reader.push(self.line.octets(count));
                }
                Read::End => return self.last(&mut reader).await.map(|()| None),
                Read::Late if idle => return Ok(None),
                Read::Late => return self.refuse(LATE).await.map(|()| None),
                Read::Stopping => return Ok(None),
            }
        }
    }

    /// The other side has shut its side down; whole requests are answered all the same.
    async fn last(&mut self, reader: &mut Reader) -> io::Result<()> {
        match reader.end() {
            Ok(Some(request)) => {
                self.answer(&request).await?;
                self.line.finish().await
            }
            Ok(None) => Ok(()),
            Err(malformed) => self.refuse(malformed).await,
        }
    }

    /// Answers one request; whether another may follow.
    async fn answer(&mut self, request: &Request) -> io::Result<bool> {
        let source = self.caller.source(&self.door, &route::forwarded(request));
        let response = route::respond(&self.door, request, source).await;
        let close = !request.persistent || self.line.is_stopping();
        self.write(&response, Some(request), close).await?;
        Ok(!close)
    }

    /// Answers what is no request, and ends.
    async fn refuse(&mut self, malformed: Malformed) -> io::Result<()> {
        metrics::counter!("byname_http_malformed_total", "status" => malformed.status.to_string())
            .increment(1);
        if self.door.may_log() {
            tracing::info!(peer = %self.caller.peer, why = malformed.why, "not a request");
        }
        self.write(&malformed.response(), None, true).await?;
        self.line.finish().await
    }

    async fn write(
        &mut self,
        response: &Response,
        request: Option<&Request>,
        close: bool,
    ) -> io::Result<()> {
        self.out.clear();
        response.write(request, close, &mut self.out);
        let written = self.line.write(&self.out, self.door.write).await;
        // A connection keeps room for usual answers only.
        self.out.shrink_to(KEPT_OCTETS);
        written
    }
}

/// Tells the operator why a handshake failed. The client was told by an alert.
fn tell(failure: Option<Failure>, caller: &Caller, door: &Door) {
    let Some(failure) = failure else { return };
    if door.may_log() {
        let (why, hint) = failure.words();
        tracing::info!(peer = %caller.nearest(), why, hint, "no TLS handshake");
    }
}

/// How TLS begins: the record of a handshake. Its version follows, and is none of ours to judge.
const TLS: [u8; 1] = [0x16];
const SPEAKS_CLEAR: Malformed =
    Malformed { status: 400, why: "the client speaks plain HTTP; this port takes HTTPS" };
const SPEAKS_TLS: Malformed =
    Malformed { status: 400, why: "the client speaks TLS; this is plain HTTP" };
/// Room for answers that a connection keeps, in octets.
const KEPT_OCTETS: usize = 1024;
