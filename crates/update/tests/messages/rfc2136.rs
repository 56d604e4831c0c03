//! RFC 2136, paragraph by paragraph, from the octets of a message to the zone after it.

use wire::{Rcode, Rtype};

use crate::kit::{Names, World, message};

const ZONE: &str = "example.";
const RECORDS: [&str; 8] = [
    "www 300 A 192.0.2.1",
    "www 300 A 192.0.2.2",
    "www 300 TXT \"text\"",
    "alias 300 CNAME www.example.",
    "deep.ent 300 A 192.0.2.3",
    "*.wild 300 A 192.0.2.4",
    "@ 300 MX 10 www.example.",
    "@ 300 NS ns2.example.",
];

fn example() -> World {
    World::new(ZONE, &RECORDS)
}

/// The code of a message with these prerequisites; nothing changes.
fn asked(prerequisites: &[&str]) -> Rcode {
    let world = example();
    let code = world.send(&message(ZONE, Names::Plain, prerequisites, &[]));
    assert_eq!(world.serial(), 1);
    code
}

/// The code of a message with these edits, and how the records differ afterwards: what is new with
/// `+`, what is gone with `-`.
fn edited(edits: &[&str], expected: &[&str]) -> Rcode {
    let world = example();
    let code = world.send(&message(ZONE, Names::Compressed, &[], edits));
    let gone = |line: &&&str| !expected.iter().any(|change| change.strip_prefix('-') == Some(line));
    let kept = RECORDS.iter().filter(|line| !line.contains(" NS ")).filter(gone).copied();
    let new = expected.iter().filter_map(|change| change.strip_prefix('+'));
    world.check(&kept.chain(new).collect::<Vec<_>>());
    // §3.6: the serial moves with the data, and only then.
    assert_eq!(world.serial(), 1 + u32::from(!expected.is_empty()), "{edits:?}");
    code
}

fn table(rows: &[(&[&str], Rcode)]) {
    for (prerequisites, expected) in rows {
        assert_eq!(asked(prerequisites), *expected, "{prerequisites:?}");
    }
}

#[test]
fn rfc2136_2_4_1_rrset_exists_whatever_its_value() {
    table(&[
        (&["www ANY A"], Rcode::NOERROR),
        (&["WWW.EXAMPLE. ANY A"], Rcode::NOERROR),
        (&["www ANY AAAA"], Rcode::NXRRSET),
        (&["none ANY A"], Rcode::NXRRSET),
        // An alias is not followed, and a wildcard is a name like any other.
        (&["alias ANY A"], Rcode::NXRRSET),
        (&["x.wild ANY A"], Rcode::NXRRSET),
        (&["*.wild ANY A"], Rcode::NOERROR),
        (&["@ ANY SOA"], Rcode::NOERROR),
        (&["www ANY A 1"], Rcode::FORMERR),
        (&["www ANY A 0 192.0.2.1"], Rcode::FORMERR),
        (&["www.test. ANY A"], Rcode::NOTZONE),
    ]);
}

#[test]
fn rfc2136_2_4_2_rrset_exists_with_these_records_and_no_others() {
    let (one, two, three) =
        ("www IN A 0 192.0.2.1", "www IN A 0 192.0.2.2", "www IN A 0 192.0.2.3");
    table(&[
        (&[one, two], Rcode::NOERROR),
        (&[two, one], Rcode::NOERROR),
        (&[two, one, two], Rcode::NOERROR),
        (&[one], Rcode::NXRRSET),
        (&[one, two, three], Rcode::NXRRSET),
        (&["none IN A 0 192.0.2.1"], Rcode::NXRRSET),
        // Several RRsets, their records mixed.
        (&[one, "www IN TXT 0 text", two], Rcode::NOERROR),
        (&[one, "www IN TXT 0 Text", two], Rcode::NXRRSET),
        // §1.1.1: names in data without regard to case.
        (&["alias IN CNAME 0 WWW.example."], Rcode::NOERROR),
        (&["www IN A 300 192.0.2.1", two], Rcode::FORMERR),
        (&["www IN A 0"], Rcode::FORMERR),
        (&["www.test. IN A 0 192.0.2.1"], Rcode::NOTZONE),
    ]);
}

