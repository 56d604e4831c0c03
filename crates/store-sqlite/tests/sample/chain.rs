//! Events for tests: a zone that is imported, hosts, and addresses that change, chained and sealed.

#![allow(dead_code, reason = "not every test uses all of it")]
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use account::{AccountId, Entity, Host, Timestamp, TokenId, ZoneEntry};
use store::{
    ActorRef, BatchId, Event, EventBody, Fact, Hash, ImportId, NodeId, Origin, Part, Pos,
    RecordLease, ShardId, Store, Writer,
};
use wire::{Name, Rdata, Rrset, Rtype, Serial};
use zone::Delta;

/// A chain of events that goes on from some event. What an event says depends on its position only.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) head: Pos,
    pub(crate) hash: Hash,
}

impl Chain {
    /// The chain from its start.
    pub(crate) fn new() -> Chain {
        Chain { head: Pos(0), hash: Hash::default() }
    }

    /// The chain that goes on from the head of a store.
    pub(crate) fn of(store: &dyn Store) -> Chain {
        let head = store.head(SHARD).expect("a head");
        if head == Pos(0) {
            return Chain::new();
        }
        let commits = store.read(SHARD, Pos(head.0 - 1), 0).expect("the last commit");
        let last = commits.last().and_then(|commit| commit.events.last()).expect("its last event");
        Chain { head, hash: last.hash }
    }

    /// The next events, made one millisecond after each other.
    pub(crate) fn take(&mut self, count: u64) -> Vec<Event> {
        (0..count).map(|_| self.event()).collect()
    }

    fn event(&mut self) -> Event {
        self.head.0 += 1;
        let pos = self.head;
        let origin = (pos.0.is_multiple_of(3)).then(|| origin(pos));
        let body = EventBody {
            at: moment(pos),
            actor: ActorRef::Token(TokenId(1)),
            facts: facts(pos),
            origin_commitment: origin.as_ref().map(Origin::commitment),
        };
        let event = Event::seal(self.hash, pos, body, origin);
        self.hash = event.hash;
        event
    }

    /// Appends the next events as one commit.
    pub(crate) fn append(&mut self, store: &dyn Store, writer: &Writer, count: u64) -> Vec<Event> {
        let before = self.head;
        let events = self.take(count);
        let done = store.append(writer, before, batch(self.head), &events);
        assert_eq!(done.expect("an append"), self.head);
        events
    }
}

/// The right to write.
pub(crate) fn acquire(store: &dyn Store) -> Writer {
    store.acquire(SHARD, &NodeId("test".to_owned())).expect("the right to write")
}

/// Everything after a position.
pub(crate) fn events(store: &dyn Store, mut after: Pos) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let commits = store.read(SHARD, after, 1 << 20).expect("commits");
        let Some(last) = commits.last() else { return events };
        after = last.last;
        events.extend(commits.into_iter().flat_map(|commit| commit.events));
    }
}

/// The batch id of the commit that ends there.
pub(crate) fn batch(last: Pos) -> BatchId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&last.0.to_be_bytes());
    BatchId(id)
}

/// When the event there was made.
pub(crate) fn moment(pos: Pos) -> Timestamp {
    Timestamp(1_764_000_000_000 + pos.0.cast_signed())
}

/// The source address of the event there, with a salt that can be found in a file.
pub(crate) fn origin(pos: Pos) -> Origin {
    let mut salt = *b"origin--........";
    salt[8..].copy_from_slice(&pos.0.to_be_bytes());
    Origin { salt, address: [198, 51, 100, (pos.0 % 250) as u8].into() }
}

/// The zone of all hosts.
pub(crate) fn zone() -> Name {
    name("dyn.example.")
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn facts(pos: Pos) -> Vec<Fact> {
    let number = pos.0 % HOSTS;
    let owner = name(&format!("h{number}.dyn.example."));
    match pos.0 {
        1 => vec![made(zone_entry()), staged(1), staged(2)],
        2 => vec![Fact::Imported { import: ImportId(1), zone: zone(), serial: Serial(1) }],
        3 => vec![Fact::Staged {
            import: ImportId(3),
            zone: name("x."),
            part: Part::pack(&name("x."), &[]),
        }],
        4 => vec![Fact::ImportDropped { import: ImportId(3) }],
        _ if pos.0.is_multiple_of(11) => vec![made(host(owner, pos))],
        _ if pos.0.is_multiple_of(13) => vec![Fact::Seen { hosts: vec![(owner, moment(pos))] }],
        _ if pos.0.is_multiple_of(17) => {
            let gone = host(owner.clone(), pos);
            let removed = Fact::Entity { before: Some(gone), after: None };
            vec![changed(owner, pos, false), removed]
        }
        _ if pos.0.is_multiple_of(7) => vec![leased(owner, pos, 0)],
        // Some leases begin with the record, and some end with the next address.
        _ if pos.0.is_multiple_of(3) => {
            vec![changed(owner.clone(), pos, true), leased(owner, pos, 3600)]
        }
        _ => vec![changed(owner, pos, true)],
    }
}

fn leased(owner: Name, pos: Pos, lease_s: u32) -> Fact {
    let from = moment(pos);
    let until = Timestamp(from.0 + i64::from(lease_s) * 1000 + 17);
    // One that ends is of the event before, if that had one.
    let pos = if lease_s == 0 { Pos(pos.0.saturating_sub(HOSTS)) } else { pos };
    let lease = RecordLease { owner, rtype: Rtype::A, rdata: address(pos), from, lease_s, until };
    Fact::Leased { zone: zone(), leases: vec![lease] }
}

fn address(pos: Pos) -> Rdata {
    Rdata::a([192, 0, (pos.0 >> 8) as u8, pos.0 as u8].into())
}

fn changed(owner: Name, pos: Pos, is_there: bool) -> Fact {
    let rdata = vec![address(pos)];
    let after = is_there.then_some(Rrset { ttl_s: 60, rdata });
    let delta = Delta { owner, rtype: Rtype::A, before: None, after };
    Fact::Changed { zone: zone(), serial: serial(pos), lease_s: None, deltas: vec![delta] }
}

/// The serial that the zone has from the event there on, when that changes it.
pub(crate) fn serial(pos: Pos) -> Serial {
    Serial(pos.0 as u32)
}

fn staged(part: u8) -> Fact {
    let owner = name(&format!("static{part}.dyn.example."));
    let rdata = vec![Rdata::txt(&[&[part; 200]]).expect("text")];
    let rrset = Rrset { ttl_s: 300, rdata };
    let rrsets = vec![(owner, Rtype::TXT, rrset)];
    Fact::Staged { import: ImportId(1), zone: zone(), part: Part::pack(&zone(), &rrsets) }
}

fn zone_entry() -> Entity {
    let zone = ZoneEntry::new(zone(), AccountId(0), moment(Pos(1)));
    Entity::Zone(ZoneEntry { suffix: true, ..zone })
}

fn host(name: Name, pos: Pos) -> Entity {
    Entity::Host(Host::new(name, zone(), AccountId(0), moment(pos)))
}

fn made(entity: Entity) -> Fact {
    Fact::Entity { before: None, after: Some(entity) }
}

pub(crate) const SHARD: ShardId = ShardId(0);
/// How many hosts there are.
const HOSTS: u64 = 40;
