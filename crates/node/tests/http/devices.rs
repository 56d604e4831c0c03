//! What real devices send, octet by octet (the sources are named in `dialect`).

use crate::caller::{Reply, basic};
use crate::service::Service;

/// One device's requests, each on a connection of its own, and the answers. `{auth}` stands for
/// Basic credentials, `{token}` for the token.
fn check(host: &str, exchanges: &[(&str, &str)], published: &[&str]) -> (Service, Vec<Reply>) {
    let service = Service::start();
    let token = service.host(host);
    let mut replies = Vec::new();
    for (request, expected) in exchanges {
        let octets = request
            .replace('\n', "\r\n")
            .replace("{auth}", &basic(&token))
            .replace("{token}", &token)
            .replace("{host}", host);
        let mut caller = service.call();
        let reply = caller.ask(latin1(&octets));
        assert_eq!(reply.body, *expected, "{request}\n{}", reply.head);
        assert!(!reply.head.contains("Transfer-Encoding"), "{}", reply.head);
        replies.push(reply);
    }
    assert_eq!(service.published(host), published, "{exchanges:?}");
    (service, replies)
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("ISO 8859-1")).collect()
}

#[test]
fn hikvision_sends_an_empty_address() {
    let request = "GET /nic/update?system=dyndns&hostname={host}&myip=&wildcard=OFF&mx=NO&backmx=NO\
                   &offline=NO HTTP/1.1\nHost: members.dyndns.org\nAuthorization: Basic {auth}\n\
                   User-Agent: Hikvision-dvrdvs-1.0.0\n\n";
    check(
        "cam.own.example",
        &[
            (&request.replace("myip=", "myip=10.0.0.1,fd00::1"), "good 10.0.0.1,fd00::1\n"),
            (request, "good 127.0.0.1\n"),
            (request, "nochg 127.0.0.1\n"),
        ],
        &["60 127.0.0.1", "60 fd00::1"],
    );
}

#[test]
fn ez_ipupdate_speaks_http_1_0_with_a_trailing_ampersand() {
    let request = "GET /nic/update?hostname={host}&myip=10.0.0.1&wildcard=OFF& HTTP/1.0\n\
                   Authorization: Basic {auth}\n\
                   User-Agent: ez-update-3.0.11b7 linux [daemon] (by Angus Mackay)\n\
                   Host: members.dyndns.org\n\n";
    let (service, replies) =
        check("nas.own.example", &[(request, "good 10.0.0.1\n")], &["60 10.0.0.1"]);
    let head = &replies[0].head;
    assert!(head.starts_with("HTTP/1.0 200 "), "{head}");
    assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
    // Lines that begin with `w` mean "wait" to it.
    assert!(head.lines().all(|line| !line.starts_with('w')), "{head}");
    // It looks for these octets in the whole response, which it reads until the end.
    let token = service.host("other.own.example");
    let mut caller = service.call();
    let again = request.replace('\n', "\r\n").replace("{auth}", &basic(&token));
    caller.send(again.replace("{host}", "other.own.example").as_bytes());
    assert!(caller.rest().contains("\ngood "), "and the connection is closed");
}

#[test]
fn inadyn_sends_each_family_on_its_own() {
    let request = "GET /nic/update?hostname={host}&myip=10.0.0.1 HTTP/1.0\n\
                   Host: dyn.example\nAuthorization: Basic {auth}\n\
                   User-Agent: inadyn/2.12.0 https://github.com/troglobit/inadyn/issues\n\n";
    let v6 = request.replace("myip=10.0.0.1", "myipv6=fd00::1");
    check(
        "nas.own.example",
        &[(request, "good 10.0.0.1\n"), (&v6, "good fd00::1\n"), (request, "nochg 10.0.0.1\n")],
        &["60 10.0.0.1", "60 fd00::1"],
    );
}

