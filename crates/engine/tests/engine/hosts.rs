//! Which names may become hosts, what goes with them, and when they were last seen.

use account::{AccountId, Actor, Timestamp};
use engine::{HostPatch, Operation, Outcome, Refused};
use wire::{Rdata, Rtype};
use zone::{Edit, View};

use crate::rig::{Rig, change, name, new_host, new_token, new_zone, replace, rrset, set};

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done { .. })
}

/// Adds one record.
fn put(zone: &str, owner: &str, rtype: Rtype, rdata: Rdata) -> Operation {
    let edit = Edit::Replace { owner: name(owner), rtype, rrset: rrset(rdata) };
    change(zone, Vec::new(), vec![edit])
}

#[test]
fn a_stranger_claims_free_host_names_only() {
    let mut rig = Rig::new();
    rig.done(Operation::AddZone(new_zone("dyn.test", true)));
    rig.add_zone("own.test");
    rig.done(set("dyn.test", "ns1.dyn.test", "9.9.9.9"));
    let carol = rig.done(Operation::AddAccount("carol".to_owned()));
    let dave = rig.done(Operation::AddAccount("dave".to_owned()));
    rig.done(new_host("dave.dyn.test", dave, 1));
    rig.done(new_host("deep.er.dyn.test", dave, 2));
    for (host, allowed) in [
        ("nas.dyn.test", true),
        ("NAS-2.dyn.test", true),
        ("a.b.dyn.test", true),
        ("dyn.test", false),
        ("ns1.dyn.test", false),
        ("*.dyn.test", false),
        ("_acme-challenge.dyn.test", false),
        ("_acme-challenge.nas.dyn.test", false),
        ("-x.dyn.test", false),
        ("x-.dyn.test", false),
        ("a\\032b.dyn.test", false),
        ("dave.dyn.test", false),
        ("x.dave.dyn.test", false),
        ("er.dyn.test", false),
        ("nas.own.test", false),
        ("nas.elsewhere.test", false),
    ] {
        let outcome = rig.run(Actor::Operator, new_host(host, carol, 9));
        assert_eq!(is_done(&outcome), allowed, "{host}: {outcome:?}");
        if allowed {
            rig.done(Operation::RemoveHost(name(host)));
        }
    }
}

#[test]
fn an_owner_makes_any_name_of_the_zone_a_host_where_it_is_answered() {
    let mut rig = Rig::new();
    rig.add_zone("own.test");
    rig.done(set("own.test", "taken.own.test", "9.9.9.9"));
    let target = || Rdata::name(&name("elsewhere.test"));
    rig.done(put("own.test", "alias.own.test", Rtype::CNAME, target()));
    rig.done(put("own.test", "cut.own.test", Rtype::NS, target()));
    rig.done(put("own.test", "moved.own.test", Rtype::DNAME, target()));
    for (n, (host, allowed)) in (1..).zip([
        ("own.test", true),
        ("*.own.test", true),
        ("_x.own.test", true),
        ("taken.own.test", true),
        ("moved.own.test", true),
        ("alias.own.test", false),
        ("cut.own.test", false),
        ("x.cut.own.test", false),
        ("x.y.moved.own.test", false),
    ]) {
        let outcome = rig.run(Actor::Operator, new_host(host, 0, n));
        assert_eq!(is_done(&outcome), allowed, "{host}: {outcome:?}");
        if allowed {
            let update = rig.run(rig.token(n), set("own.test", host, &format!("9.9.9.{n}")));
            assert!(is_done(&update), "{host}: {update:?}");
        }
    }
}

