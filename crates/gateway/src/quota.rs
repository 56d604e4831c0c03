//! How many lines of the log callers without a valid token may fill: a disk is not theirs to fill.

use std::time::{Duration, Instant};

/// So many lines in each window; the rest is counted and summed up in one line later.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    window: Option<Instant>,
    used: u32,
    left_out: u64,
}

/// What to do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Write it, and before it that so many were left out; 0: none were.
    Write {
        /// Lines that were left out since the last one written.
        left_out: u64,
    },
    /// Leave it out.
    LeaveOut,
}

impl Quota {
    /// Takes one line.
    pub(crate) fn take(&mut self, now: Instant) -> Taken {
        if self.window.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            (self.window, self.used) = (Some(now), 0);
        }
        if self.used >= LINES_MAX {
            self.left_out += 1;
            return Taken::LeaveOut;
        }
        self.used += 1;
        Taken::Write { left_out: std::mem::take(&mut self.left_out) }
    }
}

/// The time that a number of lines is for.
const WINDOW: Duration = Duration::from_secs(1);
/// Most lines in that time: about 2 GB in a day at the very worst.
pub(crate) const LINES_MAX: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_quota_are_left_out_and_counted() {
        let start = Instant::now();
        let mut quota = Quota::default();
        for _ in 0..LINES_MAX {
            assert_eq!(quota.take(start), Taken::Write { left_out: 0 });
        }
        assert_eq!(quota.take(start), Taken::LeaveOut);
        assert_eq!(quota.take(start + WINDOW / 2), Taken::LeaveOut);
        assert_eq!(quota.take(start + WINDOW), Taken::Write { left_out: 2 });
        assert_eq!(quota.take(start + WINDOW), Taken::Write { left_out: 0 });
    }
}
