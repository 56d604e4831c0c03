use super::*;

fn trust() -> Trust {
    Trust {
        networks: vec!["10.1.0.0/16".parse().unwrap()],
        proxies: vec!["172.16.0.0/24".parse().unwrap(), "2001:db8:f::/64".parse().unwrap()],
    }
}

fn hops(text: &str) -> Forwarded {
    Forwarded { hops: Some(text.to_owned()), ..Forwarded::default() }
}

/// Checks the source of one request: its address (`-`: unknown), and whether it is local.
fn check(
    (peer, header): (&str, Option<Header>),
    forwarded: &Forwarded,
    (address, local): (&str, bool),
) -> Source {
    let link = Link { peer: peer.parse().unwrap(), header, tls: false };
    let source = trust().source(link, forwarded);
    let found = source.address.map_or("-".to_owned(), |address| address.to_string());
    assert_eq!((&*found, source.local), (address, local), "{peer} {header:?} {forwarded:?}");
    source
}

fn proxied(source: &str) -> Option<Header> {
    Some(Header::Proxied { source: Some(source.parse().unwrap()), encrypted: false })
}

#[test]
fn source_is_the_peer_without_a_proxy() {
    for (peer, address, local) in [
        ("8.8.8.8", "8.8.8.8", false),
        ("::ffff:8.8.8.8", "8.8.8.8", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("::1", "::1", true),
        ("10.1.2.3", "10.1.2.3", true),
        ("10.2.2.3", "10.2.2.3", false),
    ] {
        check((peer, None), &Forwarded::default(), (address, local));
    }
}

#[test]
fn forwarded_for_of_a_stranger_is_not_believed() {
    check(("8.8.8.8", None), &hops("1.2.3.4"), ("8.8.8.8", false));
    check(("8.8.8.8", None), &hops("127.0.0.1"), ("8.8.8.8", false));
    let https = Forwarded { https: true, ..Forwarded::default() };
    assert!(check(("8.8.8.8", None), &https, ("8.8.8.8", false)).is_exposed());
}

#[test]
fn an_unlisted_proxy_nearby_makes_the_source_unknown() {
    for peer in ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.2", "fd00::1"] {
        check((peer, None), &hops("8.8.8.8"), ("-", false));
        let other = Forwarded { other: true, ..Forwarded::default() };
        check((peer, None), &other, ("-", false));
    }
}

#[test]
fn forwarded_for_counts_to_the_last_untrusted_hop() {
    for (text, address, local) in [
        ("8.8.8.8", "8.8.8.8", false),
        ("1.2.3.4, 8.8.8.8", "8.8.8.8", false),
        ("127.0.0.1,8.8.8.8", "8.8.8.8", false),
        ("8.8.8.8, 172.16.0.9", "8.8.8.8", false),
        ("1.2.3.4, 8.8.8.8, 2001:db8:f::9, 172.16.0.9", "8.8.8.8", false),
        ("8.8.8.8:1234", "8.8.8.8", false),
        ("[2001:4860::8]:1234", "2001:4860::8", false),
        ("[2001:4860::8]", "2001:4860::8", false),
        ("::ffff:8.8.8.8", "8.8.8.8", false),
        ("10.1.2.3", "10.1.2.3", true),
        ("172.16.0.9", "172.16.0.9", false),
        ("8.8.8.8, unknown", "-", false),
        ("8.8.8.8, unknown, 172.16.0.9", "-", false),
        ("8.8.8.8,", "-", false),
        ("", "-", false),
    ] {
        check(("172.16.0.1", None), &hops(text), (address, local));
    }
}

#[test]
fn a_proxy_that_names_no_client_is_not_the_client() {
    check(("172.16.0.1", None), &Forwarded::default(), ("-", false));
    check(("172.16.0.1", Some(Header::Local)), &Forwarded::default(), ("-", false));
    let unknown = Some(Header::Proxied { source: None, encrypted: false });
    check(("172.16.0.1", unknown), &hops("8.8.8.8"), ("-", false));
}

#[test]
fn proxy_header_names_the_client_whose_own_words_do_not_count() {
    check(("172.16.0.1", proxied("8.8.8.8")), &hops("1.2.3.4"), ("8.8.8.8", false));
    check(("172.16.0.1", proxied("::ffff:8.8.8.8")), &Forwarded::default(), ("8.8.8.8", false));
    check(("172.16.0.1", proxied("10.1.2.3")), &Forwarded::default(), ("10.1.2.3", true));
    // A chain: a balancer of connections before a proxy of requests, both listed.
    check(("172.16.0.1", proxied("172.16.0.2")), &hops("1.2.3.4, 8.8.8.8"), ("8.8.8.8", false));
}

#[test]
fn source_is_exposed_in_clear_from_afar_only() {
    let https = |text: &str| Forwarded { https: true, ..hops(text) };
    let tls = |source: &str| {
        Some(Header::Proxied { source: Some(source.parse().unwrap()), encrypted: true })
    };
    for (peer, header, forwarded, exposed) in [
        ("8.8.8.8", None, Forwarded::default(), true),
        ("127.0.0.1", None, Forwarded::default(), false),
        ("10.1.2.3", None, Forwarded::default(), false),
        ("172.16.0.1", None, hops("8.8.8.8"), true),
        ("172.16.0.1", None, https("8.8.8.8"), false),
        ("172.16.0.1", None, hops("10.1.2.3"), false),
        ("172.16.0.1", proxied("8.8.8.8"), https("1.2.3.4"), true),
        ("172.16.0.1", tls("8.8.8.8"), Forwarded::default(), false),
        ("127.0.0.1", None, hops("8.8.8.8"), true),
    ] {
        let link = Link { peer: peer.parse().unwrap(), header, tls: false };
        let source = trust().source(link, &forwarded);
        assert_eq!(source.is_exposed(), exposed, "{peer} {header:?} {forwarded:?}");
    }
}

#[test]
fn source_over_tls_is_exposed_only_where_a_proxy_says_so() {
    let other = Forwarded { other: true, ..Forwarded::default() };
    for (peer, header, forwarded, exposed) in [
        ("8.8.8.8", None, Forwarded::default(), false),
        // What a stranger says of proxies changes nothing.
        ("8.8.8.8", None, hops("1.2.3.4"), false),
        // The client's own handshake came through the proxy.
        ("172.16.0.1", proxied("8.8.8.8"), Forwarded::default(), false),
        // TLS from a proxy of requests says nothing of its clients.
        ("172.16.0.1", None, hops("8.8.8.8"), true),
        ("172.16.0.1", None, other.clone(), true),
        ("172.16.0.1", None, Forwarded::default(), false),
        // A proxy on this machine that nobody has listed.
        ("127.0.0.1", None, hops("8.8.8.8"), true),
    ] {
        let link = Link { peer: peer.parse().unwrap(), header, tls: true };
        let source = trust().source(link, &forwarded);
        assert_eq!(source.is_exposed(), exposed, "{peer} {header:?} {forwarded:?}");
    }
}
