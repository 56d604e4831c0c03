//! What the commands do: one file per group.

pub(crate) mod account;
pub(crate) mod data;
pub(crate) mod history;
pub(crate) mod host;
pub(crate) mod key;
pub(crate) mod settings;
pub(crate) mod token;
pub(crate) mod webhook;
pub(crate) mod zone;

use crate::command_line::{Command, Everywhere, Line};
use crate::configuration::{self, Configuration};
use crate::fault::Fault;
use crate::options::Flags;
use crate::output::Output;
use crate::{demo, log, serve};

/// Does what the command line says.
pub(crate) fn run(line: Line, output: &Output) -> Result<(), Fault> {
    let Line { everywhere, command } = line;
    match command {
        Command::Serve(flags) => serve::run(&configured(&everywhere, &flags)?, *output),
        Command::Demo(flags) => demo::run(&everywhere, &flags, *output),
        Command::Check(check) => check.run(&everywhere, *output),
        Command::Webhook(order) => order.run(&offline(&everywhere)?, *output),
        Command::History(history) => history.run(&offline(&everywhere)?, *output),
        Command::Undo(undo) => undo.run(&offline(&everywhere)?, *output),
        Command::Restore(restore) => restore.run(&offline(&everywhere)?, *output),
        Command::Config(show) => show.run(*output),
        Command::Zone(order) => order.run(&offline(&everywhere)?, *output),
        Command::Host(order) => order.run(&offline(&everywhere)?, *output),
        Command::Key(order) => order.run(&offline(&everywhere)?, *output),
        Command::Token(order) => order.run(&offline(&everywhere)?, *output),
        Command::Account(order) => order.run(&offline(&everywhere)?, *output),
        Command::Backup(backup) => backup.run(&offline(&everywhere)?, *output),
    }
}

/// The configuration for the commands that give an order; they talk only when something is wrong.
fn offline(everywhere: &Everywhere) -> Result<Configuration, Fault> {
    let configuration = configured(everywhere, &Flags::default())?;
    log::start_quiet();
    Ok(configuration)
}

fn configured(everywhere: &Everywhere, flags: &Flags) -> Result<Configuration, Fault> {
    configuration::read(everywhere, flags).map_err(|problems| problems.into_fault())
}
