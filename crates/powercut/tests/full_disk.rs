//! A full disk: changes are refused, queries are answered, and it ends when there is room again.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs::{self, File};
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command as Program;
use std::time::{Duration, Instant};

use account::Actor;
use engine::{Operation, Outcome, Request};
use node::admin::{self, Command, ZoneSettings};
use node::{Node, Options};
use powercut::enter;
use store::Durability;
use store_sqlite::{SqliteStore, backup};
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Edit, View};

const ZONE: &str = "dyn.example";

#[test]
fn full_disk_refuses_changes_answers_queries_and_recovers_by_itself() {
    if !enter("full_disk_refuses_changes_answers_queries_and_recovers_by_itself").unwrap() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path();
    let mount = ["-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs"];
    assert!(Program::new("mount").args(mount).arg(disk).status().unwrap().success());
    let data = disk.join("data");
    let options = Options { data, name: "test".to_owned(), log_ms: None, origins_ms: None };
    let node = Node::open(&options).unwrap();
    assert_eq!(node.caps().durability, Durability::Volatile, "memory is no disk, and is told so");
    let (zone, settings) = (ZONE.to_owned(), ZoneSettings::default());
    let order = Command::ZoneAdd { zone, ns: Vec::new(), settings };
    admin::execute(&node, &order, &mut std::io::empty()).expect("a zone");
    let mut served = 1;
    assert!(is_done(&publish(&node, served)));
    for _ in 0..3 {
        fill(&disk.join("filler"));
        let refused = (1..2000).find_map(|_| match publish(&node, served + 1) {
            Outcome::Done { .. } => {
                served += 1;
                None
            }
            other => Some(other),
        });
        assert_eq!(refused, Some(Outcome::Unavailable));
        assert!(!node.client().is_writable());
        // Refused again and again, while what was acknowledged last is served.
        for _ in 0..20 {
            assert_eq!(publish(&node, served + 1), Outcome::Unavailable);
            assert_eq!(address(&node), Some(address_of(served)));
        }
        assert_eq!(publish(&node, served), Outcome::Unchanged, "that needs no room");
        let apex = Name::parse(ZONE).unwrap();
        let snapshot = node.live().zones().get(&apex).unwrap().snapshot();
        assert!(snapshot.rrsets().count() >= 3, "a snapshot can be taken");
        fs::remove_file(disk.join("filler")).unwrap();
        let since = Instant::now();
        while !is_done(&publish(&node, served + 1)) {
            assert!(since.elapsed() < Duration::from_secs(20), "it does not recover");
        }
        served += 1;
        assert!(node.client().is_writable());
        assert_eq!(address(&node), Some(address_of(served)));
    }
    node.stop();
    drop(node);
    let report = backup::check(&SqliteStore::open(&options.data).unwrap()).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.tables, Some(report.log.head), "all was folded once there was room");
    let node = Node::open(&options).unwrap();
    assert_eq!(address(&node), Some(address_of(served)));
}

/// Writes until there is no octet left.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("a file");
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![0xff; size]).is_ok() {}
    }
}

fn publish(node: &Node, number: u32) -> Outcome {
    let rrset = Rrset { ttl_s: 60, rdata: vec![Rdata::a(address_of(number))] };
    let edit = Edit::Replace { owner: host(), rtype: Rtype::A, rrset };
    let zone = Name::parse(ZONE).expect("a name");
    let change = Change::new(zone, vec![edit]);
    let operation = Operation::Change { change, lease: None };
    let request = Request { actor: Actor::Operator, origin: None, operation };
    node.client().submit(request).expect("room in the queue").blocking_recv().expect("an outcome")
}

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done { .. })
}

fn address(node: &Node) -> Option<Ipv4Addr> {
    let zone = node.live().zones().get(&Name::parse(ZONE).expect("a name"))?;
    zone.rrset(&host(), Rtype::A)?.rdata.first()?.ipv4()
}

fn address_of(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + number)
}

fn host() -> Name {
    Name::parse(&format!("nas.{ZONE}")).expect("a name")
}
