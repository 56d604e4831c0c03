//! Webhooks.

use account::{Entity, Webhook, WebhookId};

use super::{Operate, changed, check_label, created, removed};
use crate::engine::Judged;
use crate::request::{NewWebhook, Refused};

impl Operate<'_> {
    pub(super) fn add_webhook(&self, new: &NewWebhook) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let account = directory.account(new.account).ok_or(Refused::Missing("account"))?;
        check_label(&new.label)?;
        if new.url.is_empty() || new.url.len() > URL_MAX || new.url.chars().any(char::is_control) {
            return Err(Refused::Invalid("the address of a webhook has 1 to 2048 characters"));
        }
        if new.secret.is_empty() || new.secret.len() > SECRET_MAX {
            return Err(Refused::Invalid("the secret of a webhook has 1 to 64 octets"));
        }
        let known = directory.webhooks().filter(|webhook| webhook.account == account.id).count();
        if known >= account.limits.webhooks.map_or(WEBHOOKS_MAX, |limit| limit as usize) {
            return Err(Refused::Limit("webhooks of the account"));
        }
        let mut events = new.events.clone();
        events.sort_unstable();
        events.dedup();
        let webhook = Webhook {
            id: WebhookId(self.next_pos.0),
            account: account.id,
            url: new.url.clone(),
            secret: new.secret.clone(),
            events,
            label: new.label.clone(),
            created: self.at,
            paused: None,
            host: new.host.as_ref().map(wire::Name::to_lowercase),
            private_ok: new.private_ok,
        };
        let made = Some(webhook.id.0);
        Ok(Judged { facts: vec![created(Entity::Webhook(webhook))], serial: None, made })
    }

    pub(super) fn pause_webhook(&self, id: WebhookId, paused: bool) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let webhook = directory.webhook(id).ok_or(Refused::Missing("webhook"))?;
        let paused = if paused { webhook.paused.or(Some(self.at)) } else { None };
        let after = Webhook { paused, ..webhook.clone() };
        let facts = changed(Entity::Webhook(webhook.clone()), Entity::Webhook(after));
        Ok(Judged { facts, ..Judged::default() })
    }

    pub(super) fn remove_webhook(&self, id: WebhookId) -> Result<Judged, Refused> {
        let directory = self.live.directory();
        let webhook = directory.webhook(id).ok_or(Refused::Missing("webhook"))?;
        let facts = vec![removed(Entity::Webhook(webhook.clone()))];
        Ok(Judged { facts, ..Judged::default() })
    }
}

/// Most octets of an address.
const URL_MAX: usize = 2048;
/// Most octets of a secret.
const SECRET_MAX: usize = 64;
/// Most webhooks of an account of which nothing else is said.
const WEBHOOKS_MAX: usize = 20;
