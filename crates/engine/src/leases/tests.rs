use std::collections::BTreeMap;

use proptest::prelude::*;
use wire::Rrset;

use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

const ZONES: [&str; 3] = ["one.test", "sub.one.test", "two.test"];

/// Records with short and long data, some of which are the same but for their case.
fn record(zone: u8, owner: u8, data: u16) -> (Name, Name, Rtype, Rdata) {
    let zone = name(ZONES[usize::from(zone) % ZONES.len()]);
    let owner = match owner {
        0 => zone.clone(),
        1 => zone.child(b"UPPER").unwrap(),
        2 => zone.child(b"upper").unwrap(),
        n => zone.child(format!("n{n}").as_bytes()).unwrap(),
    };
    let (rtype, rdata) = match data % 4 {
        0 => (Rtype::A, Rdata::a([192, 0, 2, (data >> 2) as u8].into())),
        1 => (Rtype::PTR, Rdata::name(&name(&format!("Target{}.test", data >> 2)))),
        2 => (Rtype::PTR, Rdata::name(&name(&format!("target{}.TEST", data >> 2)))),
        _ => (Rtype::TXT, Rdata::txt(&[&[(data >> 2) as u8; 200]]).unwrap()),
    };
    (zone, owner, rtype, rdata)
}

#[derive(Clone, Debug)]
enum Act {
    /// Zone, owner and data; seconds of the lease, and when it ends.
    Put(u8, u8, u16, u32, i64),
    /// The records of an RRset that stay.
    Changed(u8, u8, u16, Vec<u16>),
    DropZone(u8),
}

fn acts(data: u16) -> impl Strategy<Value = Vec<Act>> {
    let put = (0..3_u8, 0..9_u8, 0..data, prop_oneof![1 => Just(0), 3 => 1..9_u32], 0..40_i64);
    let act = prop_oneof![
        30 => put.prop_map(|(zone, owner, data, lease_s, until)| {
            Act::Put(zone, owner, data, lease_s, until)
        }),
        5 => (0..3_u8, 0..9_u8, 0..data, prop::collection::vec(0..data, 0..9))
            .prop_map(|(zone, owner, data, kept)| Act::Changed(zone, owner, data, kept)),
        1 => (0..3_u8).prop_map(Act::DropZone),
    ];
    prop::collection::vec(act, 0..300)
}

/// Zone, owner, type and data, in canonical form.
type Key = (String, String, u16, Vec<u8>);

/// The same, said as simply as possible.
#[derive(Default)]
struct Plain(BTreeMap<Key, RecordLease>);

impl Plain {
    fn key(zone: &Name, owner: &Name, rtype: Rtype, rdata: &Rdata) -> Key {
        let rdata = match rtype {
            Rtype::PTR => rdata.as_wire().to_ascii_lowercase(),
            _ => rdata.as_wire().to_vec(),
        };
        (zone.to_string(), owner.to_string().to_lowercase(), rtype.0, rdata)
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Put(zone, owner, data, lease_s, until) => {
                let (zone, owner, rtype, rdata) = record(zone, owner, data);
                let key = Plain::key(&zone, &owner, rtype, &rdata);
                let lease = lease(&(zone, owner, rtype, rdata), lease_s, until).canonical();
                self.0.remove(&key);
                if lease_s > 0 {
                    self.0.insert(key, lease);
                }
            }
            Act::Changed(zone, owner, data, ref kept) => {
                let (apex, name, rtype, rdata) = record(zone, owner, data);
                let (of, by, ..) = Plain::key(&apex, &name, rtype, &rdata);
                let kept = kept.iter().map(|&data| record(zone, owner, data));
                let kept: Vec<Key> = kept.map(|(z, o, t, d)| Plain::key(&z, &o, t, &d)).collect();
                self.0.retain(|key, _| {
                    (&key.0, &key.1, key.2) != (&of, &by, rtype.0) || kept.contains(key)
                });
            }
            Act::DropZone(zone) => {
                let zone = name(ZONES[usize::from(zone)]).to_string();
                self.0.retain(|key, _| key.0 != zone);
            }
        }
    }
}

