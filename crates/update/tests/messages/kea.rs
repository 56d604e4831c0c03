//! Kea's DHCP-DDNS server: every mode of conflict resolution, as its transactions go on from the
//! codes that they get.

use wire::{Rcode, Rtype};

use crate::kit::{Names, World, message, signed};

/// `conflict-resolution-mode`: `check-with-dhcid`, `no-check-with-dhcid`, `check-exists-with-dhcid`,
/// `no-check-without-dhcid`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Check,
    NoCheck,
    CheckExists,
    WithoutDhcid,
}
use Mode::{Check, CheckExists, NoCheck, WithoutDhcid};

/// A lease: its host, who has it, and the address.
#[derive(Clone, Copy)]
struct Lease<'a> {
    host: &'a str,
    dhcid: &'a str,
    address: &'a str,
}

/// A message from its prerequisites and edits.
type Step = (Vec<String>, Vec<String>);

impl Lease<'_> {
    fn rtype(&self) -> &'static str {
        if self.address.contains(':') { "AAAA" } else { "A" }
    }

    /// The step that finds out whether the name is free; the modes that do not ask have none.
    fn claim(&self) -> Step {
        let Lease { host, dhcid, address } = self;
        let prerequisites = vec![format!("{host} NONE ANY")];
        let rtype = self.rtype();
        let edits = vec![
            format!("{host} IN {rtype} 600 {address}"),
            format!("{host} IN DHCID 600 {dhcid}"),
        ];
        (prerequisites, edits)
    }

    /// The step that replaces the address.
    fn replace(&self, mode: Mode) -> Step {
        let Lease { host, dhcid, address } = self;
        let rtype = self.rtype();
        let prerequisites = match mode {
            Check => vec![format!("{host} ANY ANY"), format!("{host} IN DHCID 0 {dhcid}")],
            CheckExists => vec![format!("{host} ANY DHCID")],
            NoCheck | WithoutDhcid => vec![],
        };
        let with_dhcid = matches!(mode, CheckExists | NoCheck);
        let mut edits = vec![format!("{host} ANY {rtype}")];
        edits.extend(with_dhcid.then(|| format!("{host} ANY DHCID")));
        edits.push(format!("{host} IN {rtype} 600 {address}"));
        edits.extend(with_dhcid.then(|| format!("{host} IN DHCID 600 {dhcid}")));
        (prerequisites, edits)
    }

    /// The steps that remove the lease, in order.
    fn removals(&self, mode: Mode) -> Vec<Step> {
        let Lease { host, dhcid, address } = self;
        let rtype = self.rtype();
        let own = format!("{host} IN DHCID 0 {dhcid}");
        let one = vec![format!("{host} NONE {rtype} 0 {address}")];
        let none = [format!("{host} NONE A"), format!("{host} NONE AAAA")];
        let (set, dhcids) = (format!("{host} ANY {rtype}"), format!("{host} ANY DHCID"));
        match mode {
            Check => {
                let rest = std::iter::once(own.clone()).chain(none).collect();
                vec![(vec![own], one), (rest, vec![format!("{host} ANY ANY")])]
            }
            CheckExists => {
                vec![(vec![format!("{host} ANY DHCID")], one), (none.to_vec(), vec![dhcids])]
            }
            NoCheck => vec![(vec![], vec![set, dhcids])],
            WithoutDhcid => vec![(vec![], vec![set])],
        }
    }

    /// The codes that an ADD gets, one for each message.
    fn add(&self, world: &World, mode: Mode) -> Vec<Rcode> {
        if matches!(mode, NoCheck | WithoutDhcid) {
            return vec![send(world, &self.replace(mode))];
        }
        let mut codes = vec![send(world, &self.claim())];
        if codes == [Rcode::YXDOMAIN] {
            codes.push(send(world, &self.replace(mode)));
        }
        codes
    }

    /// The codes that a REMOVE gets. The next step is taken after NOERROR and NXRRSET only.
    fn remove(&self, world: &World, mode: Mode) -> Vec<Rcode> {
        let mut codes = Vec::new();
        for step in self.removals(mode) {
            codes.push(send(world, &step));
            if !matches!(codes.last(), Some(&Rcode::NOERROR | &Rcode::NXRRSET)) {
                break;
            }
        }
        codes
    }
}

