//! What was refused, for those who want to be told: bounded, and nothing is noted when nobody listens.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use account::{AccountId, Timestamp, TokenId};
use wire::Name;

/// An update of a host that was refused to somebody with a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Number, for telling it apart.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Whose token it was.
    pub account: AccountId,
    /// The token.
    pub token: TokenId,
    /// The host that was named.
    pub host: Name,
    /// Why, in words.
    pub why: String,
}

/// Notices that wait to be taken.
#[derive(Debug, Default)]
pub struct Notices {
    is_heard: AtomicBool,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    waiting: VecDeque<Notice>,
    /// When something was noted of a token last.
    last: HashMap<TokenId, Timestamp>,
}

impl Notices {
    /// Whether somebody wants to be told.
    pub fn listen(&self, wanted: bool) {
        self.is_heard.store(wanted, Ordering::Relaxed);
    }

    /// Whether somebody wants to be told; else nothing need be put together.
    pub fn is_heard(&self) -> bool {
        self.is_heard.load(Ordering::Relaxed)
    }

    /// Notes a refusal: one a minute of each token, for a device that asks again and again is no news.
    pub fn note(&self, notice: Notice) {
        if !self.is_heard() {
            return;
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let at = notice.at;
        let last = noted.last.get(&notice.token);
        if last.is_some_and(|last| at.ms_since(*last) < PAUSE_MS) {
            return;
        }
        if noted.waiting.len() >= WAITING_MAX {
            metrics::counter!("byname_notices_dropped_total").increment(1);
            return;
        }
        if noted.last.len() >= TOKENS_MAX {
            noted.last.retain(|_, last| at.ms_since(*last) < PAUSE_MS);
        }
        if noted.last.len() < TOKENS_MAX {
            noted.last.insert(notice.token, at);
            noted.waiting.push_back(notice);
        }
    }

    /// Takes what waits.
    pub fn take(&self) -> Vec<Notice> {
        if !self.is_heard() {
            return Vec::new();
        }
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.waiting.drain(..).collect()
    }
}

/// Least time between two notices of one token, in milliseconds.
const PAUSE_MS: u64 = 60_000;
/// Most notices that wait.
const WAITING_MAX: usize = 1024;
/// Most tokens whose last notice is remembered.
const TOKENS_MAX: usize = 65_536;
