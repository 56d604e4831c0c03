//! A data directory, the nodes that are opened over it one after the other, and orders to them.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use account::Actor;
use engine::{Operation, Outcome, Request};
use node::admin::{self, Answer, Command, HostSettings, ZoneSettings};
use node::{Node, Options};
use serde_json::Value;
use tempfile::TempDir;
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Edit, View};

/// The one zone.
pub(crate) const ZONE: &str = "dyn.example";

/// A data directory that is deleted when dropped.
pub(crate) struct Playground {
    folder: TempDir,
    options: Options,
}

impl Playground {
    /// A data directory with [`ZONE`].
    pub(crate) fn new() -> Playground {
        let playground = Playground::empty();
        playground.with(|node| {
            let (zone, settings) = (ZONE.to_owned(), ZoneSettings::default());
            order(node, &Command::ZoneAdd { zone, ns: Vec::new(), settings });
        });
        playground
    }

    /// An empty data directory.
    pub(crate) fn empty() -> Playground {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        let options = Options { data, name: "test".to_owned(), log_ms: None, origins_ms: None };
        Playground { folder, options }
    }

    /// Opens a node, does something with it, and stops it well.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&Node) -> T) -> T {
        let node = Node::open(&self.options).expect("a node");
        let done = act(&node);
        node.stop();
        done
    }

    /// How nodes are opened.
    pub(crate) fn options(&self) -> Options {
        self.options.clone()
    }

    /// Where the data are.
    pub(crate) fn data(&self) -> &Path {
        &self.options.data
    }

    /// A path beside the data.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Gives an order that has to succeed.
pub(crate) fn order(node: &Node, command: &Command) -> Answer {
    admin::execute(node, command, &mut io::empty()).expect("an order that is carried out")
}

/// What an order shows: its value, or the rows of its list.
pub(crate) fn shown(node: &Node, command: &Command) -> Value {
    let answer = order(node, command);
    let Some(follows) = answer.follows else { return answer.value };
    let mut text = Vec::new();
    follows.write(&mut text).expect("memory");
    rows(&String::from_utf8(text).expect("text"))
}

/// The rows of a list without the one that ends it.
pub(crate) fn rows(text: &str) -> Value {
    let rows = text.strip_suffix(&format!("{}\n", admin::LIST_END_LINE)).expect("an end");
    rows.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect()
}

/// A new host in [`ZONE`]; its token.
pub(crate) fn add_host(node: &Node, label: &str) -> String {
    let (host, settings) = (format!("{label}.{ZONE}"), HostSettings::default());
    let made = order(node, &Command::HostAdd { host, account: None, settings }).value;
    made["token"].as_str().expect("a token").to_owned()
}

/// Publishes an address as the token's owner; whether that changed something for good.
pub(crate) fn publish(node: &Node, label: &str, token: &str, address: &str) -> bool {
    let outcome = node.client().submit(request(node, label, token, address)).expect("a queue");
    matches!(outcome.blocking_recv(), Ok(Outcome::Done { .. }))
}

/// The request that publishes an address.
pub(crate) fn request(node: &Node, label: &str, token: &str, address: &str) -> Request {
    let host = Name::parse(&format!("{label}.{ZONE}")).expect("a name");
    let here = std::net::Ipv4Addr::LOCALHOST.into();
    let actor = node.live().directory().authenticate(token.as_bytes(), node.now(), here);
    let actor = actor.expect("a valid token");
    let address: IpAddr = address.parse().expect("an address");
    let (rtype, rdata) = match address {
        IpAddr::V4(address) => (Rtype::A, Rdata::a(address)),
        IpAddr::V6(address) => (Rtype::AAAA, Rdata::aaaa(address)),
    };
    let rrset = Rrset { ttl_s: 60, rdata: vec![rdata] };
    let zone = Name::parse(ZONE).expect("a name");
    let change = Change::new(zone, vec![Edit::Replace { owner: host, rtype, rrset }]);
    let operation = Operation::Change { change, lease: None };
    let origin = node.client().origin("192.0.2.1".parse().expect("an address"));
    Request { actor: Actor::Token(actor), origin, operation }
}

/// The IPv4 addresses that are served for a host.
pub(crate) fn address_of(node: &Node, label: &str) -> Vec<String> {
    let apex = Name::parse(ZONE).expect("a name");
    let host = Name::parse(&format!("{label}.{ZONE}")).expect("a name");
    let zone = node.live().zones().get(&apex).expect("the zone");
    let rrset = zone.rrset(&host, Rtype::A);
    let rdata = rrset.map(|rrset| rrset.rdata).unwrap_or_default();
    rdata.iter().map(|rdata| rdata.display(Rtype::A).to_string()).collect()
}
