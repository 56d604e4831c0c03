//! The authenticated party of one request.

use wire::Name;

use crate::entity::{AccountId, Timestamp, TokenId};
use crate::token::{Role, Token, USED_GRAIN_MS};

/// Who makes a request, after authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The service itself: leases, bulk writes of what was last seen.
    System,
    /// The operator at the admin socket or at the stopped service.
    Operator,
    /// A program with a token.
    Token(TokenActor),
    /// A program with a TSIG key of this name.
    Key(Name),
}

/// A program whose token was checked: only [`crate::Directory::authenticate`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenActor {
    pub(crate) token: TokenId,
    pub(crate) account: AccountId,
    pub(crate) hosts: Vec<Name>,
    role: Option<Role>,
    is_use_due: bool,
}

impl TokenActor {
    pub(crate) fn new(token: &Token, now: Timestamp) -> TokenActor {
        let noted = |at: Timestamp| now.ms_since(at) < USED_GRAIN_MS;
        TokenActor {
            token: token.id,
            account: token.account,
            hosts: token.hosts.clone(),
            role: token.role(),
            is_use_due: !token.last_used.is_some_and(noted),
        }
    }

    /// What it might do beside changing records when it was checked.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Whether it is time to note that the token was used.
    pub fn is_use_due(&self) -> bool {
        self.is_use_due
    }

    /// The token.
    pub fn token(&self) -> TokenId {
        self.token
    }

    /// The account that owns the token.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The hosts that the token covered when it was checked, sorted.
    pub fn hosts(&self) -> &[Name] {
        &self.hosts
    }

    /// Whether the token covered this host when it was checked.
    pub fn covers(&self, host: &Name) -> bool {
        self.hosts.binary_search(host).is_ok()
    }
}
