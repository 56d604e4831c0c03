//! ipv64.net: `GET` or `POST` at `/update`, `/update.php` or `/nic/update`, with the token in one of
//! many places.
//!
//! From <https://ipv64.net/dyndns_updater_api>, read 2026-11-29: the token is `key`, `token`, `user`
//! or `username`, a bearer token, or either half of Basic; `praefix` is a label in front of the
//! domain (in its other interface too, as lego's source a0e15c2 has it), `ipv6prefix` a network,
//! `onlyprefix` keeps the addresses. The answers are not documented; OpenWrt's ddns-scripts (0521bb5,
//! 2026) take `good` and `nochg` for success, and qdm12's ddns-updater (4b18087, 2026) reads 401 as
//! a wrong token, so they are those of dyndns2.
//!
//! Without a domain, the token's only host is meant. `healthcheck` is not used.

use crate::address::{self, Mention};
use crate::ask::{Ask, Hosts, Refusal};
use crate::dyndns2::answer;
use crate::http::{Credentials, Request};
use crate::profile::{Path, Spoken};
use crate::{Code, Hint, asker, hosts};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[Path::Exact(PATH), Path::Exact("/update.php"), Path::Loose("/nic/update")],
    is_meant,
    credentials,
    parse,
    render: answer::render,
    is_family: false,
};

/// At the path that all share, only what nobody else has; at `/update` whatever looks like an
/// update, as nobody else is left.
fn is_meant(request: &Request) -> bool {
    if request.path == "/nic/update" {
        return request.has(&PECULIAR);
    }
    request.credentials.is_some() || !request.parameters.is_empty()
}

fn credentials(request: &Request) -> Option<Credentials> {
    for group in [["key", "token", "secret"], ["user", "username", "password"]] {
        if let Some(password) = request.parameter(&group) {
            return Some(Credentials { user: String::new(), password: password.to_owned() });
        }
    }
    request.credentials.as_ref().map(asker::longer_half)
}

fn parse(request: &Request) -> Result<Ask, Refusal> {
    Ask::read(request, ask)
}

fn ask(request: &Request, hints: &mut Vec<Hint>) -> Result<Ask, Code> {
    let groups: [&[&str]; 3] = [&["domain", "domains"], &["hostname"], &["host"]];
    let mut named = hosts::named(request, &groups, hints);
    hosts::few(&named, hints)?;
    if let Some(label) = request.parameter(&["praefix"]) {
        if named.is_empty() {
            return Err(Code::Notfqdn);
        }
        named = named.into_iter().map(|domain| format!("{label}.{domain}")).collect();
    }
    let mut ask = Ask::of(if named.is_empty() { Hosts::Only } else { Hosts::Named(named) });
    ask.prefix = address::prefix(&request.values(&["ipv6prefix", "ip6lanprefix"]), hints)?;
    if ask.prefix.is_some() && request.has(&["onlyprefix"]) {
        return Ok(ask);
    }
    let mention = Mention::parse(
        &request.values(&["ip", "myip", "addr"]),
        &request.values(&["ipv4", "ip4", "myip4"]),
        &request.values(&["ip6", "ipv6", "myip6", "myipv6"]),
        hints,
    )?;
    (ask.ipv4, ask.ipv6) = (mention.ipv4(), mention.ipv6());
    Ok(ask)
}

const PATH: &str = "/update";
/// Parameters that no other member of the dyndns2 family knows.
const PECULIAR: [&str; 3] = ["praefix", "onlyprefix", "healthcheck"];

#[cfg(test)]
mod tests;
