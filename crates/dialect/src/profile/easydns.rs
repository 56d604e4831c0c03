//! easyDNS: like dyndns2, with words of its own.
//!
//! `GET /dyn/dyndns.php?hostname=<h>&myip=<a>`, also `generic.php`, `tomato.php`, `dynsite.php`, and
//! `ez-ipupdate.php?action=edit&myip=<a>&host_id=<h>`, with Basic.
//!
//! From easyDNS's client specifications 1.3 of 2001
//! (<http://support.easydns.com/tutorials/dynamicUpdateSpecs.php>, read 2026-11-29), the command
//! reference of HPE Comware routers (HPE 5200-4545, "url"), and the sources of ddclient (f4dcf6f,
//! 2026), inadyn (98e43d7, 2025) and FreshTomato. `myip=1.1.1.1` is the source, as documented.
//!
//! Other than there: `myip=0.0.0.0` does not take the host down, as that is what routers send that
//! have no address yet; it is refused.

use std::net::Ipv4Addr;

use crate::address::Mention;
use crate::ask::{Ask, Refusal, Wanted};
use crate::hint::note;
use crate::http::{Credentials, Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome, asker, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[
        Path::Exact("/dyn/dyndns.php"),
        Path::Exact("/dyn/generic.php"),
        Path::Exact("/dyn/tomato.php"),
        Path::Exact("/dyn/dynsite.php"),
        Path::Exact("/dyn/ez-ipupdate.php"),
    ],
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

/// `tld`, `wildcard`, `mx` and `backmx` are ignored.
fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let mut ask = Ask::of(hosts::meant(request, &[&["hostname"], &["host_id"]], hints)?);
    let mention = Mention::parse(&request.values(&["myip"]), &[], &[], hints)?;
    (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    if let Wanted::Addresses(addresses) = &ask.ipv4 {
        if addresses.contains(&Ipv4Addr::UNSPECIFIED) {
            note(hints, Hint::NotAnAddress);
            return Err(Code::Dnserr);
        }
        if *addresses == [DETECT] {
            ask.ipv4 = Wanted::Source;
        }
    }
    Ok(ask)
}

/// One line for each host. The words of ddclient 3.10 begin the line; a comment may follow.
fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let is = |code| outcomes.iter().any(|outcome| outcome.code == code);
    let status = match (is(Code::Badauth), is(Code::Unavailable)) {
        (true, _) => 401,
        (false, true) => 503,
        (false, false) => 200,
    };
    let lines: Vec<String> =
        outcomes.iter().map(|outcome| format!("{}\n", word(outcome))).collect();
    let mut response = Response::text(status, lines.concat());
    if status == 401 {
        response.headers.push(asker::challenge());
    }
    response
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome.code {
        Code::Good | Code::Nochg => "NOERROR",
        Code::Badauth | Code::Nohost | Code::Abuse | Code::Badagent => "NOACCESS",
        Code::Donator => "NOSERVICE",
        Code::Notfqdn | Code::Numhost | Code::Dnserr => "ILLEGAL INPUT",
        Code::Unavailable => "TOOSOON",
    }
}

/// What a client behind NAT sends.
const DETECT: Ipv4Addr = Ipv4Addr::new(1, 1, 1, 1);

#[cfg(test)]
mod tests;
