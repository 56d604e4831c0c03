//! `byname run`: the daemon.

use std::io;
use std::os::unix::net::UnixStream;

use agent::config::Config;
use agent::run::Signals;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use crate::cli::ConfigArguments;
use crate::output::{self, Exit};
use crate::{places, start};

/// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again.
pub(crate) fn run(arguments: &ConfigArguments, as_json: bool) -> Exit {
    // First, so that a signal during the start is not lost.
    let signals = match signals() {
        Ok(signals) => signals,
        Err(error) => {
            let message = format!("cannot listen for signals: {error}");
            return output::fault(as_json, &message, None, Exit::Failed);
        }
    };
    let (config, state) = match start::configuration(arguments, as_json) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let load = || places::places(arguments).and_then(|places| Config::load(&places));
    match agent::run::run(config, &load, &state, signals) {
        Ok(()) => Exit::Ok,
        Err(error) => start::no_state(&error, as_json),
    }
}

fn signals() -> io::Result<Signals> {
    let (stop, stop_end) = UnixStream::pair()?;
    let (reload, reload_end) = UnixStream::pair()?;
    pipe::register(SIGTERM, stop_end.try_clone()?)?;
    pipe::register(SIGINT, stop_end)?;
    pipe::register(SIGHUP, reload_end)?;
    Ok(Signals { stop, reload })
}
