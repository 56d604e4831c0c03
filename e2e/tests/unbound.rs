//! A real recursive resolver that comes to us from a root of our own.

#[path = "unbound/resolver.rs"]
mod resolver;

use e2e::namespace;

#[test]
fn unbound_resolves_from_the_root_and_sees_the_next_change() {
    if namespace::enter("unbound_resolves_from_the_root_and_sees_the_next_change") {
        // The resolver keeps nothing longer than a second, so this takes no real TTL.
        resolver::follows_a_change(Some(1));
    }
}
