//! Leases as changes grant, renew and end them (RFC 9664), and what goes when they have ended.

use std::collections::BTreeMap;

use account::{Actor, Timestamp};
use engine::{Lease, Operation, Outcome};
use proptest::prelude::*;
use store::RecordLease;
use wire::{Name, Rdata, Rtype};
use zone::{Change, Edit, View};

use crate::rig::{Rig, address, name};

const ZONE: &str = "one.test";

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.add_zone(ZONE);
    rig
}

fn add(owner: &str, data: &str) -> Edit {
    Edit::Add { owner: name(owner), rtype: Rtype::A, ttl_s: 60, rdata: address(data) }
}

fn with_lease(edits: Vec<Edit>, lease_s: Option<u32>) -> Operation {
    let lease = lease_s.map(|lease_s| Lease { lease_s, key_lease_s: None });
    Operation::Change { change: Change::new(name(ZONE), edits), lease }
}

fn serial(rig: &Rig) -> u32 {
    rig.live().zones().get(&name(ZONE)).unwrap().serial().0
}

fn addresses(rig: &Rig, owner: &str) -> Vec<Rdata> {
    let zone = rig.live().zones().get(&name(ZONE)).unwrap();
    zone.rrset(&name(owner), Rtype::A).map(|rrset| rrset.rdata).unwrap_or_default()
}

fn lease(rig: &Rig, owner: &str, data: &str) -> Option<RecordLease> {
    rig.live().leases().get(&name(ZONE), &name(owner), Rtype::A, &address(data))
}

/// The service takes away what has ended.
fn expire(rig: &mut Rig) -> Option<Outcome> {
    let due = rig.live().leases().due(rig.now, 100);
    if due.is_empty() {
        return None;
    }
    let leases = due.into_iter().map(|(_, lease)| lease).collect();
    Some(rig.run(Actor::System, Operation::EndLeases { zone: name(ZONE), leases }))
}

#[test]
fn rfc9664_5_a_record_goes_when_its_lease_was_not_refreshed() {
    let mut rig = rig();
    rig.done(with_lease(
        vec![add("h.one.test", "9.9.9.1"), add("k.one.test", "9.9.9.2")],
        Some(80),
    ));
    rig.done(with_lease(vec![add("h.one.test", "9.9.9.3")], Some(800)));
    rig.now.0 += 80_000;
    assert_eq!(expire(&mut rig), None, "the time that was promised");
    rig.now.0 += 10_000;
    let before = serial(&rig);
    assert!(matches!(expire(&mut rig), Some(Outcome::Done { .. })));
    assert_eq!(serial(&rig), before + 1, "one change");
    assert_eq!(addresses(&rig, "h.one.test"), [address("9.9.9.3")]);
    assert!(addresses(&rig, "k.one.test").is_empty());
    assert_eq!(rig.live().leases().len(), 1);
    assert_eq!(expire(&mut rig), None);
}

#[test]
fn rfc9664_5_a_refresh_is_written_only_when_it_must_and_never_moves_the_serial() {
    let mut rig = rig();
    let once = || with_lease(vec![add("h.one.test", "9.9.9.1")], Some(80));
    rig.done(once());
    let (before, first) = (serial(&rig), lease(&rig, "h.one.test", "9.9.9.1").unwrap());
    // 90 seconds are written; as long as 80 of them are left nothing has to be.
    rig.now.0 += 10_000;
    assert_eq!(rig.run(Actor::Operator, once()), Outcome::Unchanged);
    rig.now.0 += 1_000;
    assert!(matches!(rig.run(Actor::Operator, once()), Outcome::Done { serial: None, .. }));
    assert_eq!(serial(&rig), before);
    let second = lease(&rig, "h.one.test", "9.9.9.1").unwrap();
    assert_eq!(second.until.0 - first.until.0, 11_000);
    // Another length is written at once.
    rig.done(with_lease(vec![add("h.one.test", "9.9.9.1")], Some(40)));
    assert_eq!(lease(&rig, "h.one.test", "9.9.9.1").unwrap().lease_s, 40);
}

#[test]
fn rfc9664_4_key_records_have_a_lease_of_their_own() {
    let mut rig = rig();
    let key = Rdata::new(Rtype::KEY, &[2, 0, 3, 15, 1, 2, 3]).unwrap();
    let key_edit =
        Edit::Add { owner: name("h.one.test"), rtype: Rtype::KEY, ttl_s: 60, rdata: key.clone() };
    let change = Change::new(name(ZONE), vec![add("h.one.test", "9.9.9.1"), key_edit]);
    let lease = Some(Lease { lease_s: 60, key_lease_s: Some(600) });
    rig.done(Operation::Change { change, lease });
    let leases = rig.live().leases();
    let of_key = leases.get(&name(ZONE), &name("h.one.test"), Rtype::KEY, &key);
    let of_address = leases.get(&name(ZONE), &name("h.one.test"), Rtype::A, &address("9.9.9.1"));
    assert_eq!(of_address.unwrap().lease_s, 60);
    assert_eq!(of_key.unwrap().lease_s, 600);
}

