//! acme-dns: text records for ACME, by JSON.
//!
//! `POST /update` with `X-Api-User` and `X-Api-Key` and `{"subdomain": …, "txt": …}`; `POST /register`
//! makes an account, [`Registration`] and [`Registered`]; `GET /health`.
//!
//! From acme-dns's source and README (joohoi/acme-dns b7a0a8a, 2024), answers octet for octet: the
//! order in which a request is checked, the one space in `{"txt": "…"}`, which values are taken (43
//! characters of base64url, which is what a dns-01 challenge is), the two that are kept. What Go's
//! library adds to answers (`Date`) is not there.
//!
//! The password of the account is the token. The user name, which is a random number there, does
//! not matter here. The subdomain is the first label of a host of the token, or its name; the text
//! goes to `_acme-challenge` below it, where that host's own challenges are looked for, and where a
//! CNAME can lead those of others.

use serde::Deserialize;

use crate::ask::{ACME_CHALLENGE, Ask, Hosts, Refusal, TxtAction, TxtEdit};
use crate::http::{Credentials, Method, Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact("/update")],
    is_meant,
    credentials,
    parse,
    render,
    is_family: false,
};

/// Others take updates at this path too, but none with these header fields.
fn is_meant(request: &Request) -> bool {
    request.method == Method::Post
        && (request.header(USER).is_some() || request.header(KEY).is_some())
}

fn credentials(request: &Request) -> Option<Credentials> {
    let user = request.header(USER).unwrap_or_default().to_owned();
    Some(Credentials { user, password: request.header(KEY)?.to_owned() })
}

/// The body of an update. As in Go, of several members with one name the last counts, and unknown
/// ones do not matter.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Update {
    subdomain: String,
    txt: String,
}

impl Update {
    /// What cannot be read is empty.
    fn of(request: &Request) -> Update {
        serde_json::from_slice(&request.body).unwrap_or_default()
    }

    fn is_challenge(&self) -> bool {
        let plain = |o: u8| o.is_ascii_alphanumeric() || o == b'-' || o == b'_';
        self.txt.len() == CHALLENGE_OCTETS && self.txt.bytes().all(plain)
    }
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    let update = Update::of(request);
    if update.subdomain.is_empty() {
        return Err(Refusal { code: Code::Nohost, hints: vec![Hint::JsonUnreadable] });
    }
    if !update.is_challenge() {
        return Err(Refusal { code: Code::Dnserr, hints: vec![Hint::TextUnusable] });
    }
    let mut ask = Ask::of(Hosts::Labels(vec![update.subdomain]));
    let action = TxtAction::Add { value: update.txt, keep: KEPT };
    ask.txt.push(TxtEdit { below: ACME_CHALLENGE, action });
    Ok(ask)
}

fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    let code = outcomes.first().map_or(Code::Nohost, |outcome| outcome.code);
    let (status, body) = match code {
        Code::Good | Code::Nochg => (200, format!("{{\"txt\": \"{}\"}}", Update::of(request).txt)),
        Code::Badauth
        | Code::Nohost
        | Code::Notfqdn
        | Code::Numhost
        | Code::Abuse
        | Code::Badagent
        | Code::Donator => (401, error("forbidden")),
        Code::Dnserr if !Update::of(request).is_challenge() => (400, error("bad_txt")),
        Code::Dnserr | Code::Unavailable => (500, error("db_error")),
    };
    json(status, body)
}

/// A wish for an account: `POST /register`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The networks from which updates are to be taken, in CIDR notation, as sent but for brackets;
    /// empty: from all. At most [`Registration::NETWORKS_MAX`].
    pub allow_from: Vec<String>,
}

/// The body of a registration.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Register {
    allowfrom: Vec<String>,
}

impl Registration {
    /// Most networks of one account.
    pub const NETWORKS_MAX: usize = 32;

    /// Reads the body, which may be empty.
    ///
    /// # Errors
    /// The answer, 400, when it is no JSON or a network is none.
    pub fn read(request: &Request) -> Result<Registration, Response> {
        let body = request.body.trim_ascii();
        let register = match serde_json::from_slice::<Register>(body) {
            Ok(register) => register,
            Err(_) if body.is_empty() => Register::default(),
            Err(_) => return Err(json(400, error("malformed_json_payload"))),
        };
        let plain = |network: String| network.replace(['[', ']'], "");
        let allow_from: Vec<String> = register.allowfrom.into_iter().map(plain).collect();
        let all = allow_from.len() <= Registration::NETWORKS_MAX;
        if !all || !allow_from.iter().all(|network| is_network(network)) {
            return Err(json(400, error("invalid_allowfrom_cidr")));
        }
        Ok(Registration { allow_from })
    }
}

/// An account that was made. `Debug` does not show its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Registered {
    /// A name for it.
    pub username: String,
    /// The text of its token.
    pub password: String,
    /// Where its challenges are looked for, in full: where a CNAME may lead.
    pub fulldomain: String,
    /// What updates name.
    pub subdomain: String,
    /// The networks from which updates are taken; empty: from all.
    pub allow_from: Vec<String>,
}

impl Registered {
    /// The answer.
    pub fn render(&self) -> Response {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let networks: Vec<String> = self.allow_from.iter().map(|network| text(network)).collect();
        let body = format!(
            "{{\"username\":{},\"password\":{},\"fulldomain\":{},\"subdomain\":{},\
             \"allowfrom\":[{}]}}",
            text(&self.username),
            text(&self.password),
            text(&self.fulldomain),
            text(&self.subdomain),
            networks.join(",")
        );
        json(201, body)
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered").field("fulldomain", &self.fulldomain).finish_non_exhaustive()
    }
}

/// Whether a path is that of registrations.
pub fn is_registration(request: &Request) -> bool {
    request.method == Method::Post && request.path.eq_ignore_ascii_case("/register")
}

/// The answer of a service that makes no accounts: that of a server without such a path.
pub fn no_registration() -> Response {
    let mut response = Response::text(404, "404 page not found\n");
    response.headers.push(("X-Content-Type-Options", "nosniff".to_owned()));
    response
}

/// `192.0.2.0/24`, `2001:db8::/32`; bits of a host do not matter.
fn is_network(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let width = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let digits = !length.is_empty() && length.bytes().all(|o| o.is_ascii_digit());
    digits && length.parse::<u8>().is_ok_and(|length| length <= width)
}

fn error(word: &str) -> String {
    format!("{{\"error\": \"{word}\"}}")
}

fn json(status: u16, body: String) -> Response {
    Response { content_type: "application/json", ..Response::text(status, body) }
}

const USER: &str = "X-Api-User";
const KEY: &str = "X-Api-Key";
/// A SHA-256 in base64url without padding (RFC 8555 §8.4).
const CHALLENGE_OCTETS: usize = 43;
/// A name and its wildcard are proven by one value each.
const KEPT: usize = 2;

#[cfg(test)]
mod tests;
