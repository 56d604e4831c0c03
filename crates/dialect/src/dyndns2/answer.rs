//! From codes to the response that firmware matches on.

use std::fmt::Write;
use std::net::IpAddr;

use super::Code;
use crate::http::{Request, Response};

/// How strictly the status of a response says what its body says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// 200 for refusals that a client reads from the body (ez-ipupdate, inadyn).
    Body,
    /// A status of 400 and above for every refusal, for clients that take any 2xx as success.
    Status,
}

impl Profile {
    /// The profile for whoever sent a request. OPNsense takes any 2xx as success.
    pub fn of(request: &Request) -> Profile {
        match request.user_agent.as_deref() {
            Some(agent) if agent.starts_with("OPNsense") => Profile::Status,
            _ => Profile::Body,
        }
    }
}

/// [`render_as`] for clients that read the body.
pub fn render(codes: &[Code]) -> Response {
    render_as(Profile::Body, codes)
}

/// The response: one line per host in order, each with LF at its end. The status is that of the
/// lines if they agree, else 200, or for [`Profile::Status`] that of the first refusal. No codes at
/// all (no host was named and none is meant) is `notfqdn`.
pub fn render_as(profile: Profile, codes: &[Code]) -> Response {
    if codes.is_empty() {
        return render_as(profile, &[Code::Notfqdn]);
    }
    let statuses: Vec<u16> = codes.iter().map(|code| status(profile, code)).collect();
    let agreed = statuses.iter().all(|s| Some(s) == statuses.first());
    let status = match profile {
        Profile::Body if !agreed => 200,
        Profile::Body | Profile::Status => {
            statuses.iter().copied().find(|&s| s != 200).unwrap_or(200)
        }
    };
    let mut body = String::with_capacity(codes.len() * LINE_OCTETS_USUAL);
    for code in codes {
        line(code, &mut body);
        body.push('\n');
    }
    let mut response = Response::text(status, body);
    match status {
        401 => response.headers.push(("WWW-Authenticate", CHALLENGE.to_owned())),
        503 => response.headers.push(("Retry-After", RETRY_AFTER_S.to_string())),
        _ => {}
    }
    response
}

fn line(code: &Code, out: &mut String) {
    let (word, addresses) = match code {
        Code::Good(addresses) => ("good ", Some(addresses)),
        Code::Nochg(addresses) => ("nochg ", Some(addresses)),
        Code::Badauth => ("badauth", None),
        Code::Notfqdn => ("notfqdn", None),
        Code::Nohost => ("nohost", None),
        Code::Numhost => ("numhost", None),
        Code::Abuse => ("abuse", None),
        Code::Dnserr => ("dnserr", None),
        Code::Unavailable => ("911", None),
        Code::Badagent => ("badagent", None),
        Code::Donator => ("!donator", None),
    };
    out.push_str(word);
    if let Some(addresses) = addresses {
        list(addresses, out);
    }
}

/// A bare `good` breaks ez-ipupdate, which looks for the space after it: a host that has no
/// address now is answered with the unspecified one.
fn list(addresses: &[IpAddr], out: &mut String) {
    if addresses.is_empty() {
        return out.push_str("0.0.0.0");
    }
    for (place, address) in addresses.iter().enumerate() {
        // A `String` takes all that is written.
        let _ = write!(out, "{}{address}", if place == 0 { "" } else { "," });
    }
}

fn status(profile: Profile, code: &Code) -> u16 {
    match (code, profile) {
        (Code::Good(_) | Code::Nochg(_), _) => 200,
        (Code::Badauth, _) => 401,
        (Code::Abuse | Code::Donator, _) => 403,
        (Code::Unavailable, _) => 503,
        (Code::Nohost, Profile::Status) => 404,
        (Code::Notfqdn | Code::Numhost | Code::Badagent | Code::Dnserr, Profile::Status) => 400,
        (
            Code::Nohost | Code::Notfqdn | Code::Numhost | Code::Badagent | Code::Dnserr,
            Profile::Body,
        ) => 200,
    }
}

/// Room for a line; more is no trouble.
const LINE_OCTETS_USUAL: usize = 32;
const CHALLENGE: &str = "Basic realm=\"byname\", charset=\"UTF-8\"";
/// Google's documentation asks clients to wait 5 minutes after `911`.
const RETRY_AFTER_S: u32 = 300;
