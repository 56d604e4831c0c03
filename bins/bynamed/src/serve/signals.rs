//! Being asked to stop.

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::fault::Fault;

/// The signals that ask for it, SIGTERM and SIGINT.
pub(crate) struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    /// From here on the signals do not end the process; they are waited for.
    pub(super) fn listen(runtime: &Runtime) -> Result<Asked, Fault> {
        let _inside = runtime.enter();
        let listen = || {
            let terminate = signal(SignalKind::terminate())?;
            Ok(Asked { terminate, interrupt: signal(SignalKind::interrupt())? })
        };
        listen().map_err(|why: std::io::Error| Fault::failed(format!("signals: {why}")))
    }

    /// Waits for the first. From then on a second one ends the process at once.
    pub(super) fn wait(mut self, runtime: &Runtime) {
        let signal = runtime.block_on(self.next());
        tracing::info!(signal, "stopping; a second signal ends at once");
        runtime.spawn(async move {
            let signal = self.next().await;
            tracing::warn!(signal, "ended at once");
            end();
        });
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the second signal asks for an end without goodbye")]
fn end() {
    std::process::exit(ENDED_AT_ONCE);
}

const ENDED_AT_ONCE: i32 = 1;
