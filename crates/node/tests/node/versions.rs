//! A data directory that an older release has left is served as it was.

use std::path::Path;

use node::admin::Command;
use rusqlite::Connection;
use serde_json::json;

use crate::playground::{Playground, order, shown};

/// The dump of the databases of the first release.
const LOG_1: &str = include_str!("../../../store-sqlite/tests/golden/log-1.sql");
const STATE_1: &str = include_str!("../../../store-sqlite/tests/golden/state-1.sql");

#[test]
fn a_directory_of_version_1_is_served_as_it_was() {
    for with_tables in [true, false] {
        let playground = Playground::empty();
        std::fs::create_dir(playground.data()).expect("a folder");
        make(&playground.data().join("log.db"), LOG_1, 1);
        if with_tables {
            make(&playground.data().join("state.db"), STATE_1, 2);
        }
        for _ in 0..2 {
            playground.with(|node| {
                let host = Command::HostShow { host: "nas.dyn.example".to_owned() };
                let host = shown(node, &host);
                assert_eq!((&host["a"], &host["ttl_s"]), (&json!(["9.9.9.2"]), &json!(30)));
                assert_eq!(host["tokens"].as_array().map(Vec::len), Some(2));
                let zones = shown(node, &Command::ZoneList);
                assert_eq!((&zones[0]["rrsets"], &zones[1]["rrsets"]), (&json!(5), &json!(6)));
                assert_eq!(zones[0]["serial"], 1_795_603_587);
                let keys = shown(node, &Command::KeyList);
                assert_eq!(keys.as_array().map(Vec::len), Some(7));
                for key in keys.as_array().into_iter().flatten() {
                    assert_eq!((&key["names"], &key["types"]), (&json!([]), &json!([])));
                    assert_eq!(key["actions"], json!(["add", "delete"]), "everything, as before");
                }
                assert_eq!(shown(node, &Command::AccountList)[1]["frozen"], true);
                order(node, &Command::Check { head: None });
            });
        }
    }
}

fn make(path: &Path, dump: &str, version: u32) {
    let database = Connection::open(path).expect("a database");
    database.execute_batch(dump).expect("its tables");
    database.pragma_update(None, "user_version", version).expect("its version");
}
