//! The threads that call webhooks.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use account::Webhook;
use store::Pos;
use store_sqlite::{HookDb, HookState, StateError};

use super::board::{Board, Todo};
use super::message::{EventKind, Message};
use super::work;
use crate::history::text;
use crate::node::{Node, NodeError};

/// Calls the webhooks of a node until it is stopped or dropped.
#[derive(Debug)]
pub struct Courier {
    shared: Arc<Shared>,
}

/// What the threads share.
pub(super) struct Shared {
    pub(super) node: Arc<Node>,
    pub(super) hooks: Mutex<HookDb>,
    board: Board,
    stopping: AtomicBool,
    /// Threads that run.
    running: Mutex<usize>,
    ended: Condvar,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Courier {
    /// Starts to call the webhooks of a node.
    ///
    /// # Errors
    /// The file that says how far they were told cannot be opened, or a thread cannot be started.
    pub fn start(node: &Arc<Node>) -> Result<Courier, NodeError> {
        let hooks = Mutex::new(HookDb::open(node.data())?);
        let shared = Arc::new(Shared {
            node: Arc::clone(node),
            hooks,
            board: Board::default(),
            stopping: AtomicBool::new(false),
            running: Mutex::new(0),
            ended: Condvar::new(),
        });
        let courier = Courier { shared };
        for _ in 0..WORKERS {
            courier.spawn().map_err(NodeError::Thread)?;
        }
        Ok(courier)
    }

    /// Begins no more calls, and waits a moment for those that are under way. What was not confirmed
    /// is told again after the next start.
    pub fn stop(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.node.tide().wake();
        let running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A target that takes its time is not waited for.
        let _ = self.shared.ended.wait_timeout_while(running, GRACE, |running| *running > 0);
    }

    fn spawn(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        *shared.running.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let ended = Arc::clone(&shared);
        let run = move || {
            shared.run();
            *shared.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            shared.ended.notify_all();
        };
        let spawned = std::thread::Builder::new().name("webhooks".to_owned()).spawn(run);
        if spawned.is_err() {
            *ended.running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        }
        spawned.map(drop)
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst) || self.node.tide().has_ended()
    }

    fn run(&self) {
        while !self.is_stopping() {
            let visible = self.node.tide().visible();
            if let Err(why) = self.look() {
                tracing::warn!(%why, "it cannot be read how far webhooks were told");
                self.node.tide().wait(PAUSE);
                continue;
            }
            match self.board.take(visible) {
                Todo::Nothing => self.node.tide().wait(NO_HOOKS),
                Todo::Wait(until) => {
                    let wait = until.saturating_duration_since(Instant::now());
                    self.node.tide().wait_past(visible, wait);
                }
                Todo::Work(job) => {
                    let mut job = *job;
                    let pause = work::work(self, &mut job, visible);
                    self.board.put_back(job, pause);
                }
            }
        }
    }

    /// Looks which webhooks there are, and what was refused.
    fn look(&self) -> Result<(), StateError> {
        let webhooks: Vec<Webhook> = {
            let directory = self.node.live().directory();
            directory.webhooks().filter(|webhook| webhook.paused.is_none()).cloned().collect()
        };
        let wants = webhooks.iter().any(|webhook| EventKind::Refused.is_wanted(&webhook.events));
        self.node.client().notices().listen(wants);
        let ids: Vec<u64> = webhooks.iter().map(|webhook| webhook.id.0).collect();
        let is_other = self.board.set(webhooks, |webhook| self.state(webhook))?;
        if is_other {
            let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
            let paused = self.node.live().directory();
            let paused = paused.webhooks().map(|webhook| webhook.id.0);
            let known: Vec<u64> = ids.into_iter().chain(paused).collect();
            hooks.keep(&known)?;
        }
        self.take_notices();
        Ok(())
    }

    /// How far a webhook was told; a new one is told what comes after it was made: its number is the
    /// position of that.
    fn state(&self, webhook: &Webhook) -> Result<HookState, StateError> {
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hooks.state(webhook.id.0)?;
        Ok(known.unwrap_or(HookState { after: Pos(webhook.id.0), ..HookState::default() }))
    }

    fn take_notices(&self) {
        for notice in self.node.client().notices().take() {
            let host = text(&notice.host);
            let said = (host.as_str(), notice.token, notice.why.as_str());
            let message = Message::refused(&notice.id, notice.at, said);
            self.board.note(&message, |webhook| {
                let is_own = webhook.account == notice.account || webhook.account.0 == 0;
                let is_host = webhook.host.as_ref().is_none_or(|host| *host == notice.host);
                is_own && is_host && EventKind::Refused.is_wanted(&webhook.events)
            });
        }
    }
}

/// Threads that call webhooks.
const WORKERS: usize = 4;
/// How long calls that are under way are waited for at the end.
const GRACE: Duration = Duration::from_secs(2);
/// Pause after an error of our own.
const PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether there are webhooks, when nobody says so.
const NO_HOOKS: Duration = Duration::from_secs(60);
