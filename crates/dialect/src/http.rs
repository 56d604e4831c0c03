//! HTTP/1 for the update paths: tolerant where firmware needs it, and never about framing.
//!
//! Devices send requests that a correct server answers with 400: unescaped spaces, `<ipaddr>`,
//! ISO 8859-1, no path, HTTP/0.9. [`Reader`] takes them, says what was odd in
//! [`Request::hints`], and pays for each tolerance with the connection: a request with any hint is
//! the last one, so nothing behind it can be smuggled in. What decides where a request ends
//! (`Content-Length`, `Transfer-Encoding`, `Connection`) is read strictly or not at all.
//!
//! Chosen here where RFC 9112 leaves a choice:
//! - Any `Transfer-Encoding` is refused with 501, together with `Content-Length` with 400.
//! - `Expect` in HTTP/1.1 is refused with 417: a client then sends again without it
//!   (RFC 9110 §10.1.1). Nothing here ever sends 100.
//! - A request that breaks off is never used, even if its request line is whole: an address may
//!   have been cut short.

mod credentials;
mod fields;
mod head;
mod reader;
mod response;
mod target;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;

pub use reader::Reader;
pub use response::Response;

use crate::Hint;

/// How much of a request is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of request line and header fields together, with the empty line. A longer request
    /// line is answered with 414, longer header fields with 431.
    pub head_octets: usize,
    /// Octets of a body. A longer one is answered with 413.
    pub body_octets: usize,
    /// Header fields. More are answered with 431.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { head_octets: 8 * 1024, body_octets: 8 * 1024, headers: 64 }
    }
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET, also in lower case.
    Get,
    /// POST; its form is part of the parameters.
    Post,
    /// HEAD: as GET, answered without a body.
    Head,
    /// Anything else; its body was consumed and not read.
    Other,
}

/// The version of HTTP that a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// One line, answered by a body alone.
    Http09,
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1 and whatever follows it in major version 1 (RFC 9110 §2.5).
    Http11,
}

/// One complete request. `Debug` shows neither path, parameters nor header fields: each may hold a
/// secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The version, which decides the form of the response.
    pub version: Version,
    /// Where to: decoded, with single forward slashes and one in front, without what devices put
    /// before a known update path. `/nic/update` for `nic/update`, `/\/nic/update`,
    /// `/x.php//nic/update`.
    pub path: String,
    /// Names and values of the query, then of the form, decoded, in order.
    pub parameters: Vec<(String, String)>,
    /// The body of a POST as it came, at most [`Limits::body_octets`]: a form, JSON, or JSON that
    /// says it is a form.
    pub body: Vec<u8>,
    /// Who asks: Basic or Bearer (with an empty user) of `Authorization`, else the user
    /// information of an absolute request target.
    pub credentials: Option<Credentials>,
    /// `User-Agent`, if it was sent.
    pub user_agent: Option<String>,
    /// Whether another request may follow on this connection. False after any tolerance, and then
    /// the reader gives no further request.
    pub persistent: bool,
    /// What was odd.
    pub hints: Vec<Hint>,
    /// How many of the parameters, from the first on, came in the URL.
    pub(crate) parameters_in_url: usize,
    fields: Vec<(String, String)>,
}

impl Request {
    /// The value of a header field, in any case; of several, the last. `Authorization` is not
    /// among them.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.fields.iter().rev().filter(|f| f.0.eq_ignore_ascii_case(name));
        named.next().map(|f| f.1.as_str())
    }

    /// The values of every header field of this name, in order. Lists such as `X-Forwarded-For`
    /// may be spread over several.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |f| f.0.eq_ignore_ascii_case(name)).map(|f| f.1.as_str())
    }

    /// The last value that is not empty of the parameters with one of these names, in any case.
    pub fn parameter(&self, names: &[&str]) -> Option<&str> {
        let wanted = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        let mut found = self.parameters.iter().rev().filter(|p| !p.1.is_empty() && wanted(&p.0));
        found.next().map(|p| p.1.as_str())
    }

    /// Whether there is a parameter with one of these names, in any case, with a value or without.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.parameters.iter().any(|p| names.iter().any(|n| n.eq_ignore_ascii_case(&p.0)))
    }

    /// The values of the parameters with one of these names, empty ones too, without white space
    /// around them, in order.
    pub(crate) fn values(&self, names: &[&str]) -> Vec<&str> {
        let named = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        self.parameters.iter().filter(|p| named(&p.0)).map(|p| p.1.trim()).collect()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("version", &self.version)
            .field("parameters", &self.parameters.len())
            .field("persistent", &self.persistent)
            .field("hints", &self.hints)
            .finish_non_exhaustive()
    }
}

/// A user name and a password or token. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name; empty for a bearer token.
    pub user: String,
    /// The password or token. May contain `:`.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A request that is not taken: answered with [`Malformed::response`], then the connection is
/// closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Malformed {
    /// The status of the answer: 400, 413, 414, 417, 431, 501 or 505.
    pub status: u16,
    /// What is wrong, for a person.
    pub why: &'static str,
}

impl Malformed {
    /// The answer.
    pub fn response(&self) -> Response {
        Response::text(self.status, format!("{}\n", self.why))
    }
}

/// A request whose framing or octets cannot be trusted.
const fn bad(why: &'static str) -> Malformed {
    Malformed { status: 400, why }
}
