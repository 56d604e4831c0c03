//! FreeDNS of afraid.org, version 2: `GET /u/TOKEN/[?address=…]`, or `GET /u/?h=…&ip=…` with Basic.
//!
//! From OpenWrt's ddns-scripts (0521bb5, 2026), ddclient's issue 180 and pull request 163, qdm12's
//! ddns-updater (4b18087, 2026) and quotations of the page at <https://freedns.afraid.org/dynamic/v2/>,
//! which is not to be had: `Updated H from A to B` and `No IP change detected for H with IP A,
//! skipping update`. The words of refusals are not known, and are ours.
//!
//! There, a token is for one record and its server name decides the family; here, without an address
//! the source is taken, for its own family.

use std::net::IpAddr;

use crate::address::Mention;
use crate::ask::{Ask, Refusal};
use crate::http::{Credentials, Request, Response};
use crate::profile::{Path, Spoken, below};
use crate::{Code, Hint, Outcome, asker, hosts, is_fqdn};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact(PATH), Path::Below(PATH)],
    is_meant: |request| token(request).is_some() || request.path.eq_ignore_ascii_case(PATH),
    credentials,
    parse,
    render,
    is_family: false,
};

/// The token that is the rest of the path.
fn token(request: &Request) -> Option<&str> {
    let rest = below(&request.path, PATH)?;
    (!rest.is_empty() && !rest.contains('/')).then_some(rest)
}

fn credentials(request: &Request) -> Option<Credentials> {
    match token(request) {
        Some(token) => Some(Credentials { user: String::new(), password: token.to_owned() }),
        None => asker::header_or_parameters(request, &[], &["token"]),
    }
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Ask::read(request, ask)
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let mut ask = Ask::of(hosts::meant(request, &[&["h", "hostname", "host"]], hints)?);
    let mention = Mention::parse(&request.values(&["address", "ip", "myip"]), &[], &[], hints)?;
    (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    Ok(ask)
}

fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let failed = outcomes.iter().map(|outcome| outcome.code).find(|code| !code.is_success());
    let status = match failed {
        None | Some(Code::Good | Code::Nochg) => 200,
        Some(Code::Badauth) => 401,
        Some(Code::Nohost) => 404,
        Some(Code::Notfqdn | Code::Numhost | Code::Dnserr) => 400,
        Some(Code::Abuse | Code::Badagent | Code::Donator) => 403,
        Some(Code::Unavailable) => 503,
    };
    let lines: Vec<String> = outcomes.iter().map(line).collect();
    let mut response = Response::text(status, lines.concat());
    if status == 401 {
        response.headers.push(asker::challenge());
    }
    response
}

fn line(outcome: &Outcome) -> String {
    let host = if is_fqdn(&outcome.host) { outcome.host.as_str() } else { "" };
    match outcome.code {
        Code::Good => {
            let lines = outcome.addresses.iter().map(|new| {
                let same = outcome.before.iter().find(|old| old.is_ipv4() == new.is_ipv4());
                let old = same.map_or_else(|| "NULL".to_owned(), IpAddr::to_string);
                format!("Updated {host} from {old} to {new}\n")
            });
            lines.collect()
        }
        Code::Nochg => {
            let addresses: Vec<String> = outcome.addresses.iter().map(IpAddr::to_string).collect();
            let addresses = addresses.join(",");
            format!("No IP change detected for {host} with IP {addresses}, skipping update\n")
        }
        Code::Badauth => "ERROR: Could not authenticate.\n".to_owned(),
        Code::Nohost => "ERROR: Unable to locate this record\n".to_owned(),
        Code::Notfqdn | Code::Numhost => "ERROR: Which host is meant is not clear.\n".to_owned(),
        Code::Dnserr => "ERROR: This is an invalid IP address.\n".to_owned(),
        Code::Abuse | Code::Badagent | Code::Donator => "ERROR: Forbidden.\n".to_owned(),
        Code::Unavailable => "ERROR: Try again later.\n".to_owned(),
    }
}

const PATH: &str = "/u";

#[cfg(test)]
mod tests;
