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
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::command_line::Line;
use crate::output::Output;

fn main() -> ExitCode {
    let line = Line::parse();
    let output = Output::new(line.everywhere.json);
    match commands::run(line, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => output.fault(&fault),
    }
}
