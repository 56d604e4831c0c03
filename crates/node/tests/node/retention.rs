//! What is older than it should be kept goes; what is served stays.

use std::time::{Duration, Instant};

use node::{Node, Options};
use store::{Pos, ShardId, Store};
use store_sqlite::SqliteStore;

use crate::playground::{Playground, add_host, address_of, publish, request};

#[test]
fn retention_trims_the_log_after_a_snapshot_and_a_restart_is_right() {
    let playground = Playground::new();
    let (token, before) = playground.with(|node| {
        let token = add_host(node, "nas");
        // More than a trim is worth its while for.
        let replies: Vec<_> = (0..10_100u32)
            .map(|number| {
                let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
                node.client().submit(request(node, "nas", &token, &address)).expect("a queue")
            })
            .collect();
        for reply in replies {
            reply.blocking_recv().expect("an outcome");
        }
        (token, address_of(node, "nas"))
    });
    assert_eq!(oldest(&playground), 1);
    // Everything is older than nothing.
    let options = Options { log_ms: Some(0), ..playground.options() };
    let node = Node::open(&options).expect("a node");
    assert!(publish(&node, "nas", &token, "198.51.100.7"), "a commit wakes the folder");
    let until = Instant::now() + Duration::from_secs(30);
    while !playground.data().join("snapshot").exists() {
        assert!(Instant::now() < until, "no snapshot was made");
        std::thread::yield_now();
    }
    node.stop();
    drop(node);
    assert!(oldest(&playground) > 10_000, "the old part of the log is gone");
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        // From the snapshot and what is left of the log alone.
        let _ = std::fs::remove_file(playground.data().join(file));
    }
    playground.with(|node| {
        assert_ne!(before, address_of(node, "nas"));
        assert_eq!(address_of(node, "nas"), ["198.51.100.7"]);
        assert!(publish(node, "nas", &token, "198.51.100.8"));
    });
}

#[test]
fn retention_of_source_addresses_erases_them_and_keeps_the_chain_whole() {
    let playground = Playground::new();
    let token = playground.with(|node| {
        let token = add_host(node, "nas");
        assert!(publish(node, "nas", &token, "198.51.100.7"));
        token
    });
    assert_eq!(origins(&playground), 1);
    let node =
        Node::open(&Options { origins_ms: Some(0), ..playground.options() }).expect("a node");
    assert!(publish(&node, "nas", &token, "198.51.100.8"), "a commit wakes the folder");
    node.stop();
    drop(node);
    // The newest may have come after the look; the older one is gone.
    assert!(origins(&playground) <= 1);
    playground.with(|node| {
        let checked =
            crate::playground::order(node, &node::admin::Command::Check { head: None }).value;
        assert_eq!(checked["problems"], serde_json::json!([]));
        assert_eq!(address_of(node, "nas"), ["198.51.100.8"]);
    });
}

fn oldest(playground: &Playground) -> u64 {
    let store = SqliteStore::open(playground.data()).expect("a store");
    let shards = store.shards().expect("shards");
    shards.first().map_or(0, |shard| shard.oldest.0)
}

fn origins(playground: &Playground) -> usize {
    let store = SqliteStore::open(playground.data()).expect("a store");
    let commits = store.read(ShardId(0), Pos(0), usize::MAX).expect("the log");
    let events = commits.iter().flat_map(|commit| &commit.events);
    events.filter(|event| event.origin.is_some()).count()
}
