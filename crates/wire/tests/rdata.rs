//! Record data: its text, its structure, its canonical form.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use wire::{Name, Rdata, RdataError, Rtype, Soa};

fn parse(rtype: &str, text: &str) -> Result<Rdata, RdataError> {
    let origin = Name::parse("example.").expect("a name");
    Rdata::parse(rtype.parse().expect("a type"), text, &origin)
}

/// Text that is shown as it was read.
const TEXTS: &[(&str, &str)] = &[
    ("A", "192.0.2.1"),
    ("AAAA", "2001:db8::1"),
    ("NS", "ns.example."),
    ("CNAME", "a\\.b.example."),
    ("DNAME", "."),
    ("PTR", "*.example."),
    ("MB", "m.example."),
    ("MG", "m.example."),
    ("MR", "m.example."),
    ("MD", "m.example."),
    ("MF", "m.example."),
    ("SOA", "ns.example. host\\.master.example. 4294967295 1 2 3 4"),
    ("MX", "10 mail.example."),
    ("AFSDB", "1 a.example."),
    ("RT", "65535 a.example."),
    ("KX", "0 a.example."),
    ("PX", "1 a.example. b.example."),
    ("RP", "a.example. ."),
    ("MINFO", "a.example. b.example."),
    ("SRV", "0 1 443 a.example."),
    ("NAPTR", "100 50 \"s\" \"\" \"!^.*$!sip:\\\\1@example!\" ."),
    ("TXT", "\"a b\" \"\" \"\\\"\\\\\\000\\255;\""),
    ("SPF", "\"v=spf1 -all\""),
    ("HINFO", "\"PDP-11\" \"\""),
    ("X25", "\"311061700956\""),
    ("ISDN", "\"150862028003217\" \"004\""),
    ("GPOS", "\"-32.6882\" \"116.8652\" \"10.0\""),
    ("LP", "10 l64.example."),
    ("TALINK", "a.example. b.example."),
    ("RESINFO", "\"qnamemin\""),
    ("CAA", "0 issue \"ca.example; a=b\""),
    ("DS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    ("CDS", "0 0 0 00"),
    ("DLV", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    ("DNSKEY", "256 3 8 AwEAAQ=="),
    ("CDNSKEY", "0 3 0 AA=="),
    ("KEY", "256 3 8 AwEAAQ=="),
    ("SSHFP", "4 2 123456789ABCDEF67890123456789ABCDEF67890"),
    ("TLSA", "3 1 1 00FF"),
    ("SMIMEA", "3 1 1 00FF"),
    ("OPENPGPKEY", "mQENBA=="),
    ("NSEC", "b.example. A MX RRSIG NSEC TYPE1234"),
    ("NSEC3", "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX RRSIG"),
    ("NSEC3PARAM", "1 0 12 aabbccdd"),
    ("RRSIG", "A 5 3 86400 1048354263 1045762263 2642 example. oJB1W6WNGv+ldvQ3WDG0MQ=="),
    ("ZONEMD", "2018031500 1 1 00112233445566778899AABBCCDDEEFF"),
    ("SVCB", "0 pool.example."),
    ("HTTPS", "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1"),
    ("LOC", "\\# 16 00010203040506070809101112131415"),
    ("TYPE65280", "\\# 3 0a0b0c"),
    ("TYPE65280", "\\# 0"),
    ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    ("URI", "10 1 \"ftp://ftp1.example.com/public\""),
    ("WKS", "\\# 5 c000020106"),
];

#[test]
fn text_of_every_type_is_read_and_shown() {
    for &(rtype, text) in TEXTS {
        let rdata = parse(rtype, text).unwrap_or_else(|why| panic!("{rtype} {text}: {why}"));
        let rtype: Rtype = rtype.parse().expect("a type");
        let shown = rdata.display(rtype).to_string();
        assert_eq!(shown.to_lowercase(), text.to_lowercase(), "{rtype}");
        assert_eq!(Rdata::parse(rtype, &shown, &Name::root()), Ok(rdata.clone()), "{rtype}");
        // RFC 3597 §5: the same in generic form, for each type.
        let hex: String = rdata.as_wire().iter().map(|octet| format!("{octet:02X}")).collect();
        let generic = format!("\\# {} {hex}", rdata.as_wire().len());
        assert_eq!(Rdata::parse(rtype, &generic, &Name::root()), Ok(rdata), "{rtype}");
    }
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
        ("KX", "1 K.", "1 k."),
        ("RRSIG", "A 5 3 1 1 1 1 Signer. AQID", "A 5 3 1 1 1 1 signer. AQID"),
        // RFC 6840 §5.1 takes NSEC out; later types were never in (RFC 3597 §7).
        ("NSEC", "N. A", "N. A"),
        ("SVCB", "1 S.", "1 S."),
        ("LP", "1 L.", "1 L."),
        ("TXT", "Text", "Text"),
    ] {
        let number: Rtype = rtype.parse().expect("a type");
        let rdata = parse(rtype, text).unwrap_or_else(|why| panic!("{rtype} {text}: {why}"));
        let expected = parse(rtype, folded).unwrap_or_else(|why| panic!("{rtype} {text}: {why}"));
        assert_eq!(rdata.canonical(number).as_wire(), expected.as_wire(), "{rtype} {text}");
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
