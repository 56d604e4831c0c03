//! The agent's program: notices that an address has changed and updates its name.
//!
//! # What
//! The command line of the crate `agent`: arguments and environment in, results out on stdout, talk
//! on stderr, an exit code that says whose fault it was.
//!
//! # Not here
//! Everything that finds, decides or publishes: the crate `agent`.
//!
//! # Flow
//! `arguments → command → exit code`
//!
//! # Start reading at
//! [`cli::Command`], then the file of a command.

mod cli;
mod daemon;
mod detect;
mod once;
mod output;
mod places;
mod start;
mod status;
mod talk;
mod update;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way as well; clap knows where each belongs.
            let written = error.print();
            return ExitCode::from(if written.is_ok() { error.exit_code() as u8 } else { 1 });
        }
    };
    talk::start(&cli);
    let exit = match &cli.command {
        Command::Run(arguments) => daemon::run(arguments, cli.json),
        Command::Once(arguments) => once::run(arguments, cli.json),
        Command::Update(arguments) => update::run(arguments, cli.json),
        Command::Detect(arguments) => detect::run(arguments, cli.json),
        Command::Status(arguments) => status::run(arguments, cli.json),
    };
    exit.into()
}
