//! One update of one host at its service, in dyndns2.

use std::net::IpAddr;

use dialect::dyndns2;

use crate::address::Family;
use crate::desired::Want;
use crate::http::{Failure, Http, Reply};
use crate::outcome::{self, Outcome, Pausing};
use crate::plan::Update;
use crate::secret::Token;
use crate::server::Server;

/// Where and as whom to publish.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The service.
    pub server: &'a Server,
    /// The host, as the service knows it; it is the user name as well.
    pub host: &'a str,
    /// The token of the host.
    pub token: &'a Token,
}

/// Sends an update and says what came of it.
pub fn publish(http: &Http, account: Account<'_>, update: &Update) -> Outcome {
    send(http, account, &path(account.host, update))
}

/// Sends addresses as they are; without any, the service takes the one that it is asked from.
pub fn publish_addresses(http: &Http, account: Account<'_>, addresses: &[IpAddr]) -> Outcome {
    send(http, account, &dyndns2::request(&[account.host], addresses))
}

fn send(http: &Http, account: Account<'_>, path: &str) -> Outcome {
    match http.fetch(&account.server.url(path), Some((account.host, account.token))) {
        Ok(reply) => read(&reply),
        Err(Failure::Unreachable(why)) => Outcome::Paused(Pausing::Unreachable(why)),
        Err(Failure::Unconfirmed(why)) => Outcome::Paused(Pausing::Unconfirmed(why)),
    }
}

fn read(reply: &Reply) -> Outcome {
    let answers = dyndns2::interpret(reply.status, &reply.body, 1);
    match answers.first() {
        Some(answer) => outcome::outcome(answer, reply.retry_after_s),
        None => Outcome::Paused(Pausing::Unconfirmed("an empty answer".to_owned())),
    }
}

/// The path of an update. A family that is to be kept is not mentioned; the service preserves it.
fn path(host: &str, update: &Update) -> String {
    let mut addresses = Vec::new();
    let mut removals = String::new();
    for family in Family::BOTH {
        match update.of(family) {
            Want::Keep => {}
            Want::Hold(own) => addresses.extend_from_slice(own.as_slice()),
            Want::Remove => removals.push_str(removal(family)),
        }
    }
    dyndns2::request(&[host], &addresses) + &removals
}

fn removal(family: Family) -> &'static str {
    match family {
        Family::V4 => "&ipv4=delete",
        Family::V6 => "&ipv6=delete",
    }
}

#[cfg(test)]
mod tests;
