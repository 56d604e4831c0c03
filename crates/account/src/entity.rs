//! What an account is and owns: the durable nouns beside the DNS data.

use std::fmt;
use std::net::IpAddr;

use wire::Name;

use crate::key::TsigKey;

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

/// A credential for programs. The secret itself is not kept, only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Number.
    pub id: TokenId,
    /// Who owns it.
    pub account: AccountId,
    /// SHA-256 of the whole secret text.
    pub hash: [u8; 32],
    /// Hosts whose addresses it may change, lower-cased, sorted.
    pub hosts: Vec<Name>,
    /// What it is for, in the owner's words; at most 128 characters.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was first seen in clear on a network that is not trusted.
    pub exposed: Option<Timestamp>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
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
        }
    }
}
