//! Owners of more than 8 KiB, whose images stand outside of the segments of the index.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::collections::BTreeMap;

use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::{Delta, SetRef, View, Zone};

/// How an RRset comes into a zone.
type Way = fn(&Zone, &[(Name, Rrset)]);

const WAYS: [(&str, Way); 3] = [("apply", apply), ("load", load), ("loader", loader)];

fn apply(zone: &Zone, sets: &[(Name, Rrset)]) {
    for (owner, rrset) in sets {
        change(zone, owner, Some(rrset.clone()));
    }
}

fn load(zone: &Zone, sets: &[(Name, Rrset)]) {
    zone.load(sets.iter().map(|(owner, rrset)| (owner.clone(), Rtype::TXT, rrset.clone())));
}

fn loader(zone: &Zone, sets: &[(Name, Rrset)]) {
    let mut loader = zone.loader();
    for (owner, Rrset { ttl_s, rdata }) in sets {
        let packed = rdata.iter().flat_map(|rdata| {
            let len = u16::try_from(rdata.as_wire().len()).expect("a record's length");
            [len.to_be_bytes().as_slice(), rdata.as_wire()].concat()
        });
        let records: Vec<u8> = packed.collect();
        let set = SetRef { rtype: Rtype::TXT, ttl_s: *ttl_s, records: &records };
        loader.put(owner.as_wire(), &[set]);
    }
}

fn change(zone: &Zone, owner: &Name, after: Option<Rrset>) {
    let before = zone.rrset(owner, Rtype::TXT);
    let delta = Delta { owner: owner.clone(), rtype: Rtype::TXT, before, after };
    zone.apply(zone.serial().next(), &[delta]);
}

/// So many records of about 200 octets; 45 of them are more than 8 KiB.
fn texts(count: u32) -> Rrset {
    let text = |n: u32| Rdata::txt(&[&[b'x'; 200], n.to_string().as_bytes()]).expect("a text");
    Rrset { ttl_s: 60, rdata: (0..count).map(text).collect() }
}

fn host(number: u32) -> Name {
    Name::parse(&format!("host-{number}.")).expect("a name")
}

/// 255 octets with the root label, so 254 before it.
fn longest() -> Name {
    let name = ["a", "b", "c"].map(|letter| letter.repeat(63)).join(".") + "." + &"d".repeat(61);
    let name = Name::parse(&(name + ".")).expect("a name");
    assert_eq!(name.as_wire().len(), 255);
    name
}

fn new_zone() -> Zone {
    Zone::new(&Name::root(), Serial(1))
}

/// What an export writes.
fn content(zone: &Zone) -> BTreeMap<Name, usize> {
    let snapshot = zone.snapshot();
    assert_eq!(snapshot.rrset_count(), snapshot.rrsets().count());
    snapshot.rrsets().map(|(owner, _, rrset)| (owner, rrset.rdata.len())).collect()
}

#[test]
fn a_giant_with_a_long_name_is_kept() {
    let owner = longest();
    for (way, put) in WAYS {
        let zone = new_zone();
        let check = |count: u32| {
            assert_eq!(zone.rrset(&owner, Rtype::TXT), Some(texts(count)), "{way} {count}");
            assert_eq!(content(&zone), BTreeMap::from([(owner.clone(), count as usize)]), "{way}");
            assert_eq!(zone.rrset_count(), 1, "{way}");
        };
        put(&zone, &[(owner.clone(), texts(45))]);
        check(45);
        // Another one in its place, and one that is none, and then one again.
        for count in [46, 1, 300] {
            put(&zone, &[(owner.clone(), texts(count))]);
            check(count);
        }
        let kept = zone.snapshot();
        change(&zone, &owner, None);
        assert_eq!((content(&zone), zone.rrset_count()), (BTreeMap::new(), 0), "{way}");
        put(&zone, &[(owner.clone(), texts(47))]);
        check(47);
        let was: Vec<_> = kept.rrsets().collect();
        assert_eq!(was, [(owner.clone(), Rtype::TXT, texts(300))], "{way}");
    }
}

#[test]
fn giants_with_long_names_stand_beside_others() {
    let under = |number: u32| {
        let label = format!("{number:061}");
        let name = ["a", "b", "c"].map(|letter| letter.repeat(63)).join(".");
        Name::parse(&format!("{label}.{name}.")).expect("a name")
    };
    for (way, put) in WAYS {
        let zone = new_zone();
        let mut expected = BTreeMap::new();
        for number in 0..150 {
            let (owner, count) = match number % 3 {
                0 => (under(number), 45),
                1 => (host(number), 1),
                _ => (under(number), 1),
            };
            put(&zone, &[(owner.clone(), texts(count))]);
            expected.insert(owner, count as usize);
        }
        assert_eq!(content(&zone), expected, "{way}");
        for (owner, count) in &mut expected {
            *count = if *count == 1 { 50 } else { 2 };
            put(&zone, &[(owner.clone(), texts(*count as u32))]);
        }
        assert_eq!(content(&zone), expected, "{way}");
    }
}

#[test]
fn many_giants_split_segments_and_never_stop_the_writer() {
    // More names than a segment has slots, each with a record of more than 8 KiB.
    let text = Rdata::txt(&[[b'x'; 250].as_slice(); 34]).expect("a text");
    let rrset = Rrset { ttl_s: 60, rdata: vec![text] };
    let sets: Vec<(Name, Rrset)> = (0..4200).map(|number| (host(number), rrset.clone())).collect();
    let expected: BTreeMap<Name, usize> =
        sets.iter().map(|(owner, rrset)| (owner.clone(), rrset.rdata.len())).collect();
    for (way, put) in WAYS {
        let zone = new_zone();
        put(&zone, &sets);
        assert_eq!(zone.rrset_count(), sets.len(), "{way}");
        assert_eq!(content(&zone), expected, "{way}");
        for (owner, rrset) in sets.iter().step_by(97) {
            assert_eq!(zone.rrset(owner, Rtype::TXT).as_ref(), Some(rrset), "{way}");
        }
        let full = zone.octets();
        sets.iter().skip(1).for_each(|(owner, _)| change(&zone, owner, None));
        assert_eq!(content(&zone).into_iter().collect::<Vec<_>>(), [(host(0), 1)], "{way}");
        assert!(zone.octets() < full / 100, "{way}: {} of {full}", zone.octets());
    }
}
