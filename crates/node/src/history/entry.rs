//! One entry of a history, and how it is shown.

use std::net::IpAddr;

use account::{AccountId, Timestamp, TokenId};
use data_encoding::HEXLOWER;
use jiff::Timestamp as Moment;
use serde_json::{Value, json};
use store::{Hash, Pos};
use wire::{Name, Rrset, Rtype, Serial};

use crate::admin::text;

/// One event of the log, as far as it concerns whoever is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its position.
    pub pos: Pos,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: By,
    /// Where from.
    pub source: Source,
    /// Serial of the zone from then on, when records changed.
    pub serial: Option<Serial>,
    /// What changed; at least one.
    pub changes: Vec<Changed>,
    /// SHA-256 that chains it to the event before.
    pub hash: Hash,
}

impl Eq for Entry {}

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The service itself: leases that ended, hosts that were not heard of.
    System,
    /// The operator.
    Operator,
    /// A token; what it was for and whose it is, if that is still known.
    Token {
        /// Its number.
        id: TokenId,
        /// What it is for, in its owner's words.
        label: Option<String>,
        /// Whose it is.
        account: Option<AccountId>,
    },
    /// A key.
    Key(Name),
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is not known: an order on this machine, or the service itself.
    None,
    /// This address.
    Known(IpAddr),
    /// It was erased, or is not for this viewer.
    Erased,
}

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Records.
    Records,
    /// Settings of an account.
    Account,
    /// Settings of a zone, its import and its end.
    Zone,
    /// Settings of a host.
    Host,
    /// A token.
    Token,
    /// A key.
    Key,
    /// A name that was given up.
    Released,
    /// A webhook.
    Webhook,
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Changed {
    /// An RRset.
    Records {
        /// The zone.
        zone: Name,
        /// Its owner.
        owner: Name,
        /// Its type.
        rtype: Rtype,
        /// As it was; `None`: it was not there.
        before: Option<Rrset>,
        /// As it is since; `None`: it is gone.
        after: Option<Rrset>,
    },
    /// Settings, without secrets, as objects; null where there were none.
    Settings {
        /// Of what.
        kind: Kind,
        /// Its name or number.
        name: String,
        /// As they were.
        before: Value,
        /// As they are since.
        after: Value,
    },
    /// The content of a zone was replaced by an import.
    Imported {
        /// The zone.
        zone: Name,
    },
    /// A zone is gone with all that was in it.
    Dropped {
        /// The zone.
        zone: Name,
    },
    /// Nothing but the serial of a zone moved.
    Moved {
        /// The zone.
        zone: Name,
    },
}

impl Kind {
    /// All kinds with their words.
    pub const ALL: [(Kind, &str); 8] = [
        (Kind::Records, "records"),
        (Kind::Account, "account"),
        (Kind::Zone, "zone"),
        (Kind::Host, "host"),
        (Kind::Token, "token"),
        (Kind::Key, "key"),
        (Kind::Released, "released"),
        (Kind::Webhook, "webhook"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind)
    }
}

impl Changed {
    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        match self {
            Changed::Records { .. } => Kind::Records,
            Changed::Settings { kind, .. } => *kind,
            Changed::Imported { .. } | Changed::Dropped { .. } | Changed::Moved { .. } => {
                Kind::Zone
            }
        }
    }

    /// For programs: `kind`, what it is about, `before` and `after`.
    pub fn json(&self) -> Value {
        let kind = self.kind().word();
        match self {
            Changed::Records { zone, owner, rtype, before, after } => json!({
                "kind": kind,
                "zone": text(zone),
                "name": text(owner),
                "type": rtype.to_string(),
                "before": before.as_ref().map(|rrset| rrset_json(rrset, *rtype)),
                "after": after.as_ref().map(|rrset| rrset_json(rrset, *rtype)),
            }),
            Changed::Settings { name, before, after, .. } => {
                json!({ "kind": kind, "name": name, "before": before, "after": after })
            }
            Changed::Imported { zone } => {
                json!({ "kind": kind, "name": text(zone), "what": "imported" })
            }
            Changed::Dropped { zone } => {
                json!({ "kind": kind, "name": text(zone), "what": "removed" })
            }
            Changed::Moved { zone } => {
                json!({ "kind": kind, "name": text(zone), "what": "serial moved" })
            }
        }
    }
}

impl Entry {
    /// For programs: `pos`, `at`, `by`, `source`, `serial`, `changes`, `hash`.
    pub fn json(&self) -> Value {
        let (source, erased) = match self.source {
            Source::None => (None, false),
            Source::Known(address) => (Some(address.to_string()), false),
            Source::Erased => (None, true),
        };
        json!({
            "pos": self.pos.0,
            "at": moment(self.at),
            "by": self.by.json(),
            "source": source,
            "source_erased": erased,
            "serial": self.serial.map(|serial| serial.0),
            "changes": self.changes.iter().map(Changed::json).collect::<Vec<_>>(),
            "hash": HEXLOWER.encode(&self.hash.0),
        })
    }
}

impl By {
    /// For programs: `kind`, and what there is of `id`, `label`, `name`.
    pub fn json(&self) -> Value {
        match self {
            By::System => json!({ "kind": "system" }),
            By::Operator => json!({ "kind": "operator" }),
            By::Token { id, label, account } => json!({
                "kind": "token",
                "id": id.0,
                "label": label,
                "account": account.map(|account| account.0),
            }),
            By::Key(name) => json!({ "kind": "key", "name": text(name) }),
        }
    }
}

/// TTL and data in presentation form.
pub(crate) fn rrset_json(rrset: &Rrset, rtype: Rtype) -> Value {
    let data: Vec<String> =
        rrset.rdata.iter().map(|rdata| rdata.display(rtype).to_string()).collect();
    json!({ "ttl_s": rrset.ttl_s, "data": data })
}

/// RFC 3339, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    Moment::from_millisecond(at.0).map(|at| at.to_string()).unwrap_or_else(|_| at.0.to_string())
}
