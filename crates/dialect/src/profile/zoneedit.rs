//! ZoneEdit: `GET /auth/dynamic.html?host=<h>[,<h>…][&dnsto=<a>]` with Basic, answered by one element
//! for each host.
//!
//! From the command references of HPE Comware routers (HPE 5200-4545, "url"), ddclient's source
//! (f4dcf6f, 2026) and FreshTomato's, which quotes the elements; ZoneEdit's own page is gone.
//!
//! `ZONE` is what follows the first label of the host.

use std::net::IpAddr;

use crate::address::Mention;
use crate::ask::{Ask, Refusal};
use crate::http::{Credentials, Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome, asker, hosts, is_fqdn};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact("/auth/dynamic.html")],
    is_meant: |_| true,
    credentials,
    parse,
    render,
    is_family: false,
};

fn credentials(request: &Request) -> Option<Credentials> {
    asker::header_or_parameters(request, &["username", "user"], &["password", "pass"])
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Ask::read(request, ask)
}

/// `zone` is only where the hosts lie, and is not needed.
fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let mut ask = Ask::of(hosts::meant(request, &[&["host", "hostname"], &["zones"]], hints)?);
    let mention = Mention::parse(&request.values(&["dnsto", "myip", "ip"]), &[], &[], hints)?;
    (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    Ok(ask)
}

fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let stranger = outcomes.iter().any(|outcome| outcome.code == Code::Badauth);
    let lines: Vec<String> = outcomes.iter().map(line).collect();
    let mut response = Response::text(if stranger { 401 } else { 200 }, lines.concat());
    if stranger {
        // curl and wget send credentials only after this.
        response.headers.push(asker::challenge());
    }
    response
}

fn line(outcome: &Outcome) -> String {
    let host = if is_fqdn(&outcome.host) { outcome.host.as_str() } else { "" };
    let zone = host.split_once('.').map_or("", |(_, zone)| if is_fqdn(zone) { zone } else { host });
    let addresses: Vec<String> = outcome.addresses.iter().map(IpAddr::to_string).collect();
    let addresses = addresses.join(",");
    match outcome.code {
        Code::Good => format!(
            "<SUCCESS CODE=\"200\" TEXT=\"Update succeeded.\" ZONE=\"{zone}\" HOST=\"{host}\" \
             IP=\"{addresses}\">\n"
        ),
        Code::Nochg => {
            format!("<SUCCESS CODE=\"201\" TEXT=\"No records need updating.\" ZONE=\"{zone}\">\n")
        }
        Code::Badauth => "<ERROR CODE=\"708\" TEXT=\"Login/authorization error\">\n".to_owned(),
        Code::Nohost => {
            format!("<ERROR CODE=\"701\" TEXT=\"Zone is not set up in this account.\" ZONE=\"{zone}\">\n")
        }
        Code::Notfqdn => {
            "<ERROR CODE=\"703\" TEXT=\"one of either parameters 'zones' or 'host' are required.\">\n"
                .to_owned()
        }
        Code::Numhost
        | Code::Abuse
        | Code::Dnserr
        | Code::Unavailable
        | Code::Badagent
        | Code::Donator => {
            format!("<ERROR CODE=\"702\" TEXT=\"Update failed.\" ZONE=\"{zone}\">\n")
        }
    }
}

#[cfg(test)]
mod tests;
