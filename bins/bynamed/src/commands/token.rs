//! `bynamed token`: tokens, by which programs change records.

use clap::{Args, Subcommand, ValueEnum};
use node::admin::{Command, KeyAction, TokenRole, TokenSettings};

use super::key::RecordAction;
use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::options::parse;
use crate::order::{self, Print};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Make a token and print it once
    ///
    /// It may change the addresses of the hosts that are named, and nothing else. With `--type`,
    /// `--below`, `--action` or `--value` it gets a rule of its own, for names that need be no hosts:
    /// `token add _acme-challenge.nas.dyn.example --type TXT` is for certificates of that host.
    Add(Box<Add>),
    /// List the tokens, without their secrets
    List,
    /// Show one token, without its secret
    Show {
        /// Its number, as `token list` shows it
        id: u64,
    },
    /// Make a token in place of another one, on the same terms, and print it once
    Rotate {
        /// The number of the old one
        id: u64,
        /// The old one goes on for so long, like `7d`
        #[arg(long, value_name = "TIME", value_parser = parse::seconds, default_value = "0s")]
        overlap: u32,
    },
    /// Revoke a token
    Revoke {
        /// Its number, as `token list` shows it
        id: u64,
    },
}

/// A token to be.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The names that it is for, all of one account
    #[arg(required_unless_present_any = ["host", "below", "role", "account"])]
    names: Vec<String>,
    /// One more of them
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Every name below this one; may be given several times
    #[arg(long, value_name = "NAME")]
    below: Vec<String>,
    /// Types of the records that it may change [default: A,AAAA]
    #[arg(long = "type", value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// What it may do with them; to replace one takes both [default: both]
    #[arg(long = "action", value_name = "ACTIONS", value_delimiter = ',')]
    actions: Vec<RecordAction>,
    /// Network that its addresses must lie in; may be given several times [default: any]
    #[arg(long, value_name = "NETWORK")]
    value: Vec<String>,
    /// Network that it is accepted from; may be given several times [default: any]
    #[arg(long, value_name = "NETWORK")]
    from: Vec<String>,
    /// It ends after so long, like `90d`
    #[arg(long, value_name = "TIME", value_parser = parse::seconds)]
    expires: Option<u32>,
    /// It ends when it was not used for so long, like `60d`
    #[arg(long, value_name = "TIME", value_parser = parse::seconds)]
    unused: Option<u32>,
    /// What it may do beside that: everything that the account may, or see it
    #[arg(long, value_name = "ROLE")]
    role: Option<InRole>,
    /// Name of the account that owns it; with a role and no account it is the operator's own
    ///
    /// With `--type` and no names it is for every name of the account.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,
}

/// What a token may do beside changing records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InRole {
    /// See what belongs to the account
    Reader,
    /// Everything that the account may; of the operator's account: everything
    Owner,
}

impl Add {
    fn command(self) -> Command {
        let Add { mut names, host, below, types, actions, value, from, .. } = self;
        names.extend(host);
        let is_operators = names.is_empty() && below.is_empty();
        let account = self.account.or_else(|| is_operators.then(|| "operator".to_owned()));
        let settings = TokenSettings {
            account,
            below,
            types,
            actions: actions.into_iter().map(KeyAction::from).collect(),
            values: value,
            from,
            expires_s: self.expires,
            unused_s: self.unused,
            role: self.role.map(|role| match role {
                InRole::Reader => TokenRole::Reader,
                InRole::Owner => TokenRole::Owner,
            }),
        };
        Command::TokenAdd { hosts: names, label: self.label, settings }
    }
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let (command, print) = match self {
            Order::Add(add) => (add.command(), Print::Secret(&["hosts", "token"])),
            Order::List => {
                let columns =
                    &["id", "account", "hosts", "role", "label", "created", "ends", "revoked"];
                (Command::TokenList, Print::Table(columns))
            }
            Order::Show { id } => (Command::TokenShow { id }, Print::Lines(&["id", "account"])),
            Order::Rotate { id, overlap } => {
                (Command::TokenRotate { id, overlap_s: overlap }, Print::Secret(&["id", "token"]))
            }
            Order::Revoke { id } => (Command::TokenRevoke { id }, Print::Lines(&["id"])),
        };
        order::run(settings, &command, print, output)
    }
}
