//! Any octets as a message. What we accept, `domain` accepts and reads alike; where `hickory-proto`
//! accepts too, its records have our owners, types and TTLs.
#![no_main]

use domain::base::{Message as Theirs, ToName};
use hickory_proto::op::Message as Third;
use libfuzzer_sys::fuzz_target;
use wire::{Message, Section};

const SECTIONS: [Section; 3] = [Section::Answer, Section::Authority, Section::Additional];

fuzz_target!(|octets: &[u8]| {
    let Ok(message) = Message::parse(octets) else { return };
    let _ = message.rcode();
    let theirs = Theirs::from_octets(octets).expect("domain takes the header");
    if let Some(question) = message.question() {
        let their_question = theirs.first_question().expect("domain sees the question");
        let qname = their_question.qname().to_vec();
        assert_eq!(qname.as_slice(), question.qname.as_wire());
        assert_eq!(their_question.qtype().to_int(), question.qtype.0);
    }
    let mut section = theirs.answer().ok();
    for ours in SECTIONS {
        let mut their_records = section.expect("domain reaches the section");
        for record in message.records(ours) {
            // Read by us to its end, whatever it says.
            let rdata = record.rdata();
            let their_record = their_records.next().expect("as many records").expect("a record");
            assert_eq!(their_record.owner().to_vec().as_slice(), record.owner.as_wire());
            assert_eq!(their_record.rtype().to_int(), record.rtype.0);
            assert_eq!(their_record.class().to_int(), record.class.0);
            assert_eq!(their_record.ttl().as_secs(), record.ttl);
            if let Ok(rdata) = rdata {
                let _ = rdata.display(record.rtype).to_string();
                assert_eq!(rdata.canonical(record.rtype).as_wire().len(), rdata.as_wire().len());
            }
        }
        assert!(their_records.next().is_none(), "domain sees no more records");
        section = their_records.next_section().expect("domain reaches the end");
    }
    compare_with_third(octets, &message);
});

/// hickory-proto refuses much more than we do, since it reads all data; then nothing is compared.
fn compare_with_third(octets: &[u8], message: &Message<'_>) {
    let Ok(third) = Third::from_vec(octets) else { return };
    let header = message.header();
    assert_eq!(third.metadata.id, header.id);
    assert_eq!(third.queries.len(), usize::from(header.counts[0]));
    let answers: Vec<_> = message.records(Section::Answer).collect();
    assert_eq!(third.answers.len(), answers.len());
    for (third, ours) in third.answers.iter().zip(answers) {
        assert_eq!(u16::from(third.record_type()), ours.rtype.0);
        assert_eq!(third.ttl, ours.ttl);
        let labels: Vec<&[u8]> = third.name.iter().collect();
        assert!(ours.owner.labels().eq(labels.iter().copied()));
    }
}
