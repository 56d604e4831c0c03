//! The engine against the reference, with batches in flight, losses and crashes in between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use account::{Actor, AuthError, Timestamp};
use engine::{Operation, Outcome, Reply, Ticket};
use proptest::prelude::*;
use store::{Fact, Item};

use crate::plain::{
    HOSTS, ZONES, condition, first_records, kind, operation, part, pick, policy, records,
    soa_octets, sorted, step, text,
};
use crate::reference::{A, Expect, Records, Reference, SOA, Step, Who, Wish, newer};
use crate::rig::{Rig, name};

/// What happens next; numbers pick from what there is at that moment.
#[derive(Clone, Debug)]
enum Act {
    Submit(u8, [u8; 4], Vec<[u8; 4]>),
    Touch(u8),
    /// Judge; with a clock that has gone back or not.
    Step(bool),
    Durable,
    NotWritten,
    /// Die with so many batches written that nobody heard of; start from tables or the log alone.
    Crash(u8, bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let submit = (any::<u8>(), any::<[u8; 4]>(), prop::collection::vec(any::<[u8; 4]>(), 0..4));
    let act = prop_oneof![
        40 => submit.prop_map(|(kind, numbers, steps)| Act::Submit(kind, numbers, steps)),
        4 => any::<u8>().prop_map(Act::Touch),
        20 => prop::bool::weighted(0.2).prop_map(Act::Step),
        18 => Just(Act::Durable),
        3 => Just(Act::NotWritten),
        2 => (0..3_u8, any::<bool>()).prop_map(|(written, tables)| Act::Crash(written, tables)),
    ];
    prop::collection::vec(act, 1..120)
}

proptest! {
    #[test]
    fn the_engine_does_what_one_request_after_another_would_do(acts in acts()) {
        let mut run = Run::new();
        for act in &acts {
            run.act(act);
        }
        run.finish();
    }
}

/// A submission without a reply.
struct Pending {
    ticket: Ticket,
    wish: Wish,
    secret: u8,
    /// When hosts had been seen when it was made.
    noted: BTreeMap<String, i64>,
}

struct Run {
    rig: Rig,
    reference: Reference,
    pending: VecDeque<Pending>,
    secrets: BTreeMap<u64, u8>,
    last_secret: u8,
    noted: BTreeMap<String, i64>,
    written: BTreeMap<String, i64>,
    /// What was visible under each serial.
    shown: BTreeMap<(String, u32), Records>,
    last_serial: BTreeMap<String, u32>,
    tables: Option<Vec<Item>>,
}

impl Run {
    /// Zone, second account and two hosts are there from the start, so that more can happen.
    fn new() -> Run {
        let mut run = Run {
            rig: Rig::new(),
            reference: Reference::default(),
            pending: VecDeque::new(),
            secrets: BTreeMap::new(),
            last_secret: 0,
            noted: BTreeMap::new(),
            written: BTreeMap::new(),
            shown: BTreeMap::new(),
            last_serial: BTreeMap::new(),
            tables: None,
        };
        assert_eq!(run.rig.done(Operation::AddAccount("carol".to_owned())), 1);
        run.reference.pos = 1;
        run.submit(Wish::AddZone(ZONES[0].to_owned(), first_records(ZONES[0])));
        run.submit(Wish::AddHost(HOSTS[0].to_owned(), 0));
        run.submit(Wish::AddHost(HOSTS[1].to_owned(), 1));
        run.drain();
        run
    }

    fn act(&mut self, act: &Act) {
        self.rig.now = Timestamp(self.rig.now.0 + 10);
        match act {
            Act::Submit(kind, numbers, steps) => {
                if let Some(wish) = self.wish(*kind, *numbers, steps) {
                    self.submit(wish);
                }
            }
            Act::Touch(n) => {
                let host = pick(&HOSTS, *n).to_owned();
                self.rig.live().touch(&name(&host), self.rig.now);
                if self.reference.hosts.contains_key(&host) {
                    self.noted.insert(host, self.rig.now.0);
                }
            }
            Act::Step(back) => self.step(*back),
            Act::Durable if !self.rig.in_flight.is_empty() => self.durable(),
            Act::NotWritten if !self.rig.in_flight.is_empty() => {
                let lost = self.rig.in_flight[0].events.len();
                let replies = self.rig.not_written();
                assert_eq!(replies.len(), lost, "unavailable is what was lost, and nothing else");
                for reply in replies {
                    assert_eq!(reply.outcome, Outcome::Unavailable);
                    self.pending.retain(|pending| pending.ticket != reply.ticket);
                }
                self.check_visible();
            }
            Act::Durable | Act::NotWritten => {}
            Act::Crash(written, tables) => self.crash(*written, *tables),
        }
    }

