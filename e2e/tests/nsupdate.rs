//! DNS UPDATE by BIND's `nsupdate` and Knot DNS's `knsupdate`: what a message does and is told.
//! Keys and who may send have tests in `nsupdate_keys.rs`.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::net::SocketAddr;

use e2e::dns::{self, Over, serial, short};
use e2e::update::{Key, Sender, Signed, WAYS, counted, send};
use e2e::{Service, admin, new_folder};
use tempfile::TempDir;

const ZONE: &str = "t.example";

/// A service with the zone of [`TEXT`] and a key that may change all of it.
fn serve() -> (TempDir, Service, Key) {
    let folder = new_folder();
    let (data, file) = (folder.path().join("data"), folder.path().join("zone"));
    fs::write(&file, TEXT).expect("a file");
    admin(&data, &["zone", "import", ZONE, file.to_str().expect("a path")]);
    let key = Key::add(&data, "all", "hmac-sha256", &["--zone", ZONE, "--allow", "update"]);
    let service = Service::serve(&data);
    (folder, service, key)
}

/// Records of a type at a name below the zone.
fn at(service: &Service, name: &str, rtype: &str) -> Vec<String> {
    short(service.dns, &format!("{name}.{ZONE}"), rtype)
}

/// Both programs, one over UDP and the other over TCP, and in the next row the other way round.
fn two_ways(row: usize) -> [(Sender, Over); 2] {
    if row.is_multiple_of(2) { [WAYS[0], WAYS[3]] } else { [WAYS[1], WAYS[2]] }
}

/// A prerequisite or more, and what is said to a message that has them.
const PREREQUISITES: &[(&[&str], &str)] = &[
    (&["prereq yxdomain www.t.example"], "NOERROR"),
    (&["prereq yxdomain nobody.t.example"], "NXDOMAIN"),
    // There is nothing at it but names below it (RFC 2136 §2.4.4: a name in use has a record).
    (&["prereq yxdomain ent.t.example"], "NXDOMAIN"),
    // The wildcard is no record of the name that it answers for.
    (&["prereq yxdomain any.wild.t.example"], "NXDOMAIN"),
    (&["prereq nxdomain nobody.t.example"], "NOERROR"),
    (&["prereq nxdomain ent.t.example"], "NOERROR"),
    (&["prereq nxdomain www.t.example"], "YXDOMAIN"),
    (&["prereq yxrrset www.t.example A"], "NOERROR"),
    (&["prereq yxrrset www.t.example AAAA"], "NXRRSET"),
    (&["prereq yxrrset nobody.t.example A"], "NXRRSET"),
    (&["prereq nxrrset www.t.example AAAA"], "NOERROR"),
    (&["prereq nxrrset www.t.example A"], "YXRRSET"),
    (
        &["prereq yxrrset www.t.example A 192.0.2.2", "prereq yxrrset www.t.example A 192.0.2.1"],
        "NOERROR",
    ),
    (&["prereq yxrrset www.t.example A 192.0.2.1"], "NXRRSET"),
    (
        &["prereq yxrrset www.t.example A 192.0.2.1", "prereq yxrrset www.t.example A 192.0.2.3"],
        "NXRRSET",
    ),
    (&["prereq yxrrset nobody.t.example A 192.0.2.1"], "NXRRSET"),
    (&["prereq yxdomain WWW.T.EXAMPLE", "prereq nxrrset www.t.example AAAA"], "NOERROR"),
    (&["prereq yxdomain www.t.example", "prereq nxdomain alias.t.example"], "YXDOMAIN"),
    (&["prereq yxdomain www.other.example"], "NOTZONE"),
];

#[test]
fn rfc2136_3_2_every_prerequisite_by_nsupdate_and_knsupdate() {
    let (_folder, service, key) = serve();
    for (row, (prerequisites, expected)) in PREREQUISITES.iter().enumerate() {
        let outcome = if *expected == "NOERROR" { "done" } else { &expected.to_lowercase() };
        let before = counted(&service, outcome);
        for (number, way) in two_ways(row).into_iter().enumerate() {
            let name = format!("row-{row}-{number}");
            let add = format!("update add {name}.{ZONE} 60 TXT {number}");
            let zone = format!("zone {ZONE}");
            let lines = [&[zone.as_str()][..], prerequisites, &[add.as_str()]].concat();
            let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&key), way);
            assert_eq!(rcode, *expected, "{prerequisites:?} {way:?}: {said}");
            let published: &[&str] = if *expected == "NOERROR" { &["\"{}\""] } else { &[] };
            let published: Vec<String> =
                published.iter().map(|text| text.replace("{}", &number.to_string())).collect();
            assert_eq!(at(&service, &name, "TXT"), published, "{prerequisites:?} {way:?}");
        }
        assert_eq!(counted(&service, outcome), before + 2, "{prerequisites:?}");
        let logged = format!("outcome=\"{outcome}\"");
        assert!(service.talk().contains(&logged), "no {logged}: {}", service.talk());
    }
}

