//! What orders say of tokens, and what clients with them are told.

use gateway::RateSettings;
use node::admin::{Command, LimitOf, Quarantine, TokenRole, TokenSettings, ZoneChange};
use serde_json::{Value, json};

use crate::service::{SUFFIX, Service};

const HOST: &str = "nas.own.example";

fn add(service: &Service, names: &[&str], settings: TokenSettings) -> (String, u64) {
    let hosts = names.iter().map(|&name| name.to_owned()).collect();
    let label = "a test".to_owned();
    let made = service.order(Command::TokenAdd { hosts, label, settings });
    let token = made["token"].as_str().expect("a token").to_owned();
    (token, made["id"].as_u64().expect("a number"))
}

fn query(address: &str) -> String {
    format!("hostname={HOST}&myip={address}")
}

#[test]
fn changes_beyond_a_rate_are_put_off_and_nothing_is_written() {
    let rates = RateSettings { host_per_hour: 2, ..RateSettings::default() };
    let service = Service::start_with(|settings| settings.rates = rates);
    let token = service.host(HOST);
    let mut caller = service.call();
    assert_eq!(caller.line(&token, &query("10.0.0.1")), "good 10.0.0.1");
    assert_eq!(caller.line(&token, &query("10.0.0.1")), "nochg 10.0.0.1", "not counted");
    assert_eq!(caller.line(&token, &query("10.0.0.2")), "good 10.0.0.2");
    let head = service.node().live().zones().all().iter().map(|zone| zone.serial().0).max();
    let reply = caller.update(&token, &query("10.0.0.3"));
    assert_eq!((reply.status, &*reply.body), (503, "911\n"));
    assert_eq!(reply.head.matches("Retry-After").count(), 1, "{}", reply.head);
    let wait: u64 = reply.header("Retry-After").expect("when").parse().expect("seconds");
    assert!((1..=1800).contains(&wait), "half an hour makes room for one more: {wait}");
    assert_eq!(caller.line(&token, &query("10.0.0.2")), "nochg 10.0.0.2");
    let after = service.node().live().zones().all().iter().map(|zone| zone.serial().0).max();
    assert_eq!(head, after);
    assert_eq!(service.published(HOST), ["60 10.0.0.2"]);
}

#[test]
fn an_account_makes_as_many_changes_as_the_operator_says() {
    let service = Service::start();
    service.order(Command::AccountAdd { account: "alice".to_owned() });
    let token = service.host_of("a.dyn.example", Some("alice"));
    let set = |limit| {
        let limits = vec![(LimitOf::ChangesPerHour, limit)];
        service.order(Command::AccountSet { account: "alice".to_owned(), limits })
    };
    assert_eq!(set(Some(1))["limits"]["changes_per_hour"], json!(1));
    let mut caller = service.call();
    let mut line = |address: &str| {
        caller.update(&token, &format!("hostname=a.dyn.example&myip={address}")).body
    };
    assert_eq!(line("9.9.9.9"), "good 9.9.9.9\n");
    assert_eq!(line("9.9.9.8"), "911\n");
    assert_eq!(set(None)["limits"]["changes_per_hour"], Value::Null);
    assert_eq!(line("9.9.9.8"), "good 9.9.9.8\n");
}

#[test]
fn a_token_from_elsewhere_is_badauth_like_one_that_nobody_has() {
    let service = Service::start();
    service.host(HOST);
    let from = vec!["127.0.0.7".to_owned()];
    let (token, _) = add(&service, &[HOST], TokenSettings { from, ..TokenSettings::default() });
    let here = service.call().update(&token, &query("10.0.0.1"));
    let unknown = service.call().update("byn_0000000000000000000000000000", &query("10.0.0.1"));
    assert_eq!((here.status, &here.head, &here.body), (401, &unknown.head, &unknown.body));
    let there = service.call_from("127.0.0.7").line(&token, &query("10.0.0.1"));
    assert_eq!(there, "good 10.0.0.1");
}

