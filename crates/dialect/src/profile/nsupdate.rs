//! nsupdate.info: dyndns2 with words of its own for several addresses and for deleting, as its
//! `/nic/update` and `/nic/delete` do (version of May 2026).
//!
//! | there | here |
//! |---|---|
//! | Basic `host:secret`; `hostname`, if given, must be the user name | the same |
//! | `myip`: addresses with commas, what follows a `/` cut off; absent or empty: the source address | the same |
//! | anything else in `myip` | `dnserr`, nothing is changed |
//! | an IPv6 address without a bit of a host (the last 64 zero) deletes AAAA, and is `good` | the same |
//! | `/nic/delete`: deletes A or AAAA, by the family of `myip` or the source | the same |
//! | `good IP,IP6`, `nochg IP,IP6`, `deleted A,AAAA`; one of each kind to a line when mixed | the same, without a line end behind the last |
//! | 401 with `badauth`; 200 with everything else | the same; 503 when we cannot |
//!
//! A host is set to it, except for `/nic/delete`, which nobody else has. Related hosts are not
//! updated here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::address::is_placeholder;
use crate::ask::{Ask, Hosts, Refusal, Wanted};
use crate::dyndns2::{answer, parse};
use crate::hint::note;
use crate::http::{Request, Response};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, Outcome, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Loose(DELETE)],
    is_meant: |_| true,
    credentials: parse::credentials,
    parse,
    render,
    is_family: true,
};

fn parse(request: &Request) -> Result<Ask, Refusal> {
    let mut hints = Vec::new();
    match ask(request, &mut hints) {
        Ok(ask) => Ok(Ask { hints, ..ask }),
        Err(code) => Err(Refusal { code, hints }),
    }
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let hosts = hosts(request, hints)?;
    let addresses = addresses(request, hints)?;
    let v4 = |address: &IpAddr| match address {
        IpAddr::V4(v4) => Some(*v4),
        IpAddr::V6(_) => None,
    };
    let v6 = |address: &IpAddr| match address {
        IpAddr::V6(v6) => Some(*v6),
        IpAddr::V4(_) => None,
    };
    // Each address takes the place of those before it.
    let v4: Option<Ipv4Addr> = addresses.iter().rev().find_map(v4);
    let v6: Option<Ipv6Addr> = addresses.iter().rev().find_map(v6);
    let mut ask = Ask::of(hosts);
    if addresses.is_empty() {
        (ask.ipv4, ask.ipv6) = match deletes(request) {
            true => (Wanted::DeleteIfSource, Wanted::DeleteIfSource),
            false => (Wanted::Source, Wanted::Source),
        };
        return Ok(ask);
    }
    let deletes = deletes(request);
    ask.ipv4 = match v4 {
        None => Wanted::Preserve,
        Some(_) if deletes => Wanted::Delete,
        Some(address) => Wanted::Addresses(vec![address]),
    };
    ask.ipv6 = match v6 {
        None => Wanted::Preserve,
        Some(address) if deletes || is_network(address) => Wanted::Delete,
        Some(address) => Wanted::Addresses(vec![address]),
    };
    Ok(ask)
}

/// The host is the user, and nobody else's name is taken.
fn hosts(request: &Request, hints: &mut Vec<Hint>) -> Result<Hosts, Code> {
    let plain = |name: &str| name.strip_suffix('.').unwrap_or(name).to_owned();
    let user = parse::credentials(request).map(|c| plain(&c.user)).unwrap_or_default();
    let named = request.values(&HOSTNAME).pop().map(plain);
    let named = named.filter(|name| !name.is_empty() || !user.is_empty());
    match named {
        None if user.is_empty() => Ok(Hosts::Only),
        None if hosts::is_fqdn(&user) => Ok(Hosts::Named(vec![user])),
        Some(name) if user.is_empty() || name.eq_ignore_ascii_case(&user) => {
            Ok(Hosts::Named(vec![name]))
        }
        Some(name) if user.contains('.') && name.contains('.') => {
            note(hints, Hint::NotTheUser);
            Err(Code::Nohost)
        }
        None | Some(_) => Err(Code::Notfqdn),
    }
}

