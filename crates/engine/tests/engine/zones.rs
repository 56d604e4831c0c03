//! Zones, imports and keys.

use account::{AccountId, Actor, Credential, KeyPolicy, TsigAlgorithm};
use engine::{NewKey, NewZone, Operation, Outcome, Refused};
use store::{ImportId, Part};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::View;

use crate::rig::{Rig, address, name, new_zone, rrset, set, soa};

fn key(zones: &[&str]) -> Operation {
    Operation::AddKey(NewKey {
        name: name("ddns-key"),
        credential: Credential::Shared {
            algorithm: TsigAlgorithm::HmacSha256,
            secret: vec![7; 32],
        },
        zones: zones.iter().map(|zone| name(zone)).collect(),
        update: true,
        transfer: false,
        policy: KeyPolicy::everything(),
        truncated_ok: false,
    })
}

fn by_key(rig: &mut Rig, operation: Operation) -> Outcome {
    rig.run(Actor::Key(name("ddns-key")), operation)
}

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(_))
}

fn part(count: u32) -> Vec<(Name, Rtype, Rrset)> {
    let one = |n: u32| (name(&format!("n{n}.one.test")), Rtype::A, rrset(address("9.9.9.9")));
    (0..count).map(one).collect()
}

fn stage(import: Option<u64>, rrsets: Vec<(Name, Rtype, Rrset)>) -> Operation {
    let zone = name("one.test");
    Operation::Stage { import: import.map(ImportId), part: Part::pack(&zone, &rrsets), zone }
}

fn apex_of(zone: &mut NewZone) -> Vec<(Name, Rtype, Rrset)> {
    std::mem::take(&mut zone.rrsets)
}

#[test]
fn a_zone_is_served_with_its_first_records_or_not_at_all() {
    let apex = name("one.test");
    let ns = (apex.clone(), Rtype::NS, rrset(Rdata::name(&name("ns.test"))));
    let good_soa = (apex.clone(), Rtype::SOA, soa(1, 60));
    let outside = (name("a.two.test"), Rtype::A, rrset(address("9.9.9.9")));
    let below = (name("a.one.test"), Rtype::SOA, soa(1, 60));
    let meta = (apex.clone(), Rtype::ANY, rrset(address("9.9.9.9")));
    let long = Rrset { ttl_s: 1 << 31, ..rrset(address("9.9.9.9")) };
    let mut two = soa(1, 60);
    two.rdata.extend(soa(2, 60).rdata);
    for (why, rrsets) in [
        ("no SOA", vec![ns.clone()]),
        ("no NS", vec![good_soa.clone()]),
        ("outside", vec![ns.clone(), good_soa.clone(), outside]),
        ("SOA below", vec![ns.clone(), good_soa.clone(), below]),
        ("meta type", vec![ns.clone(), good_soa.clone(), meta]),
        ("TTL", vec![ns.clone(), good_soa.clone(), (apex.clone(), Rtype::A, long)]),
        ("two SOA", vec![ns.clone(), (apex.clone(), Rtype::SOA, two)]),
        ("not a SOA", vec![ns.clone(), (apex.clone(), Rtype::SOA, rrset(address("9.9.9.9")))]),
    ] {
        let mut rig = Rig::new();
        let zone = NewZone { rrsets, ..new_zone("one.test", false) };
        assert!(is_refused(&rig.run(Actor::Operator, Operation::AddZone(zone))), "{why}");
        assert!(rig.live().zones().all().is_empty());
    }
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let again = rig.run(Actor::Operator, Operation::AddZone(new_zone("ONE.test", false)));
    assert_eq!(again, Outcome::Refused(Refused::Exists("zone")));
    let nobody = NewZone { account: AccountId(99), ..new_zone("two.test", false) };
    assert!(is_refused(&rig.run(Actor::Operator, Operation::AddZone(nobody))));
}

