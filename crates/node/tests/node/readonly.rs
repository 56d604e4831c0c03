//! A store that cannot write, and one that can again.

use std::time::{Duration, Instant};

use engine::Outcome;
use node::Node;
use rusqlite::Connection;

use crate::playground::{Playground, add_host, address_of, publish, request};

#[test]
fn store_that_can_write_again_is_noticed_without_any_change() {
    let playground = Playground::new();
    let node = Node::open(&playground.options()).expect("a node");
    let token = add_host(&node, "nas");
    assert!(publish(&node, "nas", &token, "198.51.100.7"));
    let log = Connection::open(playground.data().join("log.db")).expect("the log");
    let refuse = "CREATE TRIGGER no_log BEFORE INSERT ON log
        BEGIN SELECT RAISE(ABORT, 'no room'); END;
        CREATE TRIGGER no_shard BEFORE UPDATE ON shard
        BEGIN SELECT RAISE(ABORT, 'no room'); END;";
    log.execute_batch(refuse).expect("triggers");
    let refused = node.client().submit(request(&node, "nas", &token, "198.51.100.8"));
    let outcome = refused.expect("room in the queue").blocking_recv();
    assert_eq!(outcome.expect("an outcome"), Outcome::Unavailable);
    assert!(!node.client().is_writable());
    assert_eq!(address_of(&node, "nas"), ["198.51.100.7"], "still answered");
    log.execute_batch("DROP TRIGGER no_log; DROP TRIGGER no_shard").expect("no triggers");
    let until = Instant::now() + Duration::from_secs(30);
    while !node.client().is_writable() {
        assert!(Instant::now() < until, "nobody tried");
        std::thread::yield_now();
    }
    assert!(publish(&node, "nas", &token, "198.51.100.9"));
    node.stop();
}
