//! ACME clients proving a name with TXT records: lego, cert-manager, certbot.

use wire::Rcode;

use crate::kit::{Names, World, message, signed};

const ZONE: &str = "example.org.";
const ONE: &str = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";
const TWO: &str = "7bHh_8rUxUxvKjwDFtGCkmqUZyhe4SJhtYjBZzbkcGE";

/// Written by miekg/dns: names in full.
fn in_go(world: &World, edits: &[&str]) -> Rcode {
    world.send(&signed(message(ZONE, Names::Plain, &[], edits)))
}

/// Written by dnspython: names compressed.
fn in_python(world: &World, edits: &[&str]) -> Rcode {
    world.send(&signed(message(ZONE, Names::Compressed, &[], edits)))
}

fn add(ttl_s: u32, value: &str) -> String {
    format!("_acme-challenge IN TXT {ttl_s} {value}")
}

fn delete(value: &str) -> String {
    format!("_acme-challenge NONE TXT 0 {value}")
}

#[test]
fn lego_the_message_has_the_octets_of_the_wire() {
    let owner = b"\x0f_acme-challenge\x07example\x03org\0";
    let octets = [
        &b"\x4f\xce\x28\0\0\x01\0\0\0\x02\0\0\x07example\x03org\0\0\x06\0\x01"[..],
        owner,
        b"\0\x10\0\xff\0\0\0\0\0\0",
        owner,
        b"\0\x10\0\x01\0\0\0\x78\0\x2c\x2b",
        ONE.as_bytes(),
    ]
    .concat();
    let edits = ["_acme-challenge ANY TXT", &add(120, ONE)];
    assert_eq!(message(ZONE, Names::Plain, &[], &edits), octets);
    let world = World::new(ZONE, &[]);
    assert_eq!(world.send(&octets), Rcode::NOERROR);
    world.check(&[&format!("_acme-challenge 120 TXT \"{ONE}\"")]);
}

#[test]
fn lego_replaces_old_challenges_and_cleans_up_its_own() {
    let world = World::new(ZONE, &["_acme-challenge 60 TXT forgotten"]);
    for value in [ONE, TWO] {
        let edits = ["_acme-challenge ANY TXT", &add(120, value)];
        assert_eq!(in_go(&world, &edits), Rcode::NOERROR);
        world.check(&[&format!("_acme-challenge 120 TXT \"{value}\"")]);
    }
    assert_eq!(in_go(&world, &[&delete(ONE)]), Rcode::NOERROR, "not there any more");
    assert_eq!(in_go(&world, &[&delete(TWO)]), Rcode::NOERROR);
    world.check(&[]);
}

#[test]
fn cert_manager_keeps_the_values_of_apex_and_wildcard_beside_each_other() {
    let world = World::new(ZONE, &[]);
    assert_eq!(in_go(&world, &[&add(60, ONE)]), Rcode::NOERROR);
    assert_eq!(in_go(&world, &[&add(60, TWO)]), Rcode::NOERROR);
    let [one, two] = [ONE, TWO].map(|value| format!("_acme-challenge 60 TXT \"{value}\""));
    world.check(&[&one, &two]);
    assert_eq!(in_go(&world, &[&delete(ONE)]), Rcode::NOERROR);
    world.check(&[&two]);
    assert_eq!(in_go(&world, &[&delete(TWO)]), Rcode::NOERROR);
    world.check(&[]);
}

#[test]
fn certbot_adds_and_deletes_values_with_compressed_names() {
    let world = World::new(ZONE, &["@ 60 TXT \"v=spf1 -all\""]);
    assert_eq!(in_python(&world, &[&add(120, ONE)]), Rcode::NOERROR);
    assert_eq!(in_python(&world, &[&add(120, TWO)]), Rcode::NOERROR);
    assert_eq!(in_python(&world, &[&delete(TWO)]), Rcode::NOERROR);
    let spf = "@ 60 TXT \"v=spf1 -all\"";
    world.check(&[spf, &format!("_acme-challenge 120 TXT \"{ONE}\"")]);
    // Case counts in TXT: this one is not there.
    assert_eq!(in_python(&world, &[&delete(&ONE.to_lowercase())]), Rcode::NOERROR);
    assert_eq!(in_python(&world, &[&delete(ONE)]), Rcode::NOERROR);
    world.check(&[spf]);
}

#[test]
fn acme_challenges_of_a_name_that_is_delegated_by_an_alias_go_to_its_target() {
    let world = World::new(ZONE, &["_acme-challenge 60 CNAME proof"]);
    // A client that does not follow the alias is told that all is well, and nothing changes
    // (RFC 2136 §3.4.2.2); one that does writes at the target.
    assert_eq!(in_go(&world, &[&add(60, ONE)]), Rcode::NOERROR);
    assert_eq!(in_go(&world, &[&format!("proof IN TXT 60 {ONE}")]), Rcode::NOERROR);
    let (alias, text) =
        ("_acme-challenge 60 CNAME proof.example.org.", format!("proof 60 TXT \"{ONE}\""));
    world.check(&[alias, &text]);
}