#[test]
fn a_rule_publishes_addresses_of_its_networks_only() {
    let service = Service::start();
    service.host(HOST);
    let values = vec!["10.1.0.0/16".to_owned(), "fd00::/8".to_owned()];
    let settings = TokenSettings { values, ..TokenSettings::default() };
    let (token, id) = add(&service, &[HOST], settings);
    let mut caller = service.call();
    assert_eq!(caller.line(&token, &query("10.1.2.3")), "good 10.1.2.3");
    assert_eq!(caller.line(&token, &query("10.2.0.1")), "dnserr");
    assert_eq!(service.published(HOST), ["60 10.1.2.3"]);
    let shown = service.order(Command::TokenShow { id });
    let rule = json!({
        "names": [HOST], "types": ["A", "AAAA"], "actions": ["add", "delete"],
        "values": ["10.1.0.0/16", "fd00::/8"],
    });
    assert_eq!((&shown["rules"], &shown["hosts"]), (&json!([rule]), &json!([])));
}

#[test]
fn a_rotated_token_goes_on_for_as_long_as_was_said() {
    let service = Service::start();
    let old = service.host(HOST);
    let rotate = Command::HostRotate { host: HOST.to_owned(), overlap_s: 3600 };
    let new = service.order(rotate)["token"].as_str().expect("a token").to_owned();
    assert_eq!(service.call().line(&old, &query("10.0.0.1")), "good 10.0.0.1");
    assert_eq!(service.call().line(&new, &query("10.0.0.2")), "good 10.0.0.2");
    let (token, id) = add(&service, &[HOST], TokenSettings::default());
    let rotated = service.order(Command::TokenRotate { id, overlap_s: 0 });
    assert_eq!(service.call().update(&token, &query("10.0.0.3")).status, 401);
    let next = rotated["token"].as_str().expect("a token");
    assert_eq!(service.call().line(next, &query("10.0.0.3")), "good 10.0.0.3");
}

#[test]
fn orders_for_tokens_accounts_and_zones_show_what_they_said() {
    let service = Service::start();
    service.order(Command::AccountAdd { account: "alice".to_owned() });
    let settings = TokenSettings {
        account: Some("alice".to_owned()),
        role: Some(TokenRole::Reader),
        expires_s: Some(3600),
        unused_s: Some(86_400),
        ..TokenSettings::default()
    };
    let (_, id) = add(&service, &[], settings);
    let shown = service.order(Command::TokenShow { id });
    assert_eq!((&shown["role"], &shown["account"]), (&json!("reader"), &json!("alice")));
    assert!(shown["ends"].is_string() && shown["last_used"].is_null(), "{shown}");
    let settings = ZoneChange {
        reserve: Some(vec!["Shop".to_owned()]),
        quarantine: Some(Quarantine::Seconds(60)),
        ttl_min_s: Some(120),
        ..ZoneChange::default()
    };
    let shown = service.order(Command::ZoneSet { zone: SUFFIX.to_owned(), settings });
    assert_eq!(shown["reserved"], json!(["shop"]));
    assert_eq!((&shown["quarantine_s"], &shown["ttl_min_s"]), (&json!(60), &json!(120)));
    let token = service.host_of("a.dyn.example", Some("alice"));
    let line = service.call().line(&token, "hostname=a.dyn.example&myip=9.9.9.9");
    assert_eq!(line, "good 9.9.9.9");
    assert_eq!(
        service.published("a.dyn.example"),
        ["120 9.9.9.9"],
        "no shorter than the zone says"
    );
    service.order(Command::HostRemove { host: "a.dyn.example".to_owned() });
    let freed = service.order(Command::HostFree { host: "a.dyn.example".to_owned() });
    assert_eq!(freed, json!({ "host": "a.dyn.example", "free": true }));
    service.host("a.dyn.example");
}

#[test]
fn a_use_of_a_token_is_shown_and_kept() {
    let service = Service::start();
    let token = service.host(HOST);
    let shown = |service: &Service| {
        let host = service.order(Command::HostShow { host: HOST.to_owned() });
        host["tokens"][0]["last_used"].clone()
    };
    assert!(shown(&service).is_null());
    assert_eq!(service.call().line(&token, &query("10.0.0.1")), "good 10.0.0.1");
    let service = service.restart();
    assert!(shown(&service).is_string(), "written when the service stops");
}
