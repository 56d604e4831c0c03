//! Changes that ask for what is visible already, told without the writer. That what is said to stand
//! is "no change" to the engine is checked by the rig, in every test.

use account::{AccountId, Actor, Entity, HostExpiry, OnExpiry};
use engine::{Lease, Operation, Outcome};
use store::Item;
use wire::{Rdata, Rrset, Rtype};
use zone::{Change, Edit};

use crate::rig::{Rig, address, change, name, replace, rrset, set};

const ZONE: &str = "one.test";
const HOST: &str = "h.one.test";

/// A host with an address, and its token.
fn rig() -> (Rig, Actor) {
    let mut rig = Rig::new();
    rig.add_zone(ZONE);
    let token = rig.add_host(HOST, 1);
    rig.run(token.clone(), set(ZONE, HOST, "9.9.9.1"));
    (rig, token)
}

fn stands(rig: &Rig, actor: &Actor, operation: &Operation) -> bool {
    rig.live().stands(actor, operation, rig.now)
}

fn edits(edits: Vec<Edit>) -> Operation {
    change(ZONE, Vec::new(), edits)
}

fn gone(rtype: Rtype) -> Edit {
    Edit::DeleteRrset { owner: name(HOST), rtype }
}

#[test]
fn a_change_stands_when_all_that_it_asks_for_is_visible() {
    let (mut rig, token) = rig();
    let two = |first: &str, second: &str| Rrset {
        ttl_s: 60,
        rdata: vec![address(first), address(second)],
    };
    let both = |rrset| edits(vec![Edit::Replace { owner: name(HOST), rtype: Rtype::A, rrset }]);
    for (operation, expected) in [
        (set(ZONE, HOST, "9.9.9.1"), true),
        (set(ZONE, "H.One.TEST", "9.9.9.1"), true),
        (set(ZONE, HOST, "9.9.9.2"), false),
        (set(ZONE, HOST, "2620:fe::1"), false),
        (both(two("9.9.9.1", "9.9.9.2")), false),
        (both(Rrset { ttl_s: 61, ..rrset(address("9.9.9.1")) }), false),
        (edits(vec![gone(Rtype::AAAA)]), true),
        (edits(vec![gone(Rtype::A)]), false),
        (edits(vec![replace(HOST, "9.9.9.1"), gone(Rtype::AAAA)]), true),
        (edits(vec![replace(HOST, "9.9.9.1"), replace(HOST, "2620:fe::1")]), false),
        (set("none.test", "h.none.test", "9.9.9.1"), false),
    ] {
        assert_eq!(stands(&rig, &token, &operation), expected, "{operation:?}");
    }
    rig.run(token.clone(), both(two("9.9.9.1", "9.9.9.2")));
    assert!(stands(&rig, &token, &both(two("9.9.9.2", "9.9.9.1"))), "in any order");
    assert!(!stands(&rig, &token, &both(two("9.9.9.1", "9.9.9.1"))), "one is missing");
}

#[test]
fn what_is_under_way_does_not_stand_and_what_it_replaces_does() {
    let (mut rig, token) = rig();
    let (old, new) = (set(ZONE, HOST, "9.9.9.1"), set(ZONE, HOST, "9.9.9.2"));
    rig.push(token.clone(), new.clone());
    rig.step();
    // Nobody has been told of the new address, so who is told of the old one came before it.
    assert!(stands(&rig, &token, &old));
    assert!(!stands(&rig, &token, &new), "it may be lost");
    rig.not_written();
    assert!(!stands(&rig, &token, &new));
    rig.run(token.clone(), new.clone());
    assert!(stands(&rig, &token, &new));
    assert!(!stands(&rig, &token, &old));
}

#[test]
fn nothing_stands_for_who_may_not_ask_for_it() {
    let (mut rig, token) = rig();
    let other = rig.add_host("other.one.test", 2);
    let same = set(ZONE, HOST, "9.9.9.1");
    assert!(!stands(&rig, &other, &same), "of another host");
    // Who reaches a delegation is not told our address.
    let owner = name(HOST);
    let rdata = Rdata::name(&name("ns.elsewhere.test"));
    let cut = edits(vec![Edit::Add { owner, rtype: Rtype::NS, ttl_s: 60, rdata }]);
    rig.run(Actor::Operator, cut);
    assert!(!stands(&rig, &token, &same), "below a delegation");
    rig.run(Actor::Operator, edits(vec![gone(Rtype::NS)]));
    assert!(stands(&rig, &token, &same));
    rig.done(Operation::Lockdown(AccountId(0)));
    assert!(!stands(&rig, &token, &same), "locked down");
}

#[test]
fn what_ends_a_lease_does_not_stand() {
    let (mut rig, token) = rig();
    let owner = name(HOST);
    let rdata = address("2620:fe::1");
    let change =
        Change::new(name(ZONE), vec![Edit::Add { owner, rtype: Rtype::AAAA, ttl_s: 60, rdata }]);
    let lease = Some(Lease { lease_s: 3600, key_lease_s: None });
    let leased = Operation::Change { change, lease };
    rig.run(Actor::Operator, leased.clone());
    let same = set(ZONE, HOST, "2620:fe::1");
    assert!(!stands(&rig, &token, &same), "it shall stay for ever from now on");
    assert!(!stands(&rig, &Actor::Operator, &leased), "leases are the engine's");
    assert!(matches!(rig.run(token.clone(), same.clone()), Outcome::Done { .. }));
    assert!(stands(&rig, &token, &same));
}

/// Whether a host has been heard of in time is decided in one line with its expiry.
#[test]
fn nothing_stands_for_a_host_that_can_expire() {
    let (mut rig, token) = rig();
    let same = set(ZONE, HOST, "9.9.9.1");
    let host = rig.live().directory().host(&name(HOST)).cloned().unwrap();
    let mut expiring = host.clone();
    expiring.expiry = Some(Box::new(HostExpiry { after_s: 60, then: OnExpiry::Withdraw }));
    let mut parked = host.clone();
    parked.parked = Some(rig.now);
    for (host, expected) in [(expiring, false), (parked, false), (host, true)] {
        rig.engine.load(Item::Entity(Entity::Host(host)));
        assert_eq!(stands(&rig, &token, &same), expected);
    }
}
