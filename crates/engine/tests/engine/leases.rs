//! Leases as the fold of events.

use std::sync::Arc;

use account::Timestamp;
use engine::{Engine, Live};
use store::{ActorRef, Event, EventBody, Fact, Hash, ImportId, Item, Part, Pos, RecordLease};
use wire::{Rrset, Rtype, Serial};
use zone::Delta;

use crate::plain::sorted;
use crate::rig::{address, name, rrset};

/// An engine over events that are given to it.
struct Fold {
    engine: Engine,
    events: Vec<Event>,
}

impl Fold {
    /// With these zones, which hold nothing.
    fn new(zones: &[&str]) -> Fold {
        let mut fold = Fold { engine: Engine::new(Arc::new(Live::new())), events: Vec::new() };
        zones.iter().for_each(|zone| fold.import(zone));
        fold
    }

    fn event(&mut self, facts: Vec<Fact>) {
        let pos = Pos(self.events.len() as u64 + 1);
        let previous = self.events.last().map_or(Hash::default(), |event| event.hash);
        let at = Timestamp(pos.0.cast_signed());
        let body = EventBody { at, actor: ActorRef::System, facts, origin_commitment: None };
        self.events.push(Event::seal(previous, pos, body, None));
        self.engine.replay(&self.events);
        self.check();
    }

    fn import(&mut self, zone: &str) {
        let import = ImportId(self.events.len() as u64 + 1);
        let zone = name(zone);
        let rrsets = [(zone.child(b"static").unwrap(), Rtype::A, rrset(address("9.9.9.9")))];
        let part = Part::pack(&zone, &rrsets);
        let staged = Fact::Staged { import, zone: zone.clone(), part };
        self.event(vec![staged, Fact::Imported { import, zone, serial: Serial(1) }]);
    }

    /// One event that adds records and grants leases.
    fn leased(&mut self, zone: &str, leases: &[RecordLease]) {
        let rdata = leases.iter().map(|lease| lease.rdata.clone()).collect();
        let facts = vec![changed(zone, &leases[0], rdata), granted(zone, leases)];
        self.event(facts);
    }

    /// Tables and log come to the same.
    fn check(&self) {
        let items: Vec<Item> = self.engine.items().collect();
        let mut loaded = Engine::new(Arc::new(Live::new()));
        items.iter().cloned().for_each(|item| loaded.load(item));
        assert_eq!(sorted(loaded.items().collect()), sorted(items));
        let mut again = Engine::new(Arc::new(Live::new()));
        again.replay(&self.events);
        assert_eq!(sorted(again.items().collect()), sorted(self.engine.items().collect()));
    }

    /// The data of all records that have a lease.
    fn data(&self) -> Vec<String> {
        let leases = self.engine.live().leases();
        let shown = |lease: &RecordLease| lease.rdata.display(lease.rtype).to_string();
        let mut data: Vec<String> = leases.iter().map(|(_, lease)| shown(&lease)).collect();
        data.sort();
        data
    }
}

fn lease(owner: &str, data: &str, until: i64) -> RecordLease {
    let (from, until) = (Timestamp(0), Timestamp(until));
    RecordLease {
        owner: name(owner),
        rtype: Rtype::A,
        rdata: address(data),
        from,
        lease_s: 1,
        until,
    }
}

fn granted(zone: &str, leases: &[RecordLease]) -> Fact {
    Fact::Leased { zone: name(zone), leases: leases.to_vec() }
}

fn changed(zone: &str, of: &RecordLease, rdata: Vec<wire::Rdata>) -> Fact {
    let after = (!rdata.is_empty()).then_some(Rrset { ttl_s: 60, rdata });
    let deltas = vec![Delta { owner: of.owner.clone(), rtype: of.rtype, before: None, after }];
    Fact::Changed { zone: name(zone), serial: Serial(2), lease_s: None, deltas }
}

#[test]
fn a_lease_ends_with_its_record_or_by_word() {
    let mut fold = Fold::new(&["one.test"]);
    let [a, b, c] = [("9.9.9.1", 30), ("9.9.9.2", 10), ("9.9.9.3", 20)]
        .map(|(data, until)| lease("h.one.test", data, until));
    fold.leased("one.test", &[a.clone(), b.clone(), c.clone()]);
    assert_eq!(fold.data(), ["9.9.9.1", "9.9.9.2", "9.9.9.3"]);
    let due = fold.engine.live().leases().due(Timestamp(20), 9);
    assert_eq!(due, [(name("one.test"), b.clone()), (name("one.test"), c.clone())]);
    // A record of another type or name changes nothing.
    let other = RecordLease { rtype: Rtype::TXT, ..a.clone() };
    fold.event(vec![changed("one.test", &other, Vec::new())]);
    fold.event(vec![changed("one.test", &lease("i.one.test", "9.9.9.1", 1), Vec::new())]);
    assert_eq!(fold.data().len(), 3);
    fold.event(vec![changed("one.test", &a, vec![a.rdata.clone(), c.rdata.clone()])]);
    assert_eq!(fold.data(), ["9.9.9.1", "9.9.9.3"]);
    fold.event(vec![granted("one.test", &[RecordLease { lease_s: 0, ..c }])]);
    assert_eq!(fold.data(), ["9.9.9.1"], "this one stays for ever");
    // What comes again has no lease but the one that it is given.
    fold.event(vec![changed("one.test", &a, Vec::new())]);
    fold.event(vec![changed("one.test", &a, vec![a.rdata.clone()])]);
    assert_eq!(fold.data(), [""; 0]);
}

#[test]
fn leases_go_with_their_zone_and_with_an_import() {
    let mut fold = Fold::new(&["one.test", "sub.one.test"]);
    let grant = |fold: &mut Fold| {
        fold.leased("one.test", &[lease("h.one.test", "9.9.9.1", 30)]);
        fold.leased("sub.one.test", &[lease("h.sub.one.test", "9.9.9.2", 30)]);
        assert_eq!(fold.data(), ["9.9.9.1", "9.9.9.2"]);
    };
    grant(&mut fold);
    fold.event(vec![Fact::ZoneDropped { zone: name("One.test") }]);
    assert_eq!(fold.data(), ["9.9.9.2"]);
    fold.event(vec![granted("one.test", &[lease("h.one.test", "9.9.9.1", 30)])]);
    assert_eq!(fold.data(), ["9.9.9.2"], "a zone that is not served has none");
    fold.import("one.test");
    grant(&mut fold);
    fold.import("sub.one.test");
    assert_eq!(fold.data(), ["9.9.9.1"], "what was imported stays");
    fold.engine.forget();
    assert_eq!(fold.data(), [""; 0]);
}
