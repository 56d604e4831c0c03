//! A turn of work for one webhook: telling it some of what it has not been told.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use account::{Actor, Webhook};
use engine::{Operation, Request};
use store::Pos;
use store_sqlite::{HookDb, Met, StateError};

use super::board::Job;
use super::courier::Shared;
use super::message::{self, EventKind, Message};
use super::target::{Failed, Target};
use crate::history::{Entry, Filter, HistoryError, Of, Order, Query, Viewer, read};
use crate::writer::now;

/// Why a turn ended early.
enum Stop {
    /// The webhook did not take what it was told.
    Failed(Failed),
    /// What there is to tell cannot be read, or not be written down.
    Ours(String),
    /// The service stops, or others wait.
    Enough,
}

/// Works for a webhook; how long it is left alone then.
pub(super) fn work(shared: &Shared, job: &mut Job, visible: Pos) -> Duration {
    let mut turn = Turn {
        shared,
        target: Target::new(&job.webhook.url, &job.webhook.secret, job.webhook.private_ok),
        until: Instant::now() + TURN,
        job,
    };
    let done = turn.noted().and_then(|()| turn.logged(visible));
    match done {
        Ok(()) => GATHER,
        Err(Stop::Enough) => Duration::ZERO,
        Err(Stop::Ours(why)) => {
            tracing::warn!(webhook = turn.job.webhook.id.0, why, "a webhook has to wait");
            PAUSE
        }
        Err(Stop::Failed(why)) => turn.failed(&why),
    }
}

struct Turn<'a> {
    shared: &'a Shared,
    target: Target,
    until: Instant,
    job: &'a mut Job,
}

