//! DNS updates by the program as it runs, against a model, with `kill -9` in between.
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

#[test]
fn rfc2136_3_random_updates_and_kill_9_leave_what_a_plain_reading_says() {
    let said = (1..=2).flat_map(|seed| rounds::play(seed, 2));
    assert_eq!(said.collect::<BTreeSet<u8>>(), model::RCODES.into());
}

#[test]
fn kill_9_under_updates_with_prerequisites_loses_nothing_that_was_acknowledged() {
    load::kill(1, (1000, 2), |_| {});
}
