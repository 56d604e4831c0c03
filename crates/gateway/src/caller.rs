//! Who is at the other end of a connection.

use std::net::IpAddr;

use dialect::http::Malformed;

use crate::clock::after;
use crate::door::Door;
use crate::line::{Line, READ_OCTETS, Read};
use crate::proxy::{self, Header, Opening};
use crate::seats::Seat;
use crate::source::{Forwarded, Link, Source};

/// The other end of a connection, and its place at the door.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The address that the connection came from: the client's, or a proxy's.
    pub(crate) peer: IpAddr,
    /// What a trusted proxy said about the connection that it passes on.
    pub(crate) header: Option<Header>,
    /// Whether TLS ends here.
    pub(crate) tls: bool,
    seat: Seat,
}

/// How a connection begins.
pub(crate) enum Begun {
    /// With these octets; there may be none yet. They were taken from the stream.
    With(Vec<u8>),
    /// It ends without a word.
    Gone,
    /// With what is refused.
    Refused(Malformed),
}

impl Caller {
    pub(crate) fn new(peer: IpAddr, seat: Seat) -> Caller {
        Caller { peer, header: None, tls: false, seat }
    }

    /// The address nearest to the client that is known.
    pub(crate) fn nearest(&self) -> IpAddr {
        match self.header {
            Some(Header::Proxied { source: Some(client), .. }) => client,
            Some(Header::Proxied { source: None, .. } | Header::Local) | None => self.peer,
        }
    }

    /// Where a request on this connection came from.
    pub(crate) fn source(&self, door: &Door, forwarded: &Forwarded) -> Source {
        let link = Link { peer: self.peer, header: self.header, tls: self.tls };
        door.trust.source(link, forwarded)
    }

    /// Reads until it is clear whether a PROXY header comes first, and takes it if its sender may
    /// send one.
    pub(crate) async fn begin(&mut self, line: &mut Line, door: &Door) -> std::io::Result<Begun> {
        let trusted = door.trust.is_proxy(self.peer);
        let mut octets = Vec::new();
        let mut deadline = after(tokio::time::Instant::now(), door.idle());
        let mut ended = false;
        loop {
            match proxy::opening(&octets) {
                Opening::Refused(why) => return Ok(Begun::Refused(Malformed { status: 400, why })),
                Opening::Header { .. } if !trusted => return Ok(self.stranger()),
                Opening::Header { octets: length, header } => {
                    let rest = octets.split_off(length);
                    let seated = self.seat_client(door, header);
                    self.header = Some(header);
                    return Ok(if seated { Begun::With(rest) } else { Begun::Gone });
                }
                Opening::Incomplete if !ended => {}
                Opening::Incomplete if octets.is_empty() => return Ok(Begun::Gone),
                Opening::Plain | Opening::Incomplete => {
                    if trusted && door.proxy_protocol {
                        return Ok(Begun::Refused(HEADER_MISSING));
                    }
                    return Ok(Begun::With(octets));
                }
            }
            let idle = octets.is_empty();
            match line.read(deadline, idle, READ_OCTETS).await? {
                Read::Octets(count) => {
                    if idle {
                        deadline = after(tokio::time::Instant::now(), door.request());
                    }
                    octets.extend_from_slice(line.octets(count));
                }
                Read::End => ended = true,
                Read::Late if idle => return Ok(Begun::Gone),
                Read::Late => return Ok(Begun::Refused(LATE)),
                Read::Stopping => return Ok(Begun::Gone),
            }
        }
    }

    /// A PROXY header from whom nobody has listed.
    fn stranger(&self) -> Begun {
        tracing::debug!(
            peer = %self.peer,
            hint = "list it in `trusted_proxies` if it is yours",
            "a PROXY header from a peer that is not a trusted proxy"
        );
        Begun::Refused(Malformed { status: 400, why: "this peer is no trusted proxy" })
    }

    /// Counts the connection for the client that the header names, unless that has too many.
    fn seat_client(&mut self, door: &Door, header: Header) -> bool {
        let Header::Proxied { source: Some(client), .. } = header else { return true };
        let seated = door.trust.is_proxy(client) || self.seat.belongs_to(client);
        if !seated {
            metrics::counter!("byname_http_refused_connections_total").increment(1);
        }
        seated
    }
}

const HEADER_MISSING: Malformed = Malformed { status: 400, why: "the PROXY header is missing" };
pub(crate) const LATE: Malformed =
    Malformed { status: 408, why: "the request was not complete in time" };