#[test]
fn a_removed_host_leaves_neither_addresses_nor_power() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let sole = rig.add_host("a.one.test", 1);
    rig.add_host("b.one.test", 2);
    let hosts = vec![name("a.one.test"), name("b.one.test")];
    rig.done(Operation::AddToken { hosts, account: None, token: new_token(3) });
    let both = rig.token(3);
    rig.done(set("one.test", "a.one.test", "9.9.9.1"));
    let text = Rdata::txt(&[b"stays"]).unwrap();
    rig.done(put("one.test", "a.one.test", Rtype::TXT, text));
    rig.done(Operation::RemoveHost(name("A.one.test")));
    assert!(rig.addresses("one.test", "a.one.test").is_empty());
    let zone = rig.live().zones().get(&name("one.test")).unwrap();
    assert_eq!(zone.types(&name("a.one.test")), [Rtype::TXT], "only addresses go");
    assert!(rig.try_token(1).is_err());
    assert_eq!(rig.try_token(3).unwrap().hosts(), [name("b.one.test")]);
    // Claimed again at the same moment: neither old token covers it, not even an actor from before.
    rig.add_host("a.one.test", 4);
    for actor in [sole, both.clone(), rig.token(3)] {
        let outcome = rig.run(actor, set("one.test", "a.one.test", "9.9.9.2"));
        assert!(matches!(outcome, Outcome::Refused(Refused::Denied(_))), "{outcome:?}");
    }
    assert!(is_done(&rig.run(both, set("one.test", "b.one.test", "9.9.9.2"))));
}

#[test]
fn a_host_that_went_with_its_zone_leaves_no_power_over_the_next_one() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    rig.add_zone("two.test");
    rig.add_host("a.one.test", 1);
    rig.add_host("b.two.test", 2);
    let hosts = vec![name("a.one.test"), name("b.two.test")];
    rig.done(Operation::AddToken { hosts, account: None, token: new_token(3) });
    rig.done(Operation::RemoveZone(name("one.test")));
    rig.add_zone("one.test");
    rig.add_host("a.one.test", 4);
    let outcome = rig.run(rig.token(3), set("one.test", "a.one.test", "9.9.9.1"));
    assert!(matches!(outcome, Outcome::Refused(Refused::Denied(_))), "{outcome:?}");
    assert!(rig.try_token(1).is_err());
    let own = rig.run(rig.token(4), set("one.test", "a.one.test", "9.9.9.1"));
    assert!(is_done(&own));
    assert_eq!(rig.live().directory().tokens_of(&name("a.one.test")).count(), 1);
}

#[test]
fn a_policy_is_kept_in_its_limits() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    rig.add_host("a.one.test", 1);
    let patch = |ttl_s, private_ok| Operation::SetHost {
        name: name("a.one.test"),
        policy: HostPatch { ttl_s, private_ok, ..HostPatch::default() },
    };
    assert!(is_done(&rig.run(Actor::Operator, patch(Some(Some(0)), Some(true)))));
    assert_eq!(rig.run(Actor::Operator, patch(Some(Some(0)), None)), Outcome::Unchanged);
    assert!(matches!(
        rig.run(Actor::Operator, patch(Some(Some(86_401)), None)),
        Outcome::Refused(Refused::Invalid(_))
    ));
    assert!(is_done(&rig.run(Actor::Operator, patch(Some(None), None))));
    let directory = rig.live().directory();
    let host = directory.host(&name("a.one.test")).unwrap();
    assert_eq!((host.ttl_s, host.private_ok), (None, true));
}

#[test]
fn what_was_last_seen_is_not_lost_with_a_batch() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    rig.add_host("a.one.test", 1);
    let host = name("a.one.test");
    rig.live().touch(&host, Timestamp(2_000_000));
    rig.push(Actor::System, Operation::FlushSeen);
    rig.step();
    rig.not_written();
    assert_eq!(rig.live().last_seen(&host), Some(Timestamp(2_000_000)));
    assert_eq!(rig.live().flushes_due(), 1, "it is still to be written");
    rig.push(Actor::System, Operation::FlushSeen);
    rig.step();
    // Seen again while the write is under way: that is not forgotten with it.
    rig.live().touch(&host, Timestamp(3_000_000));
    rig.durable();
    assert_eq!(rig.live().last_seen(&host), Some(Timestamp(3_000_000)));
    assert_eq!(rig.rebuilt(None).live().last_seen(&host), Some(Timestamp(2_000_000)));
    assert!(is_done(&rig.run(Actor::System, Operation::FlushSeen)));
    assert_eq!(rig.run(Actor::System, Operation::FlushSeen), Outcome::Unchanged);
    rig.crash();
    assert_eq!(rig.live().last_seen(&host), Some(Timestamp(3_000_000)));
}

