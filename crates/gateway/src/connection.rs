//! One connection: requests one at a time, each answered before the next is looked at.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use dialect::http::{Limits, Malformed, Reader, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock::after;
use crate::door::Door;
use crate::proxy::{self, Header, Opening};
use crate::route;
use crate::seats::Seat;

/// Serves a connection to its end.
pub(crate) async fn converse(
    stream: TcpStream,
    peer: IpAddr,
    seat: Seat,
    door: Arc<Door>,
    stop: watch::Receiver<Option<Instant>>,
) {
    let mut connection = Connection {
        stream,
        peer,
        seat,
        door,
        stop,
        buffer: vec![0; READ_OCTETS],
        out: Vec::new(),
    };
    // The other side went away or was too slow: nobody is left to be told.
    let _ = connection.run().await;
}

struct Connection {
    stream: TcpStream,
    peer: IpAddr,
    seat: Seat,
    door: Arc<Door>,
    /// When the connection must have ended, once the door closes.
    stop: watch::Receiver<Option<Instant>>,
    buffer: Vec<u8>,
    /// Room for answers.
    out: Vec<u8>,
}

/// What came of reading.
enum Read {
    /// So many octets, in the buffer.
    Octets(usize),
    /// The other side sends no more.
    End,
    /// Nothing in time.
    Late,
    /// The door is closing and nothing was begun.
    Stopping,
}

/// The PROXY header of a connection, and what was read behind it.
type Begun = (Option<Header>, Vec<u8>);

impl Connection {
    async fn run(&mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let (header, first) = match self.begin().await? {
            Ok(Some(begun)) => begun,
            Ok(None) => return Ok(()),
            Err(refusal) => return self.refuse(refusal).await,
        };
        let mut reader = Reader::new(Limits::default());
        reader.push(&first);
        let mut begun = Instant::now();
        loop {
            match reader.next() {
                Ok(Some(request)) => {
                    if !self.answer(&request, header).await? {
                        return self.finish().await;
                    }
                    begun = Instant::now();
                    continue;
                }
                Ok(None) => {}
                Err(malformed) => return self.refuse(malformed).await,
            }
            let idle = reader.is_idle();
            let wait = if idle { self.door.idle() } else { self.door.request() };
            match self.read(after(begun, wait), idle, reader.room()).await? {
                Read::Octets(count) => {
                    if idle {
                        begun = Instant::now();
                    }
                    reader.push(self.buffer.get(..count).unwrap_or_default());
                }
                Read::End => return self.last(&mut reader, header).await,
                Read::Late if idle => return Ok(()),
                Read::Late => return self.refuse(LATE).await,
                Read::Stopping => return Ok(()),
            }
        }
    }

    /// Reads until it is clear whether a PROXY header comes first, and takes it if its sender may
    /// send one. `None`: the connection ends without a word.
    async fn begin(&mut self) -> io::Result<Result<Option<Begun>, Malformed>> {
        let trusted = self.door.trust.is_proxy(self.peer);
        let mut octets = Vec::new();
        let mut deadline = after(Instant::now(), self.door.idle());
        let mut ended = false;
        loop {
            match proxy::opening(&octets) {
                Opening::Refused(why) => return Ok(Err(Malformed { status: 400, why })),
                Opening::Header { .. } if !trusted => {
                    tracing::debug!(
                        peer = %self.peer,
                        hint = "list it in `trusted_proxies` if it is yours",
                        "a PROXY header from a peer that is not a trusted proxy"
                    );
                    return Ok(Err(Malformed {
                        status: 400,
                        why: "this peer is no trusted proxy",
                    }));
                }
                Opening::Header { octets: length, header } => {
                    let rest = octets.split_off(length);
                    return Ok(Ok(self.seat_client(header).then_some((Some(header), rest))));
                }
                Opening::Incomplete if !ended => {}
                Opening::Incomplete if octets.is_empty() => return Ok(Ok(None)),
                Opening::Plain if octets.starts_with(&TLS) => return Ok(Err(SPEAKS_TLS)),
                Opening::Plain | Opening::Incomplete => {
                    if trusted && self.door.proxy_protocol {
                        return Ok(Err(Malformed {
                            status: 400,
                            why: "the PROXY header is missing",
                        }));
                    }
                    return Ok(Ok(Some((None, octets))));
                }
            }
            let idle = octets.is_empty();
            match self.read(deadline, idle, READ_OCTETS).await? {
                Read::Octets(count) => {
                    if idle {
                        deadline = after(Instant::now(), self.door.request());
                    }
                    octets.extend_from_slice(self.buffer.get(..count).unwrap_or_default());
                }
                Read::End => ended = true,
                Read::Late if idle => return Ok(Ok(None)),
                Read::Late => return Ok(Err(LATE)),
                Read::Stopping => return Ok(Ok(None)),
            }
        }
    }