#[test]
fn a_record_that_stands_without_a_lease_stays_and_one_that_is_stated_without_stays_too() {
    let mut rig = rig();
    rig.done(with_lease(vec![add("static.one.test", "9.9.9.1")], None));
    assert_eq!(
        rig.run(Actor::Operator, with_lease(vec![add("static.one.test", "9.9.9.1")], Some(60))),
        Outcome::Unchanged
    );
    rig.done(with_lease(vec![add("h.one.test", "9.9.9.2")], Some(60)));
    // For ever from now on, though nothing that is answered changes.
    rig.done(with_lease(vec![add("h.one.test", "9.9.9.2")], None));
    assert!(rig.live().leases().is_empty());
}

#[test]
fn a_lease_that_is_granted_anew_while_it_is_being_ended_is_kept() {
    let mut rig = rig();
    rig.done(with_lease(vec![add("h.one.test", "9.9.9.1")], Some(60)));
    rig.now.0 += 100_000;
    let due = rig.live().leases().due(rig.now, 10);
    let leases: Vec<_> = due.into_iter().map(|(_, lease)| lease).collect();
    let refresh = with_lease(vec![add("h.one.test", "9.9.9.1")], Some(60));
    let refreshed = rig.push(Actor::Operator, refresh);
    let ending = Operation::EndLeases { zone: name(ZONE), leases };
    let ended = rig.push(Actor::System, ending);
    rig.drain();
    assert!(matches!(rig.outcome(refreshed), Outcome::Done { .. }));
    assert_eq!(rig.outcome(ended), Outcome::Unchanged);
    assert_eq!(addresses(&rig, "h.one.test").len(), 1);
}

#[test]
fn only_the_service_ends_leases() {
    let mut rig = rig();
    rig.done(with_lease(vec![add("h.one.test", "9.9.9.1")], Some(60)));
    let lease = lease(&rig, "h.one.test", "9.9.9.1").unwrap();
    rig.now.0 += 100_000;
    let ending = Operation::EndLeases { zone: name(ZONE), leases: vec![lease] };
    assert!(matches!(rig.run(Actor::Operator, ending), Outcome::Refused(_)));
    assert_eq!(addresses(&rig, "h.one.test").len(), 1);
}

#[test]
fn what_a_zone_cannot_be_without_loses_its_lease_and_stays() {
    let mut rig = rig();
    let ns = |target: &str| Rdata::name(&name(target));
    let zone = rig.live().zones().get(&name(ZONE)).unwrap();
    let old = zone.rrset(&name(ZONE), Rtype::NS).unwrap().rdata;
    let new = Edit::Add { owner: name(ZONE), rtype: Rtype::NS, ttl_s: 60, rdata: ns("new.test") };
    let delete = |rdata| Edit::DeleteRecord { owner: name(ZONE), rtype: Rtype::NS, rdata };
    rig.done(with_lease(vec![new], Some(60)));
    rig.done(with_lease(old.into_iter().map(delete).collect(), None));
    rig.now.0 += 100_000;
    assert!(matches!(expire(&mut rig), Some(Outcome::Done { serial: None, .. })));
    let zone = rig.live().zones().get(&name(ZONE)).unwrap();
    assert_eq!(zone.rrset(&name(ZONE), Rtype::NS).unwrap().rdata, [ns("new.test")]);
    assert!(rig.live().leases().is_empty());
}

#[test]
fn a_record_that_was_added_for_ever_is_not_taken_for_the_leased_one_before_it() {
    let delete = || with_lease(vec![Edit::DeleteName { owner: name("h.one.test") }], None);
    let mut rig = rig();
    rig.done(with_lease(vec![add("h.one.test", "9.9.9.1")], Some(60)));
    rig.now.0 += 100_000;
    let leases = rig.live().leases().due(rig.now, 10).into_iter().map(|(_, lease)| lease).collect();
    // All of it in one batch: what was decided of a lease is not visible yet.
    rig.push(Actor::Operator, delete());
    rig.push(Actor::Operator, with_lease(vec![add("h.one.test", "9.9.9.1")], None));
    rig.push(Actor::System, Operation::EndLeases { zone: name(ZONE), leases });
    rig.push(Actor::Operator, with_lease(vec![add("h.one.test", "9.9.9.1")], Some(80)));
    rig.drain();
    assert_eq!(addresses(&rig, "h.one.test"), [address("9.9.9.1")]);
    assert!(rig.live().leases().is_empty() && rig.engine.is_settled());
}

