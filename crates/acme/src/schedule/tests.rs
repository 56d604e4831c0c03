use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000;

#[test]
fn a_certificate_is_ordered_when_it_is_due() {
    let past = Past::default();
    assert_eq!(past.next(0, NOW, false), Next::Order);
    assert_eq!(past.next(NOW, NOW, false), Next::Order);
    assert_eq!(past.next(NOW + 5, NOW, false), Next::Wait(NOW + 5));
    assert_eq!(past.next(NOW + 5, NOW, true), Next::Wait(NOW + 5), "nobody renews for fun");
}

#[test]
fn failures_put_the_next_attempt_off_and_a_success_ends_that() {
    let mut past = Past::default();
    for (kind, wait_s) in [
        (Kind::Order, 300),
        (Kind::Order, 600),
        (Kind::Outside, 120),
        (Kind::Limited, 8 * 3600),
        (Kind::Order, 4800),
    ] {
        past.failed(kind, NOW, 0);
        assert_eq!(past.next(0, NOW, false), Next::Wait(NOW + wait_s), "{kind:?}");
        assert_eq!(past.next(0, NOW + wait_s, false), Next::Order);
        assert_eq!(past.next(0, NOW, true), Next::Order, "unless somebody asks");
    }
    past.failed(Kind::Order, NOW, u32::MAX);
    assert_eq!(past.not_before_s, NOW + 9600 + 4800, "spread");
    past.succeeded();
    assert_eq!(past.next(0, NOW, false), Next::Order);
}

#[test]
fn other_names_or_another_authority_are_tried_at_once() {
    let mut past = Past::default().of("one");
    past.ordered(NOW);
    past.failed(Kind::Order, NOW, 0);
    assert!(matches!(past.clone().of("one").next(0, NOW, false), Next::Wait(_)));
    let other = past.of("two");
    assert_eq!(other.next(0, NOW, false), Next::Order);
    assert_eq!(other.orders_s, [NOW], "the limit of a day goes on");
}

#[test]
fn orders_of_a_day_are_limited_whoever_asks() {
    let mut past = Past::default();
    for n in 0..10 {
        assert_eq!(past.next(0, NOW + n, true), Next::Order);
        past.ordered(NOW + n);
    }
    for asked in [false, true] {
        assert_eq!(past.next(0, NOW + 10, asked), Next::Wait(NOW + 86_401));
    }
    assert_eq!(past.next(0, NOW + 86_401, false), Next::Order);
}

#[test]
fn a_clock_that_was_wrong_does_not_stop_renewals() {
    // Orders from the future, noted while the clock was ahead.
    let past = Past {
        orders_s: (0..10).map(|n| NOW + 10_000_000 + n).collect(),
        not_before_s: NOW + 10_000_000,
        ..Past::default()
    };
    assert_eq!(past.next(0, NOW, false), Next::Wait(NOW + 12 * 3600));
}

#[test]
fn renewal_is_at_two_thirds_and_by_advice_within_the_window() {
    let day = 86_400;
    let lifetime = Lifetime { from_s: NOW, until_s: NOW + 90 * day };
    assert_eq!(lifetime.renewal_s(0), NOW + 60 * day);
    assert_eq!(lifetime.renewal_s(u32::MAX), NOW + 63 * day);
    let window = (NOW + 50 * day, NOW + 52 * day);
    assert_eq!(lifetime.within(window, 0), NOW + 50 * day);
    assert_eq!(lifetime.within(window, u32::MAX), NOW + 52 * day);
    // Revoked: the window lies in the past.
    assert_eq!(lifetime.within((NOW - 9, NOW - 8), u32::MAX), NOW - 8);
    assert_eq!(lifetime.within((NOW + 89 * day, NOW + 200 * day), u32::MAX), NOW + 90 * day);
    assert_eq!(lifetime.within((NOW + 5, NOW), 7), NOW + 5, "a window without sense");
}

proptest! {
    /// Whatever happens, there are never more orders within any day than allowed.
    #[test]
    fn no_day_sees_more_orders_than_allowed(
        steps in proptest::collection::vec((0_i64..20_000, any::<bool>(), 0_u8..4, any::<u32>()), 1..200),
    ) {
        let mut past = Past::default();
        let mut made: Vec<i64> = Vec::new();
        let mut now = NOW;
        for (wait, asked, came, random) in steps {
            now += wait;
            if past.next(0, now, asked) == Next::Order {
                past.ordered(now);
                made.push(now);
                match came {
                    0 => past.succeeded(),
                    1 => past.failed(Kind::Outside, now, random),
                    2 => past.failed(Kind::Order, now, random),
                    _ => past.failed(Kind::Limited, now, random),
                }
            }
            prop_assert!(past.orders_s.len() <= ORDERS_A_DAY_MAX);
        }
        for at in &made {
            let day = made.iter().filter(|other| (*at..=*at + DAY_S).contains(*other)).count();
            prop_assert!(day <= ORDERS_A_DAY_MAX);
        }
    }
}
