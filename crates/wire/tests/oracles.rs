//! What others say of the same octets: `hickory-proto` and `domain`, over generated messages.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use domain::base::{Message as Second, ToName};
use domain::rdata::AllRecordData;
use hickory_proto::op::{Message as Third, MessageType, OpCode, Query as ThirdQuery};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, NULL, PTR, SOA, SRV, TXT};
use hickory_proto::rr::{DNSClass, Name as ThirdName, RData, Record as ThirdRecord, RecordType};
use proptest::prelude::*;
use wire::{Class, Message, Name, Query, Rdata, Record, Rtype, Section, Soa, Writer};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_hickory_writes_we_read(records in prop::collection::vec(a_record(), 0..12)) {
        let mut third = Third::new(7, MessageType::Response, OpCode::Query);
        third.add_query(ThirdQuery::query(ThirdName::root(), RecordType::SOA));
        third.add_answers(records.iter().map(as_third));
        let octets = third.to_vec().unwrap();
        let message = Message::parse(&octets).unwrap();
        let read: Vec<Record> = message.records(Section::Answer).map(whole).collect();
        prop_assert_eq!(read, records.iter().map(folded).collect::<Vec<_>>());
    }

    #[test]
    fn what_we_write_hickory_and_domain_read(
        records in prop::collection::vec(a_record(), 0..40),
        limit in 512_usize..3000,
    ) {
        let octets = b"\0\x07\0\0\0\x01\0\0\0\0\0\0\x01a\x02ex\0\0\x01\0\x01".to_vec();
        let query = Query::parse(&octets).unwrap();
        let mut buffer = Vec::new();
        let mut writer = Writer::reply(&mut buffer, limit, &query, 1232);
        let mut written = Vec::new();
        for record in records {
            let key = (record.rtype, record.ttl_s);
            let owner = record.owner.as_wire();
            if writer.push(Section::Answer, owner, key, &record.rdata).is_ok() {
                written.push(folded(&record));
            }
        }
        writer.finish();
        prop_assert!(buffer.len() <= limit);
        let message = Message::parse(&buffer).unwrap();
        let read: Vec<Record> = message.records(Section::Answer).map(whole).collect();
        prop_assert_eq!(&read, &written);
        let third = Third::from_vec(&buffer).unwrap();
        let expected: Vec<ThirdRecord> = written.iter().map(as_third).collect();
        prop_assert_eq!(&third.answers, &expected);
        prop_assert_eq!(as_second_reads(&buffer), written);
    }

    #[test]
    fn what_we_accept_domain_accepts(
        records in prop::collection::vec(a_record(), 0..6),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut third = Third::new(7, MessageType::Query, OpCode::Query);
        third.add_query(ThirdQuery::query(ThirdName::from_ascii("a.ex.").unwrap(), RecordType::A));
        third.add_answers(records.iter().map(as_third));
        let mut octets = third.to_vec().unwrap();
        for (index, octet) in wrong {
            *index.get_mut(&mut octets) = octet;
        }
        let parsed = Message::parse(&octets);
        // The hot path agrees with the whole reader, where both accept.
        if let (Ok(query), Ok(message)) = (Query::parse(&octets), &parsed) {
            let question = message.question().unwrap();
            let folded = question.qname.to_lowercase();
            prop_assert_eq!(folded.as_wire(), query.qname.folded());
            prop_assert_eq!((question.qtype, question.qclass), (query.qtype, query.qclass));
        }
        if let Ok(message) = parsed {
            let second = Second::from_octets(&octets).unwrap();
            let mut theirs = second.answer().unwrap();
            for ours in message.records(Section::Answer) {
                // Whatever the data is, reading it does not panic.
                let _ = ours.rdata();
                let theirs = theirs.next().unwrap().unwrap();
                let owner = theirs.owner().to_vec();
                prop_assert_eq!(owner.as_slice(), ours.owner.as_wire());
                prop_assert_eq!(theirs.rtype().to_int(), ours.rtype.0);
            }
        }
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Query::parse(&octets);
        if let Ok(message) = Message::parse(&octets) {
            prop_assert!(Second::from_octets(&octets).is_ok());
            for record in message.records(Section::Additional) {
                let _ = record.rdata();
            }
        }
        let _ = Name::from_wire(&octets);
        let _ = Name::parse(&String::from_utf8_lossy(&octets));
    }

    #[test]
    fn data_is_read_from_its_text(
        rtype in prop_oneof![0_u16..70, 99_u16..110, 256_u16..265, 32768_u16..32770, Just(65_280)],
        octets in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..40),
        name in a_name(),
    ) {
        let rtype = Rtype(rtype);
        // Octets alone, as many as some type has, and behind a name, which many types begin or go
        // on with.
        let mut candidates: Vec<Vec<u8>> = (0..=octets.len()).map(|len| octets[..len].to_vec()).collect();
        candidates.push([name.as_wire(), &octets].concat());
        candidates.push([&octets, name.as_wire()].concat());
        for octets in candidates {
            let Ok(rdata) = Rdata::new(rtype, &octets) else { continue };
            let text = rdata.display(rtype).to_string();
            let read = Rdata::parse(rtype, &text, &Name::root());
            prop_assert_eq!(read, Ok(rdata), "{} {}", rtype, text);
        }
    }

    #[test]
    fn rfc1876_2_every_place_has_a_text(
        sizes in [(0_u8..10, 0_u8..10), (0_u8..10, 0_u8..10), (0_u8..10, 0_u8..10)],
        latitude in (1_u32 << 31) - 324_000_000..=(1 << 31) + 324_000_000,
        longitude in (1_u32 << 31) - 648_000_000..=(1 << 31) + 648_000_000,
        altitude in any::<u32>(),
    ) {
        let mut octets = vec![0];
        // Nothing has no power of ten.
        octets.extend(sizes.map(|(digit, power)| if digit == 0 { 0 } else { digit << 4 | power }));
        octets.extend([latitude, longitude, altitude].iter().flat_map(|n| n.to_be_bytes()));
        let rdata = Rdata::new(Rtype::LOC, &octets).unwrap();
        let text = rdata.display(Rtype::LOC).to_string();
        prop_assert!(!text.starts_with('\\'), "{}", text);
        prop_assert_eq!(Rdata::parse(Rtype::LOC, &text, &Name::root()), Ok(rdata), "{}", text);
    }

    #[test]
    fn rfc4034_3_2_domain_reads_the_times_that_are_shown(seconds in any::<u32>()) {
        let octets = [&[0, 1, 5, 3, 0, 0, 0, 1], &seconds.to_be_bytes()[..], &[0; 7], &[1]].concat();
        let rdata = Rdata::new(Rtype::RRSIG, &octets).unwrap();
        let text = rdata.display(Rtype::RRSIG).to_string();
        let time = text.split(' ').nth(4).unwrap();
        prop_assert_eq!(time.len(), 14, "{}", text);
        let theirs: domain::rdata::dnssec::Timestamp = time.parse().unwrap();
        prop_assert_eq!(theirs.into_int(), seconds, "{}", text);
    }

    #[test]
    fn any_words_are_data_that_is_shown_and_read_or_refused(
        rtype in prop_oneof![1_u16..70, 99_u16..110, 256_u16..265, 32768_u16..32770],
        words in prop::collection::vec(a_word(), 0..12),
    ) {
        let rtype = Rtype(rtype);
        if let Ok(rdata) = Rdata::parse(rtype, &words.join(" "), &Name::root()) {
            let text = rdata.display(rtype).to_string();
            prop_assert_eq!(Rdata::parse(rtype, &text, &Name::root()), Ok(rdata), "{}", text);
        }
    }

    #[test]
    fn names_are_read_from_their_text_and_ordered_as_domain_does(a in a_name(), b in a_name()) {
        use domain::base::CanonicalOrd;
        prop_assert_eq!(Name::parse(&a.to_string()), Ok(a.clone()));
        let second = |name: &Name| {
            domain::base::Name::from_octets(name.as_wire().to_vec()).unwrap()
        };
        prop_assert_eq!(a.cmp(&b), second(&a).canonical_cmp(&second(&b)));
        prop_assert_eq!(a.is_subdomain_of(&b), second(&a).ends_with(&second(&b)));
        let text: domain::base::Name<Vec<u8>> = a.to_string().parse().unwrap();
        prop_assert_eq!(text.as_slice(), a.as_wire());
    }
}

