//! Hosts that nothing is heard of: what stands in place of their addresses, and how they come back.

use std::collections::BTreeSet;

use account::{Actions, Actor, Host, HostExpiry, KeyPolicy, OnExpiry, Timestamp};
use engine::{HostPatch, Operation, Outcome, Refused};
use proptest::prelude::*;
use wire::{Name, Rdata, Rtype};
use zone::{Edit, View};

use crate::rig::{Rig, address, change, name, replace, set};

const ZONE: &str = "one.test";
const HOST: &str = "h.one.test";
const LONG_AGO: Timestamp = Timestamp(0);

/// A zone with one host.
fn rig() -> (Rig, Actor) {
    let mut rig = Rig::new();
    rig.add_zone(ZONE);
    let token = rig.add_host(HOST, 1);
    (rig, token)
}

fn patch(after_s: u32, then: OnExpiry) -> Operation {
    set_expiry(Some(HostExpiry { after_s, then }))
}

fn set_expiry(expiry: Option<HostExpiry>) -> Operation {
    let policy = HostPatch { expiry: Some(expiry), ..HostPatch::default() };
    Operation::SetHost { name: name(HOST), policy }
}

fn park(addresses: &[&str]) -> OnExpiry {
    OnExpiry::Park(addresses.iter().map(|text| text.parse().unwrap()).collect())
}

/// What the service does about hosts that are gone.
fn expire(rig: &mut Rig, started: Timestamp) -> Option<Outcome> {
    let hosts = rig.live().gone(rig.now, started, 100);
    let expiring = Operation::ExpireHosts { hosts: hosts.clone(), started };
    (!hosts.is_empty()).then(|| rig.run(Actor::System, expiring))
}

fn host(rig: &Rig) -> Host {
    rig.live().directory().host(&name(HOST)).cloned().unwrap()
}

/// All that stands at the name of the host, as text.
fn at_name(rig: &Rig) -> Vec<String> {
    let zone = rig.live().zones().get(&name(ZONE)).unwrap();
    let text = |rtype: Rtype| {
        let rdata = zone.rrset(&name(HOST), rtype).unwrap().rdata;
        rdata.iter().map(|one| format!("{rtype} {}", one.display(rtype))).collect::<Vec<_>>()
    };
    zone.types(&name(HOST)).into_iter().flat_map(text).collect()
}

fn both(v4: &str, v6: &str) -> Operation {
    change(ZONE, Vec::new(), vec![replace(HOST, v4), replace(HOST, v6)])
}

#[test]
fn what_the_expiry_says_comes_in_place_of_the_addresses_and_goes_with_the_next_update() {
    let alias = OnExpiry::Cname(name("sorry.test"));
    for (then, parked) in [
        (OnExpiry::Withdraw, &[][..]),
        (park(&["9.9.9.8", "9.9.9.9"]), &["A 9.9.9.8", "A 9.9.9.9"]),
        (park(&["9.9.9.8", "2620:fe::9"]), &["A 9.9.9.8", "AAAA 2620:fe::9"]),
        (alias, &["CNAME sorry.test."]),
    ] {
        let (mut rig, token) = rig();
        rig.done(patch(60, then));
        rig.run(token.clone(), both("8.8.8.8", "2620:fe::fe"));
        rig.now.0 += 59_999;
        assert_eq!(expire(&mut rig, LONG_AGO), None);
        rig.now.0 += 1;
        let serial = rig.serial(ZONE);
        assert!(matches!(expire(&mut rig, LONG_AGO), Some(Outcome::Done { .. })));
        assert_eq!(at_name(&rig), parked);
        assert_eq!(rig.serial(ZONE), serial.next(), "one change");
        assert_eq!(host(&rig).parked, Some(rig.now));
        rig.now.0 += 100_000;
        assert_eq!(expire(&mut rig, LONG_AGO), None, "once");
        rig.crash();
        // The family that it does not mention stays away.
        let back = rig.run(token, set(ZONE, HOST, "8.8.8.8"));
        assert!(matches!(back, Outcome::Done { .. }), "{back:?}");
        assert_eq!(at_name(&rig), ["A 8.8.8.8"]);
        assert_eq!(host(&rig).parked, None);
        assert_eq!(expire(&mut rig, LONG_AGO), None, "it was heard of just now");
        rig.now.0 += 60_000;
        assert!(expire(&mut rig, LONG_AGO).is_some(), "and is gone again");
    }
}

