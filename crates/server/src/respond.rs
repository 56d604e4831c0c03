//! From one message to its answer.

use wire::{Class, Ede, Opcode, Query, QueryError, Rcode, Rtype, Writer};
use zone::Zones;

use crate::counters::Counters;

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In one datagram; answers are limited by what the sender announces, and by us.
    Udp,
    /// Over a stream; answers may be as long as a message can be.
    Tcp,
}

/// Composes the answer to a message into `buffer`; its length, or `None` when nothing shall be
/// said.
///
/// Silence is for what cannot be a query: less than a header, or a response (RFC 8906 §4).
/// `ready` is false while zones are being loaded: "not here" would be a lie then, so the answer
/// is SERVFAIL.
pub fn respond(
    zones: &Zones,
    ready: bool,
    transport: Transport,
    message: &[u8],
    (buffer, counters): (&mut Vec<u8>, &Counters),
) -> Option<usize> {
    let (length, rcode) = match Query::parse(message) {
        Ok(query) => answer(zones, ready, transport, &query, (buffer, counters)),
        Err(QueryError::Silence) => {
            counters.silence();
            return None;
        }
        Err(QueryError::Header { id, opcode, rd, rcode }) => {
            (Writer::header_only(buffer, (id, opcode, rd), rcode, None).finish(), rcode)
        }
        Err(QueryError::BadVersion { id, rd }) => {
            let about = (id, Opcode::QUERY, rd);
            let writer = Writer::header_only(buffer, about, Rcode::BADVERS, Some(UDP_OCTETS_MAX));
            (writer.finish(), Rcode::BADVERS)
        }
        Err(QueryError::Update) => (update(message, buffer), Rcode::NOTIMP),
    };
    counters.answered(transport, rcode);
    Some(length)
}

fn answer(
    zones: &Zones,
    ready: bool,
    transport: Transport,
    query: &Query<'_>,
    (buffer, counters): (&mut Vec<u8>, &Counters),
) -> (usize, Rcode) {
    let mut writer = Writer::reply(buffer, limit(transport, query), query, UDP_OCTETS_MAX);
    counters.asked(query.qtype);
    if !ready {
        writer.set_rcode(Rcode::SERVFAIL);
        writer.set_ede(NOT_READY);
    } else if let Some((rcode, why)) = not_answered(query) {
        writer.set_rcode(rcode);
        writer.set_ede(why);
    } else if let Some(zone) = zones.find(&query.qname, query.qtype) {
        zone.answer(query, &mut writer);
    } else {
        writer.set_rcode(Rcode::REFUSED);
        writer.set_ede(NOT_AUTHORITATIVE);
    }
    let rcode = writer.rcode();
    (writer.finish(), rcode)
}

/// Questions that no zone answers.
fn not_answered(query: &Query<'_>) -> Option<(Rcode, Ede)> {
    if query.qclass != Class::IN {
        return Some((Rcode::REFUSED, NOT_AUTHORITATIVE));
    }
    match query.qtype {
        // Transfers come with a later release; RFC 5936 §2.2.1 wants an answer all the same.
        Rtype::AXFR | Rtype::IXFR => Some((Rcode::REFUSED, PROHIBITED)),
        // These are never asked for (RFC 6891 §6.1.1, RFC 8945 §5.1).
        Rtype::OPT | Rtype::TSIG => Some((Rcode::FORMERR, INVALID)),
        Rtype::TKEY | Rtype::MAILA | Rtype::MAILB => Some((Rcode::NOTIMP, NOT_SUPPORTED)),
        _ => None,
    }
}

/// RFC 2136 §3.1: who does not implement UPDATE says NOTIMP.
fn update(message: &[u8], buffer: &mut Vec<u8>) -> usize {
    let id = match message {
        [high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    };
    Writer::header_only(buffer, (id, Opcode::UPDATE, false), Rcode::NOTIMP, None).finish()
}

/// RFC 6891 §6.2.3–6.2.5: what both sides take; 512 without EDNS (RFC 1035 §4.2.1).
fn limit(transport: Transport, query: &Query<'_>) -> usize {
    match (transport, query.edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, Some(edns)) => usize::from(edns.udp_size.min(UDP_OCTETS_MAX)),
        (Transport::Udp, None) => 512,
    }
}

/// Largest answer over UDP: passes nearly everywhere without fragments (DNS flag day 2020).
pub(crate) const UDP_OCTETS_MAX: u16 = 1232;

// RFC 8914 §4.
const NOT_READY: Ede = Ede { code: 14, text: "zones are being loaded" };
const PROHIBITED: Ede = Ede { code: 18, text: "transfers are not offered" };
const NOT_AUTHORITATIVE: Ede = Ede { code: 20, text: "" };
const NOT_SUPPORTED: Ede = Ede { code: 21, text: "" };
const INVALID: Ede = Ede { code: 24, text: "" };
