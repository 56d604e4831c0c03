//! `bynamed check`, `backup` and `restore`: the data directory as a whole.

use std::io;
use std::path::PathBuf;

use node::admin::Command;
use serde_json::{Value, json};

use crate::command_line::Everywhere;
use crate::configuration::{self, Configuration};
use crate::fault::{self, Fault};
use crate::log;
use crate::options::Flags;
use crate::order::{self, Print};
use crate::output::Output;

/// Where a backup goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The file; an older one is replaced when the new one is complete
    file: PathBuf,
}

/// Where a backup comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The file that `bynamed backup` wrote
    file: PathBuf,
}

impl Backup {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        // The service may run elsewhere in the file system.
        let file = std::path::absolute(&self.file).map_err(Fault::failed)?;
        let command = Command::Backup { file };
        let print = Print::Lines(&["file", "position", "events"]);
        order::run(&configuration.settings, &command, print, output)
    }
}

impl Restore {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let data = &configuration.settings.data;
        if order::is_empty(data) {
            // Whatever cannot be read is no backup, but that is not what to tell.
            fault::open(&self.file)?;
        }
        let restored = node::admin::restore(&self.file, data).map_err(|why| order::opened(&why))?;
        Print::Lines(&["data", "position", "events"]).value(&restored, output)
    }
}

/// What is checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The log must have this position with this hash: a `head` that an earlier check has shown
    #[arg(long, value_name = "POSITION:HASH")]
    head: Option<String>,
}

impl Check {
    /// Validates the configuration, and the data when there are some.
    pub(crate) fn run(self, everywhere: &Everywhere, output: Output) -> Result<(), Fault> {
        let (mut problems, settings) = match configuration::read(everywhere, &Flags::default()) {
            Ok(configuration) => (Vec::new(), configuration.settings),
            // The data are looked at all the same, where the command line says.
            Err(problems) => (problems.list.clone(), problems.settings),
        };
        log::start_quiet();
        problems.extend(crate::serve::problems(&settings));
        let data = &settings.data;
        let mut found = Value::Null;
        if order::is_empty(data) {
            output.talk(&format!("{} holds no data yet", data.display()));
            if self.head.is_some() {
                problems.push("there is no log that could have the position".to_owned());
            }
        } else {
            let command = Command::Check { head: self.head };
            match order::deliver(&settings, &command, &mut io::empty(), &mut io::sink()) {
                Ok(value) => found = value,
                Err(fault) => problems.push(fault.message),
            }
        }
        if !problems.is_empty() {
            return Err(Fault::failed(problems.join("\n       ")));
        }
        if output.is_json() {
            return output.value(&json!({ "problems": [], "data": found }));
        }
        output.text("all is well\n")?;
        if let Some(head) = found["head"].as_str() {
            output.talk(&format!(
                "the history ends with {head}: note it elsewhere, and `bynamed check --head` proves \
                 later that nothing up to there was changed"
            ));
        }
        Ok(())
    }
}