#[test]
fn an_update_with_the_address_that_is_parked_is_no_repetition() {
    let (mut rig, token) = rig();
    rig.done(patch(60, park(&["9.9.9.9"])));
    rig.run(token.clone(), set(ZONE, HOST, "8.8.8.8"));
    rig.now.0 += 60_000;
    expire(&mut rig, LONG_AGO);
    let serial = rig.serial(ZONE);
    let back = rig.run(token.clone(), set(ZONE, HOST, "9.9.9.9"));
    assert!(matches!(back, Outcome::Done { serial: None, .. }), "{back:?}");
    assert_eq!((host(&rig).parked, rig.serial(ZONE)), (None, serial));
    assert_eq!(rig.run(token, set(ZONE, HOST, "9.9.9.9")), Outcome::Unchanged);
}

#[test]
fn families_that_come_one_after_the_other_stand_side_by_side() {
    let (mut rig, token) = rig();
    rig.done(patch(60, OnExpiry::Cname(name("sorry.test"))));
    rig.now.0 += 60_000;
    expire(&mut rig, LONG_AGO);
    // The second one is judged before the first one is visible.
    rig.push(token.clone(), set(ZONE, HOST, "8.8.8.8"));
    rig.step();
    rig.push(token, set(ZONE, HOST, "2620:fe::fe"));
    rig.drain();
    assert_eq!(at_name(&rig), ["A 8.8.8.8", "AAAA 2620:fe::fe"]);
}

#[test]
fn silence_counts_from_the_last_update_or_the_start_whichever_is_later() {
    let (mut rig, token) = rig();
    rig.done(patch(60, OnExpiry::Withdraw));
    rig.run(token.clone(), set(ZONE, HOST, "8.8.8.8"));
    rig.now.0 += 50_000;
    // A repetition is a sign of life, judged here or noted by a door.
    assert_eq!(rig.run(token, set(ZONE, HOST, "8.8.8.8")), Outcome::Unchanged);
    rig.now.0 += 50_000;
    assert_eq!(expire(&mut rig, LONG_AGO), None);
    rig.live().touch(&name(HOST), rig.now);
    rig.now.0 += 50_000;
    assert_eq!(expire(&mut rig, LONG_AGO), None);
    let started = rig.now;
    rig.now.0 += 50_000;
    assert_eq!(expire(&mut rig, started), None);
    rig.now.0 += 10_000;
    assert!(expire(&mut rig, started).is_some());
}

#[test]
fn a_host_that_is_seen_while_it_is_being_expired_stays() {
    let (mut rig, token) = rig();
    rig.done(patch(60, OnExpiry::Withdraw));
    rig.run(token.clone(), set(ZONE, HOST, "8.8.8.8"));
    rig.now.0 += 60_000;
    let hosts = rig.live().gone(rig.now, LONG_AGO, 10);
    assert_eq!(hosts, [name(HOST)]);
    // Nothing is written for the repetition, so that nothing is in flight when the other is judged.
    let seen = rig.push(token, set(ZONE, HOST, "8.8.8.8"));
    let expiring = rig.push(Actor::System, Operation::ExpireHosts { hosts, started: LONG_AGO });
    rig.drain();
    assert_eq!(rig.outcome(seen), Outcome::Unchanged);
    assert_eq!(rig.outcome(expiring), Outcome::Unchanged);
    assert_eq!(at_name(&rig), ["A 8.8.8.8"]);
}

#[test]
fn an_alias_that_cannot_stand_beside_other_records_is_left_out() {
    let (mut rig, token) = rig();
    rig.done(patch(60, OnExpiry::Cname(name("sorry.test"))));
    let rdata = Rdata::txt(&[b"text"]).unwrap();
    let text = Edit::Add { owner: name(HOST), rtype: Rtype::TXT, ttl_s: 60, rdata };
    rig.done(change(ZONE, Vec::new(), vec![text]));
    rig.run(token, set(ZONE, HOST, "8.8.8.8"));
    rig.now.0 += 60_000;
    assert!(matches!(expire(&mut rig, LONG_AGO), Some(Outcome::Done { .. })));
    assert_eq!(at_name(&rig), ["TXT \"text\""]);
    assert!(host(&rig).parked.is_some());
}

