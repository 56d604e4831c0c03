//! A client that sends exactly the octets that it is told to.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use data_encoding::BASE64;
use socket2::{Domain, Protocol, Socket, Type};

/// One connection.
pub(crate) struct Caller {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Status line and header fields, as they came.
    pub(crate) head: String,
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
}

impl Reply {
    /// A header field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut named = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value)
    }
}

impl Caller {
    pub(crate) fn connect(to: SocketAddr, from: IpAddr) -> Caller {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP));
        let socket = socket.expect("a socket");
        socket.bind(&SocketAddr::new(from, 0).into()).expect("an address to call from");
        socket.connect(&to.into()).expect("a connection");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        Caller { stream, unread: Vec::new() }
    }

    /// The connection itself, for whoever speaks something else over it.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Sends octets; whether the other side still took them.
    pub(crate) fn try_send(&mut self, octets: &[u8]) -> bool {
        self.stream.write_all(octets).is_ok()
    }

    /// Sends octets.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).expect("octets to be taken");
    }

    /// Shuts this side down: no more will be sent.
    pub(crate) fn shut(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("to be heard");
    }

    /// Reads one response, by its length.
    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply().expect("a response")
    }

    /// The same; `None` when the connection is closed instead.
    pub(crate) fn try_reply(&mut self) -> Option<Reply> {
        let end = loop {
            match self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None if self.more() => {}
                None => return None,
            }
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head of text");
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).expect("a status");
        let mut reply = Reply { head, status, body: String::new() };
        let length = reply.header("Content-Length").and_then(|digits| digits.parse().ok());
        let length = length.expect("every response has a length");
        while self.unread.len() < length && self.more() {}
        let body = self.unread.drain(..length).collect();
        reply.body = String::from_utf8(body).expect("a body of text");
        Some(reply)
    }

    /// Sends a request and reads its response.
    pub(crate) fn ask(&mut self, octets: impl AsRef<[u8]>) -> Reply {
        self.send(octets.as_ref());
        self.reply()
    }

    /// Asks for a path and query without credentials.
    pub(crate) fn get(&mut self, target: &str) -> Reply {
        self.ask(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"))
    }

    /// Sends an update with a token.
    pub(crate) fn update(&mut self, token: &str, query: &str) -> Reply {
        self.ask(request(token, query, ""))
    }

    /// The same; only the answer's body without its last line end.
    pub(crate) fn line(&mut self, token: &str, query: &str) -> String {
        let reply = self.update(token, query);
        reply.body.strip_suffix('\n').expect("a whole line").to_owned()
    }

    /// Whether something comes, or the end of the connection, within so long.
    pub(crate) fn hears(&mut self, within: Duration) -> bool {
        self.stream.set_read_timeout(Some(within)).expect("a deadline");
        let heard = match self.stream.peek(&mut [0]) {
            Ok(_) => true,
            Err(why) => !matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        self.stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        heard
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> String {
        while self.more() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.unread)).into_owned()
    }

    /// Reads on; false at the end of the connection.
    fn more(&mut self) -> bool {
        let mut octets = [0; 4096];
        match self.stream.read(&mut octets) {
            Ok(0) => false,
            Ok(count) => {
                self.unread.extend_from_slice(&octets[..count]);
                true
            }
            Err(why) if why.kind() == ErrorKind::ConnectionReset => false,
            Err(why) => panic!("{why} after {:?}", String::from_utf8_lossy(&self.unread)),
        }
    }
}

/// An update by GET with further header lines.
pub(crate) fn request(token: &str, query: &str, lines: &str) -> String {
    format!(
        "GET /nic/update?{query} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {}\r\n{lines}\r\n",
        basic(token)
    )
}

/// Basic credentials with some user name.
pub(crate) fn basic(token: &str) -> String {
    basic_as("anybody", token)
}

/// Basic credentials.
pub(crate) fn basic_as(user: &str, token: &str) -> String {
    BASE64.encode(format!("{user}:{token}").as_bytes())
}

/// Longest wait for anything.
const DEADLINE: Duration = Duration::from_secs(30);
