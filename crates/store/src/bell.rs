//! Telling followers within the process that something was appended.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::api::{Commit, Feed, FeedError};
use crate::event::Pos;

/// Rung after every append; followers wait for it.
#[derive(Debug, Default)]
pub struct Bell {
    head: Mutex<Pos>,
    rung: Condvar,
}

impl Bell {
    /// Tells that the log stands at `head`.
    pub fn ring(&self, head: Pos) {
        let mut known = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        *known = head.max(*known);
        self.rung.notify_all();
    }

    /// Waits until the log stands past `after`, or for `wait`.
    fn wait_past(&self, after: Pos, wait: Duration) {
        let known = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        // Woken or timed out: the caller looks at the log either way.
        let _ = self.rung.wait_timeout_while(known, wait, |head| *head <= after);
    }
}

/// A feed over a store that is read in pieces and rings a [`Bell`].
pub struct BellFeed<R> {
    read: R,
    bell: Arc<Bell>,
    after: Pos,
    ready: VecDeque<Commit>,
}

impl<R> BellFeed<R>
where
    R: FnMut(Pos) -> Result<Vec<Commit>, FeedError> + Send,
{
    /// A feed of the commits after a position; `read` yields some of them.
    pub fn new(read: R, bell: Arc<Bell>, after: Pos) -> BellFeed<R> {
        BellFeed { read, bell, after, ready: VecDeque::new() }
    }

    fn take(&mut self) -> Result<Option<Commit>, FeedError> {
        if self.ready.is_empty() {
            self.ready.extend((self.read)(self.after)?);
        }
        let commit = self.ready.pop_front();
        if let Some(commit) = &commit {
            self.after = commit.last;
        }
        Ok(commit)
    }
}

impl<R> Feed for BellFeed<R>
where
    R: FnMut(Pos) -> Result<Vec<Commit>, FeedError> + Send,
{
    fn next(&mut self, wait: Duration) -> Result<Option<Commit>, FeedError> {
        if let Some(commit) = self.take()? {
            return Ok(Some(commit));
        }
        self.bell.wait_past(self.after, wait);
        self.take()
    }
}
