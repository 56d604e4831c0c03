//! Serials and moments: they only go forward.

use account::{Actor, Timestamp};
use engine::{Operation, Outcome, Refused};
use store::Item;
use wire::{Rtype, Serial};
use zone::Edit;

use crate::rig::{Rig, change, name, new_token, new_zone, set, soa};

const ZONE: &str = "one.test";

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.add_zone(ZONE);
    rig
}

fn new_soa(serial: u32, minimum_s: u32) -> Operation {
    let rrset = soa(serial, minimum_s);
    change(ZONE, Vec::new(), vec![Edit::Replace { owner: name(ZONE), rtype: Rtype::SOA, rrset }])
}

fn serial_of(outcome: &Outcome) -> Serial {
    match outcome {
        Outcome::Done { serial: Some(serial), .. } => *serial,
        other => panic!("no serial: {other:?}"),
    }
}

#[test]
fn a_batch_takes_one_serial_per_zone() {
    let mut rig = rig();
    rig.add_zone("two.test");
    let tickets: Vec<_> = (0..10)
        .map(|n| rig.push(Actor::Operator, set(ZONE, "a.one.test", &format!("9.9.9.{n}"))))
        .collect();
    let other = rig.push(Actor::Operator, set("two.test", "a.two.test", "9.9.9.9"));
    rig.step();
    // A batch judged while the first is being written has the next one.
    let later = rig.push(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.99"));
    rig.step();
    rig.drain();
    for ticket in tickets {
        assert_eq!(serial_of(&rig.outcome(ticket)), Serial(101));
    }
    assert_eq!(serial_of(&rig.outcome(later)), Serial(102));
    assert_eq!(serial_of(&rig.outcome(other)), Serial(101));
    assert_eq!((rig.serial(ZONE), rig.serial("two.test")), (Serial(102), Serial(101)));
}

#[test]
fn rfc2136_3_4_2_2_a_newer_soa_carries_the_serial_and_an_older_one_is_passed_over() {
    let mut rig = rig();
    for (serial, minimum_s, expected) in [
        (500, 61, Some(500)),
        (500, 62, None),
        (499, 63, None),
        // RFC 1982: newer although the number is lower, once the circle is closed.
        (2_147_484_147, 64, Some(2_147_484_147)),
        (5, 65, Some(5)),
        (4_294_967_295, 66, None),
    ] {
        let outcome = rig.run(Actor::Operator, new_soa(serial, minimum_s));
        match expected {
            Some(expected) => assert_eq!(serial_of(&outcome), Serial(expected)),
            None => assert_eq!(outcome, Outcome::Unchanged, "{serial}"),
        }
    }
    assert_eq!(rig.serial(ZONE), Serial(5));
    let changed = rig.run(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.9"));
    assert_eq!(serial_of(&changed), Serial(6));
}

#[test]
fn a_new_soa_shares_its_batch_with_nothing() {
    let mut rig = rig();
    let before = rig.push(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.1"));
    let soa = rig.push(Actor::Operator, new_soa(500, 61));
    let after = rig.push(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.2"));
    rig.drain();
    let serials = [before, soa, after].map(|ticket| serial_of(&rig.outcome(ticket)).0);
    assert_eq!(serials, [101, 500, 501]);
}

#[test]
fn rfc1982_3_1_serials_jump_forward_over_the_end_of_the_circle() {
    for (by, expected) in
        [(1, 101), (1 << 28, 100 + (1 << 28)), (u32::MAX / 2 - 1, 100 + u32::MAX / 2 - 1)]
    {
        let mut rig = rig();
        rig.done(Operation::JumpSerials { by });
        assert_eq!(rig.serial(ZONE), Serial(expected));
        assert!(rig.serial(ZONE).is_newer_than(Serial(100)));
    }
    for by in [0, u32::MAX / 2, 1 << 31, u32::MAX] {
        let outcome = rig().run(Actor::Operator, Operation::JumpSerials { by });
        assert!(matches!(outcome, Outcome::Refused(Refused::Invalid(_))), "{by}");
    }
    let mut high = rig();
    for by in [(1 << 31) - 2, (1 << 31) - 200] {
        high.done(Operation::JumpSerials { by });
    }
    let before = high.serial(ZONE);
    high.done(Operation::JumpSerials { by: u32::MAX - before.0 + 1 });
    assert_eq!(high.serial(ZONE), Serial(1), "0 is passed over");
    assert!(high.serial(ZONE).is_newer_than(before));
}

#[test]
fn a_serial_that_was_lost_with_its_batch_was_never_seen() {
    let mut rig = rig();
    rig.push(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.1"));
    rig.step();
    assert_eq!(rig.serial(ZONE), Serial(100), "not visible before it is durable");
    rig.not_written();
    let outcome = rig.run(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.2"));
    assert_eq!(serial_of(&outcome), Serial(101));
}

#[test]
fn moments_of_events_never_go_back_with_the_clock() {
    let mut rig = rig();
    let at = |outcome: Outcome| match outcome {
        Outcome::Done { at, .. } => at,
        other => panic!("not done: {other:?}"),
    };
    let first = at(rig.run(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.1")));
    rig.now = Timestamp(5);
    let second = at(rig.run(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.2")));
    assert_eq!(second, first);
    rig.crash();
    let third = at(rig.run(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.3")));
    assert_eq!(third, first, "also after a restart from the log");
}

#[test]
fn a_state_without_a_log_still_knows_that_time_has_passed() {
    let mut rig = rig();
    rig.now = Timestamp(9_000_000);
    rig.add_host("h.one.test", 1);
    rig.done(Operation::Lockdown(account::AccountId(0)));
    let tables: Vec<Item> = rig.engine.items().collect();
    let live = std::sync::Arc::new(engine::Live::new());
    rig.engine = engine::Engine::new(live);
    tables.into_iter().for_each(|item| rig.engine.load(item));
    rig.now = Timestamp(5);
    rig.done(Operation::Unlock(account::AccountId(0)));
    let hosts = vec![name("h.one.test")];
    rig.done(Operation::AddToken { hosts, account: None, token: new_token(2) });
    assert!(rig.try_token(1).is_err(), "revoked by the lockdown");
    assert!(rig.try_token(2).is_ok(), "made after the lockdown, whatever the clock says");
}

#[test]
fn an_import_takes_a_serial_that_is_newer_than_the_one_served() {
    for (imported, expected) in [(7, 101), (100, 101), (101, 101), (900, 900)] {
        let mut rig = rig();
        let mut zone = new_zone(ZONE, false);
        let rrsets = std::mem::take(&mut zone.rrsets);
        let part = store::Part::pack(&name(ZONE), &rrsets);
        let import = rig.done(Operation::Stage { import: None, zone: name(ZONE), part });
        zone.serial = Serial(imported);
        rig.done(Operation::Import { import: store::ImportId(import), zone });
        assert_eq!(rig.serial(ZONE), Serial(expected));
    }
}
