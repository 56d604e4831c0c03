//! dynv6: `GET /api/update?zone=…&token=…[&ipv4=…][&ipv6=…][&ipv6prefix=…]`.
//!
//! From <https://dynv6.com/docs/apis>, read 2026-11-29: what is empty or not mentioned is kept,
//! `auto` is the source, `-` removes; an `ipv6` with a prefix length sets the prefix too, unless
//! `ipv6prefix` does. The words of success are in inadyn's issues 235 and 511; those of refusals are
//! nowhere to be found, only that their status is not 200.
//!
//! Other than there: `6to4` is refused, as it should be used by nobody any more (RFC 7526).

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::address::{self, Mention, is_placeholder};
use crate::ask::{Ask, Prefix, Refusal, Wanted};
use crate::hint::note;
use crate::http::{Credentials, Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome, asker, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact("/api/update")],
    is_meant: |_| true,
    credentials,
    parse,
    render,
    is_family: false,
};

fn credentials(request: &Request) -> Option<Credentials> {
    asker::parameters_or_header(request, &["token"])
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Ask::read(request, ask)
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let mut ask = Ask::of(hosts::meant(request, &[&["zone"], &["hostname"]], hints)?);
    ask.ipv4 = ipv4(last(request, "ipv4", hints), hints)?;
    (ask.ipv6, ask.prefix) = ipv6(last(request, "ipv6", hints), hints)?;
    if let Some(prefix) = last(request, "ipv6prefix", hints) {
        ask.prefix = self::prefix(prefix, hints)?;
    }
    Ok(ask)
}

/// The last value of a parameter that says something.
fn last<'a>(request: &'a Request, name: &str, hints: &mut Vec<Hint>) -> Option<&'a str> {
    let values = request.values(&[name]).into_iter().rev();
    let mut said = values.filter(|value| !value.is_empty()).filter(|value| {
        let placeholder = is_placeholder(value);
        if placeholder {
            note(hints, Hint::AddressPlaceholder);
        }
        !placeholder
    });
    said.next()
}

fn ipv4(value: Option<&str>, hints: &mut Vec<Hint>) -> Result<Wanted<Ipv4Addr>, Code> {
    match value {
        Some(value) => Ok(Mention::parse(&[], &[value], &[], hints)?.ipv4()),
        None => Ok(Wanted::Preserve),
    }
}

/// The address, and the prefix that its length gives. A network without a host in it, which dynv6
/// once had in this parameter, is a prefix only.
fn ipv6(
    value: Option<&str>,
    hints: &mut Vec<Hint>,
) -> Result<(Wanted<Ipv6Addr>, Option<Wanted<Prefix>>), Code> {
    let Some(value) = value else { return Ok((Wanted::Preserve, None)) };
    let Some((address, length)) = value.split_once('/') else {
        refuse_6to4(value, hints)?;
        return Ok((Mention::parse(&[], &[], &[value], hints)?.ipv6(), None));
    };
    if length == "128" {
        return Ok((Mention::parse(&[], &[], &[address], hints)?.ipv6(), None));
    }
    let prefix = address::prefix(&[value], hints)?;
    let is_network = match (&prefix, address.parse::<Ipv6Addr>()) {
        (Some(Wanted::Addresses(networks)), Ok(address)) => {
            networks.iter().any(|network| network.address == address)
        }
        _ => false,
    };
    if is_network {
        return Ok((Wanted::Preserve, prefix));
    }
    Ok((Mention::parse(&[], &[], &[address], hints)?.ipv6(), prefix))
}

fn prefix(value: &str, hints: &mut Vec<Hint>) -> Result<Option<Wanted<Prefix>>, Code> {
    refuse_6to4(value, hints)?;
    address::prefix(&[value], hints)
}

fn refuse_6to4(value: &str, hints: &mut Vec<Hint>) -> Result<(), Code> {
    if value.eq_ignore_ascii_case("6to4") {
        note(hints, Hint::Ipv6To4);
        return Err(Code::Dnserr);
    }
    Ok(())
}

/// No refusal has the words `updated` or `unchanged` in it: clients look for them anywhere.
fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let failed = outcomes.iter().map(|outcome| outcome.code).find(|code| !code.is_success());
    let (status, text) = match failed {
        None if outcomes.is_empty() => (404, "zone not found"),
        None if outcomes.iter().all(|outcome| outcome.code == Code::Nochg) => {
            (200, "addresses unchanged")
        }
        None | Some(Code::Good | Code::Nochg) => (200, "addresses updated"),
        Some(Code::Badauth) => (401, "invalid authentication token"),
        Some(Code::Nohost | Code::Notfqdn | Code::Numhost) => (404, "zone not found"),
        Some(Code::Dnserr) => (400, "invalid address"),
        Some(Code::Abuse | Code::Badagent | Code::Donator) => (403, "forbidden"),
        Some(Code::Unavailable) => (503, "try again later"),
    };
    Response::text(status, text)
}

#[cfg(test)]
mod tests;
