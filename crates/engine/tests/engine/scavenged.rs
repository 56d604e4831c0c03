//! Scavenging: records that keys add without a lease go when nobody repeats them.

use account::{Actor, KeyPolicy, Scavenge};
use engine::{Lease, Operation, Outcome, Refused, ZonePatch};
use wire::Rtype;
use zone::{Change, Edit};

use crate::rig::{Rig, address, name};

const ZONE: &str = "one.test";
const DAY_MS: i64 = 86_400_000;
const WEEKS: Scavenge = Scavenge { no_refresh_s: 7 * 86_400, refresh_s: 7 * 86_400 };

/// A zone with a key.
fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.add_zone(ZONE);
    rig.add_key(ZONE, KeyPolicy::everything());
    rig
}

fn set_zone(apex: &str, scavenge: Option<Scavenge>) -> Operation {
    Operation::SetZone {
        apex: name(apex),
        policy: ZonePatch { scavenge: Some(scavenge), ..ZonePatch::default() },
    }
}

fn add(data: &str, lease_s: Option<u32>) -> Operation {
    let edit =
        Edit::Add { owner: name("h.one.test"), rtype: Rtype::A, ttl_s: 60, rdata: address(data) };
    let lease = lease_s.map(|lease_s| Lease { lease_s, key_lease_s: None });
    Operation::Change { change: Change::new(name(ZONE), vec![edit]), lease }
}

fn by_key(rig: &mut Rig, operation: Operation) -> Outcome {
    rig.run(Actor::Key(name("k")), operation)
}

/// What is there after some time, when the service has taken away what has ended.
fn after(rig: &mut Rig, ms: i64) -> Vec<String> {
    rig.now.0 += ms;
    let due = rig.live().leases().due(rig.now, 100);
    if !due.is_empty() {
        let leases = due.into_iter().map(|(_, lease)| lease).collect();
        let ended = rig.run(Actor::System, Operation::EndLeases { zone: name(ZONE), leases });
        assert!(matches!(ended, Outcome::Done { .. }), "{ended:?}");
    }
    rig.addresses(ZONE, "h.one.test")
}

#[test]
fn a_record_that_a_key_adds_goes_when_nobody_repeats_it() {
    let mut rig = rig();
    rig.done(set_zone("ONE.test", Some(WEEKS)));
    by_key(&mut rig, add("9.9.9.1", None));
    assert_eq!(after(&mut rig, 14 * DAY_MS - 1), ["9.9.9.1"]);
    assert!(after(&mut rig, 1).is_empty());
    assert!(rig.live().leases().is_empty());
}

#[test]
fn repetitions_are_written_only_after_the_quiet_time_and_keep_the_record() {
    let mut rig = rig();
    rig.done(set_zone(ZONE, Some(WEEKS)));
    by_key(&mut rig, add("9.9.9.1", None));
    let (head, serial) = (rig.head(), rig.serial(ZONE));
    assert_eq!(after(&mut rig, 7 * DAY_MS - 1), ["9.9.9.1"]);
    assert_eq!(by_key(&mut rig, add("9.9.9.1", None)), Outcome::Unchanged);
    assert_eq!(rig.head(), head, "nothing was written");
    assert_eq!(after(&mut rig, 1), ["9.9.9.1"]);
    let repeated = by_key(&mut rig, add("9.9.9.1", None));
    assert!(matches!(repeated, Outcome::Done { serial: None, .. }), "{repeated:?}");
    assert_eq!(rig.serial(ZONE), serial, "nothing that is answered has changed");
    assert_eq!(after(&mut rig, 14 * DAY_MS - 1), ["9.9.9.1"]);
    assert!(after(&mut rig, 1).is_empty());
}

#[test]
fn records_of_the_operator_and_those_from_before_are_never_scavenged() {
    let mut rig = rig();
    by_key(&mut rig, add("9.9.9.1", None));
    rig.done(set_zone(ZONE, Some(WEEKS)));
    rig.done(add("9.9.9.2", None));
    for known in ["9.9.9.1", "9.9.9.2"] {
        assert_eq!(by_key(&mut rig, add(known, None)), Outcome::Unchanged);
    }
    by_key(&mut rig, add("9.9.9.3", None));
    // The operator wants it for ever, although a key has added it.
    by_key(&mut rig, add("9.9.9.4", None));
    rig.done(add("9.9.9.4", None));
    assert_eq!(after(&mut rig, 1000 * DAY_MS), ["9.9.9.1", "9.9.9.2", "9.9.9.4"]);
}

#[test]
fn who_asks_for_a_lease_gets_that() {
    let mut rig = rig();
    rig.done(set_zone(ZONE, Some(WEEKS)));
    by_key(&mut rig, add("9.9.9.1", Some(800)));
    assert!(after(&mut rig, 900_000).is_empty());
}

#[test]
fn setting_survives_a_restart_and_an_end_of_it_leaves_what_was_added_its_time() {
    let mut rig = rig();
    rig.done(set_zone(ZONE, Some(WEEKS)));
    rig.crash();
    by_key(&mut rig, add("9.9.9.1", None));
    let known = rig.live().directory().zone(&name(ZONE)).and_then(|zone| zone.scavenge);
    assert_eq!(known, Some(WEEKS));
    assert_eq!(rig.run(Actor::Operator, set_zone(ZONE, Some(WEEKS))), Outcome::Unchanged);
    let keep = Operation::SetZone { apex: name(ZONE), policy: ZonePatch::default() };
    assert_eq!(rig.run(Actor::Operator, keep), Outcome::Unchanged);
    rig.done(set_zone(ZONE, None));
    by_key(&mut rig, add("9.9.9.2", None));
    rig.crash();
    assert_eq!(after(&mut rig, 14 * DAY_MS), ["9.9.9.2"]);
}

#[test]
fn settings_that_make_no_sense_and_strangers_are_refused() {
    let mut rig = rig();
    for (no_refresh_s, refresh_s) in [(60, 0), (1, 10 * 366 * 86_400), (u32::MAX, u32::MAX)] {
        let nonsense = set_zone(ZONE, Some(Scavenge { no_refresh_s, refresh_s }));
        let refused = rig.run(Actor::Operator, nonsense);
        assert!(matches!(refused, Outcome::Refused(Refused::Invalid(_))), "{refused:?}");
    }
    let missing = rig.run(Actor::Operator, set_zone("other.test", None));
    assert_eq!(missing, Outcome::Refused(Refused::Missing("zone")));
    let stranger = by_key(&mut rig, set_zone(ZONE, Some(WEEKS)));
    assert!(matches!(stranger, Outcome::Refused(Refused::Denied(_))), "{stranger:?}");
}
