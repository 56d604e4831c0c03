//! A node over a disk that does not answer can be stopped.

use std::fs;
use std::time::{Duration, Instant};

use account::Actor;
use engine::{Operation, Request};
use node::{Node, Options};
use powercut::{Disk, enter};

/// Nobody can say whether the last commit was written: who waits for it is left unconfirmed, and the
/// stop does not wait for ever.
#[test]
fn a_node_with_a_commit_in_doubt_stops_in_time() {
    if !enter("a_node_with_a_commit_in_doubt_stops_in_time").unwrap() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [at, from] = ["at", "from"].map(|name| folder.path().join(name));
    [&at, &from].into_iter().for_each(|path| fs::create_dir(path).unwrap());
    let disk = Disk::mount(&at, &from).unwrap();
    let options =
        Options { data: at.clone(), name: "test".to_owned(), log_ms: None, origins_ms: None };
    let node = Node::open(&options).unwrap();
    let account = |name: &str| {
        let operation = Operation::AddAccount(name.to_owned());
        let request = Request { actor: Actor::Operator, origin: None, operation };
        node.client().submit(request).expect("room in the queue")
    };
    account("alice").blocking_recv().expect("an outcome");
    disk.refuse_syncs(true).unwrap();
    let in_doubt = account("bob");
    let behind = account("carol");
    let since = Instant::now();
    node.stop();
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    in_doubt.blocking_recv().expect_err("nobody can know");
    behind.blocking_recv().expect_err("nobody can know");
    disk.refuse_syncs(false).unwrap();
    drop(node);
    let node = Node::open(&options).unwrap();
    assert!(node.live().directory().account_named("alice").is_some());
    node.stop();
}
