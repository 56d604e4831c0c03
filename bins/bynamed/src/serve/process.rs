//! The process as a whole.

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// Makes the process fit for serving.
pub(super) fn prepare() {
    // Everything that is made holds secrets or lies beside them.
    umask(Mode::from_raw_mode(0o077));
    raise_open_files();
    end_on_panic();
}

/// As many connections as are allowed at all: each takes an open file.
fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        if let Err(why) = raised {
            tracing::warn!(%why, "the limit of open files could not be raised");
        }
    }
}

/// How many HTTP connections there may be: a quarter of the files that may be open, as DNS over TCP
/// takes up to half, and the store and the operator need some too.
pub(super) fn http_connections(wanted: usize) -> usize {
    let allowed = affordable(wanted, getrlimit(Resource::Nofile).current);
    if allowed < wanted {
        tracing::info!(wanted, allowed, "fewer HTTP connections: too few files may be open");
    }
    allowed
}

/// `None` is no limit.
fn affordable(wanted: usize, files: Option<u64>) -> usize {
    let quarter = files.and_then(|files| usize::try_from(files / 4).ok()).unwrap_or(usize::MAX);
    wanted.min(quarter.max(1))
}

/// A service without one of its threads would go on half dead. What was acknowledged is on the
/// disk, so the process ends at once and whoever watches it starts it again.
fn end_on_panic() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        tracing::error!(%panic, "a thread panicked; the service ends");
        std::process::abort();
    }));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn http_connections_leave_most_files_to_others() {
        for (wanted, files, expected) in [
            (10_000, None, 10_000),
            (10_000, Some(1 << 20), 10_000),
            (10_000, Some(1_024), 256),
            (10, Some(1_024), 10),
            (10, Some(0), 1),
        ] {
            assert_eq!(super::affordable(wanted, files), expected, "{wanted} of {files:?}");
        }
    }

    /// Runs itself again as a process that may be lost.
    #[test]
    fn panic_of_any_thread_ends_the_process_with_an_error() {
        if is_inside() {
            super::prepare();
            let thread = std::thread::spawn(|| panic!("a thread that is lost"));
            // Without the hook this comes back with an error, and the process ends well.
            let _ = thread.join();
            return;
        }
        let own = std::env::current_exe().unwrap();
        let mut command = Command::new(own);
        command.args(["--exact", TEST, "--nocapture"]).env(MARK, "1");
        let ended = command.output().unwrap();
        assert!(!ended.status.success(), "it went on without its thread");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(said.contains("a thread that is lost"), "{said}");
    }

    fn is_inside() -> bool {
        std::env::vars_os().any(|(name, _)| name == MARK)
    }

    const TEST: &str = "serve::process::tests::panic_of_any_thread_ends_the_process_with_an_error";
    const MARK: &str = "BYNAMED_TEST_INSIDE";
}
