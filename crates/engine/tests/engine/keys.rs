//! Keys: what their policy lets them do.

use account::policy::Denied;
use account::{Actions, Actor, Credential, KeyPolicy, NamePattern, TsigAlgorithm};
use engine::{NewKey, Operation, Outcome, Refused};
use wire::{Rdata, Rtype};
use zone::{Edit, Prerequisite};

use crate::rig::{Rig, address, change, name, replace, rrset, soa};

fn new_key(policy: KeyPolicy) -> NewKey {
    NewKey {
        name: name("k.one.test"),
        credential: Credential::Shared {
            algorithm: TsigAlgorithm::HmacSha256,
            secret: vec![7; 32],
        },
        zones: vec![name("one.test")],
        update: true,
        transfer: false,
        policy,
        truncated_ok: false,
    }
}

/// A zone with a few records, and a key.
fn rig(policy: KeyPolicy) -> Rig {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let alias = Edit::Replace {
        owner: name("alias.one.test"),
        rtype: Rtype::CNAME,
        rrset: rrset(Rdata::name(&name("old.test"))),
    };
    let edits = vec![replace("h.one.test", "9.9.9.1"), text("h.one.test"), alias];
    rig.done(change("one.test", Vec::new(), edits));
    rig.done(Operation::AddKey(new_key(policy)));
    rig
}

fn text(owner: &str) -> Edit {
    let rdata = Rdata::txt(&[b"text"]).unwrap();
    Edit::Add { owner: name(owner), rtype: Rtype::TXT, ttl_s: 60, rdata }
}

fn add(owner: &str, data: &str) -> Edit {
    Edit::Add { owner: name(owner), rtype: Rtype::A, ttl_s: 60, rdata: address(data) }
}

fn add_name(owner: &str, rtype: Rtype, target: &str) -> Edit {
    Edit::Add { owner: name(owner), rtype, ttl_s: 60, rdata: Rdata::name(&name(target)) }
}

fn delete_name(owner: &str) -> Edit {
    Edit::DeleteName { owner: name(owner) }
}

fn delete(owner: &str, rtype: Rtype) -> Edit {
    Edit::DeleteRrset { owner: name(owner), rtype }
}

/// What comes of a change by the key, in a zone of its own.
fn by_key(policy: &KeyPolicy, needs: &[Prerequisite], edits: &[Edit]) -> Result<(), Refused> {
    let mut rig = rig(policy.clone());
    let operation = change("one.test", needs.to_vec(), edits.to_vec());
    match rig.run(Actor::Key(name("K.one.test")), operation) {
        Outcome::Done { .. } | Outcome::Unchanged => Ok(()),
        Outcome::Refused(why) => Err(why),
        Outcome::Unavailable => panic!("nothing was lost"),
    }
}

fn denied(why: Denied) -> Result<(), Refused> {
    Err(Refused::Denied(why))
}

#[test]
fn a_key_changes_the_names_that_it_covers() {
    let policy = |patterns: &[&str]| KeyPolicy {
        names: patterns.iter().map(|text| NamePattern::parse(text).unwrap()).collect(),
        ..KeyPolicy::everything()
    };
    let uncovered = denied(Denied::NotCovered);
    let (host, below) = (policy(&["h.one.test"]), policy(&["*.one.test"]));
    for (policy, edits, expected) in [
        (&host, vec![replace("H.one.test", "9.9.9.2")], Ok(())),
        (
            &host,
            vec![replace("h.one.test", "9.9.9.2"), add("i.one.test", "9.9.9.2")],
            uncovered.clone(),
        ),
        (&host, vec![add("a.h.one.test", "9.9.9.2")], uncovered.clone()),
        (&policy(&["self"]), vec![add("k.one.test", "9.9.9.2")], Ok(())),
        (&policy(&["self-subtree"]), vec![text("_acme-challenge.k.one.test")], Ok(())),
        (&below, vec![add("i.one.test", "9.9.9.2")], Ok(())),
        // SOA and NS of the zone are for who covers its apex.
        (&below, vec![add_name("one.test", Rtype::NS, "evil.test")], uncovered.clone()),
        (&below, vec![soa_edit(101)], uncovered.clone()),
        (&below, vec![delete_name("one.test")], uncovered.clone()),
        (&policy(&["one.test"]), vec![add_name("one.test", Rtype::NS, "ns2.test")], Ok(())),
        (&policy(&["one.test"]), vec![soa_edit(101)], Ok(())),
        (&policy(&[]), vec![soa_edit(101), delete_name("h.one.test")], Ok(())),
    ] {
        assert_eq!(by_key(policy, &[], &edits), expected, "{policy:?} {edits:?}");
    }
}

