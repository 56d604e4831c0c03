//! A batch that is lost while the next one, which rests on it, is judged already.

use account::AccountId;
use engine::{NewZone, Refused};
use tokio::sync::oneshot::Receiver as Reply;
use tokio::sync::oneshot::error::RecvError;
use wire::{Name, Rdata, Rrset, Rtype, Serial, Soa};
use zone::{Change, Edit, Prerequisite, Refusal, View};

use super::disk::{Began, Disk, Hand, Word};
use super::*;

/// A writer over a disk that does what it is told, in the middle of things.
struct Scene {
    desk: Desk,
    disk: Arc<Disk>,
    hand: Hand,
}

/// What is owed when the word on the first batch comes.
struct Owing {
    /// So large that it fills a batch.
    first: Reply<Outcome>,
    /// Wants the first one to be there.
    follower: Reply<Outcome>,
    /// Wants the first one not to be there.
    rival: Reply<Outcome>,
    /// Has nothing to do with it.
    other: Reply<Outcome>,
}

impl Scene {
    fn open() -> Scene {
        let (disk, hand) = Disk::new();
        let disk = Arc::new(disk);
        let desk = Desk::open(Arc::clone(&disk) as Arc<dyn Store>);
        let scene = Scene { desk, disk, hand };
        let zone = scene.send(Operation::AddZone(new_zone()));
        scene.next(1, Word::Write);
        assert!(is_done(zone));
        scene
    }

    /// Three changes are judged over one that is being written and has no word yet.
    fn set(&self) -> Owing {
        // As long as this one has no word, the writer takes nothing: all others come together.
        let held = self.change(vec![], vec![add("held", &[7])]);
        assert_eq!(self.hand.began(), Began { events: 1, is_beside: false });
        let there = Prerequisite::RrsetExists(name("h0"), TYPE);
        let gone = Prerequisite::RrsetDoesNotExist(name("h0"), TYPE);
        let large = (0..40).map(|host| add(&format!("h{host}"), &[7; 60_000])).collect();
        let owing = Owing {
            first: self.change(vec![], large),
            follower: self.change(vec![there], vec![add("follower", &[7])]),
            rival: self.change(vec![gone], vec![add("rival", &[7])]),
            other: self.change(vec![], vec![add("other", &[7])]),
        };
        self.hand.say(Word::Write);
        assert!(is_done(held));
        // Beside the writer: it has judged the others before it asks what came of this.
        assert_eq!(self.hand.began(), Began { events: 1, is_beside: true });
        assert_eq!(self.there(), [""; 0], "nothing is visible before it is durable");
        owing
    }

    fn send(&self, operation: Operation) -> Reply<Outcome> {
        let request = Request { actor: Actor::Operator, origin: None, operation };
        self.desk.client.submit(request).unwrap()
    }

    fn change(&self, prerequisites: Vec<Prerequisite>, edits: Vec<Edit>) -> Reply<Outcome> {
        let change = Change { prerequisites, ..Change::new(apex(), edits) };
        self.send(Operation::Change { change, lease: None })
    }

    /// Waits for an append of so many events, and says what becomes of it.
    fn next(&self, events: usize, word: Word) {
        assert_eq!(self.hand.began().events, events, "{word:?}");
        self.hand.say(word);
    }

    fn there(&self) -> Vec<&'static str> {
        there(self.desk.client.live())
    }

    /// Lets the writer end; what is in the log is what was visible.
    fn end(self) {
        let visible = self.there();
        self.desk.client.close();
        self.desk.thread.join().unwrap();
        assert!(self.hand.is_idle(), "something more was written");
        let live = Arc::new(engine::Live::new());
        let mut engine = Engine::new(Arc::clone(&live));
        for commit in self.disk.read(ShardId(0), store::Pos(0), usize::MAX).unwrap() {
            engine.replay(&commit.events);
        }
        assert_eq!(there(&live), visible);
    }
}

#[test]
fn what_was_judged_beside_a_lost_batch_is_judged_again() {
    let too_large = Outcome::Refused(Refused::Limit("octets of one change"));
    for (word, told) in [
        (Word::NoRoom, Outcome::Unavailable),
        (Word::Lost(0), Outcome::Unavailable),
        (Word::Lost(3), Outcome::Unavailable),
        (Word::TooLarge, too_large),
    ] {
        let scene = Scene::open();
        let mut owing = scene.set();
        assert!(owing.follower.try_recv().is_err() && owing.other.try_recv().is_err());
        scene.hand.say(word);
        assert_eq!(owing.first.blocking_recv(), Ok(told), "{word:?}");
        // The next batch is what the rival and the other one have become.
        assert_eq!(scene.hand.began().events, 2, "{word:?}");
        for reply in [&mut owing.follower, &mut owing.rival, &mut owing.other] {
            assert!(reply.try_recv().is_err(), "{word:?}");
        }
        let is_disk = !matches!(word, Word::TooLarge);
        assert_eq!(scene.desk.client.is_writable(), !is_disk, "{word:?}");
        scene.hand.say(Word::Write);
        let missing = Outcome::Refused(Refused::Change(Refusal::RrsetMissing));
        assert_eq!(owing.follower.blocking_recv(), Ok(missing), "{word:?}");
        assert!(is_done(owing.rival) && is_done(owing.other), "{word:?}");
        assert_eq!(scene.there(), ["rival", "other"], "{word:?}");
        assert!(scene.desk.client.is_writable());
        scene.end();
    }
}

