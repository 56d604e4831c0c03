//! `log.db` and the files beside it: who may open them, what survives, what is found out.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "sample/chain.rs"]
mod chain;

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chain::{Chain, SHARD, acquire, events, moment, origin};
use rusqlite::Connection;
use store::{Durability, FeedError, Hash, Pos, Store, StoreError, codec};
use store_sqlite::{LockError, OpenError, SqliteStore, StateDb, backup};
use tempfile::TempDir;

fn fresh() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A store with so many commits of two events each.
fn filled(directory: &Path, commits: u64) -> SqliteStore {
    let store = SqliteStore::open(directory).unwrap();
    let writer = acquire(&store);
    let mut chain = Chain::new();
    (0..commits).for_each(|_| drop(chain.append(&store, &writer, 2)));
    store
}

fn sql<T: rusqlite::types::FromSql>(directory: &Path, file: &str, sql: &str) -> T {
    let database = Connection::open(directory.join(file)).unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn change(directory: &Path, file: &str, sql: &str) {
    Connection::open(directory.join(file)).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_second_open_is_refused_until_the_first_one_ends() {
    let directory = fresh();
    let store = filled(directory.path(), 1);
    let refused = SqliteStore::open(directory.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Lock(LockError::Held(_))), "{refused}");
    assert!(refused.to_string().contains("in use by another bynamed"), "{refused}");
    drop(store);
    assert_eq!(SqliteStore::open(directory.path()).unwrap().head(SHARD).unwrap(), Pos(2));
}

#[test]
fn files_are_for_their_owner_only() {
    let parent = fresh();
    let directory = parent.path().join("made/by/us");
    let store = filled(&directory, 2);
    let mut tables = StateDb::open(&directory).unwrap();
    tables.fold(&store.read(SHARD, Pos(0), usize::MAX).unwrap()).unwrap();
    store.put_snapshot(SHARD, Pos(4), &mut b"x".as_slice()).unwrap();
    let to = parent.path().join("copy");
    backup::backup(&store, &to).unwrap_err();
    fs::remove_file(directory.join("snapshot")).unwrap();
    backup::backup(&store, &to).unwrap();
    store.put_snapshot(SHARD, Pos(4), &mut b"x".as_slice()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&to), 0o600, "a backup");
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    for name in ["lock", "log.db", "log.db-wal", "snapshot", "state.db", "state.db-wal"] {
        assert!(names.iter().any(|found| found == name), "{name} of {names:?}");
    }
}

