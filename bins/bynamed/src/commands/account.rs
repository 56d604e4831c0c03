//! `bynamed account`: accounts, which own zones and hosts.

use clap::Subcommand;
use node::admin::{Command, HistoryOf};

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::order::{self, Print};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Add an account
    Add {
        /// Its name
        name: String,
    },
    /// List the accounts
    List,
    /// Lockdown: its names stay as they are, and all its tokens are revoked
    Freeze {
        /// Its name
        name: String,
    },
    /// End a lockdown; revoked tokens stay revoked
    Unfreeze {
        /// Its name
        name: String,
    },
    /// Erase the source addresses of its changes from the history
    ///
    /// The rest of the history stays, and its chain of hashes holds. Backups are not reached.
    EraseSources {
        /// Its name
        name: String,
    },
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let (command, print) = match self {
            Order::Add { name } => (Command::AccountAdd { account: name }, ONE),
            Order::List => {
                let columns = &["account", "id", "frozen", "created"];
                (Command::AccountList, Print::Table(columns))
            }
            Order::Freeze { name } => (Command::AccountFreeze { account: name }, ONE),
            Order::Unfreeze { name } => (Command::AccountUnfreeze { account: name }, ONE),
            Order::EraseSources { name } => {
                (Command::EraseSources { of: HistoryOf::Account(name) }, ERASED)
            }
        };
        order::run(settings, &command, print, output)
    }
}

const ONE: Print = Print::Lines(&["account"]);
const ERASED: Print = Print::Lines(&["erased"]);
