//! From one message to its answer.

use tsig::{Keys, Rejected, Signed, Verified};
use wire::{Class, Ede, Envelope, Opcode, Query, QueryError, Rcode, Rtype, Writer};
use zone::{Serving, Zone};

use crate::counters::{Counters, Tally};
use crate::served::{Served, now_s};

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In one datagram; answers are limited by what the sender announces, and by us.
    Udp,
    /// Over a stream; answers may be as long as a message can be.
    Tcp,
}

/// What an answer depends on beside the zones.
#[derive(Clone, Copy, Debug)]
pub struct Context<'k> {
    /// False while zones are being loaded: "not here" would be a lie then, so the answer is SERVFAIL.
    pub ready: bool,
    /// How the message came.
    pub transport: Transport,
    /// The keys that it may be signed with.
    pub keys: &'k Keys,
    /// The clock, in seconds since 1970-01-01 00:00 UTC; read for signed messages only.
    pub now_s: fn() -> u64,
}

impl<'k> Context<'k> {
    /// What answers depend on now.
    pub fn new(served: &Served, keys: &'k Keys, transport: Transport) -> Context<'k> {
        Context { ready: served.is_ready(), transport, keys, now_s }
    }
}

/// A message that was read, and the zone that its question is for.
///
/// Messages that came together are read one after the other, then [`read_ahead`] fetches what their
/// answers need, then they are answered: nothing waits for memory alone.
#[derive(Debug)]
pub struct Asked<'m, 's> {
    message: &'m [u8],
    query: Result<Query<'m>, QueryError>,
    zone: Option<&'s Zone>,
}

impl<'m, 's> Asked<'m, 's> {
    /// Reads a message.
    pub fn read(serving: &'s Serving, message: &'m [u8]) -> Asked<'m, 's> {
        let query = Query::parse(message);
        let find = |query: &Query<'_>| serving.find(&query.qname, query.qtype);
        let zone = query.as_ref().ok().and_then(find).map(|zone| &**zone);
        Asked { message, query, zone }
    }

    /// In place of a message that did not come: nothing is said to it.
    pub fn nothing() -> Asked<'m, 's> {
        Asked { message: &[], query: Err(QueryError::Silence), zone: None }
    }

    /// The message as it came.
    pub(crate) fn message(&self) -> &'m [u8] {
        self.message
    }

    /// Whether it is an UPDATE: for an [`crate::Intake`], where there is one.
    pub fn is_update(&self) -> bool {
        matches!(self.query, Err(QueryError::Update(_)))
    }

    /// Composes the answer into `buffer`, behind what it holds; its length, or `None` when nothing
    /// shall be said.
    ///
    /// Silence is for what cannot be a query: less than a header, or a response. All else is answered
    /// (RFC 8906 §3).
    pub fn answer(
        &self,
        context: &Context<'_>,
        (buffer, tally): (&mut Vec<u8>, &mut Tally),
    ) -> Option<usize> {
        let (length, rcode) = match &self.query {
            // Keys are loaded with the zones.
            Ok(query) if query.signed && context.ready => {
                self.answer_signed(context, query, (buffer, tally))
            }
            Ok(query) => {
                let limit = limit(context.transport, query);
                self.answer_query(context.ready, query, limit, (buffer, tally))
            }
            Err(QueryError::Silence) => {
                tally.silence();
                return None;
            }
            Err(QueryError::Header(about, rcode)) => {
                (Writer::header_only(buffer, about, *rcode, UDP_OCTETS_MAX).finish(), *rcode)
            }
            // RFC 2136 §3.1.1: who does not implement UPDATE says NOTIMP.
            Err(QueryError::Update(about)) => {
                let rcode = Rcode::NOTIMP;
                (Writer::header_only(buffer, about, rcode, UDP_OCTETS_MAX).finish(), rcode)
            }
        };
        tally.answered(context.transport, rcode);
        Some(length)
    }

    /// The answer to a query that is signed, signed as well (RFC 8945 §5.3).
    fn answer_signed(
        &self,
        context: &Context<'_>,
        query: &Query<'_>,
        (buffer, tally): (&mut Vec<u8>, &mut Tally),
    ) -> (usize, Rcode) {
        let start = buffer.len();
        let limit = limit(context.transport, query);
        if let Some((rcode, _)) = malformed(query) {
            return refuse(buffer, query, rcode, limit);
        }
        let now_s = (context.now_s)();
        let verified = match check(self.message, context.keys, now_s) {
            Ok(verified) => verified,
            Err(Rejected::Malformed) => return refuse(buffer, query, Rcode::FORMERR, limit),
            Err(Rejected::Fault(fault)) => {
                let rcode = tsig::Problem::RCODE;
                let (length, _) = refuse(buffer, query, rcode, limit);
                let room = fault.room();
                // What is wrong is worth more than the question, which the client knows.
                if length + room > limit {
                    buffer.truncate(start);
                    if header(buffer, query, rcode).finish() + room > limit {
                        buffer.truncate(start);
                        return refuse(buffer, query, rcode, limit);
                    }
                }
                fault.append(buffer, start, now_s);
                return (buffer.len() - start, rcode);
            }
        };
        let left = limit.saturating_sub(verified.room());
        let (length, mut rcode) = self.answer_query(context.ready, query, left, (buffer, tally));
        if length > left || is_truncated(buffer, start) {
            buffer.truncate(start);
            rcode = truncate(buffer, query, left);
        }
        verified.sign(buffer, start, now_s);
        (buffer.len() - start, rcode)
    }

