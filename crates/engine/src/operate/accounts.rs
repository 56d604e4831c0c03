//! Accounts.

use account::{Account, AccountId, Entity, Timestamp};

use super::{Operate, changed, created};
use crate::engine::Judged;
use crate::request::{AccountPatch, Refused};

impl Operate<'_> {
    pub(super) fn add_account(&self, name: &str) -> Result<Judged, Refused> {
        let chars = name.chars().count();
        if chars == 0 || chars > ACCOUNT_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(Refused::Invalid("an account's name has 1 to 64 printable characters"));
        }
        if self.live.directory().account_named(name).is_some() {
            return Err(Refused::Exists("account"));
        }
        let account = Account::new(AccountId(self.next_pos.0), name, self.at);
        let made = Some(account.id.0);
        Ok(Judged { facts: vec![created(Entity::Account(account))], serial: None, made })
    }

    pub(super) fn set_account(
        &self,
        id: AccountId,
        policy: AccountPatch,
    ) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let account = directory.account(id).ok_or(Refused::Missing("account"))?;
        let after = Account { limits: policy.applied(account.limits), ..account.clone() };
        let facts = changed(Entity::Account(account.clone()), Entity::Account(after));
        Ok(Judged { facts, ..Judged::default() })
    }

    pub(super) fn set_frozen(&self, id: AccountId, frozen: bool) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let account = directory.account(id).ok_or(Refused::Missing("account"))?;
        if account.frozen == frozen {
            return Ok(Judged::default());
        }
        let void = match (frozen, account.tokens_void_until) {
            // A token made after the end of the last lockdown may be a moment ahead of the clock.
            (true, Some(last)) => Some(self.at.max(Timestamp(last.0 + 1))),
            (true, None) => Some(self.at),
            (false, last) => last,
        };
        let after = Account { frozen, tokens_void_until: void, ..account.clone() };
        Ok(Judged {
            facts: changed(Entity::Account(account.clone()), Entity::Account(after)),
            ..Judged::default()
        })
    }
}

/// Most characters of an account's name.
const ACCOUNT_CHARS_MAX: usize = 64;
