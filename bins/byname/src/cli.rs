//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Notices that the address of this machine has changed and updates its name.
///
/// Results go to stdout, talk to stderr. Exit codes: 0 ok, 1 failed, 2 usage, 3 refused by policy or
/// credentials, 4 unreachable.
#[derive(Debug, Parser)]
#[command(name = "byname", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print results as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How much to say on stderr: `error`, `warn`, `info`, `debug`, `trace`.
    #[arg(long, global = true, value_name = "LEVEL", env = "BYNAME_LOG")]
    pub(crate) log: Option<tracing::Level>,
    /// In which form to say it.
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        env = "BYNAME_LOG_FORMAT",
        default_value = "text"
    )]
    pub(crate) log_format: LogFormat,
}

/// The form of what is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keep the names of this machine up to date, until told to stop.
    Run(ConfigArguments),
    /// Look, decide and publish one time.
    Once(OnceArguments),
    /// Publish one address now, without any configuration.
    Update(UpdateArguments),
    /// Say what each source knows about the address of this machine. Publishes nothing.
    Detect(ConfigArguments),
    /// Say what was last published, and what is waited for. Asks nobody.
    Status(ConfigArguments),
}

/// Where configuration and state are.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration file. By default `/etc/byname/byname.toml` for root, otherwise
    /// `~/.config/byname/byname.toml`, if it is there. Every option is a variable as well:
    /// `BYNAME_SERVER`, `BYNAME_HOST`, `BYNAME_TOKEN` and so on.
    #[arg(long, value_name = "FILE", env = "BYNAME_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The file that remembers what is published. By default `/var/lib/byname-agent/state.json` for
    /// root, otherwise `~/.local/state/byname/state.json`.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}

/// The arguments of `byname once`.
#[derive(Debug, Args)]
pub(crate) struct OnceArguments {
    /// Where configuration and state are.
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Ask the service again, whatever it has said and however long it wanted to be left alone.
    #[arg(long)]
    pub(crate) retry: bool,
}

/// The arguments of `byname update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArguments {
    /// The service, such as `https://dyn.example`.
    #[arg(long, value_name = "URL", env = "BYNAME_SERVER")]
    pub(crate) server: String,
    /// The host to update.
    #[arg(long, value_name = "NAME", env = "BYNAME_HOST")]
    pub(crate) host: String,
    /// The token of the host. Other users of this machine can read a command line (`ps`): better
    /// put it into the environment variable or a file.
    #[arg(long, value_name = "TOKEN", env = "BYNAME_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// A file that holds the token and nothing else; wins over the token given otherwise.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// An address to publish; may be repeated. Without any, the service takes the one that it is
    /// asked from. A family of which no address is given is left as it is.
    #[arg(long = "ip", value_name = "ADDR")]
    pub(crate) addresses: Vec<IpAddr>,
    /// Send the token in clear over a network without a warning.
    #[arg(long, env = "BYNAME_ALLOW_HTTP")]
    pub(crate) allow_http: bool,
}

impl Command {
    /// How much a command says when nobody says how much: a daemon tells its story, the others
    /// speak when something is wrong.
    pub(crate) fn level(&self) -> tracing::Level {
        match self {
            Command::Run(_) => tracing::Level::INFO,
            Command::Once(_) | Command::Update(_) | Command::Detect(_) | Command::Status(_) => {
                tracing::Level::WARN
            }
        }
    }
}
