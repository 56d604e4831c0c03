//! Names that are kept from others, and what an account or a zone sets limits to.

use account::policy::Denied;
use account::{AccountId, Actor, Role, Timestamp};
use engine::{AccountPatch, HostPatch, NewWebhook, Operation, Outcome, Refused, ZonePatch};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::Edit;

use crate::owners::{DAY_MS, SUFFIX, id, in_role, is_denied, is_done, town};
use crate::rig::{Rig, change, name, new_host};

#[test]
fn a_name_that_was_given_up_is_kept_from_others() {
    let mut town = town();
    let dave = AccountId(town.rig.done(Operation::AddAccount("dave".to_owned())));
    town.rig.done(Operation::RemoveHost(name("c.dyn.test")));
    let mut n = 20;
    let mut claim = |rig: &mut Rig, host: &str, account: AccountId| {
        n += 1;
        is_done(&rig.run(Actor::Operator, new_host(host, account.0, n)))
    };
    for host in ["c.dyn.test", "C.dyn.test", "x.c.dyn.test"] {
        assert!(!claim(&mut town.rig, host, dave), "{host}");
    }
    assert!(claim(&mut town.rig, "c.dyn.test", town.carol), "its own account gets it back");
    assert!(town.rig.live().directory().released(&name("c.dyn.test")).is_none());
    town.rig.done(Operation::RemoveHost(name("c.dyn.test")));
    town.rig.now = Timestamp(town.rig.now.0 + 30 * DAY_MS - 1);
    assert!(!claim(&mut town.rig, "c.dyn.test", dave));
    town.rig.now = Timestamp(town.rig.now.0 + 1);
    assert!(claim(&mut town.rig, "c.dyn.test", dave));
    // Above what was given up: its owner could bring it back below.
    assert!(claim(&mut town.rig, "a.b.dyn.test", dave));
    town.rig.done(Operation::RemoveHost(name("a.b.dyn.test")));
    assert!(!claim(&mut town.rig, "b.dyn.test", town.carol));
    town.rig.done(Operation::FreeName(name("a.b.dyn.test")));
    assert!(claim(&mut town.rig, "b.dyn.test", town.carol));
}

#[test]
fn a_zone_says_for_how_long_names_are_kept() {
    let mut town = town();
    let policy = ZonePatch { quarantine_s: Some(Some(0)), ..ZonePatch::default() };
    town.rig.done(Operation::SetZone { apex: name(SUFFIX), policy });
    town.rig.done(Operation::RemoveHost(name("c.dyn.test")));
    town.rig.done(new_host("c.dyn.test", 0, 20));
    let policy = ZonePatch { quarantine_s: Some(Some(60)), ..ZonePatch::default() };
    town.rig.done(Operation::SetZone { apex: name(SUFFIX), policy });
    for host in ["c.dyn.test", "o.dyn.test"] {
        town.rig.done(Operation::RemoveHost(name(host)));
        town.rig.now = Timestamp(town.rig.now.0 + 60_000);
    }
    let kept = town.rig.live().directory().all_released().len();
    assert_eq!(kept, 1, "what is over is forgotten by and by");
    town.rig.done(Operation::RemoveZone(name(SUFFIX)));
    assert!(town.rig.live().directory().all_released().is_empty(), "it goes with its zone");
}

#[test]
fn reserved_names_are_the_operators_to_give() {
    let mut town = town();
    let reserved = Some(vec!["Shop".to_owned(), "corp-*".to_owned()]);
    let policy = ZonePatch { reserved, ..ZonePatch::default() };
    town.rig.done(Operation::SetZone { apex: name(SUFFIX), policy });
    for (n, host) in [(20, "www.dyn.test"), (21, "shop.dyn.test"), (22, "corp-1.dyn.test")] {
        let asked = new_host(host, town.carol.0, n);
        let outcome = town.rig.run(town.owner.clone(), asked.clone());
        assert!(matches!(outcome, Outcome::Refused(Refused::Invalid(_))), "{host}: {outcome:?}");
        assert!(is_done(&town.rig.run(Actor::Operator, asked)), "{host}");
    }
    let free = new_host("shops.dyn.test", town.carol.0, 23);
    assert!(is_done(&town.rig.run(town.owner.clone(), free)));
    let wrong = ZonePatch { reserved: Some(vec!["a.b".to_owned()]), ..ZonePatch::default() };
    let wrong = Operation::SetZone { apex: name(SUFFIX), policy: wrong };
    assert!(matches!(town.rig.run(Actor::Operator, wrong), Outcome::Refused(Refused::Invalid(_))));
}

