//! Text records for ACME, in the languages that its clients speak.

use node::admin::{Command, TokenSettings};

use crate::caller::{Caller, Reply, basic};
use crate::service::Service;

const HOST: &str = "nas.own.example";
const CHALLENGE: &str = "_acme-challenge.nas.own.example";

/// A value as a challenge has it.
fn value(letter: char) -> String {
    letter.to_string().repeat(43)
}

/// A service with one host, its token, and one that may only prove it.
fn start() -> (Service, String, String) {
    let service = Service::start();
    let addresses = service.host(HOST);
    let settings = TokenSettings { types: vec!["TXT".to_owned()], ..TokenSettings::default() };
    let added = service.order(Command::TokenAdd {
        hosts: vec![CHALLENGE.to_owned()],
        label: String::new(),
        settings,
    });
    let texts = added["token"].as_str().expect("a token").to_owned();
    (service, addresses, texts)
}

fn post(caller: &mut Caller, (path, lines): (&str, &str), json: &str) -> Reply {
    caller.ask(format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\n{lines}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{json}",
        json.len()
    ))
}

#[test]
fn acme_dns_keeps_two_values_and_the_older_goes() {
    let (service, addresses, token) = start();
    let mut caller = service.call();
    let mut update = |token: &str, subdomain: &str, txt: &str| {
        let lines = format!("X-Api-User: u\r\nX-Api-Key: {token}\r\n");
        let json = format!("{{\"subdomain\":\"{subdomain}\",\"txt\":\"{txt}\"}}");
        let reply = post(&mut caller, ("/update", &lines), &json);
        assert_eq!(reply.header("Content-Type"), Some("application/json"));
        (reply.status, reply.body)
    };
    let done = |txt: &str| (200, format!("{{\"txt\": \"{txt}\"}}"));
    let (a, b, c) = (value('a'), value('b'), value('c'));
    for (subdomain, txt, standing) in [
        ("nas", &a, vec![&a]),
        ("NAS", &b, vec![&a, &b]),
        ("nas.own.example", &c, vec![&b, &c]),
        ("nas", &c, vec![&b, &c]),
        ("nas", &a, vec![&c, &a]),
    ] {
        assert_eq!(update(&token, subdomain, txt), done(txt));
        assert_eq!(service.texts(CHALLENGE), standing.into_iter().cloned().collect::<Vec<_>>());
    }
    let forbidden = (401, "{\"error\": \"forbidden\"}".to_owned());
    assert_eq!(update("byn_wrong", "nas", &b), forbidden);
    assert_eq!(update(&addresses, "nas", &b), forbidden);
    assert_eq!(update(&token, "other", &b), forbidden);
    assert_eq!(update(&token, "nas", "short"), (400, "{\"error\": \"bad_txt\"}".to_owned()));
    assert_eq!(service.texts(CHALLENGE), [c, a]);
    assert!(service.published(HOST).is_empty());
}

#[test]
fn httpreq_adds_and_removes_one_value() {
    let (service, addresses, token) = start();
    let mut caller = service.call();
    let mut ask = |path: &str, token: &str, json: &str| {
        let lines = format!("Authorization: Basic {}\r\n", basic(token));
        let reply = post(&mut caller, (path, &lines), json);
        (reply.status, reply.body)
    };
    let default = |value: &str| format!("{{\"fqdn\":\"{CHALLENGE}.\",\"value\":\"{value}\"}}");
    let raw = format!("{{\"domain\":\"{HOST}\",\"token\":\"t\",\"keyAuth\":\"key\"}}");
    let digest = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";
    let done = (200, String::new());
    for (path, json, standing) in [
        ("/present", default("a"), vec!["a"]),
        ("/present", default("b"), vec!["a", "b"]),
        ("/present", raw.clone(), vec!["a", "b", digest]),
        ("/cleanup", default("a"), vec!["b", digest]),
        ("/cleanup", default("a"), vec!["b", digest]),
        ("/cleanup", raw, vec!["b"]),
        ("/cleanup", default("b"), vec![]),
    ] {
        assert_eq!(ask(path, &token, &json), done, "{path} {json}");
        assert_eq!(service.texts(CHALLENGE), standing, "{path} {json}");
    }
    for (token, json, status) in [
        ("byn_wrong", default("c"), 401),
        (addresses.as_str(), default("c"), 404),
        (
            token.as_str(),
            "{\"fqdn\":\"_acme-challenge.other.own.example.\",\"value\":\"c\"}".to_owned(),
            404,
        ),
        (token.as_str(), "{\"fqdn\":\"nas.own.example.\",\"value\":\"c\"}".to_owned(), 404),
        (token.as_str(), "{".to_owned(), 400),
    ] {
        assert_eq!(ask("/present", token, &json).0, status, "{json}");
    }
    assert!(service.texts(CHALLENGE).is_empty());
}

#[test]
fn duckdns_replaces_and_clears_its_one_text() {
    let (service, addresses, token) = start();
    let mut caller = service.call();
    caller.update(&addresses, "myip=10.0.0.1");
    for (query, body, standing) in [
        ("txt=a", "OK", vec!["a"]),
        ("txt=b&verbose=true", "OK\nb\nUPDATED", vec!["b"]),
        ("txt=b&verbose=true", "OK\nb\nNOCHANGE", vec!["b"]),
        ("txt=", "KO", vec!["b"]),
        ("txt=&clear=true", "OK", vec![]),
        ("txt=&clear=true&verbose=true", "OK\n\nNOCHANGE", vec![]),
    ] {
        let reply = caller.get(&format!("/update?domains=nas&token={token}&{query}"));
        assert_eq!((reply.status, &*reply.body), (200, body), "{query}");
        assert_eq!(service.texts(CHALLENGE), standing, "{query}");
    }
    // The token for texts is not for addresses, nor the other way round.
    for (token, query) in [(&token, "ip=10.0.0.2"), (&token, "clear=true"), (&addresses, "txt=c")] {
        let reply = caller.get(&format!("/update?domains=nas&token={token}&{query}"));
        assert_eq!(reply.body, "KO", "{query}");
    }
    assert_eq!(service.published(HOST), ["60 10.0.0.1"]);
    assert!(service.texts(CHALLENGE).is_empty());
}
