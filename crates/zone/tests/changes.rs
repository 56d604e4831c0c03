//! Changes, judged and applied, section by section of RFC 2136.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

#[path = "scene/scene.rs"]
#[allow(dead_code, reason = "shared with tests that ask more")]
mod scene;

use std::cell::Cell;

use scene::{check, name, zone};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::{Change, Delta, Edit, Prerequisite, Refusal, View, Zone, judge, next_serial};

fn example() -> Zone {
    zone(
        "example.",
        "$TTL 300
        @ SOA ns host 1 2 3 4 60
        @ NS ns1
        @ NS ns2
        www A 192.0.2.1
        www A 192.0.2.2
        www TXT text
        alias CNAME WWW
        alias KEY \\# 4 01000308
        old DNAME new
        a.ent A 192.0.2.3",
    )
}

fn rdata(rtype: Rtype, text: &str) -> Rdata {
    Rdata::parse(rtype, text, &name("example.")).expect("data of the type")
}

fn add(owner: &str, ttl_s: u32, rtype: Rtype, text: &str) -> Edit {
    Edit::Add { owner: name(owner), rtype, ttl_s, rdata: rdata(rtype, text) }
}

fn delete(owner: &str, rtype: Rtype, text: &str) -> Edit {
    Edit::DeleteRecord { owner: name(owner), rtype, rdata: rdata(rtype, text) }
}

fn replace(owner: &str, rtype: Rtype, texts: &[&str]) -> Edit {
    let rdata = texts.iter().map(|text| rdata(rtype, text)).collect();
    Edit::Replace { owner: name(owner), rtype, rrset: Rrset { ttl_s: 300, rdata } }
}

fn judged(
    zone: &Zone,
    prerequisites: &[Prerequisite],
    edits: &[Edit],
) -> Result<Vec<Delta>, Refusal> {
    let change = Change {
        zone: name("example."),
        prerequisites: prerequisites.to_vec(),
        edits: edits.to_vec(),
        flaw: None,
    };
    judge(zone, &change)
}

/// Edits a fresh zone; what the RRset consists of afterwards, and under which serial.
fn after(edits: &[Edit], owner: &str, rtype: Rtype) -> (Vec<String>, u32, Serial) {
    let zone = example();
    let deltas = judged(&zone, &[], edits).expect("an acceptable change");
    if !deltas.is_empty() {
        zone.apply(next_serial(zone.serial(), &deltas), &deltas);
    }
    let rrset = zone.rrset(&name(owner), rtype);
    let shown = rrset.iter().flat_map(|rrset| &rrset.rdata).map(|r| r.display(rtype).to_string());
    (shown.collect(), rrset.as_ref().map_or(0, |rrset| rrset.ttl_s), zone.serial())
}

#[test]
fn rfc2136_3_2_each_prerequisite_holds_or_is_refused_with_its_code() {
    let zone = example();
    let (www, none) = (name("WWW.example."), name("none.example."));
    let (ent, values) = (name("ent.example."), |texts: &[&str]| -> Vec<Rdata> {
        texts.iter().map(|text| rdata(Rtype::A, text)).collect()
    });
    use Prerequisite::{NameInUse, NameNotInUse, RrsetDoesNotExist, RrsetEquals, RrsetExists};
    for (prerequisite, expected) in [
        (NameInUse(www.clone()), None),
        (NameInUse(none.clone()), Some(Refusal::NameMissing)),
        // An empty non-terminal owns nothing.
        (NameInUse(ent.clone()), Some(Refusal::NameMissing)),
        (NameNotInUse(ent), None),
        (NameNotInUse(none.clone()), None),
        (NameNotInUse(www.clone()), Some(Refusal::NameExists)),
        (RrsetExists(www.clone(), Rtype::TXT), None),
        (RrsetExists(www.clone(), Rtype::MX), Some(Refusal::RrsetMissing)),
        (RrsetDoesNotExist(www.clone(), Rtype::MX), None),
        (RrsetDoesNotExist(www.clone(), Rtype::A), Some(Refusal::RrsetExists)),
        (RrsetEquals(www.clone(), Rtype::A, values(&["192.0.2.2", "192.0.2.1"])), None),
        (RrsetEquals(www.clone(), Rtype::A, values(&["192.0.2.1"])), Some(Refusal::RrsetMissing)),
        (
            RrsetEquals(www, Rtype::A, values(&["192.0.2.1", "192.0.2.2", "192.0.2.3"])),
            Some(Refusal::RrsetMissing),
        ),
        (RrsetEquals(none, Rtype::A, values(&["192.0.2.1"])), Some(Refusal::RrsetMissing)),
        // Names in data are compared without case (§1.1.1).
        (RrsetEquals(name("alias.example."), Rtype::CNAME, vec![rdata(Rtype::CNAME, "www")]), None),
        (NameInUse(name("www.test.")), Some(Refusal::OutsideZone)),
    ] {
        let said = judged(&zone, std::slice::from_ref(&prerequisite), &[]).err();
        assert_eq!(said, expected, "{prerequisite:?}");
    }
}

