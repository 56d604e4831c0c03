//! How long to wait before the next try: decorrelated jitter.
//!
//! Each delay is drawn between the shortest and three times the one before, up to the longest. So
//! clients that failed together do not come back together, and none waits for ever.

use std::time::Duration;

/// The bounds of a row of delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// No delay is shorter.
    pub shortest: Duration,
    /// No delay is longer.
    pub longest: Duration,
}

/// The delay after `previous` (`None`: the first of a row). `dice` is any number, evenly
/// distributed.
pub fn next(bounds: Bounds, previous: Option<Duration>, dice: u64) -> Duration {
    let shortest = millis(bounds.shortest);
    let longest = millis(bounds.longest).max(shortest);
    let previous = previous.map_or(shortest, millis);
    let upper = previous.saturating_mul(GROWTH).clamp(shortest, longest);
    Duration::from_millis(shortest + below(upper - shortest + 1, dice))
}

/// `period`, shortened or lengthened by up to a tenth, so that many agents spread out.
pub fn jittered(period: Duration, dice: u64) -> Duration {
    let period = millis(period);
    let tenth = period / 10;
    Duration::from_millis(period - tenth + below(2 * tenth + 1, dice))
}

/// A number in `0..limit` that is spread as `dice` is; 0 for a limit of 0.
fn below(limit: u64, dice: u64) -> u64 {
    ((u128::from(dice) * u128::from(limit)) >> 64) as u64
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 64).min(u64::MAX / 64)
}

const GROWTH: u64 = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds =
        Bounds { shortest: Duration::from_secs(5), longest: Duration::from_secs(900) };

    #[test]
    fn the_ends_of_the_dice_are_the_ends_of_the_range() {
        let seconds = Duration::from_secs;
        for (previous, dice, expected) in [
            (None, 0, seconds(5)),
            (None, u64::MAX, seconds(15)),
            (Some(seconds(15)), 0, seconds(5)),
            (Some(seconds(15)), u64::MAX, seconds(45)),
            (Some(seconds(900)), u64::MAX, seconds(900)),
            (Some(Duration::MAX), u64::MAX, seconds(900)),
        ] {
            assert_eq!(next(BOUNDS, previous, dice), expected, "{previous:?} {dice}");
        }
        assert_eq!(jittered(seconds(300), 0), seconds(270));
        assert_eq!(jittered(seconds(300), u64::MAX), seconds(330));
    }

    proptest! {
        #[test]
        fn a_delay_never_leaves_its_bounds(rolls in prop::collection::vec(any::<u64>(), 1..50)) {
            let mut previous = None;
            for dice in rolls {
                let delay = next(BOUNDS, previous, dice);
                prop_assert!(delay >= BOUNDS.shortest && delay <= BOUNDS.longest);
                previous = Some(delay);
            }
        }
    }
}