fn soa_edit(serial: u32) -> Edit {
    Edit::Replace { owner: name("one.test"), rtype: Rtype::SOA, rrset: soa(serial, 60) }
}

#[test]
fn a_key_asks_about_the_names_that_it_covers() {
    let names = vec![NamePattern::Exact(name("h.one.test"))];
    // Of whatever type, and also where it may only delete.
    let policy =
        KeyPolicy { names, types: vec![Rtype::A], actions: Actions { add: false, delete: true } };
    let secret = |name| Prerequisite::RrsetEquals(name, Rtype::TXT, Vec::new());
    for (owner, expected) in [
        ("h.one.test", None),
        ("i.one.test", Some(Denied::NotCovered)),
        ("one.test", Some(Denied::NotCovered)),
    ] {
        let owner = name(owner);
        for need in [
            Prerequisite::NameInUse(owner.clone()),
            Prerequisite::NameNotInUse(owner.clone()),
            Prerequisite::RrsetExists(owner.clone(), Rtype::TXT),
            Prerequisite::RrsetDoesNotExist(owner.clone(), Rtype::TXT),
            secret(owner.clone()),
        ] {
            let found = by_key(&policy, std::slice::from_ref(&need), &[]);
            let was_denied = matches!(found, Err(Refused::Denied(_)));
            assert_eq!(was_denied, expected.is_some(), "{need:?} {found:?}");
        }
    }
}

#[test]
fn a_key_changes_the_types_that_it_may() {
    let policy = KeyPolicy { types: vec![Rtype::A, Rtype::AAAA], ..KeyPolicy::everything() };
    let wrong = denied(Denied::KeyType);
    for (edits, expected) in [
        (vec![replace("h.one.test", "9.9.9.2"), replace("h.one.test", "2a01::1")], Ok(())),
        (vec![text("h.one.test")], wrong.clone()),
        (vec![delete("h.one.test", Rtype::TXT)], wrong.clone()),
        // TXT is there; what goes within the change itself does not matter.
        (vec![delete_name("h.one.test")], wrong.clone()),
        (vec![delete_name("nothing.one.test")], Ok(())),
        (vec![add("new.one.test", "9.9.9.2"), delete_name("new.one.test")], Ok(())),
        // Of the apex nothing goes but what the key may take: SOA and NS stay.
        (vec![add("one.test", "9.9.9.2"), delete_name("one.test")], Ok(())),
    ] {
        assert_eq!(by_key(&policy, &[], &edits), expected, "{edits:?}");
    }
}

#[test]
fn a_key_that_may_only_add_takes_nothing_away() {
    let policy = KeyPolicy { actions: Actions::ADD, ..KeyPolicy::everything() };
    let wrong = denied(Denied::KeyAction("delete"));
    let soa_add = |serial| {
        let rdata = soa(serial, 60).rdata[0].clone();
        Edit::Add { owner: name("one.test"), rtype: Rtype::SOA, ttl_s: 60, rdata }
    };
    for (edits, expected) in [
        (vec![add("h.one.test", "9.9.9.2"), add("i.one.test", "9.9.9.2")], Ok(())),
        // The TTL of what is there changes, and no record goes.
        (
            vec![Edit::Add {
                owner: name("h.one.test"),
                rtype: Rtype::A,
                ttl_s: 9,
                rdata: address("9.9.9.1"),
            }],
            Ok(()),
        ),
        (vec![delete("h.one.test", Rtype::A)], wrong.clone()),
        (vec![delete_name("h.one.test")], wrong.clone()),
        (vec![replace("new.one.test", "9.9.9.2")], wrong.clone()),
        (vec![add_name("alias.one.test", Rtype::CNAME, "old.TEST")], Ok(())),
        (vec![add_name("alias.one.test", Rtype::CNAME, "new.test")], wrong.clone()),
        (vec![soa_add(1000)], wrong.clone()),
    ] {
        assert_eq!(by_key(&policy, &[], &edits), expected, "{edits:?}");
    }
}

