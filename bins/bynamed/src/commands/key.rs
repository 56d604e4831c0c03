//! `bynamed key`: TSIG keys.

use clap::{Subcommand, ValueEnum};
use node::admin::{Command, SecretText};

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::order::{self, Print};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Add a key. It is kept only: DNS does not take signed messages
    Add {
        /// Its name, the same at both ends
        name: String,
        /// Its algorithm
        #[arg(long, value_name = "NAME", default_value = "hmac-sha256")]
        algorithm: String,
        /// The shared secret; made at random and printed once when not given
        #[arg(long, value_name = "BASE64")]
        secret: Option<String>,
        /// A zone that it may act on; may be given several times
        #[arg(long = "zone", value_name = "ZONE", required = true)]
        zones: Vec<String>,
        /// What it may do
        #[arg(long, value_name = "ACTIONS", value_delimiter = ',', required = true)]
        allow: Vec<Action>,
    },
    /// List the keys, without their secrets
    List,
    /// Forget a key
    Remove {
        /// Its name
        name: String,
    },
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Action {
    /// Send dynamic updates
    Update,
    /// Transfer the zone
    Transfer,
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let is_new = matches!(self, Order::Add { .. });
        let (command, print) = match self {
            Order::Add { name, algorithm, secret, zones, allow } => {
                let update = allow.contains(&Action::Update);
                let transfer = allow.contains(&Action::Transfer);
                // Only a secret that was made is shown.
                let print = if secret.is_some() { ONE } else { SECRET };
                let secret = secret.map(SecretText);
                (Command::KeyAdd { key: name, algorithm, secret, zones, update, transfer }, print)
            }
            Order::List => {
                let columns = &["key", "algorithm", "zones", "update", "transfer"];
                (Command::KeyList, Print::Table(columns))
            }
            Order::Remove { name } => (Command::KeyRemove { key: name }, ONE),
        };
        order::run(settings, &command, print, output)?;
        if is_new {
            output.talk(NOT_TAKEN);
        }
        Ok(())
    }
}

const ONE: Print = Print::Lines(&["key"]);
const SECRET: Print = Print::Secret(&["key", "algorithm", "secret"]);
/// Said when a key is added: who sets up a secondary with it would look for the mistake elsewhere.
const NOT_TAKEN: &str =
    "note: keys are kept only; DNS answers messages that are signed with one with BADKEY";
