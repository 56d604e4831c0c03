//! Who an actor is to what accounts own.

use super::{Denied, usable_token};
use crate::actor::Actor;
use crate::directory::Directory;
use crate::entity::{AccountId, Timestamp, TokenId};
use crate::token::Role;

/// Who asks for something that is no change of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The service itself.
    System,
    /// The operator, or a token that stands for the operator: the owner of account 0.
    Operator,
    /// The operator's reader: sees everything, changes nothing.
    Auditor,
    /// The owner of an account.
    Owner(AccountId),
    /// A reader of an account.
    Reader(AccountId),
    /// A token without a role.
    Token(TokenId),
    /// A key.
    Key,
}

impl Standing {
    /// Whether it sees what belongs to an account.
    pub fn sees(self, account: AccountId) -> bool {
        match self {
            Standing::System | Standing::Operator | Standing::Auditor => true,
            Standing::Owner(own) | Standing::Reader(own) => own == account,
            Standing::Token(_) | Standing::Key => false,
        }
    }

    /// Whether it changes what belongs to an account, within its limits.
    pub fn owns(self, account: AccountId) -> bool {
        match self {
            Standing::Operator => true,
            Standing::Owner(own) => own == account,
            Standing::System
            | Standing::Auditor
            | Standing::Reader(_)
            | Standing::Token(_)
            | Standing::Key => false,
        }
    }
}

/// Who an actor is, by its token as it is now.
pub fn standing(directory: &Directory, actor: &Actor, now: Timestamp) -> Result<Standing, Denied> {
    let actor = match actor {
        Actor::System => return Ok(Standing::System),
        Actor::Operator => return Ok(Standing::Operator),
        Actor::Key(_) => return Ok(Standing::Key),
        Actor::Token(actor) => actor,
    };
    let token = usable_token(directory, actor, now)?;
    Ok(match (token.role(), token.account) {
        (Some(Role::Owner), AccountId(0)) => Standing::Operator,
        (Some(Role::Reader), AccountId(0)) => Standing::Auditor,
        (Some(Role::Owner), account) => Standing::Owner(account),
        (Some(Role::Reader), account) => Standing::Reader(account),
        (None, _) => Standing::Token(token.id),
    })
}