#[test]
fn what_was_judged_beside_a_batch_that_was_written_after_all_stands() {
    for mute in [0, 3] {
        let scene = Scene::open();
        let owing = scene.set();
        scene.hand.say(Word::Unsaid(mute));
        assert!(is_done(owing.first));
        scene.next(2, Word::Write);
        assert!(is_done(owing.follower) && is_done(owing.other));
        let exists = Outcome::Refused(Refused::Change(Refusal::RrsetExists));
        assert_eq!(owing.rival.blocking_recv(), Ok(exists));
        assert_eq!(scene.there(), ["h0", "h39", "follower", "other"]);
        scene.end();
    }
}

#[test]
fn two_batches_that_are_lost_in_a_row_lose_what_wrote_in_them_only() {
    let scene = Scene::open();
    let owing = scene.set();
    scene.hand.say(Word::NoRoom);
    assert_eq!(owing.first.blocking_recv(), Ok(Outcome::Unavailable));
    scene.next(2, Word::NoRoom);
    // The follower wrote in neither: it rests on nothing now, and is told what holds.
    let missing = Outcome::Refused(Refused::Change(Refusal::RrsetMissing));
    assert_eq!(owing.follower.blocking_recv(), Ok(missing));
    assert_eq!(owing.rival.blocking_recv(), Ok(Outcome::Unavailable));
    assert_eq!(owing.other.blocking_recv(), Ok(Outcome::Unavailable));
    assert!(!scene.desk.client.is_writable());
    let again = scene.change(vec![], vec![add("other", &[7])]);
    scene.next(1, Word::Write);
    assert!(is_done(again) && scene.desk.client.is_writable());
    assert_eq!(scene.there(), ["other"]);
    scene.end();
}

#[test]
fn nobody_is_told_anything_when_the_log_is_lost_beside_a_judged_batch() {
    let scene = Scene::open();
    let owing = scene.set();
    scene.hand.say(Word::Fenced);
    for reply in [owing.first, owing.follower, owing.rival, owing.other] {
        assert!(matches!(reply.blocking_recv(), Err(RecvError { .. })), "it was confirmed");
    }
    assert_eq!(scene.there(), [""; 0]);
    assert!(!scene.desk.client.is_writable());
    scene.end();
}

#[test]
fn changes_that_are_too_large_together_are_written_apart() {
    let scene = Scene::open();
    let held = scene.change(vec![], vec![add("held", &[7])]);
    assert_eq!(scene.hand.began().events, 1);
    let all = ["h0", "h39", "follower", "rival", "other"];
    let replies = all.map(|label| scene.change(vec![], vec![add(label, &[7])]));
    scene.hand.say(Word::Write);
    assert!(is_done(held));
    scene.next(5, Word::TooLarge);
    scene.next(2, Word::TooLarge);
    scene.next(1, Word::TooLarge);
    // What comes next is judged already when one has its word: later there may be more at once again.
    scene.next(1, Word::Write);
    scene.next(1, Word::Write);
    scene.next(2, Word::Write);
    let told = replies.map(|reply| reply.blocking_recv().unwrap());
    assert_eq!(told[0], Outcome::Refused(Refused::Limit("octets of one change")));
    assert!(told[1..].iter().all(|outcome| matches!(outcome, Outcome::Done { .. })), "{told:?}");
    assert_eq!(scene.there(), all[1..]);
    assert!(scene.desk.client.is_writable());
    scene.end();
}

/// Those of the names that own a record.
fn there(live: &engine::Live) -> Vec<&'static str> {
    let zone = live.zones().get(&apex()).expect("the zone");
    let all = ["h0", "h39", "follower", "rival", "other"];
    all.into_iter().filter(|label| zone.rrset(&name(label), TYPE).is_some()).collect()
}

fn is_done(reply: Reply<Outcome>) -> bool {
    matches!(reply.blocking_recv(), Ok(Outcome::Done { .. }))
}

fn add(label: &str, data: &[u8]) -> Edit {
    let rdata = Rdata::new(TYPE, data).unwrap();
    Edit::Add { owner: name(label), rtype: TYPE, ttl_s: 60, rdata }
}

fn new_zone() -> NewZone {
    let soa = Soa {
        mname: name("ns1"),
        rname: name("hostmaster"),
        serial: 1,
        refresh_s: 3600,
        retry_s: 600,
        expire_s: 86_400,
        minimum_s: 60,
    };
    let rrset = |rdata| Rrset { ttl_s: 60, rdata: vec![rdata] };
    NewZone {
        apex: apex(),
        account: AccountId(0),
        suffix: false,
        host_ttl_s: 60,
        rrsets: vec![
            (apex(), Rtype::SOA, rrset(Rdata::soa(&soa))),
            (apex(), Rtype::NS, rrset(Rdata::name(&name("ns1")))),
        ],
        serial: Serial(1),
    }
}

fn apex() -> Name {
    Name::parse("dyn.example").unwrap()
}

fn name(label: &str) -> Name {
    apex().child(label.as_bytes()).unwrap()
}

/// A type whose data may be anything.
const TYPE: Rtype = Rtype(65_400);
