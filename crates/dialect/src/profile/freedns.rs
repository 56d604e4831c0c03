//! FreeDNS of afraid.org, version 1: the key is the name of the first parameter.
//!
//! `GET /dynamic/update.php?KEY[&address=…]`, and `GET /api/?action=getdyndns&v=2&sha=…`, which
//! lists `host|address|URL` for each record.
//!
//! From ddclient's source (f4dcf6f, 2026), inadyn's (98e43d7, 2025) and FreshTomato's, which quote
//! the answers; <https://freedns.afraid.org/api/> itself is not to be had. Clients match words and
//! addresses in the text, of which the status is always 200.
//!
//! Other than there: a key belongs to one record there, and here it may be for several hosts, so
//! that `host=` names one (the URLs of the list have it); the refusal of an address does not repeat
//! it, because inadyn takes any answer with its address in it for success; and `sha` is the token.
//! What clients make of a user name and a password by themselves, a hash of both, cannot be known
//! here: only a hash of the token is kept.

use std::net::IpAddr;

use crate::address::Mention;
use crate::ask::{Ask, Hosts, Refusal, Verb};
use crate::http::{Credentials, Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome, hosts, is_fqdn};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact(UPDATE), Path::Exact(LIST)],
    is_meant: |request| !is_list(request) || has_action(request),
    credentials,
    parse,
    render,
    is_family: false,
};

fn is_list(request: &Request) -> bool {
    request.path.eq_ignore_ascii_case(LIST)
}

fn has_action(request: &Request) -> bool {
    request.parameter(&["action"]).is_some_and(|action| action.eq_ignore_ascii_case("getdyndns"))
}

fn credentials(request: &Request) -> Option<Credentials> {
    let password = if is_list(request) { request.parameter(&["sha"])? } else { key(request)? };
    Some(Credentials { user: String::new(), password: password.to_owned() })
}

/// The name of the first parameter, which has no value.
fn key(request: &Request) -> Option<&str> {
    match request.parameters.first() {
        Some((name, value)) if value.is_empty() => Some(name),
        _ => None,
    }
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    if is_list(request) {
        return Ok(Ask { verb: Verb::List, ..Ask::of(Hosts::Group) });
    }
    let mut hints = Vec::new();
    match ask(request, &mut hints) {
        Ok(ask) => Ok(Ask { hints, ..ask }),
        Err(code) => Err(Refusal { code, hints }),
    }
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let mut ask = Ask::of(hosts::meant(request, &[&["host", "hostname", "h"]], hints)?);
    let mention = Mention::parse(&request.values(&["address", "ip", "myip"]), &[], &[], hints)?;
    (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    Ok(ask)
}

fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    if is_list(request) {
        return list(request, outcomes);
    }
    let status = match outcomes.first() {
        Some(outcome) if outcome.code == Code::Unavailable => 503,
        _ => 200,
    };
    let lines: Vec<String> = outcomes.iter().map(line).collect();
    Response::text(status, lines.concat())
}

/// Nothing but the line of a success has the word `Updated` or an address in it.
fn line(outcome: &Outcome) -> String {
    let host = shown(&outcome.host);
    let addresses: Vec<String> = outcome.addresses.iter().map(IpAddr::to_string).collect();
    let addresses = addresses.join(",");
    match outcome.code {
        // The time that it took is not known here, and clients only look for its unit.
        Code::Good => format!("Updated 1 host(s) {host} to {addresses} in 0.001 seconds\n"),
        Code::Nochg => format!("ERROR: Address {addresses} has not changed.\n"),
        Code::Badauth | Code::Nohost | Code::Abuse | Code::Badagent | Code::Donator => {
            "ERROR: Unable to locate this record (changed password recently? deleted and re-created \
             this dns entry?)\n"
                .to_owned()
        }
        Code::Notfqdn | Code::Numhost => "ERROR: Invalid update URL (2)\n".to_owned(),
        Code::Dnserr => "ERROR: This is an invalid IP address.\n".to_owned(),
        Code::Unavailable => "ERROR: Try again later.\n".to_owned(),
    }
}

/// One line for each family that a host has. A host without IPv4 has a line for it all the same, as
/// clients update what is listed only.
fn list(request: &Request, outcomes: &[Outcome]) -> Response {
    let Some(token) = request.parameter(&["sha"]) else {
        return Response::text(200, "ERROR: Could not authenticate.\n");
    };
    if let Some(failed) = outcomes.iter().find(|outcome| !outcome.code.is_success()) {
        return match failed.code {
            Code::Unavailable => Response::text(503, "ERROR: Try again later.\n"),
            _ => Response::text(200, "ERROR: Could not authenticate.\n"),
        };
    }
    // Never in clear text: a client that has no TLS takes the URL's end and its own server.
    let server = request.header("Host").unwrap_or("localhost");
    let mut body = String::new();
    for outcome in outcomes {
        let first = |is_family: fn(&IpAddr) -> bool| {
            outcome.addresses.iter().find(|address| is_family(address)).map(IpAddr::to_string)
        };
        let v4 = first(IpAddr::is_ipv4).unwrap_or_else(|| "NULL".to_owned());
        for address in [Some(v4), first(IpAddr::is_ipv6)].into_iter().flatten() {
            let host = shown(&outcome.host);
            body.push_str(&format!(
                "{host}|{address}|https://{server}{UPDATE}?{token}&host={host}\n"
            ));
        }
    }
    Response::text(200, body)
}

/// A name that a client sent, or nothing if it is none.
fn shown(host: &str) -> &str {
    if is_fqdn(host) { host } else { "" }
}

const UPDATE: &str = "/dynamic/update.php";
const LIST: &str = "/api";

#[cfg(test)]
mod tests;
