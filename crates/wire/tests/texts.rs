//! The text of every type: read, shown as it was read, and read again.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use wire::{Name, Rdata, RdataError, Rtype};

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
    ("NAPTR", "100 50 \"s\" \"\" \"!^(.*)$!sip:\\\\1@example!\" ."),
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
    ("SSHFP", "4 1 123456789ABCDEF67890123456789ABCDEF67890"),
    ("TLSA", "3 1 1 00FF"),
    ("SMIMEA", "3 1 1 00FF"),
    ("OPENPGPKEY", "mQENBA=="),
    ("NSEC", "b.example. A MX RRSIG NSEC TYPE1234"),
    ("NSEC3", "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX RRSIG"),
    ("NSEC3PARAM", "1 0 12 aabbccdd"),
    ("RRSIG", "A 5 3 86400 20030322173103 20030220173103 2642 example. oJB1W6WNGv+ldvQ3WDG0MQ=="),
    (
        "ZONEMD",
        "2018031500 1 1 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF",
    ),
    ("SVCB", "0 pool.example."),
    ("HTTPS", "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1"),
    ("LOC", "42 21 54.000 N 71 6 18.250 W -24.00m 30.00m 10000.00m 10.00m"),
    ("LOC", "90 0 0.000 S 180 0 0.000 E 42849672.95m 0.00m 0.05m 90000000.00m"),
    // The power of ten of no size, and another version.
    ("LOC", "\\# 16 00010203040506070809101112131415"),
    ("LOC", "\\# 16 01121613800000008000000000989680"),
    ("LOC", "\\# 1 01"),
    ("LOC", "\\# 17 ff00000000000000000000000000000000"),
    ("CERT", "PKIX 12345 8 AQID"),
    ("CERT", "300 0 255 AQID"),
    ("CERT", "\\# 5 0001000000"),
    ("EUI48", "00-00-5e-00-53-2a"),
    ("EUI64", "00-00-5e-ef-10-00-00-2a"),
    ("CSYNC", "66 3 A NS AAAA CAA TYPE1234"),
    ("CSYNC", "4294967295 65535"),
    ("NID", "10 0014:4fff:ff20:ee64"),
    ("L32", "10 10.1.2.0"),
    ("L64", "10 2001:0db8:1140:1000"),
    ("DSYNC", "CDS NOTIFY 5359 scanner.example."),
    ("DSYNC", "CSYNC 128 53 ."),
    ("NSAP-PTR", "a.example."),
    ("EID", "e32c6f78163a9348"),
    ("NIMLOC", "32251a030067"),
    ("HHIT", "gwppTWlobQ=="),
    ("BRID", "gwppTWlobQ=="),
    ("SINK", "1 2 3 AQID"),
    ("DOA", "0 1 2 \"text/plain\" aHR0cHM6"),
    ("DOA", "4294967295 0 255 \"\" -"),
    ("IPN", "18446744073709551615"),
    ("SIG", "A 5 3 86400 20030322173103 20030220173103 2642 example. oJB1W6WNGv+ldvQ3WDG0MQ=="),
    ("RKEY", "0 3 8 AwEAAQ=="),
    ("TA", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"),
    ("NINFO", "\"a\" \"b\""),
    ("WALLET", "\"BTC\" \"1A1zP1\""),
    ("AVC", "\"app-name:x\""),
    ("CLA", "\"TCP-v4-v6\""),
    ("NULL", "\\# 1 00"),
    ("TYPE65280", "\\# 3 0a0b0c"),
    ("TYPE65280", "\\# 0"),
    ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    ("URI", "10 1 \"ftp://ftp1.example.com/public\""),
    ("WKS", "192.0.2.1 6"),
    ("WKS", "192.0.2.1 17 0 53 65535"),
    ("APL", "1:192.168.32.0/21 !1:192.168.38.1/28 2:ff00::/8 1:0.0.0.0/0"),
    ("APL", "\\# 4 00030000"),
    ("IPSECKEY", "10 1 2 192.0.2.38 AQNR"),
    ("IPSECKEY", "10 0 0 ."),
    ("IPSECKEY", "255 2 1 2001:db8::1 AQNR"),
    ("IPSECKEY", "10 3 2 gateway.example. AQNR"),
    ("IPSECKEY", "\\# 4 0a0402ff"),
    ("IPSECKEY", "\\# 3 0a0002"),
    ("AMTRELAY", "10 0 1 203.0.113.15"),
    ("AMTRELAY", "10 1 2 2001:db8::15"),
    ("AMTRELAY", "128 1 3 amtrelays.example."),
    ("AMTRELAY", "10 0 0 ."),
    ("AMTRELAY", "\\# 3 0a84ff"),
    ("HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAQ== rvs1.example. rvs2.example."),
    ("HIP", "2 2001 AwEAAQ=="),
    ("NSAP", "0x47000580005a0000000001e133ffffff00016100"),
    ("NXT", "b.example. A MX SIG NXT"),
    ("A6", "0 2001:db8::1"),
    ("A6", "63 ::1:0:0:0:1 prefix.example."),
    ("A6", "128 prefix.example."),
    ("ATMA", "39246f000e7c9c03120001000100001234567800"),
    ("ATMA", "+358400123456"),
    ("ATMA", "\\# 3 010061"),
];

