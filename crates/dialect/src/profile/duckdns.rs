//! DuckDNS: one token, labels instead of names, `OK` or `KO`.
//!
//! `GET /update?domains=a,b&token=…[&ip=…][&ipv6=…][&clear=true][&verbose=true]`, with `txt=…` the
//! text record instead of the addresses, and for routers that cannot send parameters
//! `GET /update/{domain}/{token}[/{ip}]`.
//!
//! From <https://www.duckdns.org/spec.jsp>, read 2026-11-29. What clients need beyond it: lego and
//! certbot's plugin compare the whole body with `OK`, so no line end follows it; acme.sh clears the
//! text by `txt=&clear=true`, which must leave the addresses alone.
//!
//! Other than there: one text record for a name and all names below it we do not have, and it goes
//! to `_acme-challenge`, where every client of it looks; and a `KO` that will pass by itself has
//! status 503, by which inadyn knows that it need not give up.

use std::net::IpAddr;

use crate::address::Mention;
use crate::ask::{ACME_CHALLENGE, Ask, Hosts, Refusal, TXT_OCTETS_MAX, TxtAction, TxtEdit, Wanted};
use crate::hint::note;
use crate::http::{Credentials, Request, Response};
use crate::profile::{Path, Spoken, below};
use crate::{Code, Hint, Outcome, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact(PATH), Path::Below(PATH)],
    is_meant,
    credentials,
    parse,
    render,
    is_family: false,
};

/// Others take updates at this path too, but none by this parameter.
fn is_meant(request: &Request) -> bool {
    request.has(&["domains"]) || InPath::of(request).is_some()
}

/// The form without parameters.
struct InPath<'a> {
    domain: &'a str,
    token: &'a str,
    address: &'a str,
}

impl<'a> InPath<'a> {
    fn of(request: &'a Request) -> Option<InPath<'a>> {
        let parts: Vec<&str> = below(&request.path, PATH)?.split('/').collect();
        match *parts.as_slice() {
            [domain, token] => Some(InPath { domain, token, address: "" }),
            [domain, token, address] => Some(InPath { domain, token, address }),
            _ => None,
        }
    }
}

fn credentials(request: &Request) -> Option<Credentials> {
    let token = match InPath::of(request) {
        Some(path) => path.token,
        None => request.parameter(&["token"])?,
    };
    Some(Credentials { user: String::new(), password: token.to_owned() })
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Ask::read(request, ask)
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let path = InPath::of(request);
    let named = match &path {
        Some(path) => hosts::list(path.domain, hints),
        None => hosts::list(request.parameter(&["domains"]).unwrap_or_default(), hints),
    };
    if named.is_empty() {
        return Err(Code::Notfqdn);
    }
    hosts::few(&named, hints)?;
    let mut ask = Ask::of(Hosts::Labels(named.iter().map(|name| label(name).to_owned()).collect()));
    if let Some(path) = path {
        (ask.ipv4, ask.ipv6) = addresses(&[path.address], &[], hints)?;
        return Ok(ask);
    }
    let clear = request.parameter(&["clear"]).is_some_and(|word| word.eq_ignore_ascii_case("true"));
    if request.has(&["txt"]) {
        let action = if clear { TxtAction::Clear } else { text(request, hints)? };
        ask.txt.push(TxtEdit { below: ACME_CHALLENGE, action });
    } else if clear {
        (ask.ipv4, ask.ipv6) = (Wanted::Delete, Wanted::Delete);
    } else {
        (ask.ipv4, ask.ipv6) =
            addresses(&request.values(&["ip"]), &request.values(&["ipv6"]), hints)?;
    }
    Ok(ask)
}

/// The label that is meant by a name within DuckDNS's own domain, which some clients write whole:
/// `home` of `home.duckdns.org` and of `sub.home.duckdns.org`.
fn label(name: &str) -> &str {
    let at = name.len().saturating_sub(DOMAIN.len());
    match name.split_at_checked(at) {
        Some((before, end)) if end.eq_ignore_ascii_case(DOMAIN) && !before.is_empty() => {
            before.rsplit('.').next().unwrap_or(before)
        }
        _ => name,
    }
}

fn text(request: &Request, hints: &mut Vec<Hint>) -> Result<TxtAction, Code> {
    match request.parameter(&["txt"]) {
        Some(value) if value.len() <= TXT_OCTETS_MAX => Ok(TxtAction::Replace(value.to_owned())),
        _ => {
            note(hints, Hint::TextUnusable);
            Err(Code::Dnserr)
        }
    }
}

type Addresses = (Wanted<std::net::Ipv4Addr>, Wanted<std::net::Ipv6Addr>);

/// `ip` takes either family. Without any address the source is taken, of IPv4 only; with one of
/// IPv6 alone it is not looked at.
fn addresses(ip: &[&str], ipv6: &[&str], hints: &mut Vec<Hint>) -> Result<Addresses, Code> {
    let mention = Mention::parse(ip, &[], ipv6, hints)?;
    let v6 = match mention.ipv6() {
        Wanted::Source => Wanted::Preserve,
        wanted => wanted,
    };
    let v4 = match mention.ipv4() {
        Wanted::Source | Wanted::Preserve if v6 == Wanted::Preserve => Wanted::Source,
        Wanted::Source => Wanted::Preserve,
        wanted => wanted,
    };
    Ok((v4, v6))
}

fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    let failed = outcomes.iter().find(|outcome| !outcome.code.is_success());
    if outcomes.is_empty() || failed.is_some() {
        let later = failed.is_some_and(|outcome| outcome.code == Code::Unavailable);
        return Response::text(if later { 503 } else { 200 }, "KO");
    }
    let verbose =
        request.parameter(&["verbose"]).is_some_and(|word| word.eq_ignore_ascii_case("true"));
    if !verbose {
        return Response::text(200, "OK");
    }
    let updated = outcomes.iter().any(|outcome| outcome.code == Code::Good);
    let word = if updated { "UPDATED" } else { "NOCHANGE" };
    if request.has(&["txt"]) {
        let text = request.parameter(&["txt"]).unwrap_or_default();
        return Response::text(200, format!("OK\n{text}\n{word}"));
    }
    let first = |is_family: fn(&IpAddr) -> bool| {
        let all = outcomes.first().map(|outcome| outcome.addresses.as_slice()).unwrap_or_default();
        all.iter().find(|address| is_family(address)).map(IpAddr::to_string).unwrap_or_default()
    };
    let (v4, v6) = (first(IpAddr::is_ipv4), first(IpAddr::is_ipv6));
    Response::text(200, format!("OK\n{v4}\n{v6}\n{word}"))
}

const PATH: &str = "/update";
const DOMAIN: &str = ".duckdns.org";

#[cfg(test)]
mod tests;
