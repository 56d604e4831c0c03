//! `state.db`: what is folded, and that damage is never taken for data.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

#[path = "sample/chain.rs"]
mod chain;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use account::Entity;
use chain::{Chain, SHARD, acquire, moment, serial, zone};
use proptest::prelude::*;
use rusqlite::Connection;
use store::codec::{StateReader, StateWriter};
use store::{Commit, Fact, ImportId, Item, Part, Pos, Store, StoreError};
use store_sqlite::{OpenError, SqliteStore, StateDb, StateError};
use tempfile::TempDir;
use wire::{Rdata, Rrset, Rtype, Serial};

/// A directory in the other one.
fn within(directory: &TempDir, name: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::create_dir(&path).unwrap();
    path
}

fn fresh() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Commits of a chain, of these sizes.
fn commits(sizes: &[u64]) -> Vec<Commit> {
    let directory = fresh();
    let store = SqliteStore::open(directory.path()).unwrap();
    let writer = acquire(&store);
    let mut chain = Chain::new();
    sizes.iter().for_each(|&size| drop(chain.append(&store, &writer, size)));
    store.read(SHARD, Pos(0), usize::MAX).unwrap()
}

fn items(tables: &mut StateDb) -> Result<Vec<Item>, StateError> {
    let mut items = Vec::new();
    tables.load(|item| {
        items.push(item);
        Ok(())
    })?;
    Ok(items)
}

/// Items in an order of their own.
fn sorted(items: &[Item]) -> Vec<String> {
    let mut lines: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
    lines.sort();
    lines
}

fn folded(directory: &Path, commits: &[Commit]) -> Vec<Item> {
    let mut tables = StateDb::open(directory).unwrap();
    tables.fold(commits).unwrap();
    items(&mut tables).unwrap()
}

#[test]
fn tables_say_what_the_events_said() {
    let commits = commits(&[1, 40, 3, 200, 7]);
    let directory = fresh();
    let items = folded(directory.path(), &commits);
    let last = commits.last().unwrap();
    let at =
        Item::At { pos: last.last, hash: last.events.last().unwrap().hash, at: moment(last.last) };
    assert_eq!(items[0], at, "where it stands comes first");
    // The last word on every host: what the sample says by position alone.
    let mut addresses = BTreeMap::new();
    let mut serial_now = Serial(1);
    for pos in 5..=last.last.0 {
        let host = pos % 40;
        let is_address = !pos.is_multiple_of(7) || pos.is_multiple_of(17);
        if pos.is_multiple_of(11) || pos.is_multiple_of(13) || !is_address {
            continue;
        }
        serial_now = serial(Pos(pos));
        match pos.is_multiple_of(17) {
            true => addresses.remove(&host),
            false => addresses.insert(host, [192, 0, (pos >> 8) as u8, pos as u8]),
        };
    }
    let found = items.iter().filter_map(|item| match item {
        Item::Rrset { owner, rtype: Rtype::A, rrset, .. } => {
            let host = owner.to_string().trim_start_matches('h').split('.').next()?.parse().ok()?;
            Some((host, rrset.rdata[0].ipv4()?.octets()))
        }
        _ => None,
    });
    assert_eq!(found.collect::<BTreeMap<u64, _>>(), addresses);
    assert!(items.contains(&Item::Zone { apex: zone(), serial: serial_now }));
    let texts = items.iter().filter(|item| matches!(item, Item::Rrset { rtype: Rtype::TXT, .. }));
    assert_eq!(texts.count(), 2, "both parts of the import");
    assert!(!items.iter().any(|item| matches!(item, Item::Staged { .. })), "none is left over");
    let seen =
        |item: &&Item| matches!(item, Item::Entity(Entity::Host(h)) if h.last_seen.is_some());
    assert!(items.iter().any(|item| seen(&item)));
}