#[test]
fn an_alias_that_somebody_has_put_there_keeps_no_other_host_from_expiring() {
    let (mut rig, _) = rig();
    rig.add_host("other.one.test", 2);
    let expiry = Some(HostExpiry { after_s: 60, then: park(&["9.9.9.9"]) });
    for host in [HOST, "other.one.test"] {
        let policy = HostPatch { expiry: Some(expiry.clone()), ..HostPatch::default() };
        rig.done(Operation::SetHost { name: name(host), policy });
    }
    let (rtype, rdata) = (Rtype::CNAME, Rdata::name(&name("alias.test")));
    let alias = Edit::Add { owner: name(HOST), rtype, ttl_s: 60, rdata };
    rig.done(change(ZONE, Vec::new(), vec![alias]));
    rig.now.0 += 60_000;
    expire(&mut rig, LONG_AGO);
    assert_eq!(at_name(&rig), ["CNAME alias.test."]);
    assert_eq!(rig.addresses(ZONE, "other.one.test"), ["9.9.9.9"]);
    assert_eq!(expire(&mut rig, LONG_AGO), None);
}

#[test]
fn names_of_a_locked_account_stay_as_they_are() {
    let (mut rig, token) = rig();
    rig.done(patch(60, OnExpiry::Withdraw));
    rig.run(token, set(ZONE, HOST, "8.8.8.8"));
    rig.done(Operation::Lockdown(account::AccountId(0)));
    rig.now.0 += 60_000;
    assert_eq!(expire(&mut rig, LONG_AGO), None);
    let hosts = vec![name(HOST)];
    let expiring = Operation::ExpireHosts { hosts, started: LONG_AGO };
    assert_eq!(rig.run(Actor::System, expiring), Outcome::Unchanged);
    assert_eq!(at_name(&rig), ["A 8.8.8.8"]);
}

#[test]
fn addresses_that_the_operator_publishes_end_it_as_well_and_removal_takes_all_away() {
    let (mut rig, token) = rig();
    rig.done(patch(60, OnExpiry::Cname(name("sorry.test"))));
    rig.run(token, set(ZONE, HOST, "8.8.8.8"));
    rig.now.0 += 60_000;
    expire(&mut rig, LONG_AGO);
    rig.done(set(ZONE, HOST, "8.8.4.4"));
    assert_eq!((at_name(&rig), host(&rig).parked), (vec!["A 8.8.4.4".to_owned()], None));
    assert_eq!(expire(&mut rig, LONG_AGO), None);
    rig.now.0 += 60_000;
    expire(&mut rig, LONG_AGO);
    assert_eq!(at_name(&rig), ["CNAME sorry.test."]);
    rig.done(Operation::RemoveHost(name(HOST)));
    assert!(at_name(&rig).is_empty());
    assert_eq!(rig.live().next_gone(), None);
}

#[test]
fn a_key_that_may_only_add_brings_a_host_back() {
    let (mut rig, _) = rig();
    rig.done(patch(60, OnExpiry::Cname(name("sorry.test"))));
    rig.add_key(ZONE, KeyPolicy { actions: Actions::ADD, ..KeyPolicy::everything() });
    rig.now.0 += 60_000;
    expire(&mut rig, LONG_AGO);
    let (rtype, rdata) = (Rtype::A, address("8.8.8.8"));
    let add = Edit::Add { owner: name(HOST), rtype, ttl_s: 60, rdata };
    let back = rig.run(Actor::Key(name("k")), change(ZONE, Vec::new(), vec![add]));
    assert!(matches!(back, Outcome::Done { .. }), "{back:?}");
    assert_eq!(at_name(&rig), ["A 8.8.8.8"]);
    assert_eq!(expire(&mut rig, LONG_AGO), None, "a key is heard as well");
}

#[test]
fn an_expiry_that_makes_no_sense_and_strangers_are_refused() {
    let (mut rig, token) = rig();
    for nonsense in [
        patch(0, OnExpiry::Withdraw),
        patch(u32::MAX, OnExpiry::Withdraw),
        patch(60, park(&[])),
        patch(60, park(&["9.9.9.9"; 17])),
        patch(60, park(&["0.0.0.0"])),
        patch(60, OnExpiry::Cname(name("H.one.test"))),
    ] {
        let refused = rig.run(Actor::Operator, nonsense.clone());
        assert!(matches!(refused, Outcome::Refused(_)), "{nonsense:?}: {refused:?}");
    }
    rig.done(patch(60, OnExpiry::Withdraw));
    rig.now.0 += 60_000;
    for actor in [Actor::Operator, token] {
        let expiring = Operation::ExpireHosts { hosts: vec![name(HOST)], started: LONG_AGO };
        let refused = rig.run(actor, expiring);
        assert!(matches!(refused, Outcome::Refused(Refused::Denied(_))), "{refused:?}");
    }
    rig.done(set_expiry(None));
    assert_eq!((expire(&mut rig, LONG_AGO), rig.live().next_gone()), (None, None));
}

