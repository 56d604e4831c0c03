use rusqlite::Connection;

use std::os::unix::fs::PermissionsExt;

use super::{OpenError, Sync, lock, open};

const FIRST: &str = "CREATE TABLE host (name TEXT NOT NULL);";
const SECOND: &str = "ALTER TABLE host ADD COLUMN ttl_s INTEGER NOT NULL DEFAULT 60;";

fn rows(connection: &Connection) -> Vec<(String, i64)> {
    let mut select = connection.prepare("SELECT name, ttl_s FROM host").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn an_older_schema_migrates_and_keeps_its_data() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    let old = open(&path, Sync::Full, &[FIRST]).unwrap();
    old.execute_batch("INSERT INTO host VALUES ('a')").unwrap();
    drop(old);
    for _ in 0..2 {
        let new = open(&path, Sync::Full, &[FIRST, SECOND]).unwrap();
        assert_eq!(rows(&new), [("a".to_owned(), 60)]);
        let version: u32 = new.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 2);
    }
    let refused = open(&path, Sync::Full, &[FIRST]).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 2, known: 1, .. }), "{refused}");
}

#[test]
fn a_step_that_fails_leaves_the_schema_of_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.db");
    drop(open(&path, Sync::Full, &[FIRST]).unwrap());
    let half = "ALTER TABLE host ADD COLUMN ttl_s INTEGER; ALTER TABLE nothing ADD COLUMN x;";
    let refused = open(&path, Sync::Full, &[FIRST, half]).unwrap_err();
    assert!(matches!(refused, OpenError::Sqlite { .. }), "{refused}");
    let old = open(&path, Sync::Full, &[FIRST]).unwrap();
    let columns: i64 =
        old.query_row("SELECT count(*) FROM pragma_table_info('host')", [], |r| r.get(0)).unwrap();
    assert_eq!(columns, 1);
    drop(open(&path, Sync::Full, &[FIRST, SECOND]).unwrap());
}

#[test]
fn a_database_that_two_open_at_once_migrates_once() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        drop(open(&path, Sync::Full, &[]).unwrap());
        let ready = std::sync::Barrier::new(2);
        let open_one = || {
            ready.wait();
            open(&path, Sync::Full, &[FIRST, SECOND]).map(drop)
        };
        std::thread::scope(|scope| {
            let both = [scope.spawn(open_one), scope.spawn(open_one)];
            both.into_iter().for_each(|opened| opened.join().unwrap().unwrap());
        });
    }
}

#[test]
fn a_directory_that_everybody_may_write_to_is_refused_and_nothing_in_it_is_touched() {
    let place = tempfile::tempdir().unwrap();
    let (data, target) = (place.path().join("data"), place.path().join("victim"));
    std::fs::write(&target, b"not ours").unwrap();
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::create_dir(&data).unwrap();
    for mode in [0o777, 0o1777, 0o702] {
        std::fs::set_permissions(&data, PermissionsExt::from_mode(mode)).unwrap();
        let link = data.join("log.db");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(crate::SqliteStore::open(&data).is_err(), "{mode:o}");
        let left = std::fs::metadata(&target).unwrap().permissions().mode() & 0o777;
        assert_eq!(left, 0o644, "{mode:o}");
        std::fs::remove_file(&link).unwrap();
    }
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o770)).unwrap();
    assert!(lock(&data).is_ok(), "a group of ours is the operator's choice");
}
