//! Backup, restore and check, also while the store is written to.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "sample/chain.rs"]
mod chain;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chain::{Chain, SHARD, acquire, events};
use rusqlite::Connection;
use store::codec::StateWriter;
use store::{Event, Pos, Store};
use store_sqlite::backup::{self, BackupError, Verified};
use store_sqlite::{SqliteStore, StateDb};
use tempfile::TempDir;

fn fresh() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn filled(directory: &Path, commits: u64) -> SqliteStore {
    let store = SqliteStore::open(directory).unwrap();
    let writer = acquire(&store);
    let mut chain = Chain::of(&store);
    (0..commits).for_each(|_| drop(chain.append(&store, &writer, 2)));
    store
}

/// Folds all that is new into the tables of the directory.
fn fold(store: &SqliteStore) -> StateDb {
    let mut tables = StateDb::open(store.directory()).unwrap();
    fold_into(store, &mut tables);
    tables
}

fn fold_into(store: &SqliteStore, tables: &mut StateDb) {
    let new = store.read(SHARD, tables.folded().0, usize::MAX).unwrap();
    tables.fold(&new).unwrap();
}

/// Puts a snapshot of the tables and trims the log up to a position.
fn trim(store: &SqliteStore, tables: &mut StateDb, upto: Pos) {
    let mut writer = StateWriter::new(Vec::new()).unwrap();
    tables
        .load(|item| {
            writer.push(&item).unwrap();
            Ok(())
        })
        .unwrap();
    let body = writer.finish().unwrap();
    store.put_snapshot(SHARD, tables.folded().0, &mut body.as_slice()).unwrap();
    store.trim(SHARD, upto).unwrap();
}

fn problems(store: &SqliteStore) -> Vec<String> {
    let found = backup::check(store).unwrap().problems;
    assert!(!store.directory().join("check.db").exists(), "nothing is left behind");
    found
}

fn open(directory: &Path, file: &str) -> Connection {
    Connection::open(directory.join(file)).unwrap()
}

#[test]
fn a_backup_comes_back_whole() {
    let directory = fresh();
    let store = filled(&directory.path().join("a"), 20);
    let to = directory.path().join("copy");
    let made = backup::backup(&store, &to).unwrap();
    assert_eq!(made, Verified { events: 40, head: Pos(40), snapshot: Pos(0) });
    let target = directory.path().join("b");
    assert_eq!(backup::restore(&to, &target).unwrap(), made);
    let restored = SqliteStore::open(&target).unwrap();
    assert_eq!(events(&restored, Pos(0)), events(&store, Pos(0)));
    assert_eq!(problems(&restored), Vec::<String>::new());
    assert!(restored.is_restored().unwrap(), "serials have to jump");
    restored.clear_restored().unwrap();
    let epochs = [&store, &restored].map(|store| store.shards().unwrap()[0].epoch);
    assert!(epochs[1] > epochs[0], "writers of the time before are fenced");
    drop(restored);
    let restored = filled(&target, 3);
    assert!(!restored.is_restored().unwrap());
    assert_eq!(restored.head(SHARD).unwrap(), Pos(46));
}

#[test]
fn a_newer_backup_takes_the_place_of_an_older_one() {
    let directory = fresh();
    let store = filled(directory.path(), 1);
    let to = directory.path().join("copy");
    backup::backup(&store, &to).unwrap();
    fs::write(directory.path().join("copy.new"), b"of an interrupted one").unwrap();
    let writer = acquire(&store);
    Chain::of(&store).append(&store, &writer, 5);
    assert_eq!(backup::backup(&store, &to).unwrap().head, Pos(7));
    assert!(!directory.path().join("copy.new").exists());
    // A place that cannot be written leaves the store as it was, ready for the next backup.
    let nowhere = directory.path().join("no such directory/copy");
    assert!(matches!(backup::backup(&store, &nowhere), Err(BackupError::File { .. })));
    assert_eq!(backup::backup(&store, &to).unwrap().head, Pos(7));
}