#[test]
fn rfc2136_2_4_3_rrset_does_not_exist() {
    table(&[
        (&["www NONE AAAA"], Rcode::NOERROR),
        (&["none NONE A"], Rcode::NOERROR),
        (&["www NONE A"], Rcode::YXRRSET),
        (&["www NONE A 1"], Rcode::FORMERR),
        (&["www NONE AAAA 0 2001:db8::1"], Rcode::FORMERR),
        (&["www.test. NONE A"], Rcode::NOTZONE),
    ]);
}

#[test]
fn rfc2136_2_4_4_name_is_in_use_which_an_empty_non_terminal_is_not() {
    table(&[
        (&["www ANY ANY"], Rcode::NOERROR),
        (&["alias ANY ANY"], Rcode::NOERROR),
        (&["@ ANY ANY"], Rcode::NOERROR),
        (&["none ANY ANY"], Rcode::NXDOMAIN),
        (&["ent ANY ANY"], Rcode::NXDOMAIN),
        (&["x.wild ANY ANY"], Rcode::NXDOMAIN),
        (&["www ANY ANY 1"], Rcode::FORMERR),
        (&["www.test. ANY ANY"], Rcode::NOTZONE),
    ]);
}

#[test]
fn rfc2136_2_4_5_name_is_not_in_use_as_an_empty_non_terminal_is() {
    table(&[
        (&["none NONE ANY"], Rcode::NOERROR),
        (&["ent NONE ANY"], Rcode::NOERROR),
        (&["x.wild NONE ANY"], Rcode::NOERROR),
        (&["www NONE ANY"], Rcode::YXDOMAIN),
        (&["@ NONE ANY"], Rcode::YXDOMAIN),
        (&["none NONE ANY 1"], Rcode::FORMERR),
        (&["none.test. NONE ANY"], Rcode::NOTZONE),
    ]);
}

#[test]
fn rfc2136_2_5_1_add_to_an_rrset() {
    for (edits, expected) in [
        (&["new IN A 60 192.0.2.9"][..], &["+new 60 A 192.0.2.9"][..]),
        (
            &["alias IN CNAME 60 new"],
            &["-alias 300 CNAME www.example.", "+alias 60 CNAME new.example."],
        ),
        (&["mail IN MX 60 10 www"], &["+mail 60 MX 10 www.example."]),
        (&["*.other IN A 60 192.0.2.9"], &["+*.other 60 A 192.0.2.9"]),
        // Silently ignored: what is there, an alias beside others, and others beside an alias.
        (&["WWW IN A 300 192.0.2.2"], &[]),
        (&["www IN CNAME 300 new"], &[]),
        (&["alias IN A 300 192.0.2.9"], &[]),
        (&["www IN SOA 300 ns host 9 2 3 4 5"], &[]),
        // RFC 3597: a type that nobody knows, and RFC 4701.
        (&["new IN TYPE65280 60 \\# 2 abcd"], &["+new 60 TYPE65280 \\# 2 abcd"]),
        (&["new IN DHCID 60 AAEB"], &["+new 60 DHCID AAEB"]),
    ] {
        assert_eq!(edited(edits, expected), Rcode::NOERROR, "{edits:?}");
    }
    for edit in [
        "new IN A 60",
        "new IN ANY 60",
        "new IN AXFR 60",
        "new IN MAILB 60",
        "new CH A 60 192.0.2.9",
    ] {
        assert_eq!(edited(&["www ANY TXT", edit], &[]), Rcode::FORMERR, "{edit}");
    }
    assert_eq!(edited(&["www ANY TXT", "new.test. IN A 60 192.0.2.9"], &[]), Rcode::NOTZONE);
}

#[test]
fn rfc2136_2_5_2_delete_an_rrset() {
    let addresses = ["-www 300 A 192.0.2.1", "-www 300 A 192.0.2.2"];
    assert_eq!(edited(&["WWW ANY A"], &addresses), Rcode::NOERROR);
    assert_eq!(edited(&["@ ANY MX"], &["-@ 300 MX 10 www.example."]), Rcode::NOERROR);
    // Silently ignored: what is not there, and SOA and NS of the apex.
    for edit in ["www ANY AAAA", "none ANY A", "x.wild ANY A", "@ ANY SOA", "@ ANY NS"] {
        assert_eq!(edited(&[edit], &[]), Rcode::NOERROR, "{edit}");
    }
    for edit in ["www ANY A 1", "www ANY A 0 192.0.2.1", "www ANY AXFR", "www ANY MAILA"] {
        assert_eq!(edited(&["www ANY TXT", edit], &[]), Rcode::FORMERR, "{edit}");
    }
    assert_eq!(edited(&["www ANY TXT", "www.test. ANY A"], &[]), Rcode::NOTZONE);
}

