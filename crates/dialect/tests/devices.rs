//! What real devices send, octet for octet, and what we take it for.
//!
//! The first table is requests that were seen or follow from a device's source, and constructed
//! ones of the same kind; a stock HTTP server answers many of them with an empty 400. The second is
//! what each known client sends when all is well.

use dialect::http::{Limits, Reader, Request};
use dialect::{Ask, Hosts, Profile, Wanted};

/// Name, octets, and what they are taken for (see [`told`]).
type Fixture = (&'static str, &'static [u8], &'static str);

const ODD: &[Fixture] = &[
    (
        "inadyn",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nHost: 127.0.0.1\r\n\
          Authorization: Basic dTpw\r\nUser-Agent: inadyn/2.10.0 https://github.com/troglobit/inadyn/issues\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p []",
    ),
    (
        "ez-ipupdate",
        b"GET /nic/update?system=dyndns&hostname=h.example&myip=192.0.2.1&wildcard=OFF& HTTP/1.0\r\n\
          Authorization: Basic dTpw\r\nUser-Agent: ez-update-3.0.11b7 linux [] (by Angus Mackay)\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p []",
    ),
    (
        "HTTP/1.0 without Host",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nAuthorization: Basic dTpw\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p []",
    ),
    (
        "HTTP/1.1 without Host",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nAuthorization: Basic dTpw\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p [HostMissing]",
    ),
    (
        "UniFi with the server where the path belongs",
        b"GET foobar.workers.dev HTTP/1.0\r\nHost: d\r\nAuthorization: Basic aC5leGFtcGxlOnA=\r\n\r\n",
        "/nic/update h.example A=source AAAA=source h.example:p [PathMissing, HostFromUserName]",
    ),
    (
        "no leading slash",
        b"GET nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [PathUntidy]",
    ),
    (
        "UniFi with a script in front",
        b"GET /my.php//nic/update?user=u&password=p&ipv4=%25&mode=bothi&domain=%25h HTTP/1.0\r\nHost: d\r\n\r\n",
        "/nic/update  A=source AAAA=keep u:p [PathUntidy, TokenInUrl, HostPlaceholder, AddressPlaceholder]",
    ),
    (
        "UniFi with a backslash",
        b"GET /\\/nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [Unescaped, PathUntidy]",
    ),
    (
        "FRITZ!Box 5.50 with two URLs",
        b"GET /nic/update%20http:/ipv6.d.example/nic/update HTTP/1.1\r\nHost: d\r\n\
          Authorization: Basic aC5leGFtcGxlOnA=\r\nUser-Agent: Fritz!Box DDNS/1.0.1\r\n\r\n",
        "/nic/update h.example A=source AAAA=source h.example:p [FoldedUrls, HostFromUserName]",
    ),
    (
        "a space in a value",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1&pass=a b&user=u HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:a b [Unescaped, TokenInUrl]",
    ),
    (
        "placeholders of FRITZ!Box",
        b"GET /nic/update?hostname=h.example&myip=<ipaddr>&myipv6=<ip6addr> HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=source AAAA=source nobody [Unescaped, AddressPlaceholder]",
    ),
    (
        "ISO 8859-1 in a value",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1&user=u&pass=\xfcber HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:\u{fc}ber [Unescaped, NotUtf8, TokenInUrl]",
    ),
    (
        "UTF-8 in a value",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1&user=u&pass=\xc3\xbcber HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:\u{fc}ber [Unescaped, TokenInUrl]",
    ),
    (
        "# in a password",
        b"GET /nic/update?user=u&pass=a#b&hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:a#b [Unescaped, TokenInUrl]",
    ),
    (
        "% that encodes nothing",
        b"GET /nic/update?user=u&pass=%zz&hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:%zz [LonePercent, TokenInUrl]",
    ),
    (
        "every other character that must be escaped",
        b"GET /nic/update?user=u&pass=\"{a}|^\\`[]&hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:\"{a}|^\\`[] [Unescaped, TokenInUrl]",
    ),
    (
        "a link-local address with its zone",
        b"GET /nic/update?hostname=h.example&myip=fe80::1%eth0 HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update dnserr nobody [LonePercent, ZoneStripped, LinkLocal]",
    ),
    (
        "an address in brackets",
        b"GET /nic/update?hostname=h.example&myip=[2001:db8::1] HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=keep AAAA=2001:db8::1 nobody [Unescaped, BracketsStripped]",
    ),
    (
        "USG with its own request behind what was typed",
        b"GET /update?ip=%i&hostname=%h/nic/update?system=dyndns&hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [SecondQuestionMark, DoubledUrl, LonePercent, AddressPlaceholder]",
    ),
    (
        "USG again, the placeholder of the host left alone",
        b"GET /update?ip=%i&hostname=%h/nic/update?system=dyndns&myip=192.0.2.1 HTTP/1.0\r\nHost: d\r\n\r\n",
        "/nic/update  A=192.0.2.1 AAAA=keep nobody [SecondQuestionMark, DoubledUrl, LonePercent, HostPlaceholder, AddressPlaceholder]",
    ),
    (
        "absolute form",
        b"GET http://d.example/nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d.example\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody []",
    ),
    (
        "absolute form with user and password",
        b"GET http://u:p%40ss@d.example/nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d.example\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p@ss [UserinfoInTarget]",
    ),
    (
        "absolute form with a raw @ in the password",
        b"GET http://u:p@ss@d.example/nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d.example\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p@ss [UserinfoInTarget]",
    ),
    (
        "lines that end in LF",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\nHost: d\n\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [BareLineFeed]",
    ),
    (
        "two spaces before the version",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1  HTTP/1.0\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [Spacing]",
    ),
    (
        "lower case",
        b"get /nic/update?hostname=h.example&myip=192.0.2.1 http/1.1\r\nhost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [LowerCase]",
    ),
    (
        "HTTP/0.9",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1&user=u&password=p\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p [NoVersion, TokenInUrl]",
    ),
    (
        "space before the colon of Host",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost : d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [SpaceBeforeColon]",
    ),
    (
        "space before the colon of Authorization",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d\r\nAuthorization : Basic dTpw\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p [SpaceBeforeColon]",
    ),
    (
        "an empty user agent",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d\r\nUser-Agent:\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody []",
    ),
    (
        "a user agent in ISO 8859-1",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d\r\nUser-Agent: K\xfchlschrank\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [NotUtf8]",
    ),
    (
        "a folded Authorization",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d\r\nAuthorization: Basic\r\n  dTpw\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p [FoldedHeader]",
    ),
    (
        "a Host with two ports and a space",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.1\r\nHost: d:80:80 \r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep nobody [HostOdd]",
    ),
];

const USUAL: &[Fixture] = &[
    (
        "Hikvision, whose empty myip means its source address",
        b"GET /nic/update?system=dyndns&hostname=h.example&myip=&wildcard=OFF&mx=NO&backmx=NO&offline=NO HTTP/1.1\r\n\
          Host: d\r\nAuthorization: Basic dTpw\r\nUser-Agent: Hikvision-dvrdvs-1.0.0\r\n\r\n",
        "/nic/update h.example A=source AAAA=source u:p []",
    ),
    (
        "inadyn, the request for IPv6 alone",
        b"GET /nic/update?hostname=h.example&myipv6=2001:db8::7 HTTP/1.0\r\nHost: d\r\nAuthorization: Basic dTpw\r\n\r\n",
        "/nic/update h.example A=keep AAAA=2001:db8::7 u:p []",
    ),
    (
        "ddclient 4, both families and two hosts",
        b"GET /nic/update?hostname=a.example,b.example&myip=192.0.2.1,2001:db8::7 HTTP/1.1\r\nHost: d\r\n\
          Authorization: Basic dTpw\r\nUser-Agent: ddclient/4.0.0\r\n\r\n",
        "/nic/update a.example,b.example A=192.0.2.1 AAAA=2001:db8::7 u:p []",
    ),
    (
        "ddclient 3.10, whose check of the address failed",
        b"GET /nic/update?system=dyndns&hostname=h.example&myip= HTTP/1.1\r\nHost: d\r\nAuthorization: Basic dTpw\r\n\r\n",
        "/nic/update h.example A=source AAAA=source u:p []",
    ),
    (
        "pfSense for No-IP, both families",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1&myipv6=2001:db8::7&wildcard=&mx=&backmx=NO HTTP/1.1\r\n\
          Host: d\r\nAuthorization: Basic dTpw\r\nUser-Agent: phpDynDNS/0.7\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=2001:db8::7 u:p []",
    ),
    (
        "pfSense for HE, by form",
        b"POST /nic/update HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-www-form-urlencoded\r\n\
          Content-Length: 47\r\n\r\nhostname=h.example&password=p&myip=2001:db8::7\n",
        "/nic/update h.example A=keep AAAA=2001:db8::7 :p []",
    ),
    (
        "FRITZ!Box behind DS-Lite",
        b"GET /nic/update?hostname=h.example&myip=&myipv6=2001:db8::7 HTTP/1.1\r\nHost: d\r\n\
          Authorization: Basic dTpw\r\nUser-Agent: Fritz!Box DDNS/1.0.1\r\n\r\n",
        "/nic/update h.example A=source AAAA=2001:db8::7 u:p []",
    ),
    (
        "FRITZ!Box with a prefix for the hosts behind it",
        b"GET /nic/update?hostname=h.example&myipv6=2001:db8::7&ip6lanprefix=2001:db8:1::/64 HTTP/1.1\r\nHost: d\r\n\
          Authorization: Basic dTpw\r\n\r\n",
        "/nic/update h.example A=keep AAAA=2001:db8::7 and a prefix u:p []",
    ),
    (
        "OpenWrt for deSEC, one family preserved",
        b"GET /nic/update?hostname=h.example&username=u&password=p&myipv4=192.0.2.1&myipv6=preserve HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p [TokenInUrl]",
    ),
    (
        "Zyxel without an address",
        b"GET /nic/update?hostname=h.example HTTP/1.1\r\nHost: d\r\nAuthorization: Basic dTpw\r\n\r\n",
        "/nic/update h.example A=source AAAA=source u:p []",
    ),
    (
        "Netgear without a host",
        b"GET /nic/update?myip=192.0.2.1 HTTP/1.0\r\nHost: d\r\nAuthorization: Basic dTpw\r\n\r\n",
        "/nic/update  A=192.0.2.1 AAAA=keep u:p []",
    ),
    (
        "UniFi, which forgets the separator between two hosts",
        b"GET /nic/update?hostname=h.example&myip=1.1.1.1domain2.example.com HTTP/1.0\r\nHost: d\r\n\r\n",
        "/nic/update dnserr nobody [NotAnAddress]",
    ),
    (
        "Cisco IOS, every five minutes",
        b"GET /nic/update?system=dyndns&hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nHost: d\r\n\
          Authorization: Basic dTpw\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p []",
    ),
    (
        "MikroTik's fetch",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1/24 HTTP/1.1\r\nHost: d\r\n\
          Authorization: Basic dTpw\r\nUser-Agent: Mikrotik/7.16 Fetch\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p [PrefixLengthStripped]",
    ),
    (
        "Comware, whose template was typed with the placeholders of another",
        b"GET /nic/update?system=dyndns&hostname=<h>&myip=<a> HTTP/1.0\r\nHost: d\r\nAuthorization: Basic dTpw\r\n\r\n",
        "/nic/update  A=source AAAA=source u:p [Unescaped, HostPlaceholder, AddressPlaceholder]",
    ),
    (
        "OPNsense",
        b"GET /nic/update?hostname=h.example&myip=2001:db8::7&system=dyndns&wildcard=NOCHG HTTP/1.1\r\n\
          Host: d\r\nAuthorization: Basic dTpw\r\nUser-Agent: OPNsense-dyndns\r\n\r\n",
        "/nic/update h.example A=keep AAAA=2001:db8::7 u:p []",
    ),
    (
        "pfSense, which forces a refresh by a dummy",
        b"GET /nic/update?system=dyndns&hostname=h.example&myip=192.168.1.1&wildcard=&mx=&backmx=NO HTTP/1.1\r\n\
          Host: d\r\nAuthorization: Basic dTpw\r\nUser-Agent: phpDynDNS/0.7\r\n\r\n",
        "/nic/update h.example A=192.168.1.1 AAAA=keep u:p []",
    ),
    (
        "a library for Arduino, at port 8245",
        b"GET /nic/update?hostname=h.example&myip=192.0.2.1 HTTP/1.0\r\nHost: dynupdate.no-ip.com\r\n\
          Authorization: Basic dTpw\r\nUser-Agent: Arduino_update_client/1.0 me@h.example\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=keep u:p []",
    ),
    (
        "FRITZ!Box with everything that it knows",
        b"GET /nic/update?user=u&pass=p&domain=h.example&ipaddr=192.0.2.1&ip6addr=2001:db8::7\
          &ip6lanprefix=2001:db8:1::/56&dualstack=1 HTTP/1.1\r\nHost: d\r\nUser-Agent: Fritz!Box DDNS/1.0.1\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=2001:db8::7 and a prefix u:p [TokenInUrl]",
    ),
    (
        "FRITZ!Box without IPv6, which leaves its placeholders alone",
        b"GET /nic/update?user=u&pass=p&domain=h.example&ipaddr=192.0.2.1&ip6addr=<ip6addr>\
          &ip6lanprefix=<ip6lanprefix>&dualstack=<dualstack> HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update h.example A=192.0.2.1 AAAA=source u:p [Unescaped, TokenInUrl, AddressPlaceholder]",
    ),
    (
        "FRITZ!Box whose owner has glued an interface identifier to the prefix",
        b"GET /nic/update?hostname=h.example&myipv6=2001:db8:1::/647656:3cff:fe12:3456 HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update dnserr nobody [NotAnAddress]",
    ),
    (
        "FRITZ!Box whose owner wants the prefix for an address",
        b"GET /nic/update?hostname=h.example&myipv6=2001:db8:1::/64 HTTP/1.1\r\nHost: d\r\n\r\n",
        "/nic/update dnserr nobody [BarePrefix]",
    ),
    (
        "deSEC's own line for a FRITZ!Box",
        b"GET /?myipv4=192.0.2.1&myipv6=2001:db8::7 HTTP/1.1\r\nHost: update.dedyn.io\r\n\
          Authorization: Basic aC5leGFtcGxlOnA=\r\n\r\n",
        "/ h.example A=192.0.2.1 AAAA=2001:db8::7 h.example:p [HostFromUserName]",
    ),
    (
        "Synology with a placeholder of another vendor",
        b"GET /v3/update?hostname=h.example&myip=__MYIP__ HTTP/1.1\r\nHost: d\r\n\r\n",
        "/v3/update h.example A=source AAAA=source nobody [AddressPlaceholder]",
    ),
];

#[test]
fn odd_requests_are_taken_as_the_table_says() {
    ODD.iter().for_each(check);
}

#[test]
fn usual_requests_are_taken_as_the_table_says() {
    USUAL.iter().for_each(check);
}

/// Whatever a device sends and its host was set to: only two of the languages read silence as a wish.
#[test]
fn no_device_deletes_unless_its_host_speaks_desec_or_nsupdate() {
    for (name, octets, _) in ODD.iter().chain(USUAL) {
        let Some(request) = read(&[octets]) else { unreachable!("{name}") };
        let silent = [Profile::Desec, Profile::Nsupdate];
        let careful = Profile::ALL.iter().filter(|profile| !silent.contains(profile));
        for profile in careful.filter(|profile| profile.is_choice()) {
            let Ok(ask) = profile.parse(&request) else { continue };
            let (v4, v6) = (wanted(&ask.ipv4), wanted(&ask.ipv6));
            assert!(!v4.contains("delete") && !v6.contains("delete"), "{name} {profile:?}");
        }
    }
}

#[test]
fn every_fixture_reads_the_same_however_it_is_cut() {
    for (name, octets, _) in ODD.iter().chain(USUAL) {
        let whole = read(&[octets]);
        assert!(whole.is_some(), "{name}");
        for cut in 0..octets.len() {
            let (front, back) = octets.split_at(cut);
            assert_eq!(read(&[front, back]), whole, "{name}, cut at {cut}");
        }
        let single: Vec<&[u8]> = octets.chunks(1).collect();
        assert_eq!(read(&single), whole, "{name}, octet by octet");
    }
}

#[test]
fn a_client_that_has_shut_its_side_down_is_read_the_same() {
    for (name, octets, _) in ODD.iter().chain(USUAL) {
        let mut reader = Reader::new(Limits::default());
        reader.push(octets);
        assert_eq!(reader.end(), Ok(read(&[octets])), "{name}");
        assert_eq!(reader.end(), Ok(None), "{name}");
    }
}

#[test]
fn a_request_that_breaks_off_anywhere_is_never_used() {
    for (name, octets, _) in ODD.iter().chain(USUAL) {
        for cut in 1..octets.len() {
            let mut reader = Reader::new(Limits::default());
            reader.push(&octets[..cut]);
            let status = reader.end().map_err(|malformed| malformed.status);
            assert_eq!(status, Err(400), "{name}, breaks off after {cut}");
        }
    }
}

#[test]
fn nothing_behind_an_odd_or_an_old_request_is_a_request() {
    for (name, octets, _) in ODD.iter().chain(USUAL) {
        let mut reader = Reader::new(Limits::default());
        reader.push(octets);
        reader.push(b"GET /nic/update?hostname=smuggled.example HTTP/1.1\r\nHost: d\r\n\r\n");
        let first = reader.next().unwrap().unwrap();
        let second = reader.next().unwrap();
        assert_eq!(second.is_some(), first.persistent, "{name}");
        assert!(first.hints.is_empty() || !first.persistent, "{name}");
        let old = octets.windows(8).any(|w| w == b"HTTP/1.0");
        assert!(!(old && first.persistent), "{name}");
    }
}

fn check((name, octets, expected): &Fixture) {
    let request = read(&[octets]);
    assert_eq!(request.as_ref().map(told).as_deref(), Some(*expected), "{name}");
}

/// The request that the pieces make; nothing may come out before the last piece is in.
fn read(pieces: &[&[u8]]) -> Option<Request> {
    let mut reader = Reader::new(Limits::default());
    let mut found = None;
    for piece in pieces {
        assert_eq!(found, None, "a request before its last octet");
        reader.push(piece);
        found = reader.next().ok().flatten();
    }
    found
}

/// Path, hosts, both families (or the code), who asks, hints: on one line.
fn told(request: &Request) -> String {
    let Some(profile) = Profile::detect(request) else { return "no update".to_owned() };
    let who = profile
        .credentials(request)
        .map_or_else(|| "nobody".to_owned(), |c| format!("{}:{}", c.user, c.password));
    let (meaning, hints) = match profile.parse(request) {
        Ok(Ask { hosts, ipv4, ipv6, prefix, hints, .. }) => {
            let prefix = if prefix.is_some() { " and a prefix" } else { "" };
            let families = format!("A={} AAAA={}", wanted(&ipv4), wanted(&ipv6));
            (format!("{} {families}{prefix}", named(&hosts)), hints)
        }
        Err(refusal) => (format!("{:?}", refusal.code).to_lowercase(), refusal.hints),
    };
    let hints = [request.hints.clone(), hints].concat();
    format!("{} {meaning} {who} {hints:?}", request.path)
}

fn named(hosts: &Hosts) -> String {
    match hosts {
        Hosts::Named(names) | Hosts::Labels(names) => names.join(","),
        Hosts::Group => "all".to_owned(),
        Hosts::Only => String::new(),
    }
}

fn wanted<A: ToString>(wanted: &Wanted<A>) -> String {
    match wanted {
        Wanted::Preserve => "keep".to_owned(),
        Wanted::Source => "source".to_owned(),
        Wanted::SourceElseDelete => "source or delete".to_owned(),
        Wanted::DeleteIfSource => "delete of source".to_owned(),
        Wanted::Renumber(network, length) => format!("{}/{length}", network.to_string()),
        Wanted::Delete => "delete".to_owned(),
        Wanted::Addresses(list) => list.iter().map(A::to_string).collect::<Vec<_>>().join(","),
    }
}
