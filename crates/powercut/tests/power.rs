//! What is acknowledged survives the loss of power; and the simulation would notice if not.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

#[path = "../../store-sqlite/tests/sample/chain.rs"]
mod chain;
#[path = "rounds/cut.rs"]
mod cut;

use std::fs;

use chain::{Chain, SHARD, acquire, batch, events};
use cut::Machine;
use powercut::{Disk, Loss, enter};
use store::{AppendError, Pos, Store};
use store_sqlite::{SqliteStore, backup};

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    if !enter("power_cuts_lose_nothing_that_was_acknowledged").unwrap() {
        return;
    }
    let mut machine = Machine::new();
    let losses = [Loss::All, Loss::Nothing, Loss::Some(1), Loss::Some(2), Loss::Some(3)];
    for (loss, acknowledged) in losses.into_iter().zip([40, 3, 90, 1, 60]) {
        machine.round(SqliteStore::open, acknowledged, loss).unwrap();
    }
}

#[test]
fn a_store_that_does_not_sync_is_caught() {
    if !enter("a_store_that_does_not_sync_is_caught").unwrap() {
        return;
    }
    // Now and then a checkpoint syncs everything just before the cut.
    let lax = SqliteStore::open_without_durability;
    let found = (0..20).find_map(|_| Machine::new().round(lax, 40, Loss::All).err());
    let why = found.expect("a loss that is found");
    // By who has the acknowledgement, or by the store itself when its tables are ahead of the log.
    assert!(why.contains("was acknowledged") || why.contains("its log ends at"), "{why}");
}

/// The commit is neither acknowledged nor denied before it is known what became of it; and once it
/// is denied it does not turn up again.
#[test]
fn a_commit_whose_sync_failed_is_settled_for_good() {
    if !enter("a_commit_whose_sync_failed_is_settled_for_good").unwrap() {
        return;
    }
    for loss in [Loss::All, Loss::Nothing, Loss::Some(5)] {
        let folder = tempfile::tempdir().unwrap();
        let [at, from, to] = ["at", "from", "to"].map(|name| folder.path().join(name));
        [&at, &from, &to].into_iter().for_each(|path| fs::create_dir(path).unwrap());
        let disk = Disk::mount(&at, &from).unwrap();
        let store = SqliteStore::open(&at).unwrap();
        let writer = acquire(&store);
        let mut chain = Chain::new();
        chain.append(&store, &writer, 3);
        disk.refuse_syncs(true).unwrap();
        let lost = chain.clone().take(5);
        let id = batch(Pos(8));
        let unknown = store.append(&writer, chain.head, id, &lost).expect_err("no sync");
        assert!(matches!(unknown, AppendError::Unknown(_)), "{unknown}");
        store.outcome(SHARD, id).expect_err("nobody can know yet");
        let next = chain.clone().take(1);
        let refused = store.append(&writer, chain.head, batch(Pos(4)), &next).expect_err("no sync");
        assert!(matches!(refused, AppendError::Unavailable(_)), "{refused}");
        disk.refuse_syncs(false).unwrap();
        assert_eq!(store.outcome(SHARD, id).unwrap(), None);
        assert_eq!(store.head(SHARD).unwrap(), Pos(3));
        chain.append(&store, &writer, 1);
        disk.cut().expect("the end of power");
        drop(store);
        disk.remains(loss, &to).unwrap();
        drop(disk);
        let store = SqliteStore::open(&to).unwrap();
        assert_eq!(events(&store, Pos(0)).len(), 4, "{loss:?}");
        assert_eq!(store.outcome(SHARD, id).unwrap(), None);
        assert_eq!(backup::check(&store).unwrap().problems, Vec::<String>::new());
    }
}

/// The power goes while a commit is in doubt: it is there as a whole or not at all.
#[test]
fn a_commit_in_doubt_is_whole_or_absent_after_a_power_cut() {
    if !enter("a_commit_in_doubt_is_whole_or_absent_after_a_power_cut").unwrap() {
        return;
    }
    let mut lengths = std::collections::BTreeSet::new();
    for loss in [Loss::All, Loss::Nothing].into_iter().chain((0..20).map(Loss::Some)) {
        let folder = tempfile::tempdir().unwrap();
        let [at, from, to] = ["at", "from", "to"].map(|name| folder.path().join(name));
        [&at, &from, &to].into_iter().for_each(|path| fs::create_dir(path).unwrap());
        let disk = Disk::mount(&at, &from).unwrap();
        let store = SqliteStore::open(&at).unwrap();
        let writer = acquire(&store);
        let mut chain = Chain::new();
        chain.append(&store, &writer, 3);
        disk.refuse_syncs(true).unwrap();
        let lost = chain.clone().take(5);
        store.append(&writer, chain.head, batch(Pos(8)), &lost).expect_err("no sync");
        disk.cut().expect("the end of power");
        drop(store);
        disk.remains(loss, &to).unwrap();
        drop(disk);
        let store = SqliteStore::open(&to).unwrap();
        let length = events(&store, Pos(0)).len() as u64;
        assert!(length == 3 || length == 8, "{length} events after {loss:?}");
        let outcome = store.outcome(SHARD, batch(Pos(8))).unwrap();
        assert_eq!(outcome, (length == 8).then_some(Pos(8)));
        assert_eq!(backup::check(&store).unwrap().problems, Vec::<String>::new());
        lengths.insert(length);
    }
    assert_eq!(lengths.len(), 2, "both ends were seen");
}
