//! Who may ask for which operation: one table. What an operation needs beside that is judged with it.

use account::policy::{self, Denied, Standing};
use account::{AccountId, Actor, Directory};
use wire::Name;

use super::Operate;
use crate::request::{HostPatch, NewToken, Operation};

/// Who may ask.
enum Who {
    /// The service itself.
    System,
    /// The operator.
    Operator,
    /// The operator or the service.
    Either,
    /// The operator, or the owner of the account that it concerns; `None`: there is no such thing,
    /// of which only the operator is told.
    Owner(Option<AccountId>),
}

impl Operate<'_> {
    /// Who asks, when it may.
    pub(super) fn may(&self, actor: &Actor, operation: &Operation) -> Result<Standing, Denied> {
        let directory = self.live.directory();
        let standing = policy::standing(&directory, actor, self.at)?;
        if is_own_token(standing, operation) {
            return Ok(standing);
        }
        let may = match (who(&directory, operation), standing) {
            (Who::System | Who::Either, Standing::System) => true,
            // One that takes nothing any more.
            (Who::Owner(_), Standing::System) => {
                matches!(operation, Operation::PauseWebhook { paused: true, .. })
            }
            (Who::Operator | Who::Either | Who::Owner(_), Standing::Operator) => true,
            (Who::Owner(concerned), Standing::Owner(account)) => {
                // Not told apart: what is another's and what is not there.
                if concerned != Some(account) {
                    return Err(Denied::NotCovered);
                }
                !asks_too_much(&directory, operation, account)
            }
            _ => false,
        };
        may.then_some(standing).ok_or(Denied::OperatorOnly)
    }
}

fn who(directory: &Directory, operation: &Operation) -> Who {
    let host = |name: &Name| directory.host(name).map(|host| host.account);
    match operation {
        Operation::ExpireHosts { .. } | Operation::EndLeases { .. } => Who::System,
        Operation::FlushSeen | Operation::JumpSerials { .. } | Operation::ExposeToken(_) => {
            Who::Either
        }
        Operation::Change { .. }
        | Operation::AddZone(_)
        | Operation::RemoveZone(_)
        | Operation::Stage { .. }
        | Operation::Import { .. }
        | Operation::DropImport(_)
        | Operation::FreeName(_)
        | Operation::AddAccount(_)
        | Operation::SetAccount { .. }
        | Operation::Unlock(_)
        | Operation::AddKey(_)
        | Operation::RemoveKey(_) => Who::Operator,
        Operation::SetZone { apex, .. } => {
            Who::Owner(directory.zone(apex).map(|zone| zone.account))
        }
        Operation::AddHost { account, .. } => Who::Owner(Some(*account)),
        Operation::SetHost { name, .. }
        | Operation::RotateHost { name, .. }
        | Operation::RemoveHost(name) => Who::Owner(host(name)),
        Operation::AddToken { hosts, account, token } => {
            Who::Owner(one_owner(directory, hosts, *account, token))
        }
        Operation::RevokeToken(id) | Operation::RotateToken { id, .. } => {
            Who::Owner(directory.token(*id).map(|token| token.account))
        }
        Operation::Lockdown(account) => Who::Owner(Some(*account)),
        Operation::AddWebhook(new) => Who::Owner(Some(new.account)),
        Operation::PauseWebhook { id, .. } | Operation::RemoveWebhook(id) => {
            Who::Owner(directory.webhook(*id).map(|webhook| webhook.account))
        }
    }
}

/// Whoever holds a token may end it, and that only.
fn is_own_token(standing: Standing, operation: &Operation) -> bool {
    matches!((standing, operation), (Standing::Token(own), Operation::RevokeToken(id)) if own == *id)
}

/// The account that all which a new token is for belongs to.
fn one_owner(
    directory: &Directory,
    hosts: &[Name],
    account: Option<AccountId>,
    token: &NewToken,
) -> Option<AccountId> {
    let hosts = hosts.iter().map(|name| directory.host(name).map(|host| host.account));
    let ruled = token.terms.rules.iter().flat_map(|rule| &rule.names);
    let ruled = ruled.map(|pattern| Some(policy::owner(directory, pattern.name()?)?.account));
    let mut all = account.map(Some).into_iter().chain(hosts).chain(ruled);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// On another's suffix the opt-in to private addresses is not the owner's to give: whoever plans a
/// rebinding attack is the owner of the host.
fn asks_too_much(directory: &Directory, operation: &Operation, account: AccountId) -> bool {
    let opts_in = |name: &Name, policy: &HostPatch| {
        let zone = directory.zone_of(name);
        policy.private_ok == Some(true) && zone.is_none_or(|zone| zone.account != account)
    };
    match operation {
        Operation::AddHost { name, policy, .. } | Operation::SetHost { name, policy } => {
            opts_in(name, policy)
        }
        // What stands on the service's own networks is the operator's to open.
        Operation::AddWebhook(new) => new.private_ok,
        _ => false,
    }
}
