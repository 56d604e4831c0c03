//! From a request to what it wants.

use crate::address::{self, Mention};
use crate::ask::{Ask, HOSTS_MAX, Hosts, Prefix, Refusal, Wanted};
use crate::hint::note;
use crate::http::{Credentials, Request};
use crate::{Code, Hint, asker, hosts};

/// Reads what a request wants.
///
/// Names of parameters are taken in any case, and of several the last that has a value.
/// `wildcard`, `mx`, `backmx`, `system` and unknown ones are ignored, the user agent too.
pub(crate) fn parse(request: &Request) -> Result<Ask, Refusal> {
    let mut hints = Vec::new();
    match ask(request, &mut hints) {
        Ok(ask) => Ok(Ask { hints, ..ask }),
        Err(code) => Err(Refusal { code, hints }),
    }
}

/// Who asks: the credentials of the request, or when they have no password, user name and password
/// from its parameters.
pub(crate) fn credentials(request: &Request) -> Option<Credentials> {
    asker::header_or_parameters(request, &USER, &PASSWORD)
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    asker::note_token_in_url(request, &PASSWORD, hints);
    if request.body.trim_ascii_start().starts_with(b"{") {
        note(hints, Hint::BodyNotForm);
    }
    let mut ask = Ask::of(hosts(request, hints)?);
    if request.parameter(&OFFLINE).is_some_and(is_yes) {
        (ask.ipv4, ask.ipv6) = (Wanted::Delete, Wanted::Delete);
        return Ok(ask);
    }
    ask.prefix = prefix(request, hints)?;
    let mention = Mention::parse(
        &request.values(&EITHER),
        &request.values(&IPV4),
        &request.values(&IPV6),
        hints,
    )?;
    // A prefix alone says nothing about the addresses of this host.
    if ask.prefix.is_none() || !mention.is_empty() {
        (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    }
    Ok(ask)
}

/// The prefix of the hosts behind the one that asks.
fn prefix(request: &Request, hints: &mut Vec<Hint>) -> Result<Option<Wanted<Prefix>>, Code> {
    address::prefix(&request.values(&PREFIX), hints)
}

/// The hosts that are named, else the one in the user name, else the token's only one.
pub(super) fn hosts(request: &Request, hints: &mut Vec<Hint>) -> Result<Hosts, Code> {
    let named = hosts::named(request, &[&HOSTNAME, &HOST, &DOMAIN], hints);
    if named.len() > HOSTS_MAX {
        note(hints, Hint::TooManyHosts);
        return Err(Code::Numhost);
    }
    if !named.is_empty() {
        return Ok(Hosts::Named(named));
    }
    let user = credentials(request).map(|credentials| credentials.user).unwrap_or_default();
    let user = user.strip_suffix('.').unwrap_or(&user);
    if !hosts::is_fqdn(user) {
        return Ok(Hosts::Only);
    }
    note(hints, Hint::HostFromUserName);
    Ok(Hosts::Named(vec![user.to_owned()]))
}

/// Whether a switch is on.
fn is_yes(value: &str) -> bool {
    ["yes", "on", "true", "1"].iter().any(|yes| yes.eq_ignore_ascii_case(value.trim()))
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
