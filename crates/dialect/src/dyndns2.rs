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
//! | a prefix (`ip6lanprefix`) | for the hosts behind; alone it changes no address of this one |
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
//! [`request`] and [`interpret`] are the agent's end; the service's is `Profile::Dyndns2`.

pub(crate) mod answer;
mod client;
pub(crate) mod parse;

#[cfg(test)]
mod tests;

pub use client::{Answer, interpret, request, retry_after_s};

use crate::ask::Hosts;
use crate::http::Request;
use crate::profile::{Path, Spoken};

/// How it is spoken.
pub(crate) const SPOKEN: Spoken = Spoken {
    paths: &[
        Path::Loose("/nic/update"),
        Path::Loose("/v3/update"),
        Path::Loose("/v2/update"),
        Path::Exact("/"),
    ],
    is_meant,
    credentials: parse::credentials,
    parse: parse::parse,
    render: answer::render,
    is_family: true,
};

/// The hosts that a request of the family names, as far as that can be told before it is known which
/// member it is in.
pub fn hosts(request: &Request) -> Hosts {
    parse::hosts(request, &mut Vec::new()).unwrap_or(Hosts::Only)
}

/// At a path of dyndns2 everything. At the root, where deSEC takes updates, what has a parameter of
/// an update, or credentials that no browser has added.
fn is_meant(request: &Request) -> bool {
    if request.path != "/" || request.has(&AT_ROOT) {
        return true;
    }
    let is_page = request.header("Accept").is_some_and(|accept| accept.contains("text/html"));
    request.credentials.is_some() && !is_page
}

/// What a browser that looks at the root never sends.
const AT_ROOT: [&str; 4] = ["hostname", "myip", "myipv4", "myipv6"];
