use super::super::check::{CHALLENGE, answered, get, good, nochg, plain, told};
use crate::{Code, Outcome};

#[test]
fn requests_of_real_clients_are_understood() {
    for (octets, meaning) in [
        // curl, as many scripts have it: the token knows its host.
        (
            "GET /update.php?key=t0ken HTTP/1.1\r\nHost: ipv64.net\r\nUser-Agent: curl/8.5.0\r\n\
             Accept: */*\r\n\r\n",
            "only A=source AAAA=source",
        ),
        (
            "GET /update.php?key=t0ken&domain=home.dyn.example&ip=192.0.2.1&ip6=2001:db8::1 HTTP/1.1\r\n\
             Host: ipv64.net\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=2001:db8::1",
        ),
        // A FRITZ!Box with the URL that ipv64 shows.
        (
            "GET /update.php?key=t0ken&domain=home.dyn.example&ip=192.0.2.1&ip6=2001:db8::1\
             &ipv6prefix=2001:db8::/56 HTTP/1.1\r\nHost: ipv64.net\r\n\
             User-Agent: Fritz!Box DDNS/1.0.1\r\n\r\n",
            "home.dyn.example A=192.0.2.1 AAAA=2001:db8::1 prefix=2001:db8::/56",
        ),
        // A form, as Home Assistant or a browser sends it.
        (
            "POST /update HTTP/1.1\r\nHost: ipv64.net\r\nContent-Length: 46\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n\
             token=t0ken&host=h.example&myip6=2001%3Adb8::1",
            "h.example A=keep AAAA=2001:db8::1",
        ),
    ] {
        assert_eq!(told(octets), format!("ipv64 :t0ken {meaning} []"), "{octets}");
    }
    // OpenWrt and qdm12's ddns-updater use the path of dyndns2, where it says the same.
    let octets = "GET /nic/update?domain=home.dyn.example&key=t0ken&ip=192.0.2.1 HTTP/1.1\r\n\
                  User-Agent: Wget/1.21.4\r\nHost: ipv64.net\r\n\r\n";
    assert_eq!(told(octets), "dyndns2 :t0ken home.dyn.example A=192.0.2.1 AAAA=keep [TokenInUrl]");
}

#[test]
fn what_the_documentation_says_of_parameters() {
    for (query, meaning) in [
        ("domain=a.example,b.example", "a.example,b.example A=source AAAA=source []"),
        ("hostname=a.example&ipv4=192.0.2.1", "a.example A=192.0.2.1 AAAA=keep []"),
        (
            "host=a.example&ip4=192.0.2.1&myipv6=2001:db8::1",
            "a.example A=192.0.2.1 AAAA=2001:db8::1 []",
        ),
        ("domain=a.example&praefix=www&ip=192.0.2.1", "www.a.example A=192.0.2.1 AAAA=keep []"),
        ("praefix=www&ip=192.0.2.1", "notfqdn []"),
        ("domain=a.example&ip6lanprefix=auto", "a.example A=source AAAA=source prefix=source []"),
        (
            "domain=a.example&ipv6prefix=2001:db8:1::/48&onlyprefix&ip=192.0.2.1",
            "a.example A=keep AAAA=keep prefix=2001:db8:1::/48 []",
        ),
        ("domain=a.example&onlyprefix&ip=192.0.2.1", "a.example A=192.0.2.1 AAAA=keep []"),
        ("domain=a.example&healthcheck=x&ip=192.0.2.1", "a.example A=192.0.2.1 AAAA=keep []"),
        ("domain=a.example&ipv6prefix=www", "dnserr [NotAPrefix]"),
        ("domain=a.example&ip6=192.0.2.1", "dnserr [OtherFamily]"),
    ] {
        for path in ["/update", "/update.php"] {
            let said = told(get(&format!("{path}?key=t0ken&{query}")));
            assert_eq!(said.strip_prefix("ipv64 :t0ken "), Some(meaning), "{path} {query}");
        }
    }
    let peculiar = told(get("/nic/update?key=t0ken&domain=a.example&praefix=www&ip=192.0.2.1"));
    assert_eq!(peculiar, "ipv64 :t0ken www.a.example A=192.0.2.1 AAAA=keep []");
}

#[test]
fn the_token_is_found_wherever_it_may_be() {
    for query in ["key=t0ken", "token=t0ken", "user=t0ken", "username=t0ken", "key=t0ken&user=me"] {
        let said = told(get(&format!("/update.php?{query}")));
        assert!(said.starts_with("ipv64 :t0ken "), "{query}: {said}");
    }
    for (value, who) in [
        // `none:a-long-t0ken`, `a-long-t0ken:none`, `a-long-t0ken:`
        ("Basic bm9uZTphLWxvbmctdDBrZW4=", "none:a-long-t0ken"),
        ("Basic YS1sb25nLXQwa2VuOm5vbmU=", "none:a-long-t0ken"),
        ("Basic YS1sb25nLXQwa2VuOg==", ":a-long-t0ken"),
        ("Bearer a-long-t0ken", ":a-long-t0ken"),
    ] {
        let octets = format!("GET /update HTTP/1.1\r\nHost: d\r\nAuthorization: {value}\r\n\r\n");
        assert_eq!(told(octets), format!("ipv64 {who} only A=source AAAA=source []"), "{value}");
    }
    assert_eq!(told(get("/update")), "nothing");
    assert_eq!(told(get("/update.php")), "nothing");
}

#[test]
fn answers_are_those_of_dyndns2() {
    let said = |outcome| answered(get("/update.php?key=t0ken"), &[outcome]);
    assert_eq!(
        said(good("h.example", &[], &["192.0.2.1"])),
        plain("200 OK", "", "good 192.0.2.1\n")
    );
    assert_eq!(said(nochg("h.example", &["192.0.2.1"])), plain("200 OK", "", "nochg 192.0.2.1\n"));
    assert_eq!(
        said(Outcome::whole(Code::Badauth)),
        plain("401 Unauthorized", CHALLENGE, "badauth\n")
    );
}