#[test]
fn rfc2136_3_2_5_prerequisites_in_order_and_values_last_and_edits_after_all() {
    let zone = example();
    let equals = Prerequisite::RrsetEquals(name("www.example."), Rtype::A, Vec::new());
    let missing = Prerequisite::NameInUse(name("none.example."));
    let outside = Prerequisite::NameInUse(name("x.test."));
    let bad_edit = [Edit::DeleteName { owner: name("x.test.") }];
    for (prerequisites, expected) in [
        (vec![equals.clone(), missing.clone()], Refusal::NameMissing),
        (vec![missing.clone(), outside.clone()], Refusal::NameMissing),
        (vec![outside, missing.clone()], Refusal::OutsideZone),
        (vec![equals], Refusal::RrsetMissing),
        (vec![], Refusal::OutsideZone),
    ] {
        assert_eq!(judged(&zone, &prerequisites, &bad_edit), Err(expected), "{prerequisites:?}");
    }
}

#[test]
fn rfc2136_3_4_1_what_is_malformed_is_refused_before_anything_is_edited() {
    let zone = example();
    let meta = |rtype| Edit::DeleteRrset { owner: name("www.example."), rtype };
    let none = Edit::Replace {
        owner: name("www.example."),
        rtype: Rtype::A,
        rrset: Rrset { ttl_s: 1, rdata: Vec::new() },
    };
    for edit in [
        meta(Rtype::ANY),
        meta(Rtype::AXFR),
        meta(Rtype::MAILB),
        meta(Rtype::OPT),
        meta(Rtype::TSIG),
        meta(Rtype(0)),
        none,
        add("www.example.", 1 << 31, Rtype::A, "192.0.2.3"),
    ] {
        let said = judged(&zone, &[], &[Edit::DeleteName { owner: name("www.example.") }, edit]);
        assert!(matches!(said, Err(Refusal::Malformed(_))), "{said:?}");
    }
    // A type that nobody knows is no reason to refuse (RFC 3597 §3).
    assert!(judged(&zone, &[], &[add("x.example.", 1, Rtype(65_280), "\\# 1 00")]).is_ok());
}

#[test]
fn rfc2136_3_4_2_2_adding() {
    let (www, a) = ("www.example.", Rtype::A);
    let both = ["192.0.2.1", "192.0.2.2"];
    // A record that is there takes the TTL along (RFC 2181 §5.2), a new one goes to the end.
    let (set, ttl_s, serial) = after(&[add(www, 300, a, both[0])], www, a);
    assert_eq!((set, ttl_s, serial), (both.map(str::to_owned).to_vec(), 300, Serial(1)));
    let (set, ttl_s, serial) = after(&[add(www, 5, a, both[0])], www, a);
    assert_eq!((set, ttl_s, serial), (both.map(str::to_owned).to_vec(), 5, Serial(2)));
    let (set, ..) = after(&[add(www, 300, a, "192.0.2.0")], www, a);
    assert_eq!(set, [both[0], both[1], "192.0.2.0"]);
}

#[test]
fn rfc2136_3_4_2_2_cname_and_other_data_pass_each_other_over() {
    let (set, ..) =
        after(&[add("www.example.", 1, Rtype::CNAME, "x")], "www.example.", Rtype::CNAME);
    assert!(set.is_empty());
    let (set, ..) =
        after(&[add("alias.example.", 1, Rtype::A, "192.0.2.9")], "alias.example.", Rtype::A);
    assert!(set.is_empty());
    // One CNAME or DNAME takes the place of the other.
    let (set, ..) =
        after(&[add("alias.example.", 1, Rtype::CNAME, "x")], "alias.example.", Rtype::CNAME);
    assert_eq!(set, ["x.example."]);
    let (set, ..) =
        after(&[add("old.example.", 1, Rtype::DNAME, "x")], "old.example.", Rtype::DNAME);
    assert_eq!(set, ["x.example."]);
    // RFC 3007, RFC 4034: keys and signatures stand beside a CNAME, whichever comes first.
    let key = add("n.example.", 1, Rtype::KEY, "\\# 4 01000308");
    let (set, ..) =
        after(&[key, add("n.example.", 1, Rtype::CNAME, "x")], "n.example.", Rtype::CNAME);
    assert_eq!(set, ["x.example."]);
    // What was deleted in the same change is no obstacle.
    let edits = [
        Edit::DeleteName { owner: name("www.example.") },
        add("www.example.", 1, Rtype::CNAME, "x"),
    ];
    assert_eq!(after(&edits, "www.example.", Rtype::CNAME).0, ["x.example."]);
}

