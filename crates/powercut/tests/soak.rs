//! Many power cuts, one after the other.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

#[path = "../../store-sqlite/tests/sample/chain.rs"]
mod chain;
#[path = "rounds/cut.rs"]
mod cut;

use cut::Machine;
use powercut::{Loss, enter};
use store_sqlite::SqliteStore;

#[test]
fn a_hundred_power_cuts_lose_nothing_that_was_acknowledged() {
    if !enter("a_hundred_power_cuts_lose_nothing_that_was_acknowledged").unwrap() {
        return;
    }
    for seed in 0..10 {
        let mut machine = Machine::new();
        for round in 0..10 {
            let number = seed * 10 + round;
            let loss = match number % 10 {
                0 => Loss::All,
                1 => Loss::Nothing,
                _ => Loss::Some(number),
            };
            let acknowledged = 1 + (number * 37 % 151) as usize;
            machine
                .round(SqliteStore::open, acknowledged, loss)
                .unwrap_or_else(|why| unreachable!("round {number}, {loss:?}: {why}"));
        }
    }
}
