//! `bynamed`, the service's program: command line, configuration, logs, and the doors opened and
//! closed in the right order.

mod command_line;
mod commands;
mod configuration;
mod demo;
mod doors;
mod fault;
mod list;
mod log;
mod measure;
mod options;
mod order;
mod output;
mod progress;
mod serve;

use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use crate::command_line::Line;
use crate::output::Output;

fn main() -> ExitCode {
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(error) => return no_order(&error),
    };
    let output = Output::new(line.everywhere.json);
    match commands::run(line, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => output.fault(&fault),
    }
}

/// Help and version, or what is wrong with the command line; programs find that on standard output
/// as they find every other fault.
fn no_order(error: &clap::Error) -> ExitCode {
    let mut words = std::env::args_os().take_while(|word| word != "--");
    if error.use_stderr() && words.any(|word| word == "--json") {
        let told = error.render().to_string();
        let message = told.split("\n\n").next().unwrap_or_default();
        let message: Vec<&str> = message.split_whitespace().collect();
        let message = message.join(" ");
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        // The exit code says it too.
        let _ = Output::new(true).value(&json!({ "error": message, "hint": null, "exit": 2 }));
    }
    // Nothing can be said when the output is gone.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
