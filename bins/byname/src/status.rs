//! `byname status`: what the agent remembers.

use agent::config::{Config, ConfigError};
use agent::plan::{Hold, Published};
use agent::state::{Entry, file};
use serde_json::{Value, json};

use crate::cli::ConfigArguments;
use crate::output::{self, Exit};
use crate::{places, start};

/// Prints the state file. Asks nobody.
pub(crate) fn run(arguments: &ConfigArguments, as_json: bool) -> Exit {
    let path = match &arguments.state {
        Some(path) => Ok(path.clone()),
        None => configured(arguments, as_json),
    };
    let path = match path {
        Ok(path) => path,
        Err(exit) => return exit,
    };
    let (state, damaged) = match file::peek(&path) {
        Ok(found) => found,
        Err(error) => return start::no_state(&error, as_json),
    };
    if let Some(why) = damaged {
        let message = format!("the state file `{}` is damaged: {why}", path.display());
        let hint = Some("the next `byname once` or `byname run` starts afresh");
        return output::fault(as_json, &message, hint, Exit::Failed);
    }
    if as_json {
        let hosts: Vec<Value> = state.entries().into_iter().map(entry_json).collect();
        output::result(&json!({ "hosts": hosts }).to_string());
    } else {
        for entry in state.entries() {
            output::result(&entry_text(entry));
        }
    }
    Exit::Ok
}

fn configured(arguments: &ConfigArguments, as_json: bool) -> Result<std::path::PathBuf, Exit> {
    let config = places::places(arguments).and_then(|places| Config::load(&places));
    match config {
        Ok(Config { state: Some(path), .. }) => Ok(path),
        // Without a configuration there may still be a state in the usual place.
        Ok(Config { state: None, .. }) | Err(ConfigError::Missing { .. }) => {
            start::usual_state(as_json)
        }
        Err(error) => Err(start::wrong(&error, as_json)),
    }
}

fn entry_json(entry: &Entry) -> Value {
    let record = &entry.record;
    let published = |own: &Option<Published>| {
        own.as_ref().map(|own| {
            json!({ "addresses": own.addresses, "at": moment(own.at_ms), "changed": own.changed })
        })
    };
    let mut told = json!({
        "host": entry.host,
        "server": entry.server,
        "ipv4": published(&record.published.ipv4),
        "ipv6": published(&record.published.ipv6),
    });
    match &record.hold {
        Hold::Free => told["state"] = json!("free"),
        Hold::Stopped { stop, at_ms } => {
            told["state"] = json!("stopped");
            told["code"] = json!(stop.code());
            told["message"] = json!(stop.meaning());
            told["hint"] = json!(stop.hint());
            told["at"] = json!(moment(*at_ms));
        }
        Hold::Paused(pause) => {
            told["state"] = json!("paused");
            told["why"] = json!(output::pausing_word(&pause.why));
            told["message"] = json!(pause.why.to_string());
            told["at"] = json!(moment(pause.at_ms));
            told["until"] = json!(moment(pause.at_ms.saturating_add(pause.delay_ms)));
        }
    }
    told
}

fn entry_text(entry: &Entry) -> String {
    let mut text = format!("{} at {}", entry.host, entry.server);
    let published = &entry.record.published;
    for (family, own) in [("IPv4", &published.ipv4), ("IPv6", &published.ipv6)] {
        let Some(own) = own else { continue };
        let addresses: Vec<String> = own.addresses.iter().map(ToString::to_string).collect();
        let addresses = if addresses.is_empty() { "removed".into() } else { addresses.join(", ") };
        text += &format!("\n  {family}     {addresses}, confirmed {}", moment(own.at_ms));
    }
    match &entry.record.hold {
        Hold::Free => {}
        Hold::Stopped { stop, at_ms } => {
            let (code, meaning, at) = (stop.code(), stop.meaning(), moment(*at_ms));
            text += &format!("\n  stopped  {meaning} (`{code}`), since {at}");
            text += &format!("\n  hint     {}", stop.hint());
        }
        Hold::Paused(pause) => {
            let until = moment(pause.at_ms.saturating_add(pause.delay_ms));
            text += &format!("\n  waiting  until {until}: {}", pause.why);
        }
    }
    text
}

/// RFC 3339, to the second.
fn moment(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms / 1000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}
