//! Whom an event is about: what its history is looked up by.

use account::{AccountId, Entity};
use wire::Name;

use crate::event::{EventBody, Fact};

/// Number of somebody or something that has a history. Two may share one, so whoever finds an event
/// by it has to look at what the event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The number. It stands in indexes: how it is made never changes.
    pub number: u32,
    /// Of a zone or an account: in busy ones nearly every event is about it.
    pub is_broad: bool,
}

impl Subject {
    /// A name, with what hangs below it by labels that begin with `_`, or by a wildcard.
    pub fn name(name: &Name) -> Subject {
        Subject { number: number(b'n', bearer(name)), is_broad: false }
    }

    /// A zone.
    pub fn zone(apex: &Name) -> Subject {
        Subject { number: number(b'z', apex.as_wire()), is_broad: true }
    }

    /// An account.
    pub fn account(id: AccountId) -> Subject {
        Subject { number: number(b'a', &id.0.to_be_bytes()), is_broad: true }
    }
}

/// Whether a name is another one or hangs below it by labels that begin with `_`, or by a wildcard:
/// `_acme-challenge.nas.example` belongs to `nas.example`.
pub fn belongs(owner: &Name, to: &Name) -> bool {
    let Some(below) = owner.strip_suffix(to) else { return false };
    let mut rest = below;
    while let Some((&length, octets)) = rest.split_first() {
        let Some((label, after)) = octets.split_at_checked(usize::from(length)) else {
            return false;
        };
        if !hangs(label) {
            return false;
        }
        rest = after;
    }
    true
}

/// Hands out whom an event is about; somebody may come more than once. Leases that go on, hosts that
/// were seen and tokens that were used change nothing that is served, and are about nobody.
pub fn subjects(body: &EventBody, note: &mut impl FnMut(Subject)) {
    for fact in &body.facts {
        match fact {
            Fact::Changed { zone, deltas, .. } => {
                note(Subject::zone(zone));
                deltas.iter().for_each(|delta| note(Subject::name(&delta.owner)));
            }
            Fact::Entity { before, after } => {
                let sides = before.iter().chain(after);
                sides.for_each(|entity| entity_subjects(entity, note));
            }
            Fact::ZoneDropped { zone } | Fact::Imported { zone, .. } => note(Subject::zone(zone)),
            Fact::Staged { .. }
            | Fact::ImportDropped { .. }
            | Fact::Seen { .. }
            | Fact::Used { .. }
            | Fact::Leased { .. } => {}
        }
    }
}

fn entity_subjects(entity: &Entity, note: &mut impl FnMut(Subject)) {
    match entity {
        Entity::Account(account) => note(Subject::account(account.id)),
        Entity::Zone(zone) => {
            note(Subject::zone(&zone.apex));
            note(Subject::account(zone.account));
        }
        Entity::Host(host) => {
            note(Subject::name(&host.name));
            note(Subject::zone(&host.zone));
            note(Subject::account(host.account));
        }
        Entity::Token(token) => {
            note(Subject::account(token.account));
            token.names().for_each(|name| note(Subject::name(name)));
        }
        Entity::Released(released) => {
            note(Subject::name(&released.name));
            note(Subject::zone(&released.zone));
            note(Subject::account(released.account));
        }
        Entity::Webhook(webhook) => note(Subject::account(webhook.account)),
        Entity::Key(key) => key.zones.iter().for_each(|zone| note(Subject::zone(zone))),
    }
}

/// The name that an owner hangs below, in wire form.
fn bearer(owner: &Name) -> &[u8] {
    let mut rest = owner.as_wire();
    for label in owner.labels() {
        if !hangs(label) {
            break;
        }
        rest = rest.get(1 + label.len()..).unwrap_or_default();
    }
    rest
}

fn hangs(label: &[u8]) -> bool {
    label.first() == Some(&b'_') || label == b"*"
}

/// FNV-1a of the kind and the octets in lower case, both halves in one: short, and the same for
/// ever. Who makes names that share a number makes only his own history slow to read.
fn number(kind: u8, octets: &[u8]) -> u32 {
    let mut hash = (FNV_OFFSET ^ u64::from(kind)).wrapping_mul(FNV_PRIME);
    for octet in octets {
        hash = (hash ^ u64::from(octet.to_ascii_lowercase())).wrapping_mul(FNV_PRIME);
    }
    ((hash >> 32) ^ (hash & u64::from(u32::MAX))) as u32
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn what_hangs_below_a_name_belongs_to_it() {
        for (owner, to, belonging) in [
            ("nas.example", "nas.example", true),
            ("NAS.Example", "nas.example", true),
            ("_acme-challenge.nas.example", "nas.example", true),
            ("_443._tcp.nas.example", "nas.example", true),
            ("*.nas.example", "nas.example", true),
            ("_dmarc.*.nas.example", "nas.example", true),
            ("www.nas.example", "nas.example", false),
            ("_http.www.nas.example", "nas.example", false),
            ("nas.example", "_acme-challenge.nas.example", false),
            ("other.example", "nas.example", false),
        ] {
            assert_eq!(belongs(&name(owner), &name(to)), belonging, "{owner} of {to}");
            let same = Subject::name(&name(owner)) == Subject::name(&name(to));
            assert!(same || !belonging, "{owner} of {to}");
        }
    }

    /// They stand on disks.
    #[test]
    fn numbers_never_change() {
        assert_eq!(Subject::name(&name("nas.example")).number, 0x999f_fe0a);
        assert_eq!(Subject::zone(&name("example")).number, 0xc669_501b);
        assert_eq!(Subject::account(AccountId(7)).number, 0x9cb7_23d6);
    }
}
