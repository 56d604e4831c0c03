//! One power cut: a store under load on a disk, the cut, and the judgement of what is left.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use powercut::{Disk, Loss};
use store::codec::StateWriter;
use store::{AppendError, Hash, Pos, Store};
use store_sqlite::{SqliteStore, StateDb, backup};
use tempfile::TempDir;

use crate::chain::{Chain, SHARD, acquire, batch, events};

/// What was acknowledged: position and hash of the last event of every commit. It is kept outside
/// of the disk.
type Ledger = Mutex<Vec<(Pos, Hash)>>;

/// A directory that goes through power cuts.
pub(crate) struct Machine {
    folder: TempDir,
    rounds: u64,
}

impl Machine {
    pub(crate) fn new() -> Machine {
        let folder = tempfile::tempdir().expect("a directory");
        fs::create_dir(folder.path().join("0")).expect("a directory");
        Machine { folder, rounds: 0 }
    }

    /// Writes, folds, trims and takes snapshots until `acknowledged` commits are through, takes the
    /// power away, and tells what is wrong with what is left.
    pub(crate) fn round(
        &mut self,
        open: fn(&Path) -> Result<SqliteStore, store_sqlite::OpenError>,
        acknowledged: usize,
        loss: Loss,
    ) -> Result<(), String> {
        let at = self.folder.path().join(format!("disk{}", self.rounds));
        let from = self.folder.path().join(self.rounds.to_string());
        self.rounds += 1;
        let to = self.folder.path().join(self.rounds.to_string());
        fs::create_dir(&at).expect("a directory");
        fs::create_dir(&to).expect("a directory");
        let disk = Disk::mount(&at, &from).expect("a disk");
        let ledger = Ledger::default();
        let store = open(&at).expect("a store on the disk");
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| write(&store, &ledger));
            scope.spawn(|| keep_up(&store));
            while ledger.lock().expect("the ledger").len() < acknowledged && !writer.is_finished() {
                std::thread::yield_now();
            }
            let ended = writer.is_finished().then(|| ledger.lock().expect("the ledger").len());
            disk.cut().expect("the end of power");
            let why = writer.join().expect("a writer");
            assert_eq!(ended, None, "the writer ended before the power did: {why}");
        });
        drop(store);
        disk.remains(loss, &to).expect("what is left");
        drop(disk);
        judge(&to, &ledger.into_inner().expect("the ledger"))
    }
}

/// Commits of several sizes until the power goes.
fn write(store: &SqliteStore, ledger: &Ledger) -> AppendError {
    let writer = acquire(store);
    let mut chain = Chain::of(store);
    loop {
        let before = chain.head;
        let events = chain.take(1 + before.0 % 19);
        if let Err(why) = store.append(&writer, before, batch(chain.head), &events) {
            return why;
        }
        ledger.lock().expect("the ledger").push((chain.head, chain.hash));
    }
}

/// What a node does in the background, all the time, until the power goes.
fn keep_up(store: &SqliteStore) {
    let Ok(mut tables) = StateDb::open(store.directory()) else { return };
    for round in 1u64.. {
        let Ok(new) = store.read(SHARD, tables.folded().0, 64 * 1024) else { return };
        let done = tables.fold(&new).is_ok()
            && (!round.is_multiple_of(3) || store.maintain().is_ok())
            && (!round.is_multiple_of(5) || tables.maintain().is_ok())
            && (!round.is_multiple_of(8) || trim(store, &mut tables));
        if !done {
            return;
        }
    }
}

fn trim(store: &SqliteStore, tables: &mut StateDb) -> bool {
    let mut writer = StateWriter::new(Vec::new()).expect("memory");
    let loaded = tables.load(|item| {
        writer.push(&item).expect("memory");
        Ok(())
    });
    let body = writer.finish().expect("memory");
    let at = tables.folded().0;
    loaded.is_ok()
        && store.put_snapshot(SHARD, at, &mut body.as_slice()).is_ok()
        && store.trim(SHARD, Pos(at.0 / 2)).is_ok()
}

fn judge(left: &Path, ledger: &[(Pos, Hash)]) -> Result<(), String> {
    let store = SqliteStore::open(left).map_err(|why| why.to_string())?;
    let head = store.head(SHARD).map_err(|why| why.to_string())?;
    let last = ledger.last().expect("acknowledgements").0;
    if head < last {
        return Err(format!("{} was acknowledged, and the log ends at {}", last.0, head.0));
    }
    let shards = store.shards().map_err(|why| why.to_string())?;
    let kept = shards.first().map_or(Pos(0), |shard| shard.oldest);
    let there = events(&store, Pos(kept.0.saturating_sub(1)));
    for (pos, hash) in ledger.iter().filter(|(pos, _)| *pos >= kept) {
        let event = there.iter().find(|event| event.pos == *pos);
        if event.is_none_or(|event| event.hash != *hash) {
            return Err(format!("the event {} is not what was acknowledged", pos.0));
        }
    }
    let report = backup::check(&store).map_err(|why| why.to_string())?;
    if report.problems.is_empty() { Ok(()) } else { Err(report.problems.join("; ")) }
}
