//! The orders, as they cross the socket.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::listing::LIST_END_LINE;
use crate::import::EXPORT_END;

/// A shared secret as it crosses the socket. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// One order. Names are in presentation form; a zone file follows the order as octets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Serve a new zone.
    ZoneAdd {
        /// Its apex.
        zone: String,
        /// Its name servers; `ns1` below the apex when none is given.
        ns: Vec<String>,
        /// Its settings.
        settings: ZoneSettings,
    },
    /// List the zones.
    ZoneList,
    /// Show one zone.
    ZoneShow {
        /// Its apex.
        zone: String,
    },
    /// Change the settings of a zone.
    ZoneSet {
        /// Its apex.
        zone: String,
        /// What changes.
        settings: ZoneChange,
    },
    /// Make the zone file that follows the content of a zone.
    ZoneImport {
        /// Its apex.
        zone: String,
        /// Its settings, when it is new.
        settings: ZoneSettings,
    },
    /// Write a zone as a zone file after the answer.
    ZoneExport {
        /// Its apex.
        zone: String,
    },
    /// Stop serving a zone and forget it, its hosts included.
    ZoneRemove {
        /// Its apex.
        zone: String,
    },
    /// A new host and its token.
    HostAdd {
        /// Its name.
        host: String,
        /// Name of the account that owns it; the operator's when not given.
        account: Option<String>,
        /// Its settings.
        settings: HostSettings,
    },
    /// List hosts.
    HostList {
        /// Of this zone only.
        zone: Option<String>,
    },
    /// Show one host.
    HostShow {
        /// Its name.
        host: String,
    },
    /// Change the settings of a host.
    HostSet {
        /// Its name.
        host: String,
        /// What changes.
        settings: HostSettings,
    },
    /// A new token for a host in place of its old one.
    HostRotate {
        /// Its name.
        host: String,
        /// For so many seconds the old one goes on beside it.
        #[serde(default)]
        overlap_s: u32,
    },
    /// Let everybody have the name of a host that was given up.
    HostFree {
        /// The name.
        host: String,
    },
    /// Forget a host and withdraw its addresses.
    HostRemove {
        /// Its name.
        host: String,
    },
    /// A new token.
    TokenAdd {
        /// The names that it is for: hosts, unless its settings say more.
        hosts: Vec<String>,
        /// What it is for.
        label: String,
        /// Its settings.
        #[serde(default)]
        settings: TokenSettings,
    },
    /// Show one token, without its secret.
    TokenShow {
        /// Its number.
        id: u64,
    },
    /// A new token in place of another one, on the same terms.
    TokenRotate {
        /// The number of the old one.
        id: u64,
        /// For so many seconds the old one goes on beside it.
        #[serde(default)]
        overlap_s: u32,
    },
    /// List tokens, without their secrets.
    TokenList,
    /// Revoke a token.
    TokenRevoke {
        /// Its number.
        id: u64,
    },
    /// A new account.
    AccountAdd {
        /// Its name.
        account: String,
    },
    /// Change the limits of an account.
    AccountSet {
        /// Its name.
        account: String,
        /// The limits that change; `None`: what is usual.
        limits: Vec<(LimitOf, Option<u32>)>,
    },
    /// List accounts.
    AccountList,
    /// Lockdown: names stay as they are, all tokens are revoked.
    AccountFreeze {
        /// Its name.
        account: String,
    },
    /// End of a lockdown.
    AccountUnfreeze {
        /// Its name.
        account: String,
    },
    /// A new key.
    KeyAdd {
        /// Its name.
        key: String,
        /// Its algorithm, as in TSIG records without the final dot, or `sig0`.
        algorithm: String,
        /// The shared secret in base64; made and shown when not given. A SIG(0) key has none.
        secret: Option<SecretText>,
        /// Zones that it may act on.
        zones: Vec<String>,
        /// May send UPDATE.
        update: bool,
        /// May transfer.
        transfer: bool,
        /// Its settings.
        #[serde(default)]
        settings: KeySettings,
    },
    /// List keys, without their secrets.
    KeyList,
    /// Forget a key.
    KeyRemove {
        /// Its name.
        key: String,
    },
    /// Write a backup.
    Backup {
        /// The file, with an absolute path.
        file: PathBuf,
    },
    /// Verify the log and the tables.
    Check {
        /// A position and a hash that were noted before, as `POSITION:HASH`: the log must have them.
        #[serde(default)]
        head: Option<String>,
    },
    /// Read a page of a history.
    History(HistoryQuery),
    /// Make the inverse of a change.
    Undo {
        /// What is undone.
        target: UndoTarget,
        /// Also when something else is there now.
        #[serde(default)]
        force: bool,
        /// Only say what would be done.
        #[serde(default)]
        dry_run: bool,
    },
    /// A new webhook.
    WebhookAdd(WebhookSettings),
    /// List webhooks, without their secrets.
    WebhookList,
    /// Forget a webhook.
    WebhookRemove {
        /// Its number.
        id: u64,
    },
    /// Tell a webhook nothing, or go on with it.
    WebhookPause {
        /// Its number.
        id: u64,
        /// Whether it is told nothing.
        paused: bool,
    },
    /// Send a test message to a webhook.
    WebhookTest {
        /// Its number.
        id: u64,
    },
    /// Erase source addresses from the history of a host or an account.
    EraseSources {
        /// Whose.
        of: HistoryOf,
    },
}