#[test]
fn only_hosts_are_seen_and_a_new_host_was_never_seen() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let host = name("a.one.test");
    rig.live().touch(&host, Timestamp(2_000_000));
    assert_eq!(rig.live().flushes_due(), 0, "no such host");
    rig.add_host("a.one.test", 1);
    // A door's clock may be behind the moments of events.
    rig.live().touch(&host, Timestamp(5));
    assert_eq!(rig.live().last_seen(&host), Some(Timestamp(5)));
    rig.live().touch(&host, Timestamp(2_000_000));
    rig.live().touch(&host, Timestamp(1_500_000));
    assert_eq!(rig.live().last_seen(&host), Some(Timestamp(2_000_000)), "it never goes back");
    rig.done(Operation::RemoveHost(host.clone()));
    rig.now = Timestamp(4_000_000);
    rig.add_host("a.one.test", 2);
    assert_eq!(rig.live().last_seen(&host), None, "that was another host");
    assert_eq!(rig.run(Actor::System, Operation::FlushSeen), Outcome::Unchanged);
    assert_eq!(rig.live().flushes_due(), 0);
}

#[test]
fn hosts_seen_are_written_in_parts_until_none_is_left() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let entities = (0..20_001_u32).map(|n| {
        let name = name(&format!("h{n}.one.test"));
        let zone = self::name("one.test");
        let host = account::Host::new(name, zone, AccountId(0), Timestamp(0));
        store::Item::Entity(account::Entity::Host(host))
    });
    let entities: Vec<_> = entities.collect();
    for item in entities.clone() {
        rig.engine.load(item);
    }
    for item in entities {
        let store::Item::Entity(account::Entity::Host(host)) = item else { continue };
        rig.live().touch(&host.name, Timestamp(7));
    }
    assert_eq!(rig.live().flushes_due(), 2);
    for _ in 0..2 {
        assert!(is_done(&rig.run(Actor::System, Operation::FlushSeen)));
    }
    assert_eq!(rig.live().flushes_due(), 0);
    assert_eq!(rig.run(Actor::System, Operation::FlushSeen), Outcome::Unchanged);
}

#[test]
fn a_host_outside_its_zone_is_not_touched_by_a_change_there() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    rig.add_zone("sub.one.test");
    let token = rig.add_host("h.sub.one.test", 1);
    let wrong = change("one.test", Vec::new(), vec![replace("h.sub.one.test", "9.9.9.9")]);
    assert!(matches!(rig.run(token, wrong), Outcome::Refused(Refused::Denied(_))));
}

/// An update that no query is answered with is not acknowledged: it would never be seen.
#[test]
fn an_update_below_a_later_delegation_or_dname_is_refused_and_may_still_withdraw() {
    for (above, rtype) in [
        ("nas.own.test", Rtype::NS),
        ("home.own.test", Rtype::NS),
        ("home.own.test", Rtype::DNAME),
        ("own.test", Rtype::DNAME),
    ] {
        let mut rig = Rig::new();
        rig.add_zone("own.test");
        let host = if above == "nas.own.test" { above } else { "nas.home.own.test" };
        let token = rig.add_host(host, 1);
        assert!(is_done(&rig.run(token.clone(), set("own.test", host, "9.9.9.1"))));
        let target = Rdata::name(&name("elsewhere.test"));
        rig.done(put("own.test", above, rtype, target));
        for address in ["9.9.9.1", "9.9.9.2"] {
            let refused = rig.run(token.clone(), set("own.test", host, address));
            assert!(
                matches!(refused, Outcome::Refused(Refused::Invalid(_))),
                "{above}: {refused:?}"
            );
        }
        let gone = Edit::DeleteRrset { owner: name(host), rtype: Rtype::A };
        let withdrawn = rig.run(token.clone(), change("own.test", Vec::new(), vec![gone]));
        assert!(is_done(&withdrawn), "{above}: {withdrawn:?}");
        let back = Edit::DeleteRrset { owner: name(above), rtype };
        rig.done(change("own.test", Vec::new(), vec![back]));
        assert!(is_done(&rig.run(token, set("own.test", host, "9.9.9.3"))), "{above}");
    }
}
