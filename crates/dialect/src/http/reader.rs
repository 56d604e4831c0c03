//! From octets to requests, without I/O.

use super::head::{Head, has_version};
use super::{Limits, Malformed, Request, bad};

/// The reader of one connection.
///
/// Push what arrives, then take requests with [`Reader::next`] until there is none. How the octets
/// are cut never changes what comes out. At most [`Limits::head_octets`] and
/// [`Limits::body_octets`] are held.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    state: State,
}

enum State {
    /// Waiting for, or inside of, a request.
    Open(Input),
    /// The last request of this connection has been given out; the rest is not looked at.
    Closed,
    /// The connection cannot be understood any more.
    Failed(Malformed),
}

#[derive(Default)]
struct Input {
    octets: Vec<u8>,
    scan: Scan,
    /// A head whose body is not all there yet.
    head: Option<Box<Head>>,
    /// Empty lines skipped in front of this request.
    empty_lines: usize,
    /// Octets were pushed that there was no room for.
    overflown: bool,
}

impl Reader {
    /// A reader at the start of a connection.
    pub fn new(limits: Limits) -> Reader {
        Reader { limits, state: State::Open(Input::default()) }
    }

    /// Takes octets from the connection, at most [`Reader::room`] of them. What is more is
    /// dropped, and with it every request after the one that comes next.
    pub fn push(&mut self, octets: &[u8]) {
        let room = self.room();
        if let State::Open(input) = &mut self.state {
            let taken = octets.get(..room).unwrap_or(octets);
            input.octets.extend_from_slice(taken);
            input.overflown |= taken.len() < octets.len();
        }
    }

    /// How many octets the next push takes. Not zero as long as [`Reader::next`] says that it
    /// needs more, except that a reader which has given its last request needs nothing.
    pub fn room(&self) -> usize {
        match &self.state {
            State::Open(input) => (self.limits.head_octets + self.limits.body_octets)
                .saturating_sub(input.octets.len()),
            State::Closed | State::Failed(_) => 0,
        }
    }

    /// What has come of the next request, before any of it is understood; `None` inside of a body and
    /// when there will be no next request.
    pub fn unread(&self) -> Option<&[u8]> {
        match &self.state {
            State::Open(input) if input.head.is_none() => Some(&input.octets),
            State::Open(_) | State::Closed | State::Failed(_) => None,
        }
    }

    /// Whether no octet of a next request has come.
    pub fn is_idle(&self) -> bool {
        match &self.state {
            State::Open(input) => {
                input.head.is_none() && input.octets.iter().all(|o| matches!(o, b'\r' | b'\n'))
            }
            State::Closed | State::Failed(_) => true,
        }
    }

    /// The next complete request, or `None` when more octets are needed. After a request that is
    /// not `persistent` there is never another.
    ///
    /// # Errors
    /// [`Malformed`] when the octets are no request; from then on always the same.
    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` is not the end")]
    pub fn next(&mut self) -> Result<Option<Request>, Malformed> {
        let input = match &mut self.state {
            State::Open(input) => input,
            State::Closed => return Ok(None),
            State::Failed(malformed) => return Err(*malformed),
        };
        match input.advance(&self.limits) {
            Ok(Some(request)) if !request.persistent => {
                self.state = State::Closed;
                Ok(Some(request))
            }
            Ok(found) => Ok(found),
            Err(malformed) => {
                self.state = State::Failed(malformed);
                Err(malformed)
            }
        }
    }

    /// The client has shut its side down: as [`Reader::next`], but what is there must be whole.
    ///
    /// # Errors
    /// Also [`Malformed`] with 400 when a request breaks off. It is not used: the address in it
    /// may have been cut short.
    pub fn end(&mut self) -> Result<Option<Request>, Malformed> {
        match self.next()? {
            Some(request) => Ok(Some(request)),
            None if self.is_idle() => Ok(None),
            None => {
                let malformed = bad("the request breaks off");
                self.state = State::Failed(malformed);
                Err(malformed)
            }
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            State::Open(input) => write!(f, "Open({} octets)", input.octets.len()),
            State::Closed => f.write_str("Closed"),
            State::Failed(malformed) => write!(f, "Failed({})", malformed.why),
        }
    }
}

impl Input {
    fn advance(&mut self, limits: &Limits) -> Result<Option<Request>, Malformed> {
        let head = match self.head.take() {
            Some(head) => head,
            None => match self.read_head(limits)? {
                Some(head) => head,
                None => return Ok(None),
            },
        };
        let body_octets = head.body_octets;
        if self.octets.len() < body_octets {
            self.head = Some(head);
            return Ok(None);
        }
        let mut octets = std::mem::take(&mut self.octets);
        let mut request = head.with_body(octets.get(..body_octets).unwrap_or(&octets));
        request.persistent &= !self.overflown;
        octets.drain(..body_octets);
        // A connection keeps room for usual requests only.
        octets.shrink_to(KEPT_OCTETS);
        *self = Input { octets, ..Input::default() };
        Ok(Some(request))
    }

    fn read_head(&mut self, limits: &Limits) -> Result<Option<Box<Head>>, Malformed> {
        if self.scan.at == 0 {
            self.skip_empty_lines()?;
            if self.octets == b"\r" {
                // Perhaps half of another empty line.
                return Ok(None);
            }
        }
        match self.scan.head_octets(&self.octets, limits)? {
            None => Ok(None),
            Some(octets) => {
                let head = Head::parse(self.octets.get(..octets).unwrap_or_default(), limits)?;
                self.octets.drain(..octets);
                Ok(Some(Box::new(head)))
            }
        }
    }

    /// RFC 9112 §2.2: empty lines before a request line are ignored; old clients send one after a
    /// form.
    fn skip_empty_lines(&mut self) -> Result<(), Malformed> {
        loop {
            let line = match self.octets.as_slice() {
                [b'\n', ..] => 1,
                [b'\r', b'\n', ..] => 2,
                _ => return Ok(()),
            };
            self.octets.drain(..line);
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES_MAX {
                return Err(bad("too many empty lines before a request"));
            }
        }
    }
}

/// How far the search for the end of a head has come, so that no octet is looked at twice.
#[derive(Default)]
struct Scan {
    at: usize,
    line_start: usize,
    has_request_line: bool,
}

impl Scan {
    /// The octets of the head with its empty line, or `None` when it has not ended yet.
    fn head_octets(&mut self, octets: &[u8], limits: &Limits) -> Result<Option<usize>, Malformed> {
        let window = octets.get(..limits.head_octets).unwrap_or(octets);
        while let Some(found) = window[self.at..].iter().position(|&o| o == b'\n') {
            let line_feed = self.at + found;
            let line = &window[self.line_start..line_feed];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.at = line_feed + 1;
            self.line_start = self.at;
            // A request of HTTP/0.9 is one line.
            let ends = if self.has_request_line { line.is_empty() } else { !has_version(line) };
            if ends {
                return Ok(Some(self.at));
            }
            self.has_request_line = true;
        }
        self.at = window.len();
        if window.len() < limits.head_octets {
            return Ok(None);
        }
        Err(match self.has_request_line {
            false => Malformed { status: 414, why: "the request line is too long" },
            true => Malformed { status: 431, why: "the header fields are too long" },
        })
    }
}

/// Room that a connection keeps between requests.
const KEPT_OCTETS: usize = 1024;
const EMPTY_LINES_MAX: usize = 8;