/// Types whose data has no text but the generic one: RFC 1035 §3.3.10 keeps NULL out of zone files.
const GENERIC: [&str; 1] = ["NULL"];

#[test]
fn every_type_that_has_a_mnemonic_has_a_text_of_its_own() {
    for number in 1..=u16::MAX {
        let name = Rtype(number).to_string();
        if Rtype(number).is_meta() || name.starts_with("TYPE") || GENERIC.contains(&name.as_str()) {
            continue;
        }
        let has_own = |&(rtype, text): &(&str, &str)| rtype == name && !text.starts_with("\\#");
        assert!(TEXTS.iter().any(has_own), "{name}");
    }
}

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
fn other_texts_of_the_same_data_are_read() {
    for &(rtype, text, same) in &[
        // RFC 1876 §3: what may be left out, and its defaults.
        ("LOC", "42 N 71 W 0", "42 0 0.000 N 71 0 0.000 W 0.00m 1.00m 10000.00m 10.00m"),
        ("LOC", "1 2 n 3 4 5.6 e .5 20m", "1 2 0 N 3 4 5.600 E 0.50m 20m 10000m 10m"),
        ("LOC", "0 S 0 W 1", "0 N 0 E 1m"),
        // RFC 1876 appendix A cuts off what does not fit one digit.
        ("LOC", "1 N 1 E 1 15 1.5m 1.99", "1 N 1 E 1m 10m 1m 1m"),
        ("CERT", "1 0 RSASHA256 AQ ID", "pkix 0 8 AQID"),
        // RFC 4034 appendix A.1: mnemonics of algorithms.
        (
            "DS",
            "1 RSASHA1 1 2BB183AF5F22588179A53B0A98631FAD 1a292118",
            "1 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        ),
        (
            "CDS",
            "1 ED25519 1 2bb183af5f22588179a53b0a98631fad1A292118",
            "1 15 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        ),
        ("DNSKEY", "256 3 ecdsap256sha256 AwEAAQ==", "256 3 13 AwEAAQ=="),
        ("CDNSKEY", "256 3 ED448 AwEAAQ==", "256 3 16 AwEAAQ=="),
        ("RRSIG", "A RSASHA1 3 1 1 1 1 a. AQID", "A 5 3 1 1 1 1 a. AQID"),
        // RFC 4034 §3.2: the other form of times.
        (
            "RRSIG",
            "A 5 3 1 20030322173103 20030220173103 1 a. AQID",
            "A 5 3 1 1048354263 1045762263 1 a. AQID",
        ),
        (
            "SIG",
            "A RSASHA1 3 86400 1048354263 1045762263 1 a AQ ID",
            "A 5 3 86400 20030322173103 20030220173103 1 a.example. AQID",
        ),
        // RFC 9460 §2.1: values in quotes.
        ("HTTPS", "1 . alpn=\"h2,h3\" port=\"8443\"", "1 . alpn=h2,h3 port=8443"),
        ("SVCB", "1 . key65000=\"a b;(c)\\\"\"", "1 . key65000=a\\032b\\059\\040c\\041\\034"),
        ("EUI48", "00-00-5E-00-53-2A", "00-00-5e-00-53-2a"),
        ("CSYNC", "66 3 TYPE257 AAAA A NS A", "66 3 A NS AAAA CAA"),
        ("NID", "10 14:4FFF:ff20:0", "10 0014:4fff:ff20:0000"),
        ("DSYNC", "TYPE59 1 53 @", "CDS NOTIFY 53 example."),
        ("NSAP-PTR", "a", "a.example."),
        ("EID", "E3 2C6f", "e32c6f"),
        ("APL", "2:FF00:0::/8", "2:ff00::/8"),
        ("IPSECKEY", "10 3 2 gateway AQ NR", "10 3 2 gateway.example. AQNR"),
        ("AMTRELAY", "10 1 3 @", "10 1 3 example."),
        ("HIP", "2 200a AwEAAQ== rvs @", "2 200A AwEAAQ== rvs.example. example."),
        ("WKS", "192.0.2.1 TCP 25 ftp smtp telnet", "192.0.2.1 6 21 23 25"),
        ("NSAP", "0x47.0005.80", "0x47000580"),
        ("NXT", "b NXT A", "b.example. A NXT"),
        // RFC 2874 §3.1: what the prefix covers is no part of the suffix.
        ("A6", "64 2001:db8::1 p", "64 ::1 p.example."),
        ("ATMA", "39.246F.00", "39246f00"),
    ] {
        let read = parse(rtype, text);
        assert!(read.is_ok(), "{rtype} {text}: {read:?}");
        assert_eq!(read, parse(rtype, same), "{rtype} {text}");
    }
}

#[test]
fn wire_form_is_that_of_the_examples() {
    for (rtype, text, hex) in [
        ("LOC", "42 21 54 N 71 06 18 W -24m 30m", "00331613 89172dd0 70be15f0 00988d20"),
        ("CERT", "PGP 258 8 AQID", "0003 0102 08 010203"),
        ("EUI48", "00-00-5e-00-53-2a", "00005e00532a"),
        ("CSYNC", "66 3 A NS AAAA", "00000042 0003 00 04 60000008"),
        ("L64", "10 2001:db8:1140:1000", "000a 20010db811401000"),
        ("APL", "1:192.168.32.0/21 !1:192.168.38.0/28", "00011503c0a820 00011c83c0a826"),
        ("IPSECKEY", "10 1 2 192.0.2.38 AQNR", "0a0102 c0000226 010351"),
        ("AMTRELAY", "10 1 1 203.0.113.15", "0a81 cb00710f"),
        ("HIP", "2 2001 AwEAAQ== .", "02 02 0004 2001 03010001 00"),
        ("WKS", "192.0.2.1 6 25", "c0000201 06 00000040"),
        ("NXT", "b. A NXT", "016200 40000002"),
        ("A6", "63 ::1 p.", "3f 000000000000000001 017000"),
        ("ATMA", "+358", "01 333538"),
    ] {
        let octets = parse(rtype, &format!("\\# {} {hex}", hex.replace(' ', "").len() / 2));
        assert_eq!(parse(rtype, text), octets, "{rtype} {text}");
        assert!(octets.is_ok(), "{rtype} {hex}");
    }
}

#[test]
fn a_number_has_no_sign() {
    for (rtype, text) in [
        ("MX", "+1 mail"),
        ("SOA", "a b +1 2 3 4 5"),
        ("TYPE65280", "\\# +1 00"),
        ("CERT", "+1 0 0 AQID"),
        ("APL", "1:192.0.2.1/+1"),
        ("LOC", "1 N 1 E +1"),
        ("LOC", "-1 N 1 E 1"),
    ] {
        assert!(parse(rtype, text).is_err(), "{rtype} {text:?}");
    }
}

#[test]
fn rfc1876_3_texts_that_are_no_place_are_refused() {
    for text in [
        "",
        "N E 1",
        "1 N 1 E",
        "1 E 1 N 1",
        "1.5 N 1 E 1",
        "1 60 N 1 E 1",
        "1 1 60 N 1 E 1",
        "1 1 1.0001 N 1 E 1",
        "1 1 1 1 N 1 E 1",
        "91 N 1 E 1",
        "90 0 0.001 N 1 E 1",
        "1 N 180 0 0.001 E 1",
        "1 N 1 E --1",
        "1 N 1 E .",
        "1 N 1 E m",
        "1 N 1 E -100000.01m",
        "1 N 1 E 42849672.96m",
        "1 N 1 E 99999999999999999999999999m",
        "1 N 1 E 1.001",
        "1 N 1 E 1 90000000.01",
        "1 N 1 E 1 -1",
        "1 N 1 E 1 1 1 1 1",
        "\"1\" N 1 E 1",
    ] {
        assert!(parse("LOC", text).is_err(), "{text:?}");
    }
}

#[test]
fn rfc4034_3_2_times_are_dates_or_seconds() {
    let read = |expires: &str| parse("RRSIG", &format!("A 5 3 1 {expires} 0 1 a. AQID"));
    for (date, seconds) in [
        ("19700101000000", "0"),
        ("19991231235959", "946684799"),
        ("20000229235959", "951868799"),
        ("20000301000000", "951868800"),
        ("20380119031408", "2147483648"),
        ("21060207062815", "4294967295"),
        // No date: a number of seconds that looks like one.
        ("20030322", "020030322"),
        // The field is compared by serial arithmetic.
        ("21060207062816", "0"),
        ("19691231235959", "4294967295"),
    ] {
        assert!(read(date).is_ok(), "{date}");
        assert_eq!(read(date), read(seconds), "{date}");
    }
    for time in [
        "",
        "-1",
        "4294967296",
        "00000101000000",
        "20030022173103",
        "20031322173103",
        "20030300173103",
        "20030229173103",
        "21000229000000",
        "20030431000000",
        "20030322243103",
        "20030322176003",
        "20030322173160",
        "+2003032217310",
        "2003032217310x",
        "020030322173103",
        "\"20030322173103\"",
    ] {
        assert!(read(time).is_err(), "{time:?}");
    }
}

#[test]
fn texts_that_are_not_of_the_type_are_refused() {
    for (rtype, text) in [
        ("CERT", "PKIX 0 0"),
        ("CERT", "65536 0 0 AQID"),
        ("CERT", "1 0 256 AQID"),
        ("CERT", "1 0 NONE AQID"),
        ("CERT", "1 0 0 AQI"),
        ("HTTPS", "1 . alpn= \"h2\""),
        ("DNSKEY", "256 3 NONE AwEAAQ=="),
        ("EUI48", "00-00-5e-00-53"),
        ("EUI48", "00:00:5e:00:53:2a"),
        ("EUI48", "0-000-5e-00-53-2a"),
        ("EUI64", "00-00-5e-00-53-2a"),
        ("CSYNC", "66"),
        ("CSYNC", "66 3 NONE"),
        ("CSYNC", "4294967296 3 A"),
        ("NID", "10 14:4fff:ff20"),
        ("NID", "10 14:4fff::ee64"),
        ("NID", "10 14:4fff:ff20:ee641"),
        ("L32", "10 10.1.02.0"),
        ("APL", "3:00/1"),
        ("APL", "1:192.0.2.1/33"),
        ("APL", "2:ff00::/129"),
        ("APL", "1:192.0.2.1"),
        ("APL", "!!1:192.0.2.1/1"),
        ("IPSECKEY", "10 3 2 gateway"),
        ("IPSECKEY", "10 4 2 . AQNR"),
        ("IPSECKEY", "10 0 2 a AQNR"),
        ("IPSECKEY", "10 1 2 2001:db8::1 AQNR"),
        ("AMTRELAY", "10 2 2 2001:db8::15"),
        ("AMTRELAY", "10 0 0"),
        ("AMTRELAY", "10 0 132 ."),
        ("AMTRELAY", "10 0 1 192.0.2.1 x"),
        ("HIP", "2 2001"),
        ("HIP", "2 200 AwEAAQ=="),
        ("HIP", "2 \"\" AwEAAQ=="),
        ("WKS", "192.0.2.1 sctp 25"),
        ("WKS", "192.0.2.1 6 65536"),
        ("NSAP", "4700"),
        ("NSAP", "0x"),
        ("NSAP", "0x470"),
        ("NXT", "b TYPE128"),
        ("A6", "129 p"),
        ("A6", "0 ::1 p"),
        ("A6", "64 ::1"),
        ("ATMA", "+"),
        ("ATMA", "+1x"),
        ("ATMA", "123"),
        ("NULL", "00"),
        ("IPN", "18446744073709551616"),
        ("DOA", "0 1 2 text -x"),
    ] {
        assert!(parse(rtype, text).is_err(), "{rtype} {text:?}");
    }
    // A HIT has at most 255 octets.
    assert!(parse("HIP", &format!("2 {} AQID", "00".repeat(256))).is_err());
    assert!(parse("HIP", &format!("2 {} AQID", "00".repeat(255))).is_ok());
}