/// A full RRset of large records; in one message it would not fit.
fn large(owner: &str, number: u8) -> Edit {
    let text = [number; 255];
    let rdata = Rdata::txt(&[&text[..]; 100]).unwrap();
    Edit::Add { owner: name(owner), rtype: Rtype::TXT, ttl_s: 60, rdata }
}

#[test]
fn leases_that_end_together_are_ended_in_changes_that_a_store_takes() {
    let mut rig = rig();
    for number in 0..100 {
        rig.done(with_lease(vec![large(&format!("h{number}.one.test"), number)], Some(60)));
    }
    rig.now.0 += 100_000;
    let mut rounds = 0;
    while let Some(outcome) = expire(&mut rig) {
        assert!(matches!(outcome, Outcome::Done { serial: Some(_), .. }));
        rounds += 1;
    }
    assert!((2..20).contains(&rounds), "{rounds}");
    assert!(rig.live().leases().is_empty());
}

#[test]
fn thousands_of_records_of_one_name_cost_no_more_each() {
    let mut rig = rig();
    let edits = |count: u32| -> Vec<Edit> {
        let address = |number: u32| Rdata::a((0x0909_0000 + number).into());
        let edit = |number| Edit::Add {
            owner: name("h.one.test"),
            rtype: Rtype::A,
            ttl_s: 60,
            rdata: address(number),
        };
        (0..count).map(edit).collect()
    };
    rig.done(with_lease(edits(4000), Some(60)));
    // Squared, these took minutes without optimization.
    for _ in 0..10 {
        assert_eq!(rig.run(Actor::Operator, with_lease(edits(4000), Some(60))), Outcome::Unchanged);
    }
    assert_eq!(rig.live().leases().len(), 4000);
}

/// What a client may do, and the service, and time.
#[derive(Clone, Debug)]
enum Step {
    Add { host: u8, data: u8, lease_s: Option<u32> },
    Delete { host: u8 },
    Wait { seconds: u16 },
    Expire,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let lease_s = prop::option::of(1..300_u32);
    prop_oneof![
        5 => (0..3_u8, 0..2_u8, lease_s)
            .prop_map(|(host, data, lease_s)| Step::Add { host, data, lease_s }),
        1 => (0..3_u8).prop_map(|host| Step::Delete { host }),
        3 => (0..200_u16).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Expire),
        1 => Just(Step::Crash),
    ]
}

proptest! {
    /// The model: for each record the moment before which it must not go, and the one after which it
    /// must be gone; none for one that stays.
    #[test]
    fn records_stay_as_long_as_promised_and_not_much_longer(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut rig = rig();
        let mut model: BTreeMap<(String, String), Option<(i64, i64)>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add { host, data, lease_s } => {
                    let (owner, data) = (format!("h{host}.one.test"), format!("9.9.9.{data}"));
                    rig.run(Actor::Operator, with_lease(vec![add(&owner, &data)], lease_s));
                    let known = model.get(&(owner.clone(), data.clone())).copied();
                    let ms = |lease_s: u32| i64::from(lease_s) * 1000;
                    let granted = lease_s.map(|lease_s| {
                        let promised = rig.now.0 + ms(lease_s);
                        (promised, promised + ms(lease_s) / 8)
                    });
                    // What stands for ever stays so.
                    let granted = if known == Some(None) { None } else { granted };
                    model.insert((owner, data), granted);
                }
                Step::Delete { host } => {
                    let owner = format!("h{host}.one.test");
                    let edit = Edit::DeleteName { owner: name(&owner) };
                    rig.run(Actor::Operator, with_lease(vec![edit], None));
                    model.retain(|(known, _), _| *known != owner);
                }
                Step::Wait { seconds } => rig.now = Timestamp(rig.now.0 + i64::from(seconds) * 1000),
                Step::Expire => {
                    expire(&mut rig);
                }
                Step::Crash => rig.crash(),
            }
            let expired = matches!(step, Step::Expire);
            let now = rig.now.0;
            let mut gone = Vec::new();
            for ((owner, data), limits) in &model {
                let there = addresses(&rig, owner).contains(&address(data));
                match limits {
                    Some((least, _)) if now < *least => prop_assert!(there, "{owner} {data} went early"),
                    Some((_, most)) if expired && now > *most => {
                        prop_assert!(!there, "{owner} {data} stays");
                    }
                    None => prop_assert!(there, "{owner} {data} was to stay for ever"),
                    Some(_) => {}
                }
                if !there {
                    gone.push((owner.clone(), data.clone()));
                }
            }
            gone.iter().for_each(|gone| { model.remove(gone); });
            let known: Vec<Name> = rig.live().leases().iter().map(|(_, lease)| lease.owner).collect();
            for owner in known {
                prop_assert!(!addresses(&rig, &owner.to_string()).is_empty(), "a lease of nothing");
            }
        }
    }
}