    /// Counts the connection for the client that the header names, unless that has too many.
    fn seat_client(&mut self, header: Header) -> bool {
        let Header::Proxied { source: Some(client), .. } = header else { return true };
        let seated = self.door.trust.is_proxy(client) || self.seat.belongs_to(client);
        if !seated {
            metrics::counter!("byname_http_refused_connections_total").increment(1);
        }
        seated
    }

    /// Reads some octets, at most `room`, until a deadline, or until the door closes: then at once
    /// when the connection is idle.
    async fn read(&mut self, deadline: Instant, idle: bool, room: usize) -> io::Result<Read> {
        let length = room.clamp(1, READ_OCTETS);
        loop {
            let closing = *self.stop.borrow_and_update();
            let until = closing.map_or(deadline, |until| deadline.min(until));
            let buffer = self.buffer.get_mut(..length).unwrap_or_default();
            if closing.is_some() && idle {
                // What has arrived by now is answered.
                return match self.stream.try_read(buffer) {
                    Ok(0) => Ok(Read::End),
                    Ok(count) => Ok(Read::Octets(count)),
                    Err(why) if why.kind() == io::ErrorKind::WouldBlock => Ok(Read::Stopping),
                    Err(why) => Err(why),
                };
            }
            tokio::select! {
                read = timeout_at(until, self.stream.read(buffer)) => return match read {
                    Ok(Ok(0)) => Ok(Read::End),
                    Ok(Ok(count)) => Ok(Read::Octets(count)),
                    Ok(Err(why)) => Err(why),
                    Err(_) => Ok(Read::Late),
                },
                _ = self.stop.changed(), if closing.is_none() => {}
            }
        }
    }

    /// The other side has shut its side down; whole requests are answered all the same.
    async fn last(&mut self, reader: &mut Reader, header: Option<Header>) -> io::Result<()> {
        match reader.end() {
            Ok(Some(request)) => {
                self.answer(&request, header).await?;
                self.finish().await
            }
            Ok(None) => Ok(()),
            Err(malformed) => self.refuse(malformed).await,
        }
    }

    /// Answers one request; whether another may follow.
    async fn answer(&mut self, request: &Request, header: Option<Header>) -> io::Result<bool> {
        let source = self.door.trust.source(self.peer, header, &route::forwarded(request));
        let response = route::respond(&self.door, request, source).await;
        let close = !request.persistent || self.stop.borrow().is_some();
        self.write(&response, Some(request), close).await?;
        Ok(!close)
    }

    /// Answers what is no request, and ends.
    async fn refuse(&mut self, malformed: Malformed) -> io::Result<()> {
        metrics::counter!("byname_http_malformed_total", "status" => malformed.status.to_string())
            .increment(1);
        if self.door.may_log() {
            tracing::info!(peer = %self.peer, why = malformed.why, "not a request");
        }
        self.write(&malformed.response(), None, true).await?;
        self.finish().await
    }

    async fn write(
        &mut self,
        response: &Response,
        request: Option<&Request>,
        close: bool,
    ) -> io::Result<()> {
        self.out.clear();
        response.write(request, close, &mut self.out);
        let written = timeout(self.door.write, self.stream.write_all(&self.out)).await?;
        // A connection keeps room for usual answers only.
        self.out.shrink_to(KEPT_OCTETS);
        written
    }

    /// Ends a connection so that the answer arrives: closing with octets unread would make the
    /// system reset it (RFC 9112 §9.6).
    async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let deadline = Instant::now() + LINGER;
        let mut left = LINGER_OCTETS_MAX;
        while left > 0 {
            match self.read(deadline, false, READ_OCTETS).await? {
                Read::Octets(count) => left = left.saturating_sub(count),
                Read::End | Read::Late | Read::Stopping => break,
            }
        }
        Ok(())
    }
}

/// How TLS begins: the record of a handshake, of major version 3.
const TLS: [u8; 2] = [0x16, 0x03];
const SPEAKS_TLS: Malformed =
    Malformed { status: 400, why: "the client speaks TLS; this is plain HTTP" };
const LATE: Malformed = Malformed { status: 408, why: "the request was not complete in time" };
/// Octets that a connection reads at once.
const READ_OCTETS: usize = 4096;
/// Room for answers that a connection keeps, in octets.
const KEPT_OCTETS: usize = 1024;
/// How long a connection waits for the other side to take the last answer.
const LINGER: Duration = Duration::from_secs(1);
/// Most octets that are read and thrown away meanwhile.
const LINGER_OCTETS_MAX: usize = 64 * 1024;
