//! `bynamed host`: hosts, whose addresses change.

use clap::Subcommand;
use node::admin::{Command, HostSettings};

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::order::{self, Print};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Add a host and print its token once
    Add {
        /// Its name, in a zone that is served
        name: String,
        /// Name of the account that owns it [default: the operator's]
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// List hosts
    List {
        /// Of this zone only
        zone: Option<String>,
    },
    /// Show one host
    Show {
        /// Its name
        name: String,
    },
    /// Change settings of a host; what is not given stays
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Give a host a new token in place of its old one and print it once
    Rotate {
        /// Its name
        name: String,
    },
    /// Forget a host and withdraw its addresses
    Remove {
        /// Its name
        name: String,
    },
}

/// Settings of a host.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// TTL of its addresses, in seconds [default: that of the zone]
    #[arg(long = "ttl", value_name = "SECONDS")]
    ttl_s: Option<u32>,
    /// Private addresses may be published, also on a shared suffix
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    private: Option<bool>,
}

impl Settings {
    fn read(self) -> HostSettings {
        HostSettings { ttl_s: self.ttl_s, private_ok: self.private }
    }
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let (command, print) = match self {
            Order::Add { name, account, settings } => {
                let settings = settings.read();
                (Command::HostAdd { host: name, account, settings }, SECRET)
            }
            Order::List { zone } => {
                let columns = &["host", "a", "aaaa", "ttl_s", "last_seen"];
                (Command::HostList { zone }, Print::Table(columns))
            }
            Order::Show { name } => (Command::HostShow { host: name }, ONE),
            Order::Set { name, settings } => {
                (Command::HostSet { host: name, settings: settings.read() }, ONE)
            }
            Order::Rotate { name } => (Command::HostRotate { host: name }, SECRET),
            Order::Remove { name } => (Command::HostRemove { host: name }, ONE),
        };
        order::run(settings, &command, print, output)
    }
}

const ONE: Print = Print::Lines(&["host", "zone", "a", "aaaa"]);
const SECRET: Print = Print::Secret(&["host", "token"]);