#[test]
fn files_of_a_newer_release_are_refused_and_named() {
    for file in ["log.db", "state.db"] {
        let directory = fresh();
        drop((filled(directory.path(), 1), StateDb::open(directory.path()).unwrap()));
        change(directory.path(), file, "PRAGMA user_version = 77");
        let refused = match file {
            "log.db" => SqliteStore::open(directory.path()).unwrap_err(),
            _ => StateDb::open(directory.path()).unwrap_err(),
        };
        assert!(matches!(refused, OpenError::Newer { found: 77, .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("{file} has version 77")), "{refused}");
        assert!(refused.to_string().contains("newer release"), "{refused}");
    }
}

/// The schema of version 1, as the first release made it. Never changed.
const SCHEMA_1: &str = "
    CREATE TABLE shard (
        id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, owner TEXT NOT NULL,
        restored INTEGER NOT NULL DEFAULT 0, doubts INTEGER NOT NULL DEFAULT 0,
        forgotten INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE log (
        last INTEGER PRIMARY KEY, first INTEGER NOT NULL, epoch INTEGER NOT NULL,
        at INTEGER NOT NULL, batch BLOB NOT NULL UNIQUE, sum INTEGER NOT NULL,
        body BLOB NOT NULL);
    PRAGMA user_version = 1;
    INSERT INTO shard (id, epoch, owner) VALUES (0, 41, 'first light');
";

#[test]
fn a_log_of_version_1_opens_for_ever() {
    let golden = include_str!("../../store/tests/golden/events-1.hex");
    let directory = fresh();
    let database = Connection::open(directory.path().join("log.db")).unwrap();
    database.execute_batch(SCHEMA_1).unwrap();
    for (line, pos) in golden.lines().zip(1i64..) {
        let body: Vec<u8> = (0..line.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
            .collect();
        let sql = "INSERT INTO log (last, first, epoch, at, batch, sum, body)
            VALUES (?1, ?1, 41, ?1, ?2, ?3, ?4)";
        let sum = crc32fast::hash(&body);
        database.execute(sql, (pos, chain::batch(Pos(pos as u64)).0, sum, body)).unwrap();
    }
    drop(database);
    let store = SqliteStore::open(directory.path()).unwrap();
    let lines = golden.lines().count() as u64;
    assert_eq!(store.head(SHARD).unwrap(), Pos(lines));
    assert_eq!(acquire(&store).epoch, 42);
    let report = backup::check(&store).unwrap();
    assert_eq!((report.log.events, report.problems), (lines, Vec::new()));
    let writer = acquire(&store);
    Chain::of(&store).append(&store, &writer, 1);
}

#[test]
fn an_empty_database_is_brought_up_to_date() {
    let directory = fresh();
    change(directory.path(), "log.db", "PRAGMA user_version = 0");
    let store = filled(directory.path(), 1);
    assert_eq!(sql::<i64>(directory.path(), "log.db", "PRAGMA user_version"), 1);
    assert_eq!(events(&store, Pos(0)).len(), 2);
}

#[test]
fn a_flipped_octet_in_a_commit_is_found_with_its_position() {
    let directory = fresh();
    drop(filled(directory.path(), 5));
    // The octet stands in the middle of the third commit, which ends at position 6.
    let flip = "UPDATE log SET body = (SELECT CAST(substr(body, 1, 99) || x'5a'
        || substr(body, 101) AS BLOB) FROM log WHERE last = 6) WHERE last = 6";
    change(directory.path(), "log.db", flip);
    let store = SqliteStore::open(directory.path()).unwrap();
    let read = store.read(SHARD, Pos(4), usize::MAX).unwrap_err();
    assert!(matches!(&read, FeedError::Store(StoreError::Damaged(_))), "{read}");
    assert!(read.to_string().contains("up to 6"), "{read}");
    assert_eq!(store.read(SHARD, Pos(6), usize::MAX).unwrap().len(), 2, "the others are readable");
    let report = backup::check(&store).unwrap();
    assert_eq!(report.problems.len(), 1);
    assert!(report.problems[0].contains("position 6"), "{report:?}");
    // Erasing origins must not seal the damage with a fresh checksum.
    let refused = store.forget_origins(Pos(10)).unwrap_err();
    assert!(refused.to_string().contains("up to 6"), "{refused}");
    assert!(store.read(SHARD, Pos(4), 0).is_err());
}

#[test]
fn a_forged_commit_with_a_fitting_checksum_breaks_the_chain() {
    let directory = fresh();
    let store = filled(directory.path(), 5);
    let mut forged = store.read(SHARD, Pos(4), 0).unwrap().remove(0).events;
    forged[1].body.at.0 += 1;
    let mut body = Vec::new();
    forged.iter().for_each(|event| codec::encode_event(event, &mut body));
    drop(store);
    let database = Connection::open(directory.path().join("log.db")).unwrap();
    let sql = "UPDATE log SET body = ?1, sum = ?2 WHERE last = 6";
    database.execute(sql, (&body, crc32fast::hash(&body))).unwrap();
    drop(database);
    let store = SqliteStore::open(directory.path()).unwrap();
    let problems = backup::check(&store).unwrap().problems;
    assert!(problems.len() == 1 && problems[0].contains("event 6"), "{problems:?}");
}

#[test]
fn a_missing_commit_is_found() {
    let directory = fresh();
    drop(filled(directory.path(), 5));
    change(directory.path(), "log.db", "DELETE FROM log WHERE last = 6");
    let store = SqliteStore::open(directory.path()).unwrap();
    let problems = backup::check(&store).unwrap().problems;
    assert!(problems.len() == 1 && problems[0].contains("missing"), "{problems:?}");
}

/// A page that turned bad can hide rows: nobody reads on as if nothing were missing.
#[test]
fn a_reader_never_passes_over_a_missing_commit() {
    let directory = fresh();
    drop(filled(directory.path(), 5));
    change(directory.path(), "log.db", "DELETE FROM log WHERE last = 6");
    let store = SqliteStore::open(directory.path()).unwrap();
    for after in [0, 3, 4, 5] {
        let refused = store.read(SHARD, Pos(after), usize::MAX).unwrap_err();
        assert!(matches!(refused, FeedError::Store(StoreError::Damaged(_))), "{refused}");
    }
    assert_eq!(store.read(SHARD, Pos(0), 0).unwrap().len(), 1, "what comes before it is there");
    assert_eq!(store.read(SHARD, Pos(6), usize::MAX).unwrap().len(), 2);
}

#[test]
fn durability_is_what_was_verified() {
    let directory = fresh();
    let caps = |store: &SqliteStore| store.caps().durability;
    let store = filled(directory.path(), 1);
    assert_eq!(caps(&store), Durability::LocalDisk);
    drop(store);
    let lax = SqliteStore::open_without_durability(directory.path()).unwrap();
    assert_eq!(caps(&lax), Durability::Volatile);
}

#[test]
fn a_moment_is_found_in_the_log() {
    let directory = fresh();
    let store = SqliteStore::open(directory.path()).unwrap();
    assert_eq!(store.last_before(moment(Pos(9))).unwrap(), Pos(0), "an empty log");
    let writer = acquire(&store);
    let mut chain = Chain::new();
    let sizes = [1, 5, 1, 1, 7, 2, 3, 1, 1, 9];
    sizes.iter().for_each(|&size| drop(chain.append(&store, &writer, size)));
    let commits = store.read(SHARD, Pos(0), usize::MAX).unwrap();
    let newest = |at: Pos, kept: Pos| {
        let made = commits.iter().filter(|c| c.last > kept && c.at <= moment(at));
        made.map(|c| c.last).max().unwrap_or_default()
    };
    for at in (0..chain.head.0 + 3).map(Pos) {
        assert_eq!(store.last_before(moment(at)).unwrap(), newest(at, Pos(0)), "{at:?}");
    }
    store.put_snapshot(SHARD, chain.head, &mut b"x".as_slice()).unwrap();
    store.trim(SHARD, Pos(15)).unwrap();
    for at in (0..chain.head.0 + 3).map(Pos) {
        assert_eq!(store.last_before(moment(at)).unwrap(), newest(at, Pos(15)), "trimmed, {at:?}");
    }
}

#[test]
fn source_addresses_are_erased_and_the_chain_stays_whole() {
    let directory = fresh();
    let store = filled(directory.path(), 400);
    let before = events(&store, Pos(0));
    store.forget_origins(Pos(600)).unwrap();
    let after = events(&store, Pos(0));
    for (old, new) in before.iter().zip(&after) {
        let kept = old.origin.filter(|_| old.pos > Pos(600));
        assert_eq!((new.origin, &new.body, new.hash), (kept, &old.body, old.hash));
    }
    assert_eq!(backup::check(&store).unwrap().problems, Vec::<String>::new());
    store.forget_origins(Pos(700)).unwrap();
    assert!(events(&store, Pos(0))[..700].iter().all(|event| event.origin.is_none()));
    store.forget_origins(Pos(700)).unwrap();
    // Also not in a corner of the file that SQLite does not use any more.
    drop(store);
    let file = fs::read(directory.path().join("log.db")).unwrap();
    let holds = |pos| file.windows(16).any(|octets| octets == origin(Pos(pos)).salt);
    assert!(holds(702), "one that is kept is found this way");
    for pos in (3..700).step_by(3) {
        assert!(!holds(pos), "the origin of {pos} is still in the file");
    }
}

#[test]
fn a_long_log_is_trimmed_in_steps() {
    let directory = fresh();
    let store = filled(directory.path(), 700);
    store.put_snapshot(SHARD, Pos(1400), &mut b"x".as_slice()).unwrap();
    store.trim(SHARD, Pos(1300)).unwrap();
    let kept = events(&store, Pos(1300));
    assert_eq!((kept.len(), kept[0].pos), (100, Pos(1301)));
    assert_eq!(sql::<i64>(directory.path(), "log.db", "SELECT count(*) FROM log"), 50);
}

#[test]
fn the_write_ahead_log_does_not_grow_while_it_is_kept_up() {
    let directory = fresh();
    let store = SqliteStore::open(directory.path()).unwrap();
    let writer = acquire(&store);
    let mut chain = Chain::new();
    let mut longest = 0;
    for _ in 0..40 {
        chain.append(&store, &writer, 200);
        store.maintain().unwrap();
        longest = longest.max(fs::metadata(directory.path().join("log.db-wal")).unwrap().len());
    }
    let whole = store.log_octets();
    assert!(longest * 10 < whole, "{longest} of {whole} octets");
}

#[test]
fn what_an_interruption_left_behind_is_swept_away() {
    let directory = fresh();
    drop(filled(directory.path(), 1));
    let left = ["snapshot.new", "snapshot.tmp", "check.db", "check.db-wal", "log.db.new"];
    left.iter().for_each(|name| fs::write(directory.path().join(name), b"half").unwrap());
    drop(SqliteStore::open(directory.path()).unwrap());
    for name in left {
        assert!(!directory.path().join(name).exists(), "{name}");
    }
}

#[test]
fn a_snapshot_without_its_log_is_refused() {
    let directory = fresh();
    let store = filled(directory.path(), 3);
    store.put_snapshot(SHARD, Pos(6), &mut b"x".as_slice()).unwrap();
    drop(store);
    fs::remove_file(directory.path().join("log.db")).unwrap();
    for _ in 0..2 {
        let refused = SqliteStore::open(directory.path()).unwrap_err();
        assert!(matches!(refused, OpenError::Ahead { snapshot: Pos(6), .. }), "{refused}");
    }
    assert!(!directory.path().join("log.db").exists(), "no empty log was made in its place");
}

#[test]
fn a_log_that_is_no_database_is_refused() {
    let directory = fresh();
    drop(filled(directory.path(), 3));
    let path = directory.path().join("log.db");
    let mut file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut head = [0; 16];
    file.read_exact(&mut head).unwrap();
    assert_eq!(&head[..15], b"SQLite format 3");
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&[0x5a; 100]).unwrap();
    drop(file);
    let refused = SqliteStore::open(directory.path()).unwrap_err();
    assert!(refused.is_damage(), "{refused}");
    assert!(refused.to_string().contains("log.db"), "{refused}");
}

#[test]
fn an_append_goes_on_after_one_that_was_refused() {
    let directory = fresh();
    let store = filled(directory.path(), 1);
    let writer = acquire(&store);
    let mut chain = Chain::of(&store);
    // Somebody else writes: the store waits for a while, then says that nothing was written.
    let other = Connection::open(directory.path().join("log.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let next = Chain { head: chain.head, hash: chain.hash }.take(1);
    let refused = store.append(&writer, chain.head, chain::batch(Pos(3)), &next).unwrap_err();
    assert!(matches!(refused, store::AppendError::Unavailable(_)), "{refused}");
    assert_eq!(store.outcome(SHARD, chain::batch(Pos(3))).unwrap(), None);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(chain.append(&store, &writer, 1), next);
    assert_ne!(chain.hash, Hash::default());
}