/// What may happen to one host.
#[derive(Clone, Debug)]
enum Step {
    /// An address of this family with this last octet.
    Update(bool, u8),
    Wait(u16),
    Touch,
    Set(Option<(u32, u8)>),
    Expire,
    /// Another start of the service; with the tables of the last one or from the log alone.
    Restart(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), 1..4_u8).prop_map(|(v6, last)| Step::Update(v6, last)),
        4 => (1..90_u16).prop_map(Step::Wait),
        1 => Just(Step::Touch),
        2 => prop::option::of((1..100_u32, 0..3_u8)).prop_map(Step::Set),
        5 => Just(Step::Expire),
        1 => any::<bool>().prop_map(Step::Restart),
    ]
}

/// The host as it ought to be.
struct Model {
    records: BTreeSet<String>,
    expiry: Option<(u32, u8)>,
    parked: bool,
    heard: i64,
    started: i64,
}

impl Model {
    fn update(&mut self, v6: bool, text: String, now: i64) {
        let kept = if v6 { "A " } else { "AAAA " };
        self.records.retain(|record| !self.parked && record.starts_with(kept));
        self.records.insert(text);
        (self.parked, self.heard) = (false, now);
    }

    fn expire(&mut self, now: i64) {
        let Some((after_s, then)) = self.expiry else { return };
        if self.parked || now < self.heard.max(self.started) + i64::from(after_s) * 1000 {
            return;
        }
        let parked = [None, Some("A 9.9.9.1"), Some("CNAME sorry.test.")];
        let parked = parked.get(usize::from(then)).copied().flatten();
        (self.records, self.parked) = (parked.map(str::to_owned).into_iter().collect(), true);
    }
}

fn then(number: u8) -> OnExpiry {
    match number {
        0 => OnExpiry::Withdraw,
        1 => park(&["9.9.9.1"]),
        _ => OnExpiry::Cname(name("sorry.test")),
    }
}

proptest! {
    #[test]
    fn a_host_is_there_as_long_as_it_is_heard_of(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (mut rig, token) = rig();
        let now = rig.now.0;
        let mut model =
            Model { records: BTreeSet::new(), expiry: None, parked: false, heard: now, started: 0 };
        for step in steps {
            match step {
                Step::Update(v6, last) => {
                    let data = if v6 { format!("2620:fe::{last}") } else { format!("9.9.9.{last}") };
                    rig.run(token.clone(), set(ZONE, HOST, &data));
                    // As doors do when they answer.
                    rig.live().touch(&name(HOST), rig.now);
                    let rtype = if v6 { "AAAA" } else { "A" };
                    model.update(v6, format!("{rtype} {data}"), rig.now.0);
                }
                Step::Wait(seconds) => rig.now.0 += i64::from(seconds) * 1000,
                Step::Touch => {
                    rig.live().touch(&name(HOST), rig.now);
                    model.heard = rig.now.0;
                }
                Step::Set(expiry) => {
                    let wanted = expiry.map(|(after_s, number)| HostExpiry { after_s, then: then(number) });
                    rig.run(Actor::Operator, set_expiry(wanted));
                    model.expiry = expiry;
                }
                Step::Expire => {
                    expire(&mut rig, Timestamp(model.started));
                    model.expire(rig.now.0);
                    prop_assert_eq!(rig.live().gone(rig.now, Timestamp(model.started), 9), Vec::<Name>::new());
                }
                Step::Restart(with_tables) => {
                    rig.run(Actor::System, Operation::FlushSeen);
                    let tables: Vec<_> = rig.engine.items().collect();
                    if with_tables { rig.crash_with_tables(tables) } else { rig.crash() }
                    model.started = rig.now.0;
                }
            }
            let shown: BTreeSet<String> = at_name(&rig).into_iter().collect();
            prop_assert_eq!(&shown, &model.records);
            prop_assert_eq!(host(&rig).parked.is_some(), model.parked);
            let may_go = model.expiry.is_some() && !model.parked;
            prop_assert_eq!(rig.live().next_gone().is_some(), may_go);
        }
    }
}
