use proptest::prelude::*;

use super::*;
use crate::address::Addresses;
use crate::desired::{WhenGone, desired};
use crate::observe::{Cause, Observation, Observed};

const REFRESH: Duration = Duration::from_secs(86_400);
const NOW: u64 = 1_700_000_000_000;

fn record() -> Record {
    Record::new(Target("one".to_owned()))
}

fn hold(text: &str) -> Want {
    Want::Hold(Addresses::one(text.parse().unwrap()))
}

fn v4(text: &str) -> Desired {
    Desired { ipv4: hold(text), ipv6: Want::Keep }
}

fn unreachable() -> Outcome {
    Outcome::Paused(Pausing::Unreachable("refused".to_owned()))
}

fn unconfirmed() -> Outcome {
    Outcome::Paused(Pausing::Unconfirmed("half an answer".to_owned()))
}

fn unavailable(for_s: Option<u32>) -> Outcome {
    Outcome::Paused(Pausing::Unavailable { code: "911", for_s })
}

fn after(update: &Desired, outcome: &Outcome) -> Record {
    let mut record = record();
    record.settle(update, outcome, NOW, 0);
    record
}

#[test]
fn what_is_confirmed_is_not_asked_for_again_until_it_is_stale() {
    let wanted = v4("9.0.0.1");
    assert_eq!(record().plan(&wanted, REFRESH, NOW), Plan::Publish(wanted.clone()));
    for changed in [true, false] {
        let record = after(&wanted, &Outcome::Confirmed { changed });
        let refresh_ms = REFRESH.as_millis() as u64;
        assert_eq!(record.plan(&wanted, REFRESH, NOW), Plan::Nothing);
        assert_eq!(record.plan(&wanted, REFRESH, NOW + refresh_ms - 1), Plan::Nothing);
        let stale = record.plan(&wanted, REFRESH, NOW + refresh_ms);
        assert_eq!(stale, Plan::Publish(wanted.clone()));
    }
}

#[test]
fn a_change_of_one_family_sends_all_that_is_known() {
    let both = Desired { ipv4: hold("9.0.0.1"), ipv6: hold("2a00::1") };
    let record = after(&both, &Outcome::Confirmed { changed: true });
    let moved = Desired { ipv4: hold("9.0.0.1"), ipv6: hold("2a00::2") };
    assert_eq!(record.plan(&moved, REFRESH, NOW), Plan::Publish(moved.clone()));
    let only_v4 = v4("9.0.0.2");
    assert_eq!(record.plan(&only_v4, REFRESH, NOW), Plan::Publish(only_v4.clone()));
}

#[test]
fn a_removal_is_asked_for_once() {
    let gone = Desired { ipv4: Want::Keep, ipv6: Want::Remove };
    let record = after(&gone, &Outcome::Confirmed { changed: true });
    assert_eq!(record.published.ipv6.as_ref().map(|held| held.addresses.len()), Some(0));
    assert_eq!(record.plan(&gone, REFRESH, NOW), Plan::Nothing);
}

#[test]
fn a_stop_holds_for_every_address_until_it_is_lifted() {
    for stop in Stop::ALL {
        let mut record = after(&v4("9.0.0.1"), &Outcome::Stopped(stop));
        let year_ms = 365 * 86_400_000;
        let plan = record.plan(&v4("9.0.0.2"), REFRESH, NOW + year_ms);
        assert_eq!(plan, Plan::Stopped(stop));
        record.lift();
        assert!(matches!(record.plan(&v4("9.0.0.2"), REFRESH, NOW), Plan::Publish(_)));
    }
}

#[test]
fn a_pause_ends_when_it_is_over_and_when_the_clock_was_set_back() {
    let wanted = v4("9.0.0.1");
    let record = after(&wanted, &unreachable());
    let wait = |at| matches!(record.plan(&wanted, REFRESH, at), Plan::Wait { .. });
    assert!(wait(NOW) && wait(NOW + 4_999));
    assert!(!wait(NOW + 5_000) && !wait(NOW - 1));
    assert_eq!(record.wakes_in_ms(NOW + 1_000), Some(4_000));
    assert_eq!(record.wakes_in_ms(NOW + 10_000), Some(0));
}

#[test]
fn another_address_ends_a_pause_of_the_network_and_none_that_the_service_asked_for() {
    let moved = v4("9.0.0.2");
    for (outcome, expected) in
        [(unreachable(), true), (unconfirmed(), true), (unavailable(None), false)]
    {
        let record = after(&v4("9.0.0.1"), &outcome);
        let publishes = matches!(record.plan(&moved, REFRESH, NOW), Plan::Publish(_));
        assert_eq!(publishes, expected, "{outcome:?}");
    }
}

