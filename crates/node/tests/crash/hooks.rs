//! A node that is killed while it calls a webhook: everything is told, and in order.

#[path = "../sample/target.rs"]
mod target;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use account::Actor;
use engine::{Operation, Outcome, Request};
use node::admin::{self, ZoneSettings};
use node::history::{self, Changed, Kind, Of, Order, Query};
use node::webhook::Courier;
use node::{Node, Options};
use serde_json::Value;
use store::Pos;
use target::Target;
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Edit};

/// Kills a node so many times in the middle of deliveries. `test` is the name of the calling test
/// function, which has to do nothing else.
pub(crate) fn kill(test: &str, rounds: usize) {
    if let Some((data, url)) = told_to_be_the_node() {
        return be_the_node(&data, &url);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut target = Target::open();
    let mut told = Vec::new();
    for round in 1..=rounds {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
        command.env(DATA, &data).env(URL, target.url()).stdout(Stdio::null());
        let mut process = command.spawn().expect("a node");
        (0..round * 37).for_each(|_| told.push(told_of(&mut target)));
        process.kill().expect("a signal");
        process.wait().expect("its end");
    }
    // What is left is told by the next one.
    let node = Arc::new(open(&data));
    let courier = Courier::start(&node).expect("a courier");
    let changed = changed(&node);
    let last = *changed.last().expect("changes");
    while !told.contains(&last) {
        told.push(told_of(&mut target));
    }
    courier.stop();
    node.stop();
    let all: HashSet<Pos> = told.iter().copied().collect();
    let missing: Vec<&Pos> = changed.iter().filter(|pos| !all.contains(pos)).collect();
    assert_eq!(missing, Vec::<&Pos>::new(), "everything is told");
    // Again is told only what was under way when the node was killed.
    assert!(told.len() <= changed.len() + rounds, "{} for {}", told.len(), changed.len());
    assert!(told.windows(2).all(|pair| pair[0] <= pair[1]), "in order");
}

/// The position that the next call tells of.
fn told_of(target: &mut Target) -> Pos {
    let body: Value = serde_json::from_str(&target.next().body).expect("JSON");
    Pos(body["pos"].as_u64().expect("a position"))
}

/// Positions of changes of records since there is a webhook.
fn changed(node: &Node) -> Vec<Pos> {
    let mut query = Query { order: Order::OldestFirst, ..Query::new(Of::All) };
    let (mut found, mut begun) = (Vec::new(), false);
    loop {
        let page = history::read(node, &query).expect("a page");
        for entry in page.entries {
            begun |= entry.changes.iter().any(|changed| changed.kind() == Kind::Webhook);
            let records = |changed: &Changed| changed.kind() == Kind::Records;
            if begun && entry.changes.iter().any(records) {
                found.push(entry.pos);
            }
        }
        let Some(next) = page.next else { return found };
        query.from = Some(next);
    }
}

/// The node: changes one after the other, as fast as they are confirmed.
fn be_the_node(data: &Path, url: &str) {
    let node = Arc::new(open(data));
    let zone = admin::Command::ZoneAdd {
        zone: ZONE.to_owned(),
        ns: Vec::new(),
        settings: ZoneSettings::default(),
    };
    // In later rounds both are there already.
    if admin::execute(&node, &zone, &mut io::empty()).is_ok() {
        let webhook = admin::Command::WebhookAdd(admin::WebhookSettings {
            url: url.to_owned(),
            account: None,
            host: None,
            events: vec!["change".to_owned()],
            private_ok: true,
            label: String::new(),
        });
        admin::execute(&node, &webhook, &mut io::empty()).expect("a webhook");
    }
    let _courier = Courier::start(&node).expect("a courier");
    let first = u32::try_from(node.now().0 & 0xff_ffff).expect("24 bits");
    for number in first.. {
        let address = (0x0a00_0000 + (number & 0xff_ffff)).into();
        let rrset = Rrset { ttl_s: 60, rdata: vec![Rdata::a(address)] };
        let owner = Name::parse(&format!("h{}.{ZONE}", number % 7)).expect("a name");
        let edit = Edit::Replace { owner, rtype: Rtype::A, rrset };
        let change = Change::new(Name::parse(ZONE).expect("a name"), vec![edit]);
        let operation = Operation::Change { change, lease: None };
        let request = Request { actor: Actor::Operator, origin: None, operation };
        let outcome = node.client().submit(request).expect("a queue").blocking_recv();
        assert!(!matches!(outcome, Ok(Outcome::Refused(_)) | Err(_)), "{outcome:?}");
    }
}

fn open(data: &Path) -> Node {
    let (data, name) = (data.to_owned(), "test".to_owned());
    Node::open(&Options { data, name, log_ms: None, origins_ms: None }).expect("a node")
}

/// The data directory and the target, in the process that is the node.
#[expect(clippy::disallowed_methods, reason = "they come from ourselves, one process above")]
fn told_to_be_the_node() -> Option<(PathBuf, String)> {
    Some((std::env::var_os(DATA)?.into(), std::env::var(URL).ok()?))
}

const DATA: &str = "BYNAME_HOOKS_DATA";
const URL: &str = "BYNAME_HOOKS_URL";
const ZONE: &str = "dyn.example";
