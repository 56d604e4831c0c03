//! A data directory of an older release is gone on with, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "sample/chain.rs"]
mod chain;

use std::path::Path;

use account::{Credential, Entity, KeyPolicy, TsigAlgorithm};
use chain::{SHARD, acquire, batch};
use rusqlite::Connection;
use store::codec::{StateReader, StateWriter};
use store::{ActorRef, Event, EventBody, Fact, Hash, Item, Pos, RecordLease, Store};
use store_sqlite::{SqliteStore, StateDb, backup};
use tempfile::TempDir;
use wire::{Name, Rdata, Rtype};

/// What the first release wrote: two zones, one of them imported, hosts, tokens and keys of every
/// kind. The dump of its databases, which are never changed.
const LOG_1: &str = include_str!("golden/log-1.sql");
const STATE_1: &str = include_str!("golden/state-1.sql");

/// The directory of the first release.
fn old() -> TempDir {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    make(&directory.path().join("log.db"), LOG_1, 1);
    make(&directory.path().join("state.db"), STATE_1, 2);
    directory
}

fn make(path: &Path, dump: &str, version: u32) {
    let database = Connection::open(path).unwrap();
    database.execute_batch(dump).unwrap();
    database.pragma_update(None, "user_version", version).unwrap();
}

fn items(tables: &mut StateDb) -> Vec<Item> {
    let mut items = Vec::new();
    tables
        .load(|item| {
            items.push(item);
            Ok(())
        })
        .unwrap();
    items
}

fn sorted(items: &[Item]) -> Vec<String> {
    let mut lines: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    lines.sort();
    lines
}

/// What the log says alone.
fn built(store: &SqliteStore) -> Vec<Item> {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut tables = StateDb::open(directory.path()).unwrap();
    tables.fold(&store.read(SHARD, Pos(0), usize::MAX).unwrap()).unwrap();
    items(&mut tables)
}

#[test]
fn tables_of_version_1_say_what_the_log_says() {
    let directory = old();
    let store = SqliteStore::open(directory.path()).unwrap();
    let mut tables = StateDb::open(directory.path()).unwrap();
    assert_eq!(tables.folded().0, Pos(23), "they were not built anew");
    let found = items(&mut tables);
    assert_eq!(sorted(&found), sorted(&built(&store)));
    let count = |is: fn(&Item) -> bool| found.iter().filter(|item| is(item)).count();
    assert_eq!(count(|item| matches!(item, Item::Zone { .. })), 2);
    assert_eq!(count(|item| matches!(item, Item::Rrset { .. })), 11);
    assert_eq!(count(|item| matches!(item, Item::Entity(Entity::Host(_)))), 2);
    assert_eq!(count(|item| matches!(item, Item::Entity(Entity::Token(_)))), 3);
    let mut keys = found.into_iter().filter_map(|item| match item {
        Item::Entity(Entity::Key(key)) => Some(key),
        _ => None,
    });
    let md5 = keys.find(|key| key.name == Name::parse("k-md5").unwrap()).unwrap();
    let secret = b"secret of md5".to_vec();
    let shared = Credential::Shared { algorithm: TsigAlgorithm::HmacMd5, secret };
    assert_eq!((md5.credential, md5.policy), (shared, KeyPolicy::everything()));
    assert!(md5.update && md5.transfer && !md5.truncated_ok);
    let report = backup::check(&store).unwrap();
    assert_eq!((report.problems, report.tables), (Vec::<String>::new(), Some(Pos(23))));
}

#[test]
fn tables_of_version_1_are_gone_on_with() {
    let directory = old();
    let store = SqliteStore::open(directory.path()).unwrap();
    let writer = acquire(&store);
    let mut tables = StateDb::open(directory.path()).unwrap();
    let before = items(&mut tables);
    let Item::At { pos, hash, at } = before[0] else { panic!("where it stands comes first") };
    let host = before.iter().find_map(|item| match item {
        Item::Entity(Entity::Host(host)) => Some(host.clone()),
        _ => None,
    });
    let lease = RecordLease {
        owner: Name::parse("cam.dyn.example").unwrap(),
        rtype: Rtype::AAAA,
        rdata: Rdata::aaaa([0x2a01, 0, 0, 0, 0, 0, 0, 7].into()),
        from: at,
        lease_s: 60,
        until: at,
    };
    let zone = Name::parse("dyn.example").unwrap();
    let facts = vec![
        Fact::Seen { hosts: vec![(host.clone().unwrap().name, at)] },
        Fact::Leased { zone: zone.clone(), leases: vec![lease.clone()] },
    ];
    let body = EventBody { at, actor: ActorRef::System, facts, origin_commitment: None };
    let event = Event::seal(hash, Pos(pos.0 + 1), body, None);
    let new = event.hash;
    store.append(&writer, pos, batch(Pos(pos.0 + 1)), &[event]).unwrap();
    tables.fold(&store.read(SHARD, pos, usize::MAX).unwrap()).unwrap();
    let after = items(&mut tables);
    assert!(after.contains(&Item::Lease { zone, lease }));
    assert_eq!(sorted(&after), sorted(&built(&store)));
    let report = backup::check(&store).unwrap();
    assert_eq!((report.problems, report.tables), (Vec::<String>::new(), Some(Pos(24))));
    assert_ne!(new, Hash::default());
    drop(tables);
    assert_eq!(items(&mut StateDb::open(directory.path()).unwrap()), after);
}

#[test]
fn a_log_of_version_1_is_enough() {
    let directory = old();
    let store = SqliteStore::open(directory.path()).unwrap();
    let whole = items(&mut StateDb::open(directory.path()).unwrap());
    StateDb::discard(directory.path()).unwrap();
    let mut tables = StateDb::open(directory.path()).unwrap();
    assert_eq!(tables.folded().0, Pos(0));
    tables.fold(&store.read(SHARD, Pos(0), usize::MAX).unwrap()).unwrap();
    assert_eq!(sorted(&items(&mut tables)), sorted(&whole));
    // And so is a snapshot of it.
    let mut writer = StateWriter::new(Vec::new()).unwrap();
    whole.iter().for_each(|item| writer.push(item).unwrap());
    let snapshot = writer.finish().unwrap();
    let filled = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut tables = StateDb::open(filled.path()).unwrap();
    tables.fill(StateReader::new(snapshot.as_slice()).unwrap()).unwrap();
    assert_eq!(sorted(&items(&mut tables)), sorted(&whole));
    let backed = directory.path().join("backup");
    backup::backup(&store, &backed).unwrap();
    let restored = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    backup::restore(&backed, &restored.path().join("data")).unwrap();
}