/// A webhook to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where to.
    pub url: String,
    /// Name of the account whose events it is told; the operator's when not given.
    pub account: Option<String>,
    /// Of this host only.
    pub host: Option<String>,
    /// Of these kinds only; none: all.
    pub events: Vec<String>,
    /// It may lie in a private network.
    pub private_ok: bool,
    /// What it is for.
    pub label: String,
}

/// Whose history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryOf {
    /// Everybody's.
    All,
    /// Of a host or any other name.
    Host(String),
    /// Of a zone.
    Zone(String),
    /// Of an account, by its name.
    Account(String),
}

/// What is read of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// Whose.
    pub of: HistoryOf,
    /// Made then or later: milliseconds since 1970.
    #[serde(default)]
    pub since_ms: Option<i64>,
    /// Made then or earlier.
    #[serde(default)]
    pub until_ms: Option<i64>,
    /// By whom: `operator`, `system`, `token`, `token:NUMBER`, `key` or `key:NAME`.
    #[serde(default)]
    pub by: Option<String>,
    /// What changed: `records`, `host`, `token` and so on; none: anything.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Most entries.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Go on behind this position.
    #[serde(default)]
    pub from: Option<u64>,
    /// The oldest first.
    #[serde(default)]
    pub forward: bool,
}

/// What is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoTarget {
    /// The change at this position.
    Event(u64),
    /// All that changed a name after this position.
    NameTo(String, u64),
}

impl Command {
    /// What the last line of that begins with that follows the answer; `None`: nothing follows.
    pub fn ends_with(&self) -> Option<&'static str> {
        match self {
            Command::ZoneExport { .. } => Some(EXPORT_END),
            Command::ZoneList
            | Command::HostList { .. }
            | Command::TokenList
            | Command::AccountList
            | Command::KeyList
            | Command::WebhookList
            | Command::History(_) => Some(LIST_END_LINE),
            _ => None,
        }
    }

    /// Whether it goes through a whole zone or all data, which may take long.
    pub fn may_take_long(&self) -> bool {
        matches!(
            self,
            Command::ZoneImport { .. }
                | Command::ZoneRemove { .. }
                | Command::Backup { .. }
                | Command::Check { .. }
                | Command::EraseSources { .. }
        )
    }

    /// Whether it only looks, so that it makes no sense where there is nothing to see.
    pub fn only_looks(&self) -> bool {
        match self {
            Command::ZoneList
            | Command::ZoneShow { .. }
            | Command::ZoneExport { .. }
            | Command::HostList { .. }
            | Command::HostShow { .. }
            | Command::TokenList
            | Command::TokenShow { .. }
            | Command::AccountList
            | Command::KeyList
            | Command::WebhookList
            | Command::WebhookTest { .. }
            | Command::Backup { .. }
            | Command::Check { .. }
            | Command::History(_)
            | Command::Undo { .. }
            | Command::EraseSources { .. } => true,
            Command::ZoneAdd { .. }
            | Command::ZoneSet { .. }
            | Command::ZoneImport { .. }
            | Command::ZoneRemove { .. }
            | Command::HostAdd { .. }
            | Command::HostSet { .. }
            | Command::HostRotate { .. }
            | Command::HostRemove { .. }
            | Command::HostFree { .. }
            | Command::TokenAdd { .. }
            | Command::TokenRotate { .. }
            | Command::TokenRevoke { .. }
            | Command::AccountAdd { .. }
            | Command::AccountSet { .. }
            | Command::AccountFreeze { .. }
            | Command::AccountUnfreeze { .. }
            | Command::KeyAdd { .. }
            | Command::KeyRemove { .. }
            | Command::WebhookAdd(_)
            | Command::WebhookRemove { .. }
            | Command::WebhookPause { .. } => false,
        }
    }
}

