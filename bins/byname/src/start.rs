//! What the commands that work with a configuration do first.

use std::path::PathBuf;

use agent::config::{Config, ConfigError};
use agent::state::file::StateFileError;

use crate::cli::ConfigArguments;
use crate::output::{self, Exit};
use crate::places;

/// The configuration and the path of its state file. What is wrong with it has been said.
pub(crate) fn configuration(arguments: &ConfigArguments) -> Result<(Config, PathBuf), Exit> {
    let config = places::places(arguments).and_then(|places| Config::load(&places));
    let config = config.map_err(|error| wrong(&error))?;
    let state = match &config.state {
        Some(path) => path.clone(),
        None => places::usual_state().map_err(|why| {
            output::error(why, Some("name a file with `--state`"));
            Exit::Usage
        })?,
    };
    if config.server.is_in_clear() && !config.allow_http {
        let message = format!("the token goes to `{}` in clear", config.server);
        output::warning(&message, Some("use `https://`, or set `allow_http = true`"));
    }
    Ok((config, state))
}

/// Says what is wrong with a configuration.
pub(crate) fn wrong(error: &ConfigError) -> Exit {
    output::error(&error.to_string(), error.hint().as_deref());
    Exit::Usage
}

/// Says why the state cannot be kept.
pub(crate) fn no_state(error: &StateFileError) -> Exit {
    output::error(&error.to_string(), Some("name another file with `--state`"));
    Exit::Failed
}