    fn finish(&mut self) {
        self.drain();
        assert!(self.pending.is_empty(), "every submission has its reply");
        let live = sorted(self.rig.engine.items().collect());
        for tables in [None, self.tables.clone(), Some(live.clone())] {
            let again = self.rig.rebuilt(tables);
            assert_eq!(sorted(again.items().collect()), live, "fold(log) is the state");
            assert_eq!(again.stands_at(), self.rig.engine.stands_at());
        }
    }

    fn drain(&mut self) {
        while self.rig.engine.waiting() > 0 || !self.rig.in_flight.is_empty() {
            self.step(false);
            while !self.rig.in_flight.is_empty() {
                self.durable();
            }
        }
        assert!(self.rig.engine.is_settled());
        self.check_visible();
    }

    fn submit(&mut self, wish: Wish) {
        self.last_secret = self.last_secret.wrapping_add(1);
        let secret = self.last_secret;
        let Some((actor, operation)) = self.request(&wish, secret) else { return };
        let ticket = self.rig.push(actor, operation);
        let noted = self.noted.clone();
        self.pending.push_back(Pending { ticket, wish, secret, noted });
    }

    fn step(&mut self, back: bool) {
        let now = self.rig.now;
        if back {
            self.rig.now = Timestamp(now.0 - 500_000);
        }
        let replies = self.rig.step();
        self.rig.now = now;
        for reply in replies {
            assert!(!matches!(reply.outcome, Outcome::Done { .. }), "nothing was written");
            self.reply(&reply);
        }
    }

    fn durable(&mut self) {
        let batch = self.rig.in_flight[0].clone();
        for reply in self.rig.durable() {
            self.reply(&reply);
        }
        assert_eq!(self.reference.pos, self.rig.head().0, "all of the batch is answered");
        self.note_serials(&batch);
        self.check_visible();
        if self.rig.in_flight.is_empty() && self.rig.head().0.is_multiple_of(3) {
            self.tables = Some(self.rig.engine.items().collect());
        }
    }

    /// Replies come in the order of the submissions, and say what the reference says.
    fn reply(&mut self, reply: &Reply) {
        let pending = self.pending.pop_front().expect("a submission");
        assert_eq!(reply.ticket, pending.ticket, "out of order");
        let is_done = matches!(reply.outcome, Outcome::Done { .. });
        let expect = self.judge(&pending, is_done);
        let said = match &reply.outcome {
            Outcome::Done { pos, .. } => {
                assert_eq!(pos.0, self.reference.pos);
                Expect::Done
            }
            Outcome::Unchanged => Expect::Unchanged,
            Outcome::Refused(why) => Expect::No(kind(why)),
            Outcome::Unavailable => panic!("nothing was lost"),
        };
        assert_eq!(said, expect, "{:?}: {:?}", pending.wish, reply.outcome);
    }

    /// Carries out a wish in the reference. Whether there was something to write down of hosts seen
    /// is taken from the engine.
    fn judge(&mut self, pending: &Pending, is_done: bool) -> Expect {
        let before = self.reference.hosts.clone();
        let expect = match self.reference.judge(&pending.wish) {
            Expect::Any if is_done => {
                self.reference.pos += 1;
                for (host, at) in &pending.noted {
                    let known = self.written.entry(host.clone()).or_default();
                    *known = at.max(known).to_owned();
                }
                Expect::Done
            }
            Expect::Any => Expect::Unchanged,
            expect => expect,
        };
        if expect == Expect::Done {
            self.secrets.insert(self.reference.pos, pending.secret);
            let gone = |host: &String| !self.reference.hosts.contains_key(host);
            for host in before.into_keys().filter(gone) {
                self.noted.remove(&host);
                self.written.remove(&host);
            }
            if let Wish::RemoveZone(zone) = &pending.wish {
                self.last_serial.remove(zone);
                self.shown.retain(|(of, _), _| of != zone);
            }
        }
        expect
    }

