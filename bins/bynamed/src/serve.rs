//! `bynamed serve`: the service, from its start to its end.

mod encryption;
mod process;
mod running;
mod signals;

use serde_json::json;

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::output::Output;
use crate::{doors, log, measure};

pub(crate) use encryption::problems;
pub(crate) use running::{Doors, Running};

/// Serves until asked to stop.
pub(crate) fn run(configuration: &Configuration, output: Output) -> Result<(), Fault> {
    let settings = &configuration.settings;
    log::start(settings);
    process::prepare();
    let doors = Doors {
        dns: doors::dns(settings),
        http: doors::http(settings),
        https: doors::https(settings),
    };
    let running = Running::start(settings, &doors, measure::start()?)?;
    if output.is_json() {
        let ready = json!({
            "ready": true,
            "dns": running.dns(),
            "http": running.http(),
            "https": running.https(),
        });
        output.value(&ready)?;
    }
    wait(running);
    Ok(())
}

/// Waits for a signal, then ends well.
pub(crate) fn wait(running: Running) {
    running.wait().stop();
}

/// Makes the process fit for serving: limits, permissions of files, what a panic does.
pub(crate) fn prepare() {
    process::prepare();
}