#[test]
fn rfc2136_2_5_3_delete_all_rrsets_of_a_name() {
    let all = ["-www 300 A 192.0.2.1", "-www 300 A 192.0.2.2", "-www 300 TXT \"text\""];
    assert_eq!(edited(&["www ANY ANY"], &all), Rcode::NOERROR);
    assert_eq!(edited(&["*.wild ANY ANY"], &["-*.wild 300 A 192.0.2.4"]), Rcode::NOERROR);
    for edit in ["none ANY ANY", "ent ANY ANY", "x.wild ANY ANY"] {
        assert_eq!(edited(&[edit], &[]), Rcode::NOERROR, "{edit}");
    }
    // All but SOA and NS.
    assert_eq!(edited(&["@ ANY ANY"], &["-@ 300 MX 10 www.example."]), Rcode::NOERROR);
    let world = example();
    world.send(&message(ZONE, Names::Plain, &[], &["@ ANY ANY"]));
    assert_eq!((world.count("@", Rtype::SOA), world.count("@", Rtype::NS)), (1, 2));
    assert_eq!(edited(&["www ANY TXT", "www ANY ANY 1"], &[]), Rcode::FORMERR);
}

#[test]
fn rfc2136_2_5_4_delete_a_record() {
    let one = ["-www 300 A 192.0.2.1"];
    assert_eq!(edited(&["www NONE A 0 192.0.2.1"], &one), Rcode::NOERROR);
    let alias = ["-alias 300 CNAME www.example."];
    assert_eq!(edited(&["alias NONE CNAME 0 WWW.Example."], &alias), Rcode::NOERROR);
    for edit in ["www NONE A 0 192.0.2.9", "none NONE A 0 192.0.2.1", "www NONE TXT 0 Text"] {
        assert_eq!(edited(&[edit], &[]), Rcode::NOERROR, "{edit}");
    }
    for edit in ["www NONE A 1 192.0.2.1", "www NONE A", "www NONE ANY", "www NONE MAILB"] {
        assert_eq!(edited(&["www ANY TXT", edit], &[]), Rcode::FORMERR, "{edit}");
    }
    // The SOA stays, and the last NS: here the first of two goes, and the second does not.
    let world = example();
    let edits =
        ["@ NONE NS 0 ns.example.", "@ NONE NS 0 ns2.example.", "@ NONE SOA 0 ns host 1 2 3 4 5"];
    assert_eq!(world.send(&message(ZONE, Names::Compressed, &[], &edits)), Rcode::NOERROR);
    assert_eq!((world.count("@", Rtype::SOA), world.count("@", Rtype::NS)), (1, 1));
}

#[test]
fn rfc2136_3_1_2_only_the_apex_of_a_zone_that_is_served_is_its_name() {
    let world = example();
    for (zone, expected) in [
        ("example.", Rcode::NOERROR),
        ("EXAMPLE.", Rcode::NOERROR),
        ("www.example.", Rcode::NOTAUTH),
        ("test.", Rcode::NOTAUTH),
        (".", Rcode::NOTAUTH),
    ] {
        assert_eq!(world.send(&message(zone, Names::Plain, &[], &[])), expected, "{zone}");
        // Whatever is wrong behind the zone section comes after it.
        let both = world.send(&message(zone, Names::Plain, &["x.test. ANY A"], &["y. ANY A 1"]));
        let told = if expected == Rcode::NOERROR { Rcode::NOTZONE } else { expected };
        assert_eq!(both, told, "{zone}");
    }
}