#[test]
fn a_zone_between_a_host_and_its_zone_is_refused() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let token = rig.add_host("h.sub.one.test", 1);
    let between = rig.run(Actor::Operator, Operation::AddZone(new_zone("sub.one.test", false)));
    assert!(is_refused(&between), "the host's updates would be acknowledged and never seen");
    let mut zone = new_zone("sub.one.test", false);
    let rrsets = apex_of(&mut zone);
    let part = Part::pack(&name("sub.one.test"), &rrsets);
    let staged = Operation::Stage { import: None, zone: name("sub.one.test"), part };
    let import = ImportId(rig.done(staged));
    assert!(is_refused(&rig.run(Actor::Operator, Operation::Import { import, zone })));
    let update = rig.run(token, set("one.test", "h.sub.one.test", "9.9.9.9"));
    assert!(matches!(update, Outcome::Done { .. }));
    rig.done(Operation::RemoveHost(name("h.sub.one.test")));
    rig.add_zone("sub.one.test");
    // Hosts of a zone further down stay where they are.
    rig.add_host("h.sub.one.test", 2);
    rig.add_zone("test");
}

#[test]
fn an_import_is_visible_whole_and_at_once() {
    let mut rig = Rig::new();
    let mut zone = new_zone("one.test", false);
    let first = apex_of(&mut zone);
    let import = rig.done(stage(None, first));
    rig.done(stage(Some(import), part(100)));
    assert!(rig.live().zones().all().is_empty(), "nothing is seen of what is staged");
    // A restart in between keeps the parts, from the log and from tables.
    rig.crash();
    let tables = rig.engine.items().collect();
    rig.crash_with_tables(tables);
    assert_eq!(rig.engine.unfinished_imports(), [ImportId(import)]);
    rig.done(Operation::Import { import: ImportId(import), zone });
    let served = rig.live().zones().get(&name("one.test")).unwrap();
    assert_eq!(served.rrset_count(), 102);
    assert_eq!(served.serial().0, 100);
    assert!(rig.engine.unfinished_imports().is_empty());
    // A second import replaces everything; who holds the old zone still sees it whole.
    let mut zone = new_zone("one.test", false);
    let import = rig.done(stage(None, apex_of(&mut zone)));
    rig.done(Operation::Import { import: ImportId(import), zone });
    let now = rig.live().zones().get(&name("one.test")).unwrap();
    assert_eq!((served.rrset_count(), now.rrset_count()), (102, 2));
}

#[test]
fn an_unfinished_import_can_be_dropped_and_is_gone() {
    let mut rig = Rig::new();
    let mut zone = new_zone("one.test", false);
    let import = rig.done(stage(None, apex_of(&mut zone)));
    rig.done(Operation::DropImport(ImportId(import)));
    assert!(rig.engine.unfinished_imports().is_empty());
    for operation in [
        Operation::DropImport(ImportId(import)),
        Operation::Import { import: ImportId(import), zone },
        stage(Some(import), part(1)),
    ] {
        let outcome = rig.run(Actor::Operator, operation);
        assert_eq!(outcome, Outcome::Refused(Refused::Missing("import")));
    }
    rig.crash();
    assert!(rig.engine.unfinished_imports().is_empty());
}

#[test]
fn imports_are_limited_in_number_and_size() {
    let mut rig = Rig::new();
    for _ in 0..16 {
        rig.done(stage(None, part(1)));
    }
    assert!(is_refused(&rig.run(Actor::Operator, stage(None, part(1)))), "17 imports");
    let mut rig = Rig::new();
    assert!(is_refused(&rig.run(Actor::Operator, stage(None, Vec::new()))), "nothing");
    assert!(is_refused(&rig.run(Actor::Operator, stage(None, part(200_001)))), "too many");
    let heavy = (0..1000_u32).map(|n| {
        let rdata = Rdata::new(Rtype(65_400), &[7; 40_000]).unwrap();
        (name(&format!("n{n}.one.test")), Rtype(65_400), rrset(rdata))
    });
    assert!(is_refused(&rig.run(Actor::Operator, stage(None, heavy.collect()))), "too heavy");
    let elsewhere = vec![(name("a.two.test"), Rtype::A, rrset(address("9.9.9.9")))];
    assert!(is_refused(&rig.run(Actor::Operator, stage(None, elsewhere))), "outside");
    let import = rig.done(stage(None, part(1)));
    let other = Operation::Stage {
        import: Some(ImportId(import)),
        zone: name("n0.one.test"),
        part: Part::pack(&name("n0.one.test"), &part(1)),
    };
    assert!(is_refused(&rig.run(Actor::Operator, other)), "another zone");
}

