//! How far the log is visible, for those who wait for it. Costs the writer one store and one load
//! when nobody does.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use store::Pos;

/// Rises with every batch that has become visible.
#[derive(Debug, Default)]
pub(crate) struct Tide {
    visible: AtomicU64,
    waiting: AtomicUsize,
    ended: AtomicBool,
    lock: Mutex<()>,
    risen: Condvar,
}

impl Tide {
    /// Everything up to this position is visible.
    pub(crate) fn rise(&self, to: Pos) {
        self.visible.store(to.0, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.wake();
        }
    }

    /// The last position that is visible.
    pub(crate) fn visible(&self) -> Pos {
        Pos(self.visible.load(Ordering::SeqCst))
    }

    /// Nothing will rise any more.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Wakes everybody who waits, for something else than a rise.
    pub(crate) fn wake(&self) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.risen.notify_all();
    }

    /// Waits until somebody wakes us, or for `most`. Costs the writer nothing.
    pub(crate) fn wait(&self, most: Duration) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.has_ended() {
            let _ = self.risen.wait_timeout(lock, most);
        }
    }

    /// Waits until more than `after` is visible, somebody wakes us, or for `most`.
    pub(crate) fn wait_past(&self, after: Pos, most: Duration) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.visible() <= after && !self.has_ended() {
            // Woken or timed out: the caller looks either way.
            let _ = self.risen.wait_timeout(lock, most);
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
