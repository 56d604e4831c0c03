use std::sync::Arc;

use account::{AccountId, Entity, Host, HostExpiry, OnExpiry};
use engine::Engine;
use store::Item;
use wire::{Rdata, Rtype, Serial};

use super::*;

const START: Timestamp = Timestamp(1_000_000_000);

fn at(seconds: i64) -> Timestamp {
    Timestamp(START.0 + seconds * 1000)
}

/// A state with leases: owner, seconds granted, when it ends in seconds after the start.
fn live(leases: &[(&str, u32, i64)]) -> Arc<Live> {
    let mut engine = Engine::new(Arc::new(Live::new()));
    for zone in ["a.test", "b.test"] {
        let apex = Name::parse(zone).unwrap();
        engine.load(Item::Zone { apex, serial: Serial(1) });
    }
    for &(owner, lease_s, end) in leases {
        let owner = Name::parse(owner).unwrap();
        let zone = owner.parent().unwrap();
        let rdata = Rdata::a([192, 0, 2, 1].into());
        let (from, until) = (START, at(end));
        let lease = RecordLease { owner, rtype: Rtype::A, rdata, from, lease_s, until };
        engine.load(Item::Lease { zone, lease });
    }
    Arc::clone(engine.live())
}

/// What is due, as owners.
fn due(expirer: &mut Expirer, live: &Live, now: Timestamp) -> Vec<Vec<String>> {
    let owners = |request: Request| match request {
        Request {
            actor: Actor::System, operation: Operation::EndLeases { leases, .. }, ..
        } => leases.iter().map(|lease| lease.owner.to_string()).collect(),
        other => panic!("{other:?}"),
    };
    expirer.due(live, now).into_iter().map(owners).collect()
}

#[test]
fn what_has_ended_is_due_by_zone_and_no_more_than_once_a_second() {
    let live = live(&[("x.a.test", 60, 100), ("y.a.test", 60, 101), ("z.b.test", 60, 100)]);
    let mut expirer = Expirer::new(START);
    assert_eq!(expirer.wait(&live, at(0)), Duration::from_secs(100));
    assert!(due(&mut expirer, &live, at(99)).is_empty());
    assert_eq!(due(&mut expirer, &live, at(100)), [["x.a.test."], ["z.b.test."]]);
    assert_eq!(expirer.wait(&live, at(100)), PAUSE);
    assert!(due(&mut expirer, &live, Timestamp(at(100).0 + 999)).is_empty());
    let both = [vec!["x.a.test.".to_owned(), "y.a.test.".to_owned()], vec!["z.b.test.".to_owned()]];
    assert_eq!(due(&mut expirer, &live, at(101)), both);
}

#[test]
fn who_could_not_refresh_while_the_service_was_down_gets_some_time() {
    let live = live(&[("short.a.test", 60, -5000), ("long.a.test", 7200, -5000)]);
    let mut expirer = Expirer::new(START);
    assert!(due(&mut expirer, &live, at(59)).is_empty());
    assert_eq!(due(&mut expirer, &live, at(60)), [["short.a.test."]]);
    assert_eq!(due(&mut expirer, &live, at(899)), [["short.a.test."]]);
    assert_eq!(due(&mut expirer, &live, at(900)), [["long.a.test.", "short.a.test."]]);
}

#[test]
fn nothing_is_waited_for_without_leases() {
    assert_eq!(Expirer::new(START).wait(&live(&[]), START), Duration::MAX);
}

#[test]
fn silent_hosts_are_due_when_their_time_since_the_start_is_over() {
    let mut engine = Engine::new(Arc::new(Live::new()));
    for (label, after_s, seen) in [("old", 60, -5000), ("new", 60, 30), ("slow", 3600, 0)] {
        let zone = Name::parse("a.test").unwrap();
        let name = zone.child(label.as_bytes()).unwrap();
        let expiry = Some(Box::new(HostExpiry { after_s, then: OnExpiry::Withdraw }));
        let host = Host::new(name, zone, AccountId(0), Timestamp(0));
        let host = Host { last_seen: Some(at(seen)), expiry, ..host };
        engine.load(Item::Entity(Entity::Host(host)));
    }
    let live = engine.live();
    let mut expirer = Expirer::new(START);
    let mut hosts = |seconds| -> Vec<String> {
        let of = |request: Request| match request.operation {
            Operation::ExpireHosts { hosts, started: START } => hosts,
            other => panic!("{other:?}"),
        };
        let hosts = expirer.due(live, at(seconds)).into_iter().flat_map(of);
        hosts.map(|host| host.to_string()).collect()
    };
    assert!(hosts(0).is_empty() && hosts(59).is_empty());
    assert_eq!(hosts(60), ["old.a.test."]);
    assert_eq!(hosts(91), ["old.a.test.", "new.a.test."], "until it is visible");
    assert_eq!(Expirer::new(START).wait(live, at(0)), Duration::from_secs(60));
}
