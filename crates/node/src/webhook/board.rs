//! Which webhook is to be called next: one call at a time for each, later and later while it fails.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use account::{Webhook, WebhookId};
use store::Pos;
use store_sqlite::HookState;

use super::message::Message;

/// The webhooks that there are, and who works for which.
#[derive(Debug, Default)]
pub(super) struct Board {
    hooks: Mutex<HashMap<WebhookId, Hook>>,
}

#[derive(Debug)]
struct Hook {
    webhook: Webhook,
    /// `None` while somebody works for it.
    here: Option<Here>,
    /// Not before.
    next: Instant,
    /// What was refused, to be told when it is called next.
    noted: VecDeque<Message>,
}

/// What one who works for a webhook has to know, and hands back.
#[derive(Debug)]
pub(super) struct Here {
    pub(super) state: HookState,
    /// The position that was written down last, and when.
    pub(super) written: (Pos, Instant),
    /// Messages of the event behind `state.after` that have arrived already.
    pub(super) arrived: usize,
}

/// Work for one webhook.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) webhook: Webhook,
    pub(super) here: Here,
    pub(super) noted: VecDeque<Message>,
}

/// What there is to do.
#[derive(Debug)]
pub(super) enum Todo {
    /// Work for this one.
    Work(Box<Job>),
    /// Nothing before this moment, unless something happens.
    Wait(Instant),
    /// There are no webhooks.
    Nothing,
}

impl Board {
    /// Takes over the webhooks that there are; `state` is asked how far a new one was told.
    pub(super) fn set<E>(
        &self,
        webhooks: Vec<Webhook>,
        mut state: impl FnMut(&Webhook) -> Result<HookState, E>,
    ) -> Result<bool, E> {
        let mut hooks = self.lock();
        let before = hooks.len();
        hooks.retain(|id, _| webhooks.iter().any(|webhook| webhook.id == *id));
        let mut is_other = hooks.len() != before;
        for webhook in webhooks {
            if let Some(hook) = hooks.get_mut(&webhook.id) {
                hook.webhook = webhook;
                continue;
            }
            let state = state(&webhook)?;
            let now = Instant::now();
            let here = Some(Here { state, written: (state.after, now), arrived: 0 });
            let (next, noted) = (now, VecDeque::new());
            hooks.insert(webhook.id, Hook { webhook, here, next, noted });
            is_other = true;
        }
        Ok(is_other)
    }

    /// The webhook that has waited longest among those that have something to be told.
    pub(super) fn take(&self, visible: Pos) -> Todo {
        let mut hooks = self.lock();
        if hooks.is_empty() {
            return Todo::Nothing;
        }
        let now = Instant::now();
        let mut wait = now + LOOK;
        let mut first: Option<(Instant, WebhookId)> = None;
        for (id, hook) in hooks.iter() {
            let Some(here) = &hook.here else { continue };
            if here.state.after >= visible && hook.noted.is_empty() {
                continue;
            }
            if hook.next > now {
                wait = wait.min(hook.next);
            } else if first.is_none_or(|(next, _)| hook.next < next) {
                first = Some((hook.next, *id));
            }
        }
        let hook = first.and_then(|(_, id)| hooks.get_mut(&id));
        let Some(hook) = hook else { return Todo::Wait(wait) };
        let Some(here) = hook.here.take() else { return Todo::Wait(wait) };
        let (webhook, noted) = (hook.webhook.clone(), std::mem::take(&mut hook.noted));
        Todo::Work(Box::new(Job { webhook, here, noted }))
    }

    /// The work is done, as far as it goes; the next turn is not before `pause` is over.
    pub(super) fn put_back(&self, job: Job, pause: Duration) {
        let mut hooks = self.lock();
        // It may have gone meanwhile.
        let Some(hook) = hooks.get_mut(&job.webhook.id) else { return };
        hook.here = Some(job.here);
        hook.next = Instant::now() + pause;
        let newer = std::mem::replace(&mut hook.noted, job.noted);
        hook.noted.extend(newer);
        hook.noted.truncate(NOTED_MAX);
    }

    /// Notes something for those webhooks of which `wants` says so.
    pub(super) fn note(&self, message: &Message, wants: impl Fn(&Webhook) -> bool) {
        let mut hooks = self.lock();
        for hook in hooks.values_mut().filter(|hook| wants(&hook.webhook)) {
            if hook.noted.len() < NOTED_MAX {
                hook.noted.push_back(message.clone());
            } else {
                metrics::counter!("byname_webhook_dropped_total").increment(1);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WebhookId, Hook>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long it is waited at most before it is looked again.
const LOOK: Duration = Duration::from_secs(5);
/// Most messages about refusals that wait for one webhook.
const NOTED_MAX: usize = 100;
