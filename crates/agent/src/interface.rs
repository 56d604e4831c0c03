//! The interface source: which of the addresses that this machine holds should be published.
//!
//! Not a temporary address (RFC 8981: it changes every day on purpose), not a deprecated one
//! (RFC 4862 §5.5.4), not one that is not known to be unique yet. Of what is left, the one that came
//! last: after the provider has handed out a new prefix, the old one often stays valid for days
//! (RFC 8978). The lifetimes alone do not tell: every router advertisement renews them, so two
//! prefixes that are both alive would take turns.

use std::net::IpAddr;

use crate::address::{Addresses, Allowed, Family, Scope, scope};
use crate::observe::{Cause, Observed};

/// One address of one interface, as the kernel describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The address.
    pub address: IpAddr,
    /// The index of its interface.
    pub interface: u32,
    /// What the kernel marks about it.
    pub flags: HeldFlags,
    /// How long it may be used for new connections, in seconds; `u32::MAX`: for ever.
    pub preferred_s: u32,
    /// When it was added, in hundredths of a second since the machine started.
    pub added_cs: u32,
}

/// Marks of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldFlags {
    /// IPv6: a temporary address. IPv4: a further address of the same network.
    pub secondary: bool,
    /// Not for new connections.
    pub deprecated: bool,
    /// Being checked for duplicates.
    pub tentative: bool,
    /// Usable while it is being checked (RFC 4429).
    pub optimistic: bool,
    /// Somebody else has it.
    pub dadfailed: bool,
    /// Set by a person or program, without an end.
    pub permanent: bool,
}

/// By which interfaces to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where<'a> {
    /// At this one only: the configuration says so.
    Only(u32),
    /// At those with the best default route first, then at all.
    DefaultRoute(&'a [u32]),
}

/// Chooses the address of one family to publish.
pub fn choose(held: &[Held], place: Where<'_>, family: Family, allowed: Allowed) -> Observed {
    let own = |keep: &dyn Fn(&Held) -> bool| -> Vec<Held> {
        let of_family = held.iter().filter(|held| Family::of(held.address) == family);
        of_family.filter(|held| keep(held)).copied().collect()
    };
    let routes = match place {
        Where::Only(index) => return best(&own(&|held| held.interface == index), allowed),
        Where::DefaultRoute(routes) => routes,
    };
    let all = best(&own(&|_| true), allowed);
    if all == Observed::None {
        return Observed::None;
    }
    if routes.is_empty() {
        return Observed::Unknown(Cause::NoDefaultRoute);
    }
    let routed = best(&own(&|held| routes.contains(&held.interface)), allowed);
    match routed {
        // A router may hold no address of its own on the way out, but one on the inside.
        Observed::None => all,
        Observed::Known(_) | Observed::Unknown(_) => routed,
    }
}

/// The best of some addresses of one family.
fn best(held: &[Held], allowed: Allowed) -> Observed {
    let fit = |held: &&Held| allowed.admits(scope(held.address)) && is_stable(held);
    if let Some(chosen) = held.iter().filter(fit).max_by_key(|held| rank(held)) {
        return Observed::Known(Addresses::one(chosen.address));
    }
    let reachable = |held: &&Held| match scope(held.address) {
        Scope::Public | Scope::Private(_) => true,
        Scope::Loopback | Scope::LinkLocal | Scope::Unusable(_) => false,
    };
    let mut reachable = held.iter().filter(reachable).peekable();
    if reachable.peek().is_none() {
        return Observed::None;
    }
    let mut admitted = reachable.filter(|held| allowed.admits(scope(held.address))).peekable();
    Observed::Unknown(if admitted.peek().is_none() {
        Cause::OnlyPrivate
    } else if admitted.any(|held| held.flags.tentative && !held.flags.dadfailed) {
        Cause::Tentative
    } else {
        Cause::NoneFit
    })
}

fn is_stable(held: &Held) -> bool {
    let flags = held.flags;
    let temporary = flags.secondary && held.address.is_ipv6();
    let unsure = flags.tentative && !flags.optimistic;
    !temporary && !unsure && !flags.deprecated && !flags.dadfailed && held.preferred_s > 0
}

/// What makes one address better than another, the most important first. The last member makes the
/// choice the same every time.
fn rank(held: &Held) -> (bool, bool, u32, u32, std::cmp::Reverse<IpAddr>) {
    let primary = !held.flags.secondary;
    (
        primary,
        held.flags.permanent,
        held.added_cs,
        held.preferred_s,
        std::cmp::Reverse(held.address),
    )
}

#[cfg(test)]
mod tests;
