//! From a request to an update.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::address::{Mention, is_placeholder};
use super::{Code, HOSTS_MAX, Refusal, Update, Wanted};
use crate::Hint;
use crate::hint::note;
use crate::http::{Credentials, Request};

/// Reads what a request wants.
///
/// Names of parameters are taken in any case, and of several the last that has a value.
/// `wildcard`, `mx`, `backmx`, `system` and unknown ones are ignored, the user agent too.
///
/// # Errors
/// A [`Refusal`] when no part of the request can be done: [`Code::Numhost`] for more than
/// [`HOSTS_MAX`] hosts, [`Code::Dnserr`] for a value that is no address.
pub fn parse(request: &Request) -> Result<Update, Refusal> {
    let mut hints = Vec::new();
    match update(request, &mut hints) {
        Ok((hosts, ipv4, ipv6)) => Ok(Update { hosts, ipv4, ipv6, hints }),
        Err(code) => Err(Refusal { code, hints }),
    }
}

/// Who asks: the credentials of the request, or when they have no password, user name and password
/// from its parameters.
pub fn credentials(request: &Request) -> Option<Credentials> {
    match parameters_password(request) {
        Some(password) => {
            let user = request.parameter(&USER).unwrap_or_default();
            Some(Credentials { user: user.to_owned(), password: password.to_owned() })
        }
        None => request.credentials.clone(),
    }
}

/// Whether a name could be a host: at least two labels of letters, digits, hyphens and
/// underscores, the first perhaps `*`, at most 63 octets each and 253 together, the last not a
/// number (RFC 1123 §2.1).
pub fn is_fqdn(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let last_is_number = labels.last().is_none_or(|l| l.bytes().all(|o| o.is_ascii_digit()));
    let (first, rest) = labels.split_at(1);
    name.len() <= 253
        && !rest.is_empty()
        && !last_is_number
        && (first == ["*"] || first.iter().all(|l| is_label(l)))
        && rest.iter().all(|l| is_label(l))
}

type Parts = (Vec<String>, Wanted<Ipv4Addr>, Wanted<Ipv6Addr>);

fn update(request: &Request, hints: &mut Vec<Hint>) -> Result<Parts, Code> {
    note_token_in_url(request, hints);
    let hosts = hosts(request, hints);
    if hosts.len() > HOSTS_MAX {
        note(hints, Hint::TooManyHosts);
        return Err(Code::Numhost);
    }
    if request.parameter(&PREFIX).is_some() {
        note(hints, Hint::PrefixIgnored);
    }
    if request.parameter(&OFFLINE).is_some_and(is_yes) {
        return Ok((hosts, Wanted::Delete, Wanted::Delete));
    }
    let mention = Mention::parse(
        &values(request, &EITHER),
        &values(request, &IPV4),
        &values(request, &IPV6),
        hints,
    )?;
    Ok((hosts, mention.ipv4(), mention.ipv6()))
}

/// The names of the first group of parameters that has any, else the user name.
fn hosts(request: &Request, hints: &mut Vec<Hint>) -> Vec<String> {
    for group in [&HOSTNAME[..], &HOST, &DOMAIN] {
        // The last parameter that names a host; placeholders and empty ones name none.
        let named = values(request, group).into_iter().rev().map(|value| names(value, hints));
        if let Some(names) = named.into_iter().find(|names| !names.is_empty()) {
            return names;
        }
    }
    let user = credentials(request).map(|credentials| credentials.user).unwrap_or_default();
    let user = user.strip_suffix('.').unwrap_or(&user);
    if !is_fqdn(user) {
        return Vec::new();
    }
    note(hints, Hint::HostFromUserName);
    vec![user.to_owned()]
}

fn names(value: &str, hints: &mut Vec<Hint>) -> Vec<String> {
    let mut names = Vec::new();
    for name in value.split([',', ' ', ';']) {
        let name = name.strip_suffix('.').unwrap_or(name);
        if is_placeholder(name) {
            note(hints, Hint::HostPlaceholder);
        } else if !name.is_empty() && name != "YES" {
            // deSEC has seen `hostname=YES` and takes it as nothing.
            names.push(name.to_owned());
        }
    }
    names
}

/// The password among the parameters, unless the request has one where it belongs.
fn parameters_password(request: &Request) -> Option<&str> {
    let in_header = request.credentials.as_ref().is_some_and(|c| !c.password.is_empty());
    if in_header { None } else { request.parameter(&PASSWORD) }
}

fn note_token_in_url(request: &Request, hints: &mut Vec<Hint>) {
    let secret = |name: &str| PASSWORD.iter().any(|p| p.eq_ignore_ascii_case(name));
    let mut in_url = request.parameters.iter().take(request.parameters_in_url);
    if parameters_password(request).is_some() && in_url.any(|p| secret(&p.0) && !p.1.is_empty()) {
        note(hints, Hint::TokenInUrl);
    }
}

/// The values of the parameters with one of these names, empty ones too, in order.
fn values<'a>(request: &'a Request, names: &[&str]) -> Vec<&'a str> {
    let named = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    request.parameters.iter().filter(|p| named(&p.0)).map(|p| p.1.trim()).collect()
}

fn is_yes(value: &str) -> bool {
    ["yes", "on", "true", "1"].iter().any(|yes| yes.eq_ignore_ascii_case(value.trim()))
}

fn is_label(label: &str) -> bool {
    let plain = |o: u8| o.is_ascii_alphanumeric() || o == b'-' || o == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

// The names that devices and providers use. `domain` comes last: some send the zone in it.
const HOSTNAME: [&str; 3] = ["hostname", "hostnames", "host_name"];
const HOST: [&str; 5] = ["host", "hosts", "host_id", "h", "fqdn"];
const DOMAIN: [&str; 2] = ["domain", "domains"];
const EITHER: [&str; 7] = ["myip", "ip", "addr", "address", "a", "dnsto", "ipaddr"];
const IPV4: [&str; 4] = ["myipv4", "ipv4", "ip4", "myip4"];
const IPV6: [&str; 6] = ["myipv6", "ipv6", "ip6", "myip6", "ip6addr", "myip2"];
const PREFIX: [&str; 4] = ["ipv6prefix", "ip6lanprefix", "praefix", "prefix"];
const OFFLINE: [&str; 1] = ["offline"];
const USER: [&str; 2] = ["username", "user"];
const PASSWORD: [&str; 5] = ["password", "pass", "passwd", "token", "key"];
