//! `bynamed host`: hosts, whose addresses change.

use clap::Subcommand;
use node::admin::{Command, Expiry, HistoryOf, HostSettings, Then};

use crate::configuration::Configuration;
use crate::fault::Fault;
use crate::options::parse;
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
        /// The old one goes on for so long, like `7d`
        #[arg(long, value_name = "TIME", value_parser = parse::seconds, default_value = "0s")]
        overlap: u32,
    },
    /// Forget a host and withdraw its addresses
    ///
    /// Under a suffix no other account gets its name for 30 days, or for as long as the zone says.
    Remove {
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
    /// Let every account have the name of a host that was removed, before its time
    Free {
        /// The name
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
    /// Its addresses go after so long without a valid update, like `7d`
    ///
    /// The time before the service started does not count. With the next update that publishes an
    /// address the host is there again; a family that this update does not mention stays away.
    #[arg(long, value_name = "TIME", value_parser = parse::seconds)]
    expire_after: Option<u32>,
    /// What comes in place of them: `withdraw` (nothing), `park=ADDRESS,…`, or `cname=NAME`, which
    /// comes only if the name has no other records [default: withdraw]
    #[arg(long, value_name = "WHAT", value_parser = then, requires = "expire_after")]
    then: Option<Then>,
    /// Its addresses stay, however long nothing is heard of it
    #[arg(long, conflicts_with = "expire_after")]
    no_expiry: bool,
    /// How its updates at `/nic/update` are meant and answered, by the name of a provider [default:
    /// auto]
    ///
    /// `auto` and `dyndns2` delete nothing that is not named; `dyn`, `noip`, `google`, `he` and
    /// `changeip` neither, but use that provider's words. `desec` deletes the family that is not
    /// sent, and `nsupdate` AAAA for the address of a network, as these providers do. Hosts that are
    /// updated together must be set to the same one.
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
}

impl Settings {
    fn read(self) -> HostSettings {
        let Settings { ttl_s, private, expire_after, then, no_expiry, dialect } = self;
        let then = then.unwrap_or(Then::Withdraw);
        let after = expire_after.map(|after_s| Expiry::After { after_s, then });
        let expiry = no_expiry.then_some(Expiry::Never).or(after);
        HostSettings { ttl_s, private_ok: private, expiry, dialect }
    }
}

fn then(text: &str) -> Result<Then, String> {
    match text.split_once('=') {
        None if text == "withdraw" => Ok(Then::Withdraw),
        Some(("cname", name)) => Ok(Then::Cname(name.to_owned())),
        Some(("park", addresses)) => {
            let one = |text: &str| text.parse().map_err(|_| format!("`{text}` is not an address"));
            addresses.split(',').map(one).collect::<Result<_, _>>().map(Then::Park)
        }
        _ => Err("it is none of `withdraw`, `park=ADDRESS` and `cname=NAME`".to_owned()),
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
            Order::Rotate { name, overlap } => {
                (Command::HostRotate { host: name, overlap_s: overlap }, SECRET)
            }
            Order::Remove { name } => (Command::HostRemove { host: name }, ONE),
            Order::EraseSources { name } => {
                (Command::EraseSources { of: HistoryOf::Host(name) }, ERASED)
            }
            Order::Free { name } => (Command::HostFree { host: name }, ONE),
        };
        order::run(settings, &command, print, output)
    }
}

const ONE: Print = Print::Lines(&["host", "zone", "a", "aaaa"]);
const SECRET: Print = Print::Secret(&["host", "token"]);
const ERASED: Print = Print::Lines(&["erased"]);