    fn crash(&mut self, written: u8, tables: bool) {
        for _ in 0..usize::from(written).min(self.rig.in_flight.len()) {
            let batch = self.rig.append();
            let mut left = batch.events.len();
            while left > 0 {
                let pending = self.pending.pop_front().expect("a submission");
                let next = usize::try_from(self.reference.pos + 1 - batch.expect_head.0 - 1);
                let event = &batch.events[next.expect("an index")];
                let is_seen = matches!(event.body.facts[0], Fact::Seen { .. });
                left -= usize::from(self.judge(&pending, is_seen) == Expect::Done);
            }
            self.note_serials(&batch);
        }
        // Nobody hears of the rest.
        self.pending.clear();
        match self.tables.clone().filter(|_| tables) {
            Some(tables) => self.rig.crash_with_tables(tables),
            None => self.rig.crash(),
        }
        for host in self.reference.hosts.keys() {
            let found = self.rig.live().last_seen(&name(host)).map(|at| at.0);
            assert!(found >= self.written.get(host).copied(), "what was written is lost");
            assert!(found <= self.noted.get(host).copied());
            self.noted.remove(host);
            self.noted.extend(found.map(|at| (host.clone(), at)));
        }
        self.written = self.noted.clone();
        self.check_visible();
    }

    /// One serial per zone and batch, newer than all before, and the one that was asked for.
    fn note_serials(&mut self, batch: &engine::Batch) {
        let mut serials: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for fact in batch.events.iter().flat_map(|event| &event.body.facts) {
            if let Fact::Changed { zone, serial, .. } | Fact::Imported { zone, serial, .. } = fact {
                serials.entry(text(zone)).or_default().insert(serial.0);
            }
        }
        for (zone, serials) in serials {
            let serial = serials.first().copied().expect("a serial");
            assert_eq!(serials.len(), 1, "one serial per zone and batch");
            if let Some(last) = self.last_serial.insert(zone.clone(), serial) {
                assert!(newer(serial, last), "{zone}: {last} → {serial}");
            }
            if let Some(asked) = self.reference.asked_serial.remove(&zone) {
                assert_eq!(serial, asked);
            }
            self.reference.zones.get_mut(&zone).expect("a zone").serial = serial;
        }
        self.reference.asked_serial.clear();
    }

    /// What is visible is what the reference holds: zones, directory, imports, hosts seen.
    fn check_visible(&mut self) {
        let live = self.rig.live();
        assert_eq!(live.zones().all().len(), self.reference.zones.len());
        for (zone, expected) in &self.reference.zones {
            let served = live.zones().get(&name(zone)).expect("a zone");
            let (records, serial) = records(&served.snapshot());
            assert_eq!(records, expected.records, "{zone}");
            assert_eq!((serial, serial), (expected.serial, served.serial().0), "{zone}");
            let shown = self.shown.entry((zone.clone(), serial)).or_insert_with(|| records.clone());
            assert_eq!(*shown, records, "{zone}: two states under serial {serial}");
        }
        let directory = live.directory();
        let hosts = directory.hosts(None, None);
        let hosts: BTreeMap<_, _> =
            hosts.map(|host| (text(&host.name), (text(&host.zone), host.account.0))).collect();
        assert_eq!(hosts, self.reference.hosts);
        let dead = |token| directory.usable(token, Timestamp(0)) == Err(AuthError::Revoked);
        let tokens: BTreeMap<_, _> = directory
            .tokens()
            .into_iter()
            .map(|token| {
                let hosts: BTreeSet<String> = token.hosts.iter().map(text).collect();
                (token.id.0, (token.account.0, hosts, dead(token), token.revoked.is_some()))
            })
            .collect();
        let expected = self.reference.tokens.iter().map(|(&id, token)| {
            (id, (token.account, token.hosts.clone(), token.dead, token.marked))
        });
        assert_eq!(tokens, expected.collect());
        let frozen = directory.accounts().into_iter().filter(|account| account.frozen);
        assert_eq!(
            frozen.map(|account| account.id.0).collect::<BTreeSet<_>>(),
            self.reference.frozen
        );
        let key = directory.keys().first().map(|key| key.zones.iter().map(text).collect());
        assert_eq!(key, self.reference.key.as_ref().map(|(zones, _)| zones.clone()));
        drop(directory);
        let imports = self.rig.engine.unfinished_imports();
        let imports: BTreeSet<u64> = imports.into_iter().map(|import| import.0).collect();
        assert_eq!(imports, self.reference.staged.keys().copied().collect());
        for host in self.reference.hosts.keys() {
            let seen = self.rig.live().last_seen(&name(host)).map(|at| at.0);
            assert_eq!(seen, self.noted.get(host).copied(), "{host}");
        }
    }

