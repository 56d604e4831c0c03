//! A node that is killed while it imports a zone, again and again.
//!
//! The test runs itself once more as the node, which says when it begins an import and when that is
//! acknowledged.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use node::admin::{self, ZoneSettings};
use node::{Node, Options};
use store_sqlite::{SqliteStore, backup};
use wire::{Name, Rtype, Serial};

/// Kills a node so many times in the middle of an import and judges after each.
///
/// `test` is the name of the calling test function, which has to do nothing else.
pub(crate) fn kill(test: &str, rounds: u64) {
    if let Some((data, from)) = told_to_be_the_node() {
        return be_the_node(&data, from);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut acknowledged = 0;
    for round in 0..rounds {
        // Early, in the middle and late in an import, by what is in the log.
        let part = 1 + round % 4;
        acknowledged = run(test, &data, acknowledged, part * TEXT_OCTETS / 5);
        judge(&data, acknowledged);
    }
    assert!(acknowledged >= rounds, "{acknowledged} imports");
}

/// Runs a node until one import is acknowledged and the next one has written so many octets, and kills
/// it; the number of the last import that was acknowledged.
fn run(test: &str, data: &Path, mut acknowledged: u64, octets: u64) -> u64 {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(DATA, data).env(FROM, (acknowledged + 1).to_string());
    let mut process = command.stdout(Stdio::piped()).spawn().expect("a node");
    let told = BufReader::new(process.stdout.take().expect("its pipe"));
    let mut imports = 0;
    for line in told.lines() {
        let line = line.expect("the pipe");
        if let Some((_, number)) = line.split_once("imported ") {
            acknowledged = number.parse().expect("a number");
            imports += 1;
        } else if line.contains("begins ") && imports == 1 {
            wait_for(&mut process, data, octets);
            process.kill().expect("a signal");
            imports += 1;
        }
    }
    process.wait().expect("its end");
    assert!(imports >= 2, "the node ended by itself");
    acknowledged
}

/// Waits until the log has grown by so many octets.
fn wait_for(process: &mut Child, data: &Path, octets: u64) {
    let length = || {
        let length = |name| std::fs::metadata(data.join(name)).map_or(0, |file| file.len());
        length("log.db") + length("log.db-wal")
    };
    let (begun, first) = (Instant::now(), length());
    while length() < first + octets && begun.elapsed() < DEADLINE {
        // An import may be over before the log grows, where a checkpoint made room.
        if process.try_wait().expect("its state").is_some() {
            return;
        }
        std::thread::yield_now();
    }
}

/// What is served is one import, whole: the last that was acknowledged, or the one after it.
fn judge(data: &Path, acknowledged: u64) {
    let store = SqliteStore::open(data).expect("a store");
    let report = backup::check(&store).expect("a check");
    assert_eq!(report.problems, Vec::<String>::new());
    drop(store);
    let node = open(data);
    let zone = node.live().zones().get(&Name::parse(ZONE).expect("a name")).expect("the zone");
    let zone = zone.snapshot();
    let mut versions: Vec<String> = zone
        .rrsets()
        .filter(|(_, rtype, _)| *rtype == Rtype::TXT)
        .flat_map(|(_, rtype, rrset)| {
            rrset.rdata.iter().map(|r| r.display(rtype).to_string()).collect::<Vec<_>>()
        })
        .map(|text| text.split('-').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(versions.len() as u64, NAMES, "none is missing");
    versions.dedup();
    let [version] = versions.as_slice() else { panic!("a mix of {versions:?}") };
    let number: u64 = version.trim_start_matches('"').parse().expect("a number");
    assert!(
        (acknowledged..=acknowledged + 1).contains(&number),
        "{number}, and {acknowledged} was told"
    );
    assert!(!Serial(acknowledged as u32).is_newer_than(zone.serial()));
    node.stop();
}

/// The node: one import after the other.
fn be_the_node(data: &Path, from: u64) {
    let node = open(data);
    for number in from.. {
        let mut text = format!(
            "$TTL 60\n@ SOA ns1 h {number} 3600 600 604800 60\n@ NS ns1\nns1 A 192.0.2.1\n"
        );
        for name in 0..NAMES {
            write!(text, "h{name} TXT").expect("memory");
            for string in 0..STRINGS {
                write!(text, " \"{number}-{string:0240}\"").expect("memory");
            }
            text.push('\n');
        }
        say(&format!("begins {number}"));
        let import =
            admin::Command::ZoneImport { zone: ZONE.to_owned(), settings: ZoneSettings::default() };
        admin::execute(&node, &import, &mut text.as_bytes()).expect("an import");
        say(&format!("imported {number}"));
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the pipe");
}

fn open(data: &Path) -> Node {
    let (data, name) = (data.to_owned(), "test".to_owned());
    Node::open(&Options { data, name, log_ms: None, origins_ms: None }).expect("a node")
}

/// The data directory and the first number, in the process that is the node.
#[expect(clippy::disallowed_methods, reason = "they come from ourselves, one process above")]
fn told_to_be_the_node() -> Option<(PathBuf, u64)> {
    let from = std::env::var(FROM).ok()?.parse().ok()?;
    Some((std::env::var_os(DATA)?.into(), from))
}

const DATA: &str = "BYNAME_IMPORT_DATA";
const FROM: &str = "BYNAME_IMPORT_FROM";
const ZONE: &str = "dyn.example";
/// Names of an import, and strings of some 250 octets that each has: together several parts.
const NAMES: u64 = 2_500;
const STRINGS: u64 = 20;
/// About as many octets does an import write.
const TEXT_OCTETS: u64 = NAMES * STRINGS * 250;
/// How long an import may take to write something.
const DEADLINE: Duration = Duration::from_secs(60);
