//! deSEC's "IP Update API", as documented and as its code does (August 2026).
//!
//! | there | here |
//! |---|---|
//! | any path; Basic, `Authorization: Token`, or `username=` and `password=` | `/`, and the paths of dyndns2 |
//! | hosts: `hostname` unless empty or `YES`, `host_id`, the Basic user unless it has an `@`, `username`, the only one; lists with commas | the same |
//! | IPv4: the first of `myip`, `myipv4`, `ip` with something for it, else the source, else deleted | the same |
//! | IPv6: `myipv6`, `ipv6`, `myip`, `ip`, else the source, else deleted | the same |
//! | an empty value deletes; `preserve` keeps; lists of addresses | the same |
//! | `address/length` puts that network in place of the first bits of what is there | the same |
//! | `myipv4:HOST=`, `myipv6:HOST=`: of that host only, which need not be named elsewhere | the same |
//! | all hosts in one domain, all or none | the same; one zone |
//! | 200 `good`, whether anything changed or not | the same, and without an address |
//! | 401 `badauth`, 404 `nohost`, 400 | the same; 403 for a frozen host; 503 when we cannot |
//!
//! So a device that sends one family deletes the other, unless it says `preserve`. That is why a host
//! has to choose this language. Three things differ: a placeholder that a device has not filled in
//! (`<ip6addr>`) says nothing there, and so deletes; here it keeps what is there. A list with an empty
//! member and nothing for a family (`myipv4=,x`) deletes there; here it is refused. And where the
//! source is not known, behind a proxy that does not tell, nothing is deleted for want of it.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::address::is_placeholder;
use crate::ask::{Ask, HOSTS_MAX, Hosts, Own, Refusal, Wanted};
use crate::dyndns2::answer;
use crate::hint::note;
use crate::http::{Credentials, Request, Response};
use crate::profile::Spoken;
use crate::{Code, Hint, Outcome, asker};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken =
    Spoken { paths: &[], is_meant: |_| false, credentials, parse, render, is_family: true };

fn credentials(request: &Request) -> Option<Credentials> {
    asker::header_or_parameters(request, &USERNAME, &PASSWORD)
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    let mut hints = Vec::new();
    match ask(request, &mut hints) {
        Ok(ask) => Ok(Ask { hints, ..ask }),
        Err(code) => Err(Refusal { code, hints }),
    }
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    asker::note_token_in_url(request, &PASSWORD, hints);
    let own = own(request, hints)?;
    let mut ask = Ask::of(hosts(request, &own, hints)?);
    ask.together = true;
    ask.ipv4 = general(request, &V4, hints)?;
    ask.ipv6 = general(request, &V6, hints)?;
    ask.own = own;
    Ok(ask)
}

/// The hosts of the request, and behind them those that only a parameter of their own names.
fn hosts(request: &Request, own: &[Own], hints: &mut Vec<Hint>) -> Result<Hosts, Code> {
    let mut named = named(request);
    if named.is_empty() && !own.is_empty() {
        // Which other host is meant beside these cannot be said here.
        return Err(Code::Notfqdn);
    }
    for host in own.iter().map(|own| &own.host) {
        if !named.contains(host) {
            named.push(host.clone());
        }
    }
    if named.len() > HOSTS_MAX {
        note(hints, Hint::TooManyHosts);
        return Err(Code::Numhost);
    }
    Ok(if named.is_empty() { Hosts::Only } else { Hosts::Named(named) })
}

/// The names in the first place that has any.
fn named(request: &Request) -> Vec<String> {
    let last = |names: &[&str]| request.values(names).pop().unwrap_or_default().to_owned();
    let user = request.credentials.as_ref().map(|c| c.user.clone()).unwrap_or_default();
    let places = [last(&["hostname"]), last(&["host_id"]), user, last(&USERNAME)];
    let is_name = |(place, text): &(usize, &String)| match place {
        0 => !text.is_empty() && text.as_str() != "YES",
        2 => !text.is_empty() && !text.contains('@'),
        _ => !text.is_empty(),
    };
    let found = places.iter().enumerate().find(is_name);
    found.map(|(_, text)| names(text)).unwrap_or_default()
}

/// The names of a list, in lower case, each once.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    for name in list.split(',') {
        let name = name.trim();
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What `myipv4:HOST` and `myipv6:HOST` say; the last word on a host counts.
fn own(request: &Request, hints: &mut Vec<Hint>) -> Result<Vec<Own>, Code> {
    let named = named(request);
    let mut all: Vec<Own> = Vec::new();
    for (name, value) in &request.parameters {
        let Some((family, list)) = name.split_once(':') else { continue };
        let is = |name: &str| family.eq_ignore_ascii_case(name);
        let (ipv4, ipv6) = match (is("myipv4"), is("myipv6")) {
            (true, _) => (Some(of_family(value, &V4, hints)?.unwrap_or(Wanted::Preserve)), None),
            (_, true) => (None, Some(of_family(value, &V6, hints)?.unwrap_or(Wanted::Preserve))),
            (false, false) => continue,
        };
        for host in names(list) {
            let place = all.iter().position(|own| own.host == host);
            if place.is_none() && all.len() == HOSTS_MAX {
                note(hints, Hint::TooManyHosts);
                return Err(Code::Numhost);
            }
            let earlier = place.map(|place| all.swap_remove(place));
            // Of a host that is named nowhere else, only what is said of it alone is done.
            let alone = !named.contains(&host);
            let earlier = earlier.unwrap_or_else(|| Own {
                host,
                ipv4: alone.then_some(Wanted::Preserve),
                ipv6: alone.then_some(Wanted::Preserve),
            });
            all.push(Own {
                ipv4: ipv4.clone().or(earlier.ipv4),
                ipv6: ipv6.clone().or(earlier.ipv6),
                host: earlier.host,
            });
        }
    }
    Ok(all)
}

