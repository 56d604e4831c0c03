//! The languages of single providers, from the octets of a request to what is published.

use crate::caller::basic;
use crate::service::{Service, logged};

/// One step: a request, the answer's body, and what is published of the host afterwards.
type Step<'a> = (&'a str, &'a str, &'a [&'a str]);

/// Carries out steps for `nas.own.example`, with `T` for its token.
fn steps(table: &[Step<'_>]) {
    let service = Service::start();
    let token = service.host("nas.own.example");
    for (target, body, published) in table {
        let reply = service.call().get(&target.replace('T', &token));
        assert_eq!((reply.status, reply.body.as_str()), (200, *body), "{target}");
        assert_eq!(service.published("nas.own.example"), *published, "{target}");
    }
}

#[test]
fn duckdns_sets_keeps_and_clears() {
    let (v4, v6) = ("60 10.0.0.1", "60 fd00::1");
    steps(&[
        ("/update?domains=nas&token=T&ip=10.0.0.1", "OK", &[v4]),
        ("/update?domains=nas&token=T&ipv6=fd00::1", "OK", &[v4, v6]),
        (
            "/update?domains=nas&token=T&ip=10.0.0.1&verbose=true",
            "OK\n10.0.0.1\n\nNOCHANGE",
            &[v4, v6],
        ),
        ("/update/nas/T/10.0.0.2", "OK", &["60 10.0.0.2", v6]),
        ("/update/nas.own.example/T", "OK", &["60 127.0.0.1", v6]),
        ("/update?domains=NAS.own.example&token=T", "OK", &["60 127.0.0.1", v6]),
        ("/update?domains=gone&token=T&ip=10.0.0.3", "KO", &["60 127.0.0.1", v6]),
        ("/update?domains=nas&token=T&ip=10.0.0", "KO", &["60 127.0.0.1", v6]),
        ("/update?domains=nas&token=byn_wrong&clear=true", "KO", &["60 127.0.0.1", v6]),
        ("/update?domains=nas,gone&token=T&ip=10.0.0.4", "KO", &["60 10.0.0.4", v6]),
        ("/update?domains=nas&token=T&clear=true&verbose=true", "OK\n\n\nUPDATED", &[]),
    ]);
}

#[test]
fn a_duckdns_label_that_two_hosts_share_means_neither() {
    let service = Service::start();
    for host in ["nas.own.example", "nas.dyn.example"] {
        service.host(host);
    }
    let token = service.token_for(&["nas.own.example", "nas.dyn.example"]);
    let mut caller = service.call();
    let ask = |domains: &str| format!("/update?domains={domains}&token={token}&ip=10.0.0.1");
    assert_eq!(caller.get(&ask("nas")).body, "KO");
    assert!(service.published("nas.own.example").is_empty());
    assert_eq!(caller.get(&ask("nas.own.example")).body, "OK");
    assert_eq!(service.published("nas.own.example"), ["60 10.0.0.1"]);
}

#[test]
fn dynv6_keeps_what_is_empty_and_removes_by_a_word() {
    let (v4, v6) = ("60 10.0.0.1", "60 fd00::1");
    let ask = "/api/update?token=T&zone=nas.own.example";
    steps(&[
        (&format!("{ask}&ipv4=10.0.0.1&ipv6="), "addresses updated", &[v4]),
        (&format!("{ask}&ipv4=&ipv6=fd00::1"), "addresses updated", &[v4, v6]),
        (&format!("{ask}&ipv4=10.0.0.1"), "addresses unchanged", &[v4, v6]),
        (&format!("{ask}&ipv4=auto"), "addresses updated", &["60 127.0.0.1", v6]),
        (&format!("{ask}&ipv4=-"), "addresses updated", &[v6]),
        (ask, "addresses unchanged", &[v6]),
    ]);
}

#[test]
fn freedns_of_both_versions_tells_what_it_did() {
    let ask = "/dynamic/update.php?T";
    steps(&[
        (
            &format!("{ask}&address=10.0.0.1"),
            "Updated 1 host(s) nas.own.example to 10.0.0.1 in 0.001 seconds\n",
            &["60 10.0.0.1"],
        ),
        (
            &format!("{ask}&address=10.0.0.1"),
            "ERROR: Address 10.0.0.1 has not changed.\n",
            &["60 10.0.0.1"],
        ),
        ("/u/T/", "Updated nas.own.example from 10.0.0.1 to 127.0.0.1\n", &["60 127.0.0.1"]),
        (
            "/u/T/?address=127.0.0.1",
            "No IP change detected for nas.own.example with IP 127.0.0.1, skipping update\n",
            &["60 127.0.0.1"],
        ),
        (
            "/u/T/?address=fd00::1",
            "Updated nas.own.example from NULL to fd00::1\n",
            &["60 127.0.0.1", "60 fd00::1"],
        ),
    ]);
}

#[test]
fn freedns_lists_the_hosts_of_a_token_only() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    service.host("other.own.example");
    let mut caller = service.call();
    let list = format!("/api/?action=getdyndns&v=2&sha={token}");
    let line = |address: &str| {
        format!(
            "nas.own.example|{address}|https://h/dynamic/update.php?{token}&host=nas.own.example\n"
        )
    };
    assert_eq!(caller.get(&list).body, line("NULL"));
    caller.update(&token, "myip=10.0.0.1");
    assert_eq!(caller.get(&list).body, line("10.0.0.1"));
    // What inadyn and ddclient make of a user name and a password: nobody's token.
    let hash = "a9993e364706816aba3e25717850c26c9cd0d89d";
    let reply = caller.get(&format!("/api/?action=getdyndns&v=2&sha={hash}"));
    assert_eq!((reply.status, &*reply.body), (200, "ERROR: Could not authenticate.\n"));
}

#[test]
fn ipv64_takes_the_token_in_many_places() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    let good = |address: &str| (200, format!("good {address}\n"));
    let ask = format!("/update.php?key={token}&domain=nas.own.example&ip=10.0.0.1");
    let reply = caller.get(&ask);
    assert_eq!((reply.status, reply.body), good("10.0.0.1"));
    assert_eq!(caller.get(&ask).body, "nochg 10.0.0.1\n");
    let user = data_encoding::BASE64.encode(format!("{token}:none").as_bytes());
    for (address, authorization) in
        [("10.0.0.2", format!("Basic {user}")), ("10.0.0.3", format!("Bearer {token}"))]
    {
        let reply = caller.ask(format!(
            "GET /update?ip={address} HTTP/1.1\r\nHost: h\r\nAuthorization: {authorization}\r\n\r\n"
        ));
        assert_eq!((reply.status, reply.body), good(address), "{authorization}");
    }
    let form = format!("token={token}&host=nas.own.example&ip4=10.0.0.4");
    let reply = caller.ask(format!(
        "POST /update HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    ));
    assert_eq!((reply.status, reply.body), good("10.0.0.4"));
}

/// The templates of HPE Comware routers, with Basic.
#[test]
fn comware_templates_are_answered_in_the_words_of_their_provider() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    let success = |code: u16, text: &str, rest: &str| {
        format!("<SUCCESS CODE=\"{code}\" TEXT=\"{text}\" ZONE=\"own.example\"{rest}>\n")
    };
    let (h, a) = ("nas.own.example", "10.0.0.1");
    let updated = success(200, "Update succeeded.", &format!(" HOST=\"{h}\" IP=\"{a}\""));
    for (target, body) in [
        (format!("/auth/dynamic.html?host={h}&dnsto={a}"), updated),
        (
            format!("/auth/dynamic.html?host={h}&dnsto={a}"),
            success(201, "No records need updating.", ""),
        ),
        (
            format!("/dyndns/update?system=dyndns&hostname={h}&myip=10.0.0.2"),
            "good 10.0.0.2\n".to_owned(),
        ),
        (
            format!("/nic/update?system=dyndns&hostname={h}&myip=10.0.0.3"),
            "good 10.0.0.3\n".to_owned(),
        ),
        ("/nic/update?group=office&myip=10.0.0.4".to_owned(), "good 10.0.0.4\n".to_owned()),
        (
            format!("/dyn/ez-ipupdate.php?action=edit&myip=10.0.0.5&host_id={h}"),
            "NOERROR\n".to_owned(),
        ),
        (format!("/postscript.php?host={h}&ip=10.0.0.6"), "200 host updated\n".to_owned()),
    ] {
        let reply = caller.ask(format!(
            "GET {target} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {}\r\n\r\n",
            basic(&token)
        ));
        assert_eq!((reply.status, reply.body), (200, body), "{target}");
    }
    assert_eq!(service.published("nas.own.example"), ["60 10.0.0.6"]);
    // wget sends credentials only after it was asked for them.
    for target in ["/auth/dynamic.html?host=h.example", "/dyn/generic.php?hostname=h.example"] {
        let reply = caller.get(target);
        assert_eq!(reply.status, 401, "{target}");
        assert!(reply.header("WWW-Authenticate").is_some(), "{target}");
    }
}

/// Languages put the token where others have names and paths.
#[test]
fn no_language_brings_its_token_into_the_log() {
    let service = Service::start();
    let token = service.host("hush.own.example");
    for target in [
        "/update?domains=hush&token=T&ip=10.0.0.1",
        "/update?domains=T&token=T&ip=10.0.0.1",
        "/update/hush/T/10.0.0.1",
        "/update/T/T/T",
        "/update/hush/T/T/T",
        "/api/update?zone=hush.own.example&token=T&ipv4=auto",
        "/dynamic/update.php?T&address=10.0.0.1",
        "/dynamic/update.php?T=x",
        "/api/?action=getdyndns&sha=T",
        "/api/T",
        "/u/T/",
        "/u/T/T",
        "/update.php?key=T&domain=hush.own.example",
    ] {
        service.call().get(&target.replace('T', &token));
    }
    service.call().ask(format!(
        "POST /update HTTP/1.1\r\nHost: h\r\nX-Api-User: {token}\r\nX-Api-Key: {token}\r\n\
         Content-Length: 2\r\n\r\n{{}}"
    ));
    let log = logged();
    assert!(log.contains("hush.own.example"), "what was asked is in the log");
    assert!(!log.contains(&token), "a secret in the log");
}

#[test]
fn acme_dns_is_well_and_makes_no_accounts() {
    let service = Service::start();
    let mut caller = service.call();
    let well = caller.get("/health");
    assert_eq!((well.status, &*well.body), (200, ""));
    let json = "{\"allowfrom\":[]}";
    let refused = caller.ask(format!(
        "POST /register HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{json}",
        json.len()
    ));
    assert_eq!((refused.status, &*refused.body), (404, "404 page not found\n"));
    assert_eq!(caller.get("/register").status, 404);
}