fn send_to(world: &World, zone: &str, (prerequisites, edits): &Step) -> Rcode {
    let [prerequisites, edits] =
        [prerequisites, edits].map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
    world.send(&signed(message(zone, Names::Compressed, &prerequisites, &edits)))
}

fn send(world: &World, step: &Step) -> Rcode {
    send_to(world, ZONE, step)
}

fn corp(records: &[&str]) -> World {
    World::new(ZONE, records)
}

const ZONE: &str = "corp.example.";
/// The examples of RFC 4701 §3.6: a DUID, and a client identifier.
const MINE: &str = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=";
const OTHER: &str = "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No=";
const V4: Lease<'_> = Lease { host: "laptop", dhcid: MINE, address: "10.99.0.100" };
const V6: Lease<'_> = Lease { address: "2001:db8::100", ..V4 };

#[test]
fn kea_check_with_dhcid_claims_a_free_name_and_moves_with_its_owner() {
    let world = corp(&[]);
    assert_eq!(V4.add(&world, Check), [Rcode::NOERROR]);
    let moved = Lease { address: "10.99.0.101", ..V4 };
    assert_eq!(moved.add(&world, Check), [Rcode::YXDOMAIN, Rcode::NOERROR]);
    assert_eq!(V6.add(&world, Check), [Rcode::YXDOMAIN, Rcode::NOERROR]);
    world.check(&[
        "laptop 600 A 10.99.0.101",
        "laptop 600 AAAA 2001:db8::100",
        &format!("laptop 600 DHCID {MINE}"),
    ]);
}

#[test]
fn kea_check_with_dhcid_leaves_names_of_others_and_names_without_dhcid_alone() {
    let world = corp(&["printer 3600 A 10.99.0.9", "alias 60 CNAME printer"]);
    V4.add(&world, Check);
    let before = world.serial();
    let refused = [Rcode::YXDOMAIN, Rcode::NXRRSET];
    let thief = Lease { dhcid: OTHER, address: "10.99.0.66", ..V4 };
    assert_eq!(thief.add(&world, Check), refused);
    for host in ["printer", "PRINTER", "alias", "@"] {
        assert_eq!(Lease { host, ..thief }.add(&world, Check), refused, "{host}");
    }
    // What is not its own it does not remove either: step 1 finds another DHCID, and step 2, which
    // Kea takes all the same, an address.
    assert_eq!(thief.remove(&world, Check), [Rcode::NXRRSET, Rcode::YXRRSET]);
    assert_eq!(world.serial(), before);
}

#[test]
fn kea_check_with_dhcid_removes_one_family_and_the_name_with_the_last_one() {
    let world = corp(&[]);
    V4.add(&world, Check);
    V6.add(&world, Check);
    assert_eq!(V4.remove(&world, Check), [Rcode::NOERROR, Rcode::YXRRSET]);
    world.check(&["laptop 600 AAAA 2001:db8::100", &format!("laptop 600 DHCID {MINE}")]);
    assert_eq!(V6.remove(&world, Check), [Rcode::NOERROR, Rcode::NOERROR]);
    world.check(&[]);
    // Once more: nothing is there.
    assert_eq!(V6.remove(&world, Check), [Rcode::NXRRSET, Rcode::NXRRSET]);
}

#[test]
fn kea_check_with_dhcid_goes_back_when_the_name_went_between_its_steps() {
    let world = corp(&[]);
    // The second step alone: the name is not in use, which is told before the missing DHCID.
    assert_eq!(send(&world, &V4.replace(Check)), Rcode::NXDOMAIN);
    assert_eq!(V4.add(&world, Check), [Rcode::NOERROR]);
}

#[test]
fn kea_a_message_that_is_sent_again_finds_its_own_claim() {
    let world = corp(&[]);
    assert_eq!(send(&world, &V4.claim()), Rcode::NOERROR);
    let serial = world.serial();
    assert_eq!(V4.add(&world, Check), [Rcode::YXDOMAIN, Rcode::NOERROR]);
    assert_eq!(world.serial(), serial, "nothing changed");
}