#[test]
fn rfc2136_3_1_a_zone_that_is_not_served_and_a_name_outside_by_nsupdate_and_knsupdate() {
    let (_folder, service, key) = serve();
    let before = serial(service.dns, ZONE);
    for (lines, expected) in [
        (["zone other.example", "update add www.other.example 60 A 192.0.2.9"], "NOTAUTH"),
        (["zone www.t.example", "update add www.t.example 60 A 192.0.2.9"], "NOTAUTH"),
        (["zone t.example", "update add www.other.example 60 A 192.0.2.9"], "NOTZONE"),
    ] {
        for way in WAYS {
            let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&key), way);
            assert_eq!(rcode, expected, "{lines:?} {way:?}: {said}");
        }
    }
    assert_eq!(at(&service, "www", "A"), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(serial(service.dns, ZONE), before);
}

/// Updates in one message; a name and type; what is there then; whether the serial moves.
type Step<'a> = (&'a [&'a str], (&'a str, &'a str), &'a [&'a str], bool);

const STEPS: &[Step<'_>] = &[
    // RFC 2136 §2.5.1: add to an RRset.
    (&["update add h.t.example 60 A 192.0.2.7"], ("h", "A"), &["192.0.2.7"], true),
    (&["update add h.t.example 60 A 192.0.2.7"], ("h", "A"), &["192.0.2.7"], false),
    (&["update add h.t.example 60 A 192.0.2.8"], ("h", "A"), &["192.0.2.7", "192.0.2.8"], true),
    (&["update add h.t.example 60 AAAA 2001:db8::7"], ("h", "AAAA"), &["2001:db8::7"], true),
    (
        &[r#"update add h.t.example 60 TXT "two words" "and more""#],
        ("h", "TXT"),
        &[r#""two words" "and more""#],
        true,
    ),
    (
        &[r"update add h.t.example 60 TYPE65280 \# 3 010203"],
        ("h", "TYPE65280"),
        &[r"\# 3 010203"],
        true,
    ),
    (&["update add *.h.t.example 60 A 192.0.2.6"], ("any.h", "A"), &["192.0.2.6"], true),
    // §2.5.4: delete a record from an RRset.
    (&["update delete h.t.example A 192.0.2.7"], ("h", "A"), &["192.0.2.8"], true),
    (&["update delete h.t.example A 192.0.2.7"], ("h", "A"), &["192.0.2.8"], false),
    (&["update delete h.t.example A 192.0.2.8"], ("h", "A"), &[], true),
    // §2.5.2: delete an RRset.
    (&["update delete h.t.example AAAA"], ("h", "AAAA"), &[], true),
    (&["update delete h.t.example AAAA"], ("h", "TXT"), &[r#""two words" "and more""#], false),
    // §2.5.3: delete all RRsets from a name.
    (&["update delete h.t.example"], ("h", "TXT"), &[], true),
    (&["update delete h.t.example"], ("h", "TYPE65280"), &[], false),
    (&["update delete *.h.t.example"], ("any.h", "A"), &[], true),
    // One message in its order: replace as DHCP servers do; the first is undone by the last.
    (
        &["update delete r.t.example A", "update add r.t.example 60 A 192.0.2.7"],
        ("r", "A"),
        &["192.0.2.7"],
        true,
    ),
    (
        &["update delete r.t.example A", "update add r.t.example 60 A 192.0.2.8"],
        ("r", "A"),
        &["192.0.2.8"],
        true,
    ),
    (
        &["update delete r.t.example A", "update add r.t.example 60 A 192.0.2.8"],
        ("r", "A"),
        &["192.0.2.8"],
        false,
    ),
    (
        &["update add r.t.example 60 A 192.0.2.9", "update delete r.t.example"],
        ("r", "A"),
        &[],
        true,
    ),
    // §3.4.2.2: a CNAME and other data exclude each other, whoever was first; the rest is done.
    (&["update add www.t.example 60 CNAME t.example."], ("www", "CNAME"), &[], false),
    (
        &["update add alias.t.example 60 A 192.0.2.7"],
        ("alias", "CNAME"),
        &["www.t.example."],
        false,
    ),
    (
        &["update add alias.t.example 300 CNAME t.example."],
        ("alias", "CNAME"),
        &["t.example."],
        true,
    ),
    // §3.4.2.3, §3.4.2.4: the apex keeps its SOA and a name server.
    (&["update add t.example 60 TXT apex"], ("@", "TXT"), &["\"apex\""], true),
    (&["update delete t.example SOA"], ("@", "TXT"), &["\"apex\""], false),
    (&["update delete t.example NS"], ("@", "NS"), &["ns1.t.example."], false),
    (&["update delete t.example NS ns1.t.example."], ("@", "NS"), &["ns1.t.example."], false),
    (&["update delete t.example"], ("@", "TXT"), &[], true),
    (&["update delete t.example"], ("@", "NS"), &["ns1.t.example."], false),
    (
        &["update add t.example 300 NS ns2.t.example."],
        ("@", "NS"),
        &["ns1.t.example.", "ns2.t.example."],
        true,
    ),
    (&["update delete t.example NS ns1.t.example."], ("@", "NS"), &["ns2.t.example."], true),
];

#[test]
fn rfc2136_3_4_every_form_of_update_by_nsupdate_and_knsupdate() {
    for sender in 0..2 {
        let (_folder, service, key) = serve();
        let mut unchanged = 0;
        for (step, (updates, (name, rtype), expected, moves)) in STEPS.iter().enumerate() {
            let way = two_ways(step)[sender];
            let name = if *name == "@" { ZONE.to_owned() } else { format!("{name}.{ZONE}") };
            let before = serial(service.dns, ZONE);
            let lines = [&["zone t.example"], *updates].concat();
            let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&key), way);
            assert_eq!(rcode, "NOERROR", "{updates:?} {way:?}: {said}");
            assert_eq!(short(service.dns, &name, rtype), *expected, "{updates:?} {way:?}");
            let after = serial(service.dns, ZONE);
            assert_eq!(after != before, *moves, "{updates:?} {way:?}: {before} {after}");
            unchanged += u64::from(!moves);
        }
        assert_eq!(counted(&service, "unchanged"), unchanged, "{}", service.talk());
    }
}

#[test]
fn rfc2136_3_4_2_2_a_new_ttl_is_that_of_the_whole_rrset_by_nsupdate() {
    let (_folder, service, key) = serve();
    for way in WAYS {
        for ttl_s in [77, 78] {
            let add = format!("update add www.t.example {ttl_s} A 192.0.2.2");
            let lines = ["zone t.example", &add];
            let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&key), way);
            assert_eq!(rcode, "NOERROR", "{way:?}: {said}");
            let full = dns::run(service.dns, &["www.t.example", "A", "+noall", "+answer"], ASKED);
            let ttls: Vec<&str> =
                full.out.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
            assert_eq!(ttls, vec![ttl_s.to_string(); 2], "{way:?}: {full}");
        }
    }
}

#[test]
fn rfc2136_3_4_2_2_a_soa_replaces_an_older_one_only_by_nsupdate_and_knsupdate() {
    for way in WAYS {
        let (_folder, service, key) = serve();
        let newer = serial(service.dns, ZONE).wrapping_add(1000);
        for given in [newer, newer - 500, newer] {
            let add = format!("update add t.example 300 SOA ns1 new {given} 3600 600 86400 60");
            let add = add.replace("ns1 new", "ns1.t.example. new.t.example.");
            let (rcode, said) =
                send(service.dns, &["zone t.example", &add], Signed::Tsig(&key), way);
            assert_eq!(rcode, "NOERROR", "{way:?}: {said}");
            assert_eq!(serial(service.dns, ZONE), newer, "{way:?}");
        }
        assert!(short(service.dns, ZONE, "SOA").concat().contains("new.t.example."));
    }
}

#[test]
fn a_large_update_goes_over_tcp_by_itself_and_is_one_change() {
    let (_folder, service, key) = serve();
    let before = serial(service.dns, ZONE);
    let add = |number| format!("update add big.t.example 60 TXT {number:0>250}");
    let adds: Vec<String> = (0..200).map(add).collect();
    let mut lines: Vec<&str> = adds.iter().map(String::as_str).collect();
    lines.insert(0, "zone t.example");
    // nsupdate takes TCP for what is too long for UDP.
    let (rcode, said) = send(service.dns, &lines, Signed::Tsig(&key), WAYS[0]);
    assert_eq!(rcode, "NOERROR", "{said}");
    assert_eq!(count_texts(service.dns), 200);
    assert_eq!(serial(service.dns, ZONE), before.wrapping_add(1));
}

fn count_texts(server: SocketAddr) -> usize {
    let way = (dns::Asker::Dig, dns::Over::Tcp);
    dns::ask(server, "big.t.example", "TXT", way).expect("an answer").len()
}

const ASKED: (dns::Asker, dns::Over) = dns::WAYS[0];

const TEXT: &str = r"
$TTL 300
@        SOA ns1 hostmaster 1 3600 600 86400 60
@        NS  ns1
ns1      A   192.0.2.53
ns2      A   192.0.2.54
www      A   192.0.2.1
www      A   192.0.2.2
alias    CNAME www
*.wild   A   192.0.2.7
a.ent    A   192.0.2.9
";