#[test]
fn a_backup_while_changes_are_written_is_a_prefix_of_them() {
    let directory = fresh();
    let store = SqliteStore::open(&directory.path().join("a")).unwrap();
    let writer = acquire(&store);
    let acknowledged = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let (before, backups, all) = std::thread::scope(|scope| {
        let write = scope.spawn(|| {
            let mut chain = Chain::new();
            let mut all: Vec<Event> = Vec::new();
            while !done.load(Ordering::Relaxed) {
                all.extend(chain.append(&store, &writer, 1 + chain.head.0 % 7));
                acknowledged.store(chain.head.0, Ordering::Relaxed);
            }
            all
        });
        // Folding, checkpoints, snapshots and trims go on as well.
        let upkeep = scope.spawn(|| {
            let mut tables = StateDb::open(store.directory()).unwrap();
            while !done.load(Ordering::Relaxed) {
                fold_into(&store, &mut tables);
                store.maintain().unwrap();
                let upto = Pos(tables.folded().0.0 / 2);
                trim(&store, &mut tables, upto);
            }
        });
        let mut before = Vec::new();
        let mut backups = Vec::new();
        for number in 0..5 {
            while acknowledged.load(Ordering::Relaxed) < 100 * (number + 1) {
                std::thread::yield_now();
            }
            before.push(acknowledged.load(Ordering::Relaxed));
            let to = directory.path().join(format!("copy{number}"));
            backups.push((backup::backup(&store, &to).unwrap(), to));
        }
        done.store(true, Ordering::Relaxed);
        upkeep.join().unwrap();
        (before, backups, write.join().unwrap())
    });
    for (before, (made, copy)) in before.into_iter().zip(backups) {
        let target = copy.with_extension("restored");
        assert_eq!(backup::restore(&copy, &target).unwrap(), made);
        let restored = SqliteStore::open(&target).unwrap();
        assert!(made.head.0 >= before, "what was acknowledged before it began is in it");
        let kept = restored.shards().unwrap()[0].oldest.0 as usize - 1;
        let head = made.head.0 as usize;
        assert_eq!(events(&restored, Pos(kept as u64)), all[kept..head], "a prefix");
        assert_eq!(problems(&restored), Vec::<String>::new());
        assert!(made.snapshot.0 as usize >= kept, "the snapshot reaches to the log");
    }
    assert_eq!(problems(&store), Vec::<String>::new());
}

#[test]
fn a_trimmed_log_comes_back_with_its_snapshot() {
    let directory = fresh();
    let store = filled(&directory.path().join("a"), 100);
    let mut tables = fold(&store);
    trim(&store, &mut tables, Pos(150));
    let to = directory.path().join("copy");
    let made = backup::backup(&store, &to).unwrap();
    assert_eq!(made, Verified { events: 50, head: Pos(200), snapshot: Pos(200) });
    let target = directory.path().join("b");
    // What another, interrupted restore has left is not mixed into this one.
    fs::create_dir(&target).unwrap();
    fs::write(target.join("snapshot"), b"of another log").unwrap();
    fs::write(target.join("state.db"), b"of another log").unwrap();
    backup::restore(&to, &target).unwrap();
    let restored = SqliteStore::open(&target).unwrap();
    let snapshot = restored.snapshot(SHARD).unwrap().unwrap();
    let mut again = StateDb::open(&target).unwrap();
    again.fill(store::codec::StateReader::new(snapshot.body).unwrap()).unwrap();
    assert_eq!(again.folded(), tables.folded());
    assert_eq!(problems(&restored), Vec::<String>::new());
}

#[test]
fn a_snapshot_left_by_an_interrupted_restore_goes_away() {
    let directory = fresh();
    let store = filled(&directory.path().join("a"), 3);
    let to = directory.path().join("copy");
    backup::backup(&store, &to).unwrap();
    let target = directory.path().join("b");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("snapshot"), [0, 0, 0, 0, 0, 0, 0, 99, 1, 2, 3]).unwrap();
    assert!(SqliteStore::open(&target).is_err(), "half a restore is not served");
    backup::restore(&to, &target).unwrap();
    let restored = SqliteStore::open(&target).unwrap();
    assert!(restored.snapshot(SHARD).unwrap().is_none());
    assert_eq!(restored.head(SHARD).unwrap(), Pos(6));
}

#[test]
fn a_restore_over_data_is_refused() {
    let directory = fresh();
    let store = filled(&directory.path().join("a"), 2);
    let to = directory.path().join("copy");
    backup::backup(&store, &to).unwrap();
    let target = directory.path().join("b");
    let before = events(&filled(&target, 5), Pos(0));
    let refused = backup::restore(&to, &target).unwrap_err();
    assert!(matches!(refused, BackupError::NotEmpty(_)), "{refused}");
    assert_eq!(events(&SqliteStore::open(&target).unwrap(), Pos(0)), before);
    let held = backup::restore(&to, store.directory()).unwrap_err();
    assert!(held.to_string().contains("in use"), "{held}");
}

