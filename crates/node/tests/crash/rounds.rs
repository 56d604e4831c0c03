//! A node that is killed under load, and an outside ledger of what it acknowledged.
//!
//! The test runs itself once more as the node; what the node acknowledges it writes into a pipe,
//! and only what has come out at the other end counts.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use account::Actor;
use engine::{Operation, Outcome, Request};
use node::admin::{self, ZoneSettings};
use node::{Node, Options};
use store::{Event, Fact, Pos, ShardId, Store};
use store_sqlite::{SqliteStore, backup};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::{Change, Edit, View};

/// Kills a node so many times over one data directory and judges after each.
///
/// `test` is the name of the calling test function, which has to do nothing else.
pub(crate) fn kill(test: &str, rounds: u64) {
    if let Some((data, from)) = told_to_be_the_node() {
        return be_the_node(&data, from);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut ledger = Ledger::default();
    for round in 0..rounds {
        // At once, in the middle of things, and late.
        let kill_at = 1 + (round * 2_654_435_761) % 7_000;
        run(test, &data, kill_at, &mut ledger);
        ledger.judge_log(&data);
        ledger.judge_node(&data);
    }
    assert!(ledger.acknowledged > rounds * 100, "{} changes are no load", ledger.acknowledged);
}

/// Runs a node until so many changes are acknowledged, and kills it.
fn run(test: &str, data: &Path, kill_at: u64, ledger: &mut Ledger) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(DATA, data).env(FROM, (ledger.last + IN_FLIGHT + 1).to_string());
    let mut process = command.stdout(Stdio::piped()).spawn().expect("a node");
    let mut told = BufReader::new(process.stdout.take().expect("its pipe"));
    let mut count = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if told.read_line(&mut line).expect("the pipe") == 0 {
            break;
        }
        // A line that was cut by the kill is no acknowledgement; the harness says things too.
        let Some(acknowledged) = line.strip_suffix('\n').and_then(Acknowledged::read) else {
            continue;
        };
        ledger.enter(acknowledged);
        count += 1;
        if count == kill_at {
            // What is in the pipe by now was acknowledged too: the loop reads on to its end.
            process.kill().expect("a signal");
        }
    }
    let ended = process.wait().expect("its end");
    assert!(count >= kill_at, "the node ended by itself ({ended}) after {count}");
}

/// The node: at every moment [`IN_FLIGHT`] changes wait for their outcome.
fn be_the_node(data: &Path, from: u64) {
    let node = open(data);
    let order = admin::Command::ZoneAdd {
        zone: ZONE.to_owned(),
        ns: Vec::new(),
        settings: ZoneSettings::default(),
    };
    // In later rounds it is there already.
    let _ = admin::execute(&node, &order, &mut io::empty());
    let mut waiting = VecDeque::new();
    let mut out = io::stdout();
    for number in from.. {
        let outcome = node.client().submit(request(number)).expect("room in the queue");
        waiting.push_back((number, outcome));
        if (waiting.len() as u64) < IN_FLIGHT {
            continue;
        }
        let (number, outcome) = waiting.pop_front().expect("one that waits");
        let Ok(Outcome::Done { pos, serial: Some(serial), .. }) = outcome.blocking_recv() else {
            return;
        };
        Acknowledged { number, pos, serial }.write(&mut out).expect("the pipe");
    }
}

/// Everything that came out of the pipe, over all rounds.
#[derive(Default)]
struct Ledger {
    acknowledged: u64,
    /// The highest number that was acknowledged; [`IN_FLIGHT`] above it may have been asked for.
    last: u64,
    newest: Pos,
    serial: Option<Serial>,
    /// The newest acknowledged change of each host.
    hosts: HashMap<u64, u64>,
    /// Changes of this round.
    round: Vec<Acknowledged>,
}

#[derive(Clone, Copy)]
struct Acknowledged {
    number: u64,
    pos: Pos,
    serial: Serial,
}

impl Acknowledged {
    fn write(self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "acknowledged {} {} {}", self.number, self.pos.0, self.serial.0)?;
        out.flush()
    }

    fn read(line: &str) -> Option<Acknowledged> {
        let (_, numbers) = line.split_once("acknowledged ")?;
        let mut numbers = numbers.split(' ');
        let number = numbers.next()?.parse().ok()?;
        let pos = Pos(numbers.next()?.parse().ok()?);
        let serial = Serial(numbers.next()?.parse().ok()?);
        Some(Acknowledged { number, pos, serial })
    }
}

