//! An engine with a store in memory beside it: what the writer thread does, step by step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use account::secret::Secret;
use account::{AccountId, Actor, Credential, KeyPolicy, Timestamp, TokenActor, TsigAlgorithm};
use engine::{
    Batch, Engine, HostPatch, Live, NewKey, NewToken, NewZone, Operation, Outcome, Reply, Request,
    Settled, Submission, Ticket,
};
use store::{BatchId, Item, MemoryStore, NodeId, Pos, ShardId, Store, Writer};
use wire::{Name, Rdata, Rrset, Rtype, Serial, Soa};
use zone::{Change, Edit, Prerequisite, View};

/// One shard: engine, store, what is being written, and the replies that came.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) in_flight: VecDeque<Batch>,
    pub(crate) replies: BTreeMap<u64, Outcome>,
    /// Submissions that were said to ask for what is there, with nothing under way.
    standing: BTreeSet<u64>,
    store: MemoryStore,
    fence: Writer,
    last_ticket: u64,
    last_batch: u64,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        let store = MemoryStore::new();
        let fence = store.acquire(ShardId(0), &NodeId("rig".to_owned())).expect("a new shard");
        Rig {
            engine: Engine::new(Arc::new(Live::new())),
            now: Timestamp(1_000_000),
            in_flight: VecDeque::new(),
            replies: BTreeMap::new(),
            standing: BTreeSet::new(),
            store,
            fence,
            last_ticket: 0,
            last_batch: 0,
        }
    }

    pub(crate) fn live(&self) -> &Arc<Live> {
        self.engine.live()
    }

    pub(crate) fn push(&mut self, actor: Actor, operation: Operation) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        let is_quiet = self.engine.waiting() == 0 && self.engine.is_settled();
        if is_quiet && self.live().stands(&actor, &operation, self.now) {
            self.standing.insert(ticket.0);
        }
        let request = Request { actor, origin: None, operation };
        self.engine.push(Submission { ticket, request });
        ticket
    }

    /// One step; replies may come at once only when nothing is in flight.
    pub(crate) fn step(&mut self) -> Vec<Reply> {
        let step = self.engine.step(self.now);
        if !step.replies.is_empty() {
            assert!(self.in_flight.is_empty() && step.batch.is_none(), "a reply that did not wait");
        }
        self.in_flight.extend(step.batch);
        self.note(step.replies)
    }

    /// The oldest batch in flight becomes durable.
    pub(crate) fn durable(&mut self) -> Vec<Reply> {
        let batch = self.append();
        let replies = self.engine.settle(batch.number, Settled::Durable);
        self.note(replies)
    }

    /// The oldest batch in flight is lost, and all after it are void.
    pub(crate) fn not_written(&mut self) -> Vec<Reply> {
        self.lost(Settled::NotWritten)
    }

    /// The store takes fewer octets than the oldest batch in flight has; all after it are void.
    pub(crate) fn too_large(&mut self) -> Vec<Reply> {
        self.lost(Settled::TooLarge)
    }

    fn lost(&mut self, settled: Settled) -> Vec<Reply> {
        let batch = self.in_flight.pop_front().expect("a batch in flight");
        let replies = self.engine.settle(batch.number, settled);
        for void in self.in_flight.drain(..) {
            let late = self.engine.settle(void.number, Settled::NotWritten);
            assert_eq!(late, Vec::new(), "a void batch has no replies");
        }
        self.note(replies)
    }

    /// Writes the oldest batch in flight without telling the engine: what a crash may leave.
    pub(crate) fn append(&mut self) -> Batch {
        let batch = self.in_flight.pop_front().expect("a batch in flight");
        self.last_batch += 1;
        let id = BatchId(u128::from(self.last_batch).to_be_bytes());
        let head = self.store.append(&self.fence, batch.expect_head, id, &batch.events);
        assert_eq!(head.expect("the batch follows the head"), batch.events.last().unwrap().pos);
        batch
    }

    /// Judges and writes until nothing waits.
    pub(crate) fn drain(&mut self) {
        while self.engine.waiting() > 0 || !self.in_flight.is_empty() {
            self.step();
            if !self.in_flight.is_empty() {
                self.durable();
            }
        }
        assert!(self.engine.is_settled(), "decisions are left over: {:?}", self.engine);
    }

    /// Pushes one request and drains; its outcome.
    pub(crate) fn run(&mut self, actor: Actor, operation: Operation) -> Outcome {
        let ticket = self.push(actor, operation);
        self.drain();
        self.outcome(ticket)
    }

    /// The same for the operator, whose request is done.
    pub(crate) fn done(&mut self, operation: Operation) -> u64 {
        match self.run(Actor::Operator, operation) {
            Outcome::Done { made, .. } => made.unwrap_or(0),
            other => panic!("not done: {other:?}"),
        }
    }

    /// A key `k` that may update a zone, as far as its policy lets it.
    pub(crate) fn add_key(&mut self, zone: &str, policy: KeyPolicy) {
        self.done(Operation::AddKey(NewKey {
            name: name("k"),
            credential: Credential::Shared {
                algorithm: TsigAlgorithm::HmacSha256,
                secret: vec![7; 32],
            },
            zones: vec![name(zone)],
            update: true,
            transfer: false,
            policy,
            truncated_ok: false,
        }));
    }

    pub(crate) fn outcome(&self, ticket: Ticket) -> Outcome {
        self.replies.get(&ticket.0).cloned().expect("a reply")
    }

    /// The process dies: what is not in the log is gone.
    pub(crate) fn crash(&mut self) {
        self.in_flight.clear();
        self.engine = self.rebuilt(None);
    }

    /// The process dies, and the next one starts from the tables that this one had.
    pub(crate) fn crash_with_tables(&mut self, tables: Vec<Item>) {
        self.in_flight.clear();
        self.engine = self.rebuilt(Some(tables));
    }

    /// A fresh engine from tables (when there are any) and the log.
    pub(crate) fn rebuilt(&self, tables: Option<Vec<Item>>) -> Engine {
        let mut engine = Engine::new(Arc::new(Live::new()));
        tables.into_iter().flatten().for_each(|item| engine.load(item));
        let (after, _) = engine.stands_at();
        for commit in self.store.read(ShardId(0), after, usize::MAX).expect("the log") {
            engine.replay(&commit.events);
        }
        engine
    }

    pub(crate) fn head(&self) -> Pos {
        self.store.head(ShardId(0)).expect("the head")
    }

    fn note(&mut self, replies: Vec<Reply>) -> Vec<Reply> {
        for reply in &replies {
            let first = self.replies.insert(reply.ticket.0, reply.outcome.clone()).is_none();
            assert!(first, "two replies to {:?}", reply.ticket);
            if self.standing.contains(&reply.ticket.0) {
                assert_eq!(reply.outcome, Outcome::Unchanged, "it was said to stand");
            }
        }
        replies
    }

    // What scenarios are made of.

    pub(crate) fn add_zone(&mut self, apex: &str) {
        self.done(Operation::AddZone(new_zone(apex, false)));
    }

    pub(crate) fn add_host(&mut self, host: &str, n: u8) -> Actor {
        self.done(new_host(host, 0, n));
        self.token(n)
    }

    /// The actor with the token made from `n`, as a door gets it.
    pub(crate) fn token(&self, n: u8) -> Actor {
        Actor::Token(self.try_token(n).expect("the token is accepted"))
    }

    pub(crate) fn try_token(&self, n: u8) -> Result<TokenActor, account::AuthError> {
        let here = std::net::Ipv4Addr::LOCALHOST.into();
        self.live().directory().authenticate(secret(n).reveal().as_bytes(), self.now, here)
    }

    pub(crate) fn serial(&self, apex: &str) -> Serial {
        self.live().zones().get(&name(apex)).expect("the zone is served").serial()
    }

    /// The addresses that are visible.
    pub(crate) fn addresses(&self, zone: &str, host: &str) -> Vec<String> {
        let zone = self.live().zones().get(&name(zone)).expect("the zone is served");
        let rdata = zone.rrset(&name(host), Rtype::A).map(|rrset| rrset.rdata).unwrap_or_default();
        rdata.iter().map(|rdata| rdata.ipv4().expect("an A record").to_string()).collect()
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

pub(crate) fn secret(n: u8) -> Secret {
    Secret::from_random([n; 16])
}

pub(crate) fn new_token(n: u8) -> NewToken {
    NewToken::of(&secret(n), &format!("token {n}"))
}

pub(crate) fn new_host(host: &str, account: u64, n: u8) -> Operation {
    Operation::AddHost {
        name: name(host),
        account: AccountId(account),
        policy: HostPatch::default(),
        token: new_token(n),
    }
}

pub(crate) fn new_zone(apex: &str, suffix: bool) -> NewZone {
    let apex = name(apex);
    NewZone {
        account: AccountId(0),
        suffix,
        host_ttl_s: 60,
        rrsets: vec![
            (apex.clone(), Rtype::SOA, soa(100, 60)),
            (apex.clone(), Rtype::NS, rrset(Rdata::name(&name("ns.test")))),
        ],
        serial: Serial(100),
        apex,
    }
}

pub(crate) fn soa(serial: u32, minimum_s: u32) -> Rrset {
    rrset(Rdata::soa(&Soa {
        mname: name("ns.test"),
        rname: name("hostmaster.test"),
        serial,
        refresh_s: 3600,
        retry_s: 600,
        expire_s: 86_400,
        minimum_s,
    }))
}

pub(crate) fn rrset(rdata: Rdata) -> Rrset {
    Rrset { ttl_s: 60, rdata: vec![rdata] }
}

pub(crate) fn address(text: &str) -> Rdata {
    match text.parse().expect("an address") {
        IpAddr::V4(address) => Rdata::a(address),
        IpAddr::V6(address) => Rdata::aaaa(address),
    }
}

/// "This host has this address."
pub(crate) fn set(zone: &str, host: &str, text: &str) -> Operation {
    change(zone, Vec::new(), vec![replace(host, text)])
}

pub(crate) fn replace(host: &str, text: &str) -> Edit {
    let rtype = if text.contains(':') { Rtype::AAAA } else { Rtype::A };
    Edit::Replace { owner: name(host), rtype, rrset: rrset(address(text)) }
}

pub(crate) fn change(zone: &str, prerequisites: Vec<Prerequisite>, edits: Vec<Edit>) -> Operation {
    let change = Change { prerequisites, ..Change::new(name(zone), edits) };
    Operation::Change { change, lease: None }
}