#[test]
fn kea_no_check_with_dhcid_overwrites_and_deletes_by_rrset() {
    let world = corp(&["laptop 3600 A 10.99.0.9", "laptop 60 TXT kept"]);
    assert_eq!(V4.add(&world, NoCheck), [Rcode::NOERROR]);
    let second = Lease { dhcid: OTHER, address: "10.99.0.66", ..V4 };
    assert_eq!(second.add(&world, NoCheck), [Rcode::NOERROR]);
    let dhcid = format!("laptop 600 DHCID {OTHER}");
    world.check(&["laptop 600 A 10.99.0.66", &dhcid, "laptop 60 TXT \"kept\""]);
    // The first one's release takes what the second one has: that is this mode.
    assert_eq!(V4.remove(&world, NoCheck), [Rcode::NOERROR]);
    world.check(&["laptop 60 TXT \"kept\""]);
    assert_eq!(V4.remove(&world, NoCheck), [Rcode::NOERROR]);
}

#[test]
fn kea_check_exists_with_dhcid_takes_names_that_a_server_made() {
    let world = corp(&["printer 3600 A 10.99.0.9"]);
    assert_eq!(V4.add(&world, CheckExists), [Rcode::NOERROR]);
    let second = Lease { dhcid: OTHER, address: "10.99.0.66", ..V4 };
    assert_eq!(second.add(&world, CheckExists), [Rcode::YXDOMAIN, Rcode::NOERROR]);
    let dhcid = format!("laptop 600 DHCID {OTHER}");
    world.check(&["laptop 600 A 10.99.0.66", &dhcid, "printer 3600 A 10.99.0.9"]);
    let printer = Lease { host: "printer", ..second };
    assert_eq!(printer.add(&world, CheckExists), [Rcode::YXDOMAIN, Rcode::NXRRSET]);
    // An address that is not there is no reason to stay.
    assert_eq!(V4.remove(&world, CheckExists), [Rcode::NOERROR, Rcode::YXRRSET]);
    assert_eq!(second.remove(&world, CheckExists), [Rcode::NOERROR, Rcode::NOERROR]);
    world.check(&["printer 3600 A 10.99.0.9"]);
}

#[test]
fn kea_no_check_without_dhcid_writes_addresses_only() {
    let world = corp(&["laptop 3600 A 10.99.0.9", "laptop 3600 A 10.99.0.10"]);
    assert_eq!(V4.add(&world, WithoutDhcid), [Rcode::NOERROR]);
    assert_eq!(V6.add(&world, WithoutDhcid), [Rcode::NOERROR]);
    world.check(&["laptop 600 A 10.99.0.100", "laptop 600 AAAA 2001:db8::100"]);
    assert_eq!(V4.remove(&world, WithoutDhcid), [Rcode::NOERROR]);
    world.check(&["laptop 600 AAAA 2001:db8::100"]);
}

#[test]
fn kea_reverse_names_are_replaced_and_removed_while_they_point_to_the_host() {
    const REVERSE: &str = "99.10.in-addr.arpa.";
    let world = World::new(REVERSE, &["100.0 3600 PTR old.corp.example."]);
    let add = |host: &str, dhcid: &str| {
        let edits = [
            "100.0 ANY PTR".to_owned(),
            "100.0 ANY DHCID".to_owned(),
            format!("100.0 IN PTR 600 {host}.corp.example."),
            format!("100.0 IN DHCID 600 {dhcid}"),
        ];
        send_to(&world, REVERSE, &(vec![], edits.into()))
    };
    let remove = |host: &str| {
        let points = format!("100.0 IN PTR 0 {host}.corp.example.");
        send_to(&world, REVERSE, &(vec![points], vec!["100.0 ANY ANY".to_owned()]))
    };
    assert_eq!(add("laptop", MINE), Rcode::NOERROR);
    let dhcid = format!("100.0 600 DHCID {MINE}");
    world.check(&["100.0 600 PTR laptop.corp.example.", &dhcid]);
    assert_eq!(remove("old"), Rcode::NXRRSET);
    assert_eq!(world.count("100.0", Rtype::PTR), 1);
    // Names in data are compared without case (RFC 2136 §1.1.1).
    assert_eq!(remove("LAPTOP"), Rcode::NOERROR);
    world.check(&[]);
    assert_eq!(remove("laptop"), Rcode::NXRRSET);
}

#[test]
fn kea_names_outside_the_zone_and_zones_that_are_not_served() {
    let world = corp(&[]);
    let outside = Lease { host: "laptop.other.example.", ..V4 };
    assert_eq!(outside.add(&world, Check), [Rcode::NOTZONE]);
    assert_eq!(outside.add(&world, NoCheck), [Rcode::NOTZONE]);
    assert_eq!(send_to(&world, "other.example.", &V4.claim()), Rcode::NOTAUTH);
    world.check(&[]);
}
