//! From codes to the response that firmware matches on.

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
    let body: String = codes.iter().map(|code| line(code) + "\n").collect();
    let mut response = Response::text(status, body);
    match status {
        401 => response.headers.push(("WWW-Authenticate", CHALLENGE.to_owned())),
        503 => response.headers.push(("Retry-After", RETRY_AFTER_S.to_string())),
        _ => {}
    }
    response
}

fn line(code: &Code) -> String {
    match code {
        Code::Good(addresses) => format!("good {}", list(addresses)),
        Code::Nochg(addresses) => format!("nochg {}", list(addresses)),
        Code::Badauth => "badauth".to_owned(),
        Code::Notfqdn => "notfqdn".to_owned(),
        Code::Nohost => "nohost".to_owned(),
        Code::Numhost => "numhost".to_owned(),
        Code::Abuse => "abuse".to_owned(),
        Code::Dnserr => "dnserr".to_owned(),
        Code::Unavailable => "911".to_owned(),
        Code::Badagent => "badagent".to_owned(),
        Code::Donator => "!donator".to_owned(),
    }
}

/// A bare `good` breaks ez-ipupdate, which looks for the space after it: a host that has no
/// address now is answered with the unspecified one.
fn list(addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return "0.0.0.0".to_owned();
    }
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",")
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

const CHALLENGE: &str = "Basic realm=\"byname\", charset=\"UTF-8\"";
/// Google's documentation asks clients to wait 5 minutes after `911`.
const RETRY_AFTER_S: u32 = 300;
