//! Taking source addresses out of the history: personal data, on demand of whose they are.

use std::collections::HashSet;

use account::{AccountId, Entity, TokenId};
use store::{ActorRef, Event, Fact, belongs};
use store_sqlite::HookDb;
use wire::Name;

use super::HistoryError;
use crate::node::Node;

/// Whose source addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those from which its tokens made changes, and from which anybody changed its hosts.
    Account(AccountId),
    /// Those from which anybody changed this host.
    Host(Name),
}

/// Erases source addresses from the whole log; how many there were. The chain of hashes holds as
/// before: it covers a commitment to each address only. Goes through the whole log, in small steps.
/// What was copied before, as in backups, is not reached.
pub fn erase_sources(node: &Node, whose: &Whose) -> Result<u64, HistoryError> {
    let mut chosen = Chosen::new(node, whose)?;
    // From which networks tokens were used says nearly the same.
    if node.data().join(HookDb::NAME).exists() {
        let hooks =
            HookDb::open(node.data()).map_err(|why| HistoryError::Hooks(why.to_string()))?;
        chosen.tokens_of(node, whose).try_for_each(|token| hooks.forget_networks(token))?;
    }
    let erased = node.store().erase_origins(&mut |event| chosen.takes(event))?;
    metrics::counter!("byname_sources_erased_total").increment(erased);
    tracing::info!(erased, "source addresses were erased from the history on demand");
    Ok(erased)
}

/// Tokens and hosts whose events are meant: those that there are, and those that there were.
struct Chosen {
    account: Option<AccountId>,
    tokens: HashSet<TokenId>,
    hosts: HashSet<Name>,
}

impl Chosen {
    fn new(node: &Node, whose: &Whose) -> Result<Chosen, HistoryError> {
        let directory = node.live().directory();
        let mut chosen = Chosen { account: None, tokens: HashSet::new(), hosts: HashSet::new() };
        match whose {
            // One that is gone has a history too.
            Whose::Host(name) => {
                chosen.hosts.insert(name.to_lowercase());
            }
            Whose::Account(id) => {
                directory.account(*id).ok_or(HistoryError::Missing("account"))?;
                chosen.account = Some(*id);
                let tokens = directory.tokens_owned(*id, None);
                chosen.tokens = tokens.map(|token| token.id).collect();
                let hosts = directory.hosts_of(*id, None);
                chosen.hosts = hosts.map(|host| host.name.clone()).collect();
            }
        }
        Ok(chosen)
    }

    fn tokens_of(&self, node: &Node, whose: &Whose) -> impl Iterator<Item = TokenId> {
        let mut tokens: Vec<TokenId> = self.tokens.iter().copied().collect();
        if let Whose::Host(name) = whose {
            let directory = node.live().directory();
            tokens.extend(directory.tokens_of(name).map(|token| token.id));
        }
        tokens.into_iter()
    }

    fn takes(&mut self, event: &Event) -> bool {
        let mut takes = match &event.body.actor {
            ActorRef::Token(id) => self.tokens.contains(id),
            ActorRef::System | ActorRef::Operator | ActorRef::Key(_) => false,
        };
        for fact in &event.body.facts {
            match fact {
                Fact::Changed { deltas, .. } => {
                    takes |= deltas.iter().any(|delta| self.is_hosts(&delta.owner));
                }
                Fact::Entity { before, after } => {
                    let sides = before.iter().chain(after);
                    sides.for_each(|entity| takes |= self.learn(entity));
                }
                _ => {}
            }
        }
        takes
    }

    /// Whether an entity is of the account; what it had once is remembered.
    fn learn(&mut self, entity: &Entity) -> bool {
        match entity {
            Entity::Host(host) if Some(host.account) == self.account => {
                self.hosts.insert(host.name.clone());
                true
            }
            Entity::Host(host) => self.hosts.contains(&host.name),
            Entity::Token(token) if Some(token.account) == self.account => {
                self.tokens.insert(token.id);
                true
            }
            Entity::Account(account) => Some(account.id) == self.account,
            _ => false,
        }
    }

    fn is_hosts(&self, owner: &Name) -> bool {
        let mut candidate = Some(owner.clone());
        while let Some(name) = candidate {
            if !belongs(owner, &name) {
                return false;
            }
            if self.hosts.contains(&name) {
                return true;
            }
            candidate = name.parent();
        }
        false
    }
}
