//! A client of the API on one connection.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

/// One connection.
pub(crate) struct Caller {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// One response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Ask {
        Ask { method: method.to_owned(), path: path.to_owned(), ..Ask::default() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Ask {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn token(self, token: &str) -> Ask {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Ask {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Ask {
        let ask = self.with("Content-Type", media_type);
        Ask { body: body.into(), ..ask }
    }

    fn octets(&self) -> Vec<u8> {
        let mut octets = format!("{} {} HTTP/1.1\r\nHost: h\r\n", self.method, self.path);
        for (name, value) in &self.fields {
            octets.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            octets.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        octets.push_str("\r\n");
        [octets.as_bytes(), &self.body].concat()
    }
}

impl Reply {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut named = self.fields.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        let shown = || String::from_utf8_lossy(&self.body).into_owned();
        serde_json::from_slice(&self.body).unwrap_or_else(|why| panic!("{why}: {}", shown()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }

    /// The last part of the type of a problem, which it must be.
    pub(crate) fn problem(&self) -> String {
        let shown = || String::from_utf8_lossy(&self.body).into_owned();
        let media_type = self.field("content-type");
        assert_eq!(media_type, Some("application/problem+json"), "{}", shown());
        let told = self.json();
        assert_eq!(told["status"], self.status, "{told}");
        let kind = told["type"].as_str().expect("a type");
        kind.strip_prefix("/v1/problems/").expect("one of ours").to_owned()
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

    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).expect("octets to be taken");
    }

    /// Sends a request and reads its response.
    pub(crate) fn ask(&mut self, ask: &Ask) -> Reply {
        self.send(&ask.octets());
        self.reply(ask.method == "HEAD")
    }

    /// Reads one response.
    pub(crate) fn reply(&mut self, is_head: bool) -> Reply {
        self.try_reply(is_head).expect("a response")
    }

    /// The same; `None` when the connection is closed instead.
    pub(crate) fn try_reply(&mut self, is_head: bool) -> Option<Reply> {
        let head = String::from_utf8(self.until(b"\r\n\r\n")?).expect("a head of text");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok()).expect("a status");
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields: Vec<(String, String)> =
            fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let mut reply = Reply { status, fields, body: Vec::new() };
        if is_head || matches!(status, 204 | 304) {
            return Some(reply);
        }
        if reply.field("content-type") == Some("text/event-stream") {
            return Some(reply);
        }
        if reply.field("transfer-encoding") == Some("chunked") {
            loop {
                let line = self.until(b"\r\n")?;
                let digits = std::str::from_utf8(&line).expect("a length").trim();
                let length = usize::from_str_radix(digits, 16).expect("a length");
                let chunk = self.exactly(length + 2)?;
                reply.body.extend_from_slice(&chunk[..length]);
                if length == 0 {
                    return Some(reply);
                }
            }
        }
        let length = reply.field("content-length").and_then(|digits| digits.parse().ok());
        reply.body = self.exactly(length.expect("a length"))?;
        Some(reply)
    }

    /// The next event of a stream, without comments: its lines.
    pub(crate) fn event(&mut self) -> Vec<String> {
        loop {
            let line = self.until(b"\r\n").expect("a chunk");
            let digits = std::str::from_utf8(&line).expect("a length").trim();
            let length = usize::from_str_radix(digits, 16).expect("a length");
            let chunk = self.exactly(length + 2).expect("a chunk");
            let text = String::from_utf8(chunk[..length].to_vec()).expect("text");
            if !text.starts_with(':') {
                return text.lines().map(str::to_owned).collect();
            }
        }
    }

    /// Whether a stream ends here, and the connection with it.
    pub(crate) fn ends(&mut self) -> bool {
        self.until(b"0\r\n\r\n").as_deref() == Some(b"0\r\n\r\n") && self.is_closed()
    }

    /// Shuts this side down: no more will be sent.
    pub(crate) fn shut(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("to be heard");
    }

    /// Whether the connection is closed by the other side.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !self.more()
    }

    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            let found = self.unread.windows(end.len()).position(|window| window == end);
            match found {
                Some(at) => return Some(self.unread.drain(..at + end.len()).collect()),
                None if self.more() => {}
                None => return None,
            }
        }
    }

    fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.unread.len() < count {
            if !self.more() {
                return None;
            }
        }
        Some(self.unread.drain(..count).collect())
    }

    fn more(&mut self) -> bool {
        let mut buffer = [0; 65_536];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.unread.extend_from_slice(&buffer[..count]);
                true
            }
        }
    }
}

/// Longest wait for anything.
const DEADLINE: Duration = Duration::from_secs(30);
