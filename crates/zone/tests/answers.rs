//! Answers, section by section of the RFCs that prescribe them.

#[path = "scene/scene.rs"]
mod scene;

use scene::{ask, check, name, zone};
use wire::{Query, Rtype};
use zone::{Zone, Zones};

const SOA: &str = "ns example. 300 SOA ns.example. host.example. 1 2 3 4 60";

fn example() -> Zone {
    zone(
        "example.",
        "$TTL 300
        @ SOA ns host 1 2 3 4 60
        @ NS ns
        ns A 192.0.2.53
        www 20 A 192.0.2.1
        www 20 AAAA 2001:db8::1
        www 20 TXT b
        mail MX 10 www
        mail MX 20 www
        mail MX 30 host.sub
        mail MX 40 elsewhere.test.
        a.b.ent A 192.0.2.2
        alias CNAME www
        dead CNAME nowhere
        out CNAME www.test.
        one CNAME two
        two CNAME one
        self CNAME self
        into CNAME host.sub
        intowild CNAME x.wild
        *.wild A 192.0.2.3
        *.loop CNAME x.loop
        sub NS ns.sub
        sub NS ns.sibling
        sub NS ns.test.
        sub DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
        ns.sub A 192.0.2.4
        host.sub A 192.0.2.5
        sibling NS ns.sibling
        ns.sibling A 192.0.2.6",
    )
}

#[test]
fn rfc1034_4_3_2_step_3a_the_name_matches() {
    let zone = example();
    check(&zone, "www.example. A", &["NOERROR aa", "an www.example. 20 A 192.0.2.1"]);
    check(&zone, "www.example. AAAA", &["NOERROR aa", "an www.example. 20 AAAA 2001:db8::1"]);
    check(
        &zone,
        "example. NS",
        &["NOERROR aa", "an example. 300 NS ns.example.", "ad ns.example. 300 A 192.0.2.53"],
    );
    check(
        &zone,
        "example. SOA",
        &["NOERROR aa", "an example. 300 SOA ns.example. host.example. 1 2 3 4 60"],
    );
}

#[test]
fn rfc1034_4_3_2_step_3a_a_cname_is_followed() {
    let zone = example();
    check(
        &zone,
        "alias.example. A",
        &[
            "NOERROR aa",
            "an alias.example. 300 CNAME www.example.",
            "an www.example. 20 A 192.0.2.1",
        ],
    );
    // Not for the type itself, and not out of the zone.
    check(
        &zone,
        "alias.example. CNAME",
        &["NOERROR aa", "an alias.example. 300 CNAME www.example."],
    );
    check(&zone, "out.example. A", &["NOERROR aa", "an out.example. 300 CNAME www.test."]);
    check(
        &zone,
        "intowild.example. A",
        &[
            "NOERROR aa",
            "an intowild.example. 300 CNAME x.wild.example.",
            "an x.wild.example. 300 A 192.0.2.3",
        ],
    );
}

#[test]
fn rfc1034_4_3_2_step_3b_a_delegation_refers() {
    let referral = [
        "NOERROR",
        "ns sub.example. 300 NS ns.sub.example.",
        "ns sub.example. 300 NS ns.sibling.example.",
        "ns sub.example. 300 NS ns.test.",
        "ad ns.sub.example. 300 A 192.0.2.4",
        "ad ns.sibling.example. 300 A 192.0.2.6",
    ];
    let zone = example();
    for question in [
        "sub.example. A",
        "sub.example. NS",
        "host.sub.example. A",
        "x.y.sub.example. ANY",
        "x.sub.example. DS",
    ] {
        check(&zone, question, &referral);
    }
    // The authority of an alias stays ours (RFC 1034 §4.1.1, AA).
    let mut aliased = vec!["NOERROR aa", "an into.example. 300 CNAME host.sub.example."];
    aliased.extend_from_slice(&referral[1..]);
    check(&zone, "into.example. A", &aliased);
}

#[test]
fn rfc1034_4_3_2_step_6_additional_addresses_once_and_no_glue_for_mail() {
    check(
        &example(),
        "mail.example. MX",
        &[
            "NOERROR aa",
            "an mail.example. 300 MX 10 www.example.",
            "an mail.example. 300 MX 20 www.example.",
            "an mail.example. 300 MX 30 host.sub.example.",
            "an mail.example. 300 MX 40 elsewhere.test.",
            "ad www.example. 20 A 192.0.2.1",
            "ad www.example. 20 AAAA 2001:db8::1",
        ],
    );
}

