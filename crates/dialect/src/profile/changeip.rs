//! ChangeIP: at `/nic/update`, so only for hosts that are set to it, with numbers for answers.
//!
//! `GET /nic/update?hostname=<h>[&ip=<a>]` with Basic or `u` and `p`. From ChangeIP's "DDNS API
//! Information" (<https://www.changeip.com/accounts/knowledgebase.php?action=displayarticle&id=34>, of
//! which only the first half is to be had, read 2026-11-29), its list of codes for the update history
//! (200, 402, 422), and ddclient's source (f4dcf6f, 2026), which looks for `success`. The texts behind
//! the numbers of refusals are ours.
//!
//! `offline` is ignored: what it means is not known here, and HPE Comware's template for ChangeIP has
//! `offline=1` in every update.

use crate::address::Mention;
use crate::ask::{Ask, Refusal};
use crate::http::{Credentials, Request, Response};
use crate::profile::Spoken;
use crate::{Code, Hint, Outcome, asker, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken =
    Spoken { paths: &[], is_meant: |_| true, credentials, parse, render, is_family: true };

fn credentials(request: &Request) -> Option<Credentials> {
    asker::header_or_parameters(request, &["u"], &["p"])
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Ask::read(request, ask)
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let mut ask = Ask::of(hosts::meant(request, &[&["hostname"]], hints)?);
    let mention = Mention::parse(&request.values(&["ip", "myip"]), &[], &[], hints)?;
    (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    Ok(ask)
}

/// One answer for all hosts: the first refusal, if there is one.
fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let failed = outcomes.iter().map(|outcome| outcome.code).find(|code| !code.is_success());
    let (status, text) = match failed {
        None if outcomes.is_empty() => (200, "422 Unknown Host"),
        None | Some(Code::Good | Code::Nochg) => (200, "200 Successful Update"),
        Some(Code::Badauth) => (401, "401 Access Denied"),
        Some(Code::Abuse | Code::Badagent | Code::Donator) => (403, "402 Not Available"),
        Some(Code::Nohost | Code::Notfqdn | Code::Numhost) => (200, "422 Unknown Host"),
        Some(Code::Dnserr) => (200, "422 Invalid Address"),
        Some(Code::Unavailable) => (503, "500 Try Again Later"),
    };
    let mut response = Response::text(status, format!("{text}\n"));
    if status == 401 {
        response.headers.push(asker::challenge());
    }
    response
}

#[cfg(test)]
mod tests;
