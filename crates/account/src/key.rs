//! Keys that sign messages, and what may be done with one.

use std::fmt;

use wire::{Name, NameError, Rtype, TsigAlgorithm};

use crate::entity::Timestamp;

/// A key that signs messages, with TSIG (RFC 8945) or SIG(0) (RFC 2931), and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TsigKey {
    /// Name of the key, lower-cased.
    pub name: Name,
    /// How its signatures are checked.
    pub credential: Credential,
    /// Zones that it may act on.
    pub zones: Vec<Name>,
    /// May send UPDATE.
    pub update: bool,
    /// May transfer.
    pub transfer: bool,
    /// What it may change in its zones.
    pub policy: KeyPolicy,
    /// A MAC that was truncated is accepted (RFC 8945). Says nothing of SIG(0).
    pub truncated_ok: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// How the signatures of a key are checked. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// TSIG, by a secret that both ends have.
    Shared {
        /// Algorithm; the only one accepted with this key.
        algorithm: TsigAlgorithm,
        /// The secret.
        secret: Vec<u8>,
    },
    /// SIG(0), by the public keys of the KEY RRset at the key's name in a zone of ours; they are
    /// records like any others (RFC 2931).
    Sig0,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::Shared { algorithm, .. } => {
                f.debug_struct("Shared").field("algorithm", algorithm).finish_non_exhaustive()
            }
            Credential::Sig0 => f.write_str("Sig0"),
        }
    }
}

/// What a key may change in its zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The names that it may change, by any of these; empty: every name of its zones.
    pub names: Vec<NamePattern>,
    /// The types that it may change; empty: all.
    pub types: Vec<Rtype>,
    /// What it may do with records of them.
    pub actions: Actions,
}

/// Names that a key may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Exact(Name),
    /// Every name below this one, but not itself.
    Below(Name),
    /// The name of the key (`self` of BIND).
    SelfName,
    /// The name of the key and every name below it (`selfsub` of BIND).
    SelfSubtree,
}

/// What may be done with records. To replace one takes both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions {
    /// Add records, and set TTLs.
    pub add: bool,
    /// Delete records.
    pub delete: bool,
}

impl KeyPolicy {
    /// Every name and type of its zones: what a key may do of which nothing else is said.
    pub fn everything() -> KeyPolicy {
        KeyPolicy { names: Vec::new(), types: Vec::new(), actions: Actions::ALL }
    }
}

impl NamePattern {
    /// Reads what [`fmt::Display`] shows: `self`, `self-subtree`, a name, or `*.` and a name for all
    /// names below it. The record of a wildcard itself is written with `\*` for its first label.
    pub fn parse(text: &str) -> Result<NamePattern, NameError> {
        match text {
            SELF => Ok(NamePattern::SelfName),
            SELF_SUBTREE => Ok(NamePattern::SelfSubtree),
            _ => match text.strip_prefix("*.") {
                Some(top) => Name::parse(top).map(|top| NamePattern::Below(top.to_lowercase())),
                None => Name::parse(text).map(|name| NamePattern::Exact(name.to_lowercase())),
            },
        }
    }

    /// The name that it was made of, if any.
    pub fn name(&self) -> Option<&Name> {
        match self {
            NamePattern::Exact(name) | NamePattern::Below(name) => Some(name),
            NamePattern::SelfName | NamePattern::SelfSubtree => None,
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamePattern::Exact(name) if name.is_wildcard() => write!(f, "\\{name}"),
            NamePattern::Exact(name) => write!(f, "{name}"),
            NamePattern::Below(name) => write!(f, "*.{name}"),
            NamePattern::SelfName => f.write_str(SELF),
            NamePattern::SelfSubtree => f.write_str(SELF_SUBTREE),
        }
    }
}

impl Actions {
    /// All of them.
    pub const ALL: Actions = Actions { add: true, delete: true };
    /// Only add.
    pub const ADD: Actions = Actions { add: true, delete: false };
    /// Only delete.
    pub const DELETE: Actions = Actions { add: false, delete: true };
}

/// The name of the key, as a pattern is written.
const SELF: &str = "self";
/// The name of the key and all below it.
const SELF_SUBTREE: &str = "self-subtree";

#[cfg(test)]
mod tests;