#[test]
fn a_lease_ends_in_the_tables_with_its_record_or_by_word() {
    let commits = commits(&[1, 40, 3, 200, 7]);
    let directory = fresh();
    let items = folded(directory.path(), &commits);
    // What the facts say, one after the other; an RRset of the sample has one record.
    let mut leases: BTreeMap<_, store::RecordLease> = BTreeMap::new();
    let mut ended = [0, 0];
    let events = commits.iter().flat_map(|commit| &commit.events);
    for fact in events.flat_map(|event| &event.body.facts) {
        match fact {
            Fact::Changed { deltas, .. } => {
                let gone = deltas.iter().filter_map(|delta| leases.remove(&delta.owner));
                ended[0] += gone.count();
            }
            Fact::Leased { leases: new, .. } => {
                for lease in new {
                    let before = leases.remove(&lease.owner);
                    let other = before.filter(|known| known.rdata != lease.rdata);
                    match lease.lease_s {
                        0 => {
                            ended[1] += usize::from(other.is_none());
                            leases.extend(other.map(|known| (known.owner.clone(), known)));
                        }
                        _ => drop(leases.insert(lease.owner.clone(), lease.clone())),
                    }
                }
            }
            _ => {}
        }
    }
    let found = items.into_iter().filter_map(|item| match item {
        Item::Lease { zone: of, lease } if of == zone() => Some((lease.owner.clone(), lease)),
        _ => None,
    });
    assert!(!leases.is_empty() && ended.iter().all(|&count| count > 0), "{ended:?}");
    assert_eq!(found.collect::<BTreeMap<_, _>>(), leases);
}

#[test]
fn leases_go_from_the_tables_with_their_zone_and_with_an_import() {
    for last in [
        vec![Fact::ZoneDropped { zone: zone() }],
        vec![
            Fact::Staged {
                import: ImportId(301),
                zone: zone(),
                part: Part::pack(&zone(), &[(zone(), Rtype::A, rrset())]),
            },
            Fact::Imported { import: ImportId(301), zone: zone(), serial: Serial(900) },
        ],
    ] {
        let mut commits = commits(&[300]);
        let directory = fresh();
        let mut tables = StateDb::open(directory.path()).unwrap();
        tables.fold(&commits).unwrap();
        let leases = |tables: &mut StateDb| {
            let items = items(tables).unwrap();
            items.iter().filter(|item| matches!(item, Item::Lease { .. })).count()
        };
        assert!(leases(&mut tables) > 0);
        let event = &mut commits[0].events[0];
        (event.pos, event.body.facts) = (Pos(301), last);
        commits[0].events.truncate(1);
        tables.fold(&commits).unwrap();
        assert_eq!((tables.folded().0, leases(&mut tables)), (Pos(301), 0));
    }
}

fn rrset() -> Rrset {
    Rrset { ttl_s: 60, rdata: vec![Rdata::a([192, 0, 2, 1].into())] }
}

#[test]
fn folding_in_any_pieces_makes_the_same_tables() {
    let commits = commits(&[1, 2, 1, 30, 5, 5, 90, 1, 1, 60]);
    let directory = fresh();
    let whole = sorted(&folded(&within(&directory, "a"), &commits));
    for split in 0..commits.len() {
        let path = within(&directory, &split.to_string());
        StateDb::open(&path).unwrap().fold(&commits[..split]).unwrap();
        let mut pieces = StateDb::open(&path).unwrap();
        // A commit that is folded already is passed over.
        pieces.fold(&commits[split.saturating_sub(2)..]).unwrap();
        assert_eq!(sorted(&items(&mut pieces).unwrap()), whole, "split at {split}");
    }
}

/// The same without leases: then changes are gathered.
fn without_leases(mut commits: Vec<Commit>) -> Vec<Commit> {
    for event in commits.iter_mut().flat_map(|commit| &mut commit.events) {
        event.body.facts.retain(|fact| !matches!(fact, Fact::Leased { .. }));
    }
    commits
}

#[test]
fn what_is_gathered_is_folded_together_and_comes_to_the_same() {
    let sizes = [1, 40, 3, 200, 7, 1, 1, 1, 60, 2, 2, 2, 2, 90];
    for (commits, kind) in [(commits(&sizes), "leases"), (without_leases(commits(&sizes)), "plain")]
    {
        let directory = fresh();
        let whole = sorted(&folded(&within(&directory, "whole"), &commits));
        for every in [1, 2, 3, 100] {
            let path = within(&directory, &format!("every-{every}"));
            let mut tables = StateDb::open(&path).unwrap();
            let mut ahead = 0;
            for (at, commit) in commits.iter().enumerate() {
                assert!(!tables.gather(std::slice::from_ref(commit)).unwrap(), "it is little");
                assert_eq!(tables.gathered(), commit.last);
                ahead += u32::from(tables.folded().0 < commit.last);
                if at % every == 0 {
                    tables.flush().unwrap();
                    assert_eq!(tables.folded().0, commit.last);
                }
            }
            assert!(kind == "leases" || every == 1 || ahead > 3, "{ahead} times it was ahead");
            // What was not written is not there; the log has it.
            let stood = tables.folded().0;
            drop(tables);
            let mut tables = StateDb::open(&path).unwrap();
            assert_eq!(tables.folded().0, stood);
            let missing = commits.iter().filter(|commit| commit.last > stood);
            for commit in missing.cloned().collect::<Vec<_>>().chunks(4) {
                tables.gather(commit).unwrap();
            }
            tables.flush().unwrap();
            assert_eq!(sorted(&items(&mut tables).unwrap()), whole, "{kind}, every {every}");
        }
    }
}

