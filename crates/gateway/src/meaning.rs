//! What a request means, once it is known who asks: the dialect that its hosts were set to.

use account::{Directory, Host, TokenActor};
use dialect::http::Request;
use dialect::{Ask, Hint, Hosts, Profile, Refusal, dyndns2};
use wire::Name;

/// Reads a request: in the dialect that was detected, or of the dyndns2 family in that which all its
/// hosts were set to. What decides whether something is deleted is never taken from one host for
/// another.
pub(crate) fn read(
    directory: &Directory,
    actor: &TokenActor,
    request: &Request,
    detected: Profile,
) -> (Profile, Result<Ask, Refusal>) {
    if detected != Profile::Dyndns2 {
        return (detected, detected.parse(request));
    }
    let chosen = match choice(directory, actor, &dyndns2::hosts(request)) {
        Choice::None => return (detected, detected.parse(request)),
        Choice::Several => return (detected, with_hint(detected.parse(request))),
        Choice::One(chosen) => chosen,
    };
    let parsed = chosen.parse(request);
    // It may look for its hosts elsewhere than the others do, and find another one.
    let is_theirs = match &parsed {
        Ok(ask) => choice(directory, actor, &ask.hosts) == Choice::One(chosen),
        Err(_) => true,
    };
    if is_theirs { (chosen, parsed) } else { (detected, with_hint(detected.parse(request))) }
}

/// What hosts were set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// None of them to anything.
    None,
    /// All to this one.
    One(Profile),
    /// Each to something else, or some to nothing.
    Several,
}

/// What those hosts were set to of which the actor's account is the owner; others will not be changed.
fn choice(directory: &Directory, actor: &TokenActor, hosts: &Hosts) -> Choice {
    let of = |name: &Name| directory.host(name).filter(|host| host.account == actor.account());
    let named: Vec<&Host> = match hosts {
        Hosts::Named(names) | Hosts::Labels(names) => {
            let names = names.iter().filter_map(|name| Name::parse(name).ok());
            names.filter_map(|name| of(&name.to_lowercase())).collect()
        }
        Hosts::Group | Hosts::Only => Vec::new(),
    };
    // What is no name of a host may still be one of a group.
    if named.is_empty() { agreed(actor.hosts().iter().filter_map(of)) } else { agreed(named) }
}

fn agreed<'d>(hosts: impl IntoIterator<Item = &'d Host>) -> Choice {
    let mut hosts = hosts.into_iter();
    let chosen = |host: &Host| {
        host.dialect.and_then(Profile::from_number).filter(|profile| profile.is_choice())
    };
    let Some(first) = hosts.next().map(chosen) else { return Choice::None };
    if hosts.any(|host| chosen(host) != first) {
        return Choice::Several;
    }
    first.map_or(Choice::None, Choice::One)
}

fn with_hint(parsed: Result<Ask, Refusal>) -> Result<Ask, Refusal> {
    match parsed {
        Ok(mut ask) => {
            ask.hints.push(Hint::SeveralDialects);
            Ok(ask)
        }
        Err(mut refusal) => {
            refusal.hints.push(Hint::SeveralDialects);
            Err(refusal)
        }
    }
}

#[cfg(test)]
mod tests;