#[test]
fn a_key_that_may_only_delete_adds_nothing() {
    let policy = KeyPolicy { actions: Actions::DELETE, ..KeyPolicy::everything() };
    let record = Edit::DeleteRecord {
        owner: name("h.one.test"),
        rtype: Rtype::A,
        rdata: address("9.9.9.1"),
    };
    for (edit, expected) in [
        (delete("h.one.test", Rtype::A), Ok(())),
        (delete_name("h.one.test"), Ok(())),
        (record, Ok(())),
        (add("h.one.test", "9.9.9.2"), denied(Denied::KeyAction("add"))),
        (replace("h.one.test", "9.9.9.1"), denied(Denied::KeyAction("add"))),
    ] {
        assert_eq!(by_key(&policy, &[], std::slice::from_ref(&edit)), expected, "{edit:?}");
    }
}

#[test]
fn a_policy_that_makes_no_sense_is_refused() {
    let good = || new_key(KeyPolicy::everything());
    let with = |policy| NewKey { policy, ..good() };
    let names = |text: &str| KeyPolicy {
        names: vec![NamePattern::parse(text).unwrap()],
        ..KeyPolicy::everything()
    };
    let types = |types| KeyPolicy { types, ..KeyPolicy::everything() };
    let nothing = Actions { add: false, delete: false };
    let idle = KeyPolicy { actions: nothing, ..KeyPolicy::everything() };
    let sig0 = || NewKey { credential: Credential::Sig0, ..good() };
    let elsewhere = || NewKey { name: name("elsewhere"), ..good() };
    let many = vec![NamePattern::SelfName; 101];
    for (why, key, is_good) in [
        ("good", good(), true),
        ("name", with(names("h.one.test")), true),
        ("apex", with(names("one.test")), true),
        ("name of no zone", with(names("h.two.test")), false),
        ("name above the zone", with(names("*.test")), false),
        ("too many names", with(KeyPolicy { names: many, ..KeyPolicy::everything() }), false),
        ("self in no zone", NewKey { policy: names("self"), ..elsewhere() }, false),
        ("meta type", with(types(vec![Rtype::A, Rtype::ANY])), false),
        ("too many types", with(types((256..400).map(Rtype).collect())), false),
        ("no action", with(idle.clone()), false),
        ("no action, but no update", NewKey { update: false, ..with(idle) }, true),
        ("sig0", sig0(), true),
        ("sig0 of no zone", NewKey { credential: Credential::Sig0, ..elsewhere() }, false),
        ("sig0 with a truncated MAC", NewKey { truncated_ok: true, ..sig0() }, false),
        ("truncated", NewKey { truncated_ok: true, ..good() }, true),
    ] {
        let mut rig = Rig::new();
        rig.add_zone("one.test");
        let outcome = rig.run(Actor::Operator, Operation::AddKey(key));
        assert_eq!(matches!(outcome, Outcome::Done { .. }), is_good, "{why}: {outcome:?}");
    }
    let rig = rig(types(vec![Rtype::TXT, Rtype::A, Rtype::TXT]));
    let kept = rig.live().directory().key(&name("k.one.test")).unwrap().policy.types.clone();
    assert_eq!(kept, [Rtype::A, Rtype::TXT]);
}
