//! The echo source: a server that says from which address it was asked.

use std::net::IpAddr;

use serde_json::Value;

use crate::address::{Addresses, Allowed, Family, Scope, scope, unmapped};
use crate::http::{Failure, Http, Reply};
use crate::observe::{Cause, Observed};
use crate::server::Server;

/// Asks the echo at `url` over one family. `http` has to be a client for that family.
///
/// An echo never says [`Observed::None`]: that it cannot be reached over a family does not mean
/// that there is no address.
pub fn ask(http: &Http, url: &str, family: Family, allowed: Allowed) -> Observed {
    let read = match http.fetch(url, None) {
        Ok(reply) => read(&reply, family, allowed_at(url, allowed)),
        Err(Failure::Unreachable(why)) => Err(Cause::Unreachable(why)),
        Err(Failure::Unconfirmed(why)) => Err(Cause::NoAnswer(why)),
    };
    read.map_or_else(Observed::Unknown, |address| Observed::Known(Addresses::one(address)))
}

/// The address in the answer of an echo: the whole body as text, or JSON with one of the usual
/// keys ([`KEYS`]).
///
/// # Errors
/// A [`Cause`] for everything that is not an address of this family and of an allowed scope.
pub fn read(reply: &Reply, family: Family, allowed: Allowed) -> Result<IpAddr, Cause> {
    match reply.status {
        200 => {}
        300..=399 => {
            let location = reply.location.as_deref().unwrap_or("nowhere");
            return Err(Cause::Redirected(excerpt(location)));
        }
        status => return Err(Cause::Status(status)),
    }
    let text = reply.body.trim();
    let address = address_in(text, family)
        .ok_or_else(|| if text.starts_with('<') { Cause::WebPage } else { Cause::NotAnAddress })?;
    let address = unmapped(address);
    if Family::of(address) != family {
        return Err(Cause::OtherFamily(address));
    }
    match scope(address) {
        scope if allowed.admits(scope) => Ok(address),
        Scope::Private(name) | Scope::Unusable(name) => Err(Cause::NotPublic(address, name)),
        Scope::Loopback => Err(Cause::NotPublic(address, "loopback")),
        Scope::LinkLocal => Err(Cause::NotPublic(address, "link-local")),
        Scope::Public => Ok(address),
    }
}

/// An echo on this machine sees a loopback address, and nobody else can have put it there.
fn allowed_at(url: &str, allowed: Allowed) -> Allowed {
    let loopback = server_of(url).is_some_and(|server| server.is_loopback());
    Allowed { loopback, ..allowed }
}

/// Who answers at the URL of an echo.
pub fn server_of(url: &str) -> Option<Server> {
    let (base, _) = url.split_once('?').unwrap_or((url, ""));
    Server::parse(base).ok()
}

fn address_in(text: &str, family: Family) -> Option<IpAddr> {
    if !text.starts_with(['{', '"']) {
        return text.parse().ok();
    }
    match serde_json::from_str(text).ok()? {
        Value::String(text) => text.trim().parse().ok(),
        Value::Object(members) => {
            let own = match family {
                Family::V4 => "ipv4",
                Family::V6 => "ipv6",
            };
            let keys = std::iter::once(&own).chain(KEYS);
            let mut texts = keys.filter_map(|key| members.get(*key)?.as_str());
            texts.find_map(|text| text.trim().parse().ok())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// A stranger's text, short enough for a line and without control characters.
fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(EXCERPT_CHARS).collect()
}

/// Under these keys echo services put the address into JSON.
pub const KEYS: &[&str] = &["ip", "address", "ip_address", "ip_addr", "query", "origin"];

const EXCERPT_CHARS: usize = 100;

#[cfg(test)]
mod tests;