#[test]
fn what_is_no_backup_is_refused_and_leaves_no_data() {
    let directory = fresh();
    let store = filled(&directory.path().join("a"), 2);
    drop(fold(&store));
    drop(store);
    let text = directory.path().join("text");
    fs::write(&text, b"not a database at all, but long enough to look like something").unwrap();
    let empty = directory.path().join("empty");
    fs::write(&empty, b"").unwrap();
    let newer = directory.path().join("newer");
    Connection::open(&newer)
        .unwrap()
        .execute_batch("CREATE TABLE byname_backup (version); INSERT INTO byname_backup VALUES (9)")
        .unwrap();
    let missing = directory.path().join("missing");
    let own = ["log.db", "state.db"].map(|name| directory.path().join("a").join(name));
    let target = directory.path().join("b");
    for from in [&text, &empty, &newer, &missing, &own[0], &own[1]] {
        let refused = backup::restore(from, &target).unwrap_err();
        assert!(matches!(refused, BackupError::NotABackup(_)), "{}: {refused}", from.display());
    }
    assert!(!missing.exists(), "looking for a backup makes none");
    let left: Vec<_> = fs::read_dir(&target).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn a_damaged_backup_is_refused() {
    let directory = fresh();
    let store = filled(&directory.path().join("a"), 50);
    let mut tables = fold(&store);
    trim(&store, &mut tables, Pos(20));
    let to = directory.path().join("copy");
    backup::backup(&store, &to).unwrap();
    let whole = events(&store, Pos(20));
    let octets = fs::read(&to).unwrap();
    let mut refused = 0;
    // Every so many octets: in headers, keys, bodies and free space.
    for at in (0..octets.len()).step_by(1201) {
        let mut harmed = octets.clone();
        harmed[at] ^= 0x10;
        let (copy, target) = (directory.path().join("harmed"), directory.path().join("target"));
        fs::write(&copy, &harmed).unwrap();
        if backup::restore(&copy, &target).is_ok() {
            let restored = SqliteStore::open(&target).unwrap();
            assert_eq!(events(&restored, Pos(20)), whole, "octet {at}");
            assert_eq!(problems(&restored), Vec::<String>::new(), "octet {at}");
        } else {
            refused += 1;
        }
        fs::remove_dir_all(&target).unwrap();
    }
    assert!(refused > 5, "{refused} were refused");
}

#[test]
fn a_check_says_what_is_wrong_with_the_tables() {
    let directory = fresh();
    let store = filled(directory.path(), 100);
    drop(fold(&store));
    let report = backup::check(&store).unwrap();
    assert_eq!((report.tables, report.problems), (Some(Pos(200)), Vec::new()));
    assert_eq!(report.log, Verified { events: 200, head: Pos(200), snapshot: Pos(0) });
    let harms = [
        ("UPDATE zone SET serial = serial + 1", "serials of zones"),
        ("DELETE FROM rrset WHERE type = 1", "RRsets of dyn.example."),
        ("DELETE FROM part WHERE part = 1", "RRsets of dyn.example."),
        ("DELETE FROM entity WHERE kind = 'host'", "hosts"),
        ("DELETE FROM lease", "leases"),
        ("UPDATE lease SET until = until + 1", "leases"),
    ];
    for (sql, told) in harms {
        let file = fs::read(directory.path().join("state.db")).unwrap();
        open(directory.path(), "state.db").execute_batch(sql).unwrap();
        let found = problems(&store);
        assert!(found.len() == 1 && found[0].contains(told), "{sql}: {found:?}");
        StateDb::discard(directory.path()).unwrap();
        fs::write(directory.path().join("state.db"), file).unwrap();
    }
    assert_eq!(problems(&store), Vec::<String>::new());
}

#[test]
fn a_check_finds_an_entity_that_was_put_in_place_of_another() {
    let directory = fresh();
    let store = filled(directory.path(), 100);
    drop(fold(&store));
    let database = open(directory.path(), "state.db");
    let sql = "SELECT key, zone, body FROM entity WHERE kind = 'host' LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (key, zone, body): (String, String, Vec<u8>) = database.query_row(sql, [], row).unwrap();
    let Ok(store::Item::Entity(account::Entity::Host(mut host))) =
        store::codec::decode_item(store::codec::VERSION, &body)
    else {
        panic!("a host")
    };
    host.private_ok = !host.private_ok;
    let mut body = Vec::new();
    store::codec::encode_item(&store::Item::Entity(account::Entity::Host(host)), &mut body);
    // Its checksum is right.
    let parts = [&[store::codec::VERSION][..], b"host", key.as_bytes(), zone.as_bytes(), &body];
    let sum = crc32fast::hash(&parts.concat());
    let sql = "UPDATE entity SET body = ?1, sum = ?2 WHERE kind = 'host' AND key = ?3";
    database.execute(sql, rusqlite::params![body, sum, key]).unwrap();
    let found = problems(&store);
    assert!(found.len() == 1 && found[0].contains("hosts"), "{found:?}");
}

#[test]
fn a_check_of_unreadable_tables_says_so() {
    let directory = fresh();
    let store = filled(directory.path(), 100);
    drop(fold(&store));
    let path = directory.path().join("state.db");
    let whole = fs::read(&path).unwrap();
    let mut noisy = whole.clone();
    noisy[4096..8192].fill(0xa5);
    for octets in [b"no database, whatever its name says".as_slice(), &noisy, &whole[..5000]] {
        StateDb::discard(directory.path()).unwrap();
        fs::write(&path, octets).unwrap();
        let found = problems(&store);
        assert!(found.len() == 1 && found[0].contains("state.db"), "{found:?}");
    }
    StateDb::discard(directory.path()).unwrap();
    assert_eq!(problems(&store), Vec::<String>::new(), "none at all is no problem");
}

#[test]
fn a_check_finds_a_damaged_snapshot() {
    let directory = fresh();
    let store = filled(directory.path(), 60);
    let mut tables = fold(&store);
    trim(&store, &mut tables, Pos(50));
    assert_eq!(problems(&store), Vec::<String>::new());
    let path = directory.path().join("snapshot");
    let octets = fs::read(&path).unwrap();
    for at in [7, 20, 100, octets.len() - 1] {
        let mut harmed = octets.clone();
        harmed[at] ^= 1;
        fs::write(&path, &harmed).unwrap();
        let found = problems(&store);
        assert!(found.len() == 1 && found[0].contains("snapshot"), "octet {at}: {found:?}");
    }
}

#[test]
fn checks_go_well_while_changes_are_written() {
    let directory = fresh();
    let store = filled(directory.path(), 10);
    let writer = acquire(&store);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut chain = Chain::of(&store);
            let mut tables = fold(&store);
            while !done.load(Ordering::Relaxed) {
                chain.append(&store, &writer, 3);
                fold_into(&store, &mut tables);
                trim(&store, &mut tables, Pos(chain.head.0 / 2));
            }
        });
        let check = || (0..4).flat_map(|_| backup::check(&store).unwrap().problems).collect();
        let found: Vec<Vec<String>> =
            [scope.spawn(check), scope.spawn(check)].map(|c| c.join().unwrap()).into();
        done.store(true, Ordering::Relaxed);
        assert_eq!(found.concat(), Vec::<String>::new());
    });
}

