//! Messages in wire form, put together by hand.

use crate::model::{Message, Record};

/// A name in wire form, letters as they are.
pub(crate) fn name(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        octets.push(u8::try_from(label.len()).expect("a short label"));
        octets.extend_from_slice(label.as_bytes());
    }
    octets.push(0);
    octets
}

/// Data of a SOA.
pub(crate) fn soa(apex: &str, serial: u32, refresh_s: u32) -> Vec<u8> {
    let numbers = [serial, 3600 + refresh_s, 600, 1_209_600, 60];
    let names = [name(&format!("ns1.{apex}")), name(&format!("hostmaster.{apex}"))].concat();
    [names, numbers.into_iter().flat_map(u32::to_be_bytes).collect()].concat()
}

/// The message without a signature.
pub(crate) fn message(id: u16, message: &Message) -> Vec<u8> {
    let (zone, rtype, class) = &message.zone;
    let counts = [message.prerequisites.len(), message.updates.len()];
    let [prerequisites, updates] = counts.map(|count| u16::try_from(count).expect("a few"));
    let header = [id, 5 << 11, 1, prerequisites, updates, 0];
    let mut octets: Vec<u8> = header.into_iter().flat_map(u16::to_be_bytes).collect();
    octets.extend(name(zone));
    octets.extend([*rtype, *class].into_iter().flat_map(u16::to_be_bytes));
    let records = message.prerequisites.iter().chain(&message.updates);
    records.for_each(|record| octets.extend(self::record(record)));
    octets
}

/// A question.
pub(crate) fn query(id: u16, owner: &str, rtype: u16) -> Vec<u8> {
    let header = [id, 0, 1, 0, 0, 0];
    let mut octets: Vec<u8> = header.into_iter().flat_map(u16::to_be_bytes).collect();
    octets.extend(name(owner));
    octets.extend([rtype, 1].into_iter().flat_map(u16::to_be_bytes));
    octets
}

fn record(record: &Record) -> Vec<u8> {
    let Record { owner, rtype, class, ttl_s, data } = record;
    let length = u16::try_from(data.len()).expect("short data");
    let fixed = [&rtype.to_be_bytes()[..], &class.to_be_bytes(), &ttl_s.to_be_bytes()].concat();
    [&name(owner)[..], &fixed, &length.to_be_bytes(), data].concat()
}
