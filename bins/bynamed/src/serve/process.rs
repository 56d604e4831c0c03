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
