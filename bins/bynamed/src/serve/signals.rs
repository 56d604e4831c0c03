//! Being asked to stop.

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::fault::Fault;

/// Waits for SIGTERM or SIGINT. From then on a second one ends the process at once.
pub(super) fn wait(runtime: &Runtime) -> Result<(), Fault> {
    let asked = runtime.block_on(async {
        let mut asked = Asked {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        let signal = asked.next().await;
        tracing::info!(signal, "stopping; a second signal ends at once");
        Ok::<_, std::io::Error>(asked)
    });
    let mut asked = asked.map_err(|why| Fault::failed(format!("signals: {why}")))?;
    runtime.spawn(async move {
        let signal = asked.next().await;
        tracing::warn!(signal, "ended at once");
        end();
    });
    Ok(())
}

struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
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
