//! What an account is and owns: the durable nouns beside the DNS data.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use wire::Name;

use crate::key::TsigKey;
use crate::token::Token;

/// A moment: milliseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to `self`; 0 when `earlier` is later.
    pub fn ms_since(self, earlier: Timestamp) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

/// Number of an account; 0 is the operator's own account, which always exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u64);

/// Number of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub u64);

/// Who owns zones and hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Number.
    pub id: AccountId,
    /// Name for people, unique, 1 to 64 characters.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Lockdown: names stay as they are and no token of this account is accepted.
    pub frozen: bool,
    /// Tokens made at or before this moment are revoked: how a lockdown revokes all at once.
    pub tokens_void_until: Option<Timestamp>,
    /// How much it may have, and do.
    pub limits: Limits,
}

/// How much an account may have and do; `None`: what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Hosts.
    pub hosts: Option<u32>,
    /// Tokens that are accepted.
    pub tokens: Option<u32>,
    /// Webhooks.
    pub webhooks: Option<u32>,
    /// Updates an hour that change something, of all its tokens together.
    pub changes_per_hour: Option<u32>,
}

impl Account {
    /// An account that nothing else is said of.
    pub fn new(id: AccountId, name: &str, created: Timestamp) -> Account {
        let (name, limits) = (name.to_owned(), Limits::default());
        Account { id, name, created, frozen: false, tokens_void_until: None, limits }
    }
}

/// A zone that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneEntry {
    /// Its apex, lower-cased.
    pub apex: Name,
    /// Who owns it.
    pub account: AccountId,
    /// When it was made.
    pub created: Timestamp,
    /// A suffix: other accounts may claim hosts here, so private addresses need an opt-in.
    pub suffix: bool,
    /// TTL of addresses of hosts that set none, in seconds.
    pub host_ttl_s: u32,
    /// Records that UPDATE adds without a lease are removed when nobody repeats them; `None`: they
    /// stay.
    pub scavenge: Option<Scavenge>,
    /// Labels that only the operator gives to a host, beside those that always are reserved on a
    /// suffix; see [`crate::is_reserved`].
    pub reserved: Vec<String>,
    /// For how long nobody else gets the name of a host that was given up, in seconds; `None`: what
    /// is usual.
    pub quarantine_s: Option<u32>,
    /// Least TTL of records that tokens write, in seconds.
    pub ttl_min_s: u32,
}

impl ZoneEntry {
    /// A zone that nothing else is said of.
    pub fn new(apex: Name, account: AccountId, created: Timestamp) -> ZoneEntry {
        ZoneEntry {
            apex,
            account,
            created,
            suffix: false,
            host_ttl_s: HOST_TTL_S,
            scavenge: None,
            reserved: Vec::new(),
            quarantine_s: None,
            ttl_min_s: 0,
        }
    }

    /// TTL of addresses of one of its hosts, in seconds.
    pub fn ttl_s(&self, host: &Host) -> u32 {
        host.ttl_s.unwrap_or(self.host_ttl_s).max(self.ttl_min_s)
    }

    /// For how long nobody else gets the name of a host that was given up, in seconds: on a suffix
    /// 30 days when nothing is said. Others may still hold what they knew of it, links and cached
    /// certificates not least.
    pub fn quarantine_s(&self) -> u32 {
        self.quarantine_s.unwrap_or(if self.suffix { QUARANTINE_S } else { 0 })
    }
}

/// How long a record lives that is added by UPDATE without a lease: `no_refresh_s + refresh_s` from
/// when it was last written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scavenge {
    /// For how long nothing is written when the record is only repeated, in seconds.
    pub no_refresh_s: u32,
    /// For how long a repetition is waited for after that, in seconds.
    pub refresh_s: u32,
}

/// Whether an address can be reached from the whole Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Globally reachable.
    Public,
    /// Private, loopback, link-local, CGNAT, documentation and the like.
    Private,
}

/// One dynamic owner name with its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name, lower-cased.
    pub name: Name,
    /// The zone that it lies in.
    pub zone: Name,
    /// Who owns it.
    pub account: AccountId,
    /// When it was made.
    pub created: Timestamp,
    /// TTL of its addresses in seconds; `None`: that of the zone.
    pub ttl_s: Option<u32>,
    /// Opted in to private addresses (on a suffix) and to flips between private and public.
    pub private_ok: bool,
    /// Scope of the addresses last published, and since when: for the rebinding rule.
    pub scope: Option<(Scope, Timestamp)>,
    /// When a client last sent a valid update, changed or not. Written in bulk, so a crash may
    /// set it back by the length of one bulk interval.
    pub last_seen: Option<Timestamp>,
    /// What becomes of its addresses when nothing is heard of it; `None`: they stay. Boxed, as most
    /// hosts have none.
    pub expiry: Option<Box<HostExpiry>>,
    /// Since when what its expiry says stands in place of its addresses.
    pub parked: Option<Timestamp>,
    /// Number of the dialect that its device speaks; `None`: what the request itself tells.
    pub dialect: Option<u16>,
    /// The household whose prefix its IPv6 address follows. Boxed, as most hosts are of none.
    pub member: Option<Box<Member>>,
    /// Of a household: the prefix that it had last. Boxed, as most hosts are none.
    pub prefix: Option<Box<Prefix>>,
}

