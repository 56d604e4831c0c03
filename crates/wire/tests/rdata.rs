//! Record data: its text, its structure, its canonical form.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use wire::{Name, Rdata, RdataError, Rtype, Soa};

fn parse(rtype: &str, text: &str) -> Result<Rdata, RdataError> {
    let origin = Name::parse("example.").expect("a name");
    Rdata::parse(rtype.parse().expect("a type"), text, &origin)
}

#[test]
fn relative_names_are_completed() {
    for (rtype, text, same) in [
        ("CNAME", "a", "a.example."),
        ("CNAME", "@", "example."),
        ("MX", "1 @", "1 example."),
        ("SRV", "1 2 3 a.b", "1 2 3 a.b.example."),
        ("SOA", "@ host 1 1m 1h 1d 1w", "example. host.example. 1 60 3600 86400 604800"),
        ("NSEC", "@ A", "example. A"),
        ("SVCB", "1 @", "1 example."),
    ] {
        assert_eq!(parse(rtype, text), parse(rtype, same), "{rtype} {text}");
        assert!(parse(rtype, text).is_ok(), "{rtype} {text}");
    }
    // Quoted or escaped it is a label like others.
    assert_eq!(parse("CNAME", "\\@"), Ok(Rdata::name(&"\\@.example".parse().expect("a name"))));
    assert_eq!(parse("TXT", "@"), Rdata::txt(&[b"@"]));
}

#[test]
fn rfc3597_5_text_that_is_not_of_the_type_is_refused() {
    for (rtype, text) in [
        ("A", ""),
        ("A", "192.0.2"),
        ("A", "192.0.2.1 192.0.2.2"),
        ("A", "2001:db8::1"),
        ("AAAA", "192.0.2.1"),
        ("CNAME", "a b"),
        ("CNAME", "a..b"),
        ("CNAME", ""),
        ("MX", "mail"),
        ("MX", "65536 mail"),
        ("MX", "-1 mail"),
        ("MX", "1 mail x"),
        ("TXT", ""),
        ("TXT", "\"open"),
        ("TXT", "(a"),
        ("TXT", "a\nb"),
        ("SOA", "a b 1 2 3 4"),
        ("SOA", "a b 1 2 3 4 5 6"),
        ("SOA", "a b 1 2 3 4 x"),
        ("TYPE65280", "00"),
        ("TYPE65280", "\\# 2 00"),
        ("TYPE65280", "\\# 1 0g"),
        ("TYPE65280", "\\#"),
        ("A", "\\# 3 c00002"),
        ("CNAME", "\\# 1 c0"),
    ] {
        assert!(parse(rtype, text).is_err(), "{rtype} {text:?}");
    }
    let long = "x".repeat(256);
    assert!(parse("TXT", &long).is_err());
    assert!(parse("TXT", &long[1..]).is_ok());
}

#[test]
fn malformed_octets_are_refused() {
    for (rtype, octets) in [
        (Rtype::A, &b"\x01\x02\x03"[..]),
        (Rtype::A, b"\x01\x02\x03\x04\x05"),
        (Rtype::AAAA, b""),
        (Rtype::NS, b"\x01a"),
        (Rtype::NS, b"\x01a\0\0"),
        (Rtype::NS, b"\xc0\x0c"),
        (Rtype::MX, b"\0"),
        (Rtype::SOA, b"\0\0"),
        (Rtype::TXT, b""),
        (Rtype::TXT, b"\x02a"),
        (Rtype::HINFO, b"\x01a"),
        (Rtype::DS, b"\0\x01\x02\x03"),
        (Rtype::SVCB, b"\0\x01\0\0\x03\0"),
        // RFC 9460 §2.2: keys ascend, none twice.
        (Rtype::SVCB, b"\0\x01\0\0\x03\0\0\0\x01\0\0"),
        (Rtype::SVCB, b"\0\x01\0\0\x03\0\0\0\x03\0\0"),
        // RFC 4034 §4.1.2: windows ascend, have 1 to 32 octets, no zeros at the end.
        (Rtype::NSEC, b"\0\0"),
        (Rtype::NSEC, b"\0\0\x01"),
        (Rtype::NSEC, b"\0\0\x02\x40"),
        (Rtype::NSEC, b"\0\0\x02\x40\0"),
        (Rtype::NSEC, b"\0\x01\x01\x40\0\x01\x40"),
        (Rtype::NSEC3, b"\x01\0\0\0\0\x01a\0\0"),
        (
            Rtype::CSYNC,
            b"\0\0\0\0\0\0\0\x21\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\
            \x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01",
        ),
        // RFC 1876 §2: version 0 has one length.
        (Rtype::LOC, b""),
        (Rtype::LOC, b"\0\x12\x16\x13\x80\0\0\0\x80\0\0\0\0\x98\x96"),
        (Rtype::LOC, b"\0\x12\x16\x13\x80\0\0\0\x80\0\0\0\0\x98\x96\x80\0"),
        // RFC 3123 §4: no zeros at the end, nothing longer than an address.
        (Rtype::APL, b"\0\x01\x08\x02\x0a\0"),
        (Rtype::APL, b"\0\x01\x21\x01\x0a"),
        (Rtype::APL, b"\0\x01\x20\x05\x01\x01\x01\x01\x01"),
        (Rtype::APL, b"\0\x03\0\x02\x01"),
        (Rtype::IPSECKEY, b"\x01\x01\x02\xc0\0\x02"),
        (Rtype::IPSECKEY, b"\x01\x03\x02\xc0\0"),
        (Rtype::AMTRELAY, b"\x01\x81\xc0\0\x02"),
        (Rtype::AMTRELAY, b"\x01\0\0"),
        (Rtype::HIP, b"\0\x02\0\x01\x01"),
        (Rtype::HIP, b"\x01\x02\0\0\x01"),
        (Rtype::HIP, b"\x01\x02\0\x01\x01"),
        (Rtype::HIP, b"\x01\x02\0\x01\x01\x01\x01a"),
        (Rtype::A6, b"\x81\0"),
        (Rtype::A6, b"\x80"),
        (Rtype::A6, b"\x78\x01"),
        (Rtype::A6, b"\0\x20\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0"),
    ] {
        assert_eq!(Rdata::new(rtype, octets), Err(RdataError::Malformed(rtype)), "{octets:?}");
    }
    assert!(Rdata::new(Rtype(65_280), &vec![0; 65_535]).is_ok());
    assert!(Rdata::new(Rtype(65_280), &vec![0; 65_536]).is_err());
}

