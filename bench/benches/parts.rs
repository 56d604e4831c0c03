//! The parts of answering and changing, each alone.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has no figure")]

use std::hint::black_box;

use bench::hosts::{fill, label, query, scramble};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use server::{Counters, Served, Transport, respond};
use wire::{Name, Query, Rdata, Rrset, Rtype, Serial, TsigAlgorithm, Writer};
use zone::{Change, Delta, Edit, Zone, Zones};

fn apex() -> Name {
    Name::parse("dyn.example").expect("a name")
}

fn rrset(rtype: Rtype, text: &str) -> Rrset {
    Rrset { ttl_s: 60, rdata: vec![Rdata::parse(rtype, text, &apex()).expect("data")] }
}

/// A zone with hosts and some names of other kinds.
fn zone(hosts: u32) -> Zone {
    let zone = fill(&apex(), hosts).expect("a zone");
    let others = [
        ("alias", Rtype::CNAME, "www"),
        ("www", Rtype::A, "192.0.2.1"),
        ("mail", Rtype::MX, "10 www"),
        ("text", Rtype::TXT, "\"v=spf1 -all\""),
        ("*.wild", Rtype::A, "192.0.2.2"),
    ];
    zone.load(others.map(|(name, rtype, text)| {
        let owner = Name::parse(&format!("{name}.dyn.example")).expect("a name");
        (owner, rtype, rrset(rtype, text))
    }));
    zone
}