fn lease(record: &(Name, Name, Rtype, Rdata), lease_s: u32, until: i64) -> RecordLease {
    let (_, owner, rtype, rdata) = record.clone();
    let from = Timestamp(until - i64::from(lease_s));
    RecordLease { owner, rtype, rdata, from, lease_s, until: Timestamp(until) }
}

fn act(leases: &mut Leases, act: &Act) {
    match *act {
        Act::Put(zone, owner, data, lease_s, until) => {
            let record = record(zone, owner, data);
            leases.put(&record.0, &[lease(&record, lease_s, until)]);
        }
        Act::Changed(zone, owner, data, ref kept) => {
            let (apex, name, rtype, _) = record(zone, owner, data);
            let kept = kept.iter().map(|&data| record(zone, owner, data));
            let rdata: Vec<Rdata> =
                kept.filter(|(_, _, t, _)| *t == rtype).map(|(.., d)| d).collect();
            let after = (!rdata.is_empty()).then_some(Rrset { ttl_s: 60, rdata });
            // What there was before is not needed.
            leases.changed(&apex, &[Delta { owner: name, rtype, before: None, after }]);
        }
        Act::DropZone(zone) => leases.drop_zone(&name(ZONES[usize::from(zone)])),
    }
}

/// What a scan of all leases says that has ended, in order.
fn scan(plain: &Plain, now: i64) -> Vec<Timestamp> {
    let mut ends: Vec<Timestamp> = plain.0.values().map(|lease| lease.until).collect();
    ends.retain(|at| at.0 <= now);
    ends.sort();
    ends
}

fn check(leases: &Leases, plain: &Plain) {
    assert_eq!((leases.len(), leases.is_empty()), (plain.0.len(), plain.0.is_empty()));
    assert_eq!(leases.next_end(), plain.0.values().map(|lease| lease.until).min());
    let all: BTreeMap<Key, RecordLease> = leases.iter().map(keyed).collect();
    assert_eq!(all, plain.0);
    for now in [-1, 7, 20, 40] {
        for max in [0, 1, 3, 50, usize::MAX] {
            let due = leases.due(Timestamp(now), max);
            let ends: Vec<Timestamp> = due.iter().map(|(_, lease)| lease.until).collect();
            let expected: Vec<Timestamp> = scan(plain, now).into_iter().take(max).collect();
            assert_eq!(ends, expected, "at {now}, at most {max}");
            let due: BTreeMap<Key, RecordLease> = due.into_iter().map(keyed).collect();
            assert_eq!(due.len(), expected.len(), "no lease comes twice");
            assert!(due.iter().all(|(key, lease)| plain.0.get(key) == Some(lease)));
        }
    }
}

fn keyed((zone, lease): (Name, RecordLease)) -> (Key, RecordLease) {
    (Plain::key(&zone, &lease.owner, lease.rtype, &lease.rdata), lease)
}

/// The pages hang together, and none of two neighbours is nearly empty.
fn check_pages(leases: &Leases) {
    let mut last: Option<Vec<u8>> = None;
    let mut ends = BTreeSet::new();
    for (bound, page) in &leases.pages {
        for entry in page.entries() {
            assert!(entry.key >= &**bound && last.as_deref() < Some(entry.key), "in order");
            last = Some(entry.key.to_vec());
        }
        ends.extend(page.earliest().map(|at| (at, Arc::clone(bound))));
        assert!(page.octets() > 0 || bound.is_empty());
        assert!(page.octets() <= PAGE_OCTETS || page.entries().count() == 1);
    }
    assert_eq!(leases.queue, ends);
}

