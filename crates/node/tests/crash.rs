//! `kill -9` under load: what was acknowledged is there, and serials do not go back.
#![expect(clippy::expect_used, clippy::panic, reason = "a step that fails is a failed test")]

#[path = "crash/hooks.rs"]
mod hooks;
#[path = "crash/imports.rs"]
mod imports;
#[path = "crash/rounds.rs"]
mod rounds;

#[test]
fn kill_9_under_load_loses_nothing_that_was_acknowledged() {
    rounds::kill("kill_9_under_load_loses_nothing_that_was_acknowledged", 4);
}

#[test]
fn kill_9_during_an_import_shows_all_of_it_or_nothing() {
    imports::kill("kill_9_during_an_import_shows_all_of_it_or_nothing", 4);
}

#[test]
fn kill_9_in_the_middle_of_deliveries_leaves_nothing_untold() {
    hooks::kill("kill_9_in_the_middle_of_deliveries_leaves_nothing_untold", 3);
}
