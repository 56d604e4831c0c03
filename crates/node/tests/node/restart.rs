//! What a node knows after it was stopped, with and without its folded tables.

use account::Actor;
use engine::{Operation, Outcome, Request};
use node::Node;
use node::admin::Command;
use wire::{Name, Rtype};
use zone::View;

use crate::playground::{Playground, ZONE, add_host, address_of, order, publish};

#[test]
fn restart_serves_what_was_served() {
    let playground = Playground::new();
    let token = playground.with(|node| {
        let token = add_host(node, "nas");
        assert!(publish(node, "nas", &token, "198.51.100.7"));
        token
    });
    playground.with(|node| {
        assert_eq!(address_of(node, "nas"), ["198.51.100.7"]);
        assert!(publish(node, "nas", &token, "198.51.100.8"), "the token is known again");
    });
}

/// The record that is kept of a SOA is how it was last written; after a good end the state came
/// from there, and an old serial was served.
#[test]
fn restart_after_a_good_end_serves_the_soa_that_was_served() {
    let playground = Playground::new();
    let soa = |node: &node::Node| {
        let apex = Name::parse(ZONE).expect("a name");
        let zone = node.live().zones().get(&apex).expect("the zone");
        let rrset = zone.rrset(&apex, Rtype::SOA).expect("a SOA");
        let fields = rrset.rdata.first().and_then(wire::Rdata::soa_fields).expect("a SOA");
        assert_eq!(fields.serial, zone.serial().0);
        fields.serial
    };
    let before = playground.with(|node| {
        let token = add_host(node, "nas");
        for last in 1..=5 {
            assert!(publish(node, "nas", &token, &format!("198.51.100.{last}")));
        }
        soa(node)
    });
    assert_eq!(playground.with(soa), before);
}

#[test]
fn restart_without_the_tables_builds_the_same_state() {
    let playground = Playground::new();
    let everything = |node: &node::Node| {
        let export = order(node, &Command::ZoneExport { zone: ZONE.to_owned() });
        let mut text = Vec::new();
        export.follows.expect("a zone file").write(&mut text).expect("memory");
        String::from_utf8(text).expect("a zone file is text")
    };
    let before = playground.with(|node| {
        for host in ["a", "b", "c"] {
            let token = add_host(node, host);
            assert!(publish(node, host, &token, "198.51.100.7"));
        }
        order(node, &Command::HostRemove { host: format!("b.{ZONE}") });
        everything(node)
    });
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        let gone = std::fs::remove_file(playground.data().join(file));
        assert!(gone.is_ok() || file != "state.db", "there is no {file}");
    }
    assert_eq!(playground.with(everything), before);
    // And with the tables that were built meanwhile.
    assert_eq!(playground.with(everything), before);
}

#[test]
fn restart_with_damaged_tables_builds_them_anew() {
    let playground = Playground::new();
    playground.with(|node| {
        let token = add_host(node, "nas");
        assert!(publish(node, "nas", &token, "198.51.100.7"));
    });
    let tables = playground.data().join("state.db");
    std::fs::write(tables, b"this is not a database, but it is where one was").expect("a file");
    playground.with(|node| assert_eq!(address_of(node, "nas"), ["198.51.100.7"]));
}

#[test]
fn last_seen_is_written_down_by_a_good_end() {
    let playground = Playground::new();
    let name = Name::parse(&format!("nas.{ZONE}")).expect("a name");
    let at = playground.with(|node| {
        add_host(node, "nas");
        let at = node.now();
        node.live().touch(&name, at);
        at
    });
    assert_eq!(playground.with(|node| node.live().last_seen(&name)), Some(at));
}

#[test]
fn data_directory_has_one_owner() {
    let playground = Playground::new();
    playground.with(|_| {
        let second = node::Node::open(&playground.options()).expect_err("it is in use");
        assert!(second.is_held(), "{second}");
        assert!(second.hint().is_some());
    });
}

/// Doors are open before the state is loaded: what they take waits.
#[test]
fn request_before_the_state_is_loaded_is_answered_after() {
    let playground = Playground::new();
    let claimed = Node::claim(&playground.options()).expect("the data directory");
    let client = claimed.client().clone();
    assert!(client.live().zones().all().is_empty(), "nothing is loaded yet");
    let operation = Operation::AddAccount("alice".to_owned());
    let request = Request { actor: Actor::Operator, origin: None, operation };
    let mut outcome = client.submit(request).expect("room in the queue");
    assert!(outcome.try_recv().is_err(), "nobody can have judged it");
    let node = claimed.load().expect("a node");
    let outcome = outcome.blocking_recv().expect("an outcome");
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert!(!node.live().zones().all().is_empty());
    node.stop();
}

/// The tables may be all that is left of what was acknowledged: they are not thrown away.
#[test]
fn tables_ahead_of_a_log_that_was_lost_are_kept_and_the_start_is_refused() {
    let playground = Playground::new();
    playground.with(|node| {
        add_host(node, "nas");
    });
    std::fs::remove_file(playground.data().join("log.db")).expect("the log");
    let tables = std::fs::read(playground.data().join("state.db")).expect("tables");
    for _ in 0..2 {
        let refused = Node::open(&playground.options()).expect_err("the log is lost");
        assert!(matches!(refused, node::NodeError::Ahead { .. }), "{refused}");
        assert!(refused.to_string().contains("log.db"), "{refused}");
        assert!(refused.hint().is_some());
    }
    assert_eq!(std::fs::read(playground.data().join("state.db")).expect("tables"), tables);
}

/// The file opens, and only when half of it is loaded does the damage show.
#[test]
fn restart_with_tables_that_are_damaged_inside_builds_them_anew_at_once() {
    let playground = Playground::new();
    playground.with(|node| {
        let token = add_host(node, "nas");
        assert!(publish(node, "nas", &token, "198.51.100.7"));
    });
    let path = playground.data().join("state.db");
    let whole = std::fs::read(&path).expect("tables");
    // The address as it stands in its row.
    let at = whole.windows(4).rposition(|octets| octets == [198, 51, 100, 7]).expect("a row");
    let mut harmed = whole.clone();
    harmed[at + 3] = 8;
    std::fs::write(&path, &harmed).expect("a file");
    for _ in 0..2 {
        playground.with(|node| {
            assert_eq!(address_of(node, "nas"), ["198.51.100.7"]);
            assert_eq!(node.live().directory().hosts(None, None).count(), 1);
        });
    }
    assert_ne!(std::fs::read(&path).expect("tables"), harmed, "they were built anew");
}
