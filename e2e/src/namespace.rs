//! A network of our own, in which port 53 is free on every loopback address, and mounts of our own.
//!
//! A resolver follows delegations to port 53 and to no other, so a test with a root of our own
//! needs it; on the machine itself it may be taken or forbidden. A disk that fills up must not be
//! anybody else's.

use std::process::Command;

use crate::{Finished, program};

/// Whether the caller already runs inside; otherwise runs the same test again in a new network
/// namespace, checks that it passed, and says no.
///
/// `test` is the name of the calling test function. Use:
/// `if !namespace::enter("name") { return; }`.
pub fn enter(test: &str) -> bool {
    if is_inside() {
        let up = Finished::run(program("ip").args(["link", "set", "lo", "up"]));
        assert_eq!(up.code, Some(0), "{up}");
        return true;
    }
    let own = std::env::current_exe().expect("a path of the running test");
    let mut command: Command = program("unshare");
    if !rustix::process::geteuid().is_root() {
        // In a user namespace of our own we may have a network of our own.
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--"]).arg(own);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let inner = Finished::run(command.env(MARK, "1")).ok();
    assert!(inner.out.contains("1 passed"), "the test did not run inside: {inner}");
    false
}

#[expect(clippy::disallowed_methods, reason = "the mark comes from ourselves, one process above")]
fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

const MARK: &str = "BYNAME_E2E_INSIDE";
