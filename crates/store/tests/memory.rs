//! The contract of stores, kept by the store in memory.

use std::time::{Duration, Instant};

use store::contract::{Job, Subject};
use store::{MemoryStore, Pos, ShardId, Store};

struct Memory(MemoryStore);

impl Subject for Memory {
    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn reopen(&mut self) {}

    fn at_once(&self, jobs: Vec<Job<'_>>) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(|| job(&self.0));
            }
        });
    }
}

store::contract_tests!(|| Memory(MemoryStore::new()));

#[test]
fn a_feed_waits_though_another_shard_is_far_ahead() {
    let mut memory = Memory(MemoryStore::new());
    store::contract::positions_are_dense(&mut memory);
    let mut feed = memory.store().follow(ShardId(1), Pos(0)).unwrap();
    let began = Instant::now();
    assert!(feed.next(WAIT).unwrap().is_none());
    assert!(began.elapsed() >= WAIT, "it was woken by the other shard and did not wait on");
}

const WAIT: Duration = Duration::from_millis(30);