#[test]
fn rfc4035_3_1_4_1_ds_is_answered_by_the_parent() {
    let ds = "an sub.example. 300 DS 1 8 2 \
              0000000000000000000000000000000000000000000000000000000000000000";
    let zone = example();
    check(&zone, "sub.example. DS", &["NOERROR aa", ds]);
    check(&zone, "sibling.example. DS", &["NOERROR aa", &SOA.replace("300", "60")]);
    check(&zone, "example. DS", &["NOERROR aa", &SOA.replace("300", "60")]);

    let zones = Zones::new();
    for apex in ["example.", "sub.example."] {
        zones.insert(std::sync::Arc::new(Zone::new(&name(apex), wire::Serial(1))));
    }
    for (question, qtype, apex) in [
        ("sub.example.", Rtype::DS, "example."),
        ("sub.example.", Rtype::A, "sub.example."),
        ("x.sub.example.", Rtype::DS, "sub.example."),
        ("example.", Rtype::DS, "example."),
    ] {
        let found = zones.find(&wire::QName::of(&name(question)), qtype).expect("a zone");
        assert_eq!(found.apex(), &name(apex), "{question} {qtype}");
    }
    assert!(zones.find(&wire::QName::of(&name("test.")), Rtype::A).is_none());
}

#[test]
fn rfc2308_2_nxdomain_and_nodata_with_the_soa_of_the_zone() {
    let soa = SOA.replace("300", "60");
    let zone = example();
    check(&zone, "nowhere.example. A", &["NXDOMAIN aa", &soa]);
    check(&zone, "x.www.example. A", &["NXDOMAIN aa", &soa]);
    check(&zone, "www.example. MX", &["NOERROR aa", &soa]);
    check(
        &zone,
        "alias.example. MX",
        &["NOERROR aa", "an alias.example. 300 CNAME www.example.", &soa],
    );
}

#[test]
fn rfc2308_5_the_soa_lives_no_longer_than_minimum_and_than_itself() {
    for (ttl, minimum, lives) in [(300, 60, 60), (60, 300, 60), (0, 300, 0), (5, 0, 0)] {
        let zone = zone("z.", &format!("@ {ttl} SOA a b 1 2 3 4 {minimum}"));
        let soa = format!("ns z. {lives} SOA a.z. b.z. 1 2 3 4 {minimum}");
        check(&zone, "x.z. A", &["NXDOMAIN aa", &soa]);
        check(&zone, "z. A", &["NOERROR aa", &soa]);
    }
}

#[test]
fn rfc6604_3_the_code_is_that_of_the_last_name_of_a_chain() {
    let soa = SOA.replace("300", "60");
    check(
        &example(),
        "dead.example. A",
        &["NXDOMAIN aa", "an dead.example. 300 CNAME nowhere.example.", &soa],
    );
}

#[test]
fn rfc8020_2_an_empty_non_terminal_is_no_nxdomain_and_what_is_below_nothing_is() {
    let soa = SOA.replace("300", "60");
    let zone = example();
    for question in ["ent.example. A", "b.ent.example. A", "b.ent.example. ANY"] {
        check(&zone, question, &["NOERROR aa", &soa]);
    }
    for question in ["x.ent.example. A", "x.b.ent.example. A", "x.a.b.ent.example. A"] {
        check(&zone, question, &["NXDOMAIN aa", &soa]);
    }
}

#[test]
fn a_loop_of_cnames_is_answered_once_each() {
    let zone = example();
    let (one, two) =
        ("an one.example. 300 CNAME two.example.", "an two.example. 300 CNAME one.example.");
    check(&zone, "one.example. A", &["NOERROR aa", one, two]);
    check(&zone, "two.example. A", &["NOERROR aa", two, one]);
    check(&zone, "self.example. A", &["NOERROR aa", "an self.example. 300 CNAME self.example."]);
    check(
        &zone,
        "q.loop.example. A",
        &[
            "NOERROR aa",
            "an q.loop.example. 300 CNAME x.loop.example.",
            "an x.loop.example. 300 CNAME x.loop.example.",
        ],
    );
}

#[test]
fn a_long_chain_ends_at_a_limit() {
    let mut text = "@ 60 SOA a b 1 2 3 4 5\n".to_owned();
    for number in 0..100 {
        text.push_str(&format!("c{number} 60 CNAME c{}\n", number + 1));
    }
    let said = ask(&zone("z.", &text), "c0.z. A", 65_535);
    assert_eq!((said[0].as_str(), said.len()), ("NOERROR aa", 1 + 16));
}

#[test]
fn rfc8482_4_1_any_gets_one_rrset() {
    let zone = example();
    check(&zone, "www.example. ANY", &["NOERROR aa", "an www.example. 20 A 192.0.2.1"]);
    check(&zone, "alias.example. ANY", &["NOERROR aa", "an alias.example. 300 CNAME www.example."]);
    check(&zone, "q.wild.example. ANY", &["NOERROR aa", "an q.wild.example. 300 A 192.0.2.3"]);
    check(&zone, "nowhere.example. ANY", &["NXDOMAIN aa", &SOA.replace("300", "60")]);
}

