//! Acknowledged is durable and visible; what cannot be written is said to be so.

use rusqlite::Connection;

use crate::service::Service;

#[test]
fn a_hundred_updates_at_once_are_all_durable() {
    let service = Service::start();
    let hosts: Vec<String> = (1..=100).map(|number| format!("h{number}.own.example")).collect();
    let tokens: Vec<String> = hosts.iter().map(|host| service.host(host)).collect();
    std::thread::scope(|scope| {
        for (number, (host, token)) in (1..).zip(hosts.iter().zip(&tokens)) {
            let service = &service;
            scope.spawn(move || {
                let line = service
                    .call()
                    .line(token, &format!("hostname={host}&myip=10.0.1.{number},fd00::{number:x}"));
                assert_eq!(line, format!("good 10.0.1.{number},fd00::{number:x}"));
                let published = [format!("60 10.0.1.{number}"), format!("60 fd00::{number:x}")];
                assert_eq!(service.published(host), published, "visible at once");
            });
        }
    });
    let service = service.restart();
    for (number, host) in (1..).zip(&hosts) {
        let published = [format!("60 10.0.1.{number}"), format!("60 fd00::{number:x}")];
        assert_eq!(service.published(host), published, "after a restart");
    }
    let line = service.call().line(&tokens[6], "hostname=h7.own.example&myip=10.0.1.7,fd00::7");
    assert_eq!(line, "nochg 10.0.1.7,fd00::7");
}

#[test]
fn a_store_that_cannot_write_is_911_and_recovers_by_itself() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    let mut caller = service.call();
    let update = |number: u8| format!("hostname=nas.own.example&myip=10.0.0.{number}");
    assert_eq!(caller.line(&token, &update(1)), "good 10.0.0.1");

    let log = Connection::open(service.data().join("log.db")).expect("the log");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON log \
                  BEGIN SELECT RAISE(ABORT, 'no room'); END";
    log.execute_batch(refuse).expect("a trigger");
    let refused = caller.update(&token, &update(2));
    assert_eq!((refused.status, &*refused.body), (503, "911\n"));
    assert!(refused.header("Retry-After").is_some(), "{}", refused.head);
    assert_eq!(service.published("nas.own.example"), ["60 10.0.0.1"], "still answered");
    assert_eq!(caller.line(&token, &update(1)), "nochg 10.0.0.1", "that needs no write");
    let readiness = caller.get("/readyz");
    assert_eq!(readiness.status, 200, "queries are answered");
    assert!(readiness.body.contains("read-only"), "{}", readiness.body);

    log.execute_batch("DROP TRIGGER refuse").expect("no trigger");
    assert_eq!(caller.line(&token, &update(3)), "good 10.0.0.3");
    assert_eq!(caller.get("/readyz").body, "ready\n");
    assert_eq!(service.restart().published("nas.own.example"), ["60 10.0.0.3"]);
}

#[test]
fn a_stopping_node_takes_nothing_and_says_911() {
    let service = Service::start();
    let token = service.host("nas.own.example");
    service.node().stop();
    let reply = service.call().update(&token, "hostname=nas.own.example&myip=10.0.0.1");
    assert_eq!((reply.status, &*reply.body), (503, "911\n"));
    assert!(service.published("nas.own.example").is_empty());
}
