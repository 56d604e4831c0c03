use super::super::check::{answered, get, good, nochg, plain, refusals, told};
use crate::Code;

#[test]
fn requests_of_real_clients_are_understood() {
    for (octets, meaning) in [
        // inadyn 2.10.
        (
            "GET /api/update?ipv4=192.0.2.1&hostname=home.dyn.example&token=t0ken HTTP/1.0\r\n\
             Host: ipv4.dynv6.com\r\n\
             User-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=keep",
        ),
        (
            "GET /api/update?ipv6=2001:db8::1&hostname=home.dyn.example&token=t0ken HTTP/1.0\r\n\
             Host: dynv6.com\r\n\
             User-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
            "home.dyn.example A=keep AAAA=2001:db8::1",
        ),
        // OpenWrt with wget.
        (
            "GET /api/update?hostname=home.dyn.example&token=t0ken&ipv4=192.0.2.1 HTTP/1.1\r\n\
             User-Agent: Wget/1.21.4\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\
             Host: dynv6.com\r\nConnection: Keep-Alive\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=keep",
        ),
        // qdm12's ddns-updater.
        (
            "GET /api/update?ipv6=2001%3Adb8%3A%3A1&token=t0ken&zone=home.dyn.example HTTP/1.1\r\n\
             Host: ipv6.dynv6.com\r\nUser-Agent: DDNS-Updater\r\n\
             Accept-Encoding: gzip\r\n\r\n",
            "home.dyn.example A=keep AAAA=2001:db8::1",
        ),
        // inadyn as of its issue 511: a router that announces its prefix.
        (
            "GET /api/update?zone=home.dyn.example&ipv6=2001:db8:1:2::7/56&token=t0ken HTTP/1.0\r\n\
             Host: ipv6.dynv6.com\r\nUser-Agent: inadyn/2.12.0\r\n\r\n",
            "home.dyn.example A=keep AAAA=2001:db8:1:2::7 prefix=2001:db8:1::/56",
        ),
        // A FRITZ!Box with the URL that many guides give, dual stack and DS-Lite.
        (
            "GET /api/update?zone=home.dyn.example&token=t0ken&ipv4=192.0.2.1&ipv6=2001:db8::1\
             &ipv6prefix=2001:db8::/56 HTTP/1.1\r\nHost: dynv6.com\r\n\
             User-Agent: Fritz!Box DDNS/1.0.1\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=2001:db8::1 prefix=2001:db8::/56",
        ),
        (
            "GET /api/update?zone=home.dyn.example&token=t0ken&ipv4=&ipv6=2001:db8::1\
             &ipv6prefix=2001:db8::/56 HTTP/1.1\r\nHost: dynv6.com\r\n\
             User-Agent: Fritz!Box DDNS/1.0.1\r\n\r\n",
            "home.dyn.example A=keep AAAA=2001:db8::1 prefix=2001:db8::/56",
        ),
    ] {
        assert_eq!(told(octets), format!("dynv6 :t0ken {meaning} []"), "{octets}");
    }
}

#[test]
fn what_the_documentation_says_of_parameters() {
    for (query, meaning) in [
        ("zone=h.example&ipv4=auto", "h.example A=source AAAA=keep []"),
        ("Hostname=h.example&ipv4=auto&ipv6=auto", "h.example A=source AAAA=source []"),
        ("zone=h.example&ipv4=-", "h.example A=delete AAAA=keep []"),
        ("zone=h.example&ipv4=&ipv6=", "h.example A=keep AAAA=keep []"),
        ("zone=h.example", "h.example A=keep AAAA=keep []"),
        ("ipv4=192.0.2.1", "only A=192.0.2.1 AAAA=keep []"),
        (
            "zone=h.example&ipv6=2001:db8::7/64",
            "h.example A=keep AAAA=2001:db8::7 prefix=2001:db8::/64 []",
        ),
        (
            "zone=h.example&ipv6=2001:db8::7/64&ipv6prefix=2001:db8:5::/48",
            "h.example A=keep AAAA=2001:db8::7 prefix=2001:db8:5::/48 []",
        ),
        ("zone=h.example&ipv6=2001:db8::7/128", "h.example A=keep AAAA=2001:db8::7 []"),
        (
            "zone=h.example&ipv6=2001:db8:5::/56",
            "h.example A=keep AAAA=keep prefix=2001:db8:5::/56 []",
        ),
        ("zone=h.example&ipv6prefix=auto", "h.example A=keep AAAA=keep prefix=source []"),
        ("zone=h.example&ipv6prefix=-", "h.example A=keep AAAA=keep prefix=delete []"),
        ("zone=h.example&ipv6prefix=", "h.example A=keep AAAA=keep []"),
        ("zone=h.example&ipv4=%3Cipaddr%3E", "h.example A=keep AAAA=keep [AddressPlaceholder]"),
        ("zone=h.example&ipv6=6to4", "dnserr [Ipv6To4]"),
        ("zone=h.example&ipv6prefix=6to4", "dnserr [Ipv6To4]"),
        ("zone=h.example&ipv4=garbage", "dnserr [NotAnAddress]"),
        ("zone=h.example&ipv4=2001:db8::1", "dnserr [OtherFamily]"),
        ("zone=h.example&ipv6=2001:db8::1/129", "dnserr [NotAPrefix]"),
    ] {
        let said = told(get(&format!("/api/update?token=t0ken&{query}")));
        assert_eq!(said.strip_prefix("dynv6 :t0ken "), Some(meaning), "{query}");
    }
}

#[test]
fn answers_have_the_words_that_clients_look_for() {
    let target = get("/api/update?zone=h.example&token=t0ken&ipv4=192.0.2.1");
    let changed = good("h.example", &[], &["192.0.2.1"]);
    let same = nochg("h.example", &["192.0.2.1"]);
    for (outcomes, body) in [
        (vec![changed.clone()], "addresses updated"),
        (vec![same.clone()], "addresses unchanged"),
        (vec![same, changed], "addresses updated"),
    ] {
        assert_eq!(answered(&target, &outcomes), plain("200 OK", "", body));
    }
    for refusal in refusals("h.example") {
        let said = answered(&target, std::slice::from_ref(&refusal));
        assert!(!said.starts_with("HTTP/1.1 2"), "{said}");
        assert!(!said.contains("updated") && !said.contains("unchanged"), "{said}");
        if refusal.code == Code::Badauth {
            assert_eq!(said, plain("401 Unauthorized", "", "invalid authentication token"));
        }
    }
}
