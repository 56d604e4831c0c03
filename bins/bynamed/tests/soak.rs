//! DNS updates for long: many seeds, many times `kill -9`.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

#[expect(dead_code, reason = "the tests of the program use the rest")]
#[path = "program/bynamed.rs"]
mod bynamed;
#[path = "updates/dice.rs"]
mod dice;
#[path = "updates/keys.rs"]
mod keys;
#[path = "updates/lane.rs"]
mod lane;
#[path = "updates/load.rs"]
mod load;
#[path = "updates/look.rs"]
mod look;
#[path = "updates/model.rs"]
mod model;
#[path = "updates/octets.rs"]
mod octets;
#[path = "updates/rounds.rs"]
mod rounds;
#[path = "updates/wishes.rs"]
mod wishes;

use std::collections::BTreeSet;
use std::io::Write;

#[test]
fn soak_random_updates_and_kill_9_leave_what_a_plain_reading_says() {
    // Other ones each time; a failure names its seed.
    let first = keys::now_s();
    let said = (first..first + 40).flat_map(|seed| rounds::play(seed, 5));
    assert_eq!(said.collect::<BTreeSet<u8>>(), model::RCODES.into());
}

#[test]
fn soak_forty_times_kill_9_under_updates_lose_nothing_and_tell_the_time_of_a_restart() {
    load::kill(keys::now_s(), (100_000, 40), |toll| {
        // The figure is for who reads it; how fast this machine is today is no matter of a test.
        let _ = writeln!(std::io::stderr(), "{toll:?}");
    });
}
