//! Responses, in the plain form that firmware can read.

use super::{Method, Request, Version};

/// A response: always with `Content-Length`, never chunked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// Further header fields, with names in title case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response of plain text, sent as it is.
    pub fn text(status: u16, body: impl Into<String>) -> Response {
        Response {
            status,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: body.into().into_bytes(),
        }
    }

    /// Appends the response in the form that the request asks for: its version, and no body for
    /// HEAD. Without a request (it was malformed), as HTTP/1.1. `close` says that the connection
    /// is closed afterwards; a request that is not persistent says so too.
    pub fn write(&self, request: Option<&Request>, close: bool, out: &mut Vec<u8>) {
        let version = match request.map(|r| r.version) {
            Some(Version::Http09) => return out.extend_from_slice(&self.body),
            Some(Version::Http10) => "HTTP/1.0",
            Some(Version::Http11) | None => "HTTP/1.1",
        };
        let close = close || request.is_none_or(|r| !r.persistent);
        out.reserve(HEAD_OCTETS_USUAL + self.body.len());
        out.extend_from_slice(version.as_bytes());
        out.push(b' ');
        number(out, self.status.into());
        out.push(b' ');
        out.extend_from_slice(reason(self.status).as_bytes());
        out.extend_from_slice(b"\r\n");
        field(out, "Content-Type", self.content_type);
        out.extend_from_slice(b"Content-Length: ");
        number(out, self.body.len());
        out.extend_from_slice(b"\r\n");
        // An update by GET must reach us every time.
        field(out, "Cache-Control", "no-store");
        for (name, value) in &self.headers {
            field(out, name, value);
        }
        if close {
            field(out, "Connection", "close");
        } else if version == "HTTP/1.0" {
            field(out, "Connection", "keep-alive");
        }
        out.extend_from_slice(b"\r\n");
        if request.is_none_or(|r| r.method != Method::Head) {
            out.extend_from_slice(&self.body);
        }
    }
}

/// Decimal digits.
fn number(out: &mut Vec<u8>, mut value: usize) {
    let first = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out[first..].reverse();
}

/// A value cannot end its line.
fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend(value.bytes().map(|o| if o.is_ascii_control() { b' ' } else { o }));
    out.extend_from_slice(b"\r\n");
}

/// Room for the head of a usual answer.
const HEAD_OCTETS_USUAL: usize = 256;

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Unnamed",
    }
}
