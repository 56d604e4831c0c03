//! dyndns2: the update language of Dyn, spoken by nearly every device, both ends.
//!
//! `GET /nic/update?hostname=a,b&myip=192.0.2.1,2001:db8::1` with Basic credentials; the answer is
//! one line per host, its first word the code. What the providers leave open or do differently is
//! settled here so that no device loses an address by accident:
//!
//! | in the request | meaning |
//! |---|---|
//! | an address | publish it; several of a family are published together |
//! | no address at all, or an empty one, or a placeholder such as `<ipaddr>` | the source address of the connection, for that family only |
//! | a family that is not mentioned | preserved |
//! | `auto`, `self` / `preserve` | the source address / preserved |
//! | `-`, `delete`, or `offline=YES` | deleted, and nothing else ever deletes |
//! | anything else | refused, nothing is changed |
//!
//! Dyn is said to have taken the source address instead of garbage. We refuse with `dnserr`: what a
//! device sends while it does not know its address must not publish the address of a proxy or of a
//! carrier's NAT. Of all codes `dnserr` is the one that clients read as "try again later" (inadyn
//! retries, ddclient waits 5 minutes), so the device recovers by itself; `notfqdn` or `badagent`
//! would stop some of them for good.
//!
//! `myip` and its kin take either family and lists; `myipv4`, `myipv6` and their kin one family.
//! Without a host name, a user name that is a domain name names the host (as deSEC and HE do);
//! without that too, the update is for the only host of the token.
//!
//! `parse` and `render` are the service's end, `request` and `interpret` the agent's.

mod address;
mod answer;
mod client;
mod parse;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use answer::{Profile, render, render_as};
pub use client::{Answer, interpret, request, retry_after_s};
pub use parse::{credentials, is_fqdn, parse};

use crate::{Hint, http};

/// Hosts in one request; with more the whole request is answered `numhost`.
pub const HOSTS_MAX: usize = 20;

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The names as sent, in order, without a final dot; at most [`HOSTS_MAX`]. A name for which
    /// [`is_fqdn`] is false gets `notfqdn` on its line while the others go on. Empty: the token's
    /// only host is meant, and `notfqdn` is the answer if it has several.
    pub hosts: Vec<String>,
    /// What to do with A.
    pub ipv4: Wanted<Ipv4Addr>,
    /// What to do with AAAA.
    pub ipv6: Wanted<Ipv6Addr>,
    /// What was odd about the meaning; the oddities of the HTTP request are in
    /// [`http::Request::hints`].
    pub hints: Vec<Hint>,
}

/// What a request wants of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted<A> {
    /// Leave what is there.
    Preserve,
    /// Publish the source address of the connection when it is of this family, else preserve.
    Source,
    /// Publish exactly these, at least one, without duplicates.
    Addresses(Vec<A>),
    /// Delete what is there.
    Delete,
}

/// A request that is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The one answer.
    pub code: Code,
    /// Why, for the owner.
    pub hints: Vec<Hint>,
}

/// The answer for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// Published: `good` and the addresses that the host has now.
    Good(Vec<IpAddr>),
    /// Nothing to change: `nochg` and the addresses that the host has.
    Nochg(Vec<IpAddr>),
    /// No or wrong credentials.
    Badauth,
    /// The host name is missing or not a domain name.
    Notfqdn,
    /// No such host, or not one of this token.
    Nohost,
    /// More than [`HOSTS_MAX`] hosts.
    Numhost,
    /// Blocked for abuse.
    Abuse,
    /// The address cannot be published; later it may.
    Dnserr,
    /// `911`: we cannot, for now.
    Unavailable,
    /// The program that asks is blocked.
    Badagent,
    /// `!donator`: not part of what the account may use.
    Donator,
}

/// Whether a path, normalised by [`http::Reader`], is one of dyndns2.
pub fn is_path(path: &str) -> bool {
    http::UPDATE_PATHS.contains(&path)
}
