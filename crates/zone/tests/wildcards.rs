//! RFC 4592: the example of its section 2.2.1, and what it says about types at a wildcard.

#[path = "scene/scene.rs"]
mod scene;

use scene::{check, zone};
use zone::Zone;

const SOA: &str = "ns example. 60 SOA ns.example. host.example. 1 2 3 4 60";

/// RFC 4592 §2.2.1, letter by letter but for the data that it leaves open.
fn example() -> Zone {
    zone(
        "example.",
        r#"$TTL 3600
        @                      SOA ns host 1 2 3 4 60
        @                      NS  ns.example.com.
        @                      NS  ns.example.net.
        *                      TXT "this is a wildcard"
        *                      MX  10 host1
        sub.*                  TXT "this is not a wildcard"
        host1                  A   192.0.2.1
        _ssh._tcp.host1        SRV 0 0 22 host1
        _ssh._tcp.host2        SRV 0 0 22 host1
        subdel                 NS  ns.example.com.
        subdel                 NS  ns.example.net."#,
    )
}

#[test]
fn rfc4592_2_2_1_what_the_wildcard_answers() {
    let zone = example();
    check(
        &zone,
        "host3.example. MX",
        &[
            "NOERROR aa",
            "an host3.example. 3600 MX 10 host1.example.",
            "ad host1.example. 3600 A 192.0.2.1",
        ],
    );
    check(&zone, "host3.example. A", &["NOERROR aa", SOA]);
    check(
        &zone,
        "foo.bar.example. TXT",
        &["NOERROR aa", "an foo.bar.example. 3600 TXT \"this is a wildcard\""],
    );
}

#[test]
fn rfc4592_2_2_1_what_the_wildcard_does_not_answer() {
    let zone = example();
    check(&zone, "host1.example. MX", &["NOERROR aa", SOA]);
    check(&zone, "sub.*.example. MX", &["NOERROR aa", SOA]);
    check(&zone, "_telnet._tcp.host1.example. SRV", &["NXDOMAIN aa", SOA]);
    check(
        &zone,
        "host.subdel.example. A",
        &[
            "NOERROR",
            "ns subdel.example. 3600 NS ns.example.com.",
            "ns subdel.example. 3600 NS ns.example.net.",
        ],
    );
    check(&zone, "ghost.*.example. MX", &["NXDOMAIN aa", SOA]);
}

#[test]
fn rfc4592_2_2_2_empty_non_terminals_block_the_wildcard() {
    let zone = example();
    for question in ["host2.example. MX", "_tcp.host1.example. MX", "_tcp.host2.example. TXT"] {
        check(&zone, question, &["NOERROR aa", SOA]);
    }
}

#[test]
fn rfc4592_2_1_3_the_wildcard_is_a_name_like_others() {
    let zone = example();
    check(
        &zone,
        "*.example. TXT",
        &["NOERROR aa", "an *.example. 3600 TXT \"this is a wildcard\""],
    );
    check(
        &zone,
        "sub.*.example. TXT",
        &["NOERROR aa", "an sub.*.example. 3600 TXT \"this is not a wildcard\""],
    );
    check(&zone, "*.host1.example. A", &["NXDOMAIN aa", SOA]);
}

#[test]
fn rfc4592_4_3_a_cname_at_a_wildcard_is_followed() {
    let zone = zone(
        "z.",
        "@ 60 SOA a b 1 2 3 4 60
        *.w 60 CNAME x.t
        *.t 60 A 192.0.2.1
        *.d 60 CNAME nowhere.q
        *.q 60 TXT x",
    );
    check(
        &zone,
        "q.w.z. A",
        &["NOERROR aa", "an q.w.z. 60 CNAME x.t.z.", "an x.t.z. 60 A 192.0.2.1"],
    );
    check(&zone, "q.w.z. CNAME", &["NOERROR aa", "an q.w.z. 60 CNAME x.t.z."]);
    check(
        &zone,
        "q.d.z. A",
        &["NOERROR aa", "an q.d.z. 60 CNAME nowhere.q.z.", "ns z. 60 SOA a.z. b.z. 1 2 3 4 60"],
    );
}

#[test]
fn rfc4592_4_2_ns_and_ds_at_a_wildcard_are_data_and_below_it_a_cut() {
    let zone = zone(
        "z.",
        "@ 60 SOA a b 1 2 3 4 60
        *.w 60 NS ns.test.",
    );
    check(&zone, "q.w.z. NS", &["NOERROR aa", "an q.w.z. 60 NS ns.test."]);
    check(&zone, "q.w.z. A", &["NOERROR aa", "ns z. 60 SOA a.z. b.z. 1 2 3 4 60"]);
    check(&zone, "q.*.w.z. A", &["NOERROR", "ns *.w.z. 60 NS ns.test."]);
}

#[test]
fn rfc4592_4_4_dname_at_a_wildcard_is_data() {
    let zone = zone("z.", "@ 60 SOA a b 1 2 3 4 60\n*.w 60 DNAME t");
    check(&zone, "q.w.z. DNAME", &["NOERROR aa", "an q.w.z. 60 DNAME t.z."]);
    check(&zone, "q.w.z. A", &["NOERROR aa", "ns z. 60 SOA a.z. b.z. 1 2 3 4 60"]);
}

#[test]
fn rfc4592_4_9_an_empty_non_terminal_wildcard_covers_with_nothing() {
    let zone = zone("z.", "@ 60 SOA a b 1 2 3 4 60\na.*.w 60 A 192.0.2.1");
    let soa = "ns z. 60 SOA a.z. b.z. 1 2 3 4 60";
    check(&zone, "q.w.z. A", &["NOERROR aa", soa]);
    check(&zone, "a.*.w.z. A", &["NOERROR aa", "an a.*.w.z. 60 A 192.0.2.1"]);
    check(&zone, "b.*.w.z. A", &["NXDOMAIN aa", soa]);
}

#[test]
fn a_wildcard_below_a_delegation_is_not_ours_to_expand() {
    let zone = zone(
        "z.",
        "@ 60 SOA a b 1 2 3 4 60
        d 60 NS ns.test.
        *.d 60 A 192.0.2.1
        *.x.d 60 A 192.0.2.2",
    );
    for question in ["q.d.z. A", "*.d.z. A", "q.x.d.z. A"] {
        check(&zone, question, &["NOERROR", "ns d.z. 60 NS ns.test."]);
    }
}

#[test]
fn a_wildcard_below_an_empty_non_terminal_covers_what_lies_below_it() {
    let zone = zone("z.", "@ 60 SOA a b 1 2 3 4 60\n*.e 60 A 192.0.2.1\n* 60 TXT far");
    check(&zone, "q.e.z. A", &["NOERROR aa", "an q.e.z. 60 A 192.0.2.1"]);
    check(&zone, "p.q.e.z. A", &["NOERROR aa", "an p.q.e.z. 60 A 192.0.2.1"]);
    check(&zone, "e.z. A", &["NOERROR aa", "ns z. 60 SOA a.z. b.z. 1 2 3 4 60"]);
    check(&zone, "f.z. TXT", &["NOERROR aa", "an f.z. 60 TXT \"far\""]);
}