#[test]
fn rfc2136_3_2_prerequisites_are_told_before_edits_and_hold_for_the_state_before_them() {
    let send = |wanted: &[&str], edits: &[&str]| {
        let world = example();
        (world.send(&message(ZONE, Names::Plain, wanted, edits)), world.serial())
    };
    let add = ["new IN A 60 192.0.2.9"];
    assert_eq!(send(&["new NONE ANY"], &add), (Rcode::NOERROR, 2));
    assert_eq!(send(&["new ANY ANY"], &add), (Rcode::NXDOMAIN, 1));
    assert_eq!(send(&["www NONE ANY"], &["www ANY ANY"]), (Rcode::YXDOMAIN, 1));
    for malformed in ["www CH A 0 192.0.2.1", "x.test. IN A 60 192.0.2.1", "www ANY A 1"] {
        assert_eq!(send(&["new ANY ANY"], &[malformed]), (Rcode::NXDOMAIN, 1), "{malformed}");
        assert_eq!(send(&["www IN A 0 192.0.2.9"], &[malformed]), (Rcode::NXRRSET, 1));
    }
    // §3.2.5: in the order of the records, values last.
    for (wanted, expected) in [
        (["none ANY ANY", "www ANY A 1"], Rcode::NXDOMAIN),
        (["www ANY A 1", "none ANY ANY"], Rcode::FORMERR),
        (["none ANY ANY", "x.test. ANY A"], Rcode::NXDOMAIN),
        (["x.test. ANY A", "none ANY ANY"], Rcode::NOTZONE),
        (["www IN A 0 192.0.2.9", "www NONE A"], Rcode::YXRRSET),
        (["www IN A 0 192.0.2.9", "www CH A 0 192.0.2.9"], Rcode::FORMERR),
        (["www IN A 0 192.0.2.9", "x.test. IN A 0 192.0.2.9"], Rcode::NOTZONE),
        (["www IN A 0 192.0.2.9", "x.test. CH A 0 192.0.2.9"], Rcode::NOTZONE),
    ] {
        assert_eq!(send(&wanted, &[]), (expected, 1), "{wanted:?}");
    }
}

#[test]
fn rfc2136_3_4_2_edits_are_made_in_their_order() {
    let (one, two) = ("-www 300 A 192.0.2.1", "-www 300 A 192.0.2.2");
    for (edits, expected) in [
        (&["www ANY A", "www IN A 60 192.0.2.9"][..], &[one, two, "+www 60 A 192.0.2.9"][..]),
        (&["www IN A 60 192.0.2.9", "www ANY A"], &[one, two]),
        (&["new IN A 60 192.0.2.9", "new NONE A 0 192.0.2.9"], &[]),
        // Of two TTLs the later one is that of the RRset (RFC 2181 §5.2).
        (
            &["new IN A 60 192.0.2.9", "new IN A 30 192.0.2.8"],
            &["+new 30 A 192.0.2.9", "+new 30 A 192.0.2.8"],
        ),
        (
            &["alias ANY ANY", "alias IN A 60 192.0.2.9"],
            &["-alias 300 CNAME www.example.", "+alias 60 A 192.0.2.9"],
        ),
        (&["alias IN A 60 192.0.2.9", "alias ANY CNAME"], &["-alias 300 CNAME www.example."]),
    ] {
        assert_eq!(edited(edits, expected), Rcode::NOERROR, "{edits:?}");
    }
}

#[test]
fn rfc2136_3_5_all_edits_are_made_or_none() {
    let good = ["www ANY ANY", "new IN A 60 192.0.2.9", "@ NONE NS 0 ns2"];
    for (bad, expected) in [
        ("x.test. ANY ANY", Rcode::NOTZONE),
        ("new IN A 60", Rcode::FORMERR),
        ("new NONE A 1 192.0.2.9", Rcode::FORMERR),
        ("new IN A 2147483648 192.0.2.9", Rcode::FORMERR),
    ] {
        for at in 0..=good.len() {
            let mut edits = good.to_vec();
            edits.insert(at, bad);
            assert_eq!(edited(&edits, &[]), expected, "{edits:?}");
        }
    }
}

#[test]
fn rfc2136_3_6_the_serial_is_the_requestors_when_that_is_newer() {
    for (serial, expected) in [(7, 7), (1, 2), (0, 2)] {
        let world = example();
        let soa = format!("@ IN SOA 60 ns.example. host.example. {serial} 2 3 4 5");
        let edits = [soa.as_str(), "new IN A 60 192.0.2.9"];
        assert_eq!(world.send(&message(ZONE, Names::Compressed, &[], &edits)), Rcode::NOERROR);
        assert_eq!((world.serial(), world.count("new", Rtype::A)), (expected, 1));
    }
}
