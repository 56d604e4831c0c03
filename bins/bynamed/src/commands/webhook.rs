//! `bynamed webhook`: addresses that are told what happens.

use clap::Subcommand;
use node::admin::{Command, WebhookSettings};

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::order::{self, Print};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Add a webhook and print once the secret that its calls are signed with
    Add {
        /// Where to: an address that begins with `https://`
        url: String,
        /// Name of the account whose events it is told [default: the operator's, who is told all]
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// Of this host only
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
        /// Of this kind only: change, new-network, refused, silent, back; can be repeated
        #[arg(long = "event", value_name = "KIND")]
        events: Vec<String>,
        /// It may lie in a private network or on this machine, and begin with `http://`
        #[arg(long)]
        allow_private: bool,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List the webhooks
    List,
    /// Forget a webhook
    Remove {
        /// Its number
        id: u64,
    },
    /// Tell it nothing until it is resumed
    Pause {
        /// Its number
        id: u64,
    },
    /// Go on where it was paused
    Resume {
        /// Its number
        id: u64,
    },
    /// Send it a test message now and say what came back
    Test {
        /// Its number
        id: u64,
    },
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let (command, print) = match self {
            Order::Add { url, account, host, events, allow_private, label } => {
                let private_ok = allow_private;
                let settings = WebhookSettings { url, account, host, events, private_ok, label };
                (Command::WebhookAdd(settings), SECRET)
            }
            Order::List => {
                let columns = &["id", "url", "account", "host", "events", "paused"];
                (Command::WebhookList, Print::Table(columns))
            }
            Order::Remove { id } => (Command::WebhookRemove { id }, ONE),
            Order::Pause { id } => (Command::WebhookPause { id, paused: true }, ONE),
            Order::Resume { id } => (Command::WebhookPause { id, paused: false }, ONE),
            Order::Test { id } => (Command::WebhookTest { id }, ONE),
        };
        order::run(&configuration.settings, &command, print, output)
    }
}

const ONE: Print = Print::Lines(&["id"]);
const SECRET: Print = Print::Secret(&["id", "url", "secret"]);
