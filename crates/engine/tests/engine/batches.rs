//! Batches in flight: neighbours, order, loss, limits, and what readers see meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use account::Actor;
use engine::{Operation, Outcome, Refused};
use wire::{Query, Rdata, Rtype, Writer};
use zone::{Edit, Prerequisite, Refusal, Zone};

use crate::rig::{Rig, change, name, new_host, replace, rrset, set};

const ZONE: &str = "one.test";

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.add_zone(ZONE);
    rig
}

fn must_not_exist(host: &str) -> Vec<Prerequisite> {
    vec![Prerequisite::NameNotInUse(name(host))]
}

#[test]
fn one_bad_change_never_affects_its_neighbours() {
    let mut rig = rig();
    let good = [
        rig.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1")),
        rig.push(Actor::Operator, set(ZONE, "b.one.test", "192.0.2.2")),
    ];
    let meta = Edit::DeleteRrset { owner: name("a.one.test"), rtype: Rtype::AXFR };
    let many = vec![replace("a.one.test", "192.0.2.9"); 7000];
    // 6,000 records of 4 KiB, each in an RRset of its own.
    let big = (0..6000_u32).map(|n| Edit::Add {
        owner: name(&format!("n{n}.one.test")),
        rtype: Rtype(65_400),
        ttl_s: 60,
        rdata: Rdata::new(Rtype(65_400), &[7; 4096]).unwrap(),
    });
    let bad = [
        set(ZONE, "a.elsewhere.test", "192.0.2.9"),
        set("elsewhere.test", "a.elsewhere.test", "192.0.2.9"),
        change(ZONE, vec![Prerequisite::NameInUse(name("no.one.test"))], Vec::new()),
        change(ZONE, Vec::new(), vec![replace("a.one.test", "192.0.2.9"), meta]),
        change(ZONE, Vec::new(), many),
        change(ZONE, Vec::new(), big.collect()),
    ]
    .map(|operation| rig.push(Actor::Operator, operation));
    let last = rig.push(Actor::Operator, set(ZONE, "c.one.test", "192.0.2.3"));
    rig.step();
    assert_eq!(rig.in_flight.len(), 1, "one batch holds them all");
    rig.drain();
    for ticket in good.into_iter().chain([last]) {
        assert!(matches!(rig.outcome(ticket), Outcome::Done { .. }));
    }
    for ticket in bad {
        assert!(matches!(rig.outcome(ticket), Outcome::Refused(_)), "{:?}", rig.outcome(ticket));
    }
    let visible = ["a", "b", "c"].map(|host| rig.addresses(ZONE, &format!("{host}.one.test")));
    assert_eq!(visible, [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.3"]]);
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() {
    let mut rig = rig();
    rig.run(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    let (head, serial) = (rig.head(), rig.serial(ZONE));
    let again = rig.run(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    assert_eq!(again, Outcome::Unchanged);
    assert_eq!((rig.head(), rig.serial(ZONE)), (head, serial));
}

#[test]
fn refusals_and_no_change_wait_for_the_batch_that_they_rest_on() {
    let mut rig = rig();
    rig.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    rig.step();
    let unchanged = rig.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    let refused = rig.push(Actor::Operator, change(ZONE, must_not_exist("a.one.test"), Vec::new()));
    assert_eq!(rig.step(), Vec::new(), "they wait");
    let replies = rig.durable();
    assert_eq!(replies.len(), 3);
    assert_eq!(rig.outcome(unchanged), Outcome::Unchanged);
    assert_eq!(rig.outcome(refused), Outcome::Refused(Refused::Change(Refusal::NameExists)));
}

#[test]
fn what_rested_on_a_lost_batch_is_judged_again_in_the_original_order() {
    let mut rig = rig();
    let lost = rig.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    // Rests on the first one, which is lost: then it is a change after all.
    let unchanged = rig.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    rig.step();
    let first = rig.push(
        Actor::Operator,
        change(ZONE, must_not_exist("b.one.test"), vec![replace("b.one.test", "192.0.2.2")]),
    );
    rig.step();
    let second = rig.push(
        Actor::Operator,
        change(ZONE, must_not_exist("b.one.test"), vec![replace("b.one.test", "192.0.2.3")]),
    );
    rig.step();
    assert_eq!(rig.in_flight.len(), 2);
    let replies = rig.not_written();
    assert_eq!(replies.len(), 1);
    assert_eq!(rig.outcome(lost), Outcome::Unavailable);
    assert!(rig.addresses(ZONE, "a.one.test").is_empty(), "nothing of a lost batch is seen");
    rig.drain();
    assert!(matches!(rig.outcome(unchanged), Outcome::Done { .. }));
    assert!(matches!(rig.outcome(first), Outcome::Done { .. }));
    assert_eq!(rig.outcome(second), Outcome::Refused(Refused::Change(Refusal::NameExists)));
    assert_eq!(rig.addresses(ZONE, "b.one.test"), ["192.0.2.2"]);
}

#[test]
fn what_is_too_large_for_the_store_is_divided_and_refused_only_where_it_is_alone() {
    for most in 1..=9 {
        let mut rig = rig();
        let host = |n: u32| format!("h{n}.one.test");
        let tickets: Vec<_> =
            (0..40).map(|n| rig.push(Actor::Operator, set(ZONE, &host(n), "192.0.2.1"))).collect();
        // The store takes no more than so many changes at once, and one of them never.
        while rig.engine.waiting() > 0 || !rig.in_flight.is_empty() {
            rig.step();
            let Some(batch) = rig.in_flight.front() else { continue };
            let events = format!("{:?}", batch.events);
            let is_too_large = batch.events.len() > most || events.contains("h13.one.test");
            let told = if is_too_large { rig.too_large() } else { rig.durable() };
            assert!(is_too_large != told.iter().any(|reply| is_done(&reply.outcome)));
        }
        for (n, ticket) in (0..).zip(tickets) {
            let limit = Outcome::Refused(Refused::Limit("octets of one change"));
            let outcome = rig.outcome(ticket);
            assert!(if n == 13 { outcome == limit } else { is_done(&outcome) }, "{n}: {outcome:?}");
            assert_eq!(rig.addresses(ZONE, &host(n)).is_empty(), n == 13);
        }
        assert!(rig.engine.is_settled());
    }
}

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done { .. })
}

#[test]
fn a_race_through_prerequisites_has_exactly_one_winner() {
    for in_one_batch in [true, false] {
        let mut rig = rig();
        let tickets: Vec<_> = (0..50)
            .map(|n| {
                let edits = vec![replace("x.one.test", &format!("192.0.2.{n}"))];
                let ticket =
                    rig.push(Actor::Operator, change(ZONE, must_not_exist("x.one.test"), edits));
                if !in_one_batch {
                    rig.step();
                }
                ticket
            })
            .collect();
        rig.drain();
        let done = tickets.iter().filter(|&&t| matches!(rig.outcome(t), Outcome::Done { .. }));
        assert_eq!(done.count(), 1);
        assert_eq!(rig.addresses(ZONE, "x.one.test"), ["192.0.2.0"]);
    }
}

#[test]
fn rfc2136_3_2_a_prerequisite_on_the_serial_has_exactly_one_winner() {
    let mut rig = rig();
    let served = rig.live().zones().get(&name(ZONE)).unwrap();
    let soa = zone::View::rrset(&*served, &name(ZONE), Rtype::SOA).unwrap().rdata;
    let claims: Vec<_> = (1..=3)
        .map(|n| {
            let unmoved = Prerequisite::RrsetEquals(name(ZONE), Rtype::SOA, soa.clone());
            let edits = vec![replace("x.one.test", &format!("192.0.2.{n}"))];
            let ticket = rig.push(Actor::Operator, change(ZONE, vec![unmoved], edits));
            rig.step();
            ticket
        })
        .collect();
    rig.drain();
    let done: Vec<bool> =
        claims.iter().map(|&t| matches!(rig.outcome(t), Outcome::Done { .. })).collect();
    assert_eq!(done, [true, false, false]);
}

#[test]
fn nothing_is_judged_beside_an_operation_in_flight() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    let gone = rig.push(Actor::Operator, Operation::RemoveHost(name("h.one.test")));
    rig.step();
    let update = rig.push(token, set(ZONE, "h.one.test", "192.0.2.1"));
    rig.step();
    assert_eq!(rig.in_flight.len(), 1, "the update waits until the host is gone");
    rig.drain();
    assert!(matches!(rig.outcome(gone), Outcome::Done { .. }));
    assert!(matches!(rig.outcome(update), Outcome::Refused(Refused::Denied(_))));
    // The same with a zone: a change to one that is going would be acknowledged and lost.
    let gone = rig.push(Actor::Operator, Operation::RemoveZone(name(ZONE)));
    rig.step();
    let update = rig.push(Actor::Operator, set(ZONE, "h.one.test", "192.0.2.1"));
    rig.step();
    rig.drain();
    assert!(matches!(rig.outcome(gone), Outcome::Done { .. }));
    assert_eq!(rig.outcome(update), Outcome::Refused(Refused::Change(Refusal::NoSuchZone)));
}

#[test]
fn an_operation_waits_until_everything_before_it_is_visible() {
    let mut rig = rig();
    rig.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    rig.step();
    let host = rig.push(Actor::Operator, new_host("h.one.test", 0, 1));
    let after = rig.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.2"));
    rig.step();
    assert_eq!((rig.in_flight.len(), rig.engine.waiting()), (1, 2), "order is kept as well");
    rig.durable();
    rig.step();
    assert_eq!((rig.in_flight[0].events.len(), rig.engine.waiting()), (1, 1));
    rig.drain();
    assert!(matches!(rig.outcome(host), Outcome::Done { .. }));
    assert!(matches!(rig.outcome(after), Outcome::Done { .. }));
}

#[test]
fn a_step_takes_a_bounded_number_and_weight() {
    let mut rig = rig();
    for n in 0..5000_u32 {
        rig.push(Actor::Operator, set(ZONE, "a.one.test", &format!("192.0.2.{}", n % 2)));
    }
    rig.step();
    assert_eq!(rig.in_flight[0].events.len(), 4096);
    // Refusals count as well: a flood of them does not hold up the replies of others.
    let mut refusals = Rig::new();
    for _ in 0..5000 {
        refusals.push(Actor::Operator, set(ZONE, "a.one.test", "192.0.2.1"));
    }
    assert_eq!(refusals.step().len(), 4096);
    // 100 changes of about 60,000 octets each: 2 MiB close a batch.
    let mut heavy = self::rig();
    for n in 0..100_u8 {
        let edit = Edit::Add {
            owner: name(&format!("n{n}.one.test")),
            rtype: Rtype(65_400),
            ttl_s: 60,
            rdata: Rdata::new(Rtype(65_400), &vec![n; 60_000]).unwrap(),
        };
        heavy.push(Actor::Operator, change(ZONE, Vec::new(), vec![edit]));
    }
    heavy.step();
    assert_eq!(heavy.in_flight[0].events.len(), 35);
}

#[test]
fn nothing_is_left_over_once_all_is_settled() {
    let mut rig = rig();
    let tokens: Vec<Actor> = (1..=5).map(|n| rig.add_host(&format!("h{n}.one.test"), n)).collect();
    for round in 0..20_u8 {
        for (n, token) in (1..).zip(&tokens) {
            rig.push(
                token.clone(),
                set(ZONE, &format!("h{n}.one.test"), &format!("9.9.{n}.{round}")),
            );
        }
        rig.step();
        match round % 4 {
            0 => {}
            1 => drop(rig.not_written()),
            _ => drop(rig.durable()),
        }
    }
    rig.drain();
    assert!(rig.engine.is_settled());
    assert_eq!(rig.addresses(ZONE, "h5.one.test"), ["9.9.5.19"]);
}

/// One commit changes two names to the same address; nobody ever sees them differ, under one
/// serial nobody sees two states, and nobody sees time go back.
#[test]
fn a_change_over_several_names_is_visible_as_one() {
    let mut rig = rig();
    let both = |n: u8| {
        let text = format!("9.9.9.{n}");
        let edits = vec![
            replace("a.one.test", &text),
            Edit::Replace { owner: name("alias.one.test"), rtype: Rtype::MX, rrset: rrset(mx(n)) },
        ];
        change(ZONE, Vec::new(), edits)
    };
    rig.run(Actor::Operator, both(0));
    let served = rig.live().zones().get(&name(ZONE)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let start = Arc::new(Barrier::new(3));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (served, stop, start) =
                (Arc::clone(&served), Arc::clone(&stop), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                let mut last = 0;
                let mut answers = 0_u64;
                while !stop.load(Ordering::Relaxed) || answers == 0 {
                    let (preference, address) = ask(&served);
                    assert_eq!(preference, address, "an answer mixes two commits");
                    assert!(address >= last, "an answer goes back");
                    last = address;
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    start.wait();
    for n in 1..=250 {
        rig.run(Actor::Operator, both(n));
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.join().expect("a reader that saw no mix") > 0);
    }
    assert_eq!(ask(&served), (250, 250));
}

fn mx(n: u8) -> Rdata {
    let octets = [&[0, n], name("a.one.test").as_wire()].concat();
    Rdata::new(Rtype::MX, &octets).unwrap()
}

/// Asks for the MX record, whose preference is the number of the commit; the address of its target
/// comes along.
fn ask(zone: &Zone) -> (u8, u8) {
    let mut question = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    question.extend_from_slice(name("alias.one.test").as_wire());
    question.extend_from_slice(&[0, 15, 0, 1]);
    let query = Query::parse(&question).expect("a query");
    let mut buffer = Vec::new();
    let mut writer = Writer::reply(&mut buffer, 512, &query, 1232);
    zone.answer(&query, &mut writer);
    writer.finish();
    let message = wire::Message::parse(&buffer).expect("an answer");
    let answer = message.records(wire::Section::Answer).next().expect("the MX record");
    let preference = answer.rdata().expect("its data").as_wire()[1];
    let target = message.records(wire::Section::Additional).next().expect("its address");
    (preference, target.rdata().expect("its data").as_wire()[3])
}