#[test]
fn rfc2136_3_4_2_2_a_soa_is_taken_at_the_apex_when_it_is_newer() {
    let soa =
        |serial: u32| add("example.", 300, Rtype::SOA, &format!("new host {serial} 2 3 4 60"));
    for (serial, mname, served) in
        [(0_u32, "ns", 1), (1, "ns", 1), (7, "new", 7), (1 << 31, "new", 1 << 31)]
    {
        let (set, _, now) = after(&[soa(serial)], "example.", Rtype::SOA);
        assert_eq!(set, [format!("{mname}.example. host.example. {served} 2 3 4 60")]);
        assert_eq!(now, Serial(served));
    }
    let elsewhere = add("x.example.", 300, Rtype::SOA, "ns host 9 2 3 4 60");
    assert!(after(&[elsewhere], "x.example.", Rtype::SOA).0.is_empty());
}

#[test]
fn rfc2136_3_4_2_3_deleting_rrsets_spares_soa_and_ns_of_the_apex() {
    let apex = || name("example.");
    for edits in [
        vec![Edit::DeleteName { owner: apex() }],
        vec![
            Edit::DeleteRrset { owner: apex(), rtype: Rtype::NS },
            Edit::DeleteRrset { owner: apex(), rtype: Rtype::SOA },
        ],
    ] {
        assert_eq!(after(&edits, "example.", Rtype::NS).0.len(), 2);
        assert_eq!(after(&edits, "example.", Rtype::SOA).0.len(), 1);
    }
    let zone = example();
    let name = Edit::DeleteName { owner: name("www.example.") };
    let deltas = judged(&zone, &[], &[name]).expect("an acceptable change");
    assert_eq!(deltas.len(), 2);
    zone.apply(Serial(2), &deltas);
    check(
        &zone,
        "www.example. A",
        &["NXDOMAIN aa", "ns example. 60 SOA ns.example. host.example. 2 2 3 4 60"],
    );
    // Nothing is there to be deleted.
    assert_eq!(
        judged(&zone, &[], &[Edit::DeleteName { owner: scene::name("www.example.") }]),
        Ok(vec![])
    );
}

#[test]
fn rfc2136_3_4_2_4_deleting_records_spares_the_soa_and_the_last_ns_of_the_apex() {
    let ns = |text: &str| delete("example.", Rtype::NS, text);
    assert_eq!(after(&[ns("NS1")], "example.", Rtype::NS).0, ["ns2.example."]);
    assert_eq!(after(&[ns("ns1"), ns("ns2")], "example.", Rtype::NS).0, ["ns2.example."]);
    let soa = delete("example.", Rtype::SOA, "ns host 1 2 3 4 60");
    assert_eq!(after(&[soa], "example.", Rtype::SOA).0.len(), 1);
    let a = |text: &str| delete("www.example.", Rtype::A, text);
    assert_eq!(after(&[a("192.0.2.1")], "www.example.", Rtype::A).0, ["192.0.2.2"]);
    assert_eq!(after(&[a("192.0.2.9")], "www.example.", Rtype::A).2, Serial(1));
    assert!(after(&[a("192.0.2.1"), a("192.0.2.2")], "www.example.", Rtype::A).0.is_empty());
}

#[test]
fn replacing_an_rrset_is_refused_where_adding_is_passed_over() {
    let zone = example();
    for edit in [
        replace("www.example.", Rtype::CNAME, &["x"]),
        replace("alias.example.", Rtype::A, &["192.0.2.1"]),
        replace("new.example.", Rtype::CNAME, &["x", "y"]),
        replace("x.example.", Rtype::SOA, &["ns host 9 2 3 4 60"]),
    ] {
        let said = judged(&zone, &[], std::slice::from_ref(&edit));
        assert!(matches!(said, Err(Refusal::Malformed(_))), "{edit:?}: {said:?}");
    }
    // The same records, in another order and twice, are no change.
    let same = replace("www.example.", Rtype::A, &["192.0.2.2", "192.0.2.1", "192.0.2.2"]);
    assert_eq!(judged(&zone, &[], &[same]), Ok(vec![]));
}

