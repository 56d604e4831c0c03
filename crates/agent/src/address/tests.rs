use super::*;

#[test]
fn every_special_range_has_its_scope() {
    for (text, expected) in [
        ("8.8.8.8", Scope::Public),
        ("100.63.255.255", Scope::Public),
        ("100.128.0.0", Scope::Public),
        ("172.32.0.1", Scope::Public),
        ("2a00:1450::1", Scope::Public),
        ("127.0.0.1", Scope::Loopback),
        ("::1", Scope::Loopback),
        ("10.1.2.3", Scope::Private("private")),
        ("172.31.255.255", Scope::Private("private")),
        ("192.168.1.1", Scope::Private("private")),
        ("::ffff:192.168.1.1", Scope::Private("private")),
        ("100.64.0.1", Scope::Private("shared (carrier-grade NAT)")),
        ("192.0.0.2", Scope::Private("IPv4-over-IPv6")),
        ("198.51.100.7", Scope::Private("documentation")),
        ("2001:db8::1", Scope::Private("documentation")),
        ("3fff:fff::1", Scope::Private("documentation")),
        ("fd00::2", Scope::Private("unique local")),
        ("169.254.1.1", Scope::LinkLocal),
        ("fe80::1", Scope::LinkLocal),
        ("0.0.0.0", Scope::Unusable("unspecified")),
        ("::", Scope::Unusable("unspecified")),
        ("224.0.0.1", Scope::Unusable("multicast")),
        ("ff02::1", Scope::Unusable("multicast")),
        ("255.255.255.255", Scope::Unusable("reserved")),
        ("2001::1", Scope::Unusable("Teredo")),
        ("64:ff9b::808:808", Scope::Unusable("reserved")),
    ] {
        assert_eq!(scope(text.parse().unwrap()), expected, "{text}");
    }
}

#[test]
fn a_set_is_sorted_without_repetition_and_of_one_family() {
    let all: Vec<IpAddr> = ["9.0.0.2", "2a00::1", "9.0.0.1", "::ffff:9.0.0.2"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let set = Addresses::of_family(Family::V4, &all).unwrap();
    assert_eq!(set.to_string(), "9.0.0.1, 9.0.0.2");
    assert_eq!(Addresses::of_family(Family::V6, &all[..1]), None);
}

#[test]
fn a_set_never_grows_past_its_limit() {
    let all: Vec<IpAddr> =
        (1..=ADDRESSES_MAX as u8 + 3).map(|last| IpAddr::from([9, 9, 9, last])).collect();
    assert_eq!(Addresses::of_family(Family::V4, &all).unwrap().as_slice().len(), ADDRESSES_MAX);
}

#[test]
fn link_local_and_unusable_addresses_are_admitted_by_no_setting() {
    let everything = Allowed { private: true, loopback: true };
    assert!(everything.admits(Scope::Private("private")) && everything.admits(Scope::Loopback));
    assert!(!everything.admits(Scope::LinkLocal) && !everything.admits(Scope::Unusable("")));
    assert!(!Allowed::default().admits(Scope::Private("")));
    assert!(!Allowed::default().admits(Scope::Loopback));
}
