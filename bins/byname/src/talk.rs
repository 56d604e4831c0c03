//! What the program says on stderr while it works.

use std::io::{self, IsTerminal};

use tracing::Level;

use crate::cli::{Cli, LogFormat};

/// Sets up the log as the command line wants it.
pub(crate) fn start(cli: &Cli) {
    let level = cli.log.unwrap_or_else(|| cli.command.level());
    // Our own words only: the parts below may name URLs and headers.
    let filter = tracing_subscriber::EnvFilter::new(format!("off,agent={level},byname={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let lasting = level_is_for_a_daemon(cli);
    // A second subscriber is impossible here; the first of a process is always accepted.
    let _ = match (cli.log_format, lasting) {
        (LogFormat::Json, _) => log.json().flatten_event(true).try_init(),
        (LogFormat::Text, true) => log.with_target(false).try_init(),
        (LogFormat::Text, false) => log.with_target(false).without_time().try_init(),
    };
}

fn level_is_for_a_daemon(cli: &Cli) -> bool {
    cli.command.level() >= Level::INFO
}
