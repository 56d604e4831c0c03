//! Composing responses: limits, compression, going back, OPT.

#![expect(clippy::panic, reason = "a step that fails is a failed test")]

use wire::{Ede, Full, Message, Name, Query, Rcode, Rdata, Rtype, Section, Writer};

const QUESTION: &[u8] = b"\x03WwW\x07example\0\0\x01\0\x01";
const BEFORE: &[u8] = b"another message";
const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0";

fn query(edns: bool) -> Vec<u8> {
    let head = [0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns)];
    [&head[..], QUESTION, if edns { OPT } else { b"" }].concat()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

/// A response to `query` that `write` fills; its octets. It stands behind what the buffer holds.
fn response(edns: bool, limit: usize, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let octets = query(edns);
    let query = Query::parse(&octets).unwrap_or_else(|why| panic!("{why:?}"));
    let mut buffer = BEFORE.to_vec();
    let mut writer = Writer::reply(&mut buffer, limit, &query, 1400);
    write(&mut writer);
    let length = writer.finish();
    let message = buffer.split_off(BEFORE.len());
    assert_eq!((buffer.as_slice(), length), (BEFORE, message.len()));
    message
}

fn push(writer: &mut Writer<'_>, owner: &str, rtype: Rtype, text: &str) -> Result<(), Full> {
    let rdata = Rdata::parse(rtype, text, &Name::root()).unwrap_or_else(|why| panic!("{why}"));
    writer.push(Section::Answer, name(owner).as_wire(), (rtype, 60), &rdata)
}