    fn answer_query(
        &self,
        ready: bool,
        query: &Query<'_>,
        limit: usize,
        (buffer, tally): (&mut Vec<u8>, &mut Tally),
    ) -> (usize, Rcode) {
        let mut writer = Writer::reply(buffer, limit, query, UDP_OCTETS_MAX);
        writer.set_limit(limit);
        tally.asked(query.qtype);
        if let Some((rcode, why)) = malformed(query) {
            writer.set_rcode(rcode);
            if let Some(why) = why {
                writer.set_ede(why);
            }
        } else if !ready {
            writer.set_rcode(Rcode::SERVFAIL);
            writer.set_ede(NOT_READY);
        } else if let Some((rcode, why)) = not_answered(query) {
            writer.set_rcode(rcode);
            writer.set_ede(why);
        } else if let Some(zone) = self.zone {
            zone.answer(query, &mut writer);
        } else {
            writer.set_rcode(Rcode::REFUSED);
            writer.set_ede(NOT_AUTHORITATIVE);
        }
        let rcode = writer.rcode();
        (writer.finish(), rcode)
    }
}

/// Fetches what the answers to some messages will read.
pub fn read_ahead(asked: &[Asked<'_, '_>]) {
    let same_zone = |a: &Asked<'_, '_>, b: &Asked<'_, '_>| match (a.zone, b.zone) {
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        (None, None) => true,
        _ => false,
    };
    for together in asked.chunk_by(same_zone) {
        if let Some(zone) = together.first().and_then(|asked| asked.zone)
            && together.len() > 1
        {
            let queries = together.iter().filter_map(|asked| asked.query.as_ref().ok());
            zone.touch(queries.map(|query| &query.qname));
        }
    }
}

/// Composes the answer to one message, see [`Asked::answer`]; what `buffer` held is dropped.
pub fn respond(
    served: &Served,
    transport: Transport,
    message: &[u8],
    (buffer, counters): (&mut Vec<u8>, &Counters),
) -> Option<usize> {
    buffer.clear();
    let mut tally = Tally::default();
    let (serving, keys) = (served.zones.serving(), served.keys.load());
    let context = Context::new(served, &keys, transport);
    let length = Asked::read(&serving, message).answer(&context, (buffer, &mut tally));
    counters.add(&mut tally);
    length
}

/// Checks the signature of a query, which is known to have one.
fn check(message: &[u8], keys: &Keys, now_s: u64) -> Result<Verified, Rejected> {
    Signed::find(message)?.ok_or(Rejected::Malformed)?.verify(keys, now_s)
}

/// Says a response code and nothing else.
fn refuse(buffer: &mut Vec<u8>, query: &Query<'_>, rcode: Rcode, limit: usize) -> (usize, Rcode) {
    let mut writer = Writer::reply(buffer, limit, query, UDP_OCTETS_MAX);
    writer.set_rcode(rcode);
    (writer.finish(), rcode)
}

/// Says a response code, without the question.
fn header<'b>(buffer: &'b mut Vec<u8>, query: &Query<'_>, rcode: Rcode) -> Writer<'b> {
    let do_bit = query.edns.map(|edns| edns.do_bit);
    let about = Envelope { id: query.id, opcode: Opcode::QUERY, rd: query.rd, do_bit };
    Writer::header_only(buffer, &about, rcode, UDP_OCTETS_MAX)
}

/// RFC 8945 §5.3: where an answer does not fit with its signature, the question alone, under TC and
/// NOERROR; so that the client comes over TCP. Names can be so long that even the question does not
/// fit into 512 octets with it: then it is left out, as the id and the signature say what this answers.
fn truncate(buffer: &mut Vec<u8>, query: &Query<'_>, limit: usize) -> Rcode {
    let rcode = Rcode::NOERROR;
    let mut writer = header(buffer, query, rcode);
    writer.set_limit(limit);
    writer.set_tc();
    writer.repeat_question(query.question);
    writer.finish();
    rcode
}

/// Whether TC is set in the answer that begins there.
fn is_truncated(buffer: &[u8], start: usize) -> bool {
    buffer.get(start + 2).is_some_and(|flags| flags & 0x02 != 0)
}

/// Queries that are wrong whatever is served.
fn malformed(query: &Query<'_>) -> Option<(Rcode, Option<Ede>)> {
    // RFC 6891 §6.1.3: before anything else, as other versions may mean anything.
    if query.edns.is_some_and(|edns| edns.version != 0) {
        return Some((Rcode::BADVERS, None));
    }
    match query.qtype {
        // These never own a record and are no question types (RFC 9824 §3.5 and §9).
        Rtype::OPT | Rtype::TSIG | Rtype::NXNAME => Some((Rcode::FORMERR, Some(INVALID_QTYPE))),
        _ => None,
    }
}

/// Questions that no zone answers.
fn not_answered(query: &Query<'_>) -> Option<(Rcode, Ede)> {
    if query.qclass != Class::IN {
        return Some((Rcode::REFUSED, NOT_AUTHORITATIVE));
    }
    match query.qtype {
        // Transfers come with a later release; RFC 5936 §2.2.1 wants an answer all the same.
        Rtype::AXFR | Rtype::IXFR => Some((Rcode::REFUSED, PROHIBITED)),
        Rtype::TKEY | Rtype::MAILA | Rtype::MAILB => Some((Rcode::NOTIMP, NOT_SUPPORTED)),
        _ => None,
    }
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
// RFC 9824 §9.
const INVALID_QTYPE: Ede = Ede { code: 30, text: "" };