proptest! {
    #[test]
    fn leases_are_those_of_a_plain_map(acts in prop_oneof![acts(40), acts(400)]) {
        let (mut leases, mut plain) = (Leases::default(), Plain::default());
        for (step, one) in acts.iter().enumerate() {
            act(&mut leases, one);
            plain.act(one);
            check_pages(&leases);
            if step % 16 == 0 || step + 1 == acts.len() {
                check(&leases, &plain);
            }
            if let Act::Put(zone, owner, data, ..) | Act::Changed(zone, owner, data, _) = *one {
                let (zone, owner, rtype, rdata) = record(zone, owner, data);
                let key = Plain::key(&zone, &owner, rtype, &rdata);
                let found = leases.get(&zone, &owner, rtype, &rdata);
                prop_assert_eq!(found.as_ref(), plain.0.get(&key));
                let of = plain.0.iter().filter(|(other, _)| {
                    (&other.0, &other.1, other.2) == (&key.0, &key.1, key.2)
                });
                let of: Vec<&RecordLease> = of.map(|(_, lease)| lease).collect();
                let found = leases.of(&zone, &owner, rtype);
                prop_assert_eq!(found.iter().collect::<Vec<_>>(), of);
            }
        }
    }
}

/// The record of a host of many, and when its lease ends.
fn host(n: u32) -> RecordLease {
    let owner = name(&format!("host-{n}.one.test"));
    let rdata = Rdata::a(n.into());
    // In no order that its name has.
    let until = Timestamp(i64::from(n.wrapping_mul(2_654_435_761) % 7_200_000));
    let from = Timestamp(until.0 - 7_200_000);
    RecordLease { owner, rtype: Rtype::A, rdata, from, lease_s: 7200, until }
}

#[test]
fn a_lease_takes_few_octets_and_gives_them_back() {
    const HOSTS: u32 = 50_000;
    let zone = name("one.test");
    let mut leases = Leases::default();
    (0..HOSTS).for_each(|n| leases.put(&zone, &[host(n)]));
    let octets = |leases: &Leases| -> usize {
        // Its place in the map and in the queue, and where it begins.
        leases.pages.values().map(|page| page.octets() + 200).sum()
    };
    assert!(octets(&leases) < HOSTS as usize * 64, "{}", octets(&leases));
    // All but one in a hundred end: those that are left go together.
    let ended = (0..HOSTS).filter(|n| n % 100 != 0);
    ended.for_each(|n| leases.put(&zone, &[RecordLease { lease_s: 0, ..host(n) }]));
    assert_eq!(leases.len(), 500);
    assert!(octets(&leases) < 500 * 100, "{}", octets(&leases));
    leases.drop_zone(&zone);
    assert!(leases.is_empty() && leases.queue.is_empty() && leases.pages.len() <= 1);
}

#[test]
fn what_has_ended_is_due_until_it_is_taken_away() {
    let zone = name("one.test");
    let mut leases = Leases::default();
    let at = |until, n: u32| RecordLease { until: Timestamp(until), ..host(n) };
    leases.put(&zone, &[at(30, 1), at(10, 2), at(20, 3)]);
    assert_eq!(leases.next_end(), Some(Timestamp(10)));
    assert_eq!(leases.due(Timestamp(9), 9), []);
    for _ in 0..2 {
        let due: Vec<RecordLease> =
            leases.due(Timestamp(20), 9).into_iter().map(|(_, lease)| lease).collect();
        assert_eq!(due, [at(10, 2), at(20, 3)]);
    }
    // A lease that goes on ends later.
    leases.put(&zone, &[at(40, 2)]);
    assert_eq!(leases.due(Timestamp(30), 1), [(zone.clone(), at(20, 3))]);
    let gone = Delta { owner: host(3).owner, rtype: Rtype::A, before: None, after: None };
    leases.changed(&zone, &[gone]);
    assert_eq!(leases.next_end(), Some(Timestamp(30)));
}

#[test]
fn a_name_outside_its_zone_has_no_lease() {
    let mut leases = Leases::default();
    leases.put(&name("two.test"), &[host(1)]);
    assert_eq!((leases.len(), leases.iter().count()), (0, 0));
    assert!(leases.of(&name("two.test"), &host(1).owner, Rtype::A).is_empty());
}
