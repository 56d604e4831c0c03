//! Mounts of our own: what a test mounts is gone when it ends, however it ends.

use std::io;
use std::process::Command;

use crate::disk;

/// Whether the caller already runs inside; otherwise runs the same test again in a new mount
/// namespace, and says no when that went well. It also says no in a process that was started to
/// serve a disk, once the disk is dropped.
///
/// `test` is the name of the calling test function. Use: `if !enter("name").unwrap() { return; }`.
pub fn enter(test: &str) -> io::Result<bool> {
    if inside().is_some() {
        return disk::serve().map(|served| !served);
    }
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        // In a user namespace of our own we may mount.
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "--propagation", "private", "--"]).arg(std::env::current_exe()?);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(MARK, test);
    let ended = command.output()?;
    let told = String::from_utf8_lossy(&ended.stdout);
    if ended.status.success() && told.contains("1 passed") {
        return Ok(false);
    }
    Err(io::Error::other(format!("inside: {told}{}", String::from_utf8_lossy(&ended.stderr))))
}

/// The program and the test that run now, to be run once more in the same namespace.
pub(crate) fn again() -> io::Result<Command> {
    let test = inside().ok_or_else(|| io::Error::other("a disk is mounted after `enter` only"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--exact").arg(test).args(["--nocapture", "--test-threads=1"]);
    Ok(command)
}

/// The test that runs inside.
#[expect(clippy::disallowed_methods, reason = "the mark comes from ourselves, one process above")]
fn inside() -> Option<std::ffi::OsString> {
    std::env::var_os(MARK)
}

const MARK: &str = "BYNAME_POWERCUT_INSIDE";