#[test]
fn an_account_has_no_more_than_its_limits() {
    let mut town = town();
    let policy = AccountPatch {
        hosts: Some(Some(2)),
        tokens: Some(Some(5)),
        webhooks: Some(Some(0)),
        ..AccountPatch::default()
    };
    town.rig.done(Operation::SetAccount { id: town.carol, policy });
    let claim = |n: u8| new_host(&format!("h{n}.dyn.test"), town.carol.0, n);
    let (owner, mut rig) = (town.owner, town.rig);
    assert!(is_done(&rig.run(owner.clone(), claim(20))));
    let hosts = Outcome::Refused(Refused::Limit("hosts of the account"));
    assert_eq!(rig.run(owner.clone(), claim(21)), hosts);
    assert_eq!(rig.run(Actor::Operator, claim(21)), hosts, "what was said holds for everybody");
    let tokens = Outcome::Refused(Refused::Limit("tokens of the account"));
    assert!(is_done(&rig.run(owner.clone(), in_role(30, town.carol, Role::Reader))));
    assert_eq!(rig.run(owner.clone(), in_role(31, town.carol, Role::Reader)), tokens);
    let revoked = id(&rig.token(30));
    rig.done(Operation::RevokeToken(revoked));
    let again = rig.run(owner.clone(), in_role(31, town.carol, Role::Reader));
    assert!(is_done(&again), "dead tokens do not count: {again:?}");
    let hook = NewWebhook {
        account: town.carol,
        host: None,
        url: "https://hook.test".to_owned(),
        secret: vec![1],
        events: Vec::new(),
        label: String::new(),
        private_ok: false,
    };
    let outcome = rig.run(owner, Operation::AddWebhook(hook));
    assert_eq!(outcome, Outcome::Refused(Refused::Limit("webhooks of the account")));
}

#[test]
fn records_of_tokens_live_as_long_as_the_zone_wants() {
    let mut town = town();
    let policy = ZonePatch { ttl_min_s: Some(300), ..ZonePatch::default() };
    town.rig.done(Operation::SetZone { apex: name(SUFFIX), policy });
    let ttl = |ttl_s| {
        let rrset = Rrset { ttl_s, rdata: vec![Rdata::a([9, 9, 9, 9].into())] };
        let edit = Edit::Replace { owner: name("c.dyn.test"), rtype: Rtype::A, rrset };
        change(SUFFIX, Vec::new(), vec![edit])
    };
    let token = town.rig.token(1);
    assert_eq!(town.rig.run(token.clone(), ttl(60)), Outcome::Refused(Denied::Ttl(300).into()));
    assert!(is_done(&town.rig.run(token, ttl(300))));
    assert!(is_done(&town.rig.run(Actor::Operator, ttl(60))));
    let directory = town.rig.live().directory();
    let (host, zone) = (directory.host(&name("c.dyn.test")), directory.zone(&name(SUFFIX)));
    assert_eq!(zone.unwrap().ttl_s(host.unwrap()), 300, "what doors put there");
}

#[test]
fn a_guest_opts_in_to_no_private_addresses() {
    let mut town = town();
    let policy = || HostPatch { private_ok: Some(true), ..HostPatch::default() };
    let set = |host: &str| Operation::SetHost { name: name(host), policy: policy() };
    assert!(is_denied(&town.rig.run(town.owner.clone(), set("c.dyn.test"))));
    assert!(is_done(&town.rig.run(Actor::Operator, set("c.dyn.test"))));
    town.rig.done(new_host("lan.carol.test", town.carol.0, 20));
    assert!(is_done(&town.rig.run(town.owner.clone(), set("lan.carol.test"))));
}

#[test]
fn a_member_follows_a_household_of_its_account() {
    let mut town = town();
    let member = |household: &str| {
        let household: Name = name(household);
        let member = account::Member { household, interface_id: [1; 16], ptr: false };
        let policy = HostPatch { member: Some(Some(member)), ..HostPatch::default() };
        Operation::SetHost { name: name("c.dyn.test"), policy }
    };
    let other = town.rig.run(town.owner.clone(), member("o.dyn.test"));
    assert_eq!(other, Outcome::Refused(Refused::Missing("household of the account")));
    town.rig.done(new_host("home.dyn.test", town.carol.0, 20));
    assert!(is_done(&town.rig.run(town.owner.clone(), member("home.dyn.test"))));
}
