//! Who asks, and what they see.

use account::{AccountId, Actor, Host, Role, TokenActor, ZoneEntry};

use crate::endpoint::Needs;

/// The holder of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) token: TokenActor,
    pub(crate) right: Right,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Records of some names.
    Names,
    /// All that belongs to its account.
    Account(Access),
    /// All that there is.
    Service(Access),
}

/// What may be done there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Look.
    Read,
    /// Look and change.
    Write,
}

impl Caller {
    pub(crate) fn new(token: TokenActor) -> Caller {
        let access = match token.role() {
            Some(Role::Reader) => Access::Read,
            Some(Role::Owner) => Access::Write,
            None => return Caller { token, right: Right::Names },
        };
        let is_operator = token.account() == AccountId(0);
        let right = if is_operator { Right::Service(access) } else { Right::Account(access) };
        Caller { token, right }
    }

    /// Whether the token is enough for an operation.
    pub(crate) fn meets(&self, needs: Needs) -> bool {
        match needs {
            Needs::Nothing | Needs::Token => true,
            Needs::Reader => self.right != Right::Names,
            Needs::Owner => {
                matches!(self.right, Right::Account(Access::Write) | Right::Service(Access::Write))
            }
            Needs::ServiceReader => matches!(self.right, Right::Service(_)),
            Needs::Operator => self.right == Right::Service(Access::Write),
        }
    }

    /// Who makes a change.
    pub(crate) fn actor(&self) -> Actor {
        if self.meets(Needs::Operator) { Actor::Operator } else { Actor::Token(self.token.clone()) }
    }

    /// The account whose things are seen; `None`: those of all.
    pub(crate) fn sight(&self) -> Option<AccountId> {
        match self.right {
            Right::Service(_) => None,
            Right::Account(_) | Right::Names => Some(self.token.account()),
        }
    }

    /// Whether things of an account are seen.
    pub(crate) fn sees(&self, account: AccountId) -> bool {
        self.right != Right::Names && self.sight().is_none_or(|own| own == account)
    }

    /// Whether a zone is seen, with all its records.
    pub(crate) fn sees_zone(&self, zone: &ZoneEntry) -> bool {
        self.sees(zone.account)
    }

    /// Whether a host is seen.
    pub(crate) fn sees_host(&self, host: &Host) -> bool {
        self.sees(host.account)
            || self.right == Right::Names
                && host.account == self.token.account()
                && self.token.covers(&host.name)
    }

    /// The account that something new belongs to when nothing is said, and whether another one may
    /// be named.
    pub(crate) fn account(&self) -> AccountId {
        self.token.account()
    }
}