impl Host {
    /// A host that nothing else is said of.
    pub fn new(name: Name, zone: Name, account: AccountId, created: Timestamp) -> Host {
        Host {
            name,
            zone,
            account,
            created,
            ttl_s: None,
            private_ok: false,
            scope: None,
            last_seen: None,
            expiry: None,
            parked: None,
            dialect: None,
            member: None,
            prefix: None,
        }
    }
}

/// How a host follows the IPv6 prefix of a household.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The host that stands for the household.
    pub household: Name,
    /// The bits of its address after the prefix; those before them are 0.
    pub interface_id: [u8; 16],
    /// Its PTR record follows as well.
    pub ptr: bool,
}

/// An IPv6 prefix of a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The first address.
    pub address: Ipv6Addr,
    /// Leading bits that count.
    pub length: u8,
}

/// When a host counts as gone, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostExpiry {
    /// After so many seconds without a valid update.
    pub after_s: u32,
    /// What happens then.
    pub then: OnExpiry,
}

/// What stands in place of the addresses of a host that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnExpiry {
    /// Nothing.
    Withdraw,
    /// These addresses, at least one.
    Park(Vec<IpAddr>),
    /// An alias to this name.
    Cname(Name),
}

/// Any of the durable nouns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entity {
    /// An account.
    Account(Account),
    /// A zone.
    Zone(ZoneEntry),
    /// A host.
    Host(Host),
    /// A token.
    Token(Token),
    /// A key that signs messages.
    Key(TsigKey),
    /// The name of a host that was given up.
    Released(Released),
    /// An address that is told of what happens.
    Webhook(Webhook),
}

/// The name of a host that was given up, which nobody else gets for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The name, lower-cased.
    pub name: Name,
    /// The zone that it lies in; what is released goes with it.
    pub zone: Name,
    /// Who had it, and gets it back.
    pub account: AccountId,
    /// Until when.
    pub until: Timestamp,
}

/// Number of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub u64);

/// An address of an account that is told of what happens. `Debug` hides secret and address, in which
/// there may be another secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Number.
    pub id: WebhookId,
    /// Whose events it is told.
    pub account: AccountId,
    /// Where to.
    pub url: String,
    /// What each call is signed with.
    pub secret: Vec<u8>,
    /// Kinds of events that it is told, by number; none: all.
    pub events: Vec<u8>,
    /// What it is for, in the owner's words; at most 128 characters.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// Since when it is told nothing.
    pub paused: Option<Timestamp>,
    /// The host that it is told of; `None`: all of the account.
    pub host: Option<Name>,
    /// The operator has allowed that it lies in a private network.
    pub private_ok: bool,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// What tells one entity from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EntityKey {
    /// An account by its number.
    Account(AccountId),
    /// A zone by its apex.
    Zone(Name),
    /// A host by its name.
    Host(Name),
    /// A token by its number.
    Token(TokenId),
    /// A key by its name.
    Key(Name),
    /// A name that was given up.
    Released(Name),
    /// A webhook by its number.
    Webhook(WebhookId),
}

impl Entity {
    /// The key of this entity.
    pub fn key(&self) -> EntityKey {
        match self {
            Entity::Account(account) => EntityKey::Account(account.id),
            Entity::Zone(zone) => EntityKey::Zone(zone.apex.clone()),
            Entity::Host(host) => EntityKey::Host(host.name.clone()),
            Entity::Token(token) => EntityKey::Token(token.id),
            Entity::Key(key) => EntityKey::Key(key.name.clone()),
            Entity::Released(released) => EntityKey::Released(released.name.clone()),
            Entity::Webhook(webhook) => EntityKey::Webhook(webhook.id),
        }
    }
}

/// TTL of addresses of hosts when nothing is said, in seconds.
const HOST_TTL_S: u32 = 60;
/// For how long a name under a suffix that was given up is kept from others, in seconds: 30 days.
const QUARANTINE_S: u32 = 30 * 86_400;
