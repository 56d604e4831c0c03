//! Hosts that fall silent, and come back.

use std::time::{Duration, Instant};

use node::admin::{Command, Expiry, HostSettings, Then};
use serde_json::Value;

use crate::service::Service;

const HOST: &str = "nas.own.example";

fn set(service: &Service, expiry: Expiry) {
    let settings = HostSettings { expiry: Some(expiry), ..HostSettings::default() };
    service.order(Command::HostSet { host: HOST.to_owned(), settings });
}

fn parked(service: &Service) -> bool {
    let shown = service.order(Command::HostShow { host: HOST.to_owned() });
    shown["parked"].is_string()
}

fn wait_until_parked(service: &Service) {
    let until = Instant::now() + Duration::from_secs(60);
    while !parked(service) {
        assert!(Instant::now() < until, "it is not taken for gone");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn silent_host_is_parked_and_there_again_with_its_next_update_after_a_restart() {
    let service = Service::start();
    let token = service.host(HOST);
    let query = |addresses: &str| format!("hostname={HOST}&myip={addresses}");
    let good = service.call().line(&token, &query("198.51.100.7,2001:db8::7"));
    assert_eq!(good, "good 198.51.100.7,2001:db8::7");
    let then = Then::Park(vec!["198.51.100.99".parse().expect("an address")]);
    set(&service, Expiry::After { after_s: 1, then });
    wait_until_parked(&service);
    assert_eq!(service.published(HOST), ["60 198.51.100.99"]);
    // It stays so until the host is heard of.
    set(&service, Expiry::Never);
    let service = service.restart();
    assert!(parked(&service));
    assert_eq!(service.published(HOST), ["60 198.51.100.99"]);
    // Also with the address that it is parked at.
    assert_eq!(service.call().line(&token, &query("198.51.100.99")), "good 198.51.100.99");
    assert!(!parked(&service));
    assert_eq!(service.call().line(&token, &query("198.51.100.99")), "nochg 198.51.100.99");
}

#[test]
fn alias_of_a_silent_host_gives_way_to_its_address() {
    let service = Service::start();
    let token = service.host(HOST);
    let then = Then::Cname("sorry.own.example".to_owned());
    set(&service, Expiry::After { after_s: 1, then });
    wait_until_parked(&service);
    assert!(service.published(HOST).is_empty());
    let shown: Value = service.order(Command::HostShow { host: HOST.to_owned() });
    assert_eq!(shown["expiry"]["then"], "cname=sorry.own.example");
    set(&service, Expiry::Never);
    let line = service.call().line(&token, &format!("hostname={HOST}&myip=198.51.100.7"));
    assert_eq!(line, "good 198.51.100.7");
    assert_eq!(service.published(HOST), ["60 198.51.100.7"]);
}
