//! Where the configuration and the state of this user are. The one reader of the environment.

use std::path::PathBuf;

use agent::config::{ConfigError, Places};

use crate::cli::ConfigArguments;

/// The places of a configuration.
///
/// # Errors
/// A file that was named is not there; one in the usual place may be missing.
pub(crate) fn places(arguments: &ConfigArguments) -> Result<Places, ConfigError> {
    let environment = environment();
    let file = match &arguments.config {
        Some(named) => Some(named.clone()),
        None => usual_config(&environment).filter(|path| path.exists()),
    };
    let state = arguments.state.as_ref().map(|path| ("state", path.display().to_string()));
    Ok(Places { file, environment, arguments: state.into_iter().collect() })
}

/// The state file of a configuration that names none.
///
/// # Errors
/// Nothing says where this user's state is.
pub(crate) fn usual_state() -> Result<PathBuf, &'static str> {
    let environment = environment();
    let own = |name: &str| variable(&environment, name).map(PathBuf::from);
    let folder = own("STATE_DIRECTORY")
        .or_else(|| is_root().then(|| PathBuf::from("/var/lib/byname-agent")))
        .or_else(|| own("XDG_STATE_HOME").map(|home| home.join("byname")))
        .or_else(|| own("HOME").map(|home| home.join(".local/state/byname")));
    folder.map(|folder| folder.join("state.json")).ok_or("nothing says where to keep the state")
}

fn usual_config(environment: &[(String, String)]) -> Option<PathBuf> {
    let own = |name: &str| variable(environment, name).map(PathBuf::from);
    if is_root() {
        return Some(PathBuf::from("/etc/byname/byname.toml"));
    }
    let home = own("XDG_CONFIG_HOME").or_else(|| own("HOME").map(|home| home.join(".config")));
    home.map(|home| home.join("byname/byname.toml"))
}

fn variable<'a>(environment: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = environment.iter().find(|(own, _)| own == name);
    found.map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
}

/// The whole environment; this is the one place that reads it.
fn environment() -> Vec<(String, String)> {
    let all = std::env::vars_os();
    // What is not UTF-8 is no option of ours.
    all.filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
        .collect()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
