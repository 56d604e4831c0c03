//! The test queries of RFC 8906 §8 and more, asked by `dig` and `kdig` of a zone from a file.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;

use e2e::dns::{Asker, Over, WAYS, ask, run};
use e2e::{Finished, Service, admin, new_folder, program};
use tempfile::TempDir;

const ZONE: &str = "t.example";

/// A service with a zone that has one of everything, imported from a file.
fn serve() -> (TempDir, Service) {
    let folder = new_folder();
    let (data, file) = (folder.path().join("data"), folder.path().join("zone"));
    let mut text = TEXT.to_owned();
    for number in 0..12 {
        text.push_str(&format!("big TXT \"{number:0>250}\"\n"));
    }
    for number in 0..220 {
        text.push_str(&format!("huge TXT \"{number:0>250}\"\n"));
    }
    fs::write(&file, text).expect("a file");
    admin(&data, &["zone", "import", ZONE, file.to_str().expect("a path")]);
    let service = Service::serve(&data);
    (folder, service)
}

/// One query: what it is called, the arguments of `dig`, what its output has, and what it has not.
type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

fn check(service: &Service, over: Over, rows: &[Row<'_>]) {
    for (row, arguments, has, has_not) in rows {
        let asked = [&["+tries=1"][..], arguments].concat();
        let said = run(service.dns, &asked, (Asker::Dig, over)).ok();
        for text in *has {
            assert!(said.out.contains(text), "{row}: no `{text}` in {said}");
        }
        // Whatever is asked, no bit comes back that must be zero, and no complaint of the reader.
        for text in has_not.iter().chain(&["MBZ", "Warning", "malformed", "mismatch"]) {
            assert!(!said.out.contains(text), "{row}: `{text}` in {said}");
        }
    }
}

const NOERROR: &str = "status: NOERROR";
/// One SOA record with authority, without OPT and with it.
const SOA: &[&str] = &[NOERROR, "flags: qr aa; QUERY: 1, ANSWER: 1,", "SOA\tns1.t.example."];
const SOA_EDNS: &[&str] =
    &[NOERROR, "flags: qr aa; QUERY: 1, ANSWER: 1,", "SOA\tns1.t.example.", EDNS];
const EDNS: &str = "; EDNS: version: 0, flags:; udp: 1232";
const BADVERS: &[&str] = &["status: BADVERS", EDNS, "ANSWER: 0,"];

#[test]
fn rfc8906_8_1_basic_dns_queries_by_dig() {
    let (_folder, service) = serve();
    let rows: &[Row<'_>] = &[
        ("8.1.1 zone", &["+noedns", "+noad", "+norec", "soa", ZONE], SOA, &["EDNS:"]),
        (
            "8.1.2 unknown type",
            &["+noedns", "+noad", "+norec", "type1000", ZONE],
            &[NOERROR, "flags: qr aa; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 0"],
            &["EDNS:"],
        ),
        ("8.1.3.1 CD", &["+noedns", "+noad", "+norec", "+cd", "soa", ZONE], SOA, &["EDNS:"]),
        ("8.1.3.2 AD", &["+noedns", "+norec", "+ad", "soa", ZONE], SOA, &["EDNS:"]),
        ("8.1.3.3 Z", &["+noedns", "+noad", "+norec", "+zflag", "soa", ZONE], SOA, &["EDNS:"]),
        (
            "8.1.3.4 RD",
            &["+noedns", "+noad", "+rec", "soa", ZONE],
            &[NOERROR, "flags: qr aa rd; QUERY: 1, ANSWER: 1,"],
            &["EDNS:"],
        ),
        (
            "8.1.4 unknown opcode",
            &["+noedns", "+noad", "+opcode=15", "+norec", "+header-only"],
            &["status: NOTIMP", "opcode: RESERVED15", "flags: qr; QUERY: 0, ANSWER: 0,"],
            &["EDNS:", "SOA"],
        ),
    ];
    check(&service, Over::Udp, rows);
    // 8.1.5: the same over TCP.
    check(&service, Over::Tcp, rows);
}

#[test]
fn rfc8906_8_2_edns_queries_by_dig() {
    let (_folder, service) = serve();
    let common = ["+nocookie", "+noad", "+norec", "soa", ZONE];
    let with = |more: &[&'static str]| [more, &common[..]].concat();
    let minimal = with(&["+edns=0"]);
    let version = with(&["+edns=1", "+noednsneg"]);
    let option = with(&["+edns=0", "+ednsopt=100"]);
    let flags = with(&["+edns=0", "+ednsflags=0x40"]);
    let version_flags = with(&["+edns=1", "+noednsneg", "+ednsflags=0x40"]);
    let version_option = with(&["+edns=1", "+noednsneg", "+ednsopt=100"]);
    let dnssec = with(&["+edns=0", "+dnssec"]);
    let version_dnssec = with(&["+edns=1", "+noednsneg", "+dnssec"]);
    let many = ["+edns=0", "+nsid", "+cookie", "+subnet=0.0.0.0/0", "+expire", "+keepalive"];
    let many = [&many[..], &["+noad", "+norec", "soa", ZONE]].concat();
    let cut = ["+norec", "+dnssec", "+bufsize=512", "+ignore", "txt", "big.t.example"];
    let rows: &[Row<'_>] = &[
        ("8.2.1 minimal EDNS", &minimal, SOA_EDNS, &[]),
        ("8.2.2 unknown version", &version, BADVERS, &["SOA\tns1"]),
        ("8.2.3 unknown option", &option, SOA_EDNS, &["OPT=100"]),
        ("8.2.4 unknown flags", &flags, SOA_EDNS, &[]),
        ("8.2.5 version and flags", &version_flags, BADVERS, &["SOA\tns1"]),
        ("8.2.6 version and option", &version_option, BADVERS, &["SOA\tns1", "OPT=100"]),
        ("8.2.8 DO", &dnssec, &[NOERROR, "ANSWER: 1,", "version: 0, flags: do;"], &[]),
        ("8.2.9 version and DO", &version_dnssec, &["BADVERS", "version: 0, flags: do;"], &[]),
        ("8.2.10 defined options", &many, SOA_EDNS, &["OPT="]),
    ];
    check(&service, Over::Udp, rows);
    check(&service, Over::Tcp, rows);
    check(
        &service,
        Over::Udp,
        &[("8.2.7 truncated", &cut, &[NOERROR, "flags: qr aa tc;", "version: 0, flags: do;"], &[])],
    );
}

#[test]
fn rfc8906_7_codes_for_what_is_not_ours_or_not_offered_by_dig() {
    let (_folder, service) = serve();
    let ede = "; EDE: 20 (Not Authoritative)";
    let key = "hmac-sha256:key.example:c2VjcmV0c2VjcmV0c2VjcmV0";
    let rows: &[Row<'_>] = &[
        ("another zone", &["a", "www.other.example"], &["status: REFUSED", EDNS, ede], &[" aa"]),
        ("without EDNS", &["+noedns", "a", "www.other.example"], &["status: REFUSED"], &["EDNS:"]),
        ("class CH", &["-c", "CH", "txt", "version.bind"], &["status: REFUSED", ede], &[" aa"]),
        ("NOTIFY", &["+opcode=notify", "soa", ZONE], &["status: NOTIMP", EDNS], &["SOA\tns1"]),
        ("STATUS", &["+opcode=status", "soa", ZONE], &["status: NOTIMP", EDNS], &["SOA\tns1"]),
        ("NXNAME", &["type128", ZONE], &["status: FORMERR", "EDE: 30"], &[" aa"]),
        ("TSIG", &["-y", key, "soa", ZONE], &["status: NOTAUTH"], &["SOA\tns1"]),
    ];
    check(&service, Over::Udp, rows);
    let transfer = run(service.dns, &["axfr", ZONE], (Asker::Dig, Over::Tcp));
    assert!(transfer.out.contains("; Transfer failed."), "{transfer}");
}

#[test]
fn every_kind_of_answer_agrees_in_dig_and_kdig_over_udp_and_tcp() {
    let (_folder, service) = serve();
    for (qname, qtype, expected) in [
        ("www.t.example", "A", &["192.0.2.1"][..]),
        ("WwW.T.eXaMpLe", "AAAA", &["2001:db8::1"]),
        ("any.wild.t.example", "A", &["192.0.2.7"]),
        ("a.b.wild.t.example", "A", &["192.0.2.7"]),
        ("alias.t.example", "A", &["192.0.2.1", "www.t.example."]),
        ("outside.t.example", "A", &["elsewhere.example."]),
        ("www.moved.t.example", "A", &["192.0.2.1", "t.example.", "www.t.example."]),
        ("b.ent.t.example", "TXT", &[]),
        ("nothing.t.example", "A", &[]),
        ("x.sub.t.example", "A", &[]),
    ] {
        for way in WAYS {
            assert_eq!(ask(service.dns, qname, qtype, way), Ok(owned(expected)), "{qname} {way:?}");
        }
    }
    let rows: &[Row<'_>] = &[
        (
            "referral",
            &["+norec", "a", "x.sub.t.example"],
            &[NOERROR, "flags: qr; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 2", "192.0.2.60"],
            &[" aa"],
        ),
        (
            "no such name",
            &["+norec", "a", "nothing.t.example"],
            &["status: NXDOMAIN", "flags: qr aa;", "60\tIN\tSOA"],
            &[],
        ),
        (
            "empty non-terminal",
            &["+norec", "a", "b.ent.t.example"],
            &[NOERROR, "flags: qr aa;", "60\tIN\tSOA"],
            &[],
        ),
    ];
    check(&service, Over::Udp, rows);
}

#[test]
fn rfc7766_5_dig_and_kdig_fetch_a_truncated_answer_over_tcp() {
    let (_folder, service) = serve();
    for asker in ["dig", "kdig"] {
        for (qname, records) in [("big.t.example", 12), ("huge.t.example", 220)] {
            let mut command = program(asker);
            command.args(["-p", &service.dns.port().to_string(), "@127.0.0.1", "+short"]);
            let said = Finished::run(command.args(["txt", qname])).ok();
            let texts = said.out.lines().filter(|line| line.starts_with('"')).count();
            assert_eq!(texts, records, "{said}");
        }
    }
}

#[test]
fn rfc7766_6_2_1_kdig_asks_many_times_over_one_connection() {
    let (_folder, service) = serve();
    let port = service.dns.port().to_string();
    let mut command = program("kdig");
    command.args(["-p", &port, "@127.0.0.1", "+tcp", "+keepopen", "+short"]);
    let many = ["www.t.example", "A"].repeat(50);
    let said = Finished::run(command.args(many)).ok();
    assert_eq!(said.out.lines().collect::<Vec<_>>(), vec!["192.0.2.1"; 50], "{said}");
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

const TEXT: &str = r#"
$TTL 300
@        SOA ns1 hostmaster 1 3600 600 86400 60
@        NS  ns1
ns1      A   192.0.2.53
www      A   192.0.2.1
www      AAAA 2001:db8::1
alias    CNAME www
outside  CNAME elsewhere.example.
*.wild   A   192.0.2.7
sub      NS  ns.sub
ns.sub   A   192.0.2.60
moved    DNAME t.example.
a.b.ent  TXT "below an empty name"
"#;