#[test]
fn another_network_ends_pauses_of_the_network_only() {
    let wanted = v4("9.0.0.1");
    for (outcome, expected) in [
        (unreachable(), true),
        (unconfirmed(), true),
        (unavailable(None), false),
        (Outcome::Stopped(Stop::Abuse), false),
    ] {
        let mut record = after(&wanted, &outcome);
        record.network_has_changed();
        let publishes = matches!(record.plan(&wanted, REFRESH, NOW), Plan::Publish(_));
        assert_eq!(publishes, expected, "{outcome:?}");
    }
}

#[test]
fn a_service_that_refuses_is_left_alone_as_long_as_it_asks_and_half_an_hour_by_default() {
    let wanted = v4("9.0.0.1");
    for (for_s, dice, expected_s) in [
        (None, 0, 1800),
        (None, u64::MAX, 1980),
        (Some(60), 0, 60),
        (Some(0), 0, 5),
        (Some(u32::MAX), 0, 86_400),
    ] {
        let mut record = record();
        record.settle(&wanted, &unavailable(for_s), NOW, dice);
        assert_eq!(record.wakes_in_ms(NOW), Some(expected_s * 1000), "{for_s:?}");
    }
}

#[test]
fn failures_in_a_row_wait_longer_and_never_longer_than_the_limit() {
    let mut record = record();
    let mut delays = Vec::new();
    for _ in 0..20 {
        record.settle(&v4("9.0.0.1"), &unreachable(), NOW, u64::MAX);
        delays.extend(record.wakes_in_ms(NOW));
    }
    assert_eq!(delays[..4], [15_000, 45_000, 135_000, 405_000]);
    assert_eq!(delays.last(), Some(&900_000));
}

#[test]
fn after_an_unconfirmed_update_the_old_address_is_published_again_too() {
    let old = v4("9.0.0.1");
    let mut record = after(&old, &Outcome::Confirmed { changed: true });
    record.settle(&v4("9.0.0.2"), &unconfirmed(), NOW, 0);
    assert_eq!(record.published.ipv4, None, "either may be published");
    assert_eq!(record.plan(&old, REFRESH, NOW), Plan::Publish(old.clone()));
}

#[test]
fn what_certainly_did_not_arrive_leaves_what_was_confirmed() {
    let old = v4("9.0.0.1");
    for outcome in [unreachable(), unavailable(None)] {
        let mut record = after(&old, &Outcome::Confirmed { changed: true });
        record.settle(&v4("9.0.0.2"), &outcome, NOW, 0);
        assert_eq!(record.plan(&old, REFRESH, NOW), Plan::Nothing, "{outcome:?}");
    }
}

fn any_observed(family: Family) -> impl Strategy<Value = Observed> {
    let prefix = match family {
        Family::V4 => "9.0.0.",
        Family::V6 => "2a00::",
    };
    prop_oneof![
        (1..5).prop_map(move |last| {
            Observed::Known(Addresses::one(format!("{prefix}{last}").parse().unwrap()))
        }),
        Just(Observed::None),
        Just(Observed::Unknown(Cause::NotAnAddress)),
    ]
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        any::<bool>().prop_map(|changed| Outcome::Confirmed { changed }),
        Just(Outcome::Stopped(Stop::Badauth)),
        Just(unreachable()),
        Just(unconfirmed()),
        any::<Option<u32>>().prop_map(unavailable),
    ]
}

fn any_step() -> impl Strategy<Value = (Observation, Outcome, u64, u64)> {
    let observation = (any_observed(Family::V4), any_observed(Family::V6));
    (observation, any_outcome(), 0..200_000_000_u64, any::<u64>()).prop_map(
        |((ipv4, ipv6), outcome, passed_ms, dice)| {
            (Observation { ipv4, ipv6 }, outcome, passed_ms, dice)
        },
    )
}

proptest! {
    #[test]
    fn unknown_never_changes_anything(
        steps in prop::collection::vec(any_step(), 1..40),
        removes in any::<bool>(),
    ) {
        let when_gone = if removes { WhenGone::Remove } else { WhenGone::Preserve };
        let mut record = record();
        let mut now_ms = NOW;
        for (observation, outcome, passed_ms, dice) in steps {
            now_ms += passed_ms;
            let before = record.clone();
            let wanted = desired(&observation, when_gone);
            if let Plan::Publish(update) = record.plan(&wanted, REFRESH, now_ms) {
                record.settle(&update, &outcome, now_ms, dice);
                for family in Family::BOTH {
                    let mentioned = update.of(family);
                    match observation.of(family) {
                        Observed::Known(own) => prop_assert_eq!(mentioned, &Want::Hold(own.clone())),
                        Observed::None if removes => prop_assert_eq!(mentioned, &Want::Remove),
                        Observed::None | Observed::Unknown(_) => {
                            prop_assert_eq!(mentioned, &Want::Keep);
                            prop_assert_eq!(record.published.of(family), before.published.of(family));
                        }
                    }
                }
            } else {
                prop_assert_eq!(&record, &before);
            }
            let silent = Family::BOTH.map(|family| matches!(observation.of(family), Observed::Unknown(_)));
            if silent == [true, true] {
                prop_assert_eq!(&record, &before);
            }
        }
    }
}