#[test]
fn several_edits_of_an_rrset_are_one_delta_and_back_and_forth_is_none() {
    let zone = example();
    let edits = [
        add("new.example.", 1, Rtype::A, "192.0.2.1"),
        add("NEW.example.", 2, Rtype::A, "192.0.2.2"),
        delete("new.example.", Rtype::A, "192.0.2.1"),
    ];
    let deltas = judged(&zone, &[], &edits).expect("an acceptable change");
    let after = Some(Rrset { ttl_s: 2, rdata: vec![rdata(Rtype::A, "192.0.2.2")] });
    let owner = name("new.example.");
    assert_eq!(deltas, [Delta { owner, rtype: Rtype::A, before: None, after }]);
    let back = [
        delete("www.example.", Rtype::A, "192.0.2.1"),
        add("www.example.", 300, Rtype::A, "192.0.2.1"),
    ];
    assert_eq!(judged(&zone, &[], &back), Ok(vec![]));
}

#[test]
fn many_names_and_records_are_changed_by_the_same_rules_as_few() {
    let zone = example();
    for count in [1, 7, 8, 9, 40] {
        let all = || 0..count;
        // Records that differ in the case of a name are one; the last spelling stays, at its place.
        let lower = all().map(|n| add("many.example.", 5, Rtype::NS, &format!("ns{n}")));
        let upper = all().map(|n| add("MANY.example.", 5, Rtype::NS, &format!("NS{n}")));
        let gone = all().step_by(3).map(|n| delete("many.example.", Rtype::NS, &format!("nS{n}")));
        // Other names between them.
        let others = all().map(|n| add(&format!("other{n}.example."), 5, Rtype::A, "192.0.2.1"));
        let back = all().map(|n| Edit::DeleteName { owner: name(&format!("Other{n}.example.")) });
        let again = [add("many.example.", 5, Rtype::NS, "ns0")];
        let parts = lower.chain(others).chain(upper).chain(gone).chain(back).chain(again);
        let edits: Vec<Edit> = parts.collect();
        let kept = all().filter(|n| n % 3 != 0).map(|n| format!("NS{n}"));
        let expected: Vec<Rdata> =
            kept.chain(["ns0".to_owned()]).map(|text| rdata(Rtype::NS, &text)).collect();
        let deltas = judged(&zone, &[], &edits).expect("an acceptable change");
        let after = Some(Rrset { ttl_s: 5, rdata: expected });
        let owner = name("many.example.");
        assert_eq!(deltas, [Delta { owner, rtype: Rtype::NS, before: None, after }], "{count}");
    }
}

#[test]
fn rfc1982_3_2_the_next_serial_passes_the_end_and_over_zero() {
    assert_eq!(next_serial(Serial(1), &[]), Serial(2));
    assert_eq!(next_serial(Serial(u32::MAX), &[]), Serial(1));
    assert_eq!(next_serial(Serial((1 << 31) - 1), &[]), Serial(1 << 31));
}

#[test]
fn an_rrset_that_no_message_can_carry_is_refused() {
    let zone = example();
    let edits: Vec<Edit> = (0..5000_u32)
        .map(|number| Edit::Add {
            owner: name("many.example."),
            rtype: Rtype::A,
            ttl_s: 1,
            rdata: Rdata::a(number.into()),
        })
        .collect();
    assert!(matches!(judged(&zone, &[], &edits), Err(Refusal::Malformed(_))));
    assert_eq!(judged(&zone, &[], &edits[..4000]).map(|deltas| deltas.len()), Ok(1));
    assert!(matches!(
        judged(&zone, &[], &vec![edits[0].clone(); 6001]),
        Err(Refusal::Malformed(_))
    ));
}

/// A view that counts how often it is looked at.
struct Counting<'a> {
    zone: &'a Zone,
    looks: Cell<usize>,
}

impl View for Counting<'_> {
    fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<Rrset> {
        self.looks.set(self.looks.get() + 1);
        self.zone.rrset(owner, rtype)
    }

    fn types(&self, owner: &Name) -> Vec<Rtype> {
        self.looks.set(self.looks.get() + 1);
        self.zone.types(owner)
    }
}

