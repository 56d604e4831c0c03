//! A node with its HTTP door and the API behind it, in a folder of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use account::secret::Secret;
use account::{AccountId, Role, Terms};
use api::Api;
use engine::{NewToken, Operation, Outcome};
use gateway::{Http, HttpSettings, Random};
use node::admin::{self, Command, HostSettings, KeySettings, ZoneSettings};
use node::{Node, Options};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wire::{Name, Rdata, Rrset, Rtype};
use zone::{Change, Edit};

use crate::caller::Caller;

/// A zone of the operator's own.
pub(crate) const OWN: &str = "own.example";
/// A suffix of the operator's, under which accounts have hosts.
pub(crate) const SUFFIX: &str = "dyn.example";

/// A running service. Dropping it stops it.
pub(crate) struct Service {
    http: Http,
    node: Arc<Node>,
    ready: Arc<AtomicBool>,
    _runtime: Runtime,
    _folder: TempDir,
}

impl Service {
    /// With the zones [`OWN`] and [`SUFFIX`].
    pub(crate) fn start() -> Service {
        Service::start_with(|_| {})
    }

    /// The same with settings of the caller's.
    pub(crate) fn start_with(settings: impl FnOnce(&mut HttpSettings)) -> Service {
        let folder = tempfile::tempdir().expect("a folder");
        let node = Node::open(&Options {
            data: folder.path().join("data"),
            name: "test".to_owned(),
            log_ms: None,
            origins_ms: None,
        });
        let node = Arc::new(node.expect("a node"));
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let runtime = threads.worker_threads(2).enable_all().build().expect("a runtime");
        let api = Api::new();
        api.attach(Arc::clone(&node));
        let mut chosen = HttpSettings {
            addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            other: Some(Arc::new(api.clone())),
            ..HttpSettings::default()
        };
        settings(&mut chosen);
        let ready = Arc::new(AtomicBool::new(true));
        let metrics = Arc::new(|| "byname_test_total 1\n".to_owned());
        let client = node.client().clone();
        let http = Http::start(&chosen, client, Arc::clone(&ready), metrics, runtime.handle());
        let http = http.expect("a door");
        let service = Service { http, node, ready, _runtime: runtime, _folder: folder };
        for (zone, suffix) in [(OWN, false), (SUFFIX, true)] {
            let settings = ZoneSettings { suffix, ..ZoneSettings::default() };
            service.order(Command::ZoneAdd { zone: zone.to_owned(), ns: Vec::new(), settings });
        }
        service
    }

    /// Says whether the zones are loaded.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        *self.http.addresses().first().expect("an address")
    }

    /// A new connection from 127.0.0.1.
    pub(crate) fn call(&self) -> Caller {
        self.call_from("127.0.0.1")
    }

    /// A new connection from another address of the loopback network.
    pub(crate) fn call_from(&self, from: &str) -> Caller {
        let from: IpAddr = from.parse().expect("an address");
        Caller::connect(self.address(), from)
    }

    /// Carries out an order of the operator's.
    pub(crate) fn order(&self, command: Command) -> Value {
        let done = admin::execute(&self.node, &command, &mut std::io::empty());
        done.unwrap_or_else(|why| panic!("{command:?}: {why}")).value
    }

    /// A new account; its number.
    pub(crate) fn account(&self, account: &str) -> u64 {
        let made = self.order(Command::AccountAdd { account: account.to_owned() });
        made["id"].as_u64().expect("a number")
    }

    /// A new host of an account; its token.
    pub(crate) fn host_of(&self, host: &str, account: Option<&str>) -> String {
        let made = self.order(Command::HostAdd {
            host: host.to_owned(),
            account: account.map(str::to_owned),
            settings: HostSettings::default(),
        });
        made["token"].as_str().expect("a token").to_owned()
    }

    /// A token of the operator's.
    pub(crate) fn operator(&self) -> String {
        self.token_of(None, "owner")
    }

    /// A token with a role, of an account or of the operator's.
    pub(crate) fn token_of(&self, account: Option<&str>, role: &str) -> String {
        let account = account.map_or(AccountId(0), |account| self.id_of(account));
        let role = if role == "owner" { Role::Owner } else { Role::Reader };
        let secret = Secret::from_random(Random::new().octets().expect("random octets"));
        let terms = Terms { role: Some(role), ..Terms::default() };
        let token = NewToken { terms, ..NewToken::of(&secret, role_label(role)) };
        self.operate(Operation::AddToken { hosts: Vec::new(), account: Some(account), token });
        secret.reveal().to_owned()
    }

    /// A second token for one host.
    pub(crate) fn token_for(&self, host: &str) -> String {
        let secret = Secret::from_random(Random::new().octets().expect("random octets"));
        let (hosts, token) = (vec![name(host)], NewToken::of(&secret, "device"));
        self.operate(Operation::AddToken { hosts, account: None, token });
        secret.reveal().to_owned()
    }

    /// Number of the first token of a host.
    pub(crate) fn token_id_of(&self, host: &str) -> u64 {
        let directory = self.node.live().directory();
        let ids = directory.tokens_of(&name(host)).map(|token| token.id.0);
        ids.min().expect("a token")
    }

    /// Number of a token.
    pub(crate) fn id_of_token(&self, token: &str) -> u64 {
        let now = self.node.now();
        let directory = self.node.live().directory();
        let from = IpAddr::from([127, 0, 0, 1]);
        directory.authenticate(token.as_bytes(), now, from).expect("a token").token().0
    }

    /// A new zone of an account.
    pub(crate) fn zone_of(&self, zone: &str, account: &str) {
        let settings =
            ZoneSettings { account: Some(account.to_owned()), ..ZoneSettings::default() };
        self.order(Command::ZoneAdd { zone: zone.to_owned(), ns: Vec::new(), settings });
    }

    /// A new key for [`OWN`].
    pub(crate) fn key(&self, key: &str) {
        self.order(Command::KeyAdd {
            key: key.to_owned(),
            algorithm: "hmac-sha256".to_owned(),
            secret: None,
            zones: vec![OWN.to_owned()],
            update: true,
            transfer: false,
            settings: KeySettings::default(),
        });
    }

    /// Puts addresses at the name of the path of an RRset, so that there is something to be found.
    pub(crate) fn fill(&self, path: &str) {
        let parts: Vec<&str> = path.split('/').collect();
        let (zone, owner) = (name(parts[3]), name(parts[5]));
        let rrset = |rdata| Rrset { ttl_s: 60, rdata: vec![rdata] };
        let v4 = rrset(Rdata::a([198, 51, 100, 1].into()));
        let v6 = rrset(Rdata::aaaa("2001:db8::1".parse().expect("an address")));
        let edits = [(Rtype::A, v4), (Rtype::AAAA, v6)].map(|(rtype, rrset)| {
            let owner = owner.clone();
            Edit::Replace { owner, rtype, rrset }
        });
        let change = Change::new(zone, edits.to_vec());
        self.operate(Operation::Change { change, lease: None });
    }

    /// Closes the door.
    pub(crate) fn close(&mut self, grace: Duration) {
        self.http.stop(grace);
    }

    fn id_of(&self, account: &str) -> AccountId {
        let directory = self.node.live().directory();
        directory.account_named(account).map(|account| account.id).expect("an account")
    }

    fn operate(&self, operation: Operation) {
        let outcome = self.node.client().operate(operation.clone()).expect("an outcome");
        let is_good = matches!(outcome, Outcome::Done { .. } | Outcome::Unchanged);
        assert!(is_good, "{operation:?}: {outcome:?}");
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn role_label(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Owner => "owner",
    }
}
