use proptest::prelude::*;
use zone::{Zone, judge};

use super::*;
use crate::{Verdict, answer, compose, refusal};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// One record of a message, as its fields are: owner, type, class, TTL, data.
type Fields<'a> = (&'a str, Rtype, Class, u32, &'a [u8]);

/// A message with these records as prerequisites, edits and additional data.
fn message(sections: [&[Fields<'_>]; 3]) -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 0x28, 0, 0, 1];
    for section in sections {
        message.extend_from_slice(&(section.len() as u16).to_be_bytes());
    }
    message.extend_from_slice(b"\x03dyn\x07example\0\0\x06\0\x01");
    for &(owner, rtype, class, ttl, data) in sections.into_iter().flatten() {
        message.extend_from_slice(name(owner).as_wire());
        message.extend_from_slice(&rtype.0.to_be_bytes());
        message.extend_from_slice(&class.0.to_be_bytes());
        message.extend_from_slice(&ttl.to_be_bytes());
        message.extend_from_slice(&(data.len() as u16).to_be_bytes());
        message.extend_from_slice(data);
    }
    message
}

/// A zone with `nas` (A 192.0.2.1 and .2, TXT) and an alias.
fn zone() -> Zone {
    let apex = name("dyn.example.");
    let zone = Zone::new(&apex, wire::Serial(1));
    let records = [
        ("dyn.example.", Rtype::SOA, "ns. host. 1 2 3 4 5"),
        ("dyn.example.", Rtype::NS, "ns."),
        (NAS, Rtype::A, "192.0.2.1"),
        (NAS, Rtype::A, "192.0.2.2"),
        (NAS, Rtype::TXT, "x"),
        ("alias.dyn.example.", Rtype::CNAME, "nas"),
    ];
    let edits = records.map(|(owner, rtype, text)| {
        let rdata = Rdata::parse(rtype, text, &apex).unwrap();
        Edit::Add { owner: name(owner), rtype, ttl_s: 60, rdata }
    });
    let change = Change::new(apex.clone(), edits.into());
    let deltas = judge(&zone, &change).unwrap();
    zone.apply(wire::Serial(1), &deltas);
    zone
}

/// The response code of a message for [`zone`].
fn code(octets: &[u8]) -> Rcode {
    match parse(octets) {
        Ok(update) => match judge(&zone(), &update.change) {
            Ok(_) => Rcode::NOERROR,
            Err(why) => refusal(why).rcode,
        },
        Err(Unread::Refuse(_, rcode, _)) => rcode,
        Err(Unread::Silence) => panic!("silence"),
    }
}

const NAS: &str = "nas.dyn.example.";
const NEW: &str = "new.dyn.example.";
const A1: &[u8] = &[192, 0, 2, 1];
const A2: &[u8] = &[192, 0, 2, 2];

#[test]
fn rfc2136_3_1_the_zone_section_names_one_zone_by_its_soa() {
    let good = message([&[], &[], &[]]);
    assert_eq!(code(&good), Rcode::NOERROR);
    let with = |at: usize, octets: &[u8]| {
        let mut message = good.clone();
        message[at..at + octets.len()].copy_from_slice(octets);
        message
    };
    let end = good.len();
    assert_eq!(code(&with(end - 4, &[0, 1])), Rcode::FORMERR, "type A");
    assert_eq!(code(&with(end - 2, &[0, 3])), Rcode::NOTAUTH, "class CH");
    assert_eq!(code(&with(4, &[0, 0])), Rcode::FORMERR, "no zone, octets left");
    let mut two = [good.clone(), good[12..].to_vec()].concat();
    two[5] = 2;
    assert_eq!(code(&two), Rcode::FORMERR, "two zones");
    let mut none = good[..12].to_vec();
    none[5] = 0;
    assert_eq!(code(&none), Rcode::FORMERR, "no zone");
    let response = with(2, &[0xa8]);
    assert!(matches!(parse(&response), Err(Unread::Silence)));
    assert!(matches!(parse(&good[..11]), Err(Unread::Silence)));
}

#[test]
fn rfc2136_2_4_and_3_2_each_form_of_a_prerequisite() {
    let (any, none, class_in) = (Class::ANY, Class::NONE, Class::IN);
    let table: &[(&[Fields<'_>], Rcode)] = &[
        (&[(NAS, Rtype::A, any, 0, b"")], Rcode::NOERROR),
        (&[(NAS, Rtype::AAAA, any, 0, b"")], Rcode::NXRRSET),
        (&[(NAS, Rtype::A, none, 0, b"")], Rcode::YXRRSET),
        (&[(NAS, Rtype::AAAA, none, 0, b"")], Rcode::NOERROR),
        (&[(NAS, Rtype::ANY, any, 0, b"")], Rcode::NOERROR),
        (&[(NEW, Rtype::ANY, any, 0, b"")], Rcode::NXDOMAIN),
        (&[(NAS, Rtype::ANY, none, 0, b"")], Rcode::YXDOMAIN),
        (&[(NEW, Rtype::ANY, none, 0, b"")], Rcode::NOERROR),
        (&[(NAS, Rtype::A, class_in, 0, A1)], Rcode::NXRRSET),
        (&[(NAS, Rtype::A, class_in, 0, A2), (NAS, Rtype::A, class_in, 0, A1)], Rcode::NOERROR),
        // Records of one RRset may stand apart.
        (
            &[
                (NAS, Rtype::A, class_in, 0, A2),
                (NAS, Rtype::AAAA, none, 0, b""),
                ("NAS.dyn.example.", Rtype::A, class_in, 0, A1),
            ],
            Rcode::NOERROR,
        ),
        // Form.
        (&[(NAS, Rtype::A, any, 1, b"")], Rcode::FORMERR),
        (&[(NAS, Rtype::A, any, 0, A1)], Rcode::FORMERR),
        (&[(NAS, Rtype::A, none, 0, A1)], Rcode::FORMERR),
        (&[(NAS, Rtype::A, class_in, 0, b"abc")], Rcode::FORMERR),
        (&[(NAS, Rtype::A, Class(3), 0, b"")], Rcode::FORMERR),
        (&[("nas.other.example.", Rtype::A, any, 0, b"")], Rcode::NOTZONE),
        // TTL first, then the zone, then the class (§3.2.5).
        (&[("nas.other.example.", Rtype::A, any, 1, b"")], Rcode::FORMERR),
        (&[("nas.other.example.", Rtype::A, Class(3), 0, b"")], Rcode::NOTZONE),
    ];
    for (prerequisites, expected) in table {
        let octets = message([prerequisites, &[], &[]]);
        assert_eq!(code(&octets), *expected, "{prerequisites:?}");
    }
}

#[test]
fn rfc2136_3_2_5_prerequisites_are_judged_in_order_and_values_last() {
    let (any, none, class_in) = (Class::ANY, Class::NONE, Class::IN);
    let malformed: Fields<'_> = (NAS, Rtype::A, any, 1, b"");
    let false_one: Fields<'_> = (NAS, Rtype::ANY, none, 0, b"");
    let false_value: Fields<'_> = (NAS, Rtype::A, class_in, 0, A1);
    let first = |prerequisites: &[Fields<'_>]| code(&message([prerequisites, &[], &[]]));
    assert_eq!(first(&[false_one, malformed]), Rcode::YXDOMAIN);
    assert_eq!(first(&[malformed, false_one]), Rcode::FORMERR);
    assert_eq!(first(&[false_value, malformed]), Rcode::FORMERR);
    assert_eq!(first(&[false_value, false_one]), Rcode::YXDOMAIN);
}

#[test]
fn rfc2136_3_4_1_the_form_of_edits_is_looked_at_before_any_is_made() {
    let (any, none, class_in) = (Class::ANY, Class::NONE, Class::IN);
    let table: &[(Fields<'_>, Rcode)] = &[
        ((NEW, Rtype::A, class_in, 60, A1), Rcode::NOERROR),
        ((NEW, Rtype::A, class_in, 60, b""), Rcode::FORMERR),
        ((NEW, Rtype(65280), class_in, 60, b"anything"), Rcode::NOERROR),
        ((NEW, Rtype::DHCID, class_in, 60, b"\0\x01\x01digest"), Rcode::NOERROR),
        ((NEW, Rtype::ANY, class_in, 60, A1), Rcode::FORMERR),
        ((NEW, Rtype::AXFR, class_in, 60, b""), Rcode::FORMERR),
        ((NAS, Rtype::A, any, 0, b""), Rcode::NOERROR),
        ((NAS, Rtype::ANY, any, 0, b""), Rcode::NOERROR),
        ((NAS, Rtype::A, any, 1, b""), Rcode::FORMERR),
        ((NAS, Rtype::ANY, any, 1, b""), Rcode::FORMERR),
        ((NAS, Rtype::A, any, 0, A1), Rcode::FORMERR),
        ((NAS, Rtype::MAILB, any, 0, b""), Rcode::FORMERR),
        ((NAS, Rtype::A, none, 0, A1), Rcode::NOERROR),
        ((NAS, Rtype::A, none, 1, A1), Rcode::FORMERR),
        ((NAS, Rtype::ANY, none, 0, b""), Rcode::FORMERR),
        ((NAS, Rtype::A, Class(3), 0, A1), Rcode::FORMERR),
        (("other.example.", Rtype::A, class_in, 60, A1), Rcode::NOTZONE),
        (("other.example.", Rtype::A, Class(3), 60, A1), Rcode::NOTZONE),
    ];
    for (edit, expected) in table {
        let good: Fields<'_> = (NEW, Rtype::TXT, class_in, 60, b"\x01x");
        assert_eq!(code(&message([&[], &[good, *edit], &[]])), *expected, "{edit:?}");
        // A prerequisite that does not hold is told before.
        let held: Fields<'_> = (NEW, Rtype::ANY, any, 0, b"");
        assert_eq!(code(&message([&[held], &[*edit], &[]])), Rcode::NXDOMAIN, "{edit:?}");
    }
}

#[test]
fn rfc2136_2_3_names_in_data_may_be_compressed() {
    let mut octets = message([&[], &[(NEW, Rtype::CNAME, Class::IN, 60, b"\xc0\x0c")], &[]]);
    let update = parse(&octets).unwrap();
    let Edit::Add { rdata, .. } = &update.change.edits[0] else { panic!() };
    assert_eq!(rdata.target(Rtype::CNAME), Some(name("dyn.example.")));
    // A pointer to itself.
    let last = octets.len() - 1;
    octets[last] = last as u8 - 1;
    assert_eq!(code(&octets), Rcode::FORMERR);
}

#[test]
fn rfc9664_4_the_lease_is_read_in_both_forms_and_repeated() {
    let with_opt =
        |options: &[u8]| message([&[], &[], &[(".", Rtype::OPT, Class(1232), 0, options)]]);
    let whole = UpdateLease { lease_s: 7200, key_lease_s: Some(1_209_600) };
    for (options, expected) in [
        (&b"\0\x02\0\x04\0\0\x1c\x20"[..], UpdateLease { key_lease_s: None, ..whole }),
        (&b"\0\x02\0\x08\0\0\x1c\x20\0\x12\x75\0"[..], whole),
    ] {
        let octets = with_opt(options);
        let update = parse(&octets).unwrap();
        assert_eq!(update.lease, Some(expected));
        let verdict = Verdict { rcode: Rcode::NOERROR, why: None, lease: update.lease };
        let mut reply = Vec::new();
        answer(&mut reply, &update.about.envelope, update.about.zone, &verdict, (1232, 1232));
        assert!(reply.ends_with(options), "{reply:02x?}");
        assert!(Message::parse(&reply).is_ok());
    }
    for options in
        [&b"\0\x02\0\x03\0\0\x1c"[..], b"\0\x02\0\x06\0\0\x1c\x20\0\0", b"\0\x02\0\x04\0"]
    {
        assert_eq!(code(&with_opt(options)), Rcode::FORMERR, "{options:?}");
    }
}

#[test]
fn rfc6891_6_1_other_versions_and_more_than_one_opt() {
    let opt = (".", Rtype::OPT, Class(1232), 0x0001_0000, &b""[..]);
    assert_eq!(code(&message([&[], &[], &[opt]])), Rcode::BADVERS);
    let opt = (".", Rtype::OPT, Class(1232), 0, &b""[..]);
    assert_eq!(code(&message([&[], &[], &[opt, opt]])), Rcode::FORMERR);
    let elsewhere = (NAS, Rtype::OPT, Class(1232), 0, &b""[..]);
    assert_eq!(code(&message([&[], &[], &[elsewhere]])), Rcode::FORMERR);
}

#[test]
fn rfc2136_3_8_the_response_repeats_id_and_zone_as_far_as_it_may_be_long() {
    let opt: Fields<'_> = (".", Rtype::OPT, Class(1400), 0x8000, b"");
    let octets = message([&[], &[], &[opt]]);
    let update = parse(&octets).unwrap();
    assert_eq!(update.about.udp_octets, 1400);
    let verdict = refusal(Refusal::RrsetExists);
    let mut buffer = vec![7, 7];
    let len = answer(&mut buffer, &update.about.envelope, update.about.zone, &verdict, (512, 1232));
    assert_eq!(buffer.len(), 2 + len);
    let reply = Message::parse(&buffer[2..]).unwrap();
    let header = reply.header();
    assert!(header.qr && header.id == 0x1234 && header.opcode == Opcode::UPDATE);
    assert_eq!((reply.rcode(), header.counts), (Rcode::YXRRSET, [1, 0, 0, 1]));
    assert_eq!(reply.question().unwrap().qname, name("dyn.example."));
    let opt = reply.records(Section::Additional).next().unwrap();
    assert!(opt.raw_data().ends_with(b"prerequisite: the RRset exists"));
    // Too long: first the zone section goes, then the text.
    for (limit, questions, texts) in [(60, 0, true), (30, 0, false)] {
        let mut buffer = Vec::new();
        let len =
            answer(&mut buffer, &update.about.envelope, update.about.zone, &verdict, (limit, 1232));
        let reply = Message::parse(&buffer).unwrap();
        let opt = reply.records(Section::Additional).next().unwrap();
        assert!(len <= limit, "{len} of {limit}");
        assert_eq!((reply.header().counts[0], !opt.raw_data().is_empty()), (questions, texts));
    }
    // Without OPT there is none in the response.
    let octets = message([&[], &[], &[]]);
    let mut buffer = Vec::new();
    let about = parse(&octets).unwrap().about;
    answer(&mut buffer, &about.envelope, about.zone, &verdict, (512, 1232));
    assert_eq!(Message::parse(&buffer).unwrap().header().counts, [1, 0, 0, 0]);
}

fn any_name() -> impl Strategy<Value = Name> {
    "[a-z]{1,8}".prop_map(|label| name(&format!("{label}.dyn.example.")))
}

fn any_set() -> impl Strategy<Value = (Rtype, Vec<Rdata>)> {
    let address = any::<[u8; 4]>().prop_map(|octets| Rdata::a(octets.into()));
    let text = "[a-z]{0,9}".prop_map(|text| Rdata::txt(&[text.as_bytes()]).unwrap());
    prop_oneof![
        prop::collection::vec(address, 1..4).prop_map(|set| (Rtype::A, set)),
        prop::collection::vec(text, 1..4).prop_map(|set| (Rtype::TXT, set)),
    ]
}

fn any_edit() -> impl Strategy<Value = Edit> {
    (any_name(), any_set(), 0..1000_u32, 0..4).prop_map(|(owner, (rtype, set), ttl_s, kind)| {
        let rdata = set[0].clone();
        match kind {
            0 => Edit::Add { owner, rtype, ttl_s, rdata },
            1 => Edit::DeleteRrset { owner, rtype },
            2 => Edit::DeleteName { owner },
            _ => Edit::DeleteRecord { owner, rtype, rdata },
        }
    })
}

fn any_prerequisite(index: usize) -> impl Strategy<Value = Prerequisite> {
    (any_name(), any_set(), 0..5).prop_map(move |(owner, (rtype, set), kind)| match kind {
        0 => Prerequisite::NameInUse(owner),
        1 => Prerequisite::NameNotInUse(owner),
        2 => Prerequisite::RrsetExists(owner, rtype),
        3 => Prerequisite::RrsetDoesNotExist(owner, rtype),
        // No two of one name: their records would be taken together.
        _ => Prerequisite::RrsetEquals(name(&format!("own{index}.dyn.example.")), rtype, set),
    })
}

proptest! {
    #[test]
    fn what_is_composed_is_read_again(
        prerequisites in (any_prerequisite(0), any_prerequisite(1), any_prerequisite(2)),
        edits in prop::collection::vec(any_edit(), 0..6),
        lease in prop::option::of((any::<u32>(), prop::option::of(any::<u32>()))),
    ) {
        let (a, b, c) = prerequisites;
        let mut change = Change::new(name("dyn.example."), edits);
        change.prerequisites = vec![a, b, c];
        let lease = lease.map(|(lease_s, key_lease_s)| UpdateLease { lease_s, key_lease_s });
        let octets = compose(7, &change, lease);
        let update = parse(&octets).unwrap();
        prop_assert_eq!(update.change, change);
        prop_assert_eq!(update.lease, lease);
    }

    #[test]
    fn any_octets_are_answered_or_not_and_never_panic(mut octets in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(flags) = octets.get_mut(2) {
            *flags = 0x28;
        }
        match parse(&octets) {
            Ok(update) => { let _ = judge(&zone(), &update.change); }
            Err(Unread::Silence) => prop_assert!(octets.len() < 12),
            Err(Unread::Refuse(about, rcode, why)) => {
                let mut reply = Vec::new();
                answer(&mut reply, &about.envelope, about.zone, &Verdict { rcode, why, lease: None }, (512, 1232));
                prop_assert!(Message::parse(&reply).is_ok() && reply.len() <= 512);
            }
        }
    }
}