#[test]
fn ddclient_sends_both_families_in_one_list() {
    let request = "GET /nic/update?system=dyndns&hostname={host}&myip=10.0.0.1,fd00::1 HTTP/1.1\n\
                   Host: dyn.example\nAuthorization: Basic {auth}\nUser-Agent: ddclient/3.11.2\n\
                   Connection: close\nAccept: */*\n\n";
    check(
        "nas.own.example",
        &[(request, "good 10.0.0.1,fd00::1\n")],
        &["60 10.0.0.1", "60 fd00::1"],
    );
}

#[test]
fn fritzbox_escapes_nothing_and_leaves_placeholders() {
    let head = "HTTP/1.1\nHost: dyn.example\nUser-Agent: Fritz!Box DDNS/1.0.1\n\n";
    let full = format!(
        "GET /nic/update?domain={{host}}&myip=10.0.0.1&myipv6=fd00::1&dualstack=1\
         &label=Büro <1> \"a|b\"&password={{token}} {head}"
    );
    let v4_only = format!(
        "GET /nic/update?hostname={{host}}&myip=10.0.0.2&myipv6=<ip6addr>&password={{token}} {head}"
    );
    let ds_lite =
        format!("GET /nic/update?hostname={{host}}&myip=&myipv6=fd00::2&password={{token}} {head}");
    check(
        "nas.own.example",
        &[
            (&full, "good 10.0.0.1,fd00::1\n"),
            (&v4_only, "good 10.0.0.2\n"),
            (&ds_lite, "good 127.0.0.1,fd00::2\n"),
        ],
        &["60 127.0.0.1", "60 fd00::2"],
    );
}

#[test]
fn opnsense_takes_any_2xx_as_success_so_refusals_have_a_status() {
    let head = "HTTP/1.1\nHost: dyn.example\nAuthorization: Basic {auth}\n\
                User-Agent: OPNsense-dyndns\n\n";
    let good = format!(
        "GET /nic/update?hostname={{host}}&myip=10.0.0.1&system=dyndns&wildcard=NOCHG {head}"
    );
    let bad = good.replace("{host}", "other.own.example");
    let (_, replies) = check(
        "nas.own.example",
        &[(&good, "good 10.0.0.1\n"), (&bad, "nohost\n")],
        &["60 10.0.0.1"],
    );
    assert_eq!((replies[0].status, replies[1].status), (200, 404));
}

#[test]
fn pfsense_sends_a_dummy_to_force_a_refresh() {
    let real = "GET /nic/update?system=dyndns&hostname={host}&myip=9.9.9.9&wildcard=OFF\
                &mx=&backmx=NO HTTP/1.1\nHost: members.dyndns.org\nAuthorization: Basic {auth}\n\
                User-Agent: phpDynDNS/0.7\nAccept: */*\n\n";
    let dummy = real.replace("9.9.9.9", "192.168.1.1");
    check(
        "nas.own.example",
        &[(real, "good 9.9.9.9\n"), (&dummy, "good 192.168.1.1\n"), (real, "nochg 9.9.9.9\n")],
        &["60 9.9.9.9"],
    );
}

#[test]
fn zyxel_sends_no_address() {
    let request = "GET /nic/update?hostname={host} HTTP/1.1\nHost: dyn.example\n\
                   Authorization: Basic {auth}\nUser-Agent: \n\n";
    check("nas.own.example", &[(request, "good 127.0.0.1\n")], &["60 127.0.0.1"]);
}

#[test]
fn unifi_mangles_the_path() {
    let head = "HTTP/1.0\nHost: d:80:80\nAuthorization: Basic {auth}\n\n";
    let paths = ["nic/update", "/\\/nic/update", "/x.php//nic/update"];
    for path in paths {
        let request = format!("GET {path}?hostname={{host}}&myip=10.0.0.1 {head}");
        check("nas.own.example", &[(&request, "good 10.0.0.1\n")], &["60 10.0.0.1"]);
    }
}

#[test]
fn http_0_9_gets_the_body_alone() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    let target = format!("/nic/update?hostname=nas.own.example&myip=10.0.0.1&password={token}");
    caller.send(format!("GET {target}\r\n").as_bytes());
    assert_eq!(caller.rest(), "good 10.0.0.1\n");
}