impl Ledger {
    fn enter(&mut self, acknowledged: Acknowledged) {
        self.acknowledged += 1;
        assert!(acknowledged.number > self.last, "outcomes come in order");
        assert!(acknowledged.pos > self.newest, "positions come in order");
        self.last = acknowledged.number;
        self.newest = acknowledged.pos;
        self.serial = Some(acknowledged.serial);
        self.hosts.insert(acknowledged.number % HOSTS, acknowledged.number);
        self.round.push(acknowledged);
    }

    /// Every acknowledged change stands in the log where it was said to, and the chain holds.
    fn judge_log(&mut self, data: &Path) {
        let store = SqliteStore::open(data).expect("a store");
        let report = backup::check(&store).expect("a check");
        assert_eq!(report.problems, Vec::<String>::new());
        assert!(report.log.head >= self.newest, "{:?} was acknowledged", self.newest);
        let round = std::mem::take(&mut self.round);
        let first = round.first().map_or(1, |acknowledged| acknowledged.pos.0);
        let events = read(&store, Pos(first - 1));
        for Acknowledged { number, pos, serial } in round {
            let event = &events[&pos];
            let says = event.body.facts.iter().any(|fact| match fact {
                Fact::Changed { serial: told, deltas, .. } => {
                    let to = deltas.iter().filter_map(|delta| delta.after.as_ref());
                    *told == serial
                        && to.flat_map(|to| &to.rdata).any(|r| r.ipv4() == Some(address(number)))
                }
                _ => false,
            });
            assert!(says, "change {number} is not at {pos:?}");
        }
    }

    /// A node over the directory serves, of every host, the change that was acknowledged last or a
    /// later one that was asked for; under a serial that is not older.
    fn judge_node(&self, data: &Path) {
        let node = open(data);
        let apex = Name::parse(ZONE).expect("a name");
        let zone = node.live().zones().get(&apex).expect("the zone");
        let newest = self.serial.expect("an acknowledgement");
        assert!(
            !newest.is_newer_than(zone.serial()),
            "{newest:?} was told, not {:?}",
            zone.serial()
        );
        for (&host, &number) in &self.hosts {
            let rrset = zone.rrset(&name(host), Rtype::A).expect("an acknowledged address");
            let served = rrset.rdata.first().and_then(Rdata::ipv4).expect("an address");
            let asked = (number..=self.last + IN_FLIGHT).step_by(HOSTS as usize);
            assert!(
                asked.into_iter().any(|number| address(number) == served),
                "host {host} has {served}, older than {}",
                address(number)
            );
        }
    }
}

fn read(store: &SqliteStore, mut after: Pos) -> HashMap<Pos, Event> {
    let mut events = HashMap::new();
    loop {
        let commits = store.read(ShardId(0), after, 1 << 20).expect("commits");
        let Some(last) = commits.last() else { return events };
        after = last.last;
        let read = commits.into_iter().flat_map(|commit| commit.events);
        events.extend(read.map(|event| (event.pos, event)));
    }
}

fn open(data: &Path) -> Node {
    let (data, name) = (data.to_owned(), "test".to_owned());
    Node::open(&Options { data, name, log_ms: None, origins_ms: None }).expect("a node")
}

fn request(number: u64) -> Request {
    let rrset = Rrset { ttl_s: 60, rdata: vec![Rdata::a(address(number))] };
    let edit = Edit::Replace { owner: name(number % HOSTS), rtype: Rtype::A, rrset };
    let zone = Name::parse(ZONE).expect("a name");
    let change = Change::new(zone, vec![edit]);
    let operation = Operation::Change { change, lease: None };
    Request { actor: Actor::Operator, origin: None, operation }
}

/// Every change has an address of its own.
fn address(number: u64) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + number as u32)
}

fn name(host: u64) -> Name {
    Name::parse(&format!("h{host}.{ZONE}")).expect("a name")
}

/// The data directory and the first number, in the process that is the node.
#[expect(clippy::disallowed_methods, reason = "they come from ourselves, one process above")]
fn told_to_be_the_node() -> Option<(PathBuf, u64)> {
    let from = std::env::var(FROM).ok()?.parse().ok()?;
    Some((std::env::var_os(DATA)?.into(), from))
}

const DATA: &str = "BYNAME_CRASH_DATA";
const FROM: &str = "BYNAME_CRASH_FROM";
const ZONE: &str = "dyn.example";
const HOSTS: u64 = 300;
/// Changes that wait for their outcome at every moment.
const IN_FLIGHT: u64 = 1_500;
