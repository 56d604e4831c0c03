//! Tokens and the limits of accounts: what an order says of them.

use account::{Actions, NamePattern, Network, Role, Rule, Terms, Timestamp, TokenId};
use engine::{AccountPatch, NewToken, Operation};
use serde_json::{Value, json};
use wire::{Name, Rtype};

use super::command::{KeyAction, LimitOf, TokenRole, TokenSettings};
use super::execute::{Orders, name, new_token, text};
use super::{AdminError, show};

impl Orders<'_> {
    /// Names alone are hosts whose addresses the token may change; with anything more said they are
    /// the names of a rule.
    pub(super) fn token_add(
        &self,
        names: &[String],
        label: &str,
        settings: &TokenSettings,
    ) -> Result<Value, AdminError> {
        let names = names.iter().map(|host| name(host)).collect::<Result<Vec<_>, _>>()?;
        let secret = self.secret()?;
        let (hosts, rules) = covered(&names, settings)?;
        let terms = Terms { rules, ..self.terms(settings)? };
        let account = settings.account.as_deref();
        let account = account.map(|account| self.account(Some(account))).transpose()?;
        let token = NewToken { terms, ..new_token(&secret, label) };
        let id = self.operate(Operation::AddToken { hosts, account, token })?;
        let shown: Vec<String> = names.iter().map(text).collect();
        Ok(json!({ "hosts": shown, "token": secret.reveal(), "id": id }))
    }

    pub(super) fn token_rotate(&self, id: u64, overlap_s: u32) -> Result<Value, AdminError> {
        let secret = self.secret()?;
        let token = new_token(&secret, "");
        let made = self.operate(Operation::RotateToken { id: TokenId(id), token, overlap_s })?;
        Ok(json!({ "token": secret.reveal(), "id": made, "replaces": id }))
    }

    pub(super) fn account_set(
        &self,
        account: &str,
        limits: &[(LimitOf, Option<u32>)],
    ) -> Result<Value, AdminError> {
        let mut policy = AccountPatch::default();
        for (of, limit) in limits {
            let point = match of {
                LimitOf::Hosts => &mut policy.hosts,
                LimitOf::Tokens => &mut policy.tokens,
                LimitOf::Webhooks => &mut policy.webhooks,
                LimitOf::ChangesPerHour => &mut policy.changes_per_hour,
            };
            *point = Some(*limit);
        }
        let id = self.account(Some(account))?;
        self.operate(Operation::SetAccount { id, policy })?;
        let directory = self.node.live().directory();
        Ok(directory.account(id).map(show::account).unwrap_or_default())
    }

    /// All but the rules.
    fn terms(&self, settings: &TokenSettings) -> Result<Terms, AdminError> {
        let ends = |seconds: u32| Timestamp(self.node.now().0 + i64::from(seconds) * 1000);
        Ok(Terms {
            rules: Vec::new(),
            networks: networks(&settings.from)?,
            expires: settings.expires_s.map(ends),
            unused_s: settings.unused_s,
            role: settings.role.map(|role| match role {
                TokenRole::Reader => Role::Reader,
                TokenRole::Owner => Role::Owner,
            }),
        })
    }
}

fn covered(names: &[Name], settings: &TokenSettings) -> Result<(Vec<Name>, Vec<Rule>), AdminError> {
    let TokenSettings { below, types, actions, values, .. } = settings;
    let says_more =
        !below.is_empty() || !types.is_empty() || !actions.is_empty() || !values.is_empty();
    if !says_more {
        return Ok((names.to_vec(), Vec::new()));
    }
    let exact = names.iter().map(|name| Ok(NamePattern::Exact(name.to_lowercase())));
    let below = below.iter().map(|top| Ok(NamePattern::Below(name(top)?.to_lowercase())));
    let rtype = |text: &String| {
        text.parse::<Rtype>()
            .map_err(|_| AdminError::Invalid(format!("`{text}` is not the type of a record")))
    };
    let mut types = types.iter().map(rtype).collect::<Result<Vec<_>, _>>()?;
    if types.is_empty() {
        types = vec![Rtype::A, Rtype::AAAA];
    }
    let may = |action| actions.is_empty() || actions.contains(&action);
    let rule = Rule {
        names: exact.chain(below).collect::<Result<_, AdminError>>()?,
        types,
        actions: Actions { add: may(KeyAction::Add), delete: may(KeyAction::Delete) },
        values: networks(values)?,
    };
    Ok((Vec::new(), vec![rule]))
}

fn networks(texts: &[String]) -> Result<Vec<Network>, AdminError> {
    let one =
        |text: &String| text.parse().map_err(|why| AdminError::Invalid(format!("`{text}`: {why}")));
    texts.iter().map(one).collect()
}