/// How addresses of a family are told and read.
struct Kind<A> {
    /// The parameters for it, in order.
    parameters: &'static [&'static str],
    is_meant: fn(&str) -> bool,
    parse: fn(&str) -> Option<A>,
    /// A network, from an address in it and its length.
    network: fn(A, u8) -> A,
    width: u8,
}

/// What is wanted of a family of all hosts.
fn general<A: Copy + PartialEq>(
    request: &Request,
    kind: &Kind<A>,
    hints: &mut Vec<Hint>,
) -> Result<Wanted<A>, Code> {
    for name in kind.parameters {
        let Some(value) = request.values(&[name]).pop() else { continue };
        if let Some(wanted) = of_family(value, kind, hints)? {
            return Ok(wanted);
        }
    }
    Ok(Wanted::SourceElseDelete)
}

/// What a value says about a family; `None`: nothing.
fn of_family<A: Copy + PartialEq>(
    value: &str,
    kind: &Kind<A>,
    hints: &mut Vec<Hint>,
) -> Result<Option<Wanted<A>>, Code> {
    let refuse = |hint: Hint, hints: &mut Vec<Hint>| {
        note(hints, hint);
        Err(Code::Dnserr)
    };
    if is_placeholder(value.trim()) {
        note(hints, Hint::AddressPlaceholder);
        return Ok(Some(Wanted::Preserve));
    }
    let is_word = |part: &str| part.is_empty() || part == "preserve";
    let parts = value.split(',').map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| is_word(part) || (kind.is_meant)(part)).collect();
    match parts.as_slice() {
        [] => return Ok(None),
        [""] if value.trim().is_empty() => return Ok(Some(Wanted::Delete)),
        [""] => return refuse(Hint::MixedParameter, hints),
        ["preserve"] => return Ok(Some(Wanted::Preserve)),
        [one] if one.contains('/') => {
            let Some(renumber) = network(one, kind) else {
                return refuse(Hint::NotAnAddress, hints);
            };
            return Ok(Some(renumber));
        }
        [_] => {}
        many if many.len() > ADDRESSES_MAX => return refuse(Hint::TooManyAddresses, hints),
        many if many.iter().any(|part| is_word(part) || part.contains('/')) => {
            return refuse(Hint::MixedParameter, hints);
        }
        [..] => {}
    }
    let mut addresses = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(address) = (kind.parse)(part) else { return refuse(Hint::NotAnAddress, hints) };
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(Some(Wanted::Addresses(addresses)))
}

/// `2001:db8:1::/64`, with bits of a host or without.
fn network<A: Copy>(text: &str, kind: &Kind<A>) -> Option<Wanted<A>> {
    let (address, length) = text.split_once('/')?;
    let digits = (1..=3).contains(&length.len()) && length.bytes().all(|o| o.is_ascii_digit());
    let length = length.parse().ok().filter(|length| digits && *length <= kind.width)?;
    Some(Wanted::Renumber((kind.network)((kind.parse)(address)?, length), length))
}

/// All hosts share one answer.
fn render(_: &Request, outcomes: &[Outcome]) -> Response {
    let failed = outcomes.iter().find(|outcome| !outcome.code.is_success());
    let code = failed.or(outcomes.first()).map_or(Code::Notfqdn, |outcome| outcome.code);
    let (status, body) = match code {
        Code::Good | Code::Nochg => (200, "good"),
        Code::Badauth => (401, "badauth"),
        Code::Nohost => (404, "nohost"),
        Code::Notfqdn => (400, "Request does not properly specify domain for update."),
        Code::Numhost => (400, "Cannot update subdomains from more than one domain."),
        Code::Dnserr => (400, "dnserr"),
        Code::Badagent => (400, "badagent"),
        Code::Abuse | Code::Donator => (403, "abuse"),
        Code::Unavailable => (503, "911"),
    };
    Response { content_type: "text/plain", ..answer::with_status(status, body) }
}

const V4: Kind<Ipv4Addr> = Kind {
    parameters: &["myip", "myipv4", "ip"],
    is_meant: |part| part.contains('.') && !part.contains(':'),
    parse: |text| text.parse().ok(),
    network: |address, length| {
        let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
        Ipv4Addr::from_bits(address.to_bits() & mask)
    },
    width: 32,
};
const V6: Kind<Ipv6Addr> = Kind {
    parameters: &["myipv6", "ipv6", "myip", "ip"],
    is_meant: |part| part.contains(':'),
    parse: |text| text.parse().ok(),
    network: |address, length| {
        let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
        Ipv6Addr::from_bits(address.to_bits() & mask)
    },
    width: 128,
};
const USERNAME: [&str; 1] = ["username"];
const PASSWORD: [&str; 1] = ["password"];
/// Addresses of a family in one request.
const ADDRESSES_MAX: usize = 16;