#[test]
fn a_removed_zone_takes_its_hosts_and_nothing_else() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    rig.add_zone("sub.one.test");
    rig.add_host("h.one.test", 1);
    rig.add_host("h.sub.one.test", 2);
    rig.done(Operation::RemoveZone(name("one.test")));
    let live = rig.live();
    assert!(live.zones().get(&name("one.test")).is_none());
    assert!(live.directory().host(&name("h.one.test")).is_none());
    assert!(live.directory().host(&name("h.sub.one.test")).is_some());
    assert!(live.zones().get(&name("sub.one.test")).is_some());
}

#[test]
fn a_key_has_no_power_over_the_next_zone_of_a_name() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    rig.add_zone("two.test");
    rig.done(key(&["one.test", "two.test"]));
    let update = set("one.test", "a.one.test", "9.9.9.9");
    assert!(matches!(by_key(&mut rig, update.clone()), Outcome::Done { .. }));
    rig.done(Operation::RemoveZone(name("one.test")));
    rig.add_zone("one.test");
    assert!(is_refused(&by_key(&mut rig, update)));
    let other = set("two.test", "a.two.test", "9.9.9.9");
    assert!(matches!(by_key(&mut rig, other), Outcome::Done { .. }));
    rig.done(Operation::RemoveZone(name("two.test")));
    assert!(rig.live().directory().key(&name("ddns-key")).is_none(), "nothing is left for it");
}

#[test]
fn a_key_acts_on_its_zones_only_and_not_on_what_is_frozen() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let suffix = NewZone { suffix: true, ..new_zone("two.test", true) };
    rig.done(Operation::AddZone(suffix));
    let carol = rig.done(Operation::AddAccount("carol".to_owned()));
    rig.done(crate::rig::new_host("h.two.test", carol, 1));
    rig.done(key(&["two.test"]));
    assert!(is_refused(&by_key(&mut rig, set("one.test", "a.one.test", "9.9.9.9"))));
    assert!(matches!(
        by_key(&mut rig, set("two.test", "h.two.test", "9.9.9.1")),
        Outcome::Done { .. }
    ));
    rig.done(Operation::Lockdown(AccountId(carol)));
    assert!(is_refused(&by_key(&mut rig, set("two.test", "h.two.test", "9.9.9.2"))));
    assert!(matches!(
        by_key(&mut rig, set("two.test", "a.two.test", "9.9.9.2")),
        Outcome::Done { .. }
    ));
    rig.done(Operation::Lockdown(AccountId(0)));
    assert!(is_refused(&by_key(&mut rig, set("two.test", "a.two.test", "9.9.9.3"))));
    // The operator can always put things right.
    rig.done(set("two.test", "h.two.test", "9.9.9.4"));
    assert_eq!(rig.addresses("two.test", "h.two.test"), ["9.9.9.4"]);
}

#[test]
fn only_the_operator_operates() {
    let mut rig = Rig::new();
    rig.add_zone("one.test");
    let token = rig.add_host("h.one.test", 1);
    rig.done(key(&["one.test"]));
    for actor in [token, Actor::Key(name("ddns-key")), Actor::System] {
        for operation in [
            Operation::RemoveZone(name("one.test")),
            Operation::RemoveHost(name("h.one.test")),
            Operation::AddAccount("mallory".to_owned()),
            Operation::Unlock(AccountId(0)),
        ] {
            assert!(is_refused(&rig.run(actor.clone(), operation)));
        }
    }
    let served = rig.live().zones().get(&name("one.test")).unwrap();
    assert!(served.rrset(&name("one.test"), Rtype::SOA).is_some());
}
