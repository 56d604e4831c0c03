//! Many rounds of `kill -9`.
#![expect(clippy::expect_used, reason = "a step that fails is a failed test")]

#[path = "crash/rounds.rs"]
mod rounds;

#[test]
fn sixty_times_kill_9_lose_nothing_that_was_acknowledged() {
    rounds::kill("sixty_times_kill_9_lose_nothing_that_was_acknowledged", 60);
}
