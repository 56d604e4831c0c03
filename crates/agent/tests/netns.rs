//! The interface source against the real kernel, in a network of our own.

#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use agent::address::{Addresses, Allowed, Family};
use agent::netlink::ask;
use agent::observe::{Cause, Observed};

#[test]
fn temporary_deprecated_unique_local_and_link_local_addresses_are_passed_over() {
    if !enter("temporary_deprecated_unique_local_and_link_local_addresses_are_passed_over") {
        return;
    }
    link("d0");
    assert_eq!(asked(Family::V6), Observed::None, "nothing but link-local addresses");
    ip("-6 addr add fd00::1/64 dev d0 nodad");
    ip("-6 route add default dev d0");
    assert_eq!(asked(Family::V6), Observed::Unknown(Cause::OnlyPrivate));
    ip("-6 addr add 2a00:2::1/64 dev d0 nodad preferred_lft 0 valid_lft 2000");
    assert_eq!(asked(Family::V6), Observed::Unknown(Cause::NoneFit), "only a deprecated one");
    fs::write("/proc/sys/net/ipv6/conf/d0/use_tempaddr", "2").unwrap();
    ip("-6 addr add 2a00:1::1/64 dev d0 mngtmpaddr nodad preferred_lft 1000 valid_lft 2000");
    until("a temporary address", || said("-6 addr show dev d0 temporary").contains("2a00:1::"));
    assert_eq!(asked(Family::V6), known("2a00:1::1"));
    ip("-6 addr del 2a00:1::1/64 dev d0");
    assert!(!matches!(asked(Family::V6), Observed::Known(_)), "never the temporary one");
}

#[test]
fn of_two_prefixes_the_newer_one_is_published() {
    if !enter("of_two_prefixes_the_newer_one_is_published") {
        return;
    }
    link("d0");
    ip("-6 route add default dev d0");
    ip("-6 addr add 2a00:2::1/64 dev d0 nodad preferred_lft 1000 valid_lft 2000");
    assert_eq!(asked(Family::V6), known("2a00:2::1"));
    // The kernel counts hundredths of a second.
    let created = Instant::now();
    until("a later moment", || created.elapsed() > Duration::from_millis(30));
    ip("-6 addr add 2a00:1::1/64 dev d0 nodad preferred_lft 900 valid_lft 2000");
    assert_eq!(asked(Family::V6), known("2a00:1::1"));
    ip("-6 addr change 2a00:2::1/64 dev d0 preferred_lft 5000 valid_lft 9000");
    assert_eq!(asked(Family::V6), known("2a00:1::1"), "a renewal does not make it newer");
    ip("-6 addr change 2a00:1::1/64 dev d0 preferred_lft 0 valid_lft 9000");
    assert_eq!(asked(Family::V6), known("2a00:2::1"), "the newer one was given up");
}

#[test]
fn an_address_that_is_being_checked_for_duplicates_is_unknown() {
    if !enter("an_address_that_is_being_checked_for_duplicates_is_unknown") {
        return;
    }
    link("d0");
    ip("-6 route add default dev d0");
    fs::write("/proc/sys/net/ipv6/conf/d0/dad_transmits", "100").unwrap();
    ip("-6 addr add 2a00:1::1/64 dev d0");
    assert_eq!(asked(Family::V6), Observed::Unknown(Cause::Tentative));
}

#[test]
fn the_interface_is_that_of_the_best_default_route_or_the_one_that_is_named() {
    if !enter("the_interface_is_that_of_the_best_default_route_or_the_one_that_is_named") {
        return;
    }
    link("d0");
    link("e0");
    ip("addr add 9.0.0.1/24 dev d0");
    ip("addr add 9.0.1.1/24 dev e0");
    assert_eq!(asked(Family::V4), Observed::Unknown(Cause::NoDefaultRoute));
    ip("route add default dev d0 metric 100");
    assert_eq!(asked(Family::V4), known("9.0.0.1"));
    ip("route add default dev e0 metric 50");
    assert_eq!(asked(Family::V4), known("9.0.1.1"));
    let of = |name| ask(Some(name), Family::V4, Allowed::default());
    assert_eq!(of("d0"), known("9.0.0.1"));
    assert_eq!(of("no0"), Observed::Unknown(Cause::NoInterface("no0".to_owned())));
}

#[test]
fn a_machine_behind_nat_does_not_know_its_address() {
    if !enter("a_machine_behind_nat_does_not_know_its_address") {
        return;
    }
    assert_eq!(asked(Family::V4), Observed::None, "nothing but loopback");
    link("d0");
    ip("addr add 192.168.1.2/24 dev d0");
    ip("route add default dev d0");
    assert_eq!(asked(Family::V4), Observed::Unknown(Cause::OnlyPrivate));
    let allowed = Allowed { private: true, loopback: false };
    assert_eq!(ask(None, Family::V4, allowed), known("192.168.1.2"));
}

fn asked(family: Family) -> Observed {
    ask(None, family, Allowed::default())
}

fn known(text: &str) -> Observed {
    Observed::Known(Addresses::one(text.parse().expect("an address")))
}

/// Makes an interface that is up, one end of a pair.
fn link(name: &str) {
    ip(&format!("link add {name} type veth peer name {name}-far"));
    ip(&format!("link set {name} up"));
    ip(&format!("link set {name}-far up"));
}

fn ip(arguments: &str) {
    said(arguments);
}

fn said(arguments: &str) -> String {
    let done = Command::new("ip").args(arguments.split(' ')).output().expect("`ip` runs");
    let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "ip {arguments}: {complaint}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

/// Whether the caller already runs in a network of its own; otherwise runs the same test again in
/// one, checks that it passed, and says no.
#[expect(clippy::disallowed_methods, reason = "the mark comes from ourselves, one process above")]
fn enter(test: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        ip("link set lo up");
        return true;
    }
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--"]).arg(std::env::current_exe().expect("a path"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let inner = command.env(MARK, "1").output().expect("`unshare` runs");
    let out = String::from_utf8_lossy(&inner.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&inner.stderr).into_owned();
    assert!(inner.status.success() && out.contains("1 passed"), "{out}\n{complaint}");
    false
}

const MARK: &str = "BYNAME_AGENT_TEST_INSIDE";
