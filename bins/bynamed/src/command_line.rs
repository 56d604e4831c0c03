//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{account, data, history, host, key, settings, token, webhook, zone};
use crate::options::Flags;

/// Dynamic DNS service: answers DNS for its zones and takes updates of their hosts.
#[derive(Debug, Parser)]
#[command(name = "bynamed", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Line {
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Everywhere {
    /// Data directory [default: /var/lib/byname for root, else ./byname-data]
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Configuration file (TOML); `bynamed config` prints a sample
    #[arg(long, global = true, help_heading = "Everywhere", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Results as JSON on standard output
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve DNS queries and updates until asked to stop
    Serve(Flags),
    /// Serve a fresh zone, a host and a token on loopback ports, and print lines to try
    Demo(Flags),
    /// Zones that are served
    #[command(subcommand)]
    Zone(zone::Order),
    /// Hosts, whose addresses change
    #[command(subcommand)]
    Host(host::Order),
    /// Keys that sign updates
    #[command(subcommand)]
    Key(key::Order),
    /// Tokens, by which programs change the addresses of hosts
    #[command(subcommand)]
    Token(token::Order),
    /// Accounts, which own zones and hosts
    #[command(subcommand)]
    Account(account::Order),
    /// Addresses that are told what happens
    #[command(subcommand)]
    Webhook(webhook::Order),
    /// Show who changed what, when and from where
    History(history::History),
    /// Set records back to what they were before a change
    Undo(history::Undo),
    /// Validate configuration and data; change nothing
    Check(data::Check),
    /// Write a consistent copy of the data into a file, also while the service runs
    Backup(data::Backup),
    /// Make an empty data directory from a backup
    Restore(data::Restore),
    /// Print a commented sample of the configuration file
    Config(settings::Show),
}