#[test]
fn a_response_repeats_id_rd_and_question() {
    let octets = response(false, 512, |_| {});
    assert_eq!(octets[..12], [0xab, 0xcd, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(octets[12..], *QUESTION);
}

#[test]
fn rfc1035_4_1_4_names_are_compressed_without_regard_to_case() {
    let octets = response(false, 512, |writer| {
        push(writer, "www.EXAMPLE", Rtype::CNAME, "mail.example.").expect("room");
        push(writer, "mail.example", Rtype::MX, "1 www.example.").expect("room");
        push(writer, "example", Rtype::NS, ".").expect("room");
    });
    let answers = &octets[12 + QUESTION.len()..];
    // To the question; `mail` and the end of the question; to that; again to the question.
    assert_eq!(answers[..19], *b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x07\x04mail\xc0\x10");
    assert_eq!(answers[19..35], *b"\xc0\x29\0\x0f\0\x01\0\0\0\x3c\0\x04\0\x01\xc0\x0c");
    assert_eq!(answers[35..], *b"\xc0\x10\0\x02\0\x01\0\0\0\x3c\0\x01\0");
}

#[test]
fn rfc3597_4_names_in_data_of_newer_types_are_not_compressed() {
    for (rtype, text, compressed) in [
        (Rtype::NS, "www.example.", true),
        (Rtype::SOA, "www.example. www.example. 1 2 3 4 5", true),
        (Rtype::MINFO, "www.example. www.example.", true),
        (Rtype::SRV, "1 2 3 www.example.", false),
        (Rtype::DNAME, "www.example.", false),
        (Rtype::RP, "www.example. www.example.", false),
        (Rtype::AFSDB, "1 www.example.", false),
        (Rtype::NAPTR, "1 1 a b c www.example.", false),
        (Rtype::KX, "1 www.example.", false),
        (Rtype::SVCB, "1 www.example.", false),
        (Rtype(65_280), "\\# 13 03777777076578616d706c6500", false),
    ] {
        let octets =
            response(false, 512, |writer| push(writer, "a.example", rtype, text).expect("room"));
        let rdata = Rdata::parse(rtype, text, &Name::root()).expect("data");
        let is_whole = octets.ends_with(rdata.as_wire());
        assert_eq!(is_whole, !compressed, "{rtype}");
        let message = Message::parse(&octets).expect("a message");
        let read = message.records(Section::Answer).next().expect("a record").rdata();
        assert_eq!(read.map(|read| read.canonical(rtype)), Ok(rdata.canonical(rtype)), "{rtype}");
    }
}

#[test]
fn rfc1035_2_3_4_a_record_that_does_not_fit_leaves_no_trace() {
    for (edns, limit) in [(false, 512), (true, 512), (true, 600), (false, 0)] {
        let mut pushed = 0;
        let octets = response(edns, limit, |writer| {
            while push(writer, &format!("h{pushed}.example"), Rtype::A, "192.0.2.1") == Ok(()) {
                pushed += 1;
            }
            assert_eq!(push(writer, "x.example", Rtype::TXT, &"y".repeat(200)), Err(Full));
            assert_eq!(writer.count(Section::Answer), pushed);
        });
        let limit = limit.max(512);
        // The next one would have been too much.
        assert!(octets.len() <= limit && octets.len() + 21 > limit, "{limit}: {}", octets.len());
        let message = Message::parse(&octets).expect("a message");
        assert_eq!(message.records(Section::Answer).count(), usize::from(pushed));
        assert_eq!(message.records(Section::Additional).count(), usize::from(edns));
    }
}

#[test]
fn going_back_forgets_records_and_the_places_of_their_names() {
    let octets = response(false, 512, |writer| {
        let mark = writer.mark();
        push(writer, "gone.test", Rtype::NS, "also.gone.test.").expect("room");
        writer.rewind(mark);
        push(writer, "gone.test", Rtype::NS, "also.gone.test.").expect("room");
        push(writer, "also.gone.test", Rtype::A, "192.0.2.1").expect("room");
    });
    let message = Message::parse(&octets).expect("a message");
    let owners: Vec<Name> = message.records(Section::Answer).map(|record| record.owner).collect();
    assert_eq!(owners, [name("gone.test"), name("also.gone.test")]);
}

#[test]
fn no_pointer_leads_beyond_what_a_pointer_can_hold() {
    let octets = response(false, 65_535, |writer| {
        for number in 0..4000 {
            let owner = format!("some.long.owner{number}.of.example");
            if push(writer, &owner, Rtype::CNAME, &format!("target{number}.{owner}.")).is_err() {
                break;
            }
        }
    });
    assert!(octets.len() > 60_000);
    let message = Message::parse(&octets).expect("a message");
    for (number, record) in message.records(Section::Answer).enumerate() {
        let owner = format!("some.long.owner{number}.of.example");
        assert_eq!(record.owner, name(&owner));
        let target = record.rdata().expect("a name").target(Rtype::CNAME);
        assert_eq!(target, Some(name(&format!("target{number}.{owner}"))));
    }
}

#[test]
fn rfc6891_6_1_1_opt_answers_opt() {
    let octets = response(true, 512, |writer| {
        assert!(writer.do_bit());
        writer.set_rcode(Rcode::BADVERS);
    });
    assert_eq!(octets[12 + QUESTION.len()..], *b"\0\0\x29\x05\x78\x01\0\x80\0\0\0");
    assert_eq!(Message::parse(&octets).expect("a message").rcode(), Rcode::BADVERS);
    assert_eq!(octets[3] & 0x0f, 0);
}

#[test]
fn rfc8914_2_an_extended_error_goes_to_those_who_use_edns() {
    let ede = Ede { code: 14, text: "not ready" };
    let octets = response(true, 512, |writer| writer.set_ede(ede));
    assert!(octets.ends_with(b"\0\x0f\0\x0f\0\x0b\0\x0enot ready"));
    assert_eq!(response(false, 512, |writer| writer.set_ede(ede)), response(false, 512, |_| {}));
}

#[test]
fn an_extended_error_never_pushes_a_message_over_its_limit() {
    let octets = response(true, 512, |writer| {
        while push(writer, "www.example", Rtype::A, "192.0.2.1") == Ok(()) {}
        writer.set_ede(Ede { code: 3, text: "a text that is longer than the room that is left" });
    });
    assert!(octets.len() <= 512);
    assert!(octets.ends_with(b"\0\0\x29\x05\x78\0\0\x80\0\0\0"));
}
