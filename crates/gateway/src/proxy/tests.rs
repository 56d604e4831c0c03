use proptest::prelude::*;

use super::*;

/// A header with this version and command, family and payload.
fn header(version_command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [V2_SIGNATURE, &[version_command, family], &length, payload].concat()
}

fn ipv4(options: &[u8]) -> Vec<u8> {
    [&[192, 0, 2, 7], &[198, 51, 100, 1], &[0x30, 0x39, 0, 80][..], options].concat()
}

fn ipv6(source: &str) -> Vec<u8> {
    let source: Ipv6Addr = source.parse().unwrap();
    [&source.octets()[..], &Ipv6Addr::LOCALHOST.octets(), &[0x30, 0x39, 0, 80]].concat()
}

fn proxied(source: Option<&str>, encrypted: bool) -> Header {
    Header::Proxied { source: source.map(|text| text.parse().unwrap()), encrypted }
}

#[test]
fn proxy_v2_headers_that_are_accepted() {
    let tls = [0x20, 0, 5, 0x01, 0, 0, 0, 0];
    let no_tls = [0x20, 0, 5, 0x00, 0, 0, 0, 0];
    let authority = [0x02, 0, 3, b'a', b'.', b'b'];
    let rows = [
        (header(0x21, 0x11, &ipv4(&[])), proxied(Some("192.0.2.7"), false)),
        (header(0x21, 0x11, &ipv4(&tls)), proxied(Some("192.0.2.7"), true)),
        (header(0x21, 0x11, &ipv4(&no_tls)), proxied(Some("192.0.2.7"), false)),
        (
            header(0x21, 0x11, &ipv4(&[&authority[..], &tls].concat())),
            proxied(Some("192.0.2.7"), true),
        ),
        (header(0x21, 0x21, &ipv6("2001:db8::7")), proxied(Some("2001:db8::7"), false)),
        (header(0x21, 0x21, &ipv6("::ffff:192.0.2.7")), proxied(Some("192.0.2.7"), false)),
        (header(0x21, 0x00, b"whatever"), proxied(None, false)),
        (header(0x21, 0x31, &[0; 216]), proxied(None, false)),
        (header(0x20, 0x00, &[]), Header::Local),
        (header(0x20, 0x11, &ipv4(&[])), Header::Local),
    ];
    for (octets, expected) in rows {
        let followed = [&octets[..], b"GET / HTTP/1.1\r\n"].concat();
        let expected = Opening::Header { octets: octets.len(), header: expected };
        assert_eq!(opening(&followed), expected, "{octets:02x?}");
        for cut in 1..octets.len() {
            assert_eq!(opening(&octets[..cut]), Opening::Incomplete, "{cut} of {octets:02x?}");
        }
    }
}

#[test]
fn proxy_v2_headers_that_are_refused() {
    for (octets, why) in [
        (header(0x11, 0x11, &ipv4(&[])), "version"),
        (header(0x22, 0x11, &ipv4(&[])), "command"),
        (header(0x21, 0x12, &ipv4(&[])), "transport"),
        (header(0x21, 0x41, &ipv4(&[])), "transport"),
        (header(0x21, 0x11, &[192, 0, 2, 7]), "cut short"),
        (header(0x21, 0x11, &[]), "cut short"),
        (header(0x21, 0x21, &ipv4(&[])), "cut short"),
        (header(0x21, 0x11, &ipv4(&[0x20, 0, 9, 1])), "cut short"),
        (header(0x21, 0x11, &ipv4(&[0x20, 0])), "cut short"),
        (header(0x21, 0x00, &[0; PAYLOAD_OCTETS_MAX + 1]), "too long"),
    ] {
        match opening(&octets) {
            Opening::Refused(told) => assert!(told.contains(why), "{told}: {octets:02x?}"),
            other => panic!("{other:?}: {octets:02x?}"),
        }
    }
}

#[test]
fn proxy_v1_is_refused() {
    for text in ["PROXY TCP4 192.0.2.7 198.51.100.1 12345 80\r\n", "PROXY UNKNOWN\r\n", "PROXY "] {
        assert!(matches!(opening(text.as_bytes()), Opening::Refused(_)), "{text}");
    }
}

#[test]
fn proxy_header_is_not_seen_in_plain_requests() {
    for text in [
        "GET / HTTP/1.1\r\n",
        "POST /nic/update HTTP/1.1\r\n",
        "PUT / HTTP/1.0\r\n",
        "PROXYING",
        "\r\nGET / HTTP/1.0\r\n",
        "\r\n\r\nGET / HTTP/1.0\r\n",
    ] {
        assert_eq!(opening(text.as_bytes()), Opening::Plain, "{text:?}");
    }
    for text in ["", "P", "PROXY", "\r\n", "\r\n\r\n"] {
        assert_eq!(opening(text.as_bytes()), Opening::Incomplete, "{text:?}");
    }
}

proptest! {
    #[test]
    fn proxy_header_of_any_octets_is_read_without_fault(
        tail in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        let octets = [V2_SIGNATURE, &tail].concat();
        if let Opening::Header { octets: length, .. } = opening(&octets) {
            prop_assert!(length <= octets.len());
        }
    }
}
