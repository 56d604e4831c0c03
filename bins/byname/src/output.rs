//! Results on stdout, errors on stderr, exit codes.

use std::io::{self, Write};
use std::process::ExitCode;

use agent::observe::{Cause, Observation, Observed};
use agent::outcome::{Outcome, Pausing};
use serde_json::{Value, json};

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As wanted.
    Ok = 0,
    /// Not as wanted, or not known.
    Failed = 1,
    /// The arguments or the configuration are wrong.
    Usage = 2,
    /// The service refuses, and will go on to.
    Refused = 3,
    /// Nobody answers.
    Unreachable = 4,
}

impl Exit {
    /// The one that says more: what somebody has to act on comes first, what will pass by itself
    /// last.
    pub(crate) fn or_worse(self, other: Exit) -> Exit {
        let order = [Exit::Usage, Exit::Refused, Exit::Unreachable, Exit::Failed];
        order.into_iter().find(|exit| [self, other].contains(exit)).unwrap_or(Exit::Ok)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Prints one line, or several, on stdout. A reader that has gone away is no error.
pub(crate) fn result(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints an error and what to do about it on stderr.
pub(crate) fn error(message: &str, hint: Option<&str>) {
    say("error", message, hint);
}

/// Says why the program ends before it has done anything: on stderr, and for programs on stdout as
/// well.
pub(crate) fn fault(as_json: bool, message: &str, hint: Option<&str>, exit: Exit) -> Exit {
    if as_json {
        result(&json!({ "error": message, "hint": hint, "exit": exit as u8 }).to_string());
    }
    error(message, hint);
    exit
}

/// Prints a warning and what to do about it on stderr.
pub(crate) fn warning(message: &str, hint: Option<&str>) {
    say("warning", message, hint);
}

/// Prints on stderr what is worth knowing and no reason to do anything.
pub(crate) fn note(message: &str) {
    say("note", message, None);
}

fn say(kind: &str, message: &str, hint: Option<&str>) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "{kind}: {message}");
    if let Some(hint) = hint {
        let _ = writeln!(err, "hint: {hint}");
    }
}

/// The exit code of an outcome.
pub(crate) fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Confirmed { .. } => Exit::Ok,
        Outcome::Stopped(_) => Exit::Refused,
        Outcome::Paused(Pausing::Unreachable(_)) => Exit::Unreachable,
        Outcome::Paused(Pausing::Unavailable { .. } | Pausing::Unconfirmed(_)) => Exit::Failed,
    }
}

/// One word for an outcome, the same in all output.
pub(crate) fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Confirmed { changed: true } => "changed",
        Outcome::Confirmed { changed: false } => "unchanged",
        Outcome::Stopped(_) => "stopped",
        Outcome::Paused(why) => pausing_word(why),
    }
}

/// One word for a reason to wait, the same in all output.
pub(crate) fn pausing_word(why: &Pausing) -> &'static str {
    match why {
        Pausing::Unreachable(_) => "unreachable",
        Pausing::Unavailable { .. } => "unavailable",
        Pausing::Unconfirmed(_) => "unconfirmed",
    }
}

/// An outcome as members of a JSON object: `outcome`, and `code`, `message` and `hint` if there are
/// any.
pub(crate) fn members(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Confirmed { .. } => json!({ "outcome": word(outcome) }),
        Outcome::Stopped(stop) => json!({
            "outcome": word(outcome),
            "code": stop.code(),
            "message": stop.meaning(),
            "hint": stop.hint(),
        }),
        Outcome::Paused(why) => json!({ "outcome": word(outcome), "message": why.to_string() }),
    }
}

/// Says on stderr why an outcome is not as wanted.
pub(crate) fn complain(host: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Confirmed { .. } => {}
        Outcome::Stopped(stop) => {
            let message = format!("`{host}`: {} (`{}`)", stop.meaning(), stop.code());
            error(&message, Some(stop.hint()));
        }
        Outcome::Paused(why) => error(&format!("`{host}`: {why}"), None),
    }
}

/// What was observed, as a JSON object.
pub(crate) fn observed(observed: &Observed) -> Value {
    match observed {
        Observed::Known(addresses) => {
            json!({ "observed": "known", "addresses": addresses.as_slice() })
        }
        Observed::None => json!({ "observed": "none" }),
        Observed::Unknown(why) => json!({ "observed": "unknown", "message": why.to_string() }),
    }
}

/// What was observed, for people.
pub(crate) fn observed_text(observed: &Observed) -> String {
    match observed {
        Observed::Known(addresses) => addresses.to_string(),
        Observed::None => "no address".to_owned(),
        Observed::Unknown(why) => format!("unknown: {why}"),
    }
}

/// The exit code when nothing is known of either family; otherwise all is well.
pub(crate) fn exit_of_observation(observation: &Observation) -> Exit {
    match (&observation.ipv4, &observation.ipv6) {
        (Observed::Unknown(one), Observed::Unknown(other)) => {
            let unreachable =
                |cause: &Cause| matches!(cause, Cause::Unreachable(_) | Cause::NoSource);
            let nobody = unreachable(one) && unreachable(other);
            if nobody { Exit::Unreachable } else { Exit::Failed }
        }
        (Observed::Known(_) | Observed::None, _) | (_, Observed::Known(_) | Observed::None) => {
            Exit::Ok
        }
    }
}
