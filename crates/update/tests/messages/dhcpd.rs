//! ISC dhcpd 4.4: `ddns-update-style standard` with DHCID, `interim` with TXT.

use wire::Rcode;

use crate::kit::{Names, World, message, signed};

/// What marks a name as a client's.
#[derive(Clone, Copy)]
struct Style {
    rtype: &'static str,
    mine: &'static str,
    other: &'static str,
    /// As it is shown.
    shown: &'static str,
}

const STANDARD: Style = Style {
    rtype: "DHCID",
    mine: "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    other: "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No=",
    shown: "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
};
const INTERIM: Style = Style {
    rtype: "TXT",
    mine: "31285dccd16f2124d6f56abb868002f201",
    other: "00cc5fa5b0b1a2d3c4e5f60718293a4b5c",
    shown: "\"31285dccd16f2124d6f56abb868002f201\"",
};

fn send(world: &World, prerequisites: &[&str], edits: &[&str]) -> Rcode {
    world.send(&signed(message("corp.example.", Names::Compressed, prerequisites, edits)))
}

/// Claims a name or moves it: the codes, one for each message.
fn add(world: &World, rtype: &str, mark: &str, address: &str) -> Vec<Rcode> {
    let (marks, adds) = (format!("pc IN {rtype} 300 {mark}"), format!("pc IN A 300 {address}"));
    let mut codes = vec![send(world, &["pc NONE ANY"], &[&adds, &marks])];
    if codes == [Rcode::YXDOMAIN] {
        let own = format!("pc IN {rtype} 0 {mark}");
        codes.push(send(world, &[&own], &["pc ANY A", &adds]));
    }
    codes
}

/// Removes the address, then the mark when no address is left.
fn remove(world: &World, rtype: &str, mark: &str, address: &str) -> Vec<Rcode> {
    let own = format!("pc IN {rtype} 0 {mark}");
    let mut codes = vec![send(world, &[&own], &[&format!("pc NONE A 0 {address}")])];
    if codes == [Rcode::NOERROR] {
        let mark = format!("pc NONE {rtype} 0 {mark}");
        codes.push(send(world, &["pc NONE A", "pc NONE AAAA"], &[&mark]));
    }
    codes
}

#[test]
fn dhcpd_standard_and_interim_claim_move_and_remove() {
    for Style { rtype, mine, other, shown } in [STANDARD, INTERIM] {
        let world = World::new("corp.example.", &[]);
        assert_eq!(add(&world, rtype, mine, "10.0.0.1"), [Rcode::NOERROR], "{rtype}");
        assert_eq!(add(&world, rtype, mine, "10.0.0.2"), [Rcode::YXDOMAIN, Rcode::NOERROR]);
        assert_eq!(add(&world, rtype, other, "10.0.0.3"), [Rcode::YXDOMAIN, Rcode::NXRRSET]);
        world.check(&["pc 300 A 10.0.0.2", &format!("pc 300 {rtype} {shown}")]);
        assert_eq!(remove(&world, rtype, other, "10.0.0.2"), [Rcode::NXRRSET]);
        assert_eq!(remove(&world, rtype, mine, "10.0.0.2"), [Rcode::NOERROR, Rcode::NOERROR]);
        world.check(&[]);
        // The loser has it at its next renewal.
        assert_eq!(add(&world, rtype, other, "10.0.0.3"), [Rcode::NOERROR]);
    }
}

#[test]
fn dhcpd_keeps_the_mark_while_another_address_is_there() {
    let world = World::new("corp.example.", &["pc 300 AAAA 2001:db8::1"]);
    let Style { rtype, mine, shown, .. } = STANDARD;
    let mark = format!("pc IN {rtype} 300 {mine}");
    assert_eq!(send(&world, &[], &[&mark, "pc IN A 300 10.0.0.1"]), Rcode::NOERROR);
    assert_eq!(remove(&world, rtype, mine, "10.0.0.1"), [Rcode::NOERROR, Rcode::YXRRSET]);
    world.check(&["pc 300 AAAA 2001:db8::1", &format!("pc 300 {rtype} {shown}")]);
}

#[test]
fn dhcpd_reverse_names_have_no_prerequisite() {
    let zone = "0.10.in-addr.arpa.";
    let world = World::new(zone, &[]);
    let send = |edits: &[&str]| world.send(&signed(message(zone, Names::Compressed, &[], edits)));
    let add = ["1.0 ANY PTR", "1.0 IN PTR 300 pc.corp.example."];
    assert_eq!(send(&add), Rcode::NOERROR);
    world.check(&["1.0 300 PTR pc.corp.example."]);
    assert_eq!(send(&["1.0 ANY PTR"]), Rcode::NOERROR);
    assert_eq!(send(&["1.0 ANY PTR"]), Rcode::NOERROR, "deleting nothing is no fault");
    world.check(&[]);
}
