//! What can be asked of the engine, and what it answers.

use account::policy::Denied;
use account::secret::Secret;
use account::{
    AccountId, Actor, Credential, HostExpiry, KeyPolicy, Limits, Member, Prefix, Scavenge, Terms,
    Timestamp, TokenId, WebhookId,
};
use store::{ImportId, Origin, Part, Pos, RecordLease};
use wire::{Name, Rrset, Rtype, Serial};
use zone::Change;

/// Tells one submission from another; chosen by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// A request with the ticket that its reply will carry.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The ticket.
    pub ticket: Ticket,
    /// The request.
    pub request: Request,
}

/// One request of an authenticated actor.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks.
    pub actor: Actor,
    /// Where the request came from, for history; with a fresh random salt.
    pub origin: Option<Origin>,
    /// What is asked.
    pub operation: Operation,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A change of DNS data.
    Change {
        /// The change.
        change: Change,
        /// How long the records shall live (RFC 9664); `None`: for ever.
        lease: Option<Lease>,
    },
    /// Take away records whose leases have ended; only the service itself does. Those that were
    /// granted anew meanwhile stay.
    EndLeases {
        /// Apex of their zone.
        zone: Name,
        /// The leases that have ended.
        leases: Vec<RecordLease>,
    },
    /// Put what their expiry says in place of the addresses of hosts that are gone; only the service
    /// itself does. Those that were seen meanwhile stay.
    ExpireHosts {
        /// The hosts.
        hosts: Vec<Name>,
        /// When the service started: nobody could be heard before.
        started: Timestamp,
    },
    /// Serve a new zone with these records; refused when it is served already.
    AddZone(NewZone),
    /// Change the policy of a zone.
    SetZone {
        /// Its apex.
        apex: Name,
        /// What changes.
        policy: ZonePatch,
    },
    /// Stop serving a zone and forget it with all its hosts, and with its serial: see
    /// [`NewZone::serial`].
    RemoveZone(Name),
    /// One part of an import; the first one names no import and learns its number by the reply.
    Stage {
        /// The import that this part belongs to.
        import: Option<ImportId>,
        /// Apex of the zone.
        zone: Name,
        /// RRsets, packed for this zone, SOA of the apex included. Of several of one owner and type in
        /// the whole import the last one counts.
        part: Part,
    },
    /// Make a finished import the content of its zone.
    Import {
        /// The import.
        import: ImportId,
        /// The zone's entity when it is new.
        zone: NewZone,
    },
    /// Give up an import.
    DropImport(ImportId),
    /// A new host with a first token.
    AddHost {
        /// Its name; it must lie in a zone that is served.
        name: Name,
        /// Who owns it.
        account: AccountId,
        /// Its policy.
        policy: HostPatch,
        /// Its token.
        token: NewToken,
    },
    /// Change the policy of a host.
    SetHost {
        /// Its name.
        name: Name,
        /// What changes.
        policy: HostPatch,
    },
    /// A new token for a host; tokens for the addresses of this host alone are revoked, those that
    /// may do other things as well are not.
    RotateHost {
        /// Its name.
        name: Name,
        /// The new token.
        token: NewToken,
        /// For so many seconds the old tokens go on beside it.
        overlap_s: u32,
    },
    /// Forget a host, withdraw its addresses, and take it out of all tokens.
    RemoveHost(Name),
    /// Let everybody have the name of a host that was given up.
    FreeName(Name),
    /// A new token of one account.
    AddToken {
        /// Hosts whose addresses it may change.
        hosts: Vec<Name>,
        /// Who owns it; `None`: who owns the names that it names.
        account: Option<AccountId>,
        /// The token.
        token: NewToken,
    },
    /// A new token in place of another one, for the same and on the same terms; of the new one only
    /// the secret counts, and its label where it has one.
    RotateToken {
        /// The old one.
        id: TokenId,
        /// The new one.
        token: NewToken,
        /// For so many seconds the old one goes on beside it.
        overlap_s: u32,
    },
    /// Revoke a token.
    RevokeToken(TokenId),
    /// Note that a token was seen in clear on a network that is not trusted.
    ExposeToken(TokenId),
    /// A new account.
    AddAccount(String),
    /// Change what an account may have and do.
    SetAccount {
        /// Its number.
        id: AccountId,
        /// What changes.
        policy: AccountPatch,
    },
    /// Lockdown of an account: its names stay as they are, all its tokens are revoked.
    Lockdown(AccountId),
    /// End of a lockdown; revoked tokens stay revoked.
    Unlock(AccountId),
    /// A new key.
    AddKey(NewKey),
    /// Forget a key.
    RemoveKey(Name),
    /// A new webhook.
    AddWebhook(NewWebhook),
    /// Tell a webhook nothing, or go on with it.
    PauseWebhook {
        /// Its number.
        id: WebhookId,
        /// Whether it is told nothing.
        paused: bool,
    },
    /// Forget a webhook.
    RemoveWebhook(WebhookId),
    /// Write down when hosts were last seen, and tokens last used.
    FlushSeen,
    /// Move the serials of all zones forward, so that nobody holds a newer one: after a restore.
    JumpSerials {
        /// By how much; less than 2^31 (RFC 1982).
        by: u32,
    },
}

/// How long records shall live that a change adds (RFC 9664).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// So many seconds.
    pub lease_s: u32,
    /// KEY records so many seconds; `None`: as long as the others.
    pub key_lease_s: Option<u32>,
}