/// The addresses of `myip`, in order; none when it is absent or empty.
fn addresses(request: &Request, hints: &mut Vec<Hint>) -> Result<Vec<IpAddr>, Code> {
    let Some(value) = request.values(&MYIP).pop().filter(|value| !value.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut addresses = Vec::new();
    for part in value.split(',') {
        let text = part.split('/').next().unwrap_or(part).trim();
        let Ok(address) = text.parse() else {
            let hint = match is_placeholder(part.trim()) {
                true => Hint::AddressPlaceholder,
                false => Hint::NotAnAddress,
            };
            note(hints, hint);
            return Err(Code::Dnserr);
        };
        if addresses.len() == ADDRESSES_MAX {
            note(hints, Hint::TooManyAddresses);
            return Err(Code::Dnserr);
        }
        addresses.push(address);
    }
    Ok(addresses)
}

fn deletes(request: &Request) -> bool {
    request.path == DELETE
}

/// Whether an address has no bit of a host, with the mask of 64 that hosts have there.
fn is_network(address: Ipv6Addr) -> bool {
    address.to_bits() << 64 == 0
}

/// One host is all that a request is about.
fn render(request: &Request, outcomes: &[Outcome]) -> Response {
    let failed = outcomes.iter().find(|outcome| !outcome.code.is_success());
    let Some(outcome) = failed.or(outcomes.first()) else {
        return respond(200, Code::Notfqdn.word().to_owned());
    };
    match outcome.code {
        Code::Good | Code::Nochg => respond(200, success(request, outcome)),
        Code::Badauth => respond(401, "badauth".to_owned()),
        Code::Abuse | Code::Donator => respond(200, "abuse".to_owned()),
        Code::Numhost | Code::Nohost => respond(200, "nohost".to_owned()),
        Code::Notfqdn | Code::Dnserr | Code::Badagent => {
            respond(200, outcome.code.word().to_owned())
        }
        Code::Unavailable => respond(503, "911".to_owned()),
    }
}

fn respond(status: u16, body: String) -> Response {
    Response { content_type: "text/plain", ..answer::with_status(status, body) }
}

/// A line for each kind of result that there is.
fn success(request: &Request, outcome: &Outcome) -> String {
    let sent = addresses(request, &mut Vec::new()).unwrap_or_default();
    if deletes(request) {
        let deleted = outcome.deleted;
        let of_source = [(deleted.ipv4, "A"), (deleted.ipv6, "AAAA")];
        let types: Vec<&str> = match sent.as_slice() {
            [] => of_source.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect(),
            sent => sent.iter().map(|a| if a.is_ipv4() { "A" } else { "AAAA" }).collect(),
        };
        return format!("deleted {}", types.join(","));
    }
    let told = if sent.is_empty() { outcome.addresses.clone() } else { sent };
    let stood = |address: &IpAddr| match outcome.code {
        // The address of a network is never published, so it is never there.
        Code::Nochg => !matches!(address, IpAddr::V6(v6) if is_network(*v6)),
        _ => outcome.before.contains(address),
    };
    let (nochg, good): (Vec<IpAddr>, Vec<IpAddr>) = told.iter().partition(|a| stood(a));
    let both = !nochg.is_empty() && !good.is_empty();
    let line = |word: &str, list: &[IpAddr]| {
        let texts: Vec<String> = list.iter().map(IpAddr::to_string).collect();
        match both {
            true => texts.iter().map(|text| format!("{word} {text}")).collect(),
            false if texts.is_empty() => Vec::new(),
            false => vec![format!("{word} {}", texts.join(","))],
        }
    };
    [line("good", &good), line("nochg", &nochg)].concat().join("\n")
}

const DELETE: &str = "/nic/delete";
const HOSTNAME: [&str; 1] = ["hostname"];
const MYIP: [&str; 1] = ["myip"];
/// Addresses in one request.
const ADDRESSES_MAX: usize = 16;
