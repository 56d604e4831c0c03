use super::super::check::{answered, get, good, nochg, plain, refusals, told};
use crate::{Code, Outcome};

#[test]
fn requests_of_real_clients_are_understood() {
    for (octets, meaning) in [
        // inadyn 2.10, one request for each family.
        (
            "GET /update?domains=home&token=t0ken&ip=192.0.2.1 HTTP/1.0\r\nHost: www.duckdns.org\r\n\
             User-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
            "label home A=192.0.2.1 AAAA=keep",
        ),
        (
            "GET /update?domains=home&token=t0ken&ipv6=2001:db8::1 HTTP/1.0\r\nHost: www.duckdns.org\r\n\
             User-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
            "label home A=keep AAAA=2001:db8::1",
        ),
        // ddclient 3.10 and 4.
        (
            "GET /update?domains=home.dyn.example&token=t0ken&ip=192.0.2.1 HTTP/1.0\r\n\
             Host: d.example\r\nUser-Agent: ddclient/3.10.0\r\nConnection: close\r\n\r\n",
            "label home.dyn.example A=192.0.2.1 AAAA=keep",
        ),
        (
            "GET /update?domains=home,nas&token=t0ken&ip=192.0.2.1&ipv6=2001:db8::1 HTTP/1.1\r\n\
             Host: d.example\r\nUser-Agent: ddclient/4.0.1\r\nAccept: */*\r\n\r\n",
            "label home,nas A=192.0.2.1 AAAA=2001:db8::1",
        ),
        // FreshTomato.
        (
            "GET /update?domains=home&token=t0ken&ip=192.0.2.1 HTTP/1.0\r\nHost: www.duckdns.org\r\n\
             User-Agent: MDU\r\nCache-Control: no-cache\r\n\r\n",
            "label home A=192.0.2.1 AAAA=keep",
        ),
        // qdm12's ddns-updater.
        (
            "GET /update?domains=home&ip=192.0.2.1&token=t0ken&verbose=true HTTP/1.1\r\n\
             Host: www.duckdns.org\r\nUser-Agent: DDNS-Updater\r\n\
             Accept-Encoding: gzip\r\n\r\n",
            "label home A=192.0.2.1 AAAA=keep",
        ),
        // lego 4.
        (
            "GET /update?clear=false&domains=home.duckdns.org&token=t0ken&txt=v4lue HTTP/1.1\r\n\
             Host: www.duckdns.org\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n",
            "label home A=keep AAAA=keep TXT _acme-challenge=v4lue",
        ),
        (
            "GET /update?clear=true&domains=home.duckdns.org&token=t0ken&txt= HTTP/1.1\r\n\
             Host: www.duckdns.org\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n",
            "label home A=keep AAAA=keep TXT _acme-challenge clear",
        ),
        // acme.sh with curl.
        (
            "GET /update?domains=home&token=t0ken&txt=v4lue HTTP/1.1\r\nHost: www.duckdns.org\r\n\
             User-Agent: acme.sh/3.1.1\r\nAccept: */*\r\n\r\n",
            "label home A=keep AAAA=keep TXT _acme-challenge=v4lue",
        ),
        (
            "GET /update?domains=home&token=t0ken&txt=&clear=true HTTP/1.1\r\nHost: www.duckdns.org\r\n\
             User-Agent: acme.sh/3.1.1\r\nAccept: */*\r\n\r\n",
            "label home A=keep AAAA=keep TXT _acme-challenge clear",
        ),
        // The crontab line of DuckDNS itself.
        (
            "GET /update?domains=home&token=t0ken&ip= HTTP/1.1\r\nHost: www.duckdns.org\r\n\
             User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
            "label home A=source AAAA=keep",
        ),
    ] {
        assert_eq!(told(octets), format!("duckdns :t0ken {meaning} []"), "{octets}");
    }
}