/// A zone to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewZone {
    /// Its apex.
    pub apex: Name,
    /// Who owns it.
    pub account: AccountId,
    /// Other accounts may claim hosts in it.
    pub suffix: bool,
    /// TTL of addresses of hosts that set none, in seconds.
    pub host_ttl_s: u32,
    /// Its first records, with SOA and NS at the apex; not used by an import.
    pub rrsets: Vec<(Name, Rtype, Rrset)>,
    /// Its first serial; that of an import is passed over when the zone is served already under one
    /// that is not older.
    ///
    /// Of a zone that was removed nothing is kept. When it is served anew, its serial is newer than
    /// before only if this one is: secondaries that hold the old zone have to fetch it afresh
    /// otherwise (RFC 1982 §3.2).
    pub serial: Serial,
}

/// Policy of a zone; `None` leaves a point as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZonePatch {
    /// How long records stay that keys add from now on without a lease; `Some(None)`: for ever. Those
    /// that are there keep the time that they have.
    pub scavenge: Option<Option<Scavenge>>,
    /// Labels that only the operator gives to a host.
    pub reserved: Option<Vec<String>>,
    /// For how long nobody else gets the name of a host that was given up, in seconds;
    /// `Some(None)`: what is usual.
    pub quarantine_s: Option<Option<u32>>,
    /// Least TTL of records that tokens write, in seconds.
    pub ttl_min_s: Option<u32>,
}

/// What an account may have and do; `None` leaves a point as it is, `Some(None)` is what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountPatch {
    /// Hosts.
    pub hosts: Option<Option<u32>>,
    /// Tokens that are accepted.
    pub tokens: Option<Option<u32>>,
    /// Webhooks.
    pub webhooks: Option<Option<u32>>,
    /// Updates an hour that change something.
    pub changes_per_hour: Option<Option<u32>>,
}

impl AccountPatch {
    /// The limits after it.
    pub(crate) fn applied(self, limits: Limits) -> Limits {
        Limits {
            hosts: self.hosts.unwrap_or(limits.hosts),
            tokens: self.tokens.unwrap_or(limits.tokens),
            webhooks: self.webhooks.unwrap_or(limits.webhooks),
            changes_per_hour: self.changes_per_hour.unwrap_or(limits.changes_per_hour),
        }
    }
}

/// Policy of a host; `None` leaves a point as it is (or at its default for a new host).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPatch {
    /// TTL of its addresses in seconds; `Some(None)`: that of the zone.
    pub ttl_s: Option<Option<u32>>,
    /// Opt-in to private addresses.
    pub private_ok: Option<bool>,
    /// What becomes of its addresses when nothing is heard of it; `Some(None)`: they stay.
    pub expiry: Option<Option<HostExpiry>>,
    /// Number of the dialect that its device speaks; `Some(None)`: what the request itself tells.
    pub dialect: Option<Option<u16>>,
    /// The household that it follows; `Some(None)`: none.
    pub member: Option<Option<Member>>,
    /// Of a household: the prefix that it had last.
    pub prefix: Option<Option<Prefix>>,
}

/// A token to be: nothing of its secret comes here but its hash and a public key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewToken {
    /// SHA-256 of the secret text.
    pub hash: [u8; 32],
    /// The public key that signed requests are checked with.
    pub verify_key: Option<[u8; 32]>,
    /// What it is for.
    pub label: String,
    /// What is said of it beside its hosts.
    pub terms: Terms,
}

impl NewToken {
    /// A token with this secret, of which nothing else is said.
    pub fn of(secret: &Secret, label: &str) -> NewToken {
        let (hash, verify_key) = (secret.hash(), secret.verify_key());
        NewToken { hash, verify_key, label: label.to_owned(), terms: Terms::default() }
    }
}

/// A webhook to be. `Debug` hides secret and address.
#[derive(Clone, PartialEq, Eq)]
pub struct NewWebhook {
    /// Whose events it is told.
    pub account: AccountId,
    /// Where to.
    pub url: String,
    /// What each call is signed with.
    pub secret: Vec<u8>,
    /// Kinds of events that it is told, by number; none: all.
    pub events: Vec<u8>,
    /// What it is for.
    pub label: String,
    /// The host that it is told of; `None`: all of the account.
    pub host: Option<Name>,
    /// It may lie in a private network: for the operator to allow.
    pub private_ok: bool,
}

impl std::fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewWebhook")
            .field("account", &self.account)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// A key to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Its name.
    pub name: Name,
    /// How its signatures are checked.
    pub credential: Credential,
    /// Zones that it may act on; all must be served.
    pub zones: Vec<Name>,
    /// May send UPDATE.
    pub update: bool,
    /// May transfer.
    pub transfer: bool,
    /// What it may change in its zones.
    pub policy: KeyPolicy,
    /// A MAC that was truncated is accepted.
    pub truncated_ok: bool,
}

/// The reply to one submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The ticket of the submission.
    pub ticket: Ticket,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Durable and visible.
    Done {
        /// Position of its event; the number of the import, of the token and of the account that it
        /// made, where it made one, are derived from the state.
        pos: Pos,
        /// Moment of its event.
        at: Timestamp,
        /// Serial of its zone, when it changed DNS data.
        serial: Option<Serial>,
        /// Number of what was made: an account, a token, a webhook or an import.
        made: Option<u64>,
    },
    /// Everything is as asked already; nothing was written.
    Unchanged,
    /// Not done, and why. Asking again will not help.
    Refused(Refused),
    /// Not done: the store cannot write now. Asking again later may help.
    Unavailable,
}

/// Why a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The change does not hold (RFC 2136).
    #[error(transparent)]
    Change(#[from] zone::Refusal),
    /// What should be new exists.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// What should exist does not.
    #[error("no such {0}")]
    Missing(&'static str),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(&'static str),
    /// A limit is reached.
    #[error("limit reached: {0}")]
    Limit(&'static str),
}