#[test]
fn a_gap_in_what_is_gathered_is_told() {
    let commits = without_leases(commits(&[1, 40, 3, 200]));
    let directory = fresh();
    let mut tables = StateDb::open(directory.path()).unwrap();
    tables.gather(&commits[..1]).unwrap();
    let gap = tables.gather(&commits[2..]);
    assert!(matches!(gap, Err(StateError::Gap { .. })), "{gap:?}");
    tables.gather(&commits[1..2]).unwrap();
    tables.gather(&commits[2..]).unwrap();
    tables.flush().unwrap();
    assert_eq!(tables.folded().0, commits[3].last);
}

#[test]
fn packed_tables_say_the_same() {
    let commits = commits(&[1, 2, 1, 30, 5, 60, 90, 1, 1, 400]);
    let directory = fresh();
    let whole = sorted(&folded(&within(&directory, "whole"), &commits));
    let (rarely, often) = (within(&directory, "rarely"), within(&directory, "often"));
    let rows = |path: &Path| {
        let database = Connection::open(path.join("state.db")).unwrap();
        let count = "SELECT count(*) FROM rrset";
        database.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let mut packed = 0;
    let mut tables = StateDb::open(&often).unwrap();
    for (at, commit) in commits.iter().enumerate() {
        tables.fold(std::slice::from_ref(commit)).unwrap();
        let before = sorted(&items(&mut tables).unwrap());
        tables.pack((1, 8), &|| false).unwrap();
        let unpacked = rows(&often);
        tables.pack((1, 8), &|| true).unwrap();
        packed += i32::from(rows(&often) < unpacked);
        // A few are not worth it.
        assert!(rows(&often) < 20, "{} after commit {at}", rows(&often));
        assert_eq!(sorted(&items(&mut tables).unwrap()), before, "packed after commit {at}");
        if at % 2 == 0 {
            drop(tables);
            tables = StateDb::open(&often).unwrap();
        }
    }
    assert!(packed > 3, "{packed} times");
    assert_eq!(sorted(&items(&mut tables).unwrap()), whole);
    let mut tables = StateDb::open(&rarely).unwrap();
    tables.fold(&commits).unwrap();
    let unpacked = rows(&rarely);
    tables.pack((10_000, 8), &|| true).unwrap();
    assert_eq!(rows(&rarely), unpacked, "not worth it");
    tables.pack((1, 8), &|| true).unwrap();
    assert_eq!((rows(&rarely), sorted(&items(&mut tables).unwrap())), (0, whole));
}

#[test]
fn a_snapshot_in_between_makes_the_same_tables() {
    let commits = commits(&[1, 2, 40, 5, 90]);
    let directory = fresh();
    for (split, name) in [(1, "a"), (3, "b"), (5, "c")] {
        let mut first = StateDb::open(&within(&directory, name)).unwrap();
        first.fold(&commits[..split]).unwrap();
        let mut writer = StateWriter::new(Vec::new()).unwrap();
        items(&mut first).unwrap().iter().for_each(|item| writer.push(item).unwrap());
        let snapshot = writer.finish().unwrap();
        let mut second = StateDb::open(&within(&directory, &name.repeat(2))).unwrap();
        second.fill(StateReader::new(snapshot.as_slice()).unwrap()).unwrap();
        assert_eq!(second.folded(), first.folded());
        first.fold(&commits).unwrap();
        second.fold(&commits).unwrap();
        let both = [&mut first, &mut second].map(|tables| sorted(&items(tables).unwrap()));
        assert_eq!(both[0], both[1], "snapshot after commit {split}");
    }
}

#[test]
fn a_snapshot_that_breaks_off_fills_nothing() {
    let directory = fresh();
    let mut writer = StateWriter::new(Vec::new()).unwrap();
    folded(&within(&directory, "a"), &commits(&[50]))
        .iter()
        .for_each(|item| writer.push(item).unwrap());
    let mut snapshot = writer.finish().unwrap();
    snapshot.truncate(snapshot.len() - 40);
    let mut tables = StateDb::open(&within(&directory, "b")).unwrap();
    let refused = tables.fill(StateReader::new(snapshot.as_slice()).unwrap()).unwrap_err();
    assert!(refused.is_damage(), "{refused}");
    assert_eq!(tables.folded().0, Pos(0));
    assert_eq!(items(&mut tables).unwrap().len(), 1, "only where it stands");
    // Whoever fills with other trouble gets it told too.
    let gone = Err(StoreError::Unavailable("gone".to_owned()));
    assert!(tables.fill([gone]).is_err());
}

#[test]
fn a_gap_is_refused_and_changes_nothing() {
    let commits = commits(&[2, 3, 4]);
    let directory = fresh();
    let mut tables = StateDb::open(directory.path()).unwrap();
    tables.fold(&commits[..1]).unwrap();
    let before = items(&mut tables).unwrap();
    let refused = tables.fold(&commits[2..]).unwrap_err();
    assert!(matches!(refused, StateError::Gap { at: Pos(2), first: Pos(6) }), "{refused}");
    assert!(refused.is_damage());
    assert_eq!(items(&mut tables).unwrap(), before);
    tables.fold(&commits[1..]).unwrap();
    assert_eq!(tables.folded().0, Pos(9));
}

#[test]
fn tables_in_another_encoding_are_refused() {
    let directory = fresh();
    folded(directory.path(), &commits(&[5]));
    let database = Connection::open(directory.path().join("state.db")).unwrap();
    database.execute_batch("UPDATE meta SET encoding = 99").unwrap();
    drop(database);
    let refused = StateDb::open(directory.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Encoding { found: 99, .. }), "{refused}");
    assert!(refused.is_damage(), "to be thrown away");
    StateDb::discard(directory.path()).unwrap();
    assert_eq!(StateDb::open(directory.path()).unwrap().folded().0, Pos(0));
    StateDb::discard(&directory.path().join("nothing there")).unwrap();
}

