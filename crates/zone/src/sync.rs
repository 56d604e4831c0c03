//! The primitives of the concurrent core; under `--cfg loom` those of loom, which tries out every
//! order that the memory model allows.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};

use std::sync::{Arc, PoisonError};

/// A pointer that is swapped while others read it. Readers take no lock.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Shared<T>(arc_swap::ArcSwapOption<T>);

/// What a reader holds of it.
#[cfg(not(loom))]
pub(crate) type Held<T> = arc_swap::Guard<Option<Arc<T>>>;

#[cfg(not(loom))]
impl<T> Shared<T> {
    pub(crate) fn new(value: Option<Arc<T>>) -> Shared<T> {
        Shared(arc_swap::ArcSwapOption::new(value))
    }

    pub(crate) fn load(&self) -> Held<T> {
        self.0.load()
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        self.0.store(value);
    }
}

/// The same for loom, which knows nothing of the inside of `arc_swap`.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Shared<T>(Mutex<Option<Arc<T>>>);

#[cfg(loom)]
pub(crate) type Held<T> = Option<Arc<T>>;

#[cfg(loom)]
impl<T> Shared<T> {
    pub(crate) fn new(value: Option<Arc<T>>) -> Shared<T> {
        Shared(Mutex::new(value))
    }

    pub(crate) fn load(&self) -> Held<T> {
        lock(&self.0).clone()
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        *lock(&self.0) = value;
    }
}

/// Whoever panicked while writing left whole values behind.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
