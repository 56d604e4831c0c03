use super::*;
use crate::entity::AccountId;

fn host(scope: Option<(Scope, Timestamp)>, private_ok: bool) -> Host {
    let name = wire::Name::parse("h.dyn.example").unwrap();
    let zone = name.parent().unwrap();
    Host { private_ok, scope, ..Host::new(name, zone, AccountId(0), Timestamp(0)) }
}

fn zone(suffix: bool) -> ZoneEntry {
    let apex = wire::Name::parse("dyn.example").unwrap();
    ZoneEntry { suffix, ..ZoneEntry::new(apex, AccountId(0), Timestamp(0)) }
}

#[test]
fn address_scope_table() {
    for (text, expected) in [
        ("8.8.8.8", "public"),
        ("1.1.1.1", "public"),
        ("2606:4700::1111", "public"),
        ("::ffff:8.8.8.8", "public"),
        ("10.1.2.3", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", "public"),
        ("192.168.0.1", "private"),
        ("::ffff:192.168.0.1", "private"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.128.0.1", "public"),
        ("169.254.169.254", "link-local"),
        ("127.0.0.1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("198.51.100.7", "documentation"),
        ("198.19.0.1", "benchmarking"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fe80::1", "link-local"),
        ("fd00::1", "unique local"),
        ("2001:db8::1", "documentation"),
        ("2001::1", "Teredo"),
        ("ff02::1", "multicast"),
        // Forms that carry an IPv4 address, and what no host of the Internet has.
        ("::127.0.0.1", "IPv4-compatible"),
        ("::ffff:0:127.0.0.1", "reserved"),
        ("64:ff9b::10.0.0.1", "NAT64"),
        ("2002:7f00:1::", "6to4 of an address that is not public"),
        ("2002:a00:1::1", "6to4 of an address that is not public"),
        ("2002:e000:1::1", "6to4 of an address that is not public"),
        ("2002:808:808::1", "public"),
        ("2001:1::1", "protocol assignment"),
        ("2001:20::1", "protocol assignment"),
        ("2001:200::1", "public"),
        ("100:0:0:1::1", "reserved"),
        ("1fff::1", "reserved"),
        ("4000::1", "reserved"),
        ("e000::1", "reserved"),
        ("3ffe::1", "public"),
    ] {
        let address: IpAddr = text.parse().unwrap();
        assert_eq!(kind(unmapped(address)).name, expected, "{text}");
        assert_eq!(scope(address) == Scope::Public, expected == "public", "{text}");
    }
}

#[test]
fn address_verdict_table() {
    let hour = 60 * 60 * 1000;
    let public = Some((Scope::Public, Timestamp(0)));
    let private = Some((Scope::Private, Timestamp(0)));
    let not_public = |kind| Verdict::Refuse(AddressRefusal::NotPublic(kind));
    for (text, scope, private_ok, suffix, now, expected) in [
        ("8.8.8.8", None, false, true, 0, Verdict::Publish),
        ("10.0.0.1", None, false, true, 0, not_public("private")),
        ("169.254.169.254", None, false, true, 0, not_public("link-local")),
        ("10.0.0.1", None, true, true, 0, Verdict::Publish),
        ("10.0.0.1", None, false, false, 0, Verdict::Publish),
        ("203.0.113.9", public, false, false, hour, Verdict::Dummy),
        ("192.168.1.1", public, false, true, hour, Verdict::Dummy),
        ("fd00:d::1", public, false, true, hour, Verdict::Dummy),
        ("203.0.113.9", private, false, false, hour, Verdict::Publish),
        ("203.0.113.9", None, false, true, 0, not_public("documentation")),
        ("10.0.0.1", public, false, false, hour, Verdict::Refuse(AddressRefusal::Rebinding)),
        ("10.0.0.1", public, false, false, 24 * hour, Verdict::Publish),
        ("10.0.0.1", public, true, false, hour, Verdict::Publish),
        ("8.8.8.8", private, false, false, hour, Verdict::Publish),
        ("0.0.0.0", None, true, false, 0, Verdict::Refuse(AddressRefusal::Unusable("unspecified"))),
        ("ff02::1", None, true, false, 0, Verdict::Refuse(AddressRefusal::Unusable("multicast"))),
    ] {
        let found =
            verdict(text.parse().unwrap(), &host(scope, private_ok), &zone(suffix), Timestamp(now));
        assert_eq!(found, expected, "{text} {scope:?} {private_ok} {suffix} {now}");
    }
}
