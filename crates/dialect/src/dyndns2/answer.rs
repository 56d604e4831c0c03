//! From outcomes to the response that firmware matches on.

use std::fmt::Write;
use std::net::IpAddr;

use crate::http::{Request, Response};
use crate::{Code, Outcome};

/// One line of an answer, and the status that says the same.
struct Line {
    status: u16,
    text: String,
}

/// How strictly the status of a response says what its body says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// 200 for refusals that a client reads from the body (ez-ipupdate, inadyn).
    Body,
    /// A status of 400 and above for every refusal, for clients that take any 2xx as success.
    Status,
}

impl Told {
    /// What whoever sent a request needs. OPNsense takes any 2xx as success.
    fn to(request: &Request) -> Told {
        match request.user_agent.as_deref() {
            Some(agent) if agent.starts_with("OPNsense") => Told::Status,
            _ => Told::Body,
        }
    }
}

/// The response in our own words: one line per host in order, each with LF at its end. The status
/// is that of the lines if they agree, else 200; for a client that reads the status only, that of
/// the first refusal.
pub(crate) fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    render_as(request, outcomes, text)
}

/// The same in the words of another member of the family.
pub(crate) fn render_as(
    request: &Request,
    outcomes: &[Outcome],
    text: fn(&Outcome) -> String,
) -> Response {
    let told = Told::to(request);
    let line = |outcome: &Outcome| Line { status: status(told, outcome.code), text: text(outcome) };
    let lines: Vec<Line> = outcomes.iter().map(line).collect();
    let statuses: Vec<u16> = lines.iter().map(|line| line.status).collect();
    let agreed = statuses.iter().all(|s| Some(s) == statuses.first());
    let status = match told {
        Told::Body if !agreed => 200,
        Told::Body | Told::Status => statuses.into_iter().find(|&s| s != 200).unwrap_or(200),
    };
    respond(status, lines)
}

fn respond(status: u16, lines: Vec<Line>) -> Response {
    let mut body = String::with_capacity(lines.len() * LINE_OCTETS_USUAL);
    for line in lines {
        body.push_str(&line.text);
        body.push('\n');
    }
    with_status(status, body)
}

/// A response with the header fields that go with its status.
pub(crate) fn with_status(status: u16, body: impl Into<String>) -> Response {
    let mut response = Response::text(status, body);
    match status {
        401 => response.headers.push(("WWW-Authenticate", CHALLENGE.to_owned())),
        503 => response.headers.push(("Retry-After", RETRY_AFTER_S.to_string())),
        _ => {}
    }
    response
}

/// `good 192.0.2.1,2001:db8::1`, or a word alone.
///
/// A bare `good` breaks ez-ipupdate, which looks for the space after it: a host that has no address
/// now is answered with the unspecified one.
pub(crate) fn text(outcome: &Outcome) -> String {
    let word = outcome.code.word();
    if !outcome.code.is_success() {
        return word.to_owned();
    }
    let mut line = String::with_capacity(LINE_OCTETS_USUAL);
    line.push_str(word);
    line.push(' ');
    match outcome.addresses.as_slice() {
        [] => line.push_str("0.0.0.0"),
        addresses => list(addresses, &mut line),
    }
    line
}

/// Addresses with commas between.
fn list(addresses: &[IpAddr], out: &mut String) {
    for (place, address) in addresses.iter().enumerate() {
        // A `String` takes all that is written.
        let _ = write!(out, "{}{address}", if place == 0 { "" } else { "," });
    }
}

fn status(told: Told, code: Code) -> u16 {
    match (code, told) {
        (Code::Good | Code::Nochg, _) => 200,
        (Code::Badauth, _) => 401,
        (Code::Abuse | Code::Donator, _) => 403,
        (Code::Unavailable, _) => 503,
        (Code::Nohost, Told::Status) => 404,
        (Code::Notfqdn | Code::Numhost | Code::Badagent | Code::Dnserr, Told::Status) => 400,
        (
            Code::Nohost | Code::Notfqdn | Code::Numhost | Code::Badagent | Code::Dnserr,
            Told::Body,
        ) => 200,
    }
}

/// Room for a line; more is no trouble.
const LINE_OCTETS_USUAL: usize = 32;
const CHALLENGE: &str = "Basic realm=\"byname\", charset=\"UTF-8\"";
/// Google's documentation asks clients to wait 5 minutes after `911`.
const RETRY_AFTER_S: u32 = 300;