#[test]
fn an_rrset_is_fetched_once_however_many_edits_it_has() {
    let zone = example();
    let view = Counting { zone: &zone, looks: Cell::new(0) };
    let edits = vec![delete("www.example.", Rtype::A, "192.0.2.9"); 3000];
    let change = Change::new(name("example."), edits);
    assert_eq!(judge(&view, &change), Ok(vec![]));
    assert_eq!(view.looks.get(), 1);
}

#[test]
fn a_snapshot_of_a_large_zone_stays_as_it_was() {
    let zone = example();
    let owner = |number: u32| name(&format!("h{number}.x.example."));
    let rrset = |number: u32| Rrset { ttl_s: 60, rdata: vec![Rdata::a(number.into())] };
    // Beyond the size at which the index spreads out.
    zone.load((0..9000).map(|number| (owner(number), Rtype::A, rrset(number))));
    let count = zone.rrset_count();
    let snapshot = zone.snapshot();
    let deltas: Vec<Delta> = (0..9000)
        .map(|number| Delta {
            owner: owner(number),
            rtype: Rtype::A,
            before: Some(rrset(number)),
            after: (number % 2 == 0).then(|| rrset(number + 1)),
        })
        .collect();
    zone.apply(Serial(2), &deltas);
    assert_eq!((snapshot.serial(), snapshot.rrset_count()), (Serial(1), count));
    assert_eq!(zone.rrset_count(), count - 4500);
    let kept = snapshot.rrsets().filter(|(_, rtype, _)| *rtype == Rtype::A).all(|(o, _, rrset)| {
        (0..9000_u32).contains(&rrset.rdata[0].ipv4().map_or(u32::MAX, u32::from))
            || !o.is_subdomain_of(&name("x.example."))
    });
    assert!(kept);
    assert_eq!(zone.rrset(&owner(1), Rtype::A), None);
    assert_eq!(zone.rrset(&owner(2), Rtype::A), Some(rrset(3)));
}

#[test]
fn an_answer_shows_one_state_and_never_a_mix_of_two() {
    let zone = example();
    let state = |number: u8| {
        [
            add("m.example.", 1, Rtype::MX, &format!("{number} h.example.")),
            add("h.example.", 1, Rtype::A, &format!("192.0.2.{number}")),
            Edit::DeleteRrset { owner: name("m.example."), rtype: Rtype::MX },
            Edit::DeleteRrset { owner: name("h.example."), rtype: Rtype::A },
        ]
    };
    let change = |number: u8| {
        let [mx, a, no_mx, no_a] = state(number);
        let deltas = judged(&zone, &[], &[no_mx, mx, no_a, a]).expect("an acceptable change");
        zone.apply(next_serial(zone.serial(), &deltas), &deltas);
    };
    change(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..2000_u32).for_each(|n| change((n % 200) as u8)));
        // At least once after the writer has ended, too.
        loop {
            let ended = writer.is_finished();
            let said = scene::ask(&zone, "m.example. MX", 512);
            let [_, mx, a] = said.as_slice() else { panic!("{said:?}") };
            let number = |line: &str, before: &str| {
                let (_, rest) = line.split_once(before).expect("the record");
                rest.split_whitespace().next().map(str::to_owned)
            };
            assert_eq!(number(mx, " MX "), number(a, " A 192.0.2."), "{said:?}");
            let snapshot = zone.snapshot();
            let soa = snapshot.rrsets().find(|(_, rtype, _)| *rtype == Rtype::SOA);
            let serial = soa.and_then(|(.., rrset)| rrset.rdata[0].soa_fields()).map(|s| s.serial);
            assert_eq!(serial, Some(snapshot.serial().0));
            if ended {
                break;
            }
        }
    });
}

#[test]
fn records_outside_of_the_zone_are_never_taken_in() {
    let zone = example();
    let count = zone.rrset_count();
    let rrset = Rrset { ttl_s: 1, rdata: vec![rdata(Rtype::A, "192.0.2.1")] };
    let outside = ["test.", "xexample.", "example.test.", "."].map(name);
    zone.load(outside.iter().map(|owner| (owner.clone(), Rtype::A, rrset.clone())));
    let deltas = outside.clone().map(|owner| Delta {
        owner,
        rtype: Rtype::A,
        before: None,
        after: Some(rrset.clone()),
    });
    zone.apply(Serial(2), &deltas);
    assert_eq!(zone.rrset_count(), count);
    for owner in outside {
        assert_eq!(zone.rrset(&owner, Rtype::A), None, "{owner}");
        assert!(zone.types(&owner).is_empty(), "{owner}");
    }
}
