//! `bynamed account`: accounts, which own zones and hosts.

use clap::Subcommand;
use node::admin::{Command, HistoryOf, LimitOf};

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
    /// Change how much an account may have and do
    Set {
        /// Its name
        name: String,
        /// A limit, like `hosts=100`; of `hosts`, `tokens`, `webhooks` and `changes-per-hour`. What is
        /// usual again: `hosts=usual`
        #[arg(long, value_name = "WHAT=NUMBER", value_parser = limit, required = true)]
        limit: Vec<(LimitOf, Option<u32>)>,
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

fn limit(text: &str) -> Result<(LimitOf, Option<u32>), String> {
    let (of, number) = text.split_once('=').ok_or("it takes a form like `hosts=100`")?;
    let of = match of {
        "hosts" => LimitOf::Hosts,
        "tokens" => LimitOf::Tokens,
        "webhooks" => LimitOf::Webhooks,
        "changes-per-hour" => LimitOf::ChangesPerHour,
        _ => return Err(format!("there is no limit of `{of}`")),
    };
    if number == "usual" {
        return Ok((of, None));
    }
    let number = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Ok((of, Some(number)))
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let (command, print) = match self {
            Order::Add { name } => (Command::AccountAdd { account: name }, ONE),
            Order::Set { name, limit } => {
                (Command::AccountSet { account: name, limits: limit }, ONE)
            }
            Order::List => {
                let columns = &["account", "id", "frozen", "limits", "created"];
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