#[test]
fn rfc4034_6_2_canonical_form_folds_names_of_the_listed_types_alone() {
    for (rtype, text, folded) in [
        ("NS", "NS.Example.", "ns.example."),
        ("SOA", "A. B. 1 2 3 4 5", "a. b. 1 2 3 4 5"),
        ("MX", "1 M.", "1 m."),
        ("SRV", "1 2 3 S.", "1 2 3 s."),
        ("NAPTR", "1 2 \"U\" \"E\" \"R\" N.", "1 2 \"U\" \"E\" \"R\" n."),
        ("DNAME", "D.", "d."),
        ("A6", "0 ::1", "0 ::1"),
        ("A6", "64 ::1 P.", "64 ::1 p."),
        ("SIG", "A 5 3 1 1 1 1 Signer. AQID", "A 5 3 1 1 1 1 signer. AQID"),
        ("NXT", "N. A", "n. A"),
        ("KX", "1 K.", "1 k."),
        ("RRSIG", "A 5 3 1 1 1 1 Signer. AQID", "A 5 3 1 1 1 1 signer. AQID"),
        // RFC 6840 §5.1 takes NSEC out; later types were never in (RFC 3597 §7).
        ("NSEC", "N. A", "N. A"),
        ("SVCB", "1 S.", "1 S."),
        ("LP", "1 L.", "1 L."),
        ("HIP", "2 20 AQID R.", "2 20 AQID R."),
        ("IPSECKEY", "1 3 2 G. AQID", "1 3 2 G. AQID"),
        ("TXT", "Text", "Text"),
    ] {
        let number: Rtype = rtype.parse().expect("a type");
        let rdata = parse(rtype, text).unwrap_or_else(|why| panic!("{rtype} {text}: {why}"));
        let expected = parse(rtype, folded).unwrap_or_else(|why| panic!("{rtype} {text}: {why}"));
        assert_eq!(rdata.canonical(number).as_wire(), expected.as_wire(), "{rtype} {text}");
        assert!(rdata.is_same(&expected, number), "{rtype} {text}");
        let upper = Rdata::new(number, &rdata.as_wire().to_ascii_uppercase());
        if let Ok(upper) = upper {
            let is_same = upper.canonical(number) == expected.canonical(number);
            assert_eq!(rdata.is_same(&upper, number), is_same, "{rtype} {text}");
        }
    }
}

#[test]
fn fields_are_found_in_data_of_their_type() {
    let soa = Soa {
        mname: "a".parse().expect("a name"),
        rname: "b".parse().expect("a name"),
        serial: 1,
        refresh_s: 2,
        retry_s: 3,
        expire_s: 4,
        minimum_s: u32::MAX,
    };
    assert_eq!(Rdata::soa(&soa).soa_fields(), Some(soa));
    assert_eq!(Rdata::a([192, 0, 2, 1].into()).ipv4(), Some([192, 0, 2, 1].into()));
    assert_eq!(Rdata::a([192, 0, 2, 1].into()).ipv6(), None);
    for (rtype, text) in [("NS", "t."), ("MX", "1 t."), ("SRV", "1 2 3 t."), ("HTTPS", "1 t.")] {
        let rdata = parse(rtype, text).expect("data of its type");
        assert_eq!(rdata.target(rtype.parse().expect("a type")), "t.".parse().ok(), "{rtype}");
    }
    assert_eq!(parse("RP", "a. b.").expect("data").target(Rtype::RP), None);
}
