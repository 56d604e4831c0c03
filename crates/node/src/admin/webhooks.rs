//! Orders about webhooks.

use account::{Webhook, WebhookId};
use data_encoding::BASE64;
use engine::{NewWebhook, Operation};
use serde_json::{Value, json};

use super::AdminError;
use super::command::WebhookSettings;
use super::execute::{Orders, name, text};
use crate::history::moment;
use crate::webhook::{EventKind, Message, Target, check_url};

impl Orders<'_> {
    pub(super) fn webhook_add(&self, wanted: &WebhookSettings) -> Result<Value, AdminError> {
        let WebhookSettings { url, account, host, events, private_ok, label } = wanted;
        check_url(url, *private_ok)
            .map_err(|why| AdminError::Invalid(format!("this cannot be called: {why}")))?;
        let kinds = events.iter().map(|word| kind(word)).collect::<Result<Vec<_>, _>>()?;
        let account = self.account(account.as_deref())?;
        let host = host.as_deref().map(name).transpose()?;
        if let Some(host) = &host {
            let directory = self.node.live().directory();
            let owner = directory.host(host).map(|host| host.account);
            if owner.is_none_or(|owner| owner != account && account.0 != 0) {
                return Err(AdminError::Invalid(format!("no such host: {}", text(host))));
            }
        }
        let secret = [self.random()?, self.random()?].concat();
        let operation = Operation::AddWebhook(NewWebhook {
            account,
            url: url.clone(),
            secret: secret.clone(),
            events: kinds.iter().map(|kind| kind.number()).collect(),
            label: label.clone(),
            host,
            private_ok: *private_ok,
        });
        let id = self.operate(operation)?;
        let shown = format!("whsec_{}", BASE64.encode(&secret));
        Ok(json!({ "id": id, "url": url, "secret": shown }))
    }

    pub(super) fn webhook_pause(&self, id: u64, paused: bool) -> Result<Value, AdminError> {
        self.operate(Operation::PauseWebhook { id: WebhookId(id), paused })?;
        Ok(json!({ "id": id, "paused": paused }))
    }

    pub(super) fn webhook_remove(&self, id: u64) -> Result<Value, AdminError> {
        self.operate(Operation::RemoveWebhook(WebhookId(id)))?;
        Ok(json!({ "id": id, "removed": true }))
    }

    /// Calls a webhook now and says what came of it.
    pub(super) fn webhook_test(&self, id: u64) -> Result<Value, AdminError> {
        let found = self.node.live().directory().webhook(WebhookId(id)).cloned();
        let webhook = found.ok_or_else(|| AdminError::Invalid(format!("no such webhook: {id}")))?;
        let number = u128::from_be_bytes(self.random()?);
        let now = self.node.now();
        let message = Message::test(&format!("test_{number:032x}"), now);
        let target = Target::new(&webhook.url, &webhook.secret, webhook.private_ok);
        match target.call(&message, now.0 / 1000) {
            Ok(status) => Ok(json!({ "id": id, "message": message.id, "status": status })),
            Err(why) => Err(AdminError::Unavailable(format!("the webhook was not told: {why}"))),
        }
    }
}

/// A webhook without its secret.
pub(super) fn shown(webhook: &Webhook) -> Value {
    let words = |number: &u8| {
        let known = EventKind::ALL.iter().find(|(_, of, _)| of == number);
        known.map_or_else(|| number.to_string(), |(.., word)| (*word).to_owned())
    };
    json!({
        "id": webhook.id.0,
        "url": webhook.url,
        "account": webhook.account.0,
        "host": webhook.host.as_ref().map(text),
        "events": webhook.events.iter().map(words).collect::<Vec<_>>(),
        "private_ok": webhook.private_ok,
        "label": webhook.label,
        "created": moment(webhook.created),
        "paused": webhook.paused.map(moment),
    })
}

fn kind(word: &str) -> Result<EventKind, AdminError> {
    EventKind::parse(word).ok_or_else(|| {
        let words: Vec<&str> = EventKind::ALL.iter().map(|(.., word)| *word).collect();
        AdminError::Invalid(format!("`{word}` is none of {}", words.join(", ")))
    })
}