    fn wish(&self, kind: u8, n: [u8; 4], steps: &[[u8; 4]]) -> Option<Wish> {
        let zone = pick(&ZONES, n[0]).to_owned();
        let host = pick(&HOSTS, n[1]).to_owned();
        let serial = self.last_serial.get(&zone).copied().unwrap_or(100);
        let tokens: Vec<u64> = self.reference.tokens.keys().copied().collect();
        let imports: Vec<u64> = self.reference.staged.keys().copied().collect();
        let edits = || steps.iter().map(|numbers| step(&zone, serial, *numbers)).collect();
        let conditions = || match n[3] % 3 {
            0 => vec![condition(&zone, [n[1], n[2], n[3], n[0]])],
            _ => Vec::new(),
        };
        Some(match kind % 64 {
            0..24 => Wish::Change(Who::Operator, zone.clone(), conditions(), edits()),
            24..28 => Wish::Change(Who::Key, zone.clone(), conditions(), edits()),
            28..36 => {
                let token = *tokens.get(usize::from(n[2]) % tokens.len().max(1))?;
                let set = (60, BTreeSet::from([vec![9, 9, 9, n[3]]]));
                let mut steps = vec![Step::Replace(host, A, set)];
                if n[3].is_multiple_of(8) {
                    steps.extend(edits());
                }
                Wish::Change(Who::Token(token), zone.clone(), Vec::new(), steps)
            }
            36..40 => {
                let claimed = serial.wrapping_add(u32::from(n[1] % 2));
                let soa = self.visible_soa(&zone);
                Wish::IfSerial(zone.clone(), claimed, soa, edits())
            }
            40 => Wish::AddZone(zone.clone(), first_records(&zone)),
            41 => Wish::RemoveZone(zone),
            42 | 43 => {
                let import = imports.get(usize::from(n[1])).copied();
                Wish::Stage(import, zone.clone(), part(&zone, n[2]))
            }
            44 => Wish::Import(
                *imports.get(usize::from(n[1]) % imports.len().max(1))?,
                zone,
                serial.wrapping_add(u32::from(n[2] % 3)),
            ),
            45 => Wish::DropImport(u64::from(n[1] % 16)),
            46..49 => Wish::AddHost(host, u64::from(n[2] % 2)),
            49 => Wish::Rotate(host),
            50 => Wish::RemoveHost(host),
            51 | 52 => Wish::AddToken(vec![host, pick(&HOSTS, n[2]).to_owned()]),
            53 => Wish::Revoke(*tokens.get(usize::from(n[2]) % tokens.len().max(1))?),
            54 => Wish::Lock(u64::from(n[0] % 2), true),
            55 | 56 => Wish::Lock(u64::from(n[0] % 2), false),
            57 | 58 => Wish::AddKey(zone, policy(n[2])),
            59 => Wish::RemoveKey,
            60 | 61 => Wish::Seen,
            _ => Wish::Jump(1 << (n[0] % 31)),
        })
    }

    /// The wish as a door would put it; `None` when the door turns it away.
    fn request(&self, wish: &Wish, secret: u8) -> Option<(Actor, Operation)> {
        let actor = match wish {
            Wish::Change(who, ..) => self.actor(who)?,
            _ => Actor::Operator,
        };
        Some((actor, operation(wish, secret)))
    }

    fn actor(&self, who: &Who) -> Option<Actor> {
        match who {
            Who::Operator => Some(Actor::Operator),
            Who::Key => Some(Actor::Key(name("ddns-key"))),
            Who::Token(id) => {
                let token = self.reference.tokens.get(id)?;
                let accepted = self.rig.try_token(self.secrets[id]);
                let usable = !token.dead && !self.reference.frozen.contains(&token.account);
                assert_eq!(accepted.is_ok(), usable, "{accepted:?}");
                accepted.ok().map(Actor::Token)
            }
        }
    }

    /// The zone's SOA record as it is visible, without the serial.
    fn visible_soa(&self, zone: &str) -> Vec<u8> {
        let found = self.reference.zones.get(zone);
        let set = found.and_then(|found| found.records.get(&(zone.to_owned(), SOA)));
        set.and_then(|(_, set)| set.first().cloned()).unwrap_or_else(|| soa_octets(60))
    }
}
