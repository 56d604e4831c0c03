//! Failed authentications, counted by source: guessing is slowed down without any writing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use account::source_block;

/// A bucket for each source that failed lately. It holds a minute's worth of failures and empties
/// steadily; a source whose bucket is full is not told any more that its credentials are wrong.
///
/// Each bucket is one moment: when it will be empty (a generic cell rate algorithm).
#[derive(Debug)]
pub(crate) struct Attempts {
    empty_at: HashMap<IpAddr, Instant>,
    /// What one failure adds.
    step: Duration,
    /// When buckets that are empty were last thrown away.
    cleared: Option<Instant>,
}

impl Attempts {
    /// Buckets that hold `per_minute` failures, at least one.
    pub(crate) fn new(per_minute: u32) -> Attempts {
        let step = WINDOW.checked_div(per_minute.max(1)).unwrap_or(WINDOW);
        Attempts { empty_at: HashMap::new(), step, cleared: None }
    }

    /// How long the source has to wait before a failure is told it as one; `None`: not at all.
    pub(crate) fn wait(&self, source: IpAddr, now: Instant) -> Option<Duration> {
        let empty_at = self.empty_at.get(&source_block(source))?;
        let free_at = (*empty_at + self.step).checked_sub(WINDOW)?;
        free_at.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Notes a failure. When there is no room, it is let pass: guessing 128 bits is hopeless in
    /// any case, and turning away everybody would not be.
    pub(crate) fn failed(&mut self, source: IpAddr, now: Instant) {
        let source = source_block(source);
        if self.empty_at.len() >= SOURCES_MAX && !self.empty_at.contains_key(&source) {
            self.clear(now);
            if self.empty_at.len() >= SOURCES_MAX {
                metrics::counter!("byname_auth_sources_untracked_total").increment(1);
                return;
            }
        }
        let empty_at = self.empty_at.entry(source).or_insert(now);
        *empty_at = (*empty_at).max(now) + self.step;
    }

    /// Throws empty buckets away, but not for every failure of a flood.
    fn clear(&mut self, now: Instant) {
        if self.cleared.is_some_and(|last| now.duration_since(last) < CLEAR_EVERY) {
            return;
        }
        self.cleared = Some(now);
        self.empty_at.retain(|_, empty_at| *empty_at > now);
    }
}

/// The time that a full bucket takes to empty.
const WINDOW: Duration = Duration::from_secs(60);
/// Most sources that are counted at once.
const SOURCES_MAX: usize = 65_536;
/// Least time between two rounds of throwing away.
const CLEAR_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
