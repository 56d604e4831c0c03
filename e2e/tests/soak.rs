//! Long runs of whole programs: `cargo xtask soak`.

#[path = "unbound/resolver.rs"]
mod resolver;
#[path = "restart/rounds.rs"]
mod rounds;

use e2e::namespace;

#[test]
fn soak_fifty_rounds_of_kill_lose_nothing() {
    rounds::kill_and_look(50);
}

#[test]
fn soak_unbound_sees_the_next_change_after_the_real_ttl() {
    if namespace::enter("soak_unbound_sees_the_next_change_after_the_real_ttl") {
        resolver::follows_a_change(None);
    }
}
