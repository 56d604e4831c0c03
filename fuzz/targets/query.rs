//! Any octets as a query. What the hot path says is what the whole reader says; a response to it can
//! be composed, and is a message with that question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{Ede, Message, Name, Query, QueryError, Rcode, Rdata, Rtype, Section, Writer};

fuzz_target!(|octets: &[u8]| {
    let mut buffer = Vec::new();
    match Query::parse(octets) {
        Ok(query) => {
            check_query(octets, &query);
            respond(&query, &mut buffer);
        }
        Err(QueryError::Silence) => {
            assert!(octets.len() < 12 || octets[2] & 0x80 != 0);
            return;
        }
        Err(QueryError::Header(envelope, rcode)) => {
            Writer::header_only(&mut buffer, &envelope, rcode, 1232).finish();
        }
        Err(QueryError::Update(envelope)) => {
            assert_eq!(envelope.opcode, wire::Opcode::UPDATE);
            Writer::header_only(&mut buffer, &envelope, Rcode::NOTIMP, 1232).finish();
        }
    }
    let response = Message::parse(&buffer).expect("what we send is a message");
    assert!(response.header().qr);
    assert_eq!(buffer[..2], octets[..2], "the id comes back");
});

fn check_query(octets: &[u8], query: &Query<'_>) {
    // The hot path does not look into owners of records that it skips.
    let Ok(message) = Message::parse(octets) else { return };
    let question = message.question().expect("one question");
    assert_eq!(message.header().counts[0], 1);
    assert_eq!(question.qname.to_lowercase().as_wire(), query.qname.folded());
    assert_eq!((question.qtype, question.qclass), (query.qtype, query.qclass));
    let opts = message.records(Section::Additional).filter(|r| r.rtype == Rtype::OPT).count();
    assert_eq!(opts, usize::from(query.edns.is_some()));
    if let Some(edns) = query.edns {
        assert!(edns.udp_size >= 512);
        let _ = edns.options().count();
    }
}

fn respond(query: &Query<'_>, buffer: &mut Vec<u8>) {
    let qname = Name::from_wire(query.qname.folded()).expect("a folded name is a name");
    let limit = 512 + usize::from(query.id) % 2000;
    let mut writer = Writer::reply(buffer, limit, query, 1232);
    writer.set_ede(Ede { code: 22, text: "no reachable authority" });
    let target = qname.parent().unwrap_or(Name::root());
    let mut pushed = 0;
    for number in 0..40 {
        let owner = if number % 2 == 0 { &qname } else { &target };
        let rdata = Rdata::name(if number % 3 == 0 { &target } else { &qname });
        let mark = writer.mark();
        match writer.push(Section::Answer, owner.as_wire(), (Rtype::NS, number), &rdata) {
            Ok(()) if number % 7 == 6 => writer.rewind(mark),
            Ok(()) => pushed += 1,
            Err(_) => writer.set_tc(),
        }
    }
    assert_eq!(writer.count(Section::Answer), pushed);
    let len = writer.finish();
    assert!(len <= limit.max(512) && len == buffer.len());
    let message = Message::parse(buffer).expect("what we send is a message");
    for record in message.records(Section::Answer) {
        let name = record.rdata().expect("a name").target(Rtype::NS).expect("a name");
        assert!(name == qname || name == target);
        assert!(record.owner == qname || record.owner == target);
    }
}
