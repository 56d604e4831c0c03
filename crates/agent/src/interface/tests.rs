use super::*;

const EXIT: u32 = 2;
const INSIDE: u32 = 3;

fn held(text: &str) -> Held {
    Held {
        address: text.parse().unwrap(),
        interface: EXIT,
        flags: HeldFlags::default(),
        preferred_s: 1000,
        added_cs: 100,
    }
}

fn flagged(text: &str, set: impl Fn(&mut HeldFlags)) -> Held {
    let mut held = held(text);
    set(&mut held.flags);
    held
}

fn chosen(all: &[Held]) -> Observed {
    choose(all, Where::DefaultRoute(&[EXIT]), Family::V6, Allowed::default())
}

fn known(text: &str) -> Observed {
    Observed::Known(Addresses::one(text.parse().unwrap()))
}

#[test]
fn rfc8981_temporary_addresses_are_not_published() {
    let temporary = flagged("2a00::1111", |flags| flags.secondary = true);
    assert_eq!(chosen(&[temporary, held("2a00::1")]), known("2a00::1"));
    assert_eq!(chosen(&[temporary]), Observed::Unknown(Cause::NoneFit));
}

#[test]
fn rfc4862_5_5_4_deprecated_addresses_are_not_published() {
    let deprecated = flagged("2a00::1", |flags| flags.deprecated = true);
    let expired = Held { preferred_s: 0, ..held("2a00::2") };
    assert_eq!(chosen(&[deprecated, expired, held("2a00::3")]), known("2a00::3"));
    assert_eq!(chosen(&[deprecated, expired]), Observed::Unknown(Cause::NoneFit));
}

#[test]
fn rfc4862_5_4_an_address_that_may_be_a_duplicate_is_not_published() {
    let tentative = flagged("2a00::1", |flags| flags.tentative = true);
    let failed = flagged("2a00::2", |flags| {
        flags.tentative = true;
        flags.dadfailed = true;
    });
    assert_eq!(chosen(&[tentative]), Observed::Unknown(Cause::Tentative));
    assert_eq!(chosen(&[failed]), Observed::Unknown(Cause::NoneFit));
    let optimistic = flagged("2a00::3", |flags| {
        flags.tentative = true;
        flags.optimistic = true;
    });
    assert_eq!(chosen(&[tentative, failed, optimistic]), known("2a00::3"));
}

#[test]
fn of_two_prefixes_the_one_that_came_last_wins_whatever_was_renewed() {
    for (old_preferred_s, new_preferred_s) in [(900, 1000), (1000, 900), (u32::MAX, 10)] {
        let old = Held { preferred_s: old_preferred_s, ..held("2a00:1::1") };
        let new = Held { preferred_s: new_preferred_s, added_cs: 200, ..held("2a00:0::1") };
        assert_eq!(chosen(&[old, new]), known("2a00:0::1"));
        assert_eq!(chosen(&[new, old]), known("2a00:0::1"));
    }
}

#[test]
fn an_address_that_somebody_has_set_is_better_than_one_that_was_advertised() {
    let fixed = flagged("2a00::1", |flags| flags.permanent = true);
    let advertised = Held { added_cs: 900, ..held("2a00::2") };
    assert_eq!(chosen(&[advertised, fixed]), known("2a00::1"));
}

#[test]
fn the_choice_does_not_depend_on_the_order_of_the_kernel() {
    let mut all = [held("2a00::3"), held("2a00::1"), held("2a00::2")];
    for _ in 0..all.len() {
        all.rotate_left(1);
        assert_eq!(chosen(&all), known("2a00::1"));
    }
}

#[test]
fn private_addresses_mean_nat_and_not_none() {
    assert_eq!(chosen(&[held("fd00::1"), held("fe80::1")]), Observed::Unknown(Cause::OnlyPrivate));
    let v4 = [held("192.168.1.2")];
    let place = Where::DefaultRoute(&[EXIT]);
    let unknown = Observed::Unknown(Cause::OnlyPrivate);
    assert_eq!(choose(&v4, place, Family::V4, Allowed::default()), unknown);
    let allowed = Allowed { private: true, loopback: false };
    assert_eq!(choose(&v4, place, Family::V4, allowed), known("192.168.1.2"));
}

#[test]
fn none_takes_a_machine_without_any_address_that_reaches_beyond_a_link() {
    assert_eq!(chosen(&[]), Observed::None);
    assert_eq!(chosen(&[held("fe80::1"), held("::1"), held("9.0.0.1")]), Observed::None);
    let other = Held { interface: INSIDE, ..held("2a00::1") };
    let here = Where::Only(EXIT);
    assert_eq!(choose(&[other], here, Family::V6, Allowed::default()), Observed::None);
}

#[test]
fn the_interface_with_the_default_route_comes_first() {
    let inside = Held { interface: INSIDE, added_cs: 900, ..held("2a00:1::1") };
    assert_eq!(chosen(&[inside, held("2a00::1")]), known("2a00::1"));
    assert_eq!(chosen(&[inside, held("fe80::1")]), known("2a00:1::1"), "a router");
    let nowhere = Where::DefaultRoute(&[]);
    let unknown = Observed::Unknown(Cause::NoDefaultRoute);
    assert_eq!(choose(&[inside], nowhere, Family::V6, Allowed::default()), unknown);
    let tentative = flagged("2a00::1", |flags| flags.tentative = true);
    let unsure = Observed::Unknown(Cause::Tentative);
    assert_eq!(chosen(&[inside, tentative]), unsure, "it will be the better one in a second");
}