fn message(name: &str, rtype: Rtype) -> Vec<u8> {
    let mut message = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(Name::parse(name).expect("a name").as_wire());
    message.extend_from_slice(&rtype.0.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message
}

/// Questions for hosts at random, so that caches behave as in life.
fn questions(hosts: u32, exists: bool) -> Vec<Vec<u8>> {
    let question = |number| {
        let mut message = Vec::new();
        let host = (scramble(number) % u64::from(hosts)) as u32;
        query(number as u16, host, exists, &apex(), &mut message);
        message
    };
    (0..100_000).map(question).collect()
}

fn answering(c: &mut Criterion) {
    for hosts in [10_000, 1_000_000] {
        let zones = Zones::new();
        zones.insert(std::sync::Arc::new(zone(hosts)));
        let served = Served::new(std::sync::Arc::new(zones));
        let counters = Counters::new();
        let mut buffer = Vec::new();
        let mut run = |what: &str, questions: &[Vec<u8>]| {
            let mut next = questions.iter().cycle();
            c.bench_function(&format!("respond, {what}, {hosts} hosts"), |b| {
                b.iter(|| {
                    let message = next.next().map_or(&[][..], Vec::as_slice);
                    black_box(respond(&served, Transport::Udp, message, (&mut buffer, &counters)))
                });
            });
        };
        run("hit", &questions(hosts, true));
        run("NXDOMAIN", &questions(hosts, false));
        let others = [
            ("NODATA", "www", Rtype::AAAA),
            ("CNAME", "alias", Rtype::A),
            ("MX", "mail", Rtype::MX),
            ("TXT", "text", Rtype::TXT),
            ("wildcard", "any.wild", Rtype::A),
        ];
        for (what, name, rtype) in others {
            run(what, &[message(&format!("{name}.dyn.example"), rtype)]);
        }
    }
}

fn reading_and_writing(c: &mut Criterion) {
    let messages = questions(10_000, true);
    let mut next = messages.iter().cycle();
    c.bench_function("parse a query", |b| {
        b.iter(|| black_box(Query::parse(next.next().map_or(&[][..], Vec::as_slice))).is_ok());
    });
    let octets = message("www.dyn.example", Rtype::A);
    let query = Query::parse(&octets).expect("a query");
    let (name, address) = (Name::parse("www.dyn.example").expect("a name"), [192, 0, 2, 1]);
    let mut buffer = Vec::new();
    c.bench_function("write an answer", |b| {
        b.iter(|| {
            buffer.clear();
            let mut writer = Writer::reply(&mut buffer, 512, &query, 1232);
            let key = (Rtype::A, 60);
            let _ = writer.push_wire(wire::Section::Answer, name.as_wire(), key, &address);
            black_box(writer.finish())
        });
    });
}

fn address_of(host: u32, address: Option<u32>) -> Delta {
    let mut own = Vec::new();
    label(host, &mut own);
    let owner = apex().child(own.get(1..).unwrap_or_default()).expect("a name");
    let after = address.map(|a| Rrset { ttl_s: 60, rdata: vec![Rdata::a(a.into())] });
    Delta { owner, rtype: Rtype::A, before: None, after }
}

fn changing(c: &mut Criterion) {
    for hosts in [10_000, 1_000_000] {
        let zone = zone(hosts);
        let mut number = 0_u32;
        c.bench_function(&format!("change an address, {hosts} hosts"), |b| {
            b.iter_batched(
                || {
                    number += 1;
                    address_of(
                        (scramble(u64::from(number)) % u64::from(hosts)) as u32,
                        Some(number),
                    )
                },
                |delta| zone.apply(Serial(1), &[delta]),
                BatchSize::SmallInput,
            );
        });
        c.bench_function(&format!("add and remove a name, {hosts} hosts"), |b| {
            let (add, remove) = (address_of(u32::MAX, Some(1)), address_of(u32::MAX, None));
            b.iter(|| {
                zone.apply(Serial(1), std::slice::from_ref(&add));
                zone.apply(Serial(2), std::slice::from_ref(&remove));
            });
        });
        c.bench_function(&format!("snapshot and one change, {hosts} hosts"), |b| {
            let change = address_of(7, Some(1));
            b.iter(|| {
                let snapshot = zone.snapshot();
                zone.apply(Serial(1), std::slice::from_ref(&change));
                black_box(snapshot.serial())
            });
        });
    }
}

fn loading(c: &mut Criterion) {
    let mut group = c.benchmark_group("fill");
    group.sample_size(10);
    group.bench_function("1000000 hosts", |b| {
        b.iter(|| black_box(fill(&apex(), 1_000_000)).is_ok())
    });
    group.finish();
}

fn updating(c: &mut Criterion) {
    let owner = Name::parse("nas.dyn.example").expect("a name");
    let rdata = Rdata::a([192, 0, 2, 1].into());
    let edits = vec![
        Edit::DeleteRrset { owner: owner.clone(), rtype: Rtype::A },
        Edit::Add { owner, rtype: Rtype::A, ttl_s: 60, rdata },
    ];
    let mut message = update::compose(1, &Change::new(apex(), edits), None);
    c.bench_function("read an update", |b| b.iter(|| black_box(update::parse(&message).is_ok())));
    let prepare = || {
        let name = Name::parse("k.dyn.example").expect("a name");
        tsig::Key::new(name, TsigAlgorithm::HmacSha256, &[7; 32], false)
    };
    let keys = tsig::Keys::from_iter([prepare()]);
    let _ = tsig::Client::sign(&std::sync::Arc::new(prepare()), &mut message, NOW_S);
    let find = || tsig::Signed::find(&message).ok().flatten().expect("TSIG");
    c.bench_function("find and verify TSIG", |b| {
        b.iter(|| black_box(find().verify(&keys, NOW_S).is_ok()));
    });
    let verified = find().verify(&keys, NOW_S).expect("our own signature");
    let mut answer = Vec::with_capacity(512);
    c.bench_function("sign an answer", |b| {
        b.iter(|| {
            answer.clear();
            answer.extend_from_slice(&message[..29]);
            verified.sign(&mut answer, 0, NOW_S);
            black_box(answer.len())
        });
    });
}

/// A moment, in seconds since 1970-01-01 00:00 UTC.
const NOW_S: u64 = 1_700_000_000;

criterion_group!(parts, reading_and_writing, answering, changing, loading, updating);
criterion_main!(parts);
