//! What the commands that work with a configuration do first.

use std::path::PathBuf;

use agent::config::{Config, ConfigError};
use agent::echo::server_of;
use agent::state::file::StateFileError;

use crate::cli::ConfigArguments;
use crate::output::{self, Exit};
use crate::places;

/// The configuration and the path of its state file. What is wrong with it has been said.
pub(crate) fn configuration(
    arguments: &ConfigArguments,
    as_json: bool,
) -> Result<(Config, PathBuf), Exit> {
    let config = places::places(arguments).and_then(|places| Config::load(&places));
    let config = config.map_err(|error| wrong(&error, as_json))?;
    let state = match &config.state {
        Some(path) => path.clone(),
        None => usual_state(as_json)?,
    };
    if config.server.is_in_clear() && !config.allow_http {
        let message = format!("the token goes to `{}` in clear", config.server);
        output::warning(&message, Some("use `https://`, or set `allow_http = true`"));
    }
    let forgeable = |url: &&String| server_of(url).is_some_and(|echo| echo.is_in_clear());
    if !config.server.is_in_clear()
        && !config.allow_http
        && let Some(url) = config.sources.echo.iter().find(forgeable)
    {
        let message = format!("whoever is on the way to the echo `{url}` can forge its answer");
        output::warning(&message, Some("use `https://`, or set `allow_http = true`"));
    }
    Ok((config, state))
}

/// The state file of a configuration that names none.
pub(crate) fn usual_state(as_json: bool) -> Result<PathBuf, Exit> {
    let hint = Some("name a file with `--state`");
    places::usual_state().map_err(|why| output::fault(as_json, why, hint, Exit::Usage))
}

/// Says what is wrong with a configuration.
pub(crate) fn wrong(error: &ConfigError, as_json: bool) -> Exit {
    output::fault(as_json, &error.to_string(), error.hint().as_deref(), Exit::Usage)
}

/// Says why the state cannot be kept.
pub(crate) fn no_state(error: &StateFileError, as_json: bool) -> Exit {
    let hint = Some("name another file with `--state`");
    output::fault(as_json, &error.to_string(), hint, Exit::Failed)
}
