//! The log on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::configuration::{LogFormat, Settings};

/// Starts the log of a service.
pub(crate) fn start(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log_level);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    // A log that is started already stays as it is.
    let _ = match settings.log_format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Starts the log of a command that does one thing: only what is wrong.
pub(crate) fn start_quiet() {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).without_time().with_target(false);
    let log = log.with_env_filter(EnvFilter::new("warn"));
    let _ = log.with_ansi(io::stderr().is_terminal()).try_init();
}