#[test]
fn what_the_specification_says_of_parameters() {
    for (query, meaning) in [
        ("domains=home", "label home A=source AAAA=keep []"),
        ("DOMAINS=home", "label home A=source AAAA=keep []"),
        ("domains=home&ip=2001:db8::1", "label home A=keep AAAA=2001:db8::1 []"),
        ("domains=home&ip=&ipv6=2001:db8::1", "label home A=keep AAAA=2001:db8::1 []"),
        ("domains=home&ip=192.0.2.1&ipv6=", "label home A=192.0.2.1 AAAA=keep []"),
        ("domains=home&ip=&ipv6=", "label home A=source AAAA=keep []"),
        ("domains=home&clear=true&ip=192.0.2.1", "label home A=delete AAAA=delete []"),
        ("domains=home&clear=true&ip=garbage", "label home A=delete AAAA=delete []"),
        ("domains=home&clear=false", "label home A=source AAAA=keep []"),
        ("domains=home&clear=", "label home A=source AAAA=keep []"),
        ("domains=home&clear=yes", "label home A=source AAAA=keep []"),
        ("domains=sub.home.duckdns.org", "label home A=source AAAA=keep []"),
        ("domains=home.DuckDNS.org,nas", "label home,nas A=source AAAA=keep []"),
        ("domains=.duckdns.org", "label .duckdns.org A=source AAAA=keep []"),
        ("domains=home&txt=", "dnserr [TextUnusable]"),
        ("domains=", "notfqdn []"),
        ("domains=,", "notfqdn []"),
        ("domains=home&ip=garbage", "dnserr [NotAnAddress]"),
        ("domains=home&ipv6=192.0.2.1", "dnserr [OtherFamily]"),
        ("domains=[DOMAIN]", "notfqdn [Unescaped, HostPlaceholder]"),
    ] {
        let said = told(get(&format!("/update?token=t0ken&{query}")));
        assert_eq!(said.strip_prefix("duckdns :t0ken "), Some(meaning), "{query}");
    }
    assert_eq!(
        told(get("/update?domains=home")),
        "duckdns nobody label home A=source AAAA=keep []"
    );
    let many = vec!["h"; 21].join(",");
    let said = told(get(&format!("/update?token=t&domains={many}")));
    assert_eq!(said, "duckdns :t numhost [TooManyHosts]");
}

#[test]
fn the_form_without_parameters() {
    for (path, meaning) in [
        ("/update/home/t0ken", "label home A=source AAAA=keep"),
        ("/update/home/t0ken/", "label home A=source AAAA=keep"),
        ("/update/home/t0ken/192.0.2.1", "label home A=192.0.2.1 AAAA=keep"),
        ("/update/home/t0ken/2001:db8::1", "label home A=keep AAAA=2001:db8::1"),
        ("/UPDATE/home/t0ken", "label home A=source AAAA=keep"),
    ] {
        assert_eq!(told(get(path)), format!("duckdns :t0ken {meaning} []"), "{path}");
    }
    for path in ["/update", "/update/home", "/update/home/t0ken/192.0.2.1/x", "/updates/home/t"] {
        assert_eq!(told(get(path)), "nothing", "{path}");
    }
}

const SET: &str = "/update?domains=home&token=t0ken&ip=192.0.2.1";

#[test]
fn answers_are_those_of_the_specification() {
    let changed = [good("home.dyn.example", &["192.0.2.9"], &["192.0.2.1"])];
    let both = [good("home.dyn.example", &[], &["192.0.2.1", "2001:db8::1"])];
    let same = [nochg("home.dyn.example", &["192.0.2.1"])];
    let six = [nochg("home.dyn.example", &["2001:db8::1"])];
    let none = [good("home.dyn.example", &["192.0.2.9"], &[])];
    let verbose = format!("{SET}&verbose=true");
    for (target, outcomes, body) in [
        (SET, &changed, "OK"),
        (SET, &same, "OK"),
        (&verbose, &changed, "OK\n192.0.2.1\n\nUPDATED"),
        (&verbose, &both, "OK\n192.0.2.1\n2001:db8::1\nUPDATED"),
        (&verbose, &same, "OK\n192.0.2.1\n\nNOCHANGE"),
        (&verbose, &six, "OK\n\n2001:db8::1\nNOCHANGE"),
        (&verbose, &none, "OK\n\n\nUPDATED"),
        ("/update?domains=home&token=t&txt=v4lue&verbose=true", &none, "OK\nv4lue\nUPDATED"),
        ("/update/home/t0ken/192.0.2.1", &changed, "OK"),
    ] {
        assert_eq!(answered(get(target), outcomes), plain("200 OK", "", body), "{target}");
    }
}

#[test]
fn one_host_that_fails_is_ko_for_all() {
    let changed = good("home.dyn.example", &[], &["192.0.2.1"]);
    for refusal in refusals("nas.dyn.example") {
        let status = match refusal.code {
            Code::Unavailable => "503 Service Unavailable",
            _ => "200 OK",
        };
        let verbose = get(&format!("{SET}&verbose=true"));
        let said = answered(verbose, &[changed.clone(), refusal.clone()]);
        assert_eq!(said, plain(status, "", "KO"), "{refusal:?}");
    }
    assert_eq!(answered(get(SET), &[]), plain("200 OK", "", "KO"));
}

#[test]
fn old_clients_are_answered_in_their_version() {
    let octets = format!("GET {SET} HTTP/1.0\r\nHost: d\r\n\r\n");
    let outcome: Outcome = good("home.dyn.example", &[], &["192.0.2.1"]);
    assert_eq!(
        answered(octets, &[outcome]),
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\nOK"
    );
}