/// Words that some type has somewhere, and others.
fn a_word() -> impl Strategy<Value = String> {
    let known = vec![
        "0",
        "1",
        "2",
        "3",
        "128",
        "255",
        "65536",
        "4294967296",
        "59.999",
        "-1.00m",
        "90000000m",
        "N",
        "E",
        "s",
        "W",
        "m",
        ".",
        "@",
        "a.example.",
        "192.0.2.1",
        "2001:db8::1",
        "AQID",
        "-",
        "00ff",
        "0x47.00",
        "+123",
        "tcp",
        "smtp",
        "A",
        "NSEC",
        "TYPE65535",
        "PKIX",
        "NOTIFY",
        "RSASHA256",
        "1:192.0.2.0/24",
        "!2:ff00::/8",
        "00-00-5e-00-53-2a",
        "14:4fff:ff20:ee64",
        "\"\"",
        "\\#",
    ];
    prop_oneof![4 => prop::sample::select(known).prop_map(String::from), 1 => "[!-~]{0,6}"]
}

/// Names are compressed without regard to case, so data is compared in canonical form.
fn folded(record: &Record) -> Record {
    Record { rdata: record.rdata.canonical(record.rtype), ..record.clone() }
}

fn whole(record: wire::RecordRef<'_>) -> Record {
    let rdata = record.rdata().unwrap().canonical(record.rtype);
    let (owner, rtype, class, ttl_s) = (record.owner, record.rtype, record.class, record.ttl);
    Record { owner, rtype, class, ttl_s, rdata }
}