impl Turn<'_> {
    /// Tells what was refused.
    fn noted(&mut self) -> Result<(), Stop> {
        while let Some(message) = self.job.noted.pop_front() {
            if let Err(stop) = self.tell(&message) {
                self.job.noted.push_front(message);
                return Err(stop);
            }
        }
        Ok(())
    }

    /// Tells what stands in the log.
    fn logged(&mut self, visible: Pos) -> Result<(), Stop> {
        while self.job.here.state.after < visible {
            let after = self.job.here.state.after;
            let page = match read(&self.shared.node, &query(&self.job.webhook, after)) {
                Ok(page) => page,
                // The host is not there, or is somebody else's.
                Err(HistoryError::Missing(_) | HistoryError::OperatorOnly) => {
                    return self.advance(visible);
                }
                Err(why) => return Err(Stop::Ours(why.to_string())),
            };
            if page.oldest.0 > after.0 + 1 {
                tracing::warn!(
                    webhook = self.job.webhook.id.0,
                    from = after.0,
                    to = page.oldest.0,
                    hint = "keep the history for longer: `log_retention`",
                    "a webhook was not told what the history does not have any more"
                );
            }
            for entry in page.entries.iter().filter(|entry| entry.pos <= visible) {
                self.entry(entry)?;
            }
            self.advance(page.next.map_or(visible, |next| next.min(visible)))?;
            self.go_on()?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), Stop> {
        let messages = self.messages(entry)?;
        for (number, message) in messages.iter().enumerate() {
            if number < self.job.here.arrived {
                continue;
            }
            self.tell(message)?;
            self.job.here.arrived = number + 1;
        }
        self.meet(entry).map_err(ours)?;
        self.job.here.arrived = 0;
        self.job.here.state.after = entry.pos;
        if messages.is_empty() { Ok(()) } else { self.write_down() }
    }

    fn messages(&self, entry: &Entry) -> Result<Vec<Message>, Stop> {
        let kinds = &self.job.webhook.events;
        let mut messages = message::messages(entry, kinds);
        if EventKind::NewNetwork.is_wanted(kinds)
            && let Some((token, network)) = message::network(entry)
        {
            let id = self.job.webhook.id.0;
            let met = self.hooks(|hooks| hooks.met(id, token, &network)).map_err(ours)?;
            if met == Met::Elsewhere {
                messages.push(message::new_network(entry, &network));
            }
        }
        Ok(messages)
    }

    /// Notes the network that a token was used from.
    fn meet(&self, entry: &Entry) -> Result<(), StateError> {
        let Webhook { id, events, .. } = &self.job.webhook;
        match message::network(entry) {
            Some((token, network)) if EventKind::NewNetwork.is_wanted(events) => {
                self.hooks(|hooks| hooks.meet(id.0, token, (&network, entry.at)))
            }
            _ => Ok(()),
        }
    }

    fn tell(&mut self, message: &Message) -> Result<(), Stop> {
        self.go_on()?;
        let started = Instant::now();
        let called = self.target.call(message, now().0 / 1000);
        metrics::histogram!("byname_webhook_seconds").record(started.elapsed().as_secs_f64());
        let what = if called.is_ok() { "delivered" } else { "failed" };
        metrics::counter!("byname_webhook_calls_total", "outcome" => what).increment(1);
        called.map_err(Stop::Failed)?;
        let state = &mut self.job.here.state;
        if state.failures > 0 {
            tracing::info!(webhook = self.job.webhook.id.0, "a webhook answers again");
            (state.failures, state.failing_since) = (0, None);
            self.write_down()?;
        }
        Ok(())
    }

    /// Whether there is time for more.
    fn go_on(&self) -> Result<(), Stop> {
        if self.shared.is_stopping() || Instant::now() >= self.until {
            return Err(Stop::Enough);
        }
        Ok(())
    }

    /// Goes on over what is not told. Written down now and then: nothing is told twice for it.
    fn advance(&mut self, to: Pos) -> Result<(), Stop> {
        let here = &mut self.job.here;
        here.state.after = here.state.after.max(to);
        let (pos, at) = here.written;
        if here.state.after.0 >= pos.0 + WRITE_EVENTS || at.elapsed() >= WRITE_TIME {
            return self.write_down();
        }
        Ok(())
    }

    fn write_down(&mut self) -> Result<(), Stop> {
        let (id, state) = (self.job.webhook.id.0, self.job.here.state);
        self.hooks(|hooks| hooks.put(id, &state)).map_err(ours)?;
        self.job.here.written = (state.after, Instant::now());
        Ok(())
    }

    /// Notes a failure; how long it is waited before it is tried again.
    fn failed(&mut self, why: &Failed) -> Duration {
        let (id, at) = (self.job.webhook.id, now());
        let state = &mut self.job.here.state;
        let since = *state.failing_since.get_or_insert(at);
        state.failures = state.failures.saturating_add(1);
        let failures = state.failures;
        if failures == 1 {
            tracing::warn!(webhook = id.0, %why, "a webhook could not be told; it is tried again");
        }
        if at.ms_since(since) >= GIVE_UP_MS || *why == Failed::Status(GONE) {
            tracing::warn!(
                webhook = id.0,
                failures,
                %why,
                hint = "`bynamed webhook resume` goes on where it stopped",
                "a webhook is paused: it has not taken what it was told"
            );
            metrics::counter!("byname_webhook_paused_total").increment(1);
            let operation = Operation::PauseWebhook { id, paused: true };
            let request = Request { actor: Actor::System, origin: None, operation };
            if let Err(why) = self.shared.node.client().submit(request) {
                tracing::warn!(webhook = id.0, %why, "it could not be paused; it is tried again");
            }
            // When it is resumed, it gets as long again.
            (state.failures, state.failing_since) = (0, None);
        }
        if let Err(Stop::Ours(why)) = self.write_down() {
            tracing::warn!(
                webhook = id.0,
                why,
                "it could not be written how far a webhook is told"
            );
        }
        backoff(failures)
    }

    fn hooks<T>(&self, f: impl FnOnce(&HookDb) -> T) -> T {
        f(&self.shared.hooks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn ours(why: StateError) -> Stop {
    Stop::Ours(why.to_string())
}

/// What a webhook is told of.
fn query(webhook: &Webhook, after: Pos) -> Query {
    // The operator's own are told of everything.
    let is_operators = webhook.account.0 == 0;
    let all = if is_operators { Of::All } else { Of::Account(webhook.account) };
    let viewer = if is_operators { Viewer::Operator } else { Viewer::Account(webhook.account) };
    Query {
        of: webhook.host.clone().map_or(all, Of::Host),
        viewer,
        order: Order::OldestFirst,
        from: Some(after),
        filter: Filter::default(),
        limit: PAGE,
    }
}

/// How long it is waited after so many failures.
fn backoff(failures: u32) -> Duration {
    let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = BACKOFF_S.last().copied().unwrap_or_default();
    Duration::from_secs(BACKOFF_S.get(step).copied().unwrap_or(last))
}

/// Seconds between attempts; then the last one for ever.
const BACKOFF_S: [u64; 7] = [1, 5, 30, 120, 600, 1800, 3600];
/// A webhook that takes nothing for so long is paused.
const GIVE_UP_MS: u64 = 5 * 24 * 3600 * 1000;
/// The HTTP status by which a target says that it is gone for good (RFC 9110 §15.5.11).
const GONE: u16 = 410;
/// How long one turn may take before others have theirs.
const TURN: Duration = Duration::from_secs(10);
/// How long it is waited for more before the log is read again.
const GATHER: Duration = Duration::from_millis(50);
/// Pause after an error of our own.
const PAUSE: Duration = Duration::from_secs(5);
/// Entries that are read at once.
const PAGE: usize = 50;
/// After so many positions over which nothing was told the position is written down.
const WRITE_EVENTS: u64 = 10_000;
/// After so long as well.
const WRITE_TIME: Duration = Duration::from_secs(60);
