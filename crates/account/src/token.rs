//! Tokens: credentials for programs, and what may be done with one.

use std::fmt;

use wire::{Name, Rtype};

use crate::entity::{AccountId, Timestamp, TokenId};
use crate::key::{Actions, NamePattern};
use crate::network::Network;

/// A credential for programs. The secret itself is not kept, only its hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Number.
    pub id: TokenId,
    /// Who owns it.
    pub account: AccountId,
    /// SHA-256 of the whole secret text.
    pub hash: [u8; 32],
    /// Hosts whose A and AAAA records it may change, and nothing else of them; lower-cased, sorted.
    pub hosts: Vec<Name>,
    /// What it is for, in the owner's words; at most 128 characters.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was first seen in clear on a network that is not trusted.
    pub exposed: Option<Timestamp>,
    /// When it was last accepted, to [`USED_GRAIN_MS`]. Written in bulk, so a crash may set it back.
    pub last_used: Option<Timestamp>,
    /// The Ed25519 public key that signed requests are checked with. Its private half is made of the
    /// secret, so it is there for tokens only that were made by a release that knew of it.
    pub verify_key: Option<[u8; 32]>,
    /// What else is said of it. Boxed, as of most tokens nothing is.
    pub terms: Option<Box<Terms>>,
}

/// What is said of few tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What it may change beside the addresses of its hosts.
    pub rules: Vec<Rule>,
    /// Sources that it is accepted from; none: all.
    pub networks: Vec<Network>,
    /// From when on it is not accepted any more.
    pub expires: Option<Timestamp>,
    /// It is not accepted any more when it was not used for so many seconds.
    pub unused_s: Option<u32>,
    /// What it may do beside changing records.
    pub role: Option<Role>,
}

/// Some records that a token may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Their names, by any of these; none: every name of the account.
    pub names: Vec<NamePattern>,
    /// Their types, at least one.
    pub types: Vec<Rtype>,
    /// What it may do with them.
    pub actions: Actions,
    /// Networks that their addresses must lie in; none: any address.
    pub values: Vec<Network>,
}

/// What a token may do beside changing records. Of account 0, which is the operator's, that holds
/// for the whole service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// See what belongs to the account, and change nothing.
    Reader,
    /// Everything that the owner of the account may.
    Owner,
}

impl Token {
    /// A token of which nothing else is said.
    pub fn new(id: TokenId, account: AccountId, hash: [u8; 32], created: Timestamp) -> Token {
        Token {
            id,
            account,
            hash,
            hosts: Vec::new(),
            label: String::new(),
            created,
            revoked: None,
            exposed: None,
            last_used: None,
            verify_key: None,
            terms: None,
        }
    }

    /// What it may change beside the addresses of its hosts.
    pub fn rules(&self) -> &[Rule] {
        self.terms.as_ref().map_or(&[], |terms| &terms.rules)
    }

    /// Sources that it is accepted from; none: all.
    pub fn networks(&self) -> &[Network] {
        self.terms.as_ref().map_or(&[], |terms| &terms.networks)
    }

    /// What it may do beside changing records.
    pub fn role(&self) -> Option<Role> {
        self.terms.as_ref()?.role
    }

    /// From when on it is not accepted, by its own terms: when it expires, or was not used for too
    /// long.
    pub fn ends(&self) -> Option<Timestamp> {
        let terms = self.terms.as_ref()?;
        let used = self.last_used.unwrap_or(self.created).max(self.created);
        let unused = terms.unused_s.map(|seconds| Timestamp(used.0 + i64::from(seconds) * 1000));
        [terms.expires, unused].into_iter().flatten().min()
    }

    /// The names that it names: its hosts and those of its rules.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.hosts.iter().chain(self.ruled())
    }

    /// The names of its rules.
    pub(crate) fn ruled(&self) -> impl Iterator<Item = &Name> {
        let patterns = self.rules().iter().flat_map(|rule| &rule.names);
        patterns.filter_map(NamePattern::name)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("id", &self.id)
            .field("account", &self.account)
            .field("hosts", &self.hosts)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

/// A use is not noted when one was within so many milliseconds before it: an hour.
pub const USED_GRAIN_MS: u64 = 3_600_000;
