//! `bynamed token`: tokens, by which programs change the addresses of hosts.

use clap::Subcommand;
use node::admin::Command;

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::order::{self, Print};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Make a token that covers these hosts, and print it once
    Add {
        /// The hosts, all of one account
        #[arg(required = true)]
        hosts: Vec<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List the tokens, without their secrets
    List,
    /// Revoke a token
    Revoke {
        /// Its number, as `token list` shows it
        id: u64,
    },
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let (command, print) = match self {
            Order::Add { hosts, label } => {
                (Command::TokenAdd { hosts, label }, Print::Secret(&["hosts", "token"]))
            }
            Order::List => {
                let columns = &["id", "hosts", "label", "created", "revoked", "exposed"];
                (Command::TokenList, Print::Table(columns))
            }
            Order::Revoke { id } => (Command::TokenRevoke { id }, Print::Lines(&["id"])),
        };
        order::run(settings, &command, print, output)
    }
}
