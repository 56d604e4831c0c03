//! DyNS: `GET /postscript.php?host=<h>[&ip=<a>]`, answered by a number and a text.
//!
//! From the command reference of HPE Comware routers (HPE 5200-4545, "url") and FreshTomato's source,
//! which calls `/postscript011.php` with `username` and `password` and reads the number: 200 done, 400
//! wrong parameters, 401 wrong credentials, 402 too often, 405 no such host. The service is gone, and
//! the texts are ours.

use crate::address::Mention;
use crate::ask::{Ask, Refusal};
use crate::http::{Credentials, Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome, asker, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact("/postscript.php"), Path::Exact("/postscript011.php")],
    is_meant: |_| true,
    credentials,
    parse,
    render,
    is_family: false,
};

fn credentials(request: &Request) -> Option<Credentials> {
    asker::header_or_parameters(request, &["username"], &["password"])
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Ask::read(request, ask)
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let mut ask = Ask::of(hosts::meant(request, &[&["host"]], hints)?);
    let mention = Mention::parse(&request.values(&["ip"]), &[], &[], hints)?;
    (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    Ok(ask)
}

/// One answer for all hosts: the first refusal, if there is one.
fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let failed = outcomes.iter().map(|outcome| outcome.code).find(|code| !code.is_success());
    let text = match failed {
        None if outcomes.is_empty() => "405 unknown host",
        None | Some(Code::Good | Code::Nochg) => "200 host updated",
        Some(Code::Notfqdn | Code::Numhost | Code::Dnserr | Code::Badagent) => {
            "400 invalid parameters"
        }
        Some(Code::Badauth) => "401 not authenticated",
        Some(Code::Unavailable) => "402 try again later",
        Some(Code::Nohost | Code::Abuse | Code::Donator) => "405 unknown host",
    };
    let stranger = failed == Some(Code::Badauth) && outcomes.len() == 1;
    let mut response = Response::text(if stranger { 401 } else { 200 }, format!("{text}\n"));
    if stranger {
        response.headers.push(asker::challenge());
    }
    response
}

#[cfg(test)]
mod tests;