#[test]
fn rfc4343_3_case_is_ignored_and_the_question_kept() {
    let zone = example();
    let question = b"\x03WwW\x07eXaMpLe\0";
    let message = [&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], &question[..], &[0, 1, 0, 1]].concat();
    let query = Query::parse(&message).expect("a query");
    let mut buffer = Vec::new();
    let mut writer = wire::Writer::reply(&mut buffer, 512, &query, 1232);
    zone.answer(&query, &mut writer);
    writer.finish();
    assert_eq!(buffer[12..25], question[..]);
    // The owner of the answer points to it, so it has the same letters.
    assert_eq!(buffer[29..31], [0xc0, 12]);
    assert_eq!(buffer[7], 1);
}

#[test]
fn rfc9471_3_1_glue_in_the_domain_that_does_not_fit_is_marked() {
    let mut text = "@ 60 SOA a b 1 2 3 4 5\nd 60 NS ns.d\nd 60 NS ns.other\n".to_owned();
    for number in 0..40 {
        text.push_str(&format!("ns.d 60 A 192.0.2.{number}\n"));
    }
    let said = ask(&zone("z.", &text), "x.d.z. A", 512);
    assert_eq!(said[0], "NOERROR tc");
    assert!(ask(&zone("z.", &text), "x.d.z. A", 1232).len() == 1 + 2 + 40);
    // §3.2: other glue is left out without a mark.
    let sibling = text.replace("ns.d 60 A", "ns.other 60 A");
    let said = ask(&zone("z.", &sibling), "x.d.z. A", 512);
    assert_eq!((said[0].as_str(), said.len()), ("NOERROR", 3));
}

#[test]
fn rfc2181_9_an_rrset_is_whole_or_the_answer_is_marked() {
    let mut text = "@ 60 SOA a b 1 2 3 4 5\n".to_owned();
    for number in 0..60 {
        text.push_str(&format!("many 60 A 192.0.2.{number}\n"));
    }
    let zone = zone("z.", &text);
    assert_eq!(ask(&zone, "many.z. A", 512), ["NOERROR aa tc"]);
    assert_eq!(ask(&zone, "many.z. A", 1232).len(), 1 + 60);
}

#[test]
fn rfc6672_3_2_a_dname_is_answered_with_its_cname_and_followed() {
    let zone = zone(
        "example.",
        "$TTL 300
        @ SOA ns host 1 2 3 4 60
        old 30 DNAME new
        old TXT self
        hidden.old A 192.0.2.9
        www.new A 192.0.2.1
        away DNAME away.test.
        grow DNAME x.grow
        back DNAME example.",
    );
    let dname = "an old.example. 30 DNAME new.example.";
    let soa = SOA.replace("300", "60");
    check(
        &zone,
        "www.old.example. A",
        &[
            "NOERROR aa",
            dname,
            "an www.old.example. 30 CNAME www.new.example.",
            "an www.new.example. 300 A 192.0.2.1",
        ],
    );
    check(
        &zone,
        "a.b.old.example. A",
        &["NXDOMAIN aa", dname, "an a.b.old.example. 30 CNAME a.b.new.example.", &soa],
    );
    // §2.4: the owner itself is not redirected; what stands below it is hidden.
    check(&zone, "old.example. TXT", &["NOERROR aa", "an old.example. 300 TXT \"self\""]);
    check(&zone, "old.example. DNAME", &["NOERROR aa", dname]);
    check(
        &zone,
        "hidden.old.example. A",
        &["NXDOMAIN aa", dname, "an hidden.old.example. 30 CNAME hidden.new.example.", &soa],
    );
    check(
        &zone,
        "w.away.example. A",
        &[
            "NOERROR aa",
            "an away.example. 300 DNAME away.test.",
            "an w.away.example. 300 CNAME w.away.test.",
        ],
    );
    // A chain that passes one DNAME again and again has it once.
    let said = ask(&zone, "q.grow.example. A", 65_535);
    assert_eq!(said.iter().filter(|line| line.contains("DNAME")).count(), 1);
    assert_eq!(said.len(), 1 + 1 + 16);
    check(
        &zone,
        "back.back.example. DNAME",
        &[
            "NOERROR aa",
            "an back.example. 300 DNAME example.",
            "an back.back.example. 300 CNAME back.example.",
        ],
    );
}

#[test]
fn rfc6672_2_2_a_name_that_becomes_too_long_is_yxdomain() {
    let label = "l".repeat(63);
    let text = format!("@ 60 SOA a b 1 2 3 4 5\nd 60 DNAME {label}.{label}.{label}\n");
    let zone = zone("z.", &text);
    let said = ask(&zone, &format!("{label}.d.z. A"), 65_535);
    assert_eq!((said[0].as_str(), said.len()), ("YXDOMAIN aa", 2));
    assert!(said[1].starts_with("an d.z. 60 DNAME "));
    assert_eq!(ask(&zone, "x.d.z. A", 65_535)[0], "NXDOMAIN aa");
}