/// Reads tables from a file as a start does.
fn read(directory: &Path) -> Result<Vec<Item>, bool> {
    let mut tables = StateDb::open(directory).map_err(|why| why.is_damage())?;
    items(&mut tables).map_err(|why| why.is_damage())
}

/// What becomes of tables when something is done to the octets of their file: damage that is known
/// as such, or nothing at all.
fn harm(what: &str, octets: &[u8], whole: &[Item]) -> Result<(), TestCaseError> {
    let directory = fresh();
    fs::write(directory.path().join("state.db"), octets).unwrap();
    match read(directory.path()) {
        Ok(items) => prop_assert!(sorted(&items) == sorted(whole), "{} went unnoticed", what),
        Err(is_damage) => prop_assert!(is_damage, "{} is not told as damage", what),
    }
    Ok(())
}

fn sample() -> (Vec<u8>, Vec<Item>) {
    let directory = fresh();
    let items = folded(directory.path(), &commits(&[40, 200, 300]));
    (fs::read(directory.path().join("state.db")).unwrap(), items)
}

#[test]
fn no_damage_to_a_file_is_taken_for_data() {
    let (octets, items) = sample();
    let flip = (any::<prop::sample::Index>(), 1..=255u8);
    let noise = (any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 1..600));
    let settings = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(settings, |(flip in flip, noise in noise, cut in any::<prop::sample::Index>())| {
        let mut flipped = octets.clone();
        let at = flip.0.index(octets.len());
        flipped[at] ^= flip.1;
        harm(&format!("a flip at {at}"), &flipped, &items)?;
        let mut noisy = octets.clone();
        let at = noise.0.index(octets.len());
        let end = octets.len().min(at + noise.1.len());
        noisy[at..end].copy_from_slice(&noise.1[..end - at]);
        harm(&format!("noise at {at}"), &noisy, &items)?;
        let at = cut.index(octets.len());
        // An empty file is an empty database: nothing is lost that the log does not have. SQLite
        // takes one octet for none: it writes one itself into files that are new on some systems.
        if at > 1 {
            harm(&format!("the end at {at}"), &octets[..at], &items)?;
        }
    });
}
