//! `bynamed key`: keys that sign messages.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use node::admin::{Command, KeyAction, KeySettings, SecretText};

use crate::configuration::Configuration;
use crate::fault::{self, Fault};
use crate::order::{self, Print};
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Add a key
    ///
    /// Without a secret one is made at random, as with `--generate`, and printed once, with lines for
    /// the files that `nsupdate -k` and `knsupdate -k` read. A key may change every record of its
    /// zones unless `--name`, `--type` or `--action` say less.
    Add(Box<Add>),
    /// List the keys, without their secrets
    List,
    /// Forget a key
    Remove {
        /// Its name
        name: String,
    },
}

/// A key to be.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// Its name, the same at both ends
    name: String,
    /// Its algorithm; `sig0` for a SIG(0) key, whose KEY records stand at its name
    #[arg(long, value_name = "NAME", default_value = "hmac-sha256")]
    algorithm: String,
    #[command(flatten)]
    source: Source,
    /// A zone that it may act on; may be given several times
    #[arg(long = "zone", value_name = "ZONE", required = true)]
    zones: Vec<String>,
    /// What it may do
    #[arg(long, value_name = "ACTIONS", value_delimiter = ',', required = true)]
    allow: Vec<Action>,
    #[command(flatten)]
    settings: Settings,
}

/// Where a secret comes from.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Source {
    /// The shared secret, which the list of processes shows meanwhile; `-` for standard input
    #[arg(long, value_name = "BASE64|-")]
    secret: Option<String>,
    /// A file with the shared secret in base64
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Make the secret at random and print it once
    #[arg(long)]
    generate: bool,
}

/// What a key may change.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// A name that it may change; may be given several times [default: every name of its zones]
    ///
    /// `nas.dyn.example` is that name alone. `*.nas.dyn.example` is every name below it, but not the
    /// name itself: give both for both. `self` is the name of the key, `self-subtree` that and every
    /// name below it. The record of a wildcard itself is `\*.dyn.example`.
    #[arg(long = "name", value_name = "PATTERN")]
    names: Vec<String>,
    /// Types that it may change, for example A,AAAA,TXT [default: all]
    #[arg(long = "type", value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// What it may do with records; to replace one takes both [default: both]
    #[arg(long = "action", value_name = "ACTIONS", value_delimiter = ',')]
    actions: Vec<RecordAction>,
    /// HMAC-MD5 may be the algorithm, for a device that has nothing better
    #[arg(long)]
    allow_md5: bool,
    /// Signatures that were truncated are accepted
    #[arg(long)]
    allow_truncated: bool,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Action {
    /// Send dynamic updates
    Update,
    /// Transfer the zone
    Transfer,
}

/// What a key may do with records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordAction {
    /// Add them
    Add,
    /// Delete them
    Delete,
}

impl Order {
    pub(crate) fn run(self, configuration: &Configuration, output: Output) -> Result<(), Fault> {
        let settings = &configuration.settings;
        let for_transfers =
            matches!(&self, Order::Add(add) if add.allow.contains(&Action::Transfer));
        let (command, print) = match self {
            Order::Add(add) => add.command()?,
            Order::List => (Command::KeyList, Print::Table(COLUMNS)),
            Order::Remove { name } => (Command::KeyRemove { key: name }, ONE),
        };
        order::run(settings, &command, print, output)?;
        if for_transfers {
            output.talk(NO_TRANSFER);
        }
        Ok(())
    }
}

impl Add {
    fn command(self) -> Result<(Command, Print), Fault> {
        let Add { name: key, algorithm, source, zones, allow, settings } = self;
        let has_secret = algorithm != "sig0";
        if source.generate && !has_secret {
            return Err(Fault::failed("a SIG(0) key is made where messages are signed"));
        }
        let secret = source.secret()?;
        // Only a secret that was made is shown.
        let print = if has_secret && secret.is_none() { SECRET } else { ONE };
        let update = allow.contains(&Action::Update);
        let transfer = allow.contains(&Action::Transfer);
        let settings = settings.into_settings();
        let command = Command::KeyAdd { key, algorithm, secret, zones, update, transfer, settings };
        Ok((command, print))
    }
}

impl Source {
    /// The secret that was given, in base64.
    fn secret(self) -> Result<Option<SecretText>, Fault> {
        let text = match (self.secret, self.secret_file) {
            (Some(given), _) if given == "-" => {
                read(io::stdin().lock(), Path::new("standard input"))?
            }
            (Some(given), _) => given,
            (None, Some(path)) => read(fault::open(&path)?, &path)?,
            (None, None) => return Ok(None),
        };
        // Files end with a line break, and long secrets may have some inside.
        Ok(Some(SecretText(text.split_ascii_whitespace().collect())))
    }
}

fn read(from: impl Read, path: &Path) -> Result<String, Fault> {
    let mut text = String::new();
    let read = from.take(SECRET_OCTETS_MAX).read_to_string(&mut text);
    read.map_err(|why| fault::of_file(path, &why))?;
    if text.trim().is_empty() {
        return Err(Fault::failed(format!("{}: there is no secret in it", path.display())));
    }
    Ok(text)
}

impl From<RecordAction> for KeyAction {
    fn from(action: RecordAction) -> KeyAction {
        match action {
            RecordAction::Add => KeyAction::Add,
            RecordAction::Delete => KeyAction::Delete,
        }
    }
}

impl Settings {
    fn into_settings(self) -> KeySettings {
        KeySettings {
            names: self.names,
            types: self.types,
            actions: self.actions.into_iter().map(KeyAction::from).collect(),
            truncated_ok: self.allow_truncated,
            md5_ok: self.allow_md5,
        }
    }
}

const ONE: Print = Print::Lines(&["key"]);
const SECRET: Print = Print::Secret(&["key", "algorithm", "secret", "nsupdate", "knsupdate"]);
const COLUMNS: &[&str] =
    &["key", "algorithm", "zones", "update", "transfer", "names", "types", "actions"];
/// Most octets that are read of a secret: more than any key has.
const SECRET_OCTETS_MAX: u64 = 16 * 1024;
/// Said of a key for transfers: who sets up a secondary with it would look for the mistake elsewhere.
const NO_TRANSFER: &str = "note: transfers are not offered yet; the key is kept for them";