/// Settings of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneSettings {
    /// Name of the account that owns it; the operator's when not given.
    pub account: Option<String>,
    /// Other accounts may claim hosts in it.
    pub suffix: bool,
    /// TTL of hosts that set none, in seconds; 60 when not given.
    pub host_ttl_s: Option<u32>,
}

/// What changes of a zone; what is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneChange {
    /// Whether records that keys add without a lease go when nobody repeats them.
    pub scavenge: Option<Scavenging>,
    /// Labels that only the operator gives to a host, in place of those that were said before.
    #[serde(default)]
    pub reserve: Option<Vec<String>>,
    /// For how long nobody else gets the name of a host that was given up.
    #[serde(default)]
    pub quarantine: Option<Quarantine>,
    /// Least TTL of records that tokens write, in seconds.
    #[serde(default)]
    pub ttl_min_s: Option<u32>,
}

/// For how long nobody else gets the name of a host that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quarantine {
    /// As long as is usual.
    Usual,
    /// So many seconds.
    Seconds(u32),
}

/// Settings of a token; all that is not given is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenSettings {
    /// Name of the account that owns it; else the one that the names belong to.
    pub account: Option<String>,
    /// Every name below these.
    pub below: Vec<String>,
    /// Types of the records that it may change; none: A and AAAA.
    pub types: Vec<String>,
    /// What it may do with them; none: everything.
    pub actions: Vec<KeyAction>,
    /// Networks that addresses must lie in; none: any.
    pub values: Vec<String>,
    /// Sources that it is accepted from; none: all.
    pub from: Vec<String>,
    /// It ends after so many seconds.
    pub expires_s: Option<u32>,
    /// It ends when it was not used for so many seconds.
    pub unused_s: Option<u32>,
    /// What it may do beside changing records.
    pub role: Option<TokenRole>,
}

/// What a token may do beside changing records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenRole {
    /// See what belongs to its account.
    Reader,
    /// Everything that the owner of the account may.
    Owner,
}

/// What an account has a limit of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitOf {
    /// Hosts.
    Hosts,
    /// Tokens that are accepted.
    Tokens,
    /// Webhooks.
    Webhooks,
    /// Updates an hour that change something.
    ChangesPerHour,
}

/// Whether records go that nobody repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scavenging {
    /// They stay.
    Off,
    /// They go.
    After {
        /// For so many seconds repetitions are not written.
        no_refresh_s: u32,
        /// For so many seconds after that one is waited for.
        refresh_s: u32,
    },
}

/// Settings of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// The names that it may change, as patterns; none: every name of its zones.
    pub names: Vec<String>,
    /// The types that it may change, by mnemonic or as `TYPE` and a number; none: all.
    pub types: Vec<String>,
    /// What it may do with records; none: everything.
    pub actions: Vec<KeyAction>,
    /// A MAC that was truncated is accepted.
    pub truncated_ok: bool,
    /// The owner knows that HMAC-MD5 is for devices that have nothing better.
    pub md5_ok: bool,
}

/// What a key may do with records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAction {
    /// Add them.
    Add,
    /// Delete them.
    Delete,
}

/// Settings of a host; what is not given stays as it is, or at its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// TTL of its addresses, in seconds.
    pub ttl_s: Option<u32>,
    /// Opt-in to private addresses.
    pub private_ok: Option<bool>,
    /// What becomes of its addresses when nothing is heard of it.
    #[serde(default)]
    pub expiry: Option<Expiry>,
    /// The dialect that its device speaks, by name; `auto`: what the request itself tells.
    #[serde(default)]
    pub dialect: Option<String>,
}

/// When a host counts as gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// Never.
    Never,
    /// After some time.
    After {
        /// So many seconds without a valid update.
        after_s: u32,
        /// What happens then.
        then: Then,
    },
}

/// What stands in place of the addresses of a host that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// Nothing.
    Withdraw,
    /// These addresses.
    Park(Vec<IpAddr>),
    /// An alias to this name.
    Cname(String),
}
