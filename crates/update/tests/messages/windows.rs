//! The DNS client of Windows: it looks with prerequisites alone first, then replaces.

use wire::{Rcode, Rtype};

use crate::kit::{Names, World, message};

fn send(world: &World, prerequisites: &[&str], edits: &[&str]) -> Rcode {
    world.send(&message("corp.example.", Names::Compressed, prerequisites, edits))
}

const NO_ALIAS: &str = "WIN7 NONE CNAME";
const REPLACE: [&str; 2] = ["WIN7 ANY A", "WIN7 IN A 1200 192.168.1.134"];

#[test]
fn windows_the_message_has_the_octets_of_the_wire() {
    let expected: &[&[u8]] = &[
        b"\x4f\xce\x28\0\0\x01\0\x01\0\x02\0\0",
        b"\x04corp\x07example\0\0\x06\0\x01",
        b"\x04WIN7\xc0\x0c\0\x05\0\xfe\0\0\0\0\0\0",
        b"\xc0\x1e\0\x01\0\xff\0\0\0\0\0\0",
        b"\xc0\x1e\0\x01\0\x01\0\0\x04\xb0\0\x04\xc0\xa8\x01\x86",
    ];
    let octets = expected.concat();
    assert_eq!(message("corp.example.", Names::Compressed, &[NO_ALIAS], &REPLACE), octets);
    let world = World::new("corp.example.", &[]);
    assert_eq!(world.send(&octets), Rcode::NOERROR);
    world.check(&["win7 1200 A 192.168.1.134"]);
}

#[test]
fn windows_asks_with_prerequisites_alone_whether_it_is_registered() {
    let world = World::new("corp.example.", &[]);
    let look = [NO_ALIAS, "WIN7 IN A 0 192.168.1.134"];
    assert_eq!(send(&world, &look, &[]), Rcode::NXRRSET);
    assert_eq!(send(&world, &[NO_ALIAS], &REPLACE), Rcode::NOERROR);
    let serial = world.serial();
    assert_eq!(send(&world, &look, &[]), Rcode::NOERROR);
    // The registration of every day changes nothing, and the serial stays.
    assert_eq!(send(&world, &[NO_ALIAS], &REPLACE), Rcode::NOERROR);
    assert_eq!(world.serial(), serial);
}

#[test]
fn windows_does_not_register_over_an_alias() {
    let world = World::new("corp.example.", &["win7 60 CNAME other", "other 60 A 192.0.2.1"]);
    assert_eq!(send(&world, &[NO_ALIAS], &REPLACE), Rcode::YXRRSET);
    // Without the prerequisite the address is passed over in silence (RFC 2136 §3.4.2.2).
    assert_eq!(send(&world, &[], &REPLACE), Rcode::NOERROR);
    assert_eq!((world.count("win7", Rtype::CNAME), world.count("win7", Rtype::A)), (1, 0));
}

#[test]
fn windows_hosts_with_two_addresses_register_both_and_deregister_each() {
    let world = World::new("corp.example.", &[]);
    let both = ["win7 ANY A", "win7 IN A 1200 192.168.1.134", "win7 IN A 1200 10.0.0.134"];
    assert_eq!(send(&world, &[], &both), Rcode::NOERROR);
    world.check(&["win7 1200 A 10.0.0.134", "win7 1200 A 192.168.1.134"]);
    assert_eq!(send(&world, &[], &["win7 NONE A 0 10.0.0.134"]), Rcode::NOERROR);
    world.check(&["win7 1200 A 192.168.1.134"]);
}

#[test]
fn windows_domain_controllers_register_services_below_underscores() {
    let world = World::new("corp.example.", &[]);
    let edits = [
        "_ldap._tcp.dc._msdcs IN SRV 600 0 100 389 dc1.corp.example.",
        "_ldap._tcp.dc._msdcs IN SRV 600 0 100 389 dc2.corp.example.",
        "@ IN A 600 192.168.1.2",
    ];
    assert_eq!(send(&world, &[], &edits), Rcode::NOERROR);
    let gone = ["_ldap._tcp.dc._msdcs NONE SRV 0 0 100 389 DC2.corp.example."];
    assert_eq!(send(&world, &[], &gone), Rcode::NOERROR);
    world.check(&[
        "@ 600 A 192.168.1.2",
        "_ldap._tcp.dc._msdcs 600 SRV 0 100 389 dc1.corp.example.",
    ]);
}
