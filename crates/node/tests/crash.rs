//! `kill -9` under load: what was acknowledged is there, and serials do not go back.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

#[path = "crash/rounds.rs"]
mod rounds;

#[test]
fn kill_9_under_load_loses_nothing_that_was_acknowledged() {
    rounds::kill("kill_9_under_load_loses_nothing_that_was_acknowledged", 4);
}