#[test]
fn a_backup_that_brings_code_along_is_refused_and_not_run() {
    let directory = fresh();
    let store = filled(&directory.path().join("a"), 3);
    let to = directory.path().join("copy");
    backup::backup(&store, &to).unwrap();
    // Each runs without end, or for very long, when it is read.
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i)";
    for (what, sql) in [
        (
            "view",
            format!(
                "DROP TABLE byname_backup; CREATE VIEW byname_backup AS {endless} AS version FROM n"
            ),
        ),
        (
            "view of the shard",
            format!(
                "DROP TABLE shard; CREATE VIEW shard AS {endless} AS id, 1 AS epoch, '' AS owner, 0 AS forgotten FROM n"
            ),
        ),
        (
            "generated column",
            "ALTER TABLE shard RENAME COLUMN forgotten TO f;
             ALTER TABLE shard ADD COLUMN forgotten AS (length(hex(zeroblob(400000000))))"
                .to_owned(),
        ),
        ("index", "CREATE INDEX i ON log (abs(at))".to_owned()),
        ("trigger", "CREATE TRIGGER t AFTER INSERT ON log BEGIN SELECT 1; END".to_owned()),
        ("fifth table", "CREATE TABLE more (a)".to_owned()),
    ] {
        let hostile = directory.path().join("hostile");
        fs::copy(&to, &hostile).unwrap();
        open(directory.path(), "hostile").execute_batch(&sql).unwrap();
        let target = directory.path().join("b");
        let found = backup::restore(&hostile, &target);
        assert!(matches!(found, Err(BackupError::NotABackup(_))), "{what}: {found:?}");
        assert!(!target.join("log.db").exists(), "{what}");
    }
    assert!(backup::restore(&to, &directory.path().join("b")).is_ok(), "the real one is taken");
}