/// The answers of a message as `domain` reads them, data uncompressed.
fn as_second_reads(octets: &[u8]) -> Vec<Record> {
    use domain::base::rdata::ComposeRecordData;
    let message = Second::from_octets(octets).unwrap();
    let records = message.answer().unwrap().map(|record| {
        let record = record.unwrap().into_any_record::<AllRecordData<_, _>>().unwrap();
        let mut rdata = Vec::new();
        record.data().compose_rdata(&mut rdata).unwrap();
        let rtype = Rtype(record.rtype().to_int());
        Record {
            owner: Name::from_wire(&record.owner().to_vec().into_octets()).unwrap(),
            rtype,
            class: Class(record.class().to_int()),
            ttl_s: record.ttl().as_secs(),
            rdata: Rdata::new(rtype, &rdata).unwrap().canonical(rtype),
        }
    });
    records.collect()
}

fn third_name(name: &Name) -> ThirdName {
    let mut third = ThirdName::from_labels(name.labels()).unwrap();
    third.set_fqdn(true);
    third
}

fn as_third(record: &Record) -> ThirdRecord {
    let target = || third_name(&record.rdata.target(record.rtype).unwrap());
    let octets = record.rdata.as_wire();
    let two = |at: usize| u16::from_be_bytes([octets[at], octets[at + 1]]);
    let data = match record.rtype {
        Rtype::A => RData::A(A(record.rdata.ipv4().unwrap())),
        Rtype::AAAA => RData::AAAA(AAAA(record.rdata.ipv6().unwrap())),
        Rtype::NS => RData::NS(NS(target())),
        Rtype::CNAME => RData::CNAME(CNAME(target())),
        Rtype::PTR => RData::PTR(PTR(target())),
        Rtype::MX => RData::MX(MX::new(two(0), target())),
        Rtype::SRV => RData::SRV(SRV::new(two(0), two(2), two(4), target())),
        Rtype::TXT => RData::TXT(TXT::from_bytes(vec![&octets[1..]])),
        Rtype::SOA => {
            let soa = record.rdata.soa_fields().unwrap();
            let (mname, rname) = (third_name(&soa.mname), third_name(&soa.rname));
            let seconds = [soa.refresh_s, soa.retry_s, soa.expire_s].map(|s| s as i32);
            let [refresh, retry, expire] = seconds;
            RData::SOA(SOA::new(mname, rname, soa.serial, refresh, retry, expire, soa.minimum_s))
        }
        Rtype(code) => {
            let code = RecordType::Unknown(code);
            RData::Unknown { code, rdata: NULL::with(octets.to_vec()) }
        }
    };
    let mut third = ThirdRecord::from_rdata(third_name(&record.owner), record.ttl_s, data);
    third.dns_class = DNSClass::IN;
    third
}

/// Names with common ends, so that there is something to compress.
fn a_name() -> impl Strategy<Value = Name> {
    let label = prop_oneof![
        4 => "[aAbB]",
        1 => "[a-z]{1,8}",
        1 => Just("l".repeat(63)),
        1 => prop::collection::vec(any::<u8>(), 1..4)
            .prop_map(|octets| octets.iter().map(|octet| format!("\\{octet:03}")).collect()),
    ];
    (prop::collection::vec(label, 0..4), prop::bool::ANY).prop_map(|(labels, under)| {
        let end = if under { "ex." } else { "." };
        let text = [labels.join("."), end.to_owned()].join(if labels.is_empty() || !under {
            ""
        } else {
            "."
        });
        Name::parse(&text).unwrap()
    })
}

fn a_record() -> impl Strategy<Value = Record> {
    let types = prop::sample::select(vec![
        Rtype::A,
        Rtype::AAAA,
        Rtype::NS,
        Rtype::CNAME,
        Rtype::PTR,
        Rtype::MX,
        Rtype::SRV,
        Rtype::TXT,
        Rtype::SOA,
        Rtype(65_280),
    ]);
    let data = (a_name(), a_name(), any::<[u8; 16]>());
    (a_name(), types, 0_u32..1 << 31, data).prop_map(|(owner, rtype, ttl_s, (one, two, some))| {
        let octets = match rtype {
            Rtype::A => some[..4].to_vec(),
            Rtype::AAAA => some.to_vec(),
            Rtype::MX => [&some[..2], one.as_wire()].concat(),
            Rtype::SRV => [&some[..6], one.as_wire()].concat(),
            Rtype::TXT => [&[16], &some[..]].concat(),
            Rtype::SOA => {
                let (mname, rname, serial) = (one, two, u32::from(some[0]));
                let times = (1, 2, 3, 4);
                let (refresh_s, retry_s, expire_s, minimum_s) = times;
                Rdata::soa(&Soa { mname, rname, serial, refresh_s, retry_s, expire_s, minimum_s })
                    .as_wire()
                    .to_vec()
            }
            // hickory takes no empty data.
            Rtype(65_280) => some[..=usize::from(some[0] % 16)].to_vec(),
            _ => one.as_wire().to_vec(),
        };
        let rdata = Rdata::new(rtype, &octets).unwrap();
        Record { owner, rtype, class: Class::IN, ttl_s, rdata }
    })
}
