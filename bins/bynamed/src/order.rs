//! Giving an order: to the service that runs on the data directory, or directly when none does.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use node::NodeError;
use node::admin::{self, CallError, Called, Command, DirectError};
use serde_json::Value;

use crate::configuration::Settings;
use crate::fault::{Exit, Fault};
use crate::list::List;
use crate::output::{self, Output};

/// How a result is shown to people.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Print {
    /// A table with these columns.
    Table(&'static [&'static str]),
    /// Fields, one a line: these first.
    Lines(&'static [&'static str]),
    /// The same with a secret that is not shown again.
    Secret(&'static [&'static str]),
}

impl Print {
    /// Shows a result.
    pub(crate) fn value(self, value: &Value, output: Output) -> Result<(), Fault> {
        if output.is_json() {
            return output.value(value);
        }
        match self {
            Print::Table(first) | Print::Lines(first) => output.text(&output::lines(value, first)),
            Print::Secret(first) => {
                output.text(&output::lines(value, first))?;
                output.talk("keep it now: it is not shown again");
                Ok(())
            }
        }
    }
}

/// Gives an order that nothing follows, and shows what came of it.
pub(crate) fn run(
    settings: &Settings,
    command: &Command,
    print: Print,
    output: Output,
) -> Result<(), Fault> {
    let Print::Table(columns) = print else {
        let value = deliver(settings, command, &mut io::empty(), &mut io::sink())?;
        return print.value(&value, output);
    };
    let mut list = List::new(columns, output);
    deliver(settings, command, &mut io::empty(), &mut list)?;
    list.end()
}

/// Gives an order. What follows it is read from `body`; a zone file or the
/// rows of a list go to `out`.
///
/// A service that is starting, stopping, or another order that is being carried out has the data
/// directory for a moment: then it is tried again.
pub(crate) fn deliver(
    settings: &Settings,
    command: &Command,
    body: &mut dyn Read,
    out: &mut dyn Write,
) -> Result<Value, Fault> {
    let data = &settings.data;
    if command.only_looks() && is_empty(data) {
        let fault = Fault::failed(format!("{} holds no data", data.display()));
        return Err(fault.hint("name the data directory with `--data DIR`"));
    }
    // What is old stays until the service drops it: an order is quick.
    let options = node::Options { log_ms: None, origins_ms: None, ..settings.node_options() };
    let until = Instant::now() + WAIT;
    loop {
        match admin::call(data, command, body) {
            Ok(called) => return finish(called, command, out),
            Err(CallError::NotRunning) => {}
            // What follows an import is gone, so that one cannot be given again.
            Err(CallError::Stopping) if !matches!(command, Command::ZoneImport { .. }) => {}
            Err(why) => return Err(unanswered(&why)),
        }
        match admin::direct(&options, command, body, out) {
            Ok(value) => return Ok(value),
            Err(DirectError::Node(why)) if why.is_held() && Instant::now() < until => {
                std::thread::park_timeout(PAUSE);
            }
            Err(DirectError::Node(why)) if why.is_held() => {
                let fault = Fault { exit: Exit::Unreachable, ..Fault::failed(why) };
                return Err(fault.hint("it does not answer (yet); look at its log"));
            }
            Err(DirectError::Node(why)) => return Err(opened(&why)),
            Err(DirectError::Order(why)) => {
                return Err(Fault { exit: Exit::of(why.exit_code()), ..Fault::failed(why) });
            }
            Err(DirectError::Output(why)) => return Err(Fault::failed(why)),
        }
    }
}

/// Whether a data directory holds nothing, or is not there.
pub(crate) fn is_empty(data: &Path) -> bool {
    matches!(data.join("log.db").try_exists(), Ok(false))
}

/// A data directory that cannot be opened, with what to do about it.
pub(crate) fn opened(why: &NodeError) -> Fault {
    Fault { hint: why.hint().map(str::to_owned), ..Fault::failed(why) }
}

fn finish(called: Called, command: &Command, out: &mut dyn Write) -> Result<Value, Fault> {
    let Called { value, mut body } = called;
    let Some(end) = command.ends_with() else { return Ok(value) };
    let cut = || Fault {
        exit: Exit::Unreachable,
        ..Fault::failed("the answer was cut off: the service stopped or does not answer")
    };
    let mut line = Vec::new();
    let mut ended = false;
    loop {
        line.clear();
        if body.read_until(b'\n', &mut line).map_err(|_| cut())? == 0 {
            return if ended { Ok(value) } else { Err(cut()) };
        }
        ended = line.starts_with(end.as_bytes()) && line.ends_with(b"\n");
        out.write_all(&line)
            .map_err(|why| Fault::failed(format!("the result cannot be written: {why}")))?;
    }
}

fn unanswered(why: &CallError) -> Fault {
    let exit = match why {
        CallError::Answered { exit, .. } => Exit::of(*exit),
        CallError::NotRunning | CallError::Stopping | CallError::Broken(_) => Exit::Unreachable,
    };
    Fault { exit, ..Fault::failed(why) }
}

/// What a check has found.
pub(crate) const CHECKED: Print = Print::Lines(&["head", "position", "events"]);
/// How long another process may have the data directory before we give up.
const WAIT: Duration = Duration::from_secs(30);
/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(50);
