//! Zones, questions and answers as text, for scenarios.

#![expect(clippy::expect_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::collections::BTreeMap;

use wire::zonefile::{Records, write_record};
use wire::{Class, Message, Name, Query, Record, Rrset, Rtype, Section, Serial, Writer};
use zone::Zone;

/// A zone of this content, a record on each line.
pub(crate) fn zone(apex: &str, text: &str) -> Zone {
    let apex = name(apex);
    let text: Vec<&str> = text.lines().map(str::trim_start).collect();
    let text = text.join("\n");
    let mut rrsets: BTreeMap<(Name, Rtype), Rrset> = BTreeMap::new();
    for record in Records::parse(text.as_bytes(), &apex) {
        let Record { owner, rtype, ttl_s, rdata, .. } = record.expect("a zone file");
        let empty = Rrset { ttl_s, rdata: Vec::new() };
        rrsets.entry((owner, rtype)).or_insert(empty).rdata.push(rdata);
    }
    let zone = Zone::new(&apex, Serial(1));
    zone.load(rrsets.into_iter().map(|((owner, rtype), rrset)| (owner, rtype, rrset)));
    zone
}

/// What is said to `qname qtype`: first the code and the flags AA and TC, then each record with its
/// section in front.
pub(crate) fn ask(zone: &Zone, question: &str, limit: usize) -> Vec<String> {
    let (qname, qtype) = question.split_once(' ').expect("a name and a type");
    let qtype: Rtype = qtype.parse().expect("a type");
    let mut message = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(name(qname).as_wire());
    message.extend_from_slice(&qtype.0.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    let query = Query::parse(&message).expect("a query");
    let mut buffer = Vec::new();
    let mut writer = Writer::reply(&mut buffer, limit, &query, 1232);
    zone.answer(&query, &mut writer);
    writer.finish();
    said(&Message::parse(&buffer).expect("a message"))
}

fn said(message: &Message<'_>) -> Vec<String> {
    let header = message.header();
    let flag = |on: bool, text| if on { text } else { "" };
    let status = format!("{}{}{}", header.rcode, flag(header.aa, " aa"), flag(header.tc, " tc"));
    let mut lines = vec![status];
    for (section, mark) in
        [(Section::Answer, "an"), (Section::Authority, "ns"), (Section::Additional, "ad")]
    {
        for record in message.records(section) {
            let rdata = record.rdata().expect("data of its type");
            let (owner, rtype, ttl_s) = (record.owner, record.rtype, record.ttl);
            let record = Record { owner, rtype, class: Class::IN, ttl_s, rdata };
            let mut line = String::new();
            write_record(&mut line, &record).expect("a string takes everything");
            lines.push(format!("{mark} {}", line.trim_end().replace(" IN ", " ")));
        }
    }
    lines
}

/// The whole answer to a question, records in any order.
pub(crate) fn check(zone: &Zone, question: &str, expected: &[&str]) {
    let mut said = ask(zone, question, 65_535);
    let mut expected: Vec<String> = expected.iter().map(|&line| line.to_owned()).collect();
    for lines in [&mut said, &mut expected] {
        if let Some(records) = lines.get_mut(1..) {
            records.sort();
        }
    }
    if said != expected {
        panic!("{question}\nsaid: {said:#?}\nexpected: {expected:#?}");
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}
